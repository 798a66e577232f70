"""The end of a session: which open questions it leaves unanswered, and the versions that say so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, select

from storage.batch import Batch, Question
from storage.bulk import among
from storage.decide import ended
from storage.procedure import has_ended, session_of
from storage.records import OPEN_STATES, House, PageRef, State, Version
from storage.rows import write
from storage.schema import questions, versions
from storage.store import StorageError
from storage.weigh import How

LONDON = ZoneInfo("Europe/London")
_HOUSES = (House.COMMONS.value, House.LORDS.value)


def lapse_days(conn: Connection, today: date) -> list[tuple[date, bool]]:
    """The tabled days whose open questions have lapsed (true), and those whose lapsed questions have not (false)."""
    open_, lapsed = (_days(conn, states) for states in (OPEN_STATES, {State.LAPSED}))
    return [(day, True) for day in open_ if _over(day, today)] + [
        (day, False) for day in lapsed if not _over(day, today)
    ]


def _days(conn: Connection, states: Iterable[State]) -> list[date]:
    days = select(questions.c.tabled_on).distinct().where(_of(states), questions.c.tabled_on.is_not(None))
    return sorted(conn.execute(days).scalars())


def _of(states: Iterable[State]) -> ColumnElement[bool]:
    return questions.c.state.in_([state.value for state in states]) & questions.c.house.in_(_HOUSES)


def _over(day: date, on: date) -> bool:
    session = session_of(day)
    return session is not None and has_ended(session, on)


def end_session(conn: Connection, day: date, *, lapsed: bool, how: How) -> Batch:
    """Make the versions for the questions tabled on `day`, and write them. Returns what was done."""
    states = OPEN_STATES if lapsed else {State.LAPSED}
    ids = conn.execute(select(questions.c.id).where(_of(states), questions.c.tabled_on == day)).scalars()
    batch = Batch()
    batch.load_questions(conn, ids)
    for row in _newest_pages(conn, batch):
        question = batch.by_id[row.question_id]
        question.take(_version(question, row, lapsed=lapsed, now=how.now))
    write(conn, batch, how)
    return batch


def _newest_pages(conn: Connection, batch: Batch) -> Iterable[Any]:
    newest = (versions.c.question_id == questions.c.id) & (versions.c.number == questions.c.number)
    columns = [
        versions.c[name] for name in ("question_id", "source", "page_sha256", "page_file", "page_offset")
    ]
    query = select(*columns).join(questions, newest).where(among(conn, questions.c.id, batch.by_id))
    return conn.execute(query).all()


def _version(question: Question, row: Any, *, lapsed: bool, now: datetime) -> Version:
    held = question.held()
    if held is None or held.content.tabled_on is None:
        raise StorageError(f"{question.key} has no version that could lapse")
    first_seen_after = _over(held.content.tabled_on, london_day(held.observed_at))
    return ended(
        held,
        lapsed=lapsed,
        source=row.source,
        page=PageRef(row.page_sha256, row.page_file, row.page_offset),
        now=now,
        backfilled=lapsed and first_seen_after,
    )


def london_day(moment: datetime) -> date:
    """The calendar day in London."""
    return moment.astimezone(LONDON).date()
