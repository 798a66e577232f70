"""How pqwatch is: each source's last success and what is held of it, open problems, deliveries that wait or failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, exists, func, select

from pqwatch.clock import as_z
from storage import ledger, runs
from storage.problems import OpenProblem, open_problems
from storage.schema import questions, sightings
from storage.schema import runs as run_rows

TOO_LONG = timedelta(days=2)
"""An enabled source that was crawled before and has had no success for so long needs a person: did cron stop?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """`held`: questions that the source has shown; `newest`: the latest day on which one of them was tabled or answered."""

    source: str
    enabled: bool
    last_success: datetime | None
    last_attempt: datetime | None
    last_ok: bool | None
    held: int
    newest: date | None
    problems: int

    def faults(self, now: datetime) -> list[str]:
        """What is wrong with it beside its problems. A source that was never crawled is no fault."""
        if not self.enabled or self.last_attempt is None:
            return []
        if self.last_ok is False:
            return ["its last crawl failed"]
        last = self.last_success
        if last is None:
            return ["it was never read whole"] if now - self.last_attempt > TOO_LONG else []
        return [f"no success for {(now - last).days} days"] if now - last > TOO_LONG else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    sources: tuple[SourceStatus, ...]
    problems: tuple[OpenProblem, ...]
    pending: int
    failed: int
    now: datetime

    @property
    def ok(self) -> bool:
        wrong = any(source.faults(self.now) for source in self.sources)
        return not (wrong or self.problems or self.failed)

    def to_json(self) -> dict[str, Any]:
        """The `status` shape of the interface."""
        return {
            "ok": self.ok,
            "sources": [_source_json(source) for source in self.sources],
            "problems": [_problem_json(problem) for problem in self.problems],
            "pending": self.pending,
            "failed": self.failed,
        }


def read(conn: Connection, known: Iterable[str], enabled: Iterable[str], *, now: datetime) -> Status:
    """The status at a moment. `known`: every source there is, in order; `enabled`: those that are crawled."""
    on, problems = set(enabled), tuple(open_problems(conn))
    held = _held(conn)
    return Status(
        sources=tuple(_source(conn, name, name in on, held.get(name, (0, None)), problems) for name in known),
        problems=problems,
        pending=ledger.count(conn, "pending"),
        failed=ledger.count(conn, "failed"),
        now=now,
    )


def _source(
    conn: Connection,
    name: str,
    enabled: bool,
    held: tuple[int, date | None],
    problems: Iterable[OpenProblem],
) -> SourceStatus:
    return SourceStatus(
        source=name,
        enabled=enabled,
        last_success=runs.last_success(conn, "crawl", name),
        last_attempt=runs.last_attempt(conn, "crawl", name),
        last_ok=_last_ok(conn, name),
        held=held[0],
        newest=held[1],
        problems=sum(problem.source == name for problem in problems),
    )


def _held(conn: Connection) -> Mapping[str, tuple[int, date | None]]:
    """Questions by source, and the newest day among them: that of the first in the order of newest first."""
    counted = select(sightings.c.source, func.count(sightings.c.question_id.distinct()))
    counts = conn.execute(counted.group_by(sightings.c.source)).all()
    return {source: (count, _newest(conn, source)) for source, count in counts}


def _newest(conn: Connection, source: str) -> date | None:
    """Looked up along the order of all questions, since a million would take seconds to look through."""
    of_it = (sightings.c.question_id == questions.c.id) & (sightings.c.source == source)
    days = select(questions.c.answered_on, questions.c.holding_on, questions.c.tabled_on)
    shown = days.where(exists().where(of_it)).order_by(questions.c.sort_key.desc()).limit(1)
    row = conn.execute(shown).first()
    return next((day for day in row or () if day is not None), None)


def _last_ok(conn: Connection, name: str) -> bool | None:
    """Whether the last finished crawl did its work; null before the first one."""
    finished = and_(run_rows.c.job == "crawl", run_rows.c.source == name, run_rows.c.finished_at.is_not(None))
    query = select(run_rows.c.ok).where(finished).order_by(run_rows.c.id.desc()).limit(1)
    return conn.execute(query).scalar()


def _source_json(source: SourceStatus) -> dict[str, Any]:
    return {
        "source": source.source,
        "enabled": source.enabled,
        "last_success": as_z(source.last_success),
        "last_attempt": as_z(source.last_attempt),
        "held": source.held,
        "newest": source.newest.isoformat() if source.newest else None,
        "problems": source.problems,
    }


def _problem_json(problem: OpenProblem) -> dict[str, Any]:
    return {
        "id": problem.id,
        "source": problem.source,
        "kind": problem.kind,
        "url": problem.url,
        "first_seen": as_z(problem.first_seen),
        "last_seen": as_z(problem.last_seen),
        "count": problem.count,
        "message": problem.message,
    }
