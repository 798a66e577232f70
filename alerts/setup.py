"""What alerting needs to know of the settings; `pqwatch.wiring` makes it, tests make their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from alerts.tree import Query


def real_clock() -> datetime:
    """The real time in UTC: for time limits, claims, a mail's `Date` and `webhook-timestamp`, never for decisions."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Settings of `interface.md` that alerting reads.

    `secret` signs links. `clock` is the real clock; everything decided or shown takes `now` instead.
    `limit` is the longest that one delivery may take, in seconds. `topics` are the packs that `topic:NAME` may name.
    `sources` are those that are crawled: one of which nobody asks any more is late, others are switched off.
    `retention_days`: when after its end a subscription is erased, and the body of a message after it was sent.
    """

    secret: str
    smtp_url: str = ""
    mail_from: str = ""
    public_url: str = "http://127.0.0.1:8000"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/London"))
    allow_private_hosts: bool = False
    contact: str = ""
    limit: float = 20.0
    topics: Mapping[str, Query] = field(default_factory=dict)
    retention_days: int = 28
    sources: tuple[str, ...] = ()
    clock: Callable[[], datetime] = real_clock
