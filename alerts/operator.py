"""Mail to whoever runs pqwatch about the sources: what changed under our parsers, at once; what else lasts, after a day.

Each thing is told once, and once more when it is well again. That a source fails altogether is told by `alerts.notices`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts.address import AddressError, mail_address
from alerts.channel import channel_of
from alerts.compose import notes
from alerts.posting import host_of, message_id
from alerts.setup import Setup
from storage import checks, messages, meta, problems
from storage.problems import OUTAGES, OpenProblem

_TOLD, _LAST = "operator:told", "operator:last"
_OFTEN = timedelta(hours=1)  # a source that changes to and fro does not fill a mailbox
_PATIENCE = timedelta(days=1)
_AT_ONCE = frozenset({"new-field", "renamed-field", "unreadable-row", "unreadable-page", "unknown-body"})
_ELSEWHERE = OUTAGES | checks.LATE | {"rate-limited"}


def address(setup: Setup) -> str | None:
    """`PQWATCH_CONTACT` as an address that mail can be sent to; null where it is none, or there is no mail server."""
    try:
        return f"mailto:{mail_address(setup.contact)}" if setup.smtp_url else None
    except AddressError:
        return None


def tell(conn: Connection, setup: Setup, *, now: datetime) -> int:
    """Puts a mail about what is new, or well again, with the messages to be sent. Returns how many."""
    to = address(setup)
    if to is None:
        return 0
    told: dict[str, str] = json.loads(meta.get(conn, _TOLD) or "{}")
    lasting = {_key(each): each for each in problems.open_problems(conn) if _is_ours(each)}
    fresh = {key: _line(each) for key, each in lasting.items() if key not in told and _is_due(each, now)}
    mended = {key: line for key, line in told.items() if key not in lasting}
    last = meta.get(conn, _LAST)
    if not (fresh or mended) or (last and now - datetime.fromisoformat(last) < _OFTEN):
        return 0
    left = {key: line for key, line in told.items() if key in lasting}
    meta.put(conn, _TOLD, json.dumps(left | fresh))
    meta.put(conn, _LAST, now.isoformat())
    name = message_id(True, ["sources", now.isoformat(), *_sorted(fresh, mended)], host_of(setup))
    letter = notes.problems_of_sources(
        to, list(fresh.values()), list(mended.values()), name, setup, composed_at=setup.clock()
    )
    return messages.add(conn, name, to, channel_of(to).compose(letter), now=now)


def _is_ours(problem: OpenProblem) -> bool:
    return problem.source != "alerts" and problem.kind not in _ELSEWHERE


def _is_due(problem: OpenProblem, now: datetime) -> bool:
    return problem.kind in _AT_ONCE or now - problem.first_seen >= _PATIENCE


def _key(problem: OpenProblem) -> str:
    """What is the same at many addresses, or but for a figure, is one thing."""
    same = "\n".join((problem.source, problem.kind, re.sub(r"\d+", "0", _line(problem))))
    return hashlib.sha256(same.encode()).hexdigest()[:16]


def _line(problem: OpenProblem) -> str:
    said = problem.message.removeprefix(f"{problem.url}: ").removeprefix(f"{problem.kind}: ")
    return f"{problem.source}: {problem.kind}: {said}"[:300]


def _sorted(*groups: Iterable[str]) -> list[str]:
    return [key for group in groups for key in sorted(group)]
