"""When questions that somebody follows came to their end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, select

from storage.bulk import among
from storage.records import OPEN_STATES, State
from storage.schema import aliases, questions


def settled_on(conn: Connection, keys: Sequence[str]) -> dict[str, date]:
    """The day of the final word (answer, correction, withdrawal, lapse) by key; open questions are left out."""
    if not keys:
        return {}
    q = questions.c
    wanted = (
        select(aliases.c.key, q.state, q.answered_on, q.corrected_on, q.observed_at)
        .join(aliases, aliases.c.question_id == q.id)
        .where(among(conn, aliases.c.key, keys))
    )
    days = {}
    for row in conn.execute(wanted):
        if State(row.state) in OPEN_STATES:
            continue
        known = [day for day in (row.answered_on, row.corrected_on) if day is not None]
        days[row.key] = max(known) if known else row.observed_at.date()
    return days
