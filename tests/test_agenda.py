"""Which days and questions are read again though no list says so."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from storage.agenda import Due, due_rechecks, open_days
from storage.ingest import ingest, lapse, see_rows
from storage.records import Content, Row
from storage.store import Store
from tests.helpers import NOW, answered, at, content, feed_item, holding, observation

TODAY = NOW.date()


def take(store: Store, *what: Content, **fields: Any) -> None:
    ingest(store, [observation(each, **fields) for each in what], now=NOW)


def days(store: Store, today: date = TODAY) -> list[date]:
    with store.read() as conn:
        return open_days(conn, today)


def test_days_with_open_questions(store: Store) -> None:
    take(
        store,
        content(),
        holding(uin="2", tabled_on=date(2025, 2, 3)),
        answered(uin="3", tabled_on=date(2025, 2, 4)),
        content(uin="4", tabled_on=date(2025, 2, 5), withdrawn=True),
        content(uin="5"),
    )
    ingest(store, [feed_item()], now=NOW)
    assert days(store) == [date(2025, 2, 3), date(2025, 3, 3)]


def test_old_days_are_read_on_their_weekday(store: Store) -> None:
    old = TODAY - timedelta(days=61)
    take(store, content(tabled_on=old))
    assert days(store) == []
    assert days(store, old + timedelta(days=60)) == [old]
    assert days(store, old + timedelta(days=63)) == [old]
    assert days(store, old + timedelta(days=64)) == []


def test_old_days_are_made_up_for_when_their_weekday_was_missed(store: Store) -> None:
    old = TODAY - timedelta(days=61)
    take(store, content(tabled_on=old))
    late = TODAY + timedelta(days=8)
    assert days(store, late) == [old]
    with store.write() as conn:
        see_rows(conn, [Row("parliament", "1835566", "", "x")], now=at(8))
    assert days(store, late) == []


def test_lapsed_questions_are_open_no_more(store: Store) -> None:
    take(store, content(tabled_on=date(2024, 5, 20)))
    lapse(store, now=NOW)
    assert days(store, date(2024, 5, 27)) == []


def test_due_rechecks_longest_overdue_first(store: Store) -> None:
    take(store, answered(uin="1"), observed_at=at(1))
    take(store, answered(uin="2"))
    take(store, content(uin="3"))
    take(store, answered(uin="4"), source="theyworkforyou", official_id=None)
    with store.read() as conn:
        assert due_rechecks(conn, at(0.9), 9) == []
        both = [Due("1800002", "commons/2025-03-03/2"), Due("1800001", "commons/2025-03-03/1")]
        assert due_rechecks(conn, at(2), 9) == both
        assert due_rechecks(conn, at(2), 1) == both[:1]
