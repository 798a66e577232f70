"""One budget of requests a host, shared by all processes: each request takes a slot, and slots lie `1 / rate` seconds apart.

Crawls go before backfills. A crawl takes the next slot, however far away, and waits for it. A backfill (`low_priority`) takes a slot
only when it is free now, or in a moment; else it takes none, is told when to ask again, and so never stands in line before a crawl.
Real clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select, update

from storage.ledger import insert_unless_there
from storage.schema import budgets
from storage.store import Store

_AHEAD = 100  # slots; further ahead only a clock that was wrong can have left them
_SOON = timedelta(
    milliseconds=20
)  # what asking and waking up may take: who must ask afterwards falls behind the rate


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot that begins in `wait` seconds. `taken`: it is the asker's, to be used then; else wait until shortly before, and ask again."""

    wait: float
    taken: bool = True


def take(store: Store, host: str, rate: float, *, low_priority: bool = False) -> Slot:
    """The next slot for a request to `host`; with `low_priority` it may be left to others.

    `rate` is requests a second over all processes; 0 means no limit and touches nothing.
    """
    if rate <= 0:
        return Slot(0.0)
    gap = timedelta(seconds=1 / rate)
    with store.write() as conn:
        now = _now()
        slot = _next_slot(conn, host, now, gap)
        ahead = slot - now
        taken = not low_priority or ahead <= _SOON
        if taken:
            conn.execute(update(budgets).where(budgets.c.host == host).values(next_at=slot + gap))
    return Slot((ahead if taken else ahead - _SOON / 2).total_seconds(), taken)


def _next_slot(conn: Connection, host: str, now: datetime, gap: timedelta) -> datetime:
    query = select(budgets.c.next_at).where(budgets.c.host == host).with_for_update()
    stored: datetime | None = conn.execute(query).scalar()
    if stored is None:
        insert_unless_there(conn, budgets, [{"host": host, "next_at": now}], ["host"])
        stored = conn.execute(query).scalar_one()
    believable = stored if stored - now <= _AHEAD * gap + timedelta(seconds=60) else now
    return max(now, believable)


def _now() -> datetime:
    return datetime.now(UTC)
