"""Backfilled versions that no message spoke of, and the first crawls that they came from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from storage.changes import Change
from storage.schema import changes, runs, versions


def first_crawls(conn: Connection) -> dict[str, datetime]:
    """When each source completed its first whole pass."""
    wanted = and_(runs.c.job == "crawl", runs.c.ok, runs.c.whole, runs.c.finished_at.is_not(None))
    rows = conn.execute(
        select(runs.c.source, func.min(runs.c.finished_at).label("first"))
        .where(wanted, runs.c.source.is_not(None))
        .group_by(runs.c.source)
    )
    return {row.source: row.first for row in rows}


def page(
    conn: Connection, after_id: int, limit: int, *, source: str | None = None, until: datetime | None = None
) -> list[Change]:
    """Backfilled changes in order, from behind `after_id`; of one source, made until then."""
    c = changes.c
    wanted = select(c.id, c.question_id, c.event, c.number, c.backfilled).where(c.backfilled, c.id > after_id)
    if source is not None:
        same = and_(versions.c.question_id == c.question_id, versions.c.number == c.number)
        wanted = wanted.join(versions, same).where(versions.c.source == source)
    if until is not None:
        wanted = wanted.where(c.created_at <= until)
    return [Change(*row) for row in conn.execute(wanted.order_by(c.id).limit(limit))]
