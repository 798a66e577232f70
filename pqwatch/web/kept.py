"""Results that take long and stay true until the archive changes. In memory, of one process."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import text

from storage.store import Store

T = TypeVar("T")


@dataclass
class Kept:
    """One result a name, made again when its `state` is another. Only one is worked out at a time."""

    _held: dict[str, tuple[Hashable, Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, name: str, state: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            held = self._held.get(name)
            if held is None or held[0] != state:
                held = self._held[name] = (state, make())
            result: T = held[1]
            return result


class Moment:
    """Names the state of the database: the same name twice means that nothing at all was committed between, by anyone.

    SQLite counts the commits that a connection did not make itself (`data_version`), so one is kept that makes none. On
    PostgreSQL the list of finished transactions that a snapshot sees says exactly what it sees.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, threading.Lock()
        self._watcher: sqlite3.Connection | None = None

    def name(self) -> Hashable:
        """Ask before reading: what is read then is of this state or a newer one."""
        if self._store.dialect == "postgresql":
            with self._store.read() as conn:
                return str(conn.execute(text("SELECT CAST(pg_current_snapshot() AS text)")).scalar_one())
        with self._lock:
            if self._watcher is None:
                file = str(self._store.engine.url.database)
                self._watcher = sqlite3.connect(file, timeout=30, check_same_thread=False)
            version: int = self._watcher.execute("PRAGMA data_version").fetchone()[0]
            return version


@dataclass
class Pages:
    """The pages that were asked for last, each true for the state of the database it was made from."""

    most_bytes: int = 16 * 2**20
    _held: OrderedDict[Hashable, tuple[Hashable, bytes]] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _moment: Moment | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fresh(self, store: Store, name: Hashable, make: Callable[[], bytes]) -> bytes:
        """The page of this name, made again where anything was stored since."""
        with self._lock:
            moment = self._moment = self._moment or Moment(store)
        return self.get(name, moment.name(), make)

    def get(self, name: Hashable, state: Hashable, make: Callable[[], bytes]) -> bytes:
        """What has this name, made again where its state is another. Two may make the same at once."""
        with self._lock:
            held = self._held.get(name)
            if held is not None and held[0] == state:
                self._held.move_to_end(name)
                return held[1]
        body = make()
        with self._lock:
            self._forget(name)
            self._held[name] = state, body
            self._bytes += len(body)
            while self._held and self._bytes > self.most_bytes:
                self._forget(next(iter(self._held)))
        return body

    def _forget(self, name: Hashable) -> None:
        held = self._held.pop(name, None)
        self._bytes -= len(held[1]) if held else 0
