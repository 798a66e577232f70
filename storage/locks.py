"""Locks for a source and a job, held as rows so that processes on several machines see them.

A lock is taken over at once when its process is dead on this host, and after 60 s without a sign of life when it cannot be looked at
from here. A process that lives on this host keeps its lock, however busy it is. Locks use the real clock, whatever `--now` says.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from storage import processes
from storage.schema import locks
from storage.store import StorageError, Store

SILENCE = timedelta(seconds=60)
"""Without a sign of life for so long, a holder that cannot be looked at is taken for dead."""
BEAT = 15.0
"""Seconds between two signs of life."""
_TRIES = 5
_log = logging.getLogger(__name__)


class LockedError(StorageError):
    """Another run holds the lock. `host` and `pid` tell which."""

    def __init__(self, name: str, host: str, pid: int, heartbeat: datetime) -> None:
        ago = max(0, round((_now() - heartbeat).total_seconds()))
        super().__init__(
            f"{name} is already running: process {pid} on {host} holds its lock (last sign of life {ago} s ago)"
        )
        self.name, self.host, self.pid = name, host, pid


@dataclass
class Lock:
    """A lock that is held. `lost` becomes true when another took it over, as after a long sleep of this machine."""

    name: str
    owner: str
    lost: bool = False

    def check(self) -> None:
        """Raises StorageError if the lock was lost: what it guards must not go on."""
        if self.lost:
            raise StorageError(
                f"the lock of {self.name} was taken over by another run while this one was asleep"
            )


@dataclass(frozen=True, slots=True)
class Held:
    """A lock as others see it."""

    name: str
    host: str
    pid: int
    heartbeat: datetime


def held(conn: Connection) -> list[Held]:
    """Who holds what, also holders that may be dead, by name."""
    wanted = select(locks.c.name, locks.c.host, locks.c.pid, locks.c.heartbeat).order_by(locks.c.name)
    return [Held(*row) for row in conn.execute(wanted)]


@contextmanager
def hold(store: Store, name: str, *, beat: float = BEAT) -> Iterator[Lock]:
    """Hold the lock `name` (such as `crawl:parliament`) for as long as the block runs. Raises LockedError."""
    lock = Lock(name, secrets.token_hex(16))
    _take(store, lock)
    stop = threading.Event()
    heart = threading.Thread(target=_live, args=(store, lock, stop, beat), name=f"lock {name}", daemon=True)
    heart.start()
    try:
        yield lock
    finally:
        stop.set()
        heart.join()
        _release(store, lock)


def _take(store: Store, lock: Lock) -> None:
    for attempt in range(_TRIES):
        try:
            with store.write() as conn:
                return _seize(conn, lock)
        except IntegrityError:  # two found no row and both inserted one: the slower looks again
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _seize(conn: Connection, lock: Lock) -> None:
    row = conn.execute(select(locks).where(locks.c.name == lock.name).with_for_update()).first()
    mine = {
        "owner": lock.owner,
        "host": processes.host(),
        "pid": os.getpid(),
        "process_started": processes.identity(os.getpid()),
        "heartbeat": _now(),
    }
    if row is None:
        conn.execute(insert(locks).values(name=lock.name, **mine))
    elif _is_dead(row):
        conn.execute(update(locks).where(locks.c.name == lock.name).values(**mine))
    else:
        raise LockedError(lock.name, row.host, row.pid, row.heartbeat)


def _live(store: Store, lock: Lock, stop: threading.Event, beat: float) -> None:
    mine = (locks.c.name == lock.name) & (locks.c.owner == lock.owner)
    while not stop.wait(beat):
        try:
            with store.write() as conn:
                if conn.execute(update(locks).where(mine).values(heartbeat=_now())).rowcount == 0:
                    lock.lost = True
                    return
        except StorageError as error:  # a busy or absent database now says nothing of the next beat
            _log.warning("no sign of life for the lock of %s: %s", lock.name, error)


def _release(store: Store, lock: Lock) -> None:
    try:
        with store.write() as conn:
            conn.execute(delete(locks).where(locks.c.name == lock.name, locks.c.owner == lock.owner))
    except StorageError as error:  # it is taken over as soon as this process is gone
        _log.warning("the lock of %s could not be released: %s", lock.name, error)


# --- who is alive


def _is_dead(row: Row[tuple[object, ...]]) -> bool:
    gone = processes.is_gone(row.host, row.pid, row.process_started)
    return bool(_now() - row.heartbeat > SILENCE) if gone is None else gone


def _now() -> datetime:
    return datetime.now(UTC)
