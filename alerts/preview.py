"""What a query would have sent in the last months, before anyone subscribes to it.

It asks the rules that alerts go by (`alerts.matching.hear`) of every version of the months, so that a preview equals the
alerts that would have been sent. A version that was backfilled counts on the day the record gives for its event, since the
day on which we saw it says nothing. That a question became overdue is reckoned from its versions (`alerts.lateness`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from alerts.advice import Suggestion, WordCount, suggestions, word_counts
from alerts.audience import Audience
from alerts.candidates import ever_matching
from alerts.errors import AlertsError
from alerts.hearing import ALL_ON, DEFAULT_ON
from alerts.lateness import Held, late, overdue_since
from alerts.matching import Archive, hear
from alerts.setup import Setup
from alerts.tree import Field, Query, leaves, to_json
from storage import search as index
from storage.bulk import chunks
from storage.changes import Change
from storage.document import Document, document
from storage.history import VersionFacts
from storage.records import OVERDUE, Kind, Record
from storage.schema import questions, searched, versions
from storage.subscriptions import Subscription

MONTHS = 12
SAMPLES = 10
CHUNK = 100
MOST_QUESTIONS = 20_000
"""Questions that are looked at, newest first; a preview of more tells of the months it reached."""

ESTIMATED_FROM = 2_000
"""Questions that an estimate looks at."""

_LATE = date.max
"""Stands for the day of a question that changed long after its day: such questions come first, and all of them."""

_DAY_OF: dict[Kind, str] = {
    Kind.CORRECTED: "corrected_on",
    Kind.ANSWERED: "answered_on",
    Kind.HOLDING: "holding_on",
    Kind.TABLED: "tabled_on",
    Kind.PUBLISHED: "answered_on",
}


@dataclass(frozen=True, slots=True)
class Event:
    """What the query would have heard, as `kind`, on `day`. The record is as it stood then."""

    day: date
    kind: str
    record: Record
    document: Document

    @property
    def item(self) -> tuple[Any, ...]:
        """What makes one item of a message: answers with one text, that is a group, are one."""
        group = frozenset({self.record.key, *self.record.content.grouped_with})
        return self.day, self.kind, group


@dataclass(frozen=True, slots=True)
class Preview:
    """`months`: (`2025-03`, events) of every month since `since`. `samples` are spread over them, newest first."""

    since: date
    months: tuple[tuple[str, int], ...]
    items: int
    messages_a_week: float
    samples: tuple[Event, ...]
    words: tuple[WordCount, ...]
    suggestions: tuple[Suggestion, ...]

    @property
    def hits(self) -> int:
        return sum(hits for _, hits in self.months)


def kinds_named(text: str) -> tuple[str, ...]:
    """The kinds of event that a text such as `answered,edited` names. Raises AlertsError."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    wrong = next((each for each in found if each not in ALL_ON), None)
    if wrong is not None:
        raise AlertsError(f"on {wrong!r}: expected some of {','.join(ALL_ON)}")
    return found


def preview(
    conn: Connection,
    query: Query,
    setup: Setup,
    *,
    now: datetime,
    months: int = MONTHS,
    on: Sequence[str] = (),
) -> Preview:
    """What the query would have sent in this month and the `months` - 1 before. `on`: kinds; empty: the default ones."""
    today = _today(setup.zone, now)
    since = _months_before(today, months - 1)
    asked = _Asked(conn, query, setup, now, frozenset(on or DEFAULT_ON))
    events, reached = asked.events(since, MOST_QUESTIONS)
    start = max(since, reached, _held_since(conn, today))
    kept = sorted((each for each in events if each.day >= start), key=_newest_first)
    a_day = _a_day(kept, max(start, _full_since(conn, today)), today)
    return Preview(
        since=start,
        months=_by_month(kept, max(since, reached), today),
        items=len({each.item for each in kept}),
        messages_a_week=round(a_day * 7, 2),
        samples=_spread(kept, SAMPLES),
        words=word_counts(query, [each.document for each in kept]),
        suggestions=suggestions([each.record for each in kept]),
    )


def estimate(conn: Connection, query: Query, on: frozenset[str], setup: Setup, *, now: datetime) -> float:
    """Items a day, on average over the last twelve months or as far as `ESTIMATED_FROM` questions reach."""
    today = _today(setup.zone, now)
    since = _months_before(today, MONTHS)
    events, reached = _Asked(conn, query, setup, now, on).events(since, ESTIMATED_FROM)
    return _a_day(events, max(since, reached, _full_since(conn, today)), today)


def _a_day(events: Sequence[Event], start: date, today: date) -> float:
    return len({each.item for each in events if each.day >= start}) / max((today - start).days + 1, 1)


