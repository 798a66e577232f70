"""The rows of subscriptions. What they mean is told in `alerts.subscriptions`; here they are only read and written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Text,
    and_,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from storage.schema import subscriptions as table
from storage.store import StorageError

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")  # which no database takes


class NoSuchSubscriptionError(StorageError):
    """Neither an id nor a name of a subscription."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One row. `tree` is the parsed query as JSON; `begins_at` is null until confirmed; `days` are mon..sun."""

    id: int
    name: str
    note: str | None
    query: str
    tree: Any
    broken: str | None
    to: str
    on: tuple[str, ...]
    every: str
    at: str
    days: tuple[str, ...]
    notice: str | None
    follows: str | None
    created_at: datetime
    confirmed_at: datetime | None
    begins_at: datetime | None
    expires_on: date | None
    paused_at: datetime | None
    paused_because: str | None
    ended_at: datetime | None
    token: str
    secret: str | None
    last_notice_at: datetime | None

    @property
    def active(self) -> bool:
        """Confirmed and not ended; a paused one is active too: its rows are held."""
        return self.begins_at is not None and self.ended_at is None


def add(conn: Connection, values: dict[str, Any]) -> Subscription:
    """Inserts a row; `values` by column name. The caller has made the name free."""
    new_id = conn.execute(insert(table).values(**values).returning(table.c.id)).scalar_one()
    return by_id(conn, new_id)


def by_id(conn: Connection, subscription_id: int) -> Subscription:
    """Raises NoSuchSubscriptionError."""
    found = _one(conn, table.c.id == subscription_id)
    if found is None:
        raise NoSuchSubscriptionError(f"there is no subscription {subscription_id}")
    return found


def find(conn: Connection, reference: str) -> Subscription:
    """By id or by name, as typed. Raises NoSuchSubscriptionError."""
    wanted = table.c.name == reference
    if reference.isdecimal() and reference.isascii() and len(reference) < 18:
        wanted = or_(wanted, table.c.id == int(reference))
    rows = (
        []
        if _NO_TEXT.search(reference)
        else conn.execute(select(table).where(wanted).order_by(table.c.name != reference)).all()
    )
    if not rows:
        raise NoSuchSubscriptionError(f"there is no subscription {reference!r}")
    return _of(rows[0])


def by_token(conn: Connection, token: str) -> Subscription | None:
    return _one(conn, table.c.token == token)


def every(conn: Connection, *, ended: bool = False) -> list[Subscription]:
    """All of them by id; with `ended` also those that are over."""
    wanted = select(table).order_by(table.c.id)
    if not ended:
        wanted = wanted.where(table.c.ended_at.is_(None))
    return [_of(row) for row in conn.execute(wanted)]


def by_ids(conn: Connection, ids: Iterable[int]) -> dict[int, Subscription]:
    found: dict[int, Subscription] = {}
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), 500):
        rows = conn.execute(select(table).where(table.c.id.in_(wanted[start : start + 500])))
        found.update((row.id, _of(row)) for row in rows)
    return found


def to_address(conn: Connection, to: str, *, ended: bool = False) -> list[Subscription]:
    """Those of one address. A mail address counts without regard to capitals."""
    wanted = select(table).where(func.lower(table.c.to) == to.lower())
    if not ended:
        wanted = wanted.where(table.c.ended_at.is_(None))
    return [_of(row) for row in conn.execute(wanted.order_by(table.c.id))]


def with_an_end(conn: Connection) -> list[Subscription]:
    """Those that end by themselves: by a date, or with the question that they follow."""
    may_end = or_(table.c.expires_on.is_not(None), table.c.follows.is_not(None))
    return [_of(row) for row in conn.execute(select(table).where(table.c.ended_at.is_(None), may_end))]


_CAN_HEAR = and_(table.c.begins_at.is_not(None), table.c.ended_at.is_(None), table.c.broken.is_(None))


def listening(conn: Connection) -> list[Subscription]:
    """Those that can hear: confirmed, not over, readable."""
    return [_of(row) for row in conn.execute(select(table).where(_CAN_HEAR).order_by(table.c.id))]


def broken(conn: Connection) -> list[Subscription]:
    """Those marked as unreadable that are not over."""
    marked = and_(table.c.broken.is_not(None), table.c.ended_at.is_(None))
    return [_of(row) for row in conn.execute(select(table).where(marked).order_by(table.c.id))]


def marks(conn: Connection) -> dict[int, tuple[Any, ...]]:
    """Of each that can hear what may change while it stands; a tenth of the cost of reading all of it."""
    c = table.c
    raw = (
        type_coerce(c.begins_at, Text),
        type_coerce(c.paused_at, Text),
    )  # compared only, never read as times
    columns = (c.id, *raw, c.paused_because, c.name, c.note, c.to)
    return {row[0]: tuple(row[1:]) for row in conn.execute(select(*columns).where(_CAN_HEAR))}


def change(conn: Connection, ids: Iterable[int], **values: Any) -> int:
    """Sets columns of some rows; returns how many there were."""
    wanted = sorted(set(ids))
    return sum(
        conn.execute(update(table).where(table.c.id.in_(wanted[n : n + 500])).values(**values)).rowcount
        for n in range(0, len(wanted), 500)
    )


def named(conn: Connection, name: str) -> Subscription | None:
    """The one that has this name, be it over."""
    return _one(conn, table.c.name == name)


def unconfirmed_since(conn: Connection, to: str, since: datetime) -> list[Subscription]:
    """The sign-ups of an address, confirmed by nobody, that were made since then."""
    wanted = and_(
        func.lower(table.c.to) == to.lower(), table.c.confirmed_at.is_(None), table.c.created_at > since
    )
    return [_of(row) for row in conn.execute(select(table).where(wanted).order_by(table.c.id))]


def _one(conn: Connection, wanted: ColumnElement[bool]) -> Subscription | None:
    row = conn.execute(select(table).where(wanted)).first()
    return None if row is None else _of(row)


def _of(row: Row[Any]) -> Subscription:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values["on"], values["days"] = tuple(values["on"]), tuple(values["days"])
    return Subscription(**values)
