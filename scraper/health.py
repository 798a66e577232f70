"""What a healthy pass looks like. Pure: counts in, findings out. Silence is a failure, a recess is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from storage.procedure import is_sitting_day
from storage.records import House

SILENT, FALL, RENAMED = "silent-day", "fall", "renamed-field"
KINDS = (SILENT, FALL, RENAMED)
"""Kinds of problem that only a whole pass can tell, and that end with the first one that does not."""

_LAG = timedelta(days=2)  # the API shows a day's questions up to two days later
_FEW = 20  # below, a fall says nothing
_TYPICAL = 4  # sitting days that make a habit
_FALL = 10  # to a tenth


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a pass; `day` is the one it is about."""

    kind: str
    day: date
    message: str


def check_days(counts: Mapping[date, int], earlier: Mapping[date, int], today: date) -> list[Finding]:
    """What is wrong with the numbers of questions tabled a day. `earlier`: what was seen of those days before.

    Only sitting days count that are old enough to be complete. Empty days before the first day with anything say nothing: nobody
    knows whether the source goes back so far.
    """
    days = {day: seen for day, seen in sorted(counts.items()) if day <= today - _LAG and _sits(day)}
    found = _fallen(days) if any(counts.values()) else _all_silent(days)
    return [*found, *fallen_since(counts, earlier)]


def _sits(day: date) -> bool:
    """The Commons: nine questions of ten are theirs, so that a day on which the Lords sit alone has few."""
    return is_sitting_day(day, House.COMMONS)


def _all_silent(days: Mapping[date, int]) -> Iterator[Finding]:
    if len(days) >= _TYPICAL:
        yield Finding(
            SILENT, max(days), f"nothing was listed for any of {len(days)} sitting days up to {max(days)}"
        )


def _fallen(days: Mapping[date, int]) -> Iterator[Finding]:
    """Sitting days with nothing, or next to nothing, among days that are usually full."""
    busy = [seen for seen in days.values() if seen]
    usual = median(busy) if len(busy) >= _TYPICAL else 0
    first = next((day for day, seen in days.items() if seen), date.max)
    for day, seen in days.items():
        if day < first or usual < _FEW or seen * _FALL > usual:
            continue
        kind, count = (FALL, str(seen)) if seen else (SILENT, "nothing")
        yield Finding(
            kind, day, f"{day} was a sitting day, and {count} was listed for it; usual is {usual:.0f}"
        )


def fallen_since(counts: Mapping[date, int], earlier: Mapping[date, int]) -> Iterator[Finding]:
    """Days of which a tenth or less is left of what was seen before: entries change, but do not vanish."""
    for day, seen in counts.items():
        before = earlier.get(day, 0)
        if before >= _FEW and seen * _FALL <= before:
            yield Finding(
                FALL, day, f"{seen} are listed for {day}; when it was read before, there were {before}"
            )


def check_rows(read: int, refused: int, day: date) -> list[Finding]:
    """Whether most entries could not be read, which no single bad entry explains."""
    if refused < _FEW or refused < read:
        return []
    said = f"{refused} of {read + refused} entries could not be read: the source seems to have renamed or changed a field"
    return [Finding(RENAMED, day, said)]
