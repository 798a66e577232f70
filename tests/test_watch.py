"""The scheduler: when jobs are due, children that end with their parent, a clean end, and what is said once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pqwatch import child, settings
from pqwatch.clock import Clock
from pqwatch.replica import serve
from pqwatch.watch import JOBS, Job, Watch, due_at, last_begun
from pqwatch.wiring import Wiring
from storage import meta, problems, runs, search_index
from storage.ingest import ingest
from storage.records import Problem
from storage.store import open_store
from tests.fakes import make_content, observation

NOW = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'w.sqlite3'}")
    yield store
    store.close()


def wiring_of(tmp_path, **environ):
    return Wiring(settings.load({"PQWATCH_DATABASE_URL": f"sqlite:///{tmp_path / 'w.sqlite3'}",
                                 "PQWATCH_DATA_DIR": str(tmp_path), "PQWATCH_SOURCES": "parliament", **environ}, tmp_path), Clock(NOW))  # fmt: skip


def begin(store, job, source, at):
    with store.write() as conn:
        runs.start(conn, job, source, now=at, whole=True)


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, NOW),  # never ran
        (NOW - timedelta(days=3), NOW),  # missed many times: made up once
        (NOW - HOUR, NOW),
        (NOW - HOUR / 2, NOW + HOUR / 2),
    ],
)
def test_when_a_job_is_due(last, due):
    assert due_at(last, HOUR, NOW) == due


def test_the_source_that_waits_longest_decides(store):
    crawl = Job("crawl", HOUR, ("crawl",), sources=True)
    assert last_begun(store, crawl, ["parliament", "feeds"]) is None
    begin(store, "crawl", "parliament", NOW)
    assert last_begun(store, crawl, ["parliament", "feeds"]) is None  # feeds never began
    begin(store, "crawl", "feeds", NOW - HOUR)
    assert last_begun(store, crawl, ["parliament", "feeds"]) == NOW - HOUR
    begin(store, "health", None, NOW)
    assert last_begun(store, Job("health", HOUR), ["parliament"]) == NOW


def test_every_job_of_the_interface_is_there():
    assert {job.name for job in JOBS} == {"crawl", "recheck", "alerts", "audit", "health"}


def wait_until(true, seconds=120.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False


def test_what_was_missed_runs_once_and_then_waits(store, tmp_path, monkeypatch):
    ran = []
    watch = Watch(wiring_of(tmp_path), store, Clock(NOW), jobs=[Job("health", HOUR), Job("alerts", HOUR)])
    monkeypatch.setattr(Watch, "_do", lambda self, job: ran.append(job.name))
    begin(store, "health", None, NOW - timedelta(days=9))
    begin(store, "alerts", None, NOW - HOUR / 2)
    thread = threading.Thread(target=watch.run)
    thread.start()
    assert wait_until(lambda: ran == ["health"])
    time.sleep(0.3)
    assert ran == ["health"]
    watch.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_job_that_fails_does_not_end_the_others(store, tmp_path, monkeypatch, caplog):
    ran = []

    def do(_self, job):
        ran.append(job.name)
        if job.name == "health":
            raise ValueError("broken")

    monkeypatch.setattr(Watch, "_do", do)
    quick = timedelta(seconds=0.2)
    watch = Watch(wiring_of(tmp_path), store, Clock(NOW), jobs=[Job("health", quick), Job("alerts", quick)])
    thread = threading.Thread(target=watch.run)
    thread.start()
    assert wait_until(lambda: ran.count("alerts") > 2 and ran.count("health") > 2)
    watch.stop()
    thread.join(10)
    assert "health: unexpected error" in caplog.text


def test_it_makes_the_index_whole_at_the_start(store, tmp_path):
    ingest(store, [observation(make_content(), NOW)], now=NOW)
    with store.write() as conn:
        meta.put(conn, "search_stamp", "rules of another program")
    watch = Watch(wiring_of(tmp_path), store, Clock(NOW), jobs=[])
    thread = threading.Thread(target=watch.run)
    thread.start()

    def whole():
        with store.read() as conn:
            return search_index.is_whole(conn)

    assert wait_until(whole)
    watch.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_health_says_a_fault_once(store, tmp_path, caplog):
    watch = Watch(wiring_of(tmp_path), store, Clock(NOW))
    with store.write() as conn:
        problems.report(
            conn, [Problem(source="parliament", kind="blocked", url="http://x/", message="no")], now=NOW
        )
    watch.health()
    assert caplog.text.count("parliament: blocked: no (http://x/)") == 1
    watch.health()
    assert caplog.text.count("parliament: blocked: no (http://x/)") == 1
    with store.read() as conn:
        assert runs.last_attempt(conn, "health", None) == NOW


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_a_child_ends_when_it_is_stopped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    running = child.start(["replica"], f"sqlite:///{tmp_path / 'w.sqlite3'}")
    time.sleep(1)
    assert alive(running.pid)
    assert child.stop(running) == 130


def test_a_child_ends_with_its_parent_however_that_ends(tmp_path):
    code = "import signal, time; from pqwatch import child; signal.signal(signal.SIGINT, signal.SIG_IGN); print(child.start(['-q', 'replica'], 'sqlite:///x').pid, flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    pid = int(parent.stdout.readline())
    time.sleep(1)
    assert alive(pid)
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not alive(pid))


def test_watch_crawls_alerts_and_ends_cleanly_on_sigterm(tmp_path):
    with serve(at="2026-03-05T08:00Z") as replica:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PQWATCH_")}
        own = {
            "PQWATCH_SOURCES": "parliament",
            "PQWATCH_DATA_DIR": str(tmp_path / "data"),
            "XDG_CONFIG_HOME": str(tmp_path),
        }
        running = subprocess.Popen(
            [sys.executable, "-m", "pqwatch", "--now", "2026-03-05T08:00Z", "watch"], env=clean | replica.settings() | own,
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        database = tmp_path / "data" / "pqwatch.sqlite3"
        try:
            assert wait_until(lambda: database.exists() and crawled(database))
        finally:
            running.send_signal(signal.SIGTERM)
            _, said = running.communicate(timeout=120)
    assert running.returncode == 0, said
    assert "Traceback" not in said


def crawled(database):
    store = open_store(f"sqlite:///{database}")
    try:
        with store.read() as conn:
            return runs.first_crawl_done(conn, "parliament")
    finally:
        store.close()
