"""What a healthy pass looks like: silence and falls are told, a recess is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scraper.health import FALL, RENAMED, SILENT, check_days, check_rows
from storage.procedure import is_sitting_day

TODAY = date(2026, 2, 10)  # a Tuesday; both Houses sit
SITTING = [day for n in range(14) if is_sitting_day(day := TODAY - timedelta(days=n))]
OLD = [day for day in SITTING if day <= TODAY - timedelta(days=2)]


def days(count: int = 200) -> dict[date, int]:
    usual = {TODAY - timedelta(days=n): 0 for n in range(14)}
    return {**usual, **dict.fromkeys(SITTING, count)}


def kinds(counts: dict[date, int], earlier: dict[date, int] | None = None) -> list[tuple[str, date]]:
    return [(found.kind, found.day) for found in check_days(counts, earlier or {}, TODAY)]


def test_a_usual_fortnight_is_well() -> None:
    assert kinds(days()) == []


def test_weekends_and_recesses_may_be_empty() -> None:
    august = {date(2025, 8, 1) + timedelta(days=n): 0 for n in range(14)}
    assert check_days(august, {}, date(2025, 8, 14)) == []


def test_a_sitting_day_with_nothing_is_told() -> None:
    day = OLD[1]
    assert kinds({**days(), day: 0}) == [(SILENT, day)]


def test_a_fall_of_nine_tenths_is_told() -> None:
    day = OLD[1]
    assert kinds({**days(), day: 20}) == [(FALL, day)]
    assert kinds({**days(), day: 21}) == []


def test_the_newest_days_may_still_fill() -> None:
    assert kinds({**days(), TODAY: 0, TODAY - timedelta(days=1): 0}) == []


def test_days_before_the_first_with_anything_say_nothing() -> None:
    counts = {day: (200 if day >= OLD[0] else 0) for day in days()}
    assert kinds(counts) == []


def test_nothing_at_all_is_told_once() -> None:
    assert [kind for kind, _ in kinds(days(0))] == [SILENT]


def test_what_was_there_before_and_is_gone_is_told() -> None:
    assert (FALL, TODAY) in kinds({**days(), TODAY: 1}, {TODAY: 30})
    assert kinds({**days(), TODAY: 29}, {TODAY: 30}) == []


def test_a_source_with_few_entries_has_no_habit() -> None:
    assert kinds({**days(3), OLD[1]: 0}) == []


@given(st.integers(20, 2000), st.floats(0.2, 5))
def test_ordinary_ups_and_downs_are_no_problem(usual: int, factor: float) -> None:
    assert kinds({**days(usual), OLD[1]: max(1, round(usual * factor))}) == []


def test_most_rows_unreadable_is_a_changed_field() -> None:
    assert [found.kind for found in check_rows(0, 200, TODAY)] == [RENAMED]
    assert check_rows(1000, 3, TODAY) == []
    assert check_rows(0, 3, TODAY) == []


def test_findings_name_the_day_and_the_number() -> None:
    found: Iterator[str] = (each.message for each in check_days({**days(), OLD[1]: 7}, {}, TODAY))
    assert str(OLD[1]) in (message := next(found))
    assert "7" in message
