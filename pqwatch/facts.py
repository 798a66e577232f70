"""What the figures by department are made from, read for a query or for everything held."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, select

from alerts import search as searching
from alerts.tree import Query
from pqwatch.timeliness import Fact
from storage.bodies import present_name
from storage.bulk import among
from storage.records import Body
from storage.schema import questions as table

NO_BODY = "No department given"


def facts_of(conn: Connection, query: Query | None, today: date, *, since: date) -> list[Fact]:
    """Of every question that matches (null: of all) with an event since that day. Feed items are no questions."""
    rows = select(
        table.c.key, table.c.body_id, table.c.body_name, table.c.state, table.c.tabled_on, table.c.answered_on,
        table.c.holding_on, table.c.overdue_after,
    ).where(table.c.house.is_not(None))  # fmt: skip
    if query is None:
        rows = rows.where(table.c.tabled_on >= since)
    else:
        ids = [hit.question_id for hit in searching.hits_of(conn, query, today=today, since=since)]
        rows = rows.where(among(conn, table.c.id, ids))
    return [
        Fact(
            key=row.key,
            department=present_name(Body(row.body_name, row.body_id)) if row.body_name else NO_BODY,
            state=row.state,
            tabled_on=row.tabled_on,
            answered_on=row.answered_on,
            holding_on=row.holding_on,
            overdue_after=row.overdue_after,
        )
        for row in conn.execute(rows)
    ]
