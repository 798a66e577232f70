"""The rows of deliveries: one for each subscription, question and event. Only rows; the rules are in `alerts`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from storage.bulk import among
from storage.schema import changes, deliveries, messages, questions, subscriptions

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A row to be. `state` is pending, held, sent (feeds) or dropped."""

    subscription_id: int
    question_id: int
    event: str
    number: int
    kind: str
    state: str
    created_at: datetime
    due_at: datetime
    reason: str | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A row as it stands, with what its message says of the sending."""

    id: int
    subscription_id: int
    subscription: str
    to: str
    question_id: int
    key: str
    event: str
    number: int
    kind: str
    state: str
    reason: str | None
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    message_id: str | None
    attempts: int
    error: str | None

    @property
    def version(self) -> int | None:
        """The number of the version, null for overdue."""
        return None if self.event.startswith("overdue:") else self.number


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that is due and in no message yet, with what decides which message it goes into."""

    id: int
    subscription_id: int
    question_id: int
    event: str
    reason: str | None
    to: str
    every: str
    at: str
    change_id: int | None


def write(conn: Connection, rows: Sequence[NewRow]) -> int:
    """Inserts what is not there yet; returns how many that were. A row that stands is never touched."""
    values = [{name: getattr(row, name) for name in NewRow.__slots__} for row in rows]
    return insert_unless_there(conn, deliveries, values, ["subscription_id", "question_id", "event"])


def insert_unless_there(
    conn: Connection, table: Table, values: Sequence[dict[str, Any]], unique: Sequence[str]
) -> int:
    """Inserts rows but those whose unique columns stand already; returns how many were new."""
    if not values:
        return 0
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = make(table).on_conflict_do_nothing(index_elements=unique)
    return len(conn.execute(statement.returning(table.c[unique[0]]), values).all())


def waiting(conn: Connection, now: datetime, limit: int) -> list[Waiting]:
    """Due rows in no message, those of one address together, the oldest first."""
    columns = (
        deliveries.c.id,
        deliveries.c.subscription_id,
        deliveries.c.question_id,
        deliveries.c.event,
        deliveries.c.reason,
        subscriptions.c.to,
        subscriptions.c.every,
        subscriptions.c.at,
        changes.c.id,
    )
    same = and_(changes.c.question_id == deliveries.c.question_id, changes.c.event == deliveries.c.event)
    wanted = (
        select(*columns)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .outerjoin(changes, same)
        .where(_due(now))
        .order_by(subscriptions.c.to, deliveries.c.id)
        .limit(limit)
    )
    return [Waiting(*row) for row in conn.execute(wanted)]


def put_in_messages(conn: Connection, pairs: Sequence[tuple[str, int]]) -> None:
    """Points rows to their messages: (message id, row id)."""
    if pairs:
        statement = update(deliveries).where(deliveries.c.id == bindparam("row"))
        values = [{"row": row, "message": message} for message, row in pairs]
        conn.execute(statement.values(message_id=bindparam("message")), values)


def settle(conn: Connection, ids: Sequence[int], state: str, *, sent_at: datetime | None = None) -> None:
    """Gives rows that go into no message their last state."""
    for start in range(0, len(ids), _CHUNK):
        wanted = deliveries.c.id.in_(ids[start : start + _CHUNK])
        conn.execute(update(deliveries).where(wanted).values(state=state, sent_at=sent_at))


def of_messages(
    conn: Connection, message_ids: Sequence[str], *, states: Sequence[str] = ()
) -> dict[str, list[Delivery]]:
    """The rows of messages by message, in the order they were written; with `states` only those."""
    found: dict[str, list[Delivery]] = {name: [] for name in message_ids}
    for start in range(0, len(message_ids), _CHUNK):
        chunk = message_ids[start : start + _CHUNK]
        wanted = _select().where(deliveries.c.message_id.in_(chunk)).order_by(deliveries.c.id)
        if states:
            wanted = wanted.where(deliveries.c.state.in_(states))
        for row in conn.execute(wanted):
            found[row.message_id].append(_of(row))
    return found


def secret_of(conn: Connection, message_id: str) -> str | None:
    """The webhook secret of the subscription that a message is for."""
    wanted = (
        select(subscriptions.c.secret)
        .join(deliveries, deliveries.c.subscription_id == subscriptions.c.id)
        .where(deliveries.c.message_id == message_id)
        .limit(1)
    )
    return conn.execute(wanted).scalar()


