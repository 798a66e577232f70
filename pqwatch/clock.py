"""The one place that reads the clock. Everything else gets `now` handed in: aware, UTC."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class Clock:
    """The real clock, or with `fixed` (`--now`) one that stands still."""

    fixed: datetime | None = None

    def now(self) -> datetime:
        return self.fixed if self.fixed is not None else datetime.now(UTC)

    def today(self) -> date:
        """London's calendar date."""
        return self.now().astimezone(LONDON).date()

    def running(self) -> Clock:
        """A clock that goes on from here, for commands that last."""
        return RunningClock(begun=self.fixed) if self.fixed is not None else self


@dataclass(frozen=True, slots=True)
class RunningClock(Clock):
    """A clock that began at `begun` and has moved as fast as the real one since."""

    begun: datetime = datetime(1, 1, 1, tzinfo=UTC)
    started: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        return self.begun + timedelta(seconds=time.monotonic() - self.started)


def parse_time(text: str) -> datetime:
    """The moment named by `2026-03-02T09:00+00:00` or `…Z`, in UTC. Raises ValueError, also without an offset."""
    if not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text.strip()):
        raise ValueError(
            f"{text!r} is no time: expected a form such as 2026-03-02T09:00+00:00 or 2026-03-02T09:00Z"
        )
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: {error}") from error
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no zone: end it with an offset such as +00:00, or with Z")
    return moment.astimezone(UTC)


def parse_day(text: str) -> date:
    """The day named by `2026-03-02`. Raises ValueError."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()):
        raise ValueError(f"{text!r} is no date: expected a form such as 2026-03-02")
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is no date: {error}") from error


def as_z(moment: datetime | None) -> str | None:
    """`2026-03-02T09:00:00Z`, as every JSON shape writes a time."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
