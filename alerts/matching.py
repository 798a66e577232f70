"""The first half of a run: pending changes → what subscriptions hear → rows in the ledger, in one transaction a chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerts.audience import Audience
from alerts.hearing import begun, expired, hears_overdue, is_silent, kinds_heard, named
from alerts.schedule import next_slot, parse_rhythm
from alerts.setup import Setup
from storage import changes, history, ledger, questions, search_index
from storage.changes import Change
from storage.document import Document, document
from storage.history import VersionFacts
from storage.ledger import NewRow
from storage.records import OVERDUE, Record
from storage.store import Store
from storage.subscriptions import Subscription

CHUNK = 200
Pair = tuple[int, int]


@dataclass(slots=True)
class Heard:
    """What one subscription hears of one change."""

    subscription: Subscription
    kind: str


@dataclass(slots=True)
class Archive:
    """The records that a chunk of changes speaks of, each version read and analysed once."""

    conn: Connection
    zone: ZoneInfo
    records: dict[Pair, Record] = field(default_factory=dict)
    facts: dict[Pair, VersionFacts] = field(default_factory=dict)
    _keys: dict[int, list[str]] = field(default_factory=dict)  # present and former ones: `key:` finds both
    _documents: dict[tuple[Pair, date], Document] = field(default_factory=dict)

    def load(self, pairs: Sequence[Pair]) -> None:
        missing = [pair for pair in dict.fromkeys(pairs) if pair not in self.records and pair[1] > 0]
        self.records.update(questions.records(self.conn, missing))
        self.facts.update(history.facts(self.conn, missing))
        self._keys.update(
            search_index.keys_of(self.conn, list(dict.fromkeys(number for number, _ in missing)))
        )

    def document(self, pair: Pair, moment: datetime) -> Document | None:
        """As it stood for matching at `moment`; null where there is no such version."""
        if pair not in self.records:
            self.load([pair])
        record = self.records.get(pair)
        if record is None:
            return None
        today = moment.astimezone(self.zone).date()
        if (pair, today) not in self._documents:
            keys = self._keys.get(pair[0], ())
            self._documents[pair, today] = document(record, today=today, aliases=keys)
        return self._documents[pair, today]


def match_changes(store: Store, audience: Audience, setup: Setup, *, now: datetime) -> tuple[int, int]:
    """Claims every pending change. Returns how many there were and how many rows they made."""
    with store.write() as conn:
        changes.note_overdue(conn, now=now, today=now.astimezone(setup.zone).date())
    seen = made = 0
    while True:
        with store.write() as conn:
            ledger.one_matcher(conn)
            claimed = changes.claim(conn, CHUNK, now=now)
            if not claimed:
                return seen, made
            audience.refresh(conn)
            made += ledger.write(conn, rows_for(conn, audience, claimed, setup, now=now))
            changes.done(conn, claimed, now=now)
            seen += len(claimed)


def rows_for(
    conn: Connection, audience: Audience, claimed: Sequence[Change], setup: Setup, *, now: datetime
) -> list[NewRow]:
    """The rows that changes make. Backfilled ones make none: they wait for a catch-up message."""
    live = [change for change in claimed if not change.backfilled]
    if not live or not audience.subscriptions:
        return []
    archive = Archive(conn, setup.zone)
    archive.load([pair for change in live for pair in _pairs(change)])
    made = history.made_at(conn, [change.id for change in live])
    return [
        _row(change, heard, made[change.id], setup.zone, now)
        for change in live
        for heard in hear(archive, audience, change, made[change.id])
    ]


def hear(
    archive: Archive,
    audience: Audience,
    change: Change,
    made_at: datetime,
    listens: Callable[[Subscription], bool] | None = None,
) -> Iterator[Heard]:
    """Who hears of a change, and as what. `listens`: who is asked; without it whoever was there at `made_at`."""
    listens = listens or (lambda subscription: _listens(subscription, made_at, archive.zone))
    if change.event.startswith(f"{OVERDUE}:"):
        yield from _hear_overdue(archive, audience, change, made_at, listens)
        return
    facts = archive.facts.get((change.question_id, change.number))
    document = archive.document((change.question_id, change.number), made_at)
    if facts is None or document is None or is_silent(facts):
        return
    state = archive.records[change.question_id, change.number].state
    now_matching = audience.match(document)
    earlier = _earlier(archive, audience, change, made_at)
    for number in sorted(now_matching | earlier.before):
        first = number in now_matching and number not in earlier
        kinds = kinds_heard(facts.kinds, state, first=first)
        subscription = audience.subscriptions[number]
        kind = named(kinds, subscription.on)
        if kind is not None and listens(subscription):
            yield Heard(subscription, kind)


@dataclass(slots=True)
class Earlier:
    """Which subscriptions matched the version before, and, asked one by one, any version before that."""

    archive: Archive
    audience: Audience
    change: Change
    moment: datetime
    before: set[int]
    _all: set[int] | None = None

    def __contains__(self, number: object) -> bool:
        return number in self.before or number in self._older()

    def _older(self) -> set[int]:
        if self._all is None:
            pairs = [(self.change.question_id, n) for n in range(1, self.change.number - 1)]
            found = (self.archive.document(pair, self.moment) for pair in pairs)
            self._all = {i for document in found if document for i in self.audience.match(document)}
        return self._all


def _earlier(archive: Archive, audience: Audience, change: Change, moment: datetime) -> Earlier:
    before = None
    if change.number > 1:
        before = archive.document((change.question_id, change.number - 1), moment)
    matching = audience.match(before) if before is not None else set()
    return Earlier(archive, audience, change, moment, matching)


def _hear_overdue(
    archive: Archive,
    audience: Audience,
    change: Change,
    made_at: datetime,
    listens: Callable[[Subscription], bool],
) -> Iterator[Heard]:
    document = archive.document((change.question_id, change.number), made_at)
    if document is None:
        return
    after = date.fromisoformat(change.event.partition(":")[2])
    for number in sorted(audience.match(document)):
        subscription = audience.subscriptions[number]
        in_time = hears_overdue(subscription, after, made_at, archive.zone)
        if in_time and listens(subscription):
            yield Heard(subscription, OVERDUE)


def _listens(subscription: Subscription, made_at: datetime, zone: ZoneInfo) -> bool:
    return begun(subscription, made_at) and not expired(subscription, made_at.astimezone(zone).date())


def _pairs(change: Change) -> list[Pair]:
    return [(change.question_id, change.number), (change.question_id, change.number - 1)]


def _row(change: Change, heard: Heard, made_at: datetime, zone: ZoneInfo, now: datetime) -> NewRow:
    held = heard.subscription.paused_at is not None
    return NewRow(
        subscription_id=heard.subscription.id,
        question_id=change.question_id,
        event=change.event,
        number=change.number,
        kind=heard.kind,
        state="held" if held else "pending",
        reason=heard.subscription.paused_because or "paused" if held else None,
        created_at=now,
        due_at=due_at(heard.subscription, made_at, zone),
    )


def due_at(subscription: Subscription, moment: datetime, zone: ZoneInfo) -> datetime:
    """The first slot of the subscription, not before `moment`."""
    return _slot(subscription.every, subscription.at, subscription.days, moment, zone)


@lru_cache(maxsize=4096)
def _slot(every: str, at: str, days: tuple[str, ...], moment: datetime, zone: ZoneInfo) -> datetime:
    return next_slot(parse_rhythm(every, at, list(days)), moment, zone)
