"""How the runs over the sources went: how often, when last with success, since when without."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from storage.schema import problems, runs

_JOBS = ("crawl", "recheck")
LATE = frozenset({"silent-day", "fall"})
"""Kinds of problem by which a source that answers well shows too little."""


@dataclass(frozen=True, slots=True)
class Health:
    """One source. `failing_since`: the first failure after the last success; `late_since`: when it was first seen to show
    nothing, or next to nothing, of a day that it should; each null while it is well."""

    source: str
    last_success: datetime | None
    last_attempt: datetime
    failing_since: datetime | None
    late_since: datetime | None


def count(conn: Connection, since: datetime) -> tuple[int, datetime | None]:
    """How many runs ended since then, and when the last one ended well."""
    ended = and_(runs.c.job.in_(_JOBS), runs.c.finished_at > since)
    number = conn.execute(select(func.count()).where(ended)).scalar_one()
    last = conn.execute(select(func.max(runs.c.finished_at)).where(runs.c.job.in_(_JOBS), runs.c.ok)).scalar()
    return number, last


def health(conn: Connection) -> list[Health]:
    """Every source that was ever crawled."""
    crawl = and_(runs.c.job == "crawl", runs.c.source.is_not(None))
    attempts = select(runs.c.source, func.max(runs.c.started_at).label("last")).where(crawl)
    found = []
    for row in conn.execute(attempts.group_by(runs.c.source).order_by(runs.c.source)).all():
        own = and_(crawl, runs.c.source == row.source)
        success = conn.execute(select(func.max(runs.c.finished_at)).where(own, runs.c.ok)).scalar()
        later = own if success is None else and_(own, runs.c.started_at >= success)
        failures = select(func.min(runs.c.started_at)).where(later, runs.c.ok.is_not(True))
        failing, late = conn.execute(failures).scalar(), conn.execute(_late(row.source)).scalar()
        found.append(Health(row.source, success, row.last, failing, late))
    return found


def _late(source: str) -> Select[Any]:
    mine = and_(problems.c.source == source, problems.c.kind.in_(LATE), problems.c.ended_at.is_(None))
    return select(func.min(problems.c.first_seen)).where(mine)
