"""Versions and overdue days that alerts have yet to look at. Claim, look, mark as done: all in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.bulk import among
from storage.procedure import ended_days
from storage.records import OPEN_STATES, OVERDUE
from storage.schema import changes, questions, versions


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a question: `v3`, or `overdue:2024-11-14`. `number` is the version it speaks of."""

    id: int
    question_id: int
    event: str
    number: int
    backfilled: bool


def claim(conn: Connection, limit: int, *, now: datetime) -> list[Change]:  # noqa: ARG001 - pending is pending at any time
    """The oldest pending changes, at most `limit`, held by this transaction until it ends.

    On PostgreSQL another run skips them; on SQLite `conn` must come from `Store.write`, whose lock keeps others out.
    """
    columns = changes.c.id, changes.c.question_id, changes.c.event, changes.c.number, changes.c.backfilled
    pending = select(*columns).where(changes.c.done_at.is_(None)).order_by(changes.c.id).limit(limit)
    return [Change(*row) for row in conn.execute(pending.with_for_update(skip_locked=True))]


def done(conn: Connection, finished: Iterable[Change], *, now: datetime) -> None:
    """Mark changes as looked at."""
    ids = [change.id for change in finished]
    if ids:
        conn.execute(update(changes).where(among(conn, changes.c.id, ids)).values(done_at=now))


def note_overdue(conn: Connection, *, now: datetime, today: date) -> int:
    """Insert an `overdue:DATE` change for each open question past its day, once a question. How many there were.

    What was overdue already when it was first seen in a backfill is marked `backfilled`. What the end of its session has
    overtaken is passed over: that it lapsed is told by a version.
    """
    rows = [_row(row, now) for row in conn.execute(_newly_overdue(today))]
    if rows:
        # two runs may find the same at once: the second one's rows are dropped
        ignoring = (postgresql if conn.dialect.name == "postgresql" else sqlite).insert(changes)
        conn.execute(ignoring.on_conflict_do_nothing(), rows)
    return len(rows)


def _newly_overdue(today: date) -> Select[Any]:
    first = (versions.c.question_id == questions.c.id) & (versions.c.number == 1)
    of_question = changes.c.question_id == questions.c.id
    noted = select(changes.c.id).where(of_question, changes.c.event.like(f"{OVERDUE}:%")).exists()
    columns = questions.c.id, questions.c.number, questions.c.overdue_after
    begun, ended = ended_days(today)
    tabled_on = questions.c.tabled_on
    return (
        select(*columns, versions.c.observed_at, versions.c.backfilled)
        .join(versions, first)
        .where(
            questions.c.overdue_after < today,
            questions.c.state.in_([state.value for state in OPEN_STATES]),
            or_(tabled_on >= ended, tabled_on < begun, tabled_on.is_(None)),  # three ranges of one index
            ~noted,
        )
    )


def _row(row: Any, now: datetime) -> dict[str, Any]:
    return {
        "question_id": row.id,
        "event": f"{OVERDUE}:{row.overdue_after.isoformat()}",
        "number": row.number,
        "backfilled": row.backfilled and row.overdue_after < row.observed_at.date(),
        "created_at": now,
    }
