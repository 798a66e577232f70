"""What is to be read again though no list says so: days with open questions, and answers due for another look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, func, select

from storage.records import OPEN_STATES, PARLIAMENT, House
from storage.schema import questions, sightings

EVERY_PASS = timedelta(days=60)
"""So long after tabling, the day of an open question is read in every pass; then once a week."""
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """A question whose detail is to be read again, by the official API's id and by its key."""

    source_id: str
    key: str


def open_days(conn: Connection, today: date) -> list[date]:
    """The tabled days, oldest first, whose lists are to be read because a question of that day is still open.

    Older than 60 days: on the day's own weekday, and whenever one of its questions was not seen for a week. Lapsed
    questions are open no more.
    """
    query = (
        select(questions.c.tabled_on, func.min(sightings.c.last_seen))
        .outerjoin(
            sightings, (sightings.c.question_id == questions.c.id) & (sightings.c.source == PARLIAMENT)
        )
        .where(
            questions.c.state.in_([state.value for state in OPEN_STATES]),
            questions.c.house.in_([House.COMMONS.value, House.LORDS.value]),
            questions.c.tabled_on.is_not(None),
        )
        .group_by(questions.c.tabled_on)
        .order_by(questions.c.tabled_on)
    )
    return [day for day, seen_at in conn.execute(query) if _is_due(day, seen_at, today)]


def _is_due(day: date, seen_at: datetime | None, today: date) -> bool:
    if today - day <= EVERY_PASS or (today - day) % WEEK == timedelta(0):
        return True
    return seen_at is not None and seen_at < datetime(today.year, today.month, today.day, tzinfo=UTC) - WEEK


def due_rechecks(conn: Connection, now: datetime, limit: int) -> list[Due]:
    """At most `limit` answered questions that are due to be read again, the longest overdue first."""
    query = (
        select(questions.c.official_id, questions.c.key)
        .where(questions.c.recheck_at <= now, questions.c.official_id.is_not(None))
        .order_by(questions.c.recheck_at, questions.c.id)
        .limit(limit)
    )
    return [Due(str(official_id), key) for official_id, key in conn.execute(query)]
