"""What ran when: one row a run of a job, from which follow the last success, whether a first crawl is complete, and what is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from storage.schema import runs


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job. `finished_at` null: it is going on, or was cut off."""

    id: int
    job: str
    source: str | None
    started_at: datetime
    finished_at: datetime | None
    ok: bool | None
    whole: bool
    report: dict[str, Any]


def recent(conn: Connection, limit: int) -> list[Run]:
    """The newest runs, the newest first."""
    columns = (runs.c[name] for name in Run.__slots__)
    return [Run(*row) for row in conn.execute(select(*columns).order_by(runs.c.id.desc()).limit(limit))]


def start(conn: Connection, job: str, source: str | None, *, now: datetime, whole: bool) -> int:
    """Note that a job begins. `whole`: it is to read the usual windows, all of them. Returns the id for `finish`.

    A run that is never finished was cut off, or is still going.
    """
    row: dict[str, Any] = {"job": job, "source": source, "started_at": now, "whole": whole, "report": {}}
    return int(conn.execute(insert(runs).values(**row).returning(runs.c.id)).scalar_one())


def finish(
    conn: Connection,
    id_: int,
    *,
    now: datetime,
    ok: bool,
    report: Mapping[str, Any],
    whole: bool | None = None,
) -> None:
    """Note its end and the figures it printed (JSON types). `ok`: it did its work; problems with single pages do not change that.

    `whole=False`: it did not get through all it set out to read.
    """
    values: dict[str, Any] = {"finished_at": now, "ok": ok, "report": dict(report)}
    if whole is not None:
        values["whole"] = whole
    conn.execute(update(runs).where(runs.c.id == id_).values(**values))


def last_success(conn: Connection, job: str, source: str | None) -> datetime | None:
    """When the job last did its work."""
    return conn.execute(select(func.max(runs.c.finished_at)).where(_of(job, source), runs.c.ok)).scalar()


def last_attempt(conn: Connection, job: str, source: str | None) -> datetime | None:
    """When the job last began, whatever became of it."""
    return conn.execute(select(func.max(runs.c.started_at)).where(_of(job, source))).scalar()


def first_crawl_done(conn: Connection, source: str) -> bool:
    """Whether the source has completed one whole pass; what is found before that is backfilled."""
    done = and_(_of("crawl", source), runs.c.whole, runs.c.ok, runs.c.finished_at.is_not(None))
    return conn.execute(select(runs.c.id).where(done).limit(1)).first() is not None


def _of(job: str, source: str | None) -> Any:
    return and_(runs.c.job == job, runs.c.source == source if source is not None else runs.c.source.is_(None))
