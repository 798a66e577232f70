"""What is blanked of a person, in every table that may name one. When that is due is told in `alerts.retention`.

The ledger stands: ids, events and times. Only what names a person, or may quote a mail server that does, goes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from storage import messages as message_rows
from storage.bulk import among
from storage.schema import deliveries, messages, problems, subscriptions
from storage.subscriptions import Subscription, by_ids

ERASED = "erased:"
"""The address of what belongs to nobody any more."""


def over_since(conn: Connection, before: datetime) -> list[Subscription]:
    """Those not yet erased that ended before then, or were asked for before then and confirmed by nobody."""
    s = subscriptions.c
    unconfirmed = and_(s.begins_at.is_(None), s.ended_at.is_(None), s.created_at < before)
    over = and_(s.to != ERASED, or_(s.ended_at < before, unconfirmed))
    found = by_ids(conn, conn.execute(select(s.id).where(over)).scalars())
    return [found[number] for number in sorted(found)]


def with_pending(conn: Connection, subscription_ids: Sequence[int]) -> set[int]:
    """Those of the subscriptions for which something waits to be sent."""
    d = deliveries.c
    wanted = and_(among(conn, d.subscription_id, subscription_ids), d.state == "pending")
    return set(conn.execute(select(d.subscription_id).where(wanted).distinct()).scalars())


def erase_subscription(conn: Connection, subscription_id: int) -> None:
    """Leaves of it only what the ledger needs to stand."""
    blank = {
        "name": f"erased {subscription_id}",
        "note": None,
        "query": "erased",
        "tree": None,
        "broken": "erased",
        "to": ERASED,
        "follows": None,
        "secret": None,
        "token": secrets.token_urlsafe(24),  # of a feed that nobody is told of
    }
    s, d = subscriptions.c, deliveries.c
    conn.execute(update(subscriptions).where(s.id == subscription_id).values(blank))
    paused = and_(s.id == subscription_id, s.paused_because.is_not(None))
    conn.execute(update(subscriptions).where(paused).values(paused_because="erased"))
    told = and_(d.subscription_id == subscription_id, d.reason.is_not(None))
    conn.execute(update(deliveries).where(told).values(reason="erased"))


def erase_problem(conn: Connection, source: str, url: str, *, now: datetime) -> None:
    """Closes what was met at an address that names a subscription, and leaves nothing of the name."""
    p = problems.c
    theirs = and_(p.source == source, p.url == url)
    conn.execute(update(problems).where(theirs, p.ended_at.is_(None)).values(ended_at=now))
    conn.execute(update(problems).where(theirs).values(url=ERASED, message="erased"))


def erase_messages(conn: Connection, to: str) -> None:
    """Blanks what was sent to an address; what was not yet is dropped."""
    theirs = func.lower(messages.c.to) == to.lower()
    message_rows.drop(conn, list(conn.execute(select(messages.c.id).where(theirs)).scalars()), "erased")
    _blank(conn, theirs)


def erase_notices(conn: Connection) -> None:
    """Blanks what was sent and speaks of no row of the ledger: it is never sent again, and may name anybody."""
    m = messages.c
    about_rows = select(deliveries.c.id).where(deliveries.c.message_id == m.id).exists()
    over = and_(m.state != "pending", m.payload != b"", ~about_rows)
    conn.execute(update(messages).where(over).values(payload=b""))


def erase_old_messages(conn: Connection, before: datetime, limit: int) -> int:
    """Blanks bodies of what was settled before then, and the address where no subscription of it is left.

    At most `limit` messages; returns how many those were. One that is to be sent once more is made anew from its rows.
    """
    m, s = messages.c, subscriptions.c
    nobodys = and_(m.to != ERASED, func.lower(m.to).not_in(select(func.lower(s.to))))
    old = and_(m.state != "pending", func.coalesce(m.sent_at, m.created_at) < before)
    wanted = select(m.id, nobodys.label("nobodys")).where(old, or_(m.payload != b"", nobodys))
    found = list(conn.execute(wanted.limit(limit)))
    conn.execute(update(messages).where(among(conn, m.id, [row.id for row in found])).values(payload=b""))
    _blank(conn, among(conn, m.id, [row.id for row in found if row.nobodys]))
    return len(found)


def _blank(conn: Connection, which: ColumnElement[bool]) -> None:
    conn.execute(update(messages).where(which).values(to=ERASED, payload=b"", error=None))
