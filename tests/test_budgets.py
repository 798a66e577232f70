"""Slots of requests to a host, shared by threads and processes; crawls before backfills."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from storage.budgets import Slot, take
from storage.schema import budgets
from storage.store import Store

HOST = "questions-statements-api.parliament.uk"
RATE, GAP = 0.01, 100  # seconds between slots, so that a slow machine changes nothing
NEAR = 20


def lay_next(store: Store, ahead: timedelta) -> None:
    """Have the next slot begin so far from now."""
    with store.write() as conn:
        conn.execute(insert(budgets).values(host=HOST, next_at=datetime.now(UTC) + ahead))


def test_no_limit_touches_nothing(store: Store) -> None:
    assert take(store, HOST, 0) == Slot(0.0)
    with store.read() as conn:
        assert conn.execute(select(budgets)).first() is None


def test_slots_lie_apart(store: Store) -> None:
    waits = [take(store, HOST, RATE).wait for _ in range(4)]
    assert waits[0] == 0.0
    assert waits == pytest.approx([0, GAP, 2 * GAP, 3 * GAP], abs=NEAR)
    assert take(store, "www.theyworkforyou.com", RATE).wait == 0.0, "each host has its own"


def test_a_free_slot_is_not_saved_up(store: Store) -> None:
    lay_next(store, timedelta(seconds=-5 * GAP))
    assert take(store, HOST, RATE).wait == 0.0
    assert take(store, HOST, RATE).wait > 0.0, "five free slots have passed, but only one was given"


def test_a_backfill_takes_only_what_is_free(store: Store) -> None:
    assert take(store, HOST, RATE, low_priority=True) == Slot(0.0)
    for _ in range(2):
        refused = take(store, HOST, RATE, low_priority=True)
        assert (refused.taken, refused.wait) == (False, pytest.approx(GAP, abs=NEAR))
    assert take(store, HOST, RATE).wait == pytest.approx(GAP, abs=NEAR), (
        "so the crawl gets the very next slot"
    )
    assert take(store, HOST, RATE, low_priority=True).wait == pytest.approx(2 * GAP, abs=NEAR)


def test_a_backfill_gets_what_is_free_in_a_moment(store: Store) -> None:
    """Else the time that asking takes would be lost for each request."""
    lay_next(store, timedelta(milliseconds=15))
    assert take(store, HOST, RATE, low_priority=True).taken
    assert take(store, HOST, RATE).wait > GAP - NEAR, "and it is one slot"


def test_a_clock_that_was_wrong_does_not_stop_the_crawl(store: Store) -> None:
    lay_next(store, timedelta(days=3))
    assert take(store, HOST, RATE).wait == 0.0
    assert 0.0 < take(store, HOST, RATE).wait <= GAP


def test_takers_at_once_get_slots_of_their_own(store: Store) -> None:
    start, waits = threading.Barrier(5), []
    began = time.monotonic()

    def work() -> None:
        start.wait()
        for _ in range(4):
            slot = take(store, HOST, RATE)
            waits.append(time.monotonic() - began + slot.wait)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(waits) == 20
    assert sorted(waits) == pytest.approx([GAP * number for number in range(20)], abs=NEAR)
