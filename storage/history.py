"""What happened and when: versions, changes and the rows they made, as matching and the self-audit read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Text, and_, case, cast, func, literal, select, tuple_, union_all

from storage.bulk import among
from storage.records import OVERDUE, Kind
from storage.schema import changes, deliveries, questions, versions

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that was to be matched. `made_at`: when its change was made, else when the version was observed."""

    question_id: int
    event: str
    number: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What is told of a version beside its content."""

    kinds: tuple[Kind, ...]
    observed_at: datetime
    backfilled: bool
    reconstructed: bool


@dataclass(frozen=True, slots=True)
class Stands:
    """A row as an audit sees it. `state` is "waiting" for a pending row that no message holds."""

    subscription_id: int
    question_id: int
    event: str
    state: str
    reason: str | None
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """When a change was made, and when alerts had looked at it; null: it waits."""

    made_at: datetime
    done_at: datetime | None


def of_question(conn: Connection, question_id: int) -> dict[str, Made]:
    """The changes of one question by event."""
    wanted = select(changes.c.event, changes.c.created_at, changes.c.done_at)
    rows = conn.execute(wanted.where(changes.c.question_id == question_id))
    return {row.event: Made(row.created_at, row.done_at) for row in rows}


def standing(conn: Connection, question_ids: Iterable[int]) -> set[tuple[int, int, str]]:
    """The rows of the ledger that speak of some questions: (subscription, question, event)."""
    d = deliveries.c
    wanted = select(d.subscription_id, d.question_id, d.event)
    rows = conn.execute(wanted.where(among(conn, d.question_id, list(question_ids))))
    return {(row.subscription_id, row.question_id, row.event) for row in rows}


def happened(conn: Connection, since: datetime, until: datetime) -> Iterator[Happened]:
    """Versions that were not backfilled, and overdue days, in order. What waits for its first match is left out."""
    v, c = versions.c, changes.c
    event = literal("v").concat(cast(v.number, Text))
    same = and_(c.question_id == v.question_id, c.event == event)
    made = func.coalesce(c.created_at, v.observed_at).label("made_at")
    waits = and_(c.id.is_not(None), c.done_at.is_(None))
    told = (
        select(v.question_id, event.label("event"), v.number, made)
        .outerjoin(changes, same)
        .where(v.backfilled.is_(False), ~waits, made > since, made <= until)
    )
    late = select(c.question_id, c.event, c.number, c.created_at.label("made_at")).where(
        c.event.like(f"{OVERDUE}:%"), c.done_at.is_not(None), c.created_at > since, c.created_at <= until
    )
    both = union_all(told, late).subquery()
    rows = conn.execute(select(both).order_by(both.c.made_at, both.c.question_id, both.c.number))
    return (Happened(row.question_id, row.event, row.number, row.made_at) for row in rows)


def since(conn: Connection, moment: datetime) -> list[Stands]:
    """Every row written since then."""
    d = deliveries.c
    waits = and_(d.state == "pending", d.message_id.is_(None))
    state = case((waits, "waiting"), else_=d.state)
    columns = (d.subscription_id, d.question_id, d.event, state, d.reason, d.due_at)
    return [Stands(*row) for row in conn.execute(select(*columns).where(d.created_at >= moment))]


def keys_of(conn: Connection, question_ids: Iterable[int]) -> dict[int, str]:
    """The present key of questions by our id."""
    wanted = select(questions.c.id, questions.c.key).where(among(conn, questions.c.id, list(question_ids)))
    return {row.id: row.key for row in conn.execute(wanted)}


def facts(conn: Connection, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], VersionFacts]:
    """Kinds and times of versions by (question id, number)."""
    found: dict[tuple[int, int], VersionFacts] = {}
    wanted = sorted(set(pairs))
    v = versions.c
    columns = (v.question_id, v.number, v.kinds, v.observed_at, v.backfilled, v.reconstructed)
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        for row in conn.execute(select(*columns).where(tuple_(v.question_id, v.number).in_(chunk))):
            kinds = tuple(Kind(kind) for kind in row.kinds)
            found[row.question_id, row.number] = VersionFacts(
                kinds, row.observed_at, row.backfilled, row.reconstructed
            )
    return found


def made_at(conn: Connection, change_ids: Sequence[int]) -> dict[int, datetime]:
    """When changes were made, by id."""
    wanted = select(changes.c.id, changes.c.created_at).where(changes.c.id.in_(change_ids))
    return {row.id: row.created_at for row in conn.execute(wanted)}
