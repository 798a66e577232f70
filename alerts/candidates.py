"""From a query's tree to what the full-text index can be asked: at least, and at most, what matches.

Where both are the same the index decides alone. Else the matcher looks at what lies between: NEAR, `=` and `source:`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from alerts import tree
from alerts.tree import Node
from storage.analyse import inflected, words
from storage.document import PartName
from storage.records import State
from storage.search_rows import EARLIER, OVERDUE_AFTER, encoded
from storage.search_terms import (
    EVERYTHING,
    NOTHING,
    Run,
    Start,
    Term,
    Token,
    Word,
    all_of,
    any_of,
    none_of,
)

_FIRST_YEAR, _LAST_YEAR = 1800, 2199
"""No question is dated outside these; an open range ends there."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """All that matches holds `upper`; all that holds `lower` matches."""

    upper: Term
    lower: Term

    @property
    def exact(self) -> bool:
        return self.upper == self.lower


Leaf = Callable[[Node, PartName | None], Bounds]


def now_matching(node: Node, today: date) -> Bounds:
    """Questions whose newest version matches. `today` (London) decides what is overdue."""
    return _bounds(node, None, lambda leaf, part: _leaf(leaf, part, today))


def days_of(node: Node) -> tuple[date | None, date | None]:
    """The first and the last day that the newest event of a match can have; null: open.

    An answered question's newest event is its answer, so `answered:` says where in the order of the archive to look.
    """
    children = node.children if isinstance(node, tree.And) else (node,)
    spans = [each for each in children if isinstance(each, tree.Dates) and each.name == "answered"]
    firsts, lasts = [each.first for each in spans if each.first], [each.last for each in spans if each.last]
    return max(firsts, default=None), min(lasts, default=None)


def ever_matching(node: Node) -> Term:
    """Questions of which any version may match: all that do, and some that do not."""
    return _bounds(node, None, _earlier_leaf).upper


def _bounds(node: Node, part: PartName | None, leaf: Leaf) -> Bounds:
    match node:
        case tree.And(children):
            return _joined([_bounds(child, part, leaf) for child in children], all_of)
        case tree.Or(children):
            return _joined([_bounds(child, part, leaf) for child in children], any_of)
        case tree.Not(child):
            inner = _bounds(child, part, leaf)
            return Bounds(none_of(inner.lower), none_of(inner.upper))
        case tree.Scope(only, child):
            return _bounds(child, only, leaf)
        case tree.Topic(_, child):
            return _bounds(child, part, leaf)
        case tree.Near(left, right, _):
            both = _joined([_bounds(left, part, leaf), _bounds(right, part, leaf)], all_of)
            return Bounds(both.upper, NOTHING)
        case _:
            return leaf(node, part)


def _joined(bounds: list[Bounds], join: Callable[[list[Term]], Term]) -> Bounds:
    return Bounds(join([each.upper for each in bounds]), join([each.lower for each in bounds]))


def _leaf(node: Node, part: PartName | None, today: date) -> Bounds:
    match node:
        case tree.Exact(written):
            return Bounds(_words(_folded(written), part), NOTHING)
        case tree.Field("source", value):
            return Bounds(_source(value), NOTHING)
        case tree.Field("is", "overdue"):
            term = _dates(OVERDUE_AFTER, None, today - timedelta(days=1))
        case _:
            term = _term(node, part)
    return Bounds(term, term)


def _term(node: Node, part: PartName | None) -> Term:
    match node:
        case tree.Word(text):
            return Word(inflected(text), part)
        case tree.Prefix(text):
            return Start(text, part)
        case tree.Phrase(held, prefix):
            return _words(held, part, prefix=prefix)
        case tree.Field(name, value):
            return Token(encoded(f"{name}:{value}"))
        case tree.Dates(name, first, last):
            return _dates(name, first, last)
        case _:
            raise TypeError(f"no leaf of a query: {node!r}")


def _words(held: tuple[str, ...], part: PartName | None, *, prefix: bool = False) -> Term:
    if len(held) > 1:
        return Run(held, prefix, part)
    return Start(held[0], part) if prefix else Token(held[0], part)


def _folded(written: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for each in written for word in words(each))


def _source(value: str) -> Term:
    """Sources are not indexed, as they come without a version; but nothing else shows feed items."""
    published = Token(encoded(f"state:{State.PUBLISHED}"))
    return published if value == "feeds" else EVERYTHING


def _earlier_leaf(node: Node, part: PartName | None) -> Bounds:
    """A leaf that may hold in any version: of its parts and places the index knows nothing, nor of some fields."""
    match node:
        case tree.Exact(written):
            term = all_of(_either(word) for word in _folded(written))
        case tree.Word(text):
            stem = inflected(text)
            term = any_of([Word(stem), Word(stem, mark=EARLIER)])
        case tree.Prefix(text):
            term = _either(text, prefix=True)
        case tree.Phrase(held, prefix):
            last = _either(held[-1], prefix=prefix)
            term = all_of([*(_either(word) for word in held[:-1]), last])
        case tree.Field("source" | "is" | "key", _):
            term = EVERYTHING
        case _:
            term = _marked(_term(node, part))
    return Bounds(term, NOTHING)


def _either(word: str, *, prefix: bool = False) -> Term:
    kind = Start if prefix else Token
    return any_of([kind(word), kind(EARLIER + word)])


def _marked(term: Term) -> Term:
    """A field now or earlier. What it is not now, it may have been: a date's range is asked for in its whole."""
    if isinstance(term, Token):
        return _either(term.text)
    return any_of([term, *(Token(EARLIER + each.text) for each in _tokens(term))])


def _tokens(term: Term) -> list[Token]:
    match term:
        case Token():
            return [term]
        case Word() | Start() | Run():
            return []
        case _:
            inner = term.of if isinstance(term.of, tuple) else (term.of,)
            return [token for each in inner for token in _tokens(each)]


def _dates(name: str, first: date | None, last: date | None) -> Term:
    """A range of days as few tokens: whole decades, years and months, and the days that are left over."""
    if first is None and last is None:
        return Token(encoded(f"{name}:"))
    start = first or date(_FIRST_YEAR, 1, 1)
    end = last or date(_LAST_YEAR, 12, 31)
    return any_of([Token(encoded(f"{name}:{span}")) for span in _spans(start, end)])


def _spans(start: date, end: date) -> list[str]:
    found = []
    while start <= end:
        for text, following in _steps(start):
            if following is None or following - timedelta(days=1) <= end:
                found.append(text)
                break
        if following is None:
            break
        start = following
    return found


def _steps(day: date) -> list[tuple[str, date | None]]:
    """What begins on a day, the longest first, each with the day after it."""
    text, steps = day.isoformat(), [(day.isoformat(), _after(day))]
    if day.day == 1:
        steps.insert(0, (text[:7], _first_of(day.year + day.month // 12, day.month % 12 + 1)))
        if day.month == 1:
            steps.insert(0, (text[:4], _first_of(day.year + 1, 1)))
            if day.year % 10 == 0:
                steps.insert(0, (text[:3], _first_of(day.year + 10, 1)))
    return steps


def _first_of(year: int, month: int) -> date | None:
    return date(year, month, 1) if year <= date.max.year else None


def _after(day: date) -> date | None:
    return day + timedelta(days=1) if day < date.max else None
