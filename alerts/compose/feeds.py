"""Atom (RFC 4287) and JSON Feed 1.1 of a subscription, from the stories of its ledger rows. Pure.

One entry a version with an id that never changes; `updated` is when the version was observed, so it moves with content
only. Texts are whole.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from lxml import etree
from markupsafe import escape

from alerts.compose.html import story_html
from alerts.compose.letter import Item
from alerts.compose.text import reason_lines
from alerts.setup import Setup
from storage.shape import time_to_json
from storage.subscriptions import Subscription

_ATOM = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One version (or overdue day) of one question; `id` as `entry_id` makes it."""

    id: str
    item: Item
    updated: datetime


def entry_id(setup: Setup, question_id: int, event: str) -> str:
    """A `urn:uuid:` that no other installation gives and that stays whatever the question's key becomes."""
    ours = uuid.uuid5(uuid.NAMESPACE_URL, f"pqwatch:{setup.secret}")
    return uuid.uuid5(ours, f"{question_id} {event}").urn


def atom(subscription: Subscription, entries: Sequence[Entry], address: str, setup: Setup) -> bytes:
    """The feed document; `address` is its own."""
    feed = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    _add(feed, "title", _title(subscription))
    _add(feed, "id", entry_id(setup, subscription.id, "feed"))
    _add(feed, "updated", time_to_json(_updated(subscription, entries)))
    _add(feed, "link", rel="self", type="application/atom+xml", href=address)
    _add(feed, "link", rel="alternate", type="text/html", href=setup.public_url)
    _add(_add(feed, "author"), "name", "pqwatch")
    _add(feed, "generator", "pqwatch")
    for entry in entries:
        _entry(feed, entry)
    return bytes(etree.tostring(feed, xml_declaration=True, encoding="utf-8"))


def json_feed(subscription: Subscription, entries: Sequence[Entry], address: str, setup: Setup) -> bytes:
    """The feed document; `address` is its own."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": _title(subscription),
        "home_page_url": setup.public_url,
        "feed_url": address,
        "authors": [{"name": "pqwatch"}],
        "language": "en-GB",
        "items": [_json_item(entry) for entry in entries],
    }
    return orjson.dumps(document)


def _entry(feed: Any, entry: Entry) -> None:
    story = entry.item.story
    element = _add(feed, "entry")
    _add(element, "id", entry.id)
    _add(element, "title", story.title)
    _add(element, "updated", time_to_json(entry.updated))
    _add(element, "published", time_to_json(entry.updated))
    _add(element, "link", rel="alternate", type="text/html", href=story.page)
    if story.official:
        _add(element, "link", rel="via", type="text/html", href=story.official)
    _add(element, "category", term=story.kind)
    _add(element, "content", _content(entry), type="html")


def _json_item(entry: Entry) -> dict[str, Any]:
    story = entry.item.story
    item = {
        "id": entry.id,
        "url": story.page,
        "title": story.title,
        "content_html": _content(entry),
        "date_published": time_to_json(entry.updated),
        "date_modified": time_to_json(entry.updated),
        "tags": [story.kind],
        "_pqwatch": {"key": story.key, "event": story.event, "matched": list(story.matched)},
    }
    return {**item, "external_url": story.official} if story.official else item


def _content(entry: Entry) -> str:
    reasons = "".join(f"<p>{escape(line)}</p>" for line in reason_lines(entry.item))
    return f"{story_html(entry.item.story)}{reasons}"


def _title(subscription: Subscription) -> str:
    return _NO_XML.sub("", f"pqwatch: {subscription.name}")


def _updated(subscription: Subscription, entries: Sequence[Entry]) -> datetime:
    return max((entry.updated for entry in entries), default=subscription.created_at)


def _add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    element = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    element.text = None if text is None else _NO_XML.sub("", text)
    return element
