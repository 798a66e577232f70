"""The rows of messages: what is to be sent, exactly as sent, and how far that has come.

A message is first only its place (rows of the ledger point to it, the payload is empty), then composed, then sent, then
marked. Who composes and sends it holds a claim that ends by the real clock, or at once when the holder's process died.
Messages with a position are sent in its order for each receiver; position 0 waits for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.bulk import among
from storage.ledger import insert_unless_there
from storage.owner import is_dead
from storage.schema import messages as table

_RUN = 16  # messages of one ordered receiver that are claimed together


@dataclass(frozen=True, slots=True)
class Message:
    """A claimed message. `payload` is empty until composed."""

    id: str
    to: str
    payload: bytes
    position: int
    attempts: int
    claimed_until: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """`owner` as `storage.owner` gives it; `clock` and `until` are real time."""

    owner: str
    clock: datetime
    until: datetime


def add_all(conn: Connection, places: Sequence[tuple[str, str, int]], *, now: datetime) -> None:
    """Makes room for messages (id, address, position) that are due now. One that was dropped begins anew."""
    values = [_fresh(name, to, position, b"", now) for name, to, position in places]
    if values:
        make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
        anew = ("payload", "state", "attempts", "next_attempt_at")
        statement = make(table)
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["id"],
                set_={name: statement.excluded[name] for name in anew},
                where=or_(table.c.state == "dropped", table.c.state == "failed"),
            ),
            values,
        )


def add(conn: Connection, message_id: str, to: str, payload: bytes, *, now: datetime) -> bool:
    """A message that speaks of no rows, composed already; false if it stands."""
    return insert_unless_there(conn, table, [_fresh(message_id, to, 0, payload, now)], ["id"]) > 0


def _fresh(name: str, to: str, position: int, payload: bytes, now: datetime) -> dict[str, Any]:
    return {
        "id": name,
        "to": to,
        "payload": payload,
        "state": "pending",
        "position": position,
        "attempts": 0,
        "created_at": now,
        "next_attempt_at": now,
    }


def claim(
    conn: Connection, holder: Claim, *, now: datetime, limit: int, without: Sequence[str] = ()
) -> list[Message]:
    """Due messages that nobody else holds, now held by us; those of one ordered receiver in order, without a gap.

    `without`: schemes of addresses to leave alone. Waits for no other worker (SKIP LOCKED on PostgreSQL).
    """
    free = _free(holder.clock)
    due = and_(table.c.state == "pending", table.c.next_attempt_at <= now, free)
    earlier = table.alias()
    behind = (
        select(earlier.c.id)
        .where(earlier.c.to == table.c.to, earlier.c.state == "pending")
        .where(earlier.c.position > 0, earlier.c.position < table.c.position)
    )
    wanted = (
        select(table.c.id, table.c.to, table.c.position)
        .where(due, or_(table.c.position == 0, ~behind.exists()))
        .where(*(not_(table.c.to.startswith(f"{scheme}:", autoescape=True)) for scheme in without))
        .order_by(table.c.next_attempt_at, table.c.position, table.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids: list[str] = []
    for row in conn.execute(wanted).all():
        ids.append(row.id)
        if row.position > 0:
            ids.extend(_following(conn, row.to, row.position, now, free))
    return _hold(conn, list(dict.fromkeys(ids)), holder)


def _following(
    conn: Connection, to: str, position: int, now: datetime, free: ColumnElement[bool]
) -> list[str]:
    """Ids of the due messages right behind a receiver's first, up to one that must wait."""
    wanted = (
        select(table.c.id, and_(table.c.next_attempt_at <= now, free).label("free"))
        .where(table.c.to == to, table.c.state == "pending", table.c.position > position)
        .order_by(table.c.position, table.c.id)
        .limit(_RUN)
    )
    ids = []
    for row in conn.execute(wanted):
        if not row.free:
            break
        ids.append(row.id)
    return ids


def _hold(conn: Connection, ids: Sequence[str], holder: Claim) -> list[Message]:
    if not ids:
        return []
    mine = {"claimed_by": holder.owner, "claimed_until": holder.until}
    conn.execute(update(table).where(among(conn, table.c.id, ids)).values(mine))
    c = table.c
    wanted = select(c.id, c.to, c.payload, c.position, c.attempts, c.claimed_until).where(
        among(conn, c.id, ids)
    )
    found = {row.id: Message(*row) for row in conn.execute(wanted)}
    return [found[name] for name in ids]


def renew(conn: Connection, message_id: str, holder: Claim) -> bool:
    """Holds on for longer; false if it was lost meanwhile (ended, dropped or taken over)."""
    mine = and_(table.c.id == message_id, table.c.claimed_by == holder.owner, table.c.state == "pending")
    return conn.execute(update(table).where(mine).values(claimed_until=holder.until)).rowcount > 0


