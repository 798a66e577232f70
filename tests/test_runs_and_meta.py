"""Runs of jobs, and small facts about the database."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from storage import meta, runs
from storage.store import Store, open_store

T0 = datetime(2025, 3, 3, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def run(
    store: Store,
    *,
    ok: bool | None,
    whole: bool = True,
    done: bool | None = None,
    at: datetime = T0,
    source: str | None = "feeds",
) -> None:
    with store.write() as conn:
        id_ = runs.start(conn, "crawl", source, now=at, whole=whole)
        if ok is not None:
            runs.finish(conn, id_, now=at + HOUR, ok=ok, report={"seen": 3}, whole=done)


def first_crawl_done(store: Store) -> bool:
    with store.read() as conn:
        return runs.first_crawl_done(conn, "feeds")


def test_a_first_crawl_lasts_until_a_whole_pass_did_its_work(store: Store) -> None:
    assert not first_crawl_done(store)
    run(store, ok=None)  # cut off
    run(store, ok=False)
    run(store, ok=True, whole=False)  # --since
    run(store, ok=True, done=False)  # set out to read all, and did not
    run(store, ok=True, source="parliament")
    assert not first_crawl_done(store)
    run(store, ok=True)
    assert first_crawl_done(store)


def test_last_success_and_last_attempt(store: Store) -> None:
    run(store, ok=True)
    run(store, ok=True, source=None, at=T0 + 9 * HOUR)
    run(store, ok=False, at=T0 + 2 * HOUR)
    run(store, ok=None, at=T0 + 4 * HOUR)
    with store.read() as conn:
        assert runs.last_success(conn, "crawl", "feeds") == T0 + HOUR
        assert runs.last_attempt(conn, "crawl", "feeds") == T0 + 4 * HOUR
        assert runs.last_success(conn, "crawl", None) == T0 + 10 * HOUR
        assert runs.last_success(conn, "recheck", "feeds") is None
        assert runs.last_attempt(conn, "recheck", "feeds") is None


def test_facts_are_kept_by_name(store: Store) -> None:
    with store.write() as conn:
        assert meta.get(conn, "x") is None
        meta.put(conn, "x", "1")
        meta.put(conn, "x", "2")
        meta.put(conn, "y", "")
    with store.read() as conn:
        assert (meta.get(conn, "x"), meta.get(conn, "y")) == ("2", "")


def test_one_secret_however_many_ask_first(store: Store, database_url: str) -> None:
    start, found = threading.Barrier(6), []

    def ask() -> None:
        own = open_store(database_url)
        start.wait()
        found.append(meta.secret(own))
        own.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    assert len(found[0]) >= 32
    assert meta.secret(store) == found[0]
