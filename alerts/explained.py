"""Why a question was told to a subscription, or was not: version by version, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from alerts import explain as trees
from alerts.audience import Audience, query_of
from alerts.hearing import begun, expired, is_silent
from alerts.matching import Archive, hear
from alerts.reporting import events
from alerts.setup import Setup
from storage import history
from storage.changes import Change
from storage.history import Made, VersionFacts
from storage.schema import questions
from storage.shape import time_to_json
from storage.subscriptions import Subscription


def explanation(
    conn: Connection, subscription: Subscription, question_id: int, setup: Setup, *, now: datetime
) -> dict[str, Any]:
    """The shape `explain`: `tree` of the newest version, `events` of the ledger, and `versions`: for each
    `{"version", "kinds", "matches", "why"}`. Raises QueryError for a query that cannot be read any more."""
    row = conn.execute(select(questions.c.key, questions.c.number).where(questions.c.id == question_id)).one()
    archive = Archive(conn, setup.zone)
    archive.load([(question_id, n) for n in range(1, row.number + 1)])
    document = archive.document((question_id, row.number), now)
    assert document is not None  # noqa: S101  # a question has the version that it names
    tree = trees.explain(query_of(subscription, setup), document)
    return {
        "subscription": {"id": subscription.id, "name": subscription.name},
        "key": row.key,
        "version": row.number,
        "matches": tree["holds"],
        "tree": tree,
        "versions": _versions(archive, subscription, question_id, row.number, setup, now),
        "events": events(conn, subscription.id, question_id),
    }


def _versions(
    archive: Archive, subscription: Subscription, question_id: int, newest: int, setup: Setup, now: datetime
) -> list[dict[str, Any]]:
    audience = Audience(setup)
    audience.only(subscription)
    made = history.of_question(archive.conn, question_id)
    told = history.standing(archive.conn, [question_id])
    shown = []
    for number in range(1, newest + 1):
        change = Change(0, question_id, f"v{number}", number, backfilled=False)
        document = archive.document((question_id, number), now)
        matches = document is not None and bool(audience.match(document))
        facts = archive.facts[question_id, number]
        if (subscription.id, question_id, change.event) in told:
            why = "it is in the ledger: see the events"
        else:
            heard = [each.kind for each in hear(archive, audience, change, now, listens=lambda _: True)]
            why = _why_not(subscription, setup, facts, matches, heard, made.get(change.event))
        shown.append(
            {"version": number, "kinds": [str(kind) for kind in facts.kinds], "matches": matches, "why": why}
        )
    return shown


def _why_not(
    subscription: Subscription,
    setup: Setup,
    facts: VersionFacts,
    matches: bool,
    heard: Sequence[str],
    made: Made | None,
) -> str:
    """The first of the rules that kept it from the ledger."""
    if is_silent(facts):
        return (
            "it is only our own reading that changed, or a text that was put together again: never told alone"
        )
    if not heard and not matches:
        return "the query matches neither this version nor the one before"
    if not heard:
        return f"it matches, but is none of what the subscription hears of: {', '.join(subscription.on)}"
    if facts.backfilled or made is None:
        return "it was backfilled: never told one by one; `pqwatch catch-up` sends it"
    if not begun(subscription, made.made_at):
        begins = subscription.begins_at
        return (
            f"the subscription began later: {time_to_json(begins)}" if begins else "it waits for confirmation"
        )
    if expired(subscription, made.made_at.astimezone(setup.zone).date()):
        return f"the subscription had expired: {subscription.expires_on}"
    if subscription.ended_at is not None and subscription.ended_at <= made.made_at:
        return f"the subscription had ended: {time_to_json(subscription.ended_at)}"
    if made.done_at is None:
        return "it waits for the next `pqwatch alerts run`"
    return "it should be in the ledger and is not: `pqwatch audit` looks for more of its kind"
