"""Statements over many rows at once, in each dialect's own quickest way: one parameter instead of one a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import orjson
from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, func, select, text
from sqlalchemy.types import NullType

from storage.schema import stamp

T = TypeVar("T")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """`items` in lists of at most `size`."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def among(conn: Connection, column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """`column IN values` with a single parameter, however many the values (texts or numbers)."""
    wanted = list(values)
    if len(wanted) == 1:  # a page is often about one question
        equal: ColumnElement[bool] = column == wanted[0]
        return equal
    if conn.dialect.name == "postgresql":
        # without a type, so that the server takes it as an array of the column's own
        return column == func.any(bindparam("wanted", array(wanted), unique=True, type_=NullType()))
    # named, as SQLAlchemy otherwise makes the name from the whole text
    document: BindParameter[str] = bindparam("wanted", orjson.dumps(wanted).decode(), unique=True)
    values_of = func.json_each(document).table_valued("value")
    return column.in_(select(values_of.c.value))


def array(values: Iterable[Any]) -> str:
    """Texts, numbers, times or nulls as PostgreSQL reads an array: a tenth of what a list costs as a parameter."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def new_ids(conn: Connection, count: int) -> list[int]:
    """Ids for `count` new questions. Call it with the write lock held: SQLite takes the next free ones."""
    if conn.dialect.name == "postgresql":
        found = conn.execute(_NEXT_POSTGRES, {"count": count}).scalars()
        return sorted(found)
    first = (conn.execute(text("SELECT max(id) FROM questions")).scalar() or 0) + 1
    return list(range(first, first + count))


_NEXT_POSTGRES = text(
    "SELECT nextval(pg_get_serial_sequence('questions', 'id')) FROM generate_series(1, :count)"
)


def one_writer(conn: Connection) -> None:
    """Until the transaction ends nobody else takes in observations, so that a question new to two sources is stored once.

    SQLite's write lock does so already.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _INGEST_LOCK})


_INGEST_LOCK = 0x696E67657374  # "ingest"

Sight = tuple[str, datetime, str | None]
"""source_id, when it was seen, digest of the row that it settles."""


def touch(conn: Connection, source: str, sights: Sequence[Sight], *, read: bool) -> None:
    """Note that known things were seen again, and (`read`) that their whole view was read; times only move forward."""
    if not sights:
        return
    if conn.dialect.name == "postgresql":
        conn.execute(_TOUCH_POSTGRES[read], _columns(source, sights))
    else:
        stamps = {at: stamp(at) for _, at, _ in sights}
        rows = [(stamps[at], row, source, source_id) for source_id, at, row in sights]
        conn.exec_driver_sql(_TOUCH_SQLITE[read], rows)


def _columns(source: str, sights: Sequence[Sight]) -> dict[str, Any]:
    ids, times, rows = zip(*sights, strict=True)
    stamps = {at: stamp(at) for at in set(times)}
    return {
        "source": source, "ids": array(ids), "times": array(stamps[at] for at in times), "rows": array(rows)
    }  # fmt: skip


_TOUCH_SQLITE = {
    read: f"""
        UPDATE sightings SET
            last_seen = max(last_seen, ?1),
            {"read_at = max(coalesce(read_at, ''), ?1)," if read else ""}
            row_digest = coalesce(?2, row_digest)
        WHERE source = ?3 AND source_id = ?4
    """  # noqa: S608 - only our own words are put in
    for read in (False, True)
}
_TOUCH_POSTGRES = {
    read: text(f"""
        UPDATE sightings SET
            last_seen = greatest(last_seen, seen.at),
            {"read_at = greatest(read_at, seen.at)," if read else ""}
            row_digest = coalesce(seen.row, row_digest)
        FROM unnest(CAST(:ids AS text[]), CAST(:times AS timestamptz[]), CAST(:rows AS text[])) AS seen(id, at, row)
        WHERE sightings.source = :source AND sightings.source_id = seen.id
    """)  # noqa: S608 - only our own words are put in
    for read in (False, True)
}
