"""From a tree back to text: `parse(show(tree)).tree == tree` for every tree that the parser makes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from alerts.tree import And, Dates, Exact, Field, Near, Node, Not, Or, Phrase, Prefix, Scope, Topic, Word
from storage.analyse import places

_QUOTED = frozenset({"department", "asker", "minister", "party", "heading", "house", "source", "uin"})


def show(node: Node) -> str:
    """The query in its plainest spelling."""
    match node:
        case Or(children):
            return " OR ".join(_within(child, Or) for child in children)
        case And(children):
            return " ".join(_within(child, Or, And) for child in children)
        case Near(left, right, distance):
            return f"{_within(left, Or)} NEAR/{distance} {_within(right, Or)}"
        case Not(child):
            return f"NOT {_within(child, Or, And, Near)}"
        case Scope(part, child):
            return f"{part}:{_within(child, Or, And, Near, Not)}"
        case _:
            return _leaf(node)


def _within(child: Node, *bracketed: type) -> str:
    text = show(child)
    return f"({text})" if isinstance(child, bracketed) else text


def _leaf(node: Node) -> str:
    match node:
        case Word(text):
            return text
        case Prefix(text):
            return f"{text}*"
        case Phrase(words, prefix):
            return f'"{" ".join(words)}{"*" if prefix else ""}"'
        case Exact(words):
            return f"={'-'.join(_written(words))}"
        case Field(name, value):
            return (
                f'{name}:"{value}"'
                if name in _QUOTED and (" " in value or name == "heading")
                else f"{name}:{value}"
            )
        case Dates(name, first, last):
            return f"{name}:{_range(first, last)}"
        case Topic(name, _):
            return f"topic:{name}"
        case _:
            raise TypeError(f"{node!r} is no part of a query")


def _written(exact: tuple[str, ...]) -> Iterator[str]:
    """What was written. A character that folds to several words, such as ¼, stands in each of the exact words it is part of."""
    place = 0
    while place < len(exact):
        text, used = exact[place], 1
        while (found := tuple(each.exact for each in places(text))) != exact[place : place + len(found)]:
            if place + used == len(exact):
                break
            text += exact[place + used][1:]  # the character that both are part of stands once
            used += 1
        yield text
        place += max(used, len(found))


def _range(first: date | None, last: date | None) -> str:
    if first is not None and first == last:
        return first.isoformat()
    return f"{first or ''}..{last or ''}"
