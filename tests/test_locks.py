"""Locks: one holder, taken over from the dead only, on both databases and from several processes."""

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
from sqlalchemy import insert, select, update

from storage import processes
from storage.locks import LockedError, hold
from storage.schema import locks as table
from storage.store import StorageError, Store

NAME = "crawl:parliament"
HOLDER = """
import sys, time
from storage.locks import hold
from storage.store import open_store
with hold(open_store(sys.argv[1]), sys.argv[2], beat=0.2):
    print("held", flush=True)
    time.sleep(60)
"""


def rows(store: Store) -> list[str]:
    with store.read() as conn:
        return list(conn.execute(select(table.c.name)).scalars())


def plant(store: Store, **fields: object) -> None:
    """A lock of some other holder, alive a moment ago on another host."""
    row = {
        "name": NAME,
        "owner": "x",
        "host": "elsewhere",
        "pid": 1,
        "process_started": "m/b/n/1",
        "heartbeat": datetime.now(UTC),
    }
    with store.write() as conn:
        conn.execute(insert(table).values(**{**row, **fields}))


def holder(url: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url, NAME],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    return process


def test_a_lock_is_held_and_released(store: Store) -> None:
    with hold(store, NAME) as lock:
        assert rows(store) == [NAME]
        with (
            pytest.raises(
                LockedError, match=rf"crawl:parliament is already running: process {os.getpid()} on"
            ) as caught,
            hold(store, NAME),
        ):
            pass
        assert caught.value.pid == os.getpid()
        with hold(store, "crawl:feeds"):
            assert len(rows(store)) == 2
        assert not lock.lost
    assert rows(store) == []


def test_an_error_inside_releases_it(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), hold(store, NAME):
        raise ZeroDivisionError
    assert rows(store) == []


def test_a_living_process_keeps_its_lock_and_a_killed_one_loses_it_at_once(
    store: Store, database_url: str
) -> None:
    process = holder(database_url)
    try:
        with pytest.raises(LockedError) as caught, hold(store, NAME):
            pass
        assert caught.value.pid == process.pid
        process.send_signal(signal.SIGSTOP)  # silent, but alive on this host
        with store.write() as conn:
            conn.execute(update(table).values(heartbeat=datetime.now(UTC) - timedelta(hours=1)))
        with pytest.raises(LockedError), hold(store, NAME):
            pass
        process.kill()  # not buried yet: it stays in the list of processes as a zombie
        _wait_until(lambda: _state(process.pid) == "Z")
        with hold(store, NAME):
            assert rows(store) == [NAME]
    finally:
        process.kill()
        process.wait()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _wait_until(true: object) -> None:
    deadline = time.monotonic() + 90
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_used_again_pid_is_not_taken_for_the_holder(store: Store) -> None:
    mine = processes.identity(os.getpid())
    plant(store, host=processes.host(), pid=os.getpid(), process_started=mine.rpartition("/")[0] + "/1")
    with hold(store, NAME):
        pass


def test_after_a_restart_of_the_machine_nobody_holds_anything(store: Store) -> None:
    machine, _, _, started = processes.identity(os.getpid()).split("/")
    plant(store, host=processes.host(), pid=os.getpid(), process_started=f"{machine}/earlier/other/{started}")
    with hold(store, NAME):
        pass


@pytest.mark.parametrize(
    "same_host", [False, True], ids=["another host", "another process space of this host"]
)
def test_where_nobody_can_look_silence_decides(store: Store, same_host: bool) -> None:
    where: dict[str, object] = {}
    if same_host:
        machine, boot, _, started = processes.identity(os.getpid()).split("/")
        where = {
            "host": processes.host(),
            "pid": 999_999,
            "process_started": f"{machine}/{boot}/other/{started}",
        }
    plant(store, **where, heartbeat=datetime.now(UTC) - timedelta(seconds=50))
    with pytest.raises(LockedError, match=r"last sign of life 5\d s ago"), hold(store, NAME):
        pass
    with store.write() as conn:
        conn.execute(update(table).values(heartbeat=datetime.now(UTC) - timedelta(seconds=61)))
    with hold(store, NAME):
        pass


def test_signs_of_life_go_on(store: Store) -> None:
    with hold(store, NAME, beat=0.05):
        with store.write() as conn:
            conn.execute(update(table).values(heartbeat=datetime(2020, 1, 1, tzinfo=UTC)))

        def beaten() -> bool:
            with store.read() as conn:
                return conn.execute(select(table.c.heartbeat)).scalar_one() > datetime(2021, 1, 1, tzinfo=UTC)

        _wait_until(beaten)


def test_a_lock_taken_over_is_noticed_and_not_released_for_the_other(store: Store) -> None:
    with hold(store, NAME, beat=0.05) as lock:
        with store.write() as conn:
            conn.execute(update(table).values(owner="another"))
        _wait_until(lambda: lock.lost)
        with pytest.raises(StorageError, match="taken over"):
            lock.check()
    assert rows(store) == [NAME]


@pytest.mark.parametrize("left_by_the_dead", [False, True])
def test_of_many_takers_at_once_one_wins(store: Store, left_by_the_dead: bool) -> None:
    if left_by_the_dead:
        plant(store, heartbeat=datetime(2020, 1, 1, tzinfo=UTC))
    start, done = threading.Barrier(6), threading.Event()
    won: list[str] = []

    def take() -> None:
        start.wait()
        try:
            with hold(store, NAME):
                won.append("won")
                done.wait(20)
        except LockedError:
            won.append("locked")

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    _wait_until(lambda: len(won) == 6)
    done.set()
    for thread in threads:
        thread.join()
    assert sorted(won) == ["locked"] * 5 + ["won"]