def lately(
    conn: Connection, query: Query, on: frozenset[str], setup: Setup, *, now: datetime, days: int = 14
) -> list[Event]:
    """What the query would have sent in the last days, newest first."""
    since = _today(setup.zone, now) - timedelta(days=days - 1)
    events, _ = _Asked(conn, query, setup, now, on).events(since, ESTIMATED_FROM)
    return sorted(events, key=_newest_first)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One query put to the version history."""

    conn: Connection
    query: Query
    setup: Setup
    now: datetime
    on: frozenset[str]

    def events(self, since: date, most: int) -> tuple[list[Event], date]:
        """What is heard since that day, and the day back to which that is all of it."""
        found: list[Event] = []
        audience = _alone(self.query, self.on, self.setup, self.now, since)
        reached, looked = since, 0
        for chunk in chunks(self._candidates(since), CHUNK):
            found += self._heard(audience, [question_id for question_id, _ in chunk], since)
            looked += sum(day < _LATE for _, day in chunk)
            if looked >= most:
                reached = max(since, chunk[-1][1])
                break
        return found, reached

    def _candidates(self, since: date) -> Iterator[tuple[int, date]]:
        """Questions of which a version may match that may be of these days; first what changed long after its day."""
        first = index.first_key_of(since)
        others = overdue_since(self.conn, since, first) if OVERDUE in self.on else []
        for question_id in {*self._changed_late(since, first), *others}:
            yield question_id, _LATE
        for hit in index.every(self.conn, ever_matching(self.query.tree), since=first):
            yield hit.question_id, hit.day

    def _changed_late(self, since: date, first: int) -> list[int]:
        """Questions whose newest event is older, of which a version was seen since then as it was made."""
        moment = datetime(since.year, since.month, since.day, tzinfo=self.setup.zone)
        query = (
            select(versions.c.question_id)
            .distinct()
            .join(questions, questions.c.id == versions.c.question_id)
            .where(versions.c.observed_at >= moment, ~versions.c.backfilled, questions.c.sort_key < first)
        )
        return list(self.conn.execute(query).scalars())

    def _heard(self, audience: Audience, ids: Sequence[int], since: date) -> Iterator[Event]:
        numbers = select(questions.c.id, questions.c.number).where(questions.c.id.in_(ids))
        pairs = [
            (row.id, number) for row in self.conn.execute(numbers) for number in range(1, row.number + 1)
        ]
        archive = Archive(self.conn, self.setup.zone)
        archive.load(pairs)
        today = _today(self.setup.zone, self.now)
        by_day = Field("is", OVERDUE) in leaves(self.query.tree)  # all else is the same at any time
        held: dict[int, list[Held]] = {}
        for pair in pairs:
            record, facts = archive.records[pair], archive.facts[pair]
            day = _day_of(record, facts, self.setup.zone)
            held.setdefault(pair[0], []).append(Held(record, facts, day))
            if not since <= day <= today:
                continue
            change = Change(0, pair[0], f"v{pair[1]}", pair[1], facts.backfilled)
            moment = (
                datetime(day.year, day.month, day.day, 12, tzinfo=self.setup.zone) if by_day else self.now
            )
            read = archive.document(pair, moment)
            for heard in hear(archive, audience, change, moment, listens=lambda _: True):
                if read is not None:
                    yield Event(day, heard.kind, record, read)
        if OVERDUE in self.on:
            for found in filter(None, (late(of_one, since, today) for of_one in held.values())):
                read = document(found.record, today=found.day)
                if audience.match(read):
                    yield Event(found.day, OVERDUE, found.record, read)


def _day_of(record: Record, facts: VersionFacts, zone: ZoneInfo) -> date:
    """The London day on which it would have been sent."""
    if facts.backfilled:
        for kind in facts.kinds:
            name = _DAY_OF.get(kind)
            day: date | None = getattr(record.content, name) if name else None
            if day is not None:
                return day
    return facts.observed_at.astimezone(zone).date()


def _alone(query: Query, on: frozenset[str], setup: Setup, now: datetime, since: date) -> Audience:
    """One who hears nothing but the query, since that day."""
    begun = datetime(since.year, since.month, since.day, tzinfo=setup.zone)
    listener = Subscription(
        id=0, name="preview", note=None, query=query.text, tree=to_json(query.tree), broken=None, to="stdout:",
        on=tuple(sorted(on)), every="instant", at="07:00", days=(), notice=None, follows=None, created_at=now,
        confirmed_at=begun, begins_at=begun, expires_on=None, paused_at=None, paused_because=None, ended_at=None,
        token="", secret=None, last_notice_at=None,
    )  # fmt: skip
    audience = Audience(setup)
    audience.take([listener])
    return audience


def _held_since(conn: Connection, today: date) -> date:
    """The day of the oldest question: before it there was nothing to be heard."""
    oldest = conn.execute(select(func.min(searched.c.sort_key))).scalar()
    return today if oldest is None else index.day_of(oldest)


def _full_since(conn: Connection, today: date) -> date:
    """The day from which on the archive is no mere handful: a first crawl brings a fortnight, and of the months before
    the few that were corrected lately, which say nothing of how many come a day."""
    few = conn.execute(select(func.count()).select_from(searched)).scalar_one() // 100
    query = select(searched.c.sort_key).order_by(searched.c.sort_key).offset(few).limit(1)
    first = conn.execute(query).scalar()
    return today if first is None else index.day_of(first)


def _by_month(events: Sequence[Event], since: date, today: date) -> tuple[tuple[str, int], ...]:
    counted = Counter(each.day.strftime("%Y-%m") for each in events)
    months, day = [], since.replace(day=1)
    while day <= today:
        months.append(day.strftime("%Y-%m"))
        day = (day + timedelta(days=31)).replace(day=1)
    return tuple((month, counted[month]) for month in months)


def _months_before(today: date, months: int) -> date:
    """The first day of the month so many months before."""
    number = today.year * 12 + today.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _spread(events: Sequence[Event], most: int) -> tuple[Event, ...]:
    step = max(1, len(events) / most)
    return tuple(events[int(place * step)] for place in range(min(most, len(events))))


def _newest_first(event: Event) -> tuple[int, str]:
    return -event.day.toordinal(), event.record.key


def _today(zone: ZoneInfo, now: datetime) -> date:
    return now.astimezone(zone).date()
