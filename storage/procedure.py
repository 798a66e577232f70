"""Parliament's procedure as pure functions: sessions and their ends, sitting days, recesses, when an answer is overdue, stock answers.

The dates come from `storage.calendar`. Days are London calendar dates. A day outside the table is no error: Monday to Friday count
as sitting days there, and nothing is said of sessions or recesses. A source of facts about deadlines: interface.md "Overdue"
(`overdue_after`), and the official API, whose `dateForAnswer` of an ordinary Commons question is the first day on which an answer may
come, not the day by which one is expected.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from storage.calendar import DAY, Calendar, Election, Recess, Session, builtin, extended, recess_on
from storage.pro_forma import is_pro_forma
from storage.records import Content, House

__all__ = [
    "Calendar",
    "Election",
    "Recess",
    "Session",
    "add_sitting_days",
    "calendar",
    "extended",
    "has_ended",
    "in_recess",
    "is_pro_forma",
    "is_sitting_day",
    "next_sitting_day",
    "overdue_after",
    "session_of",
    "use",
]

GRACE = 3
"""Sitting days after `due_on` until an ordinary Commons question is overdue."""
_SEARCH = 400  # days; no House has ever stayed away for longer


class _InUse:
    calendar: Calendar | None = None


def use(table: Calendar | None) -> None:
    """Make `table` (null: the built-in one) the calendar of this process. For the one place that builds objects."""
    _InUse.calendar = table


def calendar() -> Calendar:
    """The calendar of this process."""
    return _InUse.calendar or builtin()


def session_of(day: date) -> Session | None:
    """The session to which something tabled on `day` belongs: the newest that had begun. Null before the first in the table.

    Days between two sessions belong to the one before: nothing is tabled on them, and a date that was mended upstream by a day
    or two must not move a question into a later session.
    """
    return next((s for s in reversed(calendar().sessions) if s.first <= day), None)


def has_ended(session: Session, day: date) -> bool:
    """Whether the session is known to be over on `day`: after its last day, at the latest when the next one begins."""
    if session.last is not None and day > session.last:
        return True
    return any(session.first < later.first <= day for later in calendar().sessions)


def ended_days(on: date) -> tuple[date, date]:
    """The days tabled whose session is over on `on`: from the first of them to the one after the last; the same day twice: none."""
    sessions = calendar().sessions
    going = next((session.first for session in sessions if not has_ended(session, on)), date.max)
    return sessions[0].first, going


def in_recess(day: date, house: House = House.COMMONS) -> Recess | None:
    """The recess, prorogation or dissolution in which `day` lies. Its `certain` says whether it may be told as a fact."""
    table = calendar()
    sittings = table.sittings.get(house)
    if sittings is not None and day in sittings.extra:
        return None
    return _between_sessions(table, day) or (recess_on(sittings, day) if sittings else None)


def is_sitting_day(day: date, house: House = House.COMMONS) -> bool:
    """Whether the House sits: Monday to Thursday outside recesses and bank holidays, and the other days listed as sittings.

    Fridays count only where they are listed. Outside the days that the table covers, Monday to Friday count.
    """
    return _sits(calendar(), house, day)


def add_sitting_days(day: date, count: int, house: House = House.COMMONS) -> date:
    """The `count`th sitting day after `day`; `day` itself is never counted, and with 0 is returned as it is."""
    return _add(calendar(), house, day, count)


def next_sitting_day(day: date, house: House = House.COMMONS) -> date:
    """The first sitting day after `day`."""
    return add_sitting_days(day, 1, house)


def overdue_after(content: Content) -> date | None:
    """The last day on which an answer is in time: the day it is due, and three sitting days more for ordinary Commons questions.

    Null where nothing is due: feed items, and questions of which the source gives no day.
    """
    if content.due_on is None or content.house is None:
        return None
    if content.house is House.COMMONS and not content.named_day:
        return add_sitting_days(content.due_on, GRACE)
    return content.due_on


def _between_sessions(table: Calendar, day: date) -> Recess | None:
    before = next((s for s in reversed(table.sessions) if s.first <= day), None)
    if before is None or before.last is None or day <= before.last:
        return None
    after = next((s for s in table.sessions if s.first > day), None)
    name = "Dissolution" if before.ended_by == "dissolution" else "Prorogation"
    return Recess(name, before.last + DAY, after.first - DAY if after else None, before.certain)


@lru_cache(maxsize=8192)
def _sits(table: Calendar, house: House, day: date) -> bool:
    sittings = table.sittings.get(house)
    if sittings is None or not sittings.first <= day <= sittings.last:
        return day.weekday() < 5 and day not in table.bank_holidays
    if day in sittings.extra:
        return True
    if day.weekday() > 3 or day in table.bank_holidays:
        return False
    return recess_on(sittings, day) is None and _between_sessions(table, day) is None


@lru_cache(maxsize=8192)
def _add(table: Calendar, house: House, day: date, count: int) -> date:
    for _ in range(count):
        start = day
        day += DAY
        while not _sits(table, house, day) and (day - start).days < _SEARCH:
            day += DAY
    return day
