"""Addresses that must not be written to: bounced, erased. Only their hash is kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from storage.ledger import insert_unless_there
from storage.schema import suppressions as table


def stands(conn: Connection, address_hash: str) -> bool:
    return (
        conn.execute(select(table.c.reason).where(table.c.address_hash == address_hash)).first() is not None
    )


def add(conn: Connection, address_hash: str, reason: str, *, now: datetime) -> None:
    """The first reason stays."""
    values = {"address_hash": address_hash, "reason": reason, "since": now}
    insert_unless_there(conn, table, [values], ["address_hash"])


def lift(conn: Connection, address_hash: str) -> None:
    conn.execute(delete(table).where(table.c.address_hash == address_hash))
