"""A month of a source's coverage as the weeks of a calendar. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from storage.coverage import DayCoverage
from storage.procedure import in_recess, is_sitting_day
from storage.records import House


@dataclass(frozen=True, slots=True)
class Day:
    """`mark`: whole, missing, unknown (the source gave no total), empty (a sitting day with nothing), quiet or later."""

    day: date
    held: int
    expected: int | None
    missing: tuple[str, ...]
    mark: str

    @property
    def word(self) -> str:
        """What the mark says, for those who do not see it."""
        return _WORDS[self.mark]


_WORDS = {
    "whole": "complete",
    "missing": "incomplete",
    "unknown": "the source gave no total",
    "empty": "nothing on a sitting day",
    "quiet": "nothing expected",
    "later": "still to come",
}


def weeks(days: Iterable[DayCoverage], today: date) -> list[list[Day | None]]:
    """The days of one month in rows from Monday to Sunday; null where a row reaches into another month."""
    by_day: Mapping[date, DayCoverage] = {each.date: each for each in days}
    if not by_day:
        return []
    first = min(by_day)
    rows = calendar.Calendar().monthdatescalendar(first.year, first.month)
    return [[_day(by_day[day], today) if day in by_day else None for day in row] for row in rows]


def _day(of: DayCoverage, today: date) -> Day:
    return Day(of.date, of.held, of.expected, of.missing, _mark(of, today))


def _mark(of: DayCoverage, today: date) -> str:
    if of.date > today:
        return "later"
    if of.missing or (of.expected is not None and of.held < of.expected):
        return "missing"
    if of.held == 0 and not of.expected:
        sits = any(is_sitting_day(of.date, house) for house in (House.COMMONS, House.LORDS))
        return "empty" if sits and of.expected is None and of.date < today else "quiet"
    return "whole" if of.expected is not None else "unknown"


def month_of(text: str, today: date) -> date:
    """The first day of the month that `2025-03` names; the present one where it names none that can be shown."""
    try:
        day = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return day if date(1988, 1, 1) <= day <= today else today.replace(day=1)


def last_day(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def neighbours(first: date, today: date) -> Sequence[date | None]:
    """The months before and after; null after the present one."""
    before, after = (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=31)).replace(day=1)
    return before, after if after <= today else None


def recess(today: date) -> str | None:
    """The name of the Commons recess on that day, where it is certain."""
    found = in_recess(today)
    return found.name if found and found.certain else None
