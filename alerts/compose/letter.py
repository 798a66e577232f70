"""What a message holds, before a channel gives it a form.

`Story` is what several messages share: one event of one question (or of a group with one answer) with the words that
matched. It is compared by identity, so that what is made of it is made once however many receive it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `marked` where it matched."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """What is shown of one part of a question; stretches left out are marked by an ellipsis of their own."""

    label: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed in one part, as text and as safe HTML; `cells` names changes in a table by row and column."""

    label: str
    text: str
    html: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question that a story names: a group has several."""

    key: str
    line: str
    page: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Story:
    """All texts are cleaned for showing; `shape` is the exact `show` shape for programs."""

    key: str
    event: str
    number: int
    kind: str
    title: str  # "Answered: Drugs: Smuggling (Home Office)"
    word: str  # "Answered"
    heading: tuple[Piece, ...]
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    differences: tuple[Difference, ...] = ()
    questions: tuple[Question, ...] = ()
    page: str
    official: str | None = None
    observed_at: datetime
    shape: Mapping[str, Any]
    matched: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """A subscription that a story is sent for."""

    id: int
    name: str
    query: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    story: Story
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message. `to` is the subscription's address; `composed_at` is the real clock, for a mail's `Date`."""

    id: str
    to: str
    sender: str
    subject: str
    composed_at: datetime
    lines: tuple[str, ...] = ()  # paragraphs before the items
    items: tuple[Item, ...] = ()
    more: tuple[Item, ...] = ()  # of a long digest: named with their links only
    action: tuple[str, str] | None = None  # words and address of the one button
    unsubscribe: str | None = None  # the address that acts on POST
    public_url: str = ""
