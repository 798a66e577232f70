"""How soon departments answer, reckoned from columns of the export alone. Pure.

    key, answering_body, tabled_on, answered_on, holding_on, overdue_after, state

The cohort is the questions tabled in the period, without those withdrawn or lapsed. Of them, by department:
    answered    `answered_on` is there (a holding answer is none; a stock answer counts)
    median      of the days from `tabled_on` to `answered_on`, over those answered
    judged      answered, or `overdue_after` is past
    on time     `answered_on` is not after `overdue_after`, over those judged
    holding     `holding_on` is there, over the cohort
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

ALL = "All departments"
OTHERS = "Others"
_LEFT_OUT = frozenset({"withdrawn", "lapsed", "published"})


@dataclass(frozen=True, slots=True)
class Fact:
    """What of one question the figures are made from."""

    key: str
    department: str
    state: str
    tabled_on: date | None
    answered_on: date | None
    holding_on: date | None
    overdue_after: date | None


@dataclass(frozen=True, slots=True)
class Times:
    """The figures of one department. Shares are from 0 to 1; null where there is nothing to share."""

    department: str
    tabled: int
    answered: int
    median_days: float | None
    judged: int
    on_time: int
    holding: int

    @property
    def share_on_time(self) -> float | None:
        return self.on_time / self.judged if self.judged else None

    @property
    def share_holding(self) -> float | None:
        return self.holding / self.tabled if self.tabled else None


def times(facts: Iterable[Fact], first: date, last: date, *, today: date) -> list[Times]:
    """Figures of the questions tabled from `first` to `last`: all departments first, then each, those asked most first."""
    by_department: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.tabled_on is not None and first <= fact.tabled_on <= last and fact.state not in _LEFT_OUT:
            by_department[fact.department].append(fact)
    if not by_department:
        return []
    every = [fact for group in by_department.values() for fact in group]
    ranked = sorted(by_department.items(), key=lambda item: (-len(item[1]), item[0]))
    return [_times(ALL, every, today), *(_times(name, group, today) for name, group in ranked)]


def _times(name: str, cohort: Sequence[Fact], today: date) -> Times:
    taken = [(f.answered_on - f.tabled_on).days for f in cohort if f.answered_on and f.tabled_on]
    judged = [f for f in cohort if f.overdue_after and (f.answered_on or f.overdue_after < today)]
    return Times(
        department=name,
        tabled=len(cohort),
        answered=len(taken),
        median_days=statistics.median(taken) if taken else None,
        judged=len(judged),
        on_time=sum(_in_time(fact) for fact in judged),
        holding=sum(fact.holding_on is not None for fact in cohort),
    )


def _in_time(fact: Fact) -> bool:
    answered, until = fact.answered_on, fact.overdue_after
    return answered is not None and until is not None and answered <= until


@dataclass(frozen=True, slots=True)
class Monthly:
    """Answers a month. `counts` has one number a month for each department, in the order of `months` (`2025-03`)."""

    months: tuple[str, ...]
    counts: Mapping[str, tuple[int, ...]]


def monthly(facts: Iterable[Fact], *, today: date, months: int = 12, most: int = 4) -> Monthly:
    """Substantive answers by month of `answered_on`, this month and those before it; past the `most` departments: others."""
    names = tuple(_months(today, months))
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for fact in facts:
        if fact.answered_on is not None and fact.state != "published":
            month = fact.answered_on.isoformat()[:7]
            if month in names:
                counted[fact.department][month] += 1
    ranked = sorted(counted, key=lambda name: (-counted[name].total(), name))
    kept = {name: tuple(counted[name][month] for month in names) for name in ranked[:most]}
    rest = sum((counted[name] for name in ranked[most:]), Counter[str]())
    if rest:
        kept[OTHERS] = tuple(rest[month] for month in names)
    return Monthly(names, kept)


def _months(today: date, count: int) -> list[str]:
    found, day = [], today.replace(day=1)
    for _ in range(count):
        found.append(day.isoformat()[:7])
        day = (day - timedelta(days=1)).replace(day=1)
    return found[::-1]


def period(today: date) -> tuple[date, date]:
    """The twelve months that the figures are of: up to yesterday, so that a day counts when it is over."""
    last = today - timedelta(days=1)
    day = min(last.day, 28) if last.month == 2 else last.day
    return date(last.year - 1, last.month, day) + timedelta(days=1), last
