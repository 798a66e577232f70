"""Sending once more, on demand: what failed, what a webhook already had, and a test of a webhook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from alerts.channel import Form, Outgoing, channel_of
from alerts.errors import AlertsError
from alerts.posting import message_id
from alerts.setup import Setup
from storage import ledger, messages
from storage import subscriptions as rows
from storage.store import Store
from storage.subscriptions import Subscription


class NoWebhookError(AlertsError):
    """The subscription has no webhook."""


def retry(store: Store, *, now: datetime, ids: Sequence[int] | None = None) -> int:
    """Gives deliveries that failed for good another go with the next run: all, or those rows of the ledger.

    Returns how many messages that are. Raises AlertsError for a row that did not fail.
    """
    with store.write() as conn:
        failed = {row.id: row.message_id for row in ledger.listed(conn, states=("failed",))}
        wrong = [row for row in ids or () if row not in failed]
        if wrong:
            raise AlertsError(f"delivery {wrong[0]} has not failed; `pqwatch deliveries` lists what has")
        wanted = {name for row, name in failed.items() if name and (ids is None or row in ids)}
        revived = messages.revive(conn, sorted(wanted), now=now)
        ledger.reopen(conn, sorted(wanted))
        return revived


def try_webhook(subscription: Subscription, setup: Setup, *, now: datetime) -> None:
    """Posts a signed test event to the receiver, at once. Raises SendError where it is not taken."""
    _of_webhook(subscription)
    body = {
        "event": "test",
        "subscription": {"id": subscription.id, "name": subscription.name},
        "sent": now.isoformat(),
    }
    name = message_id(False, ["test", subscription.token, now.isoformat()], "")
    sender = channel_of(subscription.to).sender(setup)
    sender.send(Outgoing(name, subscription.to, orjson.dumps(body), subscription.secret))


def replay(store: Store, reference: str, *, now: datetime) -> int:
    """Sends all that a webhook had once more with the next run, in order, under the same ids. Returns how many."""
    with store.write() as conn:
        subscription = rows.find(conn, reference)
        _of_webhook(subscription)
        done = ledger.listed(conn, subscription_id=subscription.id, states=("sent", "failed"))
        wanted = [row.message_id for row in done if row.message_id is not None]
        messages.send_again(conn, wanted, now=now)
        ledger.reopen(conn, wanted)
        return len(wanted)


def _of_webhook(subscription: Subscription) -> None:
    if channel_of(subscription.to).form is not Form.EVENT:
        raise NoWebhookError(
            f"{subscription.name} has no webhook: it goes to {subscription.to.partition(':')[0]}:"
        )
