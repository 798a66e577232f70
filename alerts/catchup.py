"""Catch-up: one message with what matched among backfilled versions, which are never sent one by one.

After a source's first crawl every subscription active then gets one; after a `backfill` only who asks. Programs and
feeds get none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy import Connection

from alerts.audience import Audience
from alerts.channel import Form, channel_of
from alerts.compose.letters import CATCH_UP
from alerts.matching import CHUNK, Archive, due_at, hear
from alerts.setup import Setup
from alerts.subscriptions import RefusedError
from storage import backfilled, ledger, meta
from storage.changes import Change
from storage.ledger import NewRow
from storage.store import Store
from storage.subscriptions import Subscription

Wanted = Callable[[Subscription], bool]


def after_first_crawls(conn: Connection, audience: Audience, setup: Setup, *, now: datetime) -> int:
    """For each source whose first crawl is complete, once. Returns the rows that were made."""
    ledger.one_matcher(conn)
    new = {
        source: done_at
        for source, done_at in backfilled.first_crawls(conn).items()
        if meta.get(conn, f"catch-up:{source}") is None
    }
    made = 0
    for source, done_at in new.items():
        audience.refresh(conn)
        made += _rows(conn, audience, setup, _active(done_at), source=source, until=done_at, now=now)
        meta.put(conn, f"catch-up:{source}", done_at.isoformat())
    return made


def catch_up(store: Store, subscription: Subscription, setup: Setup, *, now: datetime) -> int:
    """What matched among all backfilled versions, for one subscription, in one message of the next run.

    Returns the rows that were made; what was told once is not told again. Raises RefusedError.
    """
    if not subscription.active:
        raise RefusedError(f"{subscription.name}: not confirmed, or over")
    if channel_of(subscription.to).form is not Form.LETTER:
        raise RefusedError(f"{subscription.name}: a webhook or a feed gets no catch-up message")
    audience = Audience(setup)
    with store.write() as conn:
        ledger.one_matcher(conn)
        audience.take([subscription])
        return _rows(conn, audience, setup, lambda _: True, source=None, until=None, now=now)


def _active(moment: datetime) -> Wanted:
    def wanted(subscription: Subscription) -> bool:
        begun = subscription.begins_at is not None and subscription.begins_at <= moment
        return begun and channel_of(subscription.to).form is Form.LETTER

    return wanted


def _rows(
    conn: Connection,
    audience: Audience,
    setup: Setup,
    wanted: Wanted,
    *,
    source: str | None,
    until: datetime | None,
    now: datetime,
) -> int:
    if not any(wanted(subscription) for subscription in audience.subscriptions.values()):
        return 0
    made = 0
    for chunk in _chunks(conn, source, until):
        archive = Archive(conn, setup.zone)
        archive.load([(c.question_id, n) for c in chunk for n in (c.number, c.number - 1)])
        rows = [
            late_row(change, heard.subscription, heard.kind, setup, now)
            for change in chunk
            for heard in hear(archive, audience, change, now, listens=wanted)
        ]
        made += ledger.write(conn, rows)
    return made


def _chunks(conn: Connection, source: str | None, until: datetime | None) -> Iterator[list[Change]]:
    last = 0
    while chunk := backfilled.page(conn, last, CHUNK, source=source, until=until):
        yield chunk
        last = chunk[-1].id


def late_row(change: Change, subscription: Subscription, kind: str, setup: Setup, now: datetime) -> NewRow:
    """The row of an event that is told afterwards, in one message with others; held where the subscription is paused."""
    held = subscription.paused_at is not None
    return NewRow(
        subscription_id=subscription.id,
        question_id=change.question_id,
        event=change.event,
        number=change.number,
        kind=kind,
        state="held" if held else "pending",
        reason=(subscription.paused_because or "paused") if held else CATCH_UP,
        created_at=now,
        due_at=due_at(subscription, now, setup.zone),
    )
