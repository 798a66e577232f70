"""The typed tree of a query, and its compact stored form.

Words are held folded (`storage.analyse`), fields in the form that `storage.document` gives them, so that two
spellings of one query have equal trees. `to_json` is what a subscription stores: loading it needs no parser.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from alerts.errors import AlertsError
from storage.document import PARTS, PartName


class QueryError(AlertsError):
    """A query that cannot be read. `column` counts code points from 1; None where no place is at fault (a limit)."""

    def __init__(self, message: str, column: int | None = None, hint: str | None = None) -> None:
        place = "" if column is None else f"column {column}: "
        super().__init__(f"query: {place}{message}" + (f" ({hint})" if hint else ""))
        self.message = message
        self.column = column
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Word:
    """Matches by inflection. `text` is the folded word."""

    text: str


@dataclass(frozen=True, slots=True)
class Prefix:
    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Folded words next to each other; with `prefix`, the last is only the beginning of a word."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Exact:
    """Words as written, next to each other (more than one where the word had a hyphen)."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Two operands (Word, Prefix, Phrase, Exact, or Or of them) whose nearest words are 1 to `distance` apart."""

    left: Node
    right: Node
    distance: int


@dataclass(frozen=True, slots=True)
class And:
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    child: Node


@dataclass(frozen=True, slots=True)
class Scope:
    """`child` within one part only."""

    part: PartName
    child: Node


@dataclass(frozen=True, slots=True)
class Field:
    """A field with its value as `storage.document` writes it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Dates:
    """A date from `first` to `last`, both included; None is open."""

    name: str
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic pack. `child` is the pack's own query as it stood when this one was read; it is not stored."""

    name: str
    child: Node = field(compare=False, repr=False)


Node = Word | Prefix | Phrase | Exact | Near | And | Or | Not | Scope | Field | Dates | Topic


@dataclass(frozen=True, slots=True)
class Query:
    tree: Node
    text: str


def leaves(node: Node) -> Iterator[Node]:
    """The words, phrases, fields and dates of a tree, in order, those of topics included."""
    match node:
        case And(children) | Or(children):
            for child in children:
                yield from leaves(child)
        case Not(child) | Scope(_, child) | Topic(_, child):
            yield from leaves(child)
        case Near(left, right, _):
            yield from leaves(left)
            yield from leaves(right)
        case _:
            yield node


def to_json(node: Node) -> Any:
    """A bare word is its text; everything else a list that begins with its sign."""
    match node:
        case Word(text):
            return text
        case Prefix(text):
            return ["*", text]
        case Phrase(words, prefix):
            return ['"*' if prefix else '"', *words]
        case Exact(words):
            return ["=", *words]
        case Near(left, right, distance):
            return ["~", distance, to_json(left), to_json(right)]
        case And(children):
            return ["&", *map(to_json, children)]
        case Or(children):
            return ["|", *map(to_json, children)]
        case Not(child):
            return ["-", to_json(child)]
        case Scope(part, child):
            return ["in", part, to_json(child)]
        case _:
            return _rarer_to_json(node)


def _rarer_to_json(node: Field | Dates | Topic) -> list[Any]:
    match node:
        case Field(name, value):
            return [":", name, value]
        case Dates(name, first, last):
            return ["..", name, first and first.isoformat(), last and last.isoformat()]
        case Topic(name, _):
            return ["topic", name]


def from_json(data: Any, topics: Mapping[str, Query] | None = None) -> Node:
    """The tree that `to_json` wrote. Raises QueryError where it is not one, or names a topic that is not there."""
    try:
        return _read(data, topics or {})
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, RecursionError) as error:
        raise QueryError(f"the stored form cannot be read: {error!r}") from error


def _read(data: Any, topics: Mapping[str, Query]) -> Node:
    if isinstance(data, str):
        return Word(data)
    sign, *rest = data
    match sign:
        case "&":
            return And(tuple([_read(child, topics) for child in rest]))
        case "|":
            return Or(tuple([_read(child, topics) for child in rest]))
        case "-":
            return Not(_read(_only(rest), topics))
        case '"' | '"*':
            return Phrase(_texts(rest), sign == '"*')
        case "*":
            return Prefix(_texts(rest)[0])
        case "=":
            return Exact(_texts(rest))
        case "~":
            distance, left, right = rest
            return Near(_read(left, topics), _read(right, topics), int(distance))
        case _:
            return _read_rarer(sign, rest, topics)


def _read_rarer(sign: Any, rest: list[Any], topics: Mapping[str, Query]) -> Node:
    match sign, rest:
        case "in", [part, child] if part in PARTS:
            return Scope(cast("PartName", part), _read(child, topics))
        case ":", [str(name), str(value)]:
            return Field(name, value)
        case "..", [str(name), first, last]:
            return Dates(name, first and date.fromisoformat(first), last and date.fromisoformat(last))
        case "topic", [str(name)]:
            return Topic(name, _pack(name, topics))
        case _:
            raise ValueError(f"{sign!r} begins nothing that is known")


def _pack(name: str, topics: Mapping[str, Query]) -> Node:
    if name not in topics:
        raise QueryError(unknown_topic(name, topics))
    return topics[name].tree


def unknown_topic(name: str, topics: Mapping[str, Query]) -> str:
    known = ", ".join(sorted(topics)) or "none is installed"
    return f"there is no topic {name!r}; known topics: {known}"


def _only(rest: list[Any]) -> Any:
    (child,) = rest
    return child


def _texts(rest: list[Any]) -> tuple[str, ...]:
    if not rest or not all(isinstance(text, str) and text for text in rest):
        raise ValueError("expected words")
    return tuple(rest)
