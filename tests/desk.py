"""A person at a shell, on either database, over the replica of the sources."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pqwatch.replica import serve
from tests import postgres
from tests.test_cli import Desk

MOMENTS = ("2026-03-03T08:00Z", "2026-03-05T08:00Z", "2026-03-12T08:00Z")


@contextmanager
def crawled(kind: str, folder: Path, request: Any, *subscriptions: tuple[str, ...]) -> Iterator[Desk]:
    """Three mornings of the replica, crawled into a database of this kind; subscriptions were there before."""
    with database(kind, folder, request) as url, serve(at=MOMENTS[0]) as replica:
        desk = Desk(folder, replica, PQWATCH_DATABASE_URL=url, PQWATCH_DATA_DIR=str(folder / "data"))
        desk.store_url = url
        for args in subscriptions:
            done = desk("--now", "2026-03-01T07:00Z", "subscribe", *args)
            assert done.returncode == 0, done.stderr
        for moment in MOMENTS:
            replica.set_clock(moment)
            done = desk("--now", moment, "crawl", "parliament")
            assert done.returncode == 0, done.stderr
        yield desk


@contextmanager
def database(kind: str, folder: Path, request: Any, name: str = "desk") -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / name}.sqlite3"
        return
    server = request.getfixturevalue("postgres_server")
    with postgres.database(server, f"pqwatch_{name}_{os.getpid()}") as url:
        yield url


both = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
