"""The self-audit: what the archive of versions says should have been told in the last days, against the ledger.

It starts from the versions and not from the changes that `alerts run` works through, so a change that was lost or a
run that matched wrongly shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from alerts.audience import Audience
from alerts.compose.letters import CATCH_UP
from alerts.hearing import begun, expired
from alerts.matching import CHUNK, Archive, hear
from alerts.problems import SOURCE, tell_operator
from alerts.setup import Setup
from storage import history, problems, runs
from storage import subscriptions as rows
from storage.bulk import chunks
from storage.changes import Change
from storage.history import Happened, happened
from storage.records import Problem
from storage.store import Store
from storage.subscriptions import Subscription

LATE = timedelta(hours=1)
"""How long a row may be due without having found a message, before that counts as not sent."""

_LEDGER = "ledger:"
"""Where the problem of a difference stands."""

Row = tuple[int, int, str]
"""Subscription, question and event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    subscription: str
    subscription_id: int
    key: str
    event: str

    def shape(self) -> dict[str, Any]:
        return {
            "subscription": {"id": self.subscription_id, "name": self.subscription},
            "key": self.key,
            "event": self.event,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """`checked`: rows that should stand. `missing`: those that do not, or were never sent; `unexpected`: others."""

    checked: int
    missing: tuple[Difference, ...] = ()
    unexpected: tuple[Difference, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.missing and not self.unexpected

    def shape(self) -> dict[str, Any]:
        return {
            "checked": self.checked,
            "missing": [difference.shape() for difference in self.missing],
            "unexpected": [difference.shape() for difference in self.unexpected],
        }


def audit(store: Store, setup: Setup, *, days: int, now: datetime) -> AuditReport:
    """Recomputes the last `days` days. What `alerts run` has not looked at yet is not expected."""
    since = now - timedelta(days=days)
    with store.read() as conn:
        audience = Audience(setup)
        audience.take(s for s in rows.every(conn, ended=True) if s.begins_at is not None and s.broken is None)
        expected = _expected(conn, audience, setup, since, now)
        events = {(h.question_id, h.event) for h in happened(conn, since, now)}
        found = history.since(conn, since)
        told = {(r.subscription_id, r.question_id, r.event) for r in found if _counts(r.state, r.due_at, now)}
        written = {
            (r.subscription_id, r.question_id, r.event)
            for r in found
            if r.reason != CATCH_UP
            and (r.question_id, r.event) in events
            and r.subscription_id in audience.subscriptions
        }
        missing = _named(conn, audience, expected - told)
        return AuditReport(
            checked=len(expected), missing=missing, unexpected=_named(conn, audience, written - expected)
        )


def keep(store: Store, setup: Setup, report: AuditReport, *, began: datetime, now: datetime) -> None:
    """Notes that the audit ran; a difference stays a problem until an audit finds none, and the operator is told once."""
    problem = Problem(
        source=SOURCE,
        kind="audit",
        url=_LEDGER,
        message=f"the ledger is not what should have been sent: {len(report.missing)} missing, "
        f"{len(report.unexpected)} unexpected; `pqwatch audit` names them",
    )
    with store.write() as conn:
        run = runs.start(conn, "audit", None, now=began, whole=True)
        runs.finish(conn, run, now=now, ok=report.ok, report={"checked": report.checked})
        if report.ok:
            problems.end(conn, SOURCE, [_LEDGER], now=now)
        elif problems.report(conn, [problem], now=now):
            tell_operator(conn, setup, [problem], now=now)


def _counts(state: str, due_at: datetime, now: datetime) -> bool:
    """Whether a row is accounted for: a pending one only while it may still wait."""
    return state != "waiting" or due_at > now - LATE


def _expected(
    conn: Connection, audience: Audience, setup: Setup, since: datetime, until: datetime
) -> set[Row]:
    expected: set[Row] = set()
    for chunk in chunks(happened(conn, since, until), CHUNK):
        archive = Archive(conn, setup.zone)
        archive.load([(h.question_id, n) for h in chunk for n in (h.number, h.number - 1)])
        for each in chunk:
            change = Change(0, each.question_id, each.event, each.number, backfilled=False)
            expected.update(
                (heard.subscription.id, each.question_id, each.event)
                for heard in hear(archive, audience, change, each.made_at, listens=_there(each, setup))
            )
    return expected


def _there(each: Happened, setup: Setup) -> Any:
    """Who listened when the event was made: begun, not yet ended, not expired."""
    day = each.made_at.astimezone(setup.zone).date()

    def listens(subscription: Subscription) -> bool:
        ended = subscription.ended_at is not None and subscription.ended_at <= each.made_at
        return begun(subscription, each.made_at) and not ended and not expired(subscription, day)

    return listens


def _named(conn: Connection, audience: Audience, found: set[Row]) -> tuple[Difference, ...]:
    keys = history.keys_of(conn, {question_id for _, question_id, _ in found})
    return tuple(
        Difference(
            subscription=audience.subscriptions[subscription_id].name,
            subscription_id=subscription_id,
            key=keys[question_id],
            event=event,
        )
        for subscription_id, question_id, event in sorted(found)
    )
