"""What makes a query's hits: which of its words bring them, and what leaving something out would save."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from alerts.matcher import matches
from alerts.printer import show
from alerts.tree import And, Dates, Field, Near, Node, Not, Or, Query, Scope, Topic
from storage.document import Document
from storage.records import Record

WEIGHED = 1_000
"""Hits that are weighed, evenly spread over all of them."""

SHOWN = 10
_LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class WordCount:
    """A word of the query, how many hits it is found in, and how many would not be hits without it."""

    word: str
    hits: int
    only: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What could be put after the query, and how many of the hits that would leave out."""

    text: str
    hits: int


def word_counts(query: Query, documents: Sequence[Document]) -> tuple[WordCount, ...]:
    """The words, phrases and prefixes of the query that bring hits, those with most first. Those under NOT bring none."""
    step = max(1, len(documents) // WEIGHED)
    weighed = documents[::step]
    counts = []
    for leaf, without in _without_each(query.tree):
        found = [each for each in weighed if matches(Query(leaf, query.text), each)]
        only = sum(not matches(Query(without, query.text), each) for each in found)
        if found:
            counts.append(WordCount(show(leaf), len(found) * step, only * step))
    return tuple(sorted(counts, key=lambda each: (-each.hits, each.word))[:SHOWN])


def _without_each(node: Node) -> list[tuple[Node, Node]]:
    """Each positive word of a tree with the tree as it is without that word, that is where it never holds."""
    match node:
        case And(children) | Or(children):
            kind = type(node)
            return [
                (leaf, kind((*children[:place], rest, *children[place + 1 :])))
                for place, child in enumerate(children)
                for leaf, rest in _without_each(child)
            ]
        case Scope(part, child):
            return [(Scope(part, leaf), Scope(part, rest)) for leaf, rest in _without_each(child)]
        case Topic(name, child):
            return [(leaf, Topic(name, rest)) for leaf, rest in _without_each(child)]
        case Near():
            return [(node, _NEVER)]
        case Not() | Field() | Dates():
            return []
        case _:
            return [(node, _NEVER)]


_NEVER = Or(())


def suggestions(records: Sequence[Record]) -> tuple[Suggestion, ...]:
    """The headings and departments that stand over many of the hits, each as the NOT that would leave them out."""
    headings = Counter(record.content.heading for record in records)
    bodies = Counter(body.name for record in records if (body := record.content.answering_body))
    named = (("heading", headings), ("department", bodies))
    found = [
        Suggestion(f'NOT {field}:"{name.replace(chr(34), "")}"', hits)
        for field, counted in named
        for name, hits in counted.items()
        if name and 2 <= hits < len(records) and hits >= _LEAST_SHARE * len(records)
    ]
    return tuple(sorted(found, key=lambda each: (-each.hits, each.text))[: SHOWN // 2])
