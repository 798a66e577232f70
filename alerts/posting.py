"""Between the halves of a run: due rows find their messages. Which rows share one is decided here, purely.

Rows of one address and one rhythm that are due go out together, however many slots were missed; different rhythms are
different messages; programs get one message an event. A message is named by its rows, not by chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from alerts.channel import Form, channel_of
from alerts.schedule import Every
from alerts.setup import Setup
from storage import ledger, messages
from storage.ledger import Waiting
from storage.store import Store

CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Posting:
    """A message to be: its rows, and its place among those of the receiver (0: none)."""

    id: str
    to: str
    rows: tuple[int, ...]
    position: int = 0


def post_due(store: Store, setup: Setup, *, now: datetime) -> int:
    """Puts every due row into a message. Returns how many messages that made."""
    made = 0
    while True:
        with store.write() as conn:
            ledger.one_matcher(conn)
            rows = ledger.waiting(conn, now, CHUNK)
            if not rows:
                return made
            shown, mailed = _parted(_whole_groups(rows, CHUNK))
            ledger.settle(conn, [row.id for row in shown], "sent", sent_at=now)
            found = postings(mailed, host_of(setup))
            messages.add_all(conn, [(p.id, p.to, p.position) for p in found], now=now)
            ledger.put_in_messages(conn, [(p.id, row) for p in found for row in p.rows])
            made += len(found)


def postings(rows: Sequence[Waiting], host: str) -> list[Posting]:
    """Which rows go into which message."""
    groups: dict[tuple[str, ...], list[Waiting]] = {}
    for row in rows:
        groups.setdefault(_group(row), []).append(row)
    return [_posting(group, host) for group in groups.values()]


def message_id(channel_ids: bool, parts: Iterable[str], host: str) -> str:
    """A Message-ID (`<…@host>`), or a `webhook-id`, made from what the message is about."""
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    return f"<{digest}@{host}>" if channel_ids else f"msg_{digest}"


def host_of(setup: Setup) -> str:
    """The right side of our Message-IDs."""
    _, _, domain = setup.mail_from.rpartition("@")
    return domain.strip("> ") or urlsplit(setup.public_url).hostname or "localhost"


def _group(row: Waiting) -> tuple[str, ...]:
    if channel_of(row.to).form is Form.EVENT:
        return (row.to, "event", str(row.id))
    at = row.at if row.every in (Every.DAILY, Every.WEEKLY) else ""
    return (row.to.lower() if row.to.startswith("mailto:") else row.to, row.every, at, row.reason or "")


def _posting(rows: Sequence[Waiting], host: str) -> Posting:
    channel = channel_of(rows[0].to)
    about = sorted(f"{row.subscription_id} {row.question_id} {row.event}" for row in rows)
    position = 0
    if channel.form is Form.EVENT:
        position = rows[0].change_id or 1
    name = message_id(channel.mail_ids, [rows[0].to, *about], host)
    return Posting(name, rows[0].to, tuple(row.id for row in rows), position)


def _parted(rows: Sequence[Waiting]) -> tuple[list[Waiting], list[Waiting]]:
    shown = [row for row in rows if channel_of(row.to).form is Form.NONE]
    return shown, [row for row in rows if channel_of(row.to).form is not Form.NONE]


def _whole_groups(rows: list[Waiting], limit: int) -> list[Waiting]:
    """Leaves the last address for the next round where the limit may have cut it."""
    if len(rows) < limit or rows[0].to == rows[-1].to:
        return rows
    return [row for row in rows if row.to != rows[-1].to]
