"""`alerts run --dry-run`: what a run would put into messages now, worked out in a transaction that is given back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from alerts import catchup, lifecycle, matching
from alerts.audience import Audience
from alerts.setup import Setup
from storage import changes, ledger
from storage.ledger import Delivery
from storage.store import Store


class _UndoError(Exception):
    """Ends the transaction without a trace."""


def rehearse(store: Store, setup: Setup, *, now: datetime) -> list[Delivery]:
    """The rows that a run would send now, the oldest first. Changes nothing."""
    found: list[Delivery] = []
    try:
        with store.write() as conn:
            _match(conn, setup, now)
            found = ledger.listed(conn, states=["pending"], until=now)
            raise _UndoError
    except _UndoError:
        return found[::-1]


def _match(conn: Connection, setup: Setup, now: datetime) -> None:
    """What comes before the sending, as `alerts.run` does it."""
    ledger.one_matcher(conn)
    lifecycle.end_what_is_over(conn, setup, now=now)
    changes.note_overdue(conn, now=now, today=now.astimezone(setup.zone).date())
    audience = Audience(setup)
    audience.refresh(conn)
    while claimed := changes.claim(conn, matching.CHUNK, now=now):
        ledger.write(conn, matching.rows_for(conn, audience, claimed, setup, now=now))
        changes.done(conn, claimed, now=now)
    catchup.after_first_crawls(conn, audience, setup, now=now)
