"""What is held of each day, what the source says there is, and what is missing; on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert

from storage.coverage import DayCoverage, coverage, to_json
from storage.schema import aliases, listings, questions, sightings, windows
from storage.store import Store
from tests.test_mentions import question_row

T0 = datetime(2025, 3, 5, 6, tzinfo=UTC)
D3, D4, D5 = date(2025, 3, 3), date(2025, 3, 4), date(2025, 3, 5)


def hold(store: Store, id_: int, key: str, source: str = "parliament", **fields: object) -> None:
    with store.write() as conn:
        conn.execute(insert(questions).values(**question_row(id_, key, **fields)))
        seen = {"source_id": str(id_), "url": "u", "first_seen": T0, "last_seen": T0}
        conn.execute(insert(sightings).values(source=source, question_id=id_, **seen))


def total(store: Store, name: str, expected: int | None, job: str = "crawl", at: datetime = T0) -> None:
    with store.write() as conn:
        conn.execute(
            insert(windows).values(
                job=job, source="parliament", window=name, expected=expected, seen=1, done_at=at
            )
        )


def lists(store: Store, source: str, day: date, *keys: str) -> None:
    with store.write() as conn:
        conn.execute(insert(listings), [{"source": source, "day": day, "key": key} for key in keys])


def days(
    store: Store, source: str, first: date = D3, last: date = D5
) -> list[tuple[int, int | None, tuple[str, ...]]]:
    with store.read() as conn:
        found = coverage(conn, source, first, last)
    assert [day.date for day in found] == [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [(day.held, day.expected, day.missing) for day in found]


def test_held_and_expected_by_day(store: Store) -> None:
    hold(store, 1, "commons/2025-03-03/1")
    hold(store, 2, "lords/2025-03-03/HL2")
    hold(store, 3, "commons/2025-03-05/3")
    hold(store, 4, "commons/2025-03-05/4", source="theyworkforyou")
    total(store, "tabled:2025-03-03", 3)
    total(store, "tabled:2025-03-04", 0)
    total(store, "answered:2025-03-05", 70)
    total(store, "tabled:2025-03-04..2025-03-05", 90)
    assert days(store, "parliament") == [(2, 3, ()), (0, 0, ()), (1, None, ())]


def test_the_newest_look_counts_whichever_job_took_it(store: Store) -> None:
    total(store, "tabled:2025-03-03", 5, at=T0)
    total(store, "tabled:2025-03-03", 7, job="backfill", at=T0 + timedelta(hours=1))
    total(store, "tabled:2025-03-04", 5, at=T0 + timedelta(hours=1))
    total(store, "tabled:2025-03-04", 7, job="backfill", at=T0)
    assert [expected for _, expected, _ in days(store, "parliament")] == [7, 5, None]


def test_what_is_listed_and_not_held_is_missing(store: Store) -> None:
    hold(store, 1, "commons/2025-03-03/1")
    hold(store, 2, "commons/2025-03-04/2")
    with store.write() as conn:  # it was tabled on another day first
        conn.execute(insert(aliases).values(key="commons/2025-03-03/2", question_id=2))
    lists(
        store,
        "parliament",
        D3,
        "commons/2025-03-03/9",
        "commons/2025-03-03/1",
        "commons/2025-03-03/2",
        "commons/2025-03-03/5",
    )
    assert days(store, "parliament", D3, D3) == [(2, 4, ("commons/2025-03-03/5", "commons/2025-03-03/9"))]


def test_theyworkforyou_is_counted_by_the_day_of_the_answer(store: Store) -> None:
    hold(store, 1, "commons/2025-02-20/1", source="theyworkforyou", answered_on=D4)
    hold(store, 2, "commons/2025-02-20/2", answered_on=D4)  # held from elsewhere, and listed there
    lists(store, "theyworkforyou", D4, "commons/2025-02-20/1", "commons/2025-02-20/2", "commons/2025-02-20/3")
    assert days(store, "theyworkforyou") == [(0, None, ()), (2, 3, ("commons/2025-02-20/3",)), (0, None, ())]


def test_feeds_are_counted_by_the_day_of_publication(store: Store) -> None:
    hold(store, 1, "commons/2025-02-20/1", source="feeds", answered_on=D5)
    assert [held for held, _, _ in days(store, "feeds")] == [0, 0, 1]


def test_the_shape() -> None:
    shape = to_json("feeds", [DayCoverage(D3, 1, None, ("commons/2025-03-03/5",))])
    assert shape == {
        "source": "feeds",
        "days": [{"date": "2025-03-03", "held": 1, "expected": None, "missing": ["commons/2025-03-03/5"]}],
    }
