"""When a subscription is due: pure slots, at local times and on days of one's own, across both clock changes.

A slot that was missed needs no making up here: rows keep the slot they were due in, and the next run sends all that
is past in one message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from alerts.errors import AlertsError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Every(StrEnum):
    INSTANT = "instant"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


class Notice(StrEnum):
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`days` holds weekdays (Monday 0) on which messages may go; empty: every day, for weekly Monday."""

    every: Every = Every.INSTANT
    at: time = time(7)
    days: frozenset[int] = frozenset()

    def allows(self, day: date) -> bool:
        if not self.days:
            return self.every is not Every.WEEKLY or day.weekday() == 0
        return day.weekday() in self.days


def parse_rhythm(every: str, at: str, days: list[str]) -> Rhythm:
    """From the words of the command line. Raises AlertsError that names what is wrong and what is allowed."""
    try:
        rhythm = Every(every)
    except ValueError as error:
        raise AlertsError(f"every {every!r}: expected one of {', '.join(Every)}") from error
    return Rhythm(rhythm, parse_time(at), parse_days(days))


def parse_time(text: str) -> time:
    try:
        hours, minutes = text.split(":")
        if len(hours) != 2 or len(minutes) != 2:
            raise ValueError(text)
        return time(int(hours), int(minutes))
    except ValueError as error:
        raise AlertsError(f"at {text!r}: expected a time such as 07:00") from error


def parse_days(names: list[str]) -> frozenset[int]:
    wrong = [name for name in names if name.lower() not in DAYS]
    if wrong:
        raise AlertsError(f"days {wrong[0]!r}: expected some of {','.join(DAYS)}")
    return frozenset(DAYS.index(name.lower()) for name in names)


def next_slot(rhythm: Rhythm, moment: datetime, zone: ZoneInfo) -> datetime:
    """The first moment (UTC), not before `moment`, at which the rhythm sends."""
    match rhythm.every:
        case Every.INSTANT:
            return _first_allowed(rhythm, moment, zone)
        case Every.HOURLY:
            return _next_hour(rhythm, moment, zone)
        case _:
            return _next_at(rhythm, moment, zone)


def notice_slot(notice: Notice, at: time, moment: datetime, zone: ZoneInfo) -> datetime:
    """The newest slot of a quiet notice, not after `moment`: Mondays, or the first of the month."""
    day = moment.astimezone(zone).date()
    for back in range(40):
        candidate = day - timedelta(days=back)
        fits = candidate.weekday() == 0 if notice is Notice.WEEKLY else candidate.day == 1
        if fits and local_moment(candidate, at, zone) <= moment:
            return local_moment(candidate, at, zone)
    raise AssertionError("forty days hold a Monday and a first of the month")


def local_moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment (UTC) of a local time. One that the clocks skip moves past the gap; one that comes twice is the first."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _first_allowed(rhythm: Rhythm, moment: datetime, zone: ZoneInfo) -> datetime:
    day = moment.astimezone(zone).date()
    if rhythm.allows(day):
        return moment.astimezone(UTC)
    return local_moment(_next_allowed_day(rhythm, day + timedelta(days=1)), time(), zone)


def _next_hour(rhythm: Rhythm, moment: datetime, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    hour = moment.astimezone(UTC) + (timedelta(hours=1) - past if past else timedelta())
    return _first_allowed(rhythm, hour, zone)


def _next_at(rhythm: Rhythm, moment: datetime, zone: ZoneInfo) -> datetime:
    day = _next_allowed_day(rhythm, moment.astimezone(zone).date())
    slot = local_moment(day, rhythm.at, zone)
    if slot < moment:
        slot = local_moment(_next_allowed_day(rhythm, day + timedelta(days=1)), rhythm.at, zone)
    return slot


def _next_allowed_day(rhythm: Rhythm, day: date) -> date:
    return next(d for d in (day + timedelta(days=n) for n in range(8)) if rhythm.allows(d))
