"""Which version of each question an export of some name has written."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

from sqlalchemy import ColumnElement, Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.bulk import among, chunks
from storage.questions import ids_of
from storage.records import Record
from storage.schema import exports, questions

_CHUNK = 500


class Exported:
    """One run of an export: lets only what is new through, and remembers what it let through (16 bytes a question)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._ids = array("q")
        self._numbers = array("q")

    def is_new(self) -> ColumnElement[bool]:
        """Questions whose newest version was not written under this name yet: a condition over the table `questions`."""
        written = select(exports.c.number).where(
            exports.c.name == self.name,
            exports.c.question_id == questions.c.id,
            exports.c.number == questions.c.number,
        )
        return ~written.exists()

    def fresh(self, conn: Connection, records: Iterable[Record]) -> Iterator[Record]:
        """Those of the records that are new, in their order. Read them in the transaction that `records` come from."""
        for chunk in chunks(records, _CHUNK):
            ids = ids_of(conn, [record.key for record in chunk])
            written = self._written(conn, ids.values())
            for record in chunk:
                if written.get(ids[record.key]) != record.number:
                    self._ids.append(ids[record.key])
                    self._numbers.append(record.number)
                    yield record

    def _written(self, conn: Connection, ids: Iterable[int]) -> dict[int, int]:
        wanted = select(exports.c.question_id, exports.c.number).where(exports.c.name == self.name)
        rows = conn.execute(wanted.where(among(conn, exports.c.question_id, list(ids))))
        return {row.question_id: row.number for row in rows}

    def remember(self, conn: Connection) -> None:
        """The export is whole: what was let through counts as written."""
        make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
        statement = make(exports)
        newer = {"number": statement.excluded.number}
        statement = statement.on_conflict_do_update(index_elements=["name", "question_id"], set_=newer)
        for chunk in chunks(zip(self._ids, self._numbers, strict=True), 10_000):
            conn.execute(
                statement,
                [{"name": self.name, "question_id": id_, "number": number} for id_, number in chunk],
            )
