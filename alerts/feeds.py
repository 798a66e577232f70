"""The private feeds of a subscription, as the web serves them: body, type, ETag and time of the last change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerts.compose import links
from alerts.compose.feeds import Entry, atom, entry_id, json_feed
from alerts.composer import Composer
from alerts.setup import Setup
from storage import ledger
from storage import subscriptions as rows
from storage.store import Store

MOST = 100
"""Entries of a feed: the newest."""

_SHOWN = ("pending", "sent", "failed")
_TYPES = {"atom": "application/atom+xml; charset=utf-8", "json": "application/feed+json; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Feed:
    """A document to be served. `etag` is strong: the same bytes, the same tag."""

    body: bytes
    content_type: str
    etag: str
    modified: datetime


def feed(
    store: Store, token: str, suffix: Literal["atom", "json"], setup: Setup, *, now: datetime
) -> Feed | None:
    """The feed under a secret address; null where there is none (also when its subscription ended).

    It holds what was due by now, also where a mail or webhook of the same subscription failed.
    """
    with store.read() as conn:
        subscription = rows.by_token(conn, token)
        if subscription is None or not subscription.active:
            return None
        found = ledger.listed(conn, subscription_id=subscription.id, states=_SHOWN, until=now, limit=MOST)
        items = Composer(conn, setup, whole=True).items(found)
    entries = [
        Entry(entry_id(setup, row.question_id, row.event), item, item.story.observed_at)
        for row, item in zip(found, items, strict=True)
    ]
    entries.sort(key=lambda entry: entry.updated, reverse=True)
    make = atom if suffix == "atom" else json_feed
    body = make(subscription, entries, links.feed(setup.public_url, token, suffix), setup)
    modified = max((entry.updated for entry in entries), default=subscription.created_at)
    return Feed(body, _TYPES[suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"', modified)
