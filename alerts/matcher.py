"""Many queries, one document: which of them match.

Every query is filed under terms that each of its matches must have (`alerts.filing`), so that a document only meets the
queries filed under its own terms, and what it costs follows what it matches. Equal queries are kept once. Adding
and removing touches the terms of that query alone.

A query that is one term is filed as the list of its subscribers; one of two terms as such a list under the rarer term,
by the other; both need no more than a look-up. The rest are entries, each with what is left to check.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from hashlib import blake2b
from itertools import pairwise
from typing import Any, cast

from alerts.evaluate import Match, holds, matched, matches
from alerts.explain import explain
from alerts.filing import Anchor, Check, Term, anchor, check_of, plain, shares_of
from alerts.prefixes import PrefixTable
from alerts.printer import show
from alerts.shelf import Entry, Ids, Shelf
from alerts.tables import Layers, Spread
from alerts.tree import And, Field, Node, Or, Query, Word
from storage.document import Document

__all__ = ["Match", "Matcher", "explain", "matched", "matches", "shares_of"]


class Matcher:
    """Queries by id. `shares` tells how common words are (`shares_of` some documents); without it a short list does."""

    def __init__(self, shares: Mapping[str, float] | None = None) -> None:
        self._shares = shares or {}
        self._shelves: Layers[str, Shelf | Ids] = Layers()  # a bare list: nothing but `Shelf.alone`
        self._runs: Layers[str, dict[str, Shelf | Ids]] = Layers()  # of pairs: by the first word, the second
        self._entries: Spread[bytes, Entry] = Spread()
        self._places: Spread[Hashable, Any] = (
            Spread()
        )  # id: its term; (term, other token, None); or its Entry
        self._prefixes = PrefixTable()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, id_: Hashable) -> bool:
        return id_ in self._places

    def add(self, id_: Hashable, query: Query) -> None:
        """File a query. An id that is there already gets this query in place of its own."""
        if id_ in self._places:
            self.remove(id_)
        node = plain(query.tree)
        items = node.children if isinstance(node, And) else (node,)
        if len(items) == 2 and self._add_pair(id_, *items):
            return
        found = anchor(node, self._shares)
        if found is None:
            raise ValueError(f"matches everything: {query.text}")
        if found.sure and len(found.terms) == 1:
            self._add_alone(id_, found.terms[0])
        else:
            self._add_entry(id_, node)

    def remove(self, id_: Hashable) -> None:
        """Take a query out. KeyError for an id that is not there."""
        place = self._places.pop(id_)
        if isinstance(place, Entry):
            self._remove_entry(id_, place)
        elif isinstance(place, tuple) and len(place) == 3:
            self._remove_pair(id_, place[0], place[1])
        else:
            self._remove_alone(id_, place)

    def match(self, document: Document) -> Ids:
        """Ids of the queries that match, each once, in no order."""
        tokens = document.tokens
        found: Ids = []
        entries: set[Entry] = set()
        for shelf in self._shelves_of(document):
            if shelf.__class__ is list:
                found += shelf
                continue
            if shelf.alone is not None:
                found += shelf.alone
            if shelf.pairs is not None:
                for other in shelf.pairs.keys() & tokens:
                    found += shelf.pairs[other]
            if shelf.sure is not None:
                entries.update(shelf.sure)
            if shelf.entries is not None:
                for entry, check in shelf.entries:
                    if entry not in entries and _passes(check, document, tokens):
                        entries.add(entry)
        for entry in entries:
            found += entry.ids
        return found

    def _shelves_of(self, document: Document) -> list[Any]:
        """What is filed under the terms of the document, each once."""
        found: list[Any] = self._shelves.held(document.tokens)
        if self._prefixes:
            found += self._shelves.held(self._prefixes.terms(document.forms))
        runs = self._runs.pick(document.forms)
        if runs:
            sequence = document.sequence
            shelves = [runs[a].get(b) for a, b in pairwise(sequence) if a in runs]
            found += {id(shelf): shelf for shelf in shelves if shelf is not None}.values()
        return found

    def _add_alone(self, id_: Hashable, term: Term) -> None:
        shelf = self._filed(term)
        if shelf is None:
            self._put(term, [id_])
        elif isinstance(shelf, list):
            shelf.append(id_)
        elif shelf.alone is None:
            shelf.alone = [id_]
        else:
            shelf.alone.append(id_)
        self._places[id_] = term

    def _remove_alone(self, id_: Hashable, term: Term) -> None:
        shelf = self._filed(term)
        ids = cast("Ids", shelf.alone if isinstance(shelf, Shelf) else shelf)
        ids.remove(id_)
        if ids:
            return
        if isinstance(shelf, Shelf):
            shelf.alone = None
        self._tidy(term, cast("Shelf | Ids", shelf))

    def _add_pair(self, id_: Hashable, first: Node, second: Node) -> bool:
        """File an AND of two under the rarer, if the other is a token. False where that cannot be."""
        anchors = [anchor(first, self._shares), anchor(second, self._shares)]
        if any(each is None or not each.sure or len(each.terms) != 1 for each in anchors):
            return False
        ranked = sorted(zip(cast("list[Anchor]", anchors), (first, second), strict=True), key=_rank)
        (home, _), (other, partner) = ranked
        if not isinstance(partner, Word | Field):
            (other, partner), (home, _) = ranked
            if not isinstance(partner, Word | Field):
                return False
        self._file_pair(id_, home.terms[0], cast("str", other.terms[0]))
        return True

    def _file_pair(self, id_: Hashable, term: Term, other: str) -> None:
        shelf = self._shelf(term)
        if shelf.pairs is None:
            shelf.pairs = {}
        ids = shelf.pairs.get(other)
        if ids is None:
            shelf.pairs[other] = [id_]
        else:
            ids.append(id_)
        self._places[id_] = (term, other, None)

    def _remove_pair(self, id_: Hashable, term: Term, other: str) -> None:
        shelf = cast("Shelf", self._filed(term))
        pairs = cast("dict[str, Ids]", shelf.pairs)
        pairs[other].remove(id_)
        if not pairs[other]:
            del pairs[other]
            shelf.pairs = pairs or None
            self._tidy(term, shelf)

    def _add_entry(self, id_: Hashable, node: Node) -> None:
        digest = blake2b(show(node).encode("utf-8", "surrogatepass"), digest_size=12).digest()
        entry = self._entries.get(digest)
        if entry is None:
            entry = self._entries[digest] = self._file_entry(digest, node)
        entry.ids.append(id_)
        self._places[id_] = entry

    def _file_entry(self, digest: bytes, node: Node) -> Entry:
        clauses = node.children if isinstance(node, Or) else (node,)
        filed = [_file_clause(clause, self._shares) for clause in clauses]
        entry = Entry(digest, tuple(dict.fromkeys(term for terms, _ in filed for term in terms)))
        for terms, check in filed:
            for term in terms:
                shelf = self._shelf(term)
                shelf.put(entry, check)
        return entry

    def _remove_entry(self, id_: Hashable, entry: Entry) -> None:
        entry.ids.remove(id_)
        if entry.ids:
            return
        del self._entries[entry.digest]
        for term in entry.terms:
            shelf = cast("Shelf", self._filed(term))
            shelf.take(entry)
            self._tidy(term, shelf)

    def _shelf(self, term: Term) -> Shelf:
        shelf = self._filed(term)
        if isinstance(shelf, Shelf):
            return shelf
        made = Shelf(shelf)
        self._put(term, made)
        return made

    def _tidy(self, term: Term, shelf: Shelf | Ids) -> None:
        if isinstance(shelf, Shelf) and (shelf.pairs or shelf.sure or shelf.entries):
            return
        alone = shelf.alone if isinstance(shelf, Shelf) else None
        if alone:
            self._put(term, alone)
        elif isinstance(term, str):
            del self._shelves[term]
            if term.endswith("*"):
                self._prefixes.exclude(term[:-1])
        else:
            first, second = term
            seconds = cast("dict[str, Shelf | Ids]", self._runs.get(first))
            del seconds[second]
            if not seconds:
                del self._runs[first]

    def _filed(self, term: Term) -> Shelf | Ids | None:
        if isinstance(term, str):
            return self._shelves.get(term)
        return (self._runs.get(term[0]) or {}).get(term[1])

    def _put(self, term: Term, shelf: Shelf | Ids) -> None:
        if isinstance(term, str):
            self._shelves[term] = shelf
            if term.endswith("*"):
                self._prefixes.include(term[:-1])
            return
        first, second = term
        seconds = self._runs.get(first)
        if seconds is None:
            self._runs[first] = {second: shelf}
        else:
            seconds[second] = shelf


def _rank(ranked: tuple[Anchor, Node]) -> tuple[float, str]:
    """By cost, then by spelling, so that the order in which the two were written makes no difference."""
    return ranked[0].cost, str(ranked[0].terms[0])


def _file_clause(node: Node, shares: Mapping[str, float]) -> tuple[tuple[Term, ...], Check | None]:
    """The terms of one branch of a query, and what is left to check; None where the terms suffice."""
    items = node.children if isinstance(node, And) else (node,)
    found = [(each, item) for item in items if (each := anchor(item, shares)) is not None]
    best, chosen = min(found, key=lambda pair: pair[0].cost)
    left = [item for item in items if item is not chosen or not best.sure]
    return best.terms, check_of(left) if left else None


def _passes(check: Check, document: Document, tokens: set[str]) -> bool:
    for token in check.need:
        if token not in tokens:
            return False
    for token in check.absent:
        if token in tokens:
            return False
    if check.inside or check.outside:
        joined = document.joined
        for run in check.inside:
            if run not in joined:
                return False
        for run in check.outside:
            if run in joined:
                return False
    return all(holds(node, document) for node in check.nodes)
