"""What was looked at, and what was listed there: windows of a source, and the keys that it lists for a day."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.bulk import among
from storage.schema import listings, sightings, validators, windows


@dataclass(frozen=True, slots=True)
class WindowNote:
    """The newest look at a window, such as "tabled:2024-11-05": the source's own total, and how many were seen."""

    window: str
    expected: int | None
    seen: int


def note(conn: Connection, job: str, source: str, notes: Iterable[WindowNote], *, now: datetime) -> None:
    """Write down windows as read; a later look replaces an earlier one."""
    rows = [
        {
            "job": job,
            "source": source,
            "window": n.window,
            "expected": n.expected,
            "seen": n.seen,
            "done_at": now,
        }
        for n in notes
    ]
    if rows:
        make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
        statement = make(windows)
        fresh = {name: statement.excluded[name] for name in ("expected", "seen", "done_at")}
        keys = ["job", "source", "window"]
        conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=fresh), rows)


def noted(conn: Connection, job: str, source: str) -> dict[str, WindowNote]:
    """The windows written down for a job, by name."""
    rows = conn.execute(
        select(windows.c.window, windows.c.expected, windows.c.seen).where(
            windows.c.job == job, windows.c.source == source
        )
    )
    return {row.window: WindowNote(row.window, row.expected, row.seen) for row in rows}


def forget(conn: Connection, job: str, source: str, names: Iterable[str]) -> None:
    """Have windows read again."""
    for name in names:
        conn.execute(
            delete(windows).where(windows.c.job == job, windows.c.source == source, windows.c.window == name)
        )


@dataclass(frozen=True, slots=True)
class Validators:
    """What a source said of the age of a page, kept as received and sent back as it was."""

    etag: str | None = None
    last_modified: str | None = None


def validators_of(conn: Connection, url: str) -> Validators:
    """Those of an address; empty where none are kept."""
    row = conn.execute(
        select(validators.c.etag, validators.c.last_modified).where(validators.c.url == url)
    ).first()
    return Validators(*row) if row is not None else Validators()


def keep_validators(conn: Connection, url: str, kept: Validators, *, now: datetime) -> None:
    """Keep them in place of what was kept for the address."""
    conn.execute(delete(validators).where(validators.c.url == url))
    values = {"url": url, "etag": kept.etag, "last_modified": kept.last_modified, "seen_at": now}
    conn.execute(insert(validators).values(**values))


def read_times(conn: Connection, source: str, source_ids: Collection[str]) -> dict[str, datetime]:
    """When the whole views of these were last read, by the source's id."""
    wanted = among(conn, sightings.c.source_id, source_ids)
    query = select(sightings.c.source_id, sightings.c.read_at).where(sightings.c.source == source, wanted)
    return {source_id: read_at for source_id, read_at in conn.execute(query) if read_at is not None}


def list_day(conn: Connection, source: str, day: date, keys: Iterable[str]) -> None:
    """What the source lists for a day, held or not: replaces what it listed before."""
    here = (listings.c.source == source) & (listings.c.day == day)
    before = set(conn.scalars(select(listings.c.key).where(here)))
    after = set(keys)
    if gone := before - after:
        conn.execute(delete(listings).where(here, among(conn, listings.c.key, gone)))
    if new := after - before:
        conn.execute(insert(listings), [{"source": source, "day": day, "key": key} for key in sorted(new)])
