"""Small facts about this database by name, and the secret that signs its links and sessions."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.ledger import insert_unless_there
from storage.schema import meta
from storage.store import Store

_SECRET = "secret"  # noqa: S105  # the name of the row


def get(conn: Connection, name: str) -> str | None:
    """The value under a name; null if there is none."""
    return conn.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def put(conn: Connection, name: str, value: str) -> None:
    """Set the value under a name, new or not."""
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = make(meta).values(name=name, value=value)
    conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def secret(store: Store) -> str:
    """The secret of this database, made on first use: the same for all processes, however many ask for it first."""
    with store.read() as conn:
        known = get(conn, _SECRET)
    if known:
        return known
    with store.write() as conn:
        insert_unless_there(conn, meta, [{"name": _SECRET, "value": secrets.token_urlsafe(32)}], ["name"])
    with store.read() as conn:  # a new transaction: it sees what another may have written first
        return get(conn, _SECRET) or ""
