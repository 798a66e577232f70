"""Asks the full-text index: the newest, the most relevant, all in turn, how many, and how they spread.

Every function takes a `storage.search_terms.Term` and a connection, and works alike on both databases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Integer, cast, extract, select

from storage.batch import EPOCH
from storage.bulk import among
from storage.schema import questions, searched
from storage.search_dialect import dialect
from storage.search_forms import forms
from storage.search_index import is_current, is_whole
from storage.search_terms import Term, spelled_out, stems_of
from storage.store import StorageError

COUNTED = 20_000
"""Hits that are counted one by one; where there are more, their number is reckoned."""

FACETED = 10_000
"""The newest hits whose facets are counted."""

RANKED = 10_000
"""The newest hits among which the most relevant are looked for."""

_EPOCH = EPOCH.date()


@dataclass(frozen=True, slots=True)
class Hit:
    """A question that holds, at its newest version. `unsure`: as far as the index can tell; the matcher must look."""

    sort_key: int
    question_id: int
    number: int
    unsure: bool = False

    @property
    def day(self) -> date:
        """The day of the question's newest event."""
        return day_of(self.sort_key)


@dataclass(frozen=True, slots=True)
class Count:
    """How many questions hold; `exact` false: about so many."""

    hits: int
    exact: bool


@dataclass(slots=True)
class Facets:
    """How hits spread, most first. `year`: in which they were tabled. `of` is the number of newest hits that were counted."""

    of: int = 0
    department: Counter[str] = field(default_factory=Counter)
    year: Counter[int] = field(default_factory=Counter)
    state: Counter[str] = field(default_factory=Counter)
    house: Counter[str] = field(default_factory=Counter)

    @classmethod
    def over(cls, rows: Sequence[Sequence[Any]]) -> Facets:
        """Of rows (department, year, state, house). Counts by column, which takes a quarter of the time of row by row."""
        counted = [Counter(column) for column in zip(*rows, strict=True)]
        for each in counted:
            each.pop(None, None)
        return cls(len(rows), *counted)


@lru_cache(maxsize=20_000)
def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)


def day_of(sort_key: int) -> date:
    """The day that a sort key begins with."""
    return _day(sort_key >> 24)


def first_key_of(day: date) -> int:
    """The sort key from which on questions are of that day or later."""
    return max((day - _EPOCH).days, 0) << 24


def keys_between(first: date | None, last: date | None) -> tuple[int | None, int | None]:
    """The sort keys of the questions of these days, as `since` and `before` take them; null: open."""
    before = first_key_of(last + timedelta(days=1)) if last and last < date.max else None
    return None if first is None else first_key_of(first), before or None


def newest(
    conn: Connection, term: Term, limit: int, *, before: int | None = None, since: int | None = None
) -> list[Hit]:
    """The newest hits with `since` <= sort_key < `before`. A page goes on `before` the sort key that ended the last."""
    term = _ready(conn, term)
    return [Hit(*row) for row in dialect(conn).newest(conn, term, limit, before, since)]


def every(
    conn: Connection, term: Term, *, before: int | None = None, since: int | None = None
) -> Iterator[Hit]:
    """All hits, newest first, with memory that does not grow with their number. Use it inside one `Store.read`."""
    term = _ready(conn, term)
    for row in dialect(conn).stream(conn, term, before, since):
        yield Hit(*row)


def relevant(
    conn: Connection, term: Term, limit: int, *, offset: int = 0, before: int | None = None
) -> list[Hit]:
    """The most relevant of the newest `RANKED` hits with sort_key < `before`."""
    term = _ready(conn, term)
    return [Hit(*row) for row in dialect(conn).ranked(conn, term, limit, offset, before, RANKED)]


def count(conn: Connection, term: Term) -> Count:
    term = _ready(conn, term)
    hits, exact = dialect(conn).count(conn, term, COUNTED)
    return Count(hits, exact and is_whole(conn))


def unsure(conn: Connection, term: Term, limit: int) -> list[Hit]:
    """The newest hits that are hits only as far as the index can tell."""
    term = _ready(conn, term)
    return [Hit(*row) for row in dialect(conn).unsure(conn, term, limit)]


def facets(conn: Connection, term: Term, most: int = FACETED) -> Facets:
    """How the newest `most` hits spread."""
    term = _ready(conn, term)
    return Facets.over(dialect(conn).facets(conn, term, most))


def facets_of(conn: Connection, sort_keys: Sequence[int]) -> Facets:
    """How these questions spread."""
    year = cast(extract("year", questions.c.tabled_on), Integer)
    listed = select(searched.c.department, year, searched.c.state, searched.c.house)
    listed = listed.join(questions, questions.c.id == searched.c.question_id)
    return Facets.over(conn.execute(listed.where(among(conn, searched.c.sort_key, sort_keys))).all())


def _ready(conn: Connection, term: Term) -> Term:
    if not is_current(conn):
        raise StorageError(
            "the full-text index was made by another version of pqwatch: run `pqwatch search` or `watch` once,"
            " which make it anew"
        )
    stems = stems_of(term)
    return spelled_out(term, forms(conn, stems)) if stems else term
