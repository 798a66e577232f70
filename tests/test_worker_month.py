"""Both stored months of the official API backfilled: by one process on SQLite, and by two workers over RabbitMQ on PostgreSQL. Both are
killed five times meanwhile.

python -m tests.test_worker_month WORKERS [SECONDS]   how long five days take with so many workers and with one; each answer SECONDS late
"""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from storage import locks
from storage.ingest import ingest
from storage.schema import questions, windows
from storage.store import Store
from tests import postgres, replay
from tests.fakes import answered, make_content, observation
from tests.helpers import shared
from tests.shell import Started, forks
from tests.test_cli import Desk
from tests.test_worker import Team, broker, forget_queue, opened, until

MONTHS = (("2024-11-01", "2024-11-30"), ("2025-09-01", "2025-09-30"))
DAYS = 60
AT = "2025-10-20T09:00Z"  # nothing is an event of the fortnight before: a backfill alone makes the rows
KILLS = 5
PART = "10"  # days of a task


class Backfill:
    """What reads the days, the replay that it reads, and the store it writes to. Keeps account of what was finished before each kill."""

    def __init__(self, desk: Desk, peer: replay.Peer, store: Store) -> None:
        self.desk, self.peer, self.store = desk, peer, store
        self.finished: set[str] = set()
        peer.requests()

    def days(self) -> set[str]:
        return days_of(windows_done(self.store))

    def over(self) -> bool:
        with self.store.read() as conn:
            working = [held for held in locks.held(conn) if held.name.startswith("backfill")]
        return not working and len(self.days()) == DAYS

    def held(self) -> int:
        with self.store.read() as conn:
            return conn.execute(select(func.count()).select_from(questions)).scalar_one()

    def more(self, days: int) -> None:
        """Wait until so many more days are finished."""
        before = len(self.days())
        until(lambda: len(self.days()) >= before + days or self.over(), 400)

    def note_kill(self) -> None:
        """Hold that nothing was read again that had been finished before the last kill."""
        asked = {day for path in self.peer.requests() for day in listed(path)}
        assert asked & self.finished == set()
        self.finished = self.days()


def subscribe(desk: Desk, folder: Path) -> None:
    """One who would be told of every answer, and one who of none."""
    for name, query in (("every", "the"), ("none", "xylophone")):
        to = folder / name
        to.mkdir()
        made = desk(
            "--now",
            "2024-11-01T00:00Z",
            "subscribe",
            query,
            "--to",
            f"file://{to}",
            "--every",
            "daily",
            "--name",
            name,
        )
        assert made.returncode == 0, made.stderr


def check(at: Backfill) -> None:
    """Each day's count is the source's total, nobody was told, and one new answer reaches those who asked for it."""
    for first, last in MONTHS:
        told = at.desk.json("--now", AT, "coverage", "parliament", "--from", first, "--to", last)
        assert [day for day in told["days"] if day["held"] != day["expected"] or day["missing"]] == []
        assert sum(day["held"] for day in told["days"]) > 3_000
    assert at.desk("--now", AT, "alerts", "run").returncode == 0
    assert at.desk.json("deliveries")["total"] == 0
    moment = datetime(2025, 10, 20, 10, tzinfo=UTC)
    late = answered(make_content(uin="99999", tabled_on=date(2025, 10, 13)), answered_on=date(2025, 10, 20))
    ingest(at.store, [observation(late, moment)], now=moment)
    assert at.desk("--now", "2025-10-22T09:00Z", "alerts", "run").returncode == 0
    rows = at.desk.json("deliveries")["items"]
    assert [(row["key"], row["subscription"]["name"]) for row in rows] == [
        ("commons/2025-10-13/99999", "every")
    ]


def windows_done(store: Store) -> set[str]:
    """The windows of backfills that are written down as finished."""
    with store.read() as conn:
        return set(conn.scalars(select(windows.c.window).where(windows.c.job == "backfill")))