def let_go(conn: Connection, owner: str, ids: Sequence[str] | None = None) -> None:
    """Gives back what a holder still holds, or some of it."""
    mine = and_(table.c.claimed_by == owner, table.c.state == "pending")
    if ids is not None:
        mine = and_(mine, among(conn, table.c.id, ids))
    conn.execute(update(table).where(mine).values(claimed_until=None, claimed_by=None))


def held(conn: Connection, ids: Sequence[str], owner: str) -> list[Message]:
    """Those of the messages that the owner holds, still to be sent and composed, in the given order."""
    c = table.c
    mine = and_(among(conn, c.id, ids), c.claimed_by == owner, c.state == "pending", c.payload != b"")
    wanted = select(c.id, c.to, c.payload, c.position, c.attempts, c.claimed_until).where(mine)
    found = {row.id: Message(*row) for row in conn.execute(wanted)}
    return [found[name] for name in ids if name in found]


def let_go_of_the_dead(conn: Connection) -> int:
    """Frees what processes hold that are known to be gone; returns how many messages."""
    held = and_(table.c.state == "pending", table.c.claimed_by.is_not(None))
    owners = list(conn.execute(select(table.c.claimed_by).where(held).distinct()).scalars())
    dead = [owner for owner in owners if is_dead(owner)]
    if not dead:
        return 0
    free = update(table).where(held, table.c.claimed_by.in_(dead))
    return conn.execute(free.values(claimed_until=None, claimed_by=None)).rowcount


def store_payloads(conn: Connection, payloads: Mapping[str, bytes]) -> None:
    for name, payload in payloads.items():
        conn.execute(update(table).where(table.c.id == name, table.c.payload == b"").values(payload=payload))


def sent(conn: Connection, message_id: str, *, now: datetime) -> None:
    _finish(conn, message_id, state="sent", sent_at=now, attempts=table.c.attempts + 1, error=None)


def failed(conn: Connection, message_id: str, error: str) -> None:
    """For good."""
    _finish(conn, message_id, state="failed", attempts=table.c.attempts + 1, error=error)


def again(conn: Connection, message_id: str, error: str, *, at: datetime, counts: bool = True) -> None:
    """To be tried again; `counts`: whether this was an attempt on the receiver."""
    attempts = table.c.attempts + (1 if counts else 0)
    free: dict[str, Any] = {"claimed_until": None, "claimed_by": None}
    conn.execute(
        update(table)
        .where(table.c.id == message_id, table.c.state == "pending")
        .values(attempts=attempts, next_attempt_at=at, error=error, **free)
    )


def drop(conn: Connection, ids: Iterable[str], why: str) -> None:
    """Never to be sent."""
    pending = and_(among(conn, table.c.id, ids), table.c.state.in_(("pending", "failed")))
    conn.execute(update(table).where(pending).values(state="dropped", error=why, next_attempt_at=None))


def recompose(conn: Connection, ids: Iterable[str]) -> None:
    """To be made anew from the rows that are left, under the same id."""
    unsent = and_(among(conn, table.c.id, ids), table.c.state.in_(("pending", "failed")))
    conn.execute(update(table).where(unsent).values(payload=b""))


def revive(conn: Connection, ids: Sequence[str], *, now: datetime) -> int:
    """Failed messages that are to be tried once more from the beginning."""
    wanted = and_(among(conn, table.c.id, ids), table.c.state == "failed")
    fresh = {"state": "pending", "attempts": 0, "next_attempt_at": now, "claimed_until": None}
    return conn.execute(update(table).where(wanted).values(fresh)).rowcount


def send_again(conn: Connection, ids: Sequence[str], *, now: datetime) -> None:
    """Messages that were sent or failed go out once more, as they were."""
    over = and_(among(conn, table.c.id, ids), table.c.state.in_(("sent", "failed")))
    fresh = {"state": "pending", "attempts": 0, "next_attempt_at": now, "claimed_until": None}
    conn.execute(update(table).where(over).values(fresh))


def was_sent(conn: Connection, message_id: str, to: str) -> bool:
    """Whether we sent this message to this address."""
    ours = and_(table.c.id == message_id, func.lower(table.c.to) == to.lower(), table.c.attempts > 0)
    return conn.execute(select(table.c.id).where(ours)).first() is not None


def counts(conn: Connection) -> dict[str, int]:
    """How many messages stand in each state."""
    rows = conn.execute(select(table.c.state, func.count()).group_by(table.c.state))
    return {row.state: row[1] for row in rows}


def _finish(conn: Connection, message_id: str, **values: Any) -> None:
    free: dict[str, Any] = {"claimed_until": None, "claimed_by": None, "next_attempt_at": None}
    conn.execute(update(table).where(table.c.id == message_id).values(**values, **free))


def _free(clock: datetime) -> ColumnElement[bool]:
    return or_(table.c.claimed_until.is_(None), table.c.claimed_until < clock)
