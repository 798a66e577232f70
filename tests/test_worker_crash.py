"""Kill -9 of crawler, worker, broker and database in turn during a backfill on two workers: the same rows as undisturbed.

Database and broker are of the test's own, so that they can be killed and started again.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from storage import locks
from storage.store import StorageError, Store
from tests import replay
from tests.helpers import shared
from tests.machines import OwnPostgres, OwnRabbit, Server
from tests.test_crash import TABLES, rows_of
from tests.test_worker import Team, opened
from tests.test_worker_month import days_of, listed, windows_done

FIRST, LAST, DAYS = "2024-11-04", "2024-11-13", 10
AT = "2024-12-20T09:00Z"
PARTS = 4
RATE = "120"  # so that every kill falls into the work, and the budget's row is asked for too


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that the servers' own users can walk."""
    with tempfile.TemporaryDirectory(prefix="pqw-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def machines(folder: Path) -> Iterator[tuple[OwnPostgres, OwnRabbit]]:
    with ExitStack() as ends:
        database, broker = OwnPostgres(folder / "pg"), OwnRabbit(folder / "mq")
        for each in (database, broker):
            ends.callback(each.close)
            each.start()
        yield database, broker


def made(server: OwnPostgres, name: str) -> str:
    """URL of a new database."""
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    return server.url.replace("postgresql://postgres@/postgres", f"postgresql+psycopg://postgres@/{name}")


@contextmanager
def team_of(folder: Path, url: str, broker: str, peer: replay.Peer) -> Iterator[Team]:
    folder.mkdir()
    source = {"PQWATCH_PARLIAMENT_URL": peer.url, "PQWATCH_RATE": RATE, "PQWATCH_SOURCES": "parliament"}
    team = Team(folder, url, broker, **source)
    team.at = AT
    try:
        yield team
    finally:
        team.close()


def crawler_of(worker: int) -> int | None:
    """The child of a child of the worker that crawls."""
    lines: dict[int, tuple[int, str]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (path / "stat").read_text(), (path / "cmdline").read_bytes().decode()
        except OSError:
            continue
        lines[int(path.name)] = int(stat.rpartition(")")[2].split()[1]), command
    for pid, (parent, command) in lines.items():
        if "pqwatch.child" in command and parent in lines and lines[parent][0] == worker:
            return pid
    return None


class Backfill:
    """The days on two workers, and what is known of them."""

    def __init__(self, team: Team, peer: replay.Peer, store: Store) -> None:
        self.team, self.peer, self.store = team, peer, store
        self.working = [team.worker(), team.worker()]
        self.finished: set[str] = set()

    def done(self) -> set[str] | None:
        """Windows that are finished; null while the database is away."""
        try:
            return windows_done(self.store)
        except StorageError:
            return None

    def over(self) -> bool:
        if len(days_of(self.done() or set())) < DAYS:
            return False
        with self.store.read() as conn:
            return not [held for held in locks.held(conn) if held.name.startswith("backfill")]

    def until(self, what: Callable[[], Any], seconds: float = 300) -> Any:
        end = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < end, f"it did not come about in time: {self.done()}"
            time.sleep(0.2)
        return found

    def more(self) -> None:
        """Wait until another window is finished, and hold that nothing finished before was read again."""
        before = len(self.done() or set())
        self.until(lambda: len(self.done() or set()) > before or self.over())
        asked = {day for path in self.peer.requests() for day in listed(path)}
        assert asked & self.finished == set()
        self.finished = days_of(self.done() or set())

    def kill_crawler(self) -> None:
        pid = self.until(lambda: next((pid for each in self.working if (pid := crawler_of(each.pid))), None))
        os.kill(pid, signal.SIGKILL)

    def kill_worker(self) -> None:
        os.killpg(self.working[0].pid, signal.SIGKILL)
        self.working[0].wait()
        self.working[0] = self.team.worker()

    def kill_server(self, server: Server) -> None:
        server.kill()
        time.sleep(2)
        server.start()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_whatever_is_killed_the_rows_are_those_of_an_undisturbed_run(
    folder: Path, machines: tuple[OwnPostgres, OwnRabbit]
) -> None:
    database, broker = machines
    with replay.served(shared()) as peer:
        peer.set(AT[:-1])
        days = ("backfill", "parliament", "--from", FIRST, "--to", LAST)
        with team_of(folder / "clean", made(database, "clean"), broker.url, peer) as alone:
            alone.desk.environ["PQWATCH_RATE"] = "0"
            assert alone.desk("--now", AT, *days).returncode == 0
            with opened(alone.desk.environ["PQWATCH_DATABASE_URL"]) as store:
                expected = rows_of(store)
        url = made(database, "broken")
        with opened(url) as store, team_of(folder / "broken", url, broker.url, peer) as team:
            peer.requests()
            assert team.put(*days, "--days", str(-(-DAYS // PARTS))) == {"tasks": PARTS}
            run = Backfill(team, peer, store)
            for kill in (
                run.kill_crawler,
                run.kill_worker,
                lambda: run.kill_server(broker),
                lambda: run.kill_server(database),
            ):
                run.more()
                assert not run.over(), "the days were finished before everything was killed"
                kill()
            run.until(run.over)
            found = rows_of(store)
        # a reference without a day is kept only where the question that it means is held by then, so which of those are kept
        # depends on the order of the days, and that on what was killed
        for name in sorted(TABLES.keys() - {"mentions"}):
            only = [
                [row for row in one[name] if row not in other[name]]
                for one, other in ((found, expected), (expected, found))
            ]
            assert only == [[], []], name
            assert len(found[name]) == len(expected[name]), name
