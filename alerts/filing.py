"""Under which terms a query is filed: those of which every match must have one, the rarest where there is a choice.

A term of the index is the inflected form of a word or a field token (`document.tokens`), a pair of folded words that
stand next to each other, or the beginning of a folded word with its star.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from alerts.evaluate import folded_of, run_of
from alerts.tree import And, Dates, Exact, Field, Near, Node, Not, Or, Phrase, Prefix, Scope, Topic, Word
from storage.analyse import inflected
from storage.document import Document

Term = str | tuple[str, str]

_COMMON_STEMS = """
    the of to and in a for is that on by with be as it this are have has will not from at or an which was we their his her
    he she they there been were also ask what whether if how many secretari state depart govern minist assess make made
    take steps step number year support includ provid work public servic nation local author inform data england uk unit
    kingdom all who other such through under up more can any our you recent plan polici ensur help peopl person need new
    last each per publish answer question
"""
_COMMON = frozenset(_COMMON_STEMS.split())
_FIELD_SHARES = {
    "source": 1.0,
    "named-day": 0.5,
    "state": 0.5,
    "house": 0.5,
    "party": 0.4,
    "department": 0.1,
    "is": 0.05,
    "has": 0.05,
    "minister": 0.02,
    "asker": 0.002,
    "heading": 1e-4,
    "uin": 1e-5,
    "key": 1e-7,
}
_UNKNOWN = 1e-3
_NEVER = 2.0  # dearer than every term: only taken where there is nothing else


class Anchor(NamedTuple):
    """Terms of which every match has one; `cost`: their share of documents together; `sure`: one of them suffices."""

    cost: float
    terms: tuple[Term, ...]
    sure: bool


@dataclass(frozen=True, slots=True)
class Check:
    """What is left to ask of a document that has the term."""

    need: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()  # runs of words that must occur in `document.joined`
    outside: tuple[str, ...] = ()
    nodes: tuple[Node, ...] = ()


def shares_of(documents: Iterable[Document]) -> dict[str, float]:
    """In what share of these documents each word occurs: lets a matcher file queries under words that are rare."""
    counts: dict[str, int] = {}
    total = 0
    for document in documents:
        total += 1
        for token in document.tokens:
            counts[token] = counts.get(token, 0) + 1
    return {token: count / total for token, count in counts.items()}


def plain(node: Node, *, positive: bool = True, part: str | None = None) -> Node:
    """The same meaning with NOT and parts at the leaves only and topics opened."""
    match node:
        case And(children) | Or(children):
            kind = And if isinstance(node, And) is positive else Or
            return _flat(kind, [plain(child, positive=positive, part=part) for child in children])
        case Not(child):
            return plain(child, positive=not positive, part=part)
        case Topic(_, child):
            return plain(child, positive=positive, part=part)
        case Scope(inner, child):
            return plain(child, positive=positive, part=inner)
        case _:
            leaf = node if part is None else Scope(part, node)  # type: ignore[arg-type]  # from a Scope
            return leaf if positive else Not(leaf)


def _flat(kind: type[And] | type[Or], children: list[Node]) -> Node:
    """Without repeats, and without an AND in an AND or an OR in an OR."""
    kept: dict[Node, None] = {}
    for child in children:
        for item in child.children if isinstance(child, And | Or) and isinstance(child, kind) else (child,):
            kept[item] = None
    return next(iter(kept)) if len(kept) == 1 else kind(tuple(kept))


def anchor(node: Node, shares: Mapping[str, float]) -> Anchor | None:
    """The best terms to file a plain node under; None for a NOT."""
    match node:
        case Word(text):
            stem = inflected(text)
            return Anchor(_share(stem, shares), (stem,), sure=True)
        case Phrase() | Prefix() | Exact():
            return _anchor_of_run(node, shares)
        case And(children):
            found = [a for child in children if (a := anchor(child, shares)) is not None]
            return min(found, key=lambda a: a.cost)._replace(sure=False) if found else None
        case Or(children):
            return _anchor_of_or([anchor(child, shares) for child in children])
        case Not():
            return None
        case _:
            return _anchor_of_rarer(node, shares)


def _anchor_of_rarer(node: Node, shares: Mapping[str, float]) -> Anchor | None:
    match node:
        case Field(name, value):
            token = f"{name}:{value}"
            return Anchor(shares.get(token, _FIELD_SHARES[name]), (token,), sure=True)
        case Dates(name, _, _):
            return Anchor(_NEVER, (f"{name}:",), sure=False)
        case Scope(_, child):
            inner = anchor(child, shares)
            return inner._replace(sure=False) if inner else None
        case Near(left, right, _):
            found = [a for side in (left, right) if (a := anchor(side, shares)) is not None]
            return min(found, key=lambda a: a.cost)._replace(sure=False)
        case _:
            raise TypeError(f"{node!r} is not plain")


def _anchor_of_or(found: list[Anchor | None]) -> Anchor | None:
    if any(each is None for each in found):
        return None
    anchors = [each for each in found if each is not None]
    terms = dict.fromkeys(term for each in anchors for term in each.terms)
    return Anchor(sum(each.cost for each in anchors), tuple(terms), all(each.sure for each in anchors))


def _anchor_of_run(node: Phrase | Prefix | Exact, shares: Mapping[str, float]) -> Anchor:
    if isinstance(node, Prefix):
        return Anchor(0.3 * 0.5 ** (len(node.text) - 2), (f"{node.text}*",), sure=True)
    words = folded_of(node) if isinstance(node, Exact) else node.words
    if isinstance(node, Phrase) and node.prefix:
        words = words[:-1]
    if len(words) == 1:
        stem = inflected(words[0])
        return Anchor(_share(stem, shares), (stem,), sure=False)
    pairs = [
        (min(_share(inflected(a), shares), _share(inflected(b), shares)), (a, b)) for a, b in pairwise(words)
    ]
    cost, pair = min(pairs)
    return Anchor(cost * 0.1, (pair,), isinstance(node, Phrase) and len(node.words) == 2)


def _share(stem: str, shares: Mapping[str, float]) -> float:
    known = shares.get(stem)
    if known is not None:
        return known
    return 0.3 if stem in _COMMON else (1e-4 if shares else _UNKNOWN)


def check_of(items: Iterable[Node]) -> Check:
    """What a document must be asked so that all of these plain nodes hold."""
    need, absent, inside, outside, nodes = [], [], [], [], []
    for item in items:
        match item:
            case Word(text):
                need.append(inflected(text))
            case Field(name, value):
                need.append(f"{name}:{value}")
            case Not(Word(text)):
                absent.append(inflected(text))
            case Not(Field(name, value)):
                absent.append(f"{name}:{value}")
            case Phrase() | Prefix():
                inside.append(run_of(item))
            case Not(Phrase() | Prefix() as run):
                outside.append(run_of(run))
            case _:
                nodes.append(item)
    return Check(tuple(need), tuple(absent), tuple(inside), tuple(outside), tuple(nodes))
