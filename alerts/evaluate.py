"""What a query means for one document, word by word: whether it holds, and which places in the text make it hold.

This is the definition; `alerts.matcher` finds out which of many queries to ask it about, and `storage.search` which
documents. `parts` are the parts that are looked into: all of them, or the one of a `question:(…)`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from alerts.tree import (
    And,
    Dates,
    Exact,
    Field,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Scope,
    Topic,
    Word,
)
from storage.analyse import inflected, words
from storage.document import PARTS, Document, PartName

Span = tuple[int, int]
"""Positions of the first word and after the last."""


@dataclass(frozen=True, slots=True)
class Match:
    """A place that makes a query hold; `start` and `end` in code points of the part's text."""

    part: PartName
    text: str
    start: int
    end: int


def matches(query: Query, document: Document) -> bool:
    return holds(query.tree, document)


def holds(node: Node, document: Document, parts: Sequence[PartName] = PARTS) -> bool:
    """Whether the node is true of the document."""
    match node:
        case Word(text):
            return _has_stem(inflected(text), document, parts)
        case And(children):
            return all(holds(child, document, parts) for child in children)
        case Or(children):
            return any(holds(child, document, parts) for child in children)
        case Not(child):
            return not holds(child, document, parts)
        case Phrase() | Prefix():
            return _has_run(run_of(node), document, parts)
        case Scope(part, child):
            return holds(child, document, (part,))
        case Topic(_, child):
            return holds(child, document, parts)
        case _:
            return _holds_rarer(node, document, parts)


def _holds_rarer(node: Field | Dates | Near | Exact, document: Document, parts: Sequence[PartName]) -> bool:
    match node:
        case Field(name, value):
            return f"{name}:{value}" in document.fields
        case Dates(name, first, last):
            day = document.dates.get(name)
            return day is not None and (first is None or first <= day) and (last is None or day <= last)
        case Near():
            return any(_near_spans(node, document, part) for part in parts)
        case Exact():
            run = run_of(Phrase(folded_of(node)))
            return _has_run(run, document, parts) and any(spans(node, document, part) for part in parts)


def folded_of(node: Exact) -> tuple[str, ...]:
    """The folded forms of exact words."""
    return tuple(words(" ".join(node.words)))


def run_of(node: Phrase | Prefix) -> str:
    """The text that occurs in `Document.joined` where the node holds."""
    if isinstance(node, Prefix):
        return f" {node.text}"
    return f" {' '.join(node.words)}{'' if node.prefix else ' '}"


def _has_stem(stem: str, document: Document, parts: Sequence[PartName]) -> bool:
    if parts is PARTS:
        return stem in document.tokens
    return any(stem in document.parts[part].stems for part in parts)


def _has_run(run: str, document: Document, parts: Sequence[PartName]) -> bool:
    if parts is PARTS:
        return run in document.joined
    return any(run in document.parts[part].joined for part in parts)


def spans(node: Node, document: Document, part: PartName) -> list[Span]:
    """Where a word, prefix, phrase, exact word, or an OR of them occurs in a part, in order."""
    words_of = document.parts[part]
    match node:
        case Word(text):
            stem = inflected(text)
            if stem not in words_of.stems:
                return []
            return [(i, i + 1) for i, form in enumerate(words_of.inflected) if form == stem]
        case Prefix() | Phrase() if run_of(node) not in words_of.joined:
            return []  # most have none, and looking in one string is quicker than looking at each word
        case Prefix(text):
            return [(i, i + 1) for i, form in enumerate(words_of.folded) if form.startswith(text)]
        case Phrase(phrase, prefix):
            return _runs(words_of.folded, phrase, prefix=prefix)
        case Exact(exact):
            return _runs([place.exact for place in words_of.places], exact, prefix=False)
        case Or(children):
            return sorted({span for child in children for span in spans(child, document, part)})
        case _:
            raise TypeError(f"{node!r} has no places")


def _runs(forms: Sequence[str], phrase: tuple[str, ...], *, prefix: bool) -> list[Span]:
    whole = phrase[:-1] if prefix else phrase
    size = len(phrase)
    return [
        (i, i + size)
        for i in range(len(forms) - size + 1)
        if tuple(forms[i : i + len(whole)]) == whole
        and (not prefix or forms[i + size - 1].startswith(phrase[-1]))
    ]


def _near_spans(node: Near, document: Document, part: PartName) -> set[Span]:
    """The places of both operands that have one of the other near enough."""
    left = spans(node.left, document, part)
    if not left:
        return set()
    right = spans(node.right, document, part)
    return _with_neighbour(left, right, node.distance) | _with_neighbour(right, left, node.distance)


def _with_neighbour(places: list[Span], others: list[Span], distance: int) -> set[Span]:
    """Those of `places` with one of `others` at most `distance` words before or after, and not on the same word."""
    if not places or not others:
        return set()
    starts = sorted(start for start, _ in others)
    ends = sorted(end for _, end in others)
    found = set()
    for start, end in places:
        after, before = bisect_left(starts, end), bisect_right(ends, start) - 1
        if (after < len(starts) and starts[after] - end < distance) or (
            before >= 0 and start - ends[before] < distance
        ):
            found.add((start, end))
    return found


def matched(query: Query, document: Document) -> list[Match]:
    """Every place of the positive words of the branches that hold, by part, start and end; empty where none does."""
    found: set[tuple[PartName, Span]] = set()
    _collect(query.tree, document, PARTS, found, positive=True)
    return [
        _match(document, part, span)
        for part, span in sorted(found, key=lambda place: (PARTS.index(place[0]), place[1]))
    ]


def _match(document: Document, part: PartName, span: Span) -> Match:
    words_of = document.parts[part]
    start, end = words_of.places[span[0]].start, words_of.places[span[1] - 1].end
    return Match(part, words_of.text[start:end], start, end)


def _collect(
    node: Node,
    document: Document,
    parts: Sequence[PartName],
    found: set[tuple[PartName, Span]],
    *,
    positive: bool,
) -> None:
    """Adds the places of the node if it is as wanted: true where `positive`, false under a NOT."""
    if holds(node, document, parts) is not positive:
        return
    match node:
        case And(children) | Or(children):
            for child in children:
                _collect(child, document, parts, found, positive=positive)
        case Not(child):
            _collect(child, document, parts, found, positive=not positive)
        case Scope(part, child):
            _collect(child, document, (part,), found, positive=positive)
        case Topic(_, child):
            _collect(child, document, parts, found, positive=positive)
        case Field() | Dates():
            pass
        case _ if positive:
            found.update((part, span) for part in parts for span in leaf_spans(node, document, part))


def leaf_spans(node: Node, document: Document, part: PartName) -> list[Span]:
    """As `spans`, and for a NEAR the places of its pairs that hold."""
    return (
        sorted(_near_spans(node, document, part)) if isinstance(node, Near) else spans(node, document, part)
    )
