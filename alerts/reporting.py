"""The JSON shapes of `interface.md` that speak of subscriptions and deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from alerts.compose import links
from alerts.composer import Composer
from alerts.keeping import erased_on
from alerts.setup import Setup
from storage import ledger
from storage.ledger import Delivery
from storage.shape import time_to_json
from storage.subscriptions import Subscription


def subscription_shape(
    subscription: Subscription, setup: Setup, *, with_secret: bool = False
) -> dict[str, Any]:
    """As `subscribe` prints it; the secret of a webhook only when it is made."""
    return {
        "id": subscription.id,
        "name": subscription.name,
        "query": subscription.query,
        "to": subscription.to,
        "on": list(subscription.on),
        "every": subscription.every,
        "at": subscription.at,
        "days": list(subscription.days),
        "confirmed": subscription.confirmed_at is not None,
        "expires": subscription.expires_on.isoformat() if subscription.expires_on else None,
        "feed": links.feed(setup.public_url, subscription.token),
        "secret": subscription.secret if with_secret else None,
    }


def subscription_details(subscription: Subscription, setup: Setup) -> dict[str, Any]:
    """As `subscriptions list` and `show` print it: the shape of `subscribe` and how it stands."""
    return {
        **subscription_shape(subscription, setup),
        "note": subscription.note,
        "notice": subscription.notice,
        "follows": subscription.follows,
        "created": time_to_json(subscription.created_at),
        "begins": _time(subscription.begins_at),
        "paused": _time(subscription.paused_at),
        "paused_because": subscription.paused_because,
        "ended": _time(subscription.ended_at),
        "erased_on": erased.isoformat() if (erased := erased_on(subscription, setup)) else None,
        "broken": subscription.broken,
        "json_feed": links.feed(setup.public_url, subscription.token, "json"),
    }


def deliveries_shape(conn: Connection, rows: Sequence[Delivery], setup: Setup) -> list[dict[str, Any]]:
    """The items of `deliveries`. What matched is worked out anew from the text as it was sent."""
    matched = Composer(conn, setup).matched_by_row(rows)
    return [_delivery(row, matched[row.id]) for row in rows]


def _delivery(row: Delivery, matched: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "subscription": {"id": row.subscription_id, "name": row.subscription},
        "to": row.to,
        "key": row.key,
        "version": row.version,
        "event": row.event,
        "kind": row.kind,
        "matched": matched,
        "state": row.state,
        "reason": row.reason,
        "attempts": row.attempts,
        "created": time_to_json(row.created_at),
        "due": time_to_json(row.due_at),
        "sent": _time(row.sent_at),
        "message_id": row.message_id,
        "error": row.error,
    }


def events(conn: Connection, subscription_id: int, question_id: int) -> list[dict[str, Any]]:
    """What became of a question for a subscription, from the first event on: the `events` of `explain`."""
    rows = ledger.listed(conn, subscription_id=subscription_id, question_id=question_id)
    return [
        {
            "event": row.event,
            "kind": row.kind,
            "state": row.state,
            "reason": row.reason,
            "due": time_to_json(row.due_at),
            "sent": _time(row.sent_at),
            "message_id": row.message_id,
            "error": row.error,
        }
        for row in reversed(rows)
    ]


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_to_json(moment)
