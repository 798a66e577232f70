"""Several machines: tasks over RabbitMQ and Redis on PostgreSQL; a worker that is killed, and another that goes on."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from pqwatch.clock import Clock
from pqwatch.replica import serve
from pqwatch.settings import SettingsError, load
from pqwatch.tasks import Desk as Put
from pqwatch.tasks import Place, TaskError, make_app, parts_of, pause_after
from pqwatch.wiring import Wiring
from storage import locks, runs
from storage.ingest import ingest
from storage.schema import questions, versions, windows
from storage.store import Store, open_store
from tests.fakes import NOW, answered, make_content, observation
from tests.test_cli import Desk

BROKERS = {
    "rabbitmq": os.environ.get("PQWATCH_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//"),
    "redis": os.environ.get("PQWATCH_TEST_REDIS", "redis://127.0.0.1:6379/15"),
}
PORTS = {"rabbitmq": 5672, "redis": 6379}
AT = "2026-03-12T08:00Z"


def broker(kind: str) -> str:
    pytest.importorskip("celery", reason="needs the extra `celery`")
    if f"PQWATCH_TEST_{kind.upper()}" not in os.environ:
        try:
            socket.create_connection(("127.0.0.1", PORTS[kind]), 2).close()
        except OSError:
            pytest.skip(f"needs {kind}: PQWATCH_TEST_{kind.upper()} is not set and none runs here")
    return BROKERS[kind]


class Team:
    """A desk on PostgreSQL with a queue of its own, and workers."""

    def __init__(self, folder: Path, url: str, broker_url: str, **environ: str) -> None:
        self.desk = Desk(
            folder, None, PQWATCH_DATABASE_URL=url, PQWATCH_DATA_DIR=str(folder / "data"), PQWATCH_BROKER_URL=broker_url,
            **environ,
        )  # fmt: skip
        self.name, self.at = f"test-{secrets.token_hex(6)}", AT
        self.started: list[subprocess.Popen[bytes]] = []

    def put(self, *args: str) -> Any:
        done = self.desk("--now", self.at, "queue", *args, "--queue", self.name, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def worker(self, concurrency: int = 1) -> subprocess.Popen[bytes]:
        return self.start("worker", "--queue", self.name, "--concurrency", str(concurrency))

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        args = ["--now", self.at, *command]
        made = subprocess.Popen(
            [sys.executable, "-m", "pqwatch", *args], env=self.desk.environ, cwd=self.desk.folder, start_new_session=True,
        )  # fmt: skip
        self.started.append(made)
        return made

    def close(self) -> None:
        for each in self.started:
            if each.poll() is None:
                os.killpg(each.pid, signal.SIGKILL)
                each.wait()


@pytest.fixture
def team(request, tmp_path, postgres_url) -> Iterator[Team]:
    made = Team(tmp_path, postgres_url, broker(request.param))
    yield made
    made.close()
    forget_queue(made)


def forget_queue(team: Team) -> None:
    from kombu import Connection

    with Connection(team.desk.environ["PQWATCH_BROKER_URL"]) as conn:
        channel = conn.default_channel
        channel.queue_delete(team.name)
        if team.desk.environ["PQWATCH_BROKER_URL"].startswith("redis"):
            names = [f"_kombu.binding{kind}.{team.name}" for kind in ("", "_permanent")]
            channel.client.delete(*names)


@contextmanager
def opened(url: str) -> Iterator[Store]:
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


def until(what, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.3)


def held(store: Store) -> tuple[int, int, int]:
    with store.read() as conn:
        count = [
            conn.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (questions, versions)
        ]
        done = conn.execute(select(func.count()).where(windows.c.job == "backfill")).scalar_one()
    return (*count, done)  # type: ignore[return-value]


@pytest.mark.parametrize("team", ["rabbitmq", "redis"], indirect=True)
def test_workers_rematch_and_send(team: Team, store_of_postgres: Store) -> None:
    store, to = store_of_postgres, team.desk.folder / "out"
    to.mkdir()
    made = team.desk(
        "--now", "2025-03-01T00:00Z", "subscribe", "cocaine", "--to", f"file://{to}", "--name", "ada"
    )
    assert made.returncode == 0, made.stderr
    ingest(store, [observation(answered(make_content()), NOW)], now=NOW)
    team.worker(2)
    assert team.put("rematch") == {"tasks": 1}

    def reports() -> list[Any]:
        with store.read() as conn:
            return [run.report for run in runs.recent(conn, 9) if run.job == "rematch" and run.finished_at]

    until(reports)
    assert [(i["events"], i["rows"]) for i in reports()[0]["items"]] == [(1, 0)]
    app = make_app(wiring(team), team.desk.environ["PQWATCH_BROKER_URL"], queue=team.name)
    Put(app).rhythm("alerts", ["parliament", "feeds"], timedelta(minutes=5))
    until(lambda: list(to.glob("*.eml")))
    assert [row["state"] for row in team.desk.json("deliveries")["items"]] == ["sent"]
    assert team.started[0].poll() is None


@pytest.mark.slow
@pytest.mark.parametrize("team", ["rabbitmq"], indirect=True)
def test_a_killed_worker_s_backfill_is_finished_by_another(team: Team, store_of_postgres: Store) -> None:
    store = store_of_postgres
    with serve(at=AT) as replica:
        team.desk.environ |= replica.settings() | {"PQWATCH_RATE": "8"}
        args = ("backfill", "parliament", "--from", "2026-02-26", "--to", "2026-03-11", "--days", "14")
        assert team.put(*args) == {"tasks": 1}
        first = team.worker()
        until(lambda: held(store)[2] >= 2)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        before = held(store)
        with store.read() as conn:
            done = list(conn.scalars(select(windows.c.window).where(windows.c.job == "backfill")))
            stamps = {
                row.window: row.done_at for row in conn.execute(select(windows.c.window, windows.c.done_at))
            }
        assert 2 <= before[2] < 14
        second = team.worker()

        def finished() -> bool:
            with store.read() as conn:
                return runs.last_success(conn, "backfill", "parliament") is not None

        until(finished)
        with store.read() as conn:
            again = {
                row.window: row.done_at for row in conn.execute(select(windows.c.window, windows.c.done_at))
            }
            assert locks.held(conn) == []
        assert {name: again[name] for name in done} == {name: stamps[name] for name in done}  # not read again
        os.killpg(second.pid, signal.SIGTERM)
        assert second.wait(60) == 0
        alone = Desk(team.desk.folder / "alone", replica, PQWATCH_RATE="0")
        alone.folder.mkdir()
        assert alone("--now", AT, *args[:-2]).returncode == 0
        with opened(alone.url) as other:
            assert held(other)[:2] == held(store)[:2]


@pytest.fixture
def store_of_postgres(postgres_url: str) -> Iterator[Store]:
    with opened(postgres_url) as store:
        yield store


@pytest.mark.slow
@pytest.mark.parametrize("team", ["rabbitmq"], indirect=True)
def test_watch_leaves_the_work_to_a_worker(team: Team, store_of_postgres: Store) -> None:
    store, to = store_of_postgres, team.desk.folder / "out"
    to.mkdir()
    with serve(at="2026-03-03T08:00Z") as replica:
        team.at = "2026-03-03T08:00Z"
        team.desk.environ |= replica.settings() | {"PQWATCH_RATE": "0"}
        made = team.desk("--now", "2026-03-01T00:00Z", "subscribe", "the", "--to", f"file://{to}")
        assert made.returncode == 0, made.stderr
        assert (
            team.desk("--now", "2026-03-02T08:00Z", "crawl").returncode == 0
        )  # the first, which sends nothing
        watch = team.start("watch", "--queue", team.name)
        time.sleep(5)
        with store.read() as conn:
            assert {run.job for run in runs.recent(conn, 99)} <= {"crawl", "health"}
            before = runs.last_success(conn, "crawl", "parliament")
        team.worker(2)

        def crawled() -> bool:
            with store.read() as conn:
                return runs.last_success(conn, "crawl", "parliament") != before

        until(crawled)
        until(lambda: list(to.glob("*.eml")))
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(60) == 0


def wiring(team: Any) -> Wiring:
    return Wiring(load(team.desk.environ, team.desk.folder), Clock())


def test_parts_cover_every_day_once_newest_first() -> None:
    parts = list(parts_of(date(2024, 11, 1), date(2024, 11, 17), 7))
    assert parts == [
        (date(2024, 11, 11), date(2024, 11, 17)),
        (date(2024, 11, 4), date(2024, 11, 10)),
        (date(2024, 11, 1), date(2024, 11, 3)),
    ]
    assert list(parts_of(date(2024, 11, 1), date(2024, 11, 1), 7)) == [(date(2024, 11, 1), date(2024, 11, 1))]


def test_pauses_between_failures_grow_up_to_a_quarter_of_an_hour() -> None:
    pauses = [pause_after(n) for n in range(12)]
    assert pauses[:4] == [15, 30, 60, 120]
    assert (max(pauses), 90 * 60 < sum(pauses) < 120 * 60) == (900, True)


@pytest.mark.parametrize("args", [[], ["forget", "ada@example.org"], ["--database", "x", "crawl"], ["serve"]])
def test_a_task_starts_nothing_but_what_workers_do(tmp_path: Path, args: list[str]) -> None:
    place = Place(Wiring(load({"PQWATCH_DATA_DIR": str(tmp_path)}, tmp_path), Clock()))
    with pytest.raises(TaskError, match="is no task"):
        place.command(args)


def test_sqlite_is_for_one_machine(tmp_path: Path) -> None:
    pytest.importorskip("celery")
    desk = SimpleNamespace(environ={"PQWATCH_DATA_DIR": str(tmp_path)}, folder=tmp_path)
    with pytest.raises(SettingsError, match="need PostgreSQL"):
        make_app(wiring(SimpleNamespace(desk=desk)), "redis://127.0.0.1:1/0")


def test_what_was_typed_wrongly_is_one_line(tmp_path: Path, postgres_url: str) -> None:
    pytest.importorskip("celery")
    desk = Desk(tmp_path, PQWATCH_DATABASE_URL=postgres_url)
    for args, said in (
        (["worker"], "which broker?"),
        (["worker", "--broker", "ftp://x"], "expected an address such as amqp://"),
        (["queue", "backfill", "parliament", "--from", "2026-03-02", "--to", "2026-03-01"], "is after"),
    ):
        done = desk(*args)
        assert (done.returncode, said in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr
    done = desk("queue", "reparse", "--broker", "redis://127.0.0.1:1/0")
    assert (done.returncode, "the broker cannot be reached" in done.stderr) == (1, True), done.stderr
