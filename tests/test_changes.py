"""The rows through which versions reach the alerts."""

from __future__ import annotations

from datetime import date

import pytest

from storage.changes import Change, claim, done, note_overdue
from storage.ingest import ingest
from storage.store import Store, open_store
from tests.helpers import NOW, answered, at, content, holding, observation

DUE = date(2025, 3, 10)  # three sitting days after 5 March


def pending(store: Store, limit: int = 99) -> list[Change]:
    with store.write() as conn:
        return claim(conn, limit, now=NOW)


def test_claimed_and_done(store: Store) -> None:
    ingest(store, [observation(content()), observation(answered(), observed_at=at(1))], now=at(1))
    first, second = pending(store)
    assert [(each.event, each.number, each.backfilled) for each in (first, second)] == [
        ("v1", 1, False),
        ("v2", 2, False),
    ]
    assert pending(store, 1) == [first]
    with store.write() as conn:
        done(conn, claim(conn, 1, now=NOW), now=at(2))
    assert pending(store) == [second]


def test_a_claim_that_is_rolled_back_is_pending_again(store: Store) -> None:
    ingest(store, [observation()], now=NOW)
    with pytest.raises(KeyError), store.write() as conn:  # noqa: PT012 - the error must come after the claim
        done(conn, claim(conn, 9, now=NOW), now=NOW)
        raise KeyError
    assert len(pending(store)) == 1


def test_two_claims_at_once_share_nothing(postgres_url: str) -> None:
    """On SQLite the second one waits for the first, so there is nothing to share."""
    store = open_store(postgres_url)
    ingest(store, [observation(content(uin=str(number))) for number in range(1, 7)], now=NOW)
    with store.write() as one, store.write() as other:
        first, second = claim(one, 4, now=NOW), claim(other, 4, now=NOW)
        assert (len(first), len(second)) == (4, 2)
        assert not {each.id for each in first} & {each.id for each in second}
    store.close()


def note(store: Store, today: date) -> int:
    with store.write() as conn:
        return note_overdue(conn, now=NOW, today=today)


def test_overdue_once(store: Store) -> None:
    ingest(
        store,
        [observation(content()), observation(answered(uin="2")), observation(holding(uin="3"))],
        now=NOW,
    )
    assert note(store, DUE) == 0
    assert note(store, date(2025, 3, 11)) == 2
    assert note(store, date(2025, 3, 12)) == 0
    events = [(each.event, each.backfilled) for each in pending(store) if each.event.startswith("overdue")]
    assert events == [("overdue:2025-03-10", False)] * 2


def test_a_new_day_makes_no_second_event(store: Store) -> None:
    ingest(store, [observation(content())], now=NOW)
    note(store, date(2025, 3, 11))
    ingest(store, [observation(content(due_on=date(2025, 3, 12)), observed_at=at(2))], now=at(2))
    assert note(store, date(2025, 4, 30)) == 0


def test_what_was_overdue_before_it_was_seen_is_backfilled(store: Store) -> None:
    ingest(store, [observation(content(), observed_at=at(5))], now=at(5), backfilled=True)
    ingest(
        store,
        [observation(content(uin="2", due_on=date(2025, 3, 20)), observed_at=at(5))],
        now=at(5),
        backfilled=True,
    )
    assert note(store, date(2025, 4, 2)) == 2
    overdue = {
        each.question_id: each.backfilled for each in pending(store) if each.event.startswith("overdue")
    }
    assert overdue == {1: True, 2: False}


def test_nothing_is_overdue_after_the_end_of_its_session(store: Store) -> None:
    old = content(tabled_on=date(2024, 5, 20), due_on=date(2024, 5, 22))
    ingest(store, [observation(old)], now=NOW)
    assert note(store, NOW.date()) == 0
