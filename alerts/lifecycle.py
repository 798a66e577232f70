"""What becomes of a subscription: paused and resumed, ended by its reader, by its date or with its question, erased."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts.channel import Form, channel_of
from alerts.compose.letters import RESUMED
from alerts.confirm import Scope
from alerts.hearing import expired
from alerts.problems import SOURCE, subscription_url
from alerts.retention import erase
from alerts.sending import cancel, hold
from alerts.setup import Setup
from alerts.signing import address_hash
from storage import erasing, ledger, problems, suppressions
from storage import subscriptions as rows
from storage.followed import settled_on
from storage.store import Store
from storage.subscriptions import Subscription

PAUSED = "paused"
FOLLOWED_FOR = timedelta(days=90)
"""How long a followed question is still listened to after its final answer."""


def pause(store: Store, reference: str, *, now: datetime, why: str = PAUSED) -> Subscription:
    """From now on rows are held; so is what waits. Raises NoSuchSubscriptionError."""
    with store.write() as conn:
        found = rows.find(conn, reference)
        if found.paused_at is None:
            rows.change(conn, [found.id], paused_at=now, paused_because=why)
            hold(conn, [found.id], why)
        return rows.by_id(conn, found.id)


def resume(store: Store, reference: str, *, now: datetime, summary: bool = True) -> Subscription:
    """Goes on. What came meanwhile goes out in one summary (to a program: one by one), or, without, is dropped."""
    with store.write() as conn:
        found = rows.find(conn, reference)
        rows.change(conn, [found.id], paused_at=None, paused_because=None)
        problems.end(conn, SOURCE, [subscription_url(found.name)], now=now)
        if summary:
            letter = channel_of(found.to).form is Form.LETTER
            ledger.move(conn, [found.id], "held", "pending", RESUMED if letter else None, due_at=now)
        else:
            ledger.move(conn, [found.id], "held", "dropped", "came while paused")
        return rows.by_id(conn, found.id)


def remove(store: Store, reference: str, *, now: datetime) -> Subscription:
    """Ends it: nothing that waits is sent any more. Raises NoSuchSubscriptionError."""
    with store.write() as conn:
        found = rows.find(conn, reference)
        _end(conn, [found], "the subscription was ended", now)
        return rows.by_id(conn, found.id)


def unsubscribe(store: Store, scope: Scope, *, now: datetime) -> list[Subscription]:
    """Ends exactly what a message served. Twice changes nothing."""
    with store.write() as conn:
        if scope.message_id is not None:
            ids = {
                row.subscription_id for row in ledger.of_messages(conn, [scope.message_id])[scope.message_id]
            }
        else:
            ids = set(scope.subscription_ids)
        found = [s for s in rows.by_ids(conn, ids).values() if s.ended_at is None]
        _end(conn, found, "unsubscribed", now)
        return found


def unsubscribe_all(store: Store, to: str, *, now: datetime) -> list[Subscription]:
    """Ends all subscriptions of an address."""
    with store.write() as conn:
        found = rows.to_address(conn, to)
        _end(conn, found, "unsubscribed", now)
        return found


def forget(store: Store, to: str, *, now: datetime) -> int:
    """Erases a person's data: the address, names, notes and queries of its subscriptions, the messages to it.

    Only a hash of the address stays, so that it is not written to again. Returns how many subscriptions there were.
    """
    with store.write() as conn:
        found = rows.to_address(conn, to, ended=True)
        erase(conn, found, now=now)
        erasing.erase_messages(conn, to)
        erasing.erase_notices(conn)
        suppressions.add(conn, address_hash(to), "erased", now=now)
        return len(found)


def end_what_is_over(conn: Connection, setup: Setup, *, now: datetime) -> list[Subscription]:
    """Ends what has expired and what followed a question to its end. What it heard before still goes out."""
    today = now.astimezone(setup.zone).date()
    with_end = rows.with_an_end(conn)
    settled = settled_on(conn, [s.follows for s in with_end if s.follows])
    over = [
        s
        for s in with_end
        if expired(s, today) or (s.follows in settled and settled[s.follows] + FOLLOWED_FOR < today)
    ]
    rows.change(conn, [s.id for s in over], ended_at=now)
    _settle_problems(conn, over, now)
    return over


def _end(conn: Connection, found: list[Subscription], why: str, now: datetime) -> None:
    ids = [subscription.id for subscription in found]
    if ids:
        rows.change(conn, ids, ended_at=now)
        cancel(conn, ids, why)
        _settle_problems(conn, found, now)


def _settle_problems(conn: Connection, over: list[Subscription], now: datetime) -> None:
    """That a subscription was paused or broken needs nobody's attention once it is over."""
    problems.end(conn, SOURCE, [subscription_url(subscription.name) for subscription in over], now=now)
