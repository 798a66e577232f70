"""What both kinds of database can do with the full-text index, and which module does it on which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from sqlalchemy import Connection

from storage import search_postgresql, search_sqlite
from storage.search_rows import IndexRow
from storage.search_terms import Term

Row = tuple[int, int, int, bool]
Keyed = Sequence[tuple[int, IndexRow]]
Faceted = Sequence[object]


class Dialect(Protocol):
    """What each of the two modules can do; documented there."""

    def insert(self, conn: Connection, rows: Keyed) -> set[int]: ...
    def delete(self, conn: Connection, rows: Keyed) -> None: ...
    def clear(self, conn: Connection) -> None: ...
    def tidy(self, conn: Connection) -> None: ...
    def count(self, conn: Connection, term: Term, most: int) -> tuple[int, bool]: ...
    def unsure(self, conn: Connection, term: Term, limit: int) -> list[Row]: ...
    def facets(self, conn: Connection, term: Term, most: int) -> Sequence[Faceted]: ...
    def newest(
        self, conn: Connection, term: Term, limit: int, before: int | None, since: int | None
    ) -> list[Row]: ...
    def stream(
        self, conn: Connection, term: Term, before: int | None, since: int | None
    ) -> Iterator[Row]: ...
    def ranked(
        self, conn: Connection, term: Term, limit: int, offset: int, before: int | None, among: int
    ) -> list[Row]: ...


def dialect(conn: Connection) -> Dialect:
    """The module that knows this database's index."""
    return search_postgresql if conn.dialect.name == "postgresql" else search_sqlite
