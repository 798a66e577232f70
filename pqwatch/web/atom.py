"""The Atom feed (RFC 4287) of a search: one entry for each state of a question's texts, whole.

An entry's id follows the question and the moment its texts last changed, so a change of content is a new entry and a change
of layout none.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lxml import etree
from markupsafe import Markup, escape
from sqlalchemy import Connection, select

from pqwatch.web import render
from pqwatch.web.site import Site
from storage import questions
from storage.bulk import among
from storage.records import Record
from storage.schema import questions as table
from storage.shape import time_to_json, url_of

MOST = 50
"""Entries of a feed: the newest."""

_ATOM = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "pqwatch:search")


def feed(conn: Connection, records: Sequence[Record], text: str, site: Site) -> bytes:
    """The feed of a search; `text` is its query."""
    ids = questions.ids_of(conn, [record.key for record in records])
    columns = select(table.c.id, table.c.text_observed_at).where(among(conn, table.c.id, ids.values()))
    changed: dict[int, datetime] = {row.id: row.text_observed_at for row in conn.execute(columns)}
    base = site.setup.public_url.rstrip("/")
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
    _add(root, "title", f"pqwatch: {text}")
    _add(root, "id", uuid.uuid5(_NAMESPACE, f"{base} {text}").urn)
    _add(root, "updated", time_to_json(max(changed.values(), default=site.now)))
    _add(root, "link", rel="self", type="application/atom+xml", href=base + _address("/search.atom", text))
    _add(root, "link", rel="alternate", type="text/html", href=base + _address("/", text))
    _add(_add(root, "author"), "name", "pqwatch")
    for record in records:
        number = ids[record.key]
        _entry(root, record, f"{base} {number} {changed[number].isoformat()}", changed[number], base)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


def _address(path: str, text: str) -> str:
    return render.address(path, {"q": text})


def _entry(root: Any, record: Record, name: str, changed: datetime, base: str) -> None:
    entry = _add(root, "entry")
    _add(entry, "id", uuid.uuid5(_NAMESPACE, name).urn)
    _add(entry, "title", _title(record))
    _add(entry, "updated", time_to_json(changed))
    _add(entry, "link", rel="alternate", type="text/html", href=base + render.key_path(record.key))
    official = url_of(record)
    if official and render.link(official) != "#":
        _add(entry, "link", rel="via", type="text/html", href=official)
    _add(entry, "category", term=record.state.value)
    _add(entry, "content", str(_content(record)), type="html")


def _title(record: Record) -> str:
    content = record.content
    body = f" ({content.answering_body.name})" if content.answering_body else ""
    return f"{render.STATES[record.state]}: {content.heading or record.key}{body}"


def _content(record: Record) -> Markup:
    content = record.content
    question = Markup("<p>{}</p>").format(content.question_text) if content.question_text else Markup()
    answer = render.safe_html(content.answer_html) or escape(content.answer_text or "")
    return question + answer


def _add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    safe = {key: _NO_XML.sub("", value) for key, value in attributes.items()}
    element = etree.SubElement(parent, f"{{{_ATOM}}}{name}", safe)
    element.text = None if text is None else _NO_XML.sub("", text)
    return element
