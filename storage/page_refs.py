"""Which pages of the archive versions and open problems rest on, and moving those references when the archive is compacted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, delete, insert, select, update

from storage.bulk import one_writer
from storage.schema import meta, problems, versions
from storage.store import StorageError, Store

Place = tuple[str, int]
"""File of the archive and offset in it."""

_REPLACED = "compacted:"
_KEYS: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (versions, ("question_id", "number")),
    (problems, ("id",)),
)


class StrayedError(StorageError):
    """A reference into a file that is to go leads to a page that would not be kept."""


def places(conn: Connection) -> Iterator[Place]:
    """Every page that a version or a problem, open or ended, refers to."""
    for table, _ in _KEYS:
        wanted = select(table.c.page_file, table.c.page_offset).where(table.c.page_file.is_not(None))
        for row in conn.execute(wanted.execution_options(yield_per=10_000)):
            yield row.page_file, row.page_offset


def move(store: Store, moved: Mapping[Place, Place], file: str, new: str) -> None:
    """Point every reference into `file` to its new place and note that the file is replaced, all in one transaction.

    Raises StrayedError, having changed nothing, where a reference has no new place: it was made since the file was read.
    """
    with store.write() as conn:
        one_writer(conn)
        for table, keys in _KEYS:
            changes = [_change(row, keys, moved) for row in conn.execute(_into(table, keys, file))]
            if changes:
                conn.execute(_repoint(table, keys), changes)
        conn.execute(insert(meta).values(name=f"{_REPLACED}{file}", value=new))


def _change(row: Any, keys: tuple[str, ...], moved: Mapping[Place, Place]) -> dict[str, Any]:
    place = moved.get((row.page_file, row.page_offset))
    if place is None:
        raise StrayedError(f"{row.page_file} at {row.page_offset} is referred to since the archive was read")
    return {**{f"old_{key}": getattr(row, key) for key in keys}, "file": place[0], "offset": place[1]}


def _into(table: Table, keys: tuple[str, ...], file: str) -> Select[Any]:
    columns = (*(table.c[key] for key in keys), table.c.page_file, table.c.page_offset)
    return select(*columns).where(table.c.page_file == file)


def _repoint(table: Table, keys: tuple[str, ...]) -> Any:
    statement = update(table).values(page_file=bindparam("file"), page_offset=bindparam("offset"))
    for key in keys:
        statement = statement.where(table.c[key] == bindparam(f"old_{key}"))
    return statement


def replaced_files(conn: Connection) -> dict[str, str]:
    """Files that no reference leads into any more, and what stands in their place: they are to be removed."""
    rows = conn.execute(select(meta).where(meta.c.name.startswith(_REPLACED)))
    return {row.name.removeprefix(_REPLACED): row.value for row in rows}


def removed(conn: Connection, file: str) -> None:
    """A replaced file is gone."""
    conn.execute(delete(meta).where(meta.c.name == f"{_REPLACED}{file}"))