def days_of(names: set[str]) -> set[str]:
    return {day for name in names for day in re.findall(r"\d{4}-\d{2}-\d{2}", name)}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_one_process_reads_both_months_though_it_is_killed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pqwatch.sqlite3'}"
    with replay.served(shared()) as peer, opened(url) as store:
        peer.set(AT[:-1])
        source = {"PQWATCH_PARLIAMENT_URL": peer.url, "PQWATCH_RATE": "0", "PQWATCH_SOURCES": "parliament"}
        desk = Desk(tmp_path, None, PQWATCH_DATA_DIR=str(tmp_path), PQWATCH_DATABASE_URL=url, **source)
        subscribe(desk, tmp_path)
        at = Backfill(desk, peer, store)
        for kill in range(KILLS):
            first, last = MONTHS[kill % 2]
            running = begin(desk, "backfill", "parliament", "--from", first, "--to", last)
            at.more(4)
            running.kill()
            running.wait()
            at.note_kill()
        for first, last in MONTHS:
            assert begin(desk, "backfill", "parliament", "--from", first, "--to", last).wait(300) == 0
        at.note_kill()
        check(at)


def begin(desk: Desk, *args: str) -> Started:
    return forks().start(["--now", AT, *args], desk.environ, desk.folder)


@contextmanager
def team_of(folder: Path, url: str, peer: replay.Peer) -> Iterator[Team]:
    peer.set(AT[:-1])
    source = {"PQWATCH_PARLIAMENT_URL": peer.url, "PQWATCH_RATE": "0", "PQWATCH_SOURCES": "parliament"}
    team = Team(folder, url, broker("rabbitmq"), **source)
    team.at = AT
    try:
        yield team
    finally:
        team.close()
        forget_queue(team)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_workers_read_both_months_though_they_are_killed(tmp_path: Path, postgres_url: str) -> None:
    with (
        replay.served(shared()) as peer,
        opened(postgres_url) as store,
        team_of(tmp_path, postgres_url, peer) as team,
    ):
        subscribe(team.desk, tmp_path)
        at = Backfill(team.desk, peer, store)
        put_months(team)
        working = [team.worker(), team.worker()]
        for kill in range(KILLS):
            at.more(4)
            os.killpg(working[kill % 2].pid, signal.SIGKILL)
            working[kill % 2].wait()
            working[kill % 2] = team.worker()
            at.note_kill()
        until(at.over, 400)
        at.note_kill()
        check(at)


def put_months(team: Team) -> None:
    for first, last in MONTHS:
        assert team.put("backfill", "parliament", "--from", first, "--to", last, "--days", PART) == {
            "tasks": 3
        }


def listed(path: str) -> list[str]:
    """The day whose list a request asks for."""
    return re.findall(r"tabledWhenFrom=(\d{4}-\d{2}-\d{2})", path)


def main() -> None:
    """Five days of November, one a task: first as many workers as named, then one, so that both meet the same machine."""
    workers, latency = int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    with postgres.server() as server, replay.served(shared()) as peer:
        if latency:
            peer.fault("slow", times=10**9, seconds=latency)
        for count in (workers, 1):
            with (
                tempfile.TemporaryDirectory() as folder,
                postgres.database(server, f"pqwatch_month_{os.getpid()}") as url,
            ):
                print(timed(Path(folder), url, peer, count), flush=True)


def timed(folder: Path, url: str, peer: replay.Peer, workers: int) -> str:
    with opened(url) as store, team_of(folder, url, peer) as team:
        at = Backfill(team.desk, peer, store)
        for _ in range(workers):
            team.worker()
        time.sleep(8)  # they are up
        begun = time.monotonic()
        days = ("--from", "2024-11-04", "--to", "2024-11-08")
        assert team.put("backfill", "parliament", *days, "--days", "1") == {"tasks": 5}
        until(lambda: len(at.days()) == 5, 600)
        seconds = time.monotonic() - begun
        return f"{workers} workers: {at.held():,} questions in {seconds:.1f} s, {at.held() / seconds:.0f} questions/s"


if __name__ == "__main__":
    main()
