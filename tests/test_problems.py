"""Problems: one open row each, counted while they last, closed by a clean reading of the same address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from storage.problems import OpenProblem, end, open_problems, report
from storage.records import PageRef, Problem
from storage.schema import problems as table
from storage.store import Store

T0 = datetime(2025, 3, 3, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL = "https://example.org/questions/1"


def problem(
    kind: str = "unreadable", url: str = URL, source: str = "parliament", message: str = "no such field"
) -> Problem:
    return Problem(source=source, kind=kind, url=url, message=message, page=PageRef("ab", "file.warc.gz", 7))


def tell(store: Store, problems: Sequence[Problem], now: datetime) -> int:
    with store.write() as conn:
        return report(conn, problems, now=now)


def close(store: Store, urls: Sequence[str], now: datetime, still: Sequence[Problem] = ()) -> int:
    with store.write() as conn:
        return end(conn, "parliament", urls, now=now, still=still)


def seen(store: Store) -> list[OpenProblem]:
    with store.read() as conn:
        return open_problems(conn)


def test_a_problem_is_new_once(store: Store) -> None:
    assert tell(store, [problem()], T0) == 1
    assert tell(store, [problem()], T0 + HOUR) == 0
    (one,) = seen(store)
    assert (one.count, one.first_seen, one.last_seen) == (2, T0, T0 + HOUR)
    assert one.page == PageRef("ab", "file.warc.gz", 7)


@pytest.mark.parametrize("kind", ["down", "blocked"])
def test_another_message_of_an_outage_is_no_news(store: Store, kind: str) -> None:
    assert tell(store, [problem(kind=kind, message="no answer")], T0) == 1
    assert tell(store, [problem(kind=kind, message="cut off")], T0 + HOUR) == 0


def test_another_message_is_news_in_the_same_row(store: Store) -> None:
    tell(store, [problem()], T0)
    assert tell(store, [problem(message="a field too many")], T0 + HOUR) == 1
    (one,) = seen(store)
    assert (one.message, one.count) == ("a field too many", 2)


def test_kinds_addresses_and_sources_are_apart(store: Store) -> None:
    many = [problem(), problem(kind="drift"), problem(url=URL + "2"), problem(source="feeds"), problem()]
    assert tell(store, many, T0) == 4
    assert [
        p.count for p in seen(store) if (p.source, p.kind, p.url) == ("parliament", "unreadable", URL)
    ] == [2]
    assert [p.source for p in seen(store)] == ["feeds", "parliament", "parliament", "parliament"]


def test_a_clean_reading_ends_it_and_a_new_one_is_news_again(store: Store) -> None:
    tell(store, [problem(), problem(url=URL + "2"), problem(source="feeds")], T0)
    assert close(store, [URL], T0 + HOUR) == 1
    assert [(p.source, p.url) for p in seen(store)] == [("feeds", URL), ("parliament", URL + "2")]
    assert close(store, [URL], T0 + HOUR) == 0
    assert tell(store, [problem()], T0 + 2 * HOUR) == 1
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(table)).scalar_one() == 4


def test_what_the_pass_itself_reported_stays(store: Store) -> None:
    tell(store, [problem(), problem(kind="drift")], T0)
    tell(store, [problem()], T0)  # the same moment, as with a clock that is set
    assert close(store, [URL], T0, still=[problem()]) == 1
    assert [p.kind for p in seen(store)] == ["unreadable"]


def test_nothing_to_say(store: Store) -> None:
    assert tell(store, [], T0) == 0
    assert close(store, [], T0) == 0
    assert seen(store) == []


def test_a_page_may_be_unknown(store: Store) -> None:
    tell(store, [Problem(source="feeds", kind="down", url=URL, message="no answer")], T0)
    assert seen(store)[0].page is None
