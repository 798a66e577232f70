"""Subscriptions applied to what is already stored, every version, by the rules that alerts go by.

Nothing is sent unless that is asked for; then what no row of the ledger speaks of yet goes out in one catch-up message a
subscription (to a program one by one) with the next run. Twice gives the same rows, so a run that was cut off is repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from alerts.audience import Audience, query_of
from alerts.catchup import late_row
from alerts.matching import Archive, hear
from alerts.search import ever_matching
from alerts.setup import Setup
from storage import history, ledger
from storage.bulk import among, chunks
from storage.changes import Change
from storage.schema import questions
from storage.search_index import is_whole
from storage.store import Store
from storage.subscriptions import Subscription

CHUNK = 200
"""Questions a transaction."""

FEW = 20
"""So many subscriptions at most are asked of the full-text index first; for more, every question is read."""

Progress = Callable[[int, int, float], None]
"""Told of questions done, of how many, and how many a second."""


@dataclass(slots=True)
class Rematched:
    """What one subscription would have heard: `questions`, `events`, of which the ledger has `told`; `rows` made now."""

    subscription: Subscription
    questions: int = 0
    events: int = 0
    told: int = 0
    rows: int = 0

    def shape(self) -> dict[str, Any]:
        return {
            "subscription": {"id": self.subscription.id, "name": self.subscription.name},
            "questions": self.questions,
            "events": self.events,
            "told": self.told,
            "rows": self.rows,
        }


@dataclass(slots=True)
class Rematch:
    """A run over the store for some subscriptions. `alerts`: what was not told yet is to be sent."""

    store: Store
    setup: Setup
    now: datetime
    alerts: bool = False
    found: dict[int, Rematched] = field(default_factory=dict)

    def run(self, wanted: Sequence[Subscription], progress: Progress | None = None) -> list[Rematched]:
        """What each of them would have heard, in their order. One whose query cannot be read any more hears nothing."""
        audience = Audience(self.setup)
        audience.take(s for s in wanted if s.broken is None)
        self.found = {s.id: Rematched(s) for s in wanted}
        begun, done = time.monotonic(), 0
        with self.store.read() as conn:
            ids, total = self._questions(conn, audience)
        for chunk in chunks(ids, CHUNK):
            self._chunk(audience, chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total, done / max(1e-6, time.monotonic() - begun))
        return list(self.found.values())

    def _questions(self, conn: Connection, audience: Audience) -> tuple[Iterator[int], int]:
        """Ids of the questions to look at, and how many: all, or for few subscriptions what the index knows of."""
        if len(audience.subscriptions) <= FEW and is_whole(conn):
            queries = [
                query_of(s, self.setup)
                for s in audience.subscriptions.values()
                if s.id not in audience.broken()
            ]
            few = sorted({number for query in queries for number in ever_matching(conn, query)})
            return iter(few), len(few)
        total = conn.execute(select(func.count()).select_from(questions)).scalar_one()
        return self._every(), total

    def _every(self) -> Iterator[int]:
        last = 0
        page = select(questions.c.id).order_by(questions.c.id).limit(10_000)
        while True:
            with self.store.read() as conn:
                ids = list(conn.scalars(page.where(questions.c.id > last)))
            if not ids:
                return
            yield from ids
            last = ids[-1]

    def _chunk(self, audience: Audience, ids: Sequence[int]) -> None:
        with self.store.write() if self.alerts else self.store.read() as conn:
            if self.alerts:
                ledger.one_matcher(conn)
            heard = list(self._heard(conn, audience, ids))
            told = history.standing(conn, ids) if heard else set()
            rows = []
            for change, subscription, kind in heard:
                entry = self.found[subscription.id]
                entry.events += 1
                if (subscription.id, change.question_id, change.event) in told:
                    entry.told += 1
                elif self.alerts and subscription.active:
                    entry.rows += 1
                    rows.append(late_row(change, subscription, kind, self.setup, self.now))
            ledger.write(conn, rows)
        for _, number in {(change.question_id, subscription.id) for change, subscription, _ in heard}:
            self.found[number].questions += 1

    def _heard(
        self, conn: Connection, audience: Audience, ids: Sequence[int]
    ) -> Iterator[tuple[Change, Subscription, str]]:
        numbers = select(questions.c.id, questions.c.number).where(among(conn, questions.c.id, ids))
        pairs = [(row.id, n) for row in conn.execute(numbers) for n in range(1, row.number + 1)]
        archive = Archive(conn, self.setup.zone)
        archive.load(pairs)
        for question_id, number in pairs:
            change = Change(0, question_id, f"v{number}", number, backfilled=False)
            for heard in hear(archive, audience, change, self.now, listens=lambda _: True):
                yield change, heard.subscription, heard.kind