def messages_with(conn: Connection, subscription_ids: Sequence[int], state: str) -> set[str]:
    """Ids of the messages that hold rows of the subscriptions in this state."""
    d = deliveries.c
    wanted = and_(
        among(conn, d.subscription_id, subscription_ids), d.state == state, d.message_id.is_not(None)
    )
    return set(conn.execute(select(d.message_id).where(wanted).distinct()).scalars())


def with_rows(conn: Connection, message_ids: Iterable[str]) -> set[str]:
    """Those of the messages that still have a row."""
    wanted = select(deliveries.c.message_id).where(among(conn, deliveries.c.message_id, message_ids))
    return set(conn.execute(wanted.distinct()).scalars())


def mark(
    conn: Connection, message_ids: Sequence[str], state: str, *, sent_at: datetime | None = None
) -> None:
    """Gives the pending rows of messages the state of their message."""
    wanted = and_(
        among(conn, deliveries.c.message_id, message_ids), deliveries.c.state.in_(("pending", "failed"))
    )
    conn.execute(update(deliveries).where(wanted).values(state=state, sent_at=sent_at))


def reopen(conn: Connection, message_ids: Sequence[str]) -> None:
    """Rows whose message goes out once more are pending again."""
    wanted = and_(
        among(conn, deliveries.c.message_id, message_ids), deliveries.c.state.in_(("failed", "sent"))
    )
    conn.execute(update(deliveries).where(wanted).values(state="pending", sent_at=None))


def move(
    conn: Connection,
    subscription_ids: Sequence[int],
    before: str,
    after: str,
    reason: str | None,
    **values: Any,
) -> int:
    """Gives rows of subscriptions in state `before` the state `after`; returns how many."""
    wanted = and_(among(conn, deliveries.c.subscription_id, subscription_ids), deliveries.c.state == before)
    return conn.execute(
        update(deliveries).where(wanted).values(state=after, reason=reason, **values)
    ).rowcount


def listed(
    conn: Connection,
    *,
    subscription_id: int | None = None,
    question_id: int | None = None,
    states: Sequence[str] = (),
    until: datetime | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[Delivery]:
    """The ledger, the newest first. `until`: only what is due by then; `before`: only rows with a smaller id."""
    wanted = _select().order_by(deliveries.c.id.desc())
    if subscription_id is not None:
        wanted = wanted.where(deliveries.c.subscription_id == subscription_id)
    if question_id is not None:
        wanted = wanted.where(deliveries.c.question_id == question_id)
    if states:
        wanted = wanted.where(deliveries.c.state.in_(states))
    if until is not None:
        wanted = wanted.where(deliveries.c.due_at <= until)
    if before is not None:
        wanted = wanted.where(deliveries.c.id < before)
    return [_of(row) for row in conn.execute(wanted if limit is None else wanted.limit(limit))]


def count(conn: Connection, state: str) -> int:
    return conn.execute(select(func.count()).where(deliveries.c.state == state)).scalar_one()


def count_of(conn: Connection, subscription_id: int) -> int:
    """How many rows a subscription has."""
    return conn.execute(
        select(func.count()).where(deliveries.c.subscription_id == subscription_id)
    ).scalar_one()


def heard_since(conn: Connection, subscription_id: int, since: datetime) -> bool:
    """Whether the subscription heard of anything since then, sent or not."""
    d = deliveries.c
    wanted = and_(d.subscription_id == subscription_id, d.created_at >= since)
    return conn.execute(select(d.id).where(wanted).limit(1)).first() is not None


def _due(now: datetime) -> ColumnElement[bool]:
    d = deliveries.c
    return and_(d.state == "pending", d.message_id.is_(None), d.due_at <= now)


def _select() -> Select[Any]:
    return (
        select(
            deliveries,
            questions.c.key,
            subscriptions.c.name.label("subscription"),
            subscriptions.c.to,
            messages.c.attempts,
            messages.c.error,
        )
        .join(questions, questions.c.id == deliveries.c.question_id)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .outerjoin(messages, messages.c.id == deliveries.c.message_id)
    )


def _of(row: Row[Any]) -> Delivery:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values["attempts"] = values["attempts"] or 0
    return Delivery(**values)


def one_matcher(conn: Connection) -> None:
    """Until the transaction ends nobody else turns changes into rows or rows into messages.

    So events reach the ledger in their order whoever works, and a slot is not parted into two messages. Sending, the
    slow part, goes on side by side. SQLite's write lock does as much.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_MATCH_LOCK)))


_MATCH_LOCK = 0x6C6564676572  # "ledger"
