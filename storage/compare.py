"""When two sources mean the same: texts, Members and bodies compared without the accidents of typesetting. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from typing import Any

from storage.bodies import names_of
from storage.fingerprint import even
from storage.records import Attachment, Body, Content, Discrepancy, Member

_QUOTES = dict.fromkeys(
    map(ord, "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2032\u2033`\u00b4'\""), "'"
)
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
_FOLD = {**_QUOTES, **_DASHES}
_TITLES = re.compile(
    r"^(?:the |rt |right |hon |honourable |mr |mrs |ms |miss |mx |dr |prof |professor |sir |dame |rev |reverend )+"
)
_NOT_COMPARED = frozenset(
    # identity itself; mark-up; our own finding; files and links, which the sources name each in their own way
    {"house", "uin", "answer_html", "lapsed", "attachments", "links"}
)


def plain(text: str | None) -> str:
    """The text without what typesetting changes: white space, quotation marks, dashes, ligatures."""
    if not text:
        return ""
    folded = unicodedata.normalize("NFKC", even(text)).translate(_FOLD)
    return "".join(folded.split())


def same_member(one: Member | None, other: Member | None) -> bool:
    """By Parliament's id where both have one, otherwise by name."""
    if one is None or other is None:
        return one is other
    if one.id is not None and other.id is not None:
        return one.id == other.id
    return _name(one.name) == _name(other.name)


def same_body(one: Body | None, other: Body | None) -> bool:
    """By id where both have one (names change with the machinery of government), otherwise by any of its names."""
    if one is None or other is None:
        return one is other
    if one.id is not None and other.id is not None:
        return one.id == other.id
    return not _names(one).isdisjoint(_names(other))


def _names(body: Body) -> set[str]:
    return {_name(name.replace("&", " and ")) for name in names_of(body)}


def _name(name: str) -> str:
    words = re.sub(r"[^\w]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()
    return _TITLES.sub("", words + " ").strip()


def discrepancies(
    held: Content, source: str, other: Content, seen: Collection[str]
) -> tuple[Discrepancy, ...]:
    """The fields, of those that another source has shown, in which it differs from what is held; both as text."""
    return tuple(
        Discrepancy(source, name, as_text(held, name), as_text(other, name))
        for name in sorted(seen)
        if name not in _NOT_COMPARED and not _agree(name, held, other)
    )


def agrees(here: str | None, there: str | None) -> bool:
    """Whether two texts of a discrepancy still are one."""
    return plain(here) == plain(there)


def as_text(content: Content, name: str) -> str | None:
    """One field as text; null where it is empty."""
    return _text(getattr(content, name))


def _agree(name: str, here: Content, there: Content) -> bool:
    one, other = getattr(here, name), getattr(there, name)
    if isinstance(one, Member) and isinstance(other, Member):
        return same_member(one, other)
    if isinstance(one, Body) and isinstance(other, Body):
        return same_body(one, other)
    return agrees(_text(one), _text(other))


def _text(value: Any) -> str | None:
    if value is None or value == "" or value == ():
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Member | Body):
        return value.name
    if isinstance(value, tuple):
        return ", ".join(each.title if isinstance(each, Attachment) else str(each) for each in value)
    return str(value)
