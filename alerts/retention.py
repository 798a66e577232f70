"""What is kept of a person, and until which day: subscriptions that are over or were never confirmed, bodies of messages.

The ledger stands: ids, events and times, without which nobody could prove what was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from sqlalchemy import Connection

from alerts.problems import SOURCE, subscription_url
from alerts.schedule import local_moment
from alerts.sending import cancel
from alerts.setup import Setup
from storage import erasing, meta
from storage import subscriptions as rows
from storage.store import Store
from storage.subscriptions import Subscription

_DONE = "erased on"
_CHUNK = 1_000  # messages of one transaction, so that nobody waits long for the write lock
WHY = "erased"


def erase_what_is_old(store: Store, setup: Setup, *, now: datetime) -> int:
    """Once a day, with the first run. Returns how many subscriptions were erased.

    One for which something still waits to be sent is left for the day after.
    """
    today = now.astimezone(setup.zone).date()
    before = local_moment(today - timedelta(days=setup.retention_days - 1), time(), setup.zone)
    with store.read() as conn:
        if meta.get(conn, _DONE) == today.isoformat():
            return 0
    with store.write() as conn:
        found = erasing.over_since(conn, before)
        waiting = erasing.with_pending(conn, [subscription.id for subscription in found])
        due = [subscription for subscription in found if subscription.id not in waiting]
        erase(conn, due, now=now)
    while True:
        with store.write() as conn:
            if not erasing.erase_old_messages(conn, before, _CHUNK):
                break
    with store.write() as conn:
        meta.put(conn, _DONE, today.isoformat())
    return len(due)


def erase(conn: Connection, found: Sequence[Subscription], *, now: datetime) -> None:
    """Blanks subscriptions, and the messages to addresses of which no subscription is left; what waits is never sent."""
    ids = [subscription.id for subscription in found]
    rows.change(conn, [s.id for s in found if s.ended_at is None], ended_at=now)
    cancel(conn, ids, WHY)
    for subscription in found:
        erasing.erase_subscription(conn, subscription.id)
        erasing.erase_problem(conn, SOURCE, subscription_url(subscription.name), now=now)
    for to in dict.fromkeys(subscription.to for subscription in found):
        if not rows.to_address(conn, to, ended=True):
            erasing.erase_messages(conn, to)
