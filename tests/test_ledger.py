"""The rows of the ledger and of messages: unique, claimed by one, in order, and given back when their holder dies."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.run import run
from alerts.subscriptions import Request, subscribe
from storage import ledger, messages
from storage.ingest import ingest
from storage.ledger import NewRow
from storage.messages import Claim
from storage.owner import is_dead, this_process
from storage.store import Store, open_store
from tests.fakes import NOW, answered, make_content, make_setup, observation

SETUP = make_setup()
MINUTE = timedelta(minutes=1)


def put(store: Store, *places: tuple[str, str, int]) -> None:
    with store.write() as conn:
        messages.add_all(conn, places, now=NOW)


def claim(store: Store, owner: str = "me", **changes: Any) -> list[str]:
    values = {"now": NOW, "limit": 10, **changes}
    clock = values.pop("clock", NOW)
    with store.write() as conn:
        return [m.id for m in messages.claim(conn, Claim(owner, clock, clock + 5 * MINUTE), **values)]


def test_a_row_is_written_once(store: Store) -> None:
    subscription = subscribe(store, Request(query="cocaine", to="stdout:"), setup=SETUP, now=NOW)
    ingest(store, [observation(answered(), NOW)], now=NOW)
    row = NewRow(
        subscription_id=subscription.id, question_id=1, event="v1", number=1, kind="answered", state="pending",
        created_at=NOW, due_at=NOW,
    )  # fmt: skip
    with store.write() as conn:
        question = conn.exec_driver_sql("SELECT id FROM questions").scalar_one()
        row = NewRow(**{name: getattr(row, name) for name in NewRow.__slots__} | {"question_id": question})
        assert ledger.write(conn, [row]) == 1
        assert ledger.write(conn, [row]) == 0
        assert ledger.write(conn, []) == 0


def test_a_claimed_message_is_nobody_elses_until_the_claim_ends(store: Store) -> None:
    put(store, ("a", "stdout:", 0))
    assert claim(store) == ["a"]
    assert claim(store, "you") == []
    assert claim(store, "you", clock=NOW + 6 * MINUTE) == ["a"]
    with store.write() as conn:
        assert not messages.renew(conn, "a", Claim("me", NOW, NOW + MINUTE))


def test_one_receiver_is_served_in_order_by_one_worker(store: Store) -> None:
    put(store, ("c", "https://x/", 3), ("a", "https://x/", 1), ("b", "https://x/", 2), ("d", "https://y/", 9))
    assert claim(store, limit=1) == ["a", "b", "c"]
    assert claim(store, "you") == ["d"]


def test_a_message_that_must_wait_holds_up_those_behind_it(store: Store) -> None:
    put(store, ("a", "https://x/", 1), ("b", "https://x/", 2), ("c", "https://x/", 3))
    with store.write() as conn:
        messages.again(conn, "b", "later", at=NOW + MINUTE)
    assert claim(store) == ["a"]
    with store.write() as conn:
        messages.sent(conn, "a", now=NOW)
    assert claim(store) == []
    assert claim(store, now=NOW + MINUTE) == ["b", "c"]


def test_some_addresses_can_be_left_alone(store: Store) -> None:
    put(store, ("a", "mailto:a@example.org", 0), ("b", "stdout:", 0))
    assert claim(store, without=("mailto",)) == ["b"]


def test_what_a_dead_process_held_is_free_at_once(store: Store) -> None:
    put(store, ("a", "stdout:", 0), ("b", "stdout:", 0))
    process = multiprocessing.get_context("fork").Process(target=lambda: None)
    process.start()
    pid = process.pid
    process.join()
    mine = this_process()
    host, _, rest = mine.partition(":")
    dead = f"{host}:{pid}:{rest.partition(':')[2]}"
    assert is_dead(dead)
    assert not is_dead(mine)
    assert not is_dead(mine.replace(host, "elsewhere", 1))
    known_as, _, token = mine.rpartition(":")
    assert is_dead(f"{known_as.rpartition('/')[0]}/1:{token}")  # the pid was given to another process
    assert not is_dead(f"{host}:1:12345:{token}")  # of a form that tells too little
    assert claim(store, dead, limit=1) == ["a"]
    assert claim(store, mine) == ["b"]
    with store.write() as conn:
        assert messages.let_go_of_the_dead(conn) == 1
    assert claim(store, "you") == ["a"]


def test_a_dropped_message_begins_anew_and_a_sent_one_does_not(store: Store) -> None:
    put(store, ("a", "stdout:", 0), ("b", "stdout:", 0))
    with store.write() as conn:
        messages.store_payloads(conn, {"a": b"old", "b": b"old"})
        messages.drop(conn, ["a"], "ended")
        messages.sent(conn, "b", now=NOW)
    put(store, ("a", "stdout:", 0), ("b", "stdout:", 0))
    assert claim(store) == ["a"]


@pytest.mark.parametrize("workers", [4])
def test_runs_side_by_side_send_nothing_twice(database_url: str, tmp_path: Path, workers: int) -> None:
    store = open_store(database_url)
    for number in range(20):
        to = (tmp_path / str(number % 7)).as_uri()
        subscribe(store, Request(query="cocaine", to=to), setup=SETUP, now=NOW - MINUTE)
    contents = [answered(make_content(uin=str(40_000 + n))) for n in range(30)]
    ingest(store, [observation(content, NOW) for content in contents], now=NOW)

    def work(_: int) -> int:
        own = open_store(database_url)
        try:
            return run(own, now=NOW, settings=SETUP).sent
        finally:
            own.close()

    with ThreadPoolExecutor(workers) as pool:
        sent = sum(pool.map(work, range(workers)))
    with store.read() as conn:
        rows = ledger.listed(conn)
    assert {row.state for row in rows} == {"sent"}
    assert len(rows) == 20 * 30
    assert {row.attempts for row in rows} == {1}
    assert sent == len({row.message_id for row in rows}) == len(list(tmp_path.glob("*/*.eml")))
    store.close()


def test_a_long_digest_names_everything(store: Store, tmp_path: Path) -> None:
    subscribe(store, Request(query="cocaine", to=tmp_path.as_uri()), setup=SETUP, now=NOW - MINUTE)
    contents = [answered(make_content(uin=str(40_000 + n))) for n in range(130)]
    ingest(store, [observation(content, NOW) for content in contents], now=NOW)
    run(store, now=NOW, settings=SETUP)
    (path,) = tmp_path.glob("*.eml")
    text = path.read_text().replace("=\n", "")
    assert text.count("ANSWERED: ") == 100
    assert "And 30 more:" in text
    for number in range(130):
        assert f"commons/2025-02-24/{40_000 + number}" in text
