"""From the rows of a message to its letter: items, reasons, subject. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from alerts.compose import links
from alerts.compose.letter import Item, Letter, Reason
from alerts.compose.stories import grouped
from alerts.setup import Setup
from alerts.signing import make_token
from storage.ledger import Delivery
from storage.records import Kind, Record
from storage.subscriptions import Subscription

UNSUBSCRIBE = "unsubscribe"
"""Purpose of the tokens behind `List-Unsubscribe`; their value is `m/` and a message id, or `s/` and a subscription id."""

MOST_WHOLE = 100
"""Items of one message that are shown whole; the others are named with their links, so that all can be reached."""

CATCH_UP = "catch-up"
RESUMED = "resumed"
_ORDER = {str(kind): n for n, kind in enumerate(Kind)}


def letter_of(
    message_id: str,
    rows: Sequence[Delivery],
    subscriptions: dict[int, Subscription],
    items: Sequence[Item],
    setup: Setup,
    *,
    composed_at: datetime,
) -> Letter:
    """The letter of a message. `items` as `merge` gives them; `composed_at` is the real clock."""
    first = subscriptions[rows[0].subscription_id]
    token = make_token(setup.secret, UNSUBSCRIBE, f"m/{message_id}")
    return Letter(
        id=message_id,
        to=first.to,
        sender=setup.mail_from,
        subject=subject(items, rows[0].reason),
        composed_at=composed_at,
        lines=lead(items, first.every, rows[0].reason),
        items=tuple(items[:MOST_WHOLE]),
        more=tuple(items[MOST_WHOLE:]),
        unsubscribe=links.unsubscribe(setup.public_url, token),
        public_url=setup.public_url,
    )


def reason_of(subscription: Subscription) -> Reason:
    return Reason(subscription.id, subscription.name, subscription.query, subscription.note)


def merge(items: Sequence[tuple[Item, Record]]) -> list[Item]:
    """Questions with one answer become one item that names them all, with all the reasons."""
    groups: dict[object, list[Item]] = {}
    for item, record in items:
        groups.setdefault(_one_text(item, record), []).append(item)
    return [_merged(group) for group in groups.values()]


def strongest(kinds: Sequence[str]) -> str:
    """The kind that names an item which several subscriptions hear as different things."""
    return min(kinds, key=lambda kind: _ORDER.get(kind, len(_ORDER)))


def subject(items: Sequence[Item], reason: str | None) -> str:
    """The substance first; of several, how many and the first."""
    first = items[0].story.title
    told = first if len(items) == 1 else f"{len(items)} items: {first}; and {len(items) - 1} more"
    heads = {CATCH_UP: "Catch-up: ", RESUMED: "While paused: "}
    return heads.get(reason or "", "") + told


def lead(items: Sequence[Item], every: str, reason: str | None) -> tuple[str, ...]:
    """The paragraph before the items; none where one item speaks for itself."""
    count = "one item" if len(items) == 1 else f"{len(items)} items"
    if reason == CATCH_UP:
        return (f"What your alerts find in the questions and answers stored before they began: {count}.",)
    if reason == RESUMED:
        return (f"What came while your alerts were paused: {count}.",)
    if len(items) == 1:
        return ()
    names = {"hourly": "This hour", "daily": "Today", "weekly": "This week"}
    return (f"{names.get(every, 'Just now')}: {count}.",)


def _one_text(item: Item, record: Record) -> object:
    content = record.content
    if not content.grouped_with or not content.answer_text or item.story.kind == "overdue":
        return (item.story.key, item.story.event)
    return (item.story.kind, frozenset({record.key, *content.grouped_with}), content.answer_text)


def _merged(group: Sequence[Item]) -> Item:
    if len(group) == 1:
        return group[0]
    reasons = dict.fromkeys(reason for item in group for reason in item.reasons)
    return Item(grouped([item.story for item in group]), tuple(reasons))
