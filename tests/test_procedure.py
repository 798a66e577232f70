"""The calendar of Parliament and what follows from it: sittings, sessions, overdue days."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import procedure
from storage.calendar import builtin
from storage.procedure import (
    add_sitting_days,
    ended_days,
    extended,
    has_ended,
    in_recess,
    is_sitting_day,
    next_sitting_day,
    overdue_after,
    session_of,
    use,
)
from storage.records import Content, House
from storage.store import StorageError
from tests.helpers import shared

DAYS = st.dates(date(2013, 1, 1), date(2028, 1, 1))


@pytest.fixture(autouse=True)
def _builtin_calendar() -> Iterator[None]:
    yield
    use(None)


def test_the_example_of_the_interface() -> None:
    content = Content(house=House.COMMONS, due_on=date(2024, 11, 11))
    assert overdue_after(content) == date(2024, 11, 14)


@pytest.mark.parametrize(
    ("house", "named_day", "expected"),
    [
        (House.COMMONS, True, date(2025, 9, 15)),
        (House.LORDS, False, date(2025, 9, 15)),
        (House.COMMONS, False, date(2025, 10, 14)),  # the conference recess lies between
    ],
)
def test_overdue_by_house_and_kind(house: House, named_day: bool, expected: date) -> None:
    assert overdue_after(Content(house=house, named_day=named_day, due_on=date(2025, 9, 15))) == expected


def test_nothing_is_due_without_a_day_or_for_a_feed_item() -> None:
    assert overdue_after(Content(house=House.COMMONS)) is None
    assert overdue_after(Content(due_on=date(2025, 9, 15))) is None


@pytest.mark.parametrize(
    ("day", "sits"),
    [
        (date(2024, 11, 6), True),  # the day on which the House rises
        (date(2024, 11, 7), False),  # November recess
        (date(2024, 11, 11), True),
        (date(2024, 11, 15), False),  # a Friday
        (date(2025, 1, 17), True),  # a Friday for private Members' bills
        (date(2025, 4, 12), True),  # a Saturday, recalled from the Easter recess
        (date(2025, 5, 5), False),  # bank holiday
        (date(2024, 6, 4), False),  # dissolution
        (date(2023, 10, 30), False),  # prorogation
        (date(2040, 6, 8), True),  # a Friday that the table does not cover
        (date(2040, 6, 9), False),
    ],
)
def test_sitting_days_of_the_commons(day: date, sits: bool) -> None:
    assert is_sitting_day(day) is sits


def test_the_houses_differ() -> None:
    assert is_sitting_day(date(2025, 7, 23), House.LORDS)
    assert not is_sitting_day(date(2025, 7, 23), House.COMMONS)


def test_recess_tells_its_name_and_when_the_house_is_back() -> None:
    recess = in_recess(date(2025, 12, 25))
    assert recess is not None
    assert (recess.name, recess.certain) == ("Christmas recess", True)
    assert recess.last is not None
    assert next_sitting_day(recess.last) == date(2026, 1, 5)
    assert in_recess(date(2025, 11, 14)) is None, "an ordinary Friday is no recess"


def test_prorogation_and_dissolution_count_as_recess() -> None:
    prorogued, dissolved = in_recess(date(2023, 11, 1)), in_recess(date(2024, 6, 10))
    assert prorogued is not None
    assert dissolved is not None
    assert (prorogued.name, prorogued.last) == ("Prorogation", date(2023, 11, 6))
    assert (dissolved.name, dissolved.last) == ("Dissolution", date(2024, 7, 8))


def test_sessions_end() -> None:
    session = session_of(date(2024, 5, 20))
    assert session is not None
    assert session.name == "2023-24"
    assert not has_ended(session, date(2024, 5, 24))
    assert has_ended(session, date(2024, 5, 25))


def test_a_session_of_unknown_end_ends_at_the_latest_with_the_next() -> None:
    session = session_of(date(2026, 4, 16))
    assert session is not None
    assert session.last is None
    assert not session.certain
    assert not has_ended(session, date(2026, 5, 12))
    assert has_ended(session, date(2026, 5, 13))


def test_the_present_session_has_no_end() -> None:
    session = session_of(date(2026, 7, 1))
    assert session is not None
    assert not has_ended(session, date(2036, 7, 1))


@pytest.mark.parametrize(
    "start",
    [
        date(2019, 12, 17),
        date(2021, 5, 11),
        date(2022, 5, 10),
        date(2023, 11, 7),
        date(2024, 7, 17),
        date(2026, 5, 13),
    ],
)
def test_uins_restart_with_a_session(start: date) -> None:
    before, after = session_of(start - timedelta(days=60)), session_of(start)
    assert before is not None
    assert after is not None
    assert before.first < after.first <= start
    assert has_ended(before, start)


def test_before_the_table_there_is_no_session() -> None:
    assert session_of(date(1999, 1, 1)) is None


@given(DAYS, st.integers(1, 12), st.sampled_from([House.COMMONS, House.LORDS]))
def test_counting_sitting_days_counts_each_once(day: date, count: int, house: House) -> None:
    end = add_sitting_days(day, count, house)
    days = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert is_sitting_day(end, house)
    assert sum(is_sitting_day(d, house) for d in days) == count


@given(DAYS)
def test_no_house_sits_in_a_recess(day: date) -> None:
    for house in (House.COMMONS, House.LORDS):
        recess = in_recess(day, house)
        sittings = builtin().sittings[house]
        if recess and sittings.first <= day <= sittings.last:
            assert not is_sitting_day(day, house)
            assert recess.first <= day


@given(DAYS)
def test_sessions_follow_each_other(day: date) -> None:
    here, later = session_of(day), session_of(day + timedelta(days=1))
    if here and later and here != later:
        assert has_ended(here, later.first)
        assert not has_ended(later, later.first)


def test_recesses_never_overlap_and_lie_inside_the_covered_days() -> None:
    for sittings in builtin().sittings.values():
        for recess, after in zip(sittings.recesses, sittings.recesses[1:], strict=False):
            assert recess.last is not None
            assert recess.first <= recess.last < after.first
        assert all(sittings.first <= r.first <= sittings.last for r in sittings.recesses)
        assert not sittings.extra & {day for r in sittings.recesses for day in (r.first, r.last)}


def test_an_operators_file_adds_and_corrects() -> None:
    text = """
    sessions = [
        { name = "2024-26", first = 2024-07-09, last = 2026-04-30, ended_by = "prorogation" },
        { name = "2027-28", first = 2027-05-11 },
    ]
    [commons]
    covered = { first = 2014-06-04, last = 2027-12-31 }
    extra = [2026-06-12]
    recesses = [{ name = "Summer recess", first = 2026-07-22, last = 2026-09-06 }]
    """
    use(extended(text))
    ended = session_of(date(2026, 4, 1))
    assert ended is not None
    assert has_ended(ended, date(2026, 5, 1))
    present = session_of(date(2026, 8, 1))
    assert present is not None
    assert has_ended(present, date(2027, 5, 11))
    assert is_sitting_day(date(2026, 6, 12))
    assert is_sitting_day(date(2026, 7, 21)), "the corrected recess replaces the one it overlaps"
    recess = in_recess(date(2026, 9, 1))
    assert recess is not None
    assert recess.certain
    assert in_recess(date(2026, 5, 5)) is not None, "prorogation, now that its day is known"
    use(None)
    assert not is_sitting_day(date(2026, 6, 12))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sessions = [", "no TOML"),
        ("sittings = 1", "unknown key 'sittings'"),
        ("sessions = [{name = 'x', first = '2026-01-01'}]", "'first' must be a date"),
        ("sessions = [{name = 'x', first = 2026-01-01T00:00:00}]", "'first' must be a date"),
        (
            "sessions = [{name = 'x', first = 2031-01-01, last = 2032-01-01}, {name = 'y', first = 2031-06-01}]",
            "begins on",
        ),
        ("sessions = [{name = 'x', first = 2031-01-01, ended_by = 'boredom'}]", "allowed are"),
        ("[commons]\nrecesses = [{name = 'x', first = 2031-02-01, last = 2031-01-01}]", "before it begins"),
        (
            (
                "[lords]\nrecesses = [{name = 'x', first = 2031-01-01, last = 2031-02-01},"
                " {name = 'y', first = 2031-02-01, last = 2031-03-01}]"
            ),
            "overlap",
        ),
        ("[commons]\nextra = ['tomorrow']", "extra must be dates"),
        ("bank_holidays = [2031-01-01T10:00:00]", "bank_holidays must be dates"),
        (
            "[commons]\nrecesses = [{name = '', first = 2031-02-01, last = 2031-03-01}]",
            "'name' must be a text",
        ),
        (
            "[commons]\nrecesses = [{name = 'x', first = 2031-02-01, last = 2031-03-01, certain = 'no'}]",
            "must be true or false",
        ),
    ],
)
def test_a_wrong_file_is_refused_in_one_clear_line(text: str, message: str) -> None:
    with pytest.raises(StorageError, match=message) as caught:
        extended(text)
    assert "\n" not in str(caught.value)


def test_due_dates_of_the_official_api_agree_with_the_calendar() -> None:
    """Two weekdays after tabling, then the next sitting day: so the API dates ordinary Commons questions."""
    agree: Counter[bool] = Counter()
    for month in ("2024-11__2024-11-21T000707", "2025-09__2025-09-15T003519"):
        with gzip.open(shared("samples", "parliament", "snapshots", f"{month}.json.gz")) as file:
            for row in json.load(file):
                value = row.get("value", row)
                if not value["isNamedDay"] and value["dateForAnswer"]:
                    tabled, due = (date.fromisoformat(value[n][:10]) for n in ("dateTabled", "dateForAnswer"))
                    agree[due == _first_day_for_an_answer(tabled)] += 1
    print(f"due dates that agree with the calendar: {agree[True]} of {agree.total()}")
    assert agree[True] > 0.97 * agree.total()


def _first_day_for_an_answer(tabled: date) -> date:
    day, weekdays = tabled, 0
    while weekdays < 2 or not is_sitting_day(day):
        day += timedelta(days=1)
        weekdays += day.weekday() < 5
    return day


def test_the_calendar_in_use_is_one_for_the_process() -> None:
    table = extended("bank_holidays = [2026-06-09]")
    assert is_sitting_day(date(2026, 6, 9))
    use(table)
    assert procedure.calendar() is table
    assert not is_sitting_day(date(2026, 6, 9))


@pytest.mark.parametrize(
    "on", [date(2024, 5, 25), date(2024, 6, 20), date(2024, 7, 17), date(2005, 6, 1), date(2090, 1, 1)]
)
def test_the_days_of_ended_sessions_are_one_stretch(on: date) -> None:
    begun, ended = ended_days(on)
    for day in (date(2003, 1, 1) + timedelta(days=n) for n in range(0, 366 * 24, 5)):
        session = session_of(day)
        assert (begun <= day < ended) == (session is not None and has_ended(session, on)), day
