"""What a person must see: one open row for each (source, kind, address) while it lasts; it ends when a later pass reads the address
without it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from storage.bulk import among
from storage.records import PageRef, Problem
from storage.schema import problems as table

OUTAGES = frozenset({"down", "blocked"})
"""Kinds of which only the fact is news: a source that is down fails now with one error, now with another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProblem:
    """A problem that lasts, as `status` shows it. `count`: how often it was met."""

    id: int
    source: str
    kind: str
    url: str
    message: str
    first_seen: datetime
    last_seen: datetime
    count: int
    page: PageRef | None

    @property
    def news(self) -> tuple[str, ...]:
        """What must be told again when it changes."""
        told = (self.source, self.kind, self.url)
        return told if self.kind in OUTAGES else (*told, self.message)


def report(conn: Connection, problems: Iterable[Problem], *, now: datetime) -> int:
    """Write down what a pass met; returns how many are new, or old with another message that is news.

    A problem met before keeps its row: its count and `last_seen` rise, and its page is the newest one.
    """
    met: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        met.setdefault((problem.source, problem.kind, problem.url), []).append(problem)
    known = {(row.source, row.kind, row.url): row for row in _open_rows(conn, {key[2] for key in met})}
    news = 0
    for key, again in met.items():
        row, last = known.get(key), again[-1]
        news += row is None or (row.message != last.message and last.kind not in OUTAGES)
        seen = {"message": last.message, "last_seen": now, **_page(last.page)}
        if row is None:
            first = {"source": last.source, "kind": last.kind, "url": last.url, "first_seen": now}
            conn.execute(insert(table).values(**first, **seen, count=len(again)))
        else:
            conn.execute(
                update(table).where(table.c.id == row.id).values(**seen, count=row.times + len(again))
            )
    return news


def end(
    conn: Connection, source: str, urls: Iterable[str], *, now: datetime, still: Collection[Problem] = ()
) -> int:
    """Close what a source had open at addresses that a pass has read now, but for `still`: what that pass itself reported.

    Returns how many were closed.
    """
    lasting = {(problem.kind, problem.url) for problem in still if problem.source == source}
    over = [
        row.id
        for row in _open_rows(conn, set(urls))
        if row.source == source and (row.kind, row.url) not in lasting
    ]
    if over:
        conn.execute(update(table).where(among(conn, table.c.id, over)).values(ended_at=now))
    return len(over)


def open_problems(conn: Connection) -> list[OpenProblem]:
    """What lasts, by source and from the oldest on."""
    return [
        OpenProblem(
            id=row.id, source=row.source, kind=row.kind, url=row.url, message=row.message, first_seen=row.first_seen,
            last_seen=row.last_seen, count=row.times,
            page=PageRef(row.page_sha256, row.page_file, row.page_offset) if row.page_sha256 else None,
        )
        for row in conn.execute(_OPEN.order_by(table.c.source, table.c.first_seen, table.c.id))
    ]  # fmt: skip


# a row has a method named count already
_OPEN = select(table, table.c["count"].label("times")).where(table.c.ended_at.is_(None))


def _open_rows(conn: Connection, urls: Collection[str]) -> list[Any]:
    if not urls:
        return []
    return list(conn.execute(_OPEN.where(among(conn, table.c.url, urls)).with_for_update()))


def _page(page: PageRef | None) -> dict[str, Any]:
    if page is None:
        return {"page_sha256": None, "page_file": None, "page_offset": None}
    return {"page_sha256": page.sha256, "page_file": page.file, "page_offset": page.offset}
