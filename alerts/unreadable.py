"""Subscriptions whose stored query this version cannot read: kept and marked with the reason, their owners told once.

Receivers of letters are told themselves; of webhooks and feeds the operator hears (`alerts.problems`).
"""

from __future__ import annotations

from datetime import datetime

from alerts.audience import Audience, query_of
from alerts.channel import Form, channel_of
from alerts.compose import notes
from alerts.errors import AlertsError
from alerts.posting import host_of, message_id
from alerts.problems import SOURCE, subscription_url
from alerts.setup import Setup
from storage import ledger, messages, problems
from storage import subscriptions as rows
from storage.store import Store


def read_again(store: Store, setup: Setup, *, now: datetime) -> None:
    """Takes the mark from those that can be read after all, as after an update; they hear from now on."""
    with store.read() as conn:
        marked = rows.broken(conn)
    for subscription in marked:
        try:
            query_of(subscription, setup)
        except AlertsError:
            continue
        with store.write() as conn:
            rows.change(conn, [subscription.id], broken=None)
            problems.end(conn, SOURCE, [subscription_url(subscription.name)], now=now)


def mark(store: Store, audience: Audience, setup: Setup, *, now: datetime) -> None:
    """Marks those that could not be read, and tells their owners with the messages to be sent."""
    reasons = audience.unreadable()
    if not reasons:
        return
    with store.write() as conn:
        ledger.one_matcher(conn)
        for subscription in rows.by_ids(conn, reasons).values():
            if subscription.broken is not None or subscription.ended_at is not None:
                continue
            why = reasons[subscription.id]
            rows.change(conn, [subscription.id], broken=why)
            channel = channel_of(subscription.to)
            if channel.form is Form.LETTER:
                about = ["unreadable", str(subscription.id), now.isoformat()]
                name = message_id(channel.mail_ids, about, host_of(setup))
                letter = notes.unreadable(subscription, why, name, setup, composed_at=setup.clock())
                messages.add(conn, name, subscription.to, channel.compose(letter), now=now)
