"""Makes the payloads of messages from their rows: reads what the pure part (`alerts.compose`) needs, once for all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from alerts.audience import query_of
from alerts.channel import channel_of
from alerts.compose.letter import Item, Story
from alerts.compose.letters import letter_of, merge, reason_of, strongest
from alerts.compose.stories import Happening, make_story, marked, match_shape
from alerts.errors import AlertsError
from alerts.matcher import Match, matched, matches
from alerts.matching import Archive, Pair
from alerts.setup import Setup
from alerts.tree import Query
from storage import ledger
from storage import subscriptions as subscription_rows
from storage.ledger import Delivery
from storage.records import Record
from storage.subscriptions import Subscription


class Composer:
    """Keeps, for one batch of messages, what they share: records, documents, stories, what each query marks."""

    def __init__(self, conn: Connection, setup: Setup, *, whole: bool = False) -> None:
        """`whole`: texts are not cut to passages."""
        self._conn = conn
        self._whole = whole
        self._setup = setup
        self._archive = Archive(conn, setup.zone)
        self._subscriptions: dict[int, Subscription] = {}
        self._queries: dict[str, Query | None] = {}
        self._plain: dict[tuple[Pair, str, str], Story] = {}
        self._stories: dict[object, Story] = {}
        self._marks: dict[tuple[Pair, str], list[Match]] = {}

    def payloads(self, message_ids: Sequence[str]) -> dict[str, bytes]:
        """Exactly what is to be sent, by message. One whose rows are all gone is empty."""
        rows = ledger.of_messages(self._conn, message_ids, states=("pending",))
        self._prepare([row for found in rows.values() for row in found])
        return {name: self._payload(name, found) if found else b"" for name, found in rows.items()}

    def items(self, rows: Sequence[Delivery]) -> list[Item]:
        """One item a row, as feeds have them."""
        self._prepare(rows)
        return [self._item([row])[0] for row in rows]

    def matched_by_row(self, rows: Sequence[Delivery]) -> dict[int, list[dict[str, Any]]]:
        """What matched, in the shape of `interface.md`, by row id."""
        self._prepare(rows)
        found = {}
        for row in rows:
            subscription = self._subscriptions[row.subscription_id]
            marks = self._marked_by((row.question_id, row.number), subscription, row.created_at)
            found[row.id] = [match_shape(match) for match in marks]
        return found

    def _prepare(self, rows: Sequence[Delivery]) -> None:
        pairs = [(row.question_id, number) for row in rows for number in (row.number, row.number - 1)]
        self._archive.load(pairs)
        new = {row.subscription_id for row in rows} - self._subscriptions.keys()
        self._subscriptions.update(subscription_rows.by_ids(self._conn, new))

    def _payload(self, name: str, rows: Sequence[Delivery]) -> bytes:
        groups: dict[tuple[int, str], list[Delivery]] = {}
        for row in rows:
            groups.setdefault((row.question_id, row.event), []).append(row)
        items = merge([self._item(group) for group in groups.values()])
        letter = letter_of(
            name, rows, self._subscriptions, items, self._setup, composed_at=self._setup.clock()
        )
        return channel_of(letter.to).compose(letter)

    def _item(self, rows: Sequence[Delivery]) -> tuple[Item, Record]:
        """One event, for all the subscriptions of the message that hear of it."""
        heard = [self._subscriptions[row.subscription_id] for row in rows]
        record = self._archive.records[rows[0].question_id, rows[0].number]
        reasons = tuple(reason_of(subscription) for subscription in heard)
        return Item(self._story(rows, heard), reasons), record

    def _story(self, rows: Sequence[Delivery], heard: Sequence[Subscription]) -> Story:
        row = rows[0]
        pair = (row.question_id, row.number)
        kind = strongest([each.kind for each in rows])
        queries = list(dict.fromkeys(subscription.query for subscription in heard))
        key = (pair, row.event, kind, tuple(queries))
        if key not in self._stories:
            found = self._matched(pair, queries, heard, row.created_at)
            before = (row.question_id, row.number - 1)
            removed = [] if found else self._matched(before, queries, heard, row.created_at)
            content = self._archive.records[pair].content
            self._stories[key] = marked(
                self._plain_story(row, kind), content, found, removed, whole=self._whole
            )
        return self._stories[key]

    def _plain_story(self, row: Delivery, kind: str) -> Story:
        pair = (row.question_id, row.number)
        key = (pair, row.event, kind)
        if key not in self._plain:
            facts = self._archive.facts[pair]
            overdue = row.event.startswith("overdue:")
            happening = Happening(
                self._archive.records[pair],
                self._archive.records.get((row.question_id, row.number - 1)),
                row.event,
                () if overdue else facts.kinds,
                row.created_at if overdue else facts.observed_at,
            )
            self._plain[key] = make_story(
                happening,
                kind,
                self._setup.public_url,
                topics=self._topics(pair, row.created_at),
                whole=self._whole,
            )
        return self._plain[key]

    def _topics(self, pair: Pair, moment: datetime) -> list[str]:
        document = self._archive.document(pair, moment)
        packs = self._setup.topics.items()
        return [name for name, pack in packs if document is not None and matches(pack, document)]

    def _matched(
        self, pair: Pair, queries: Sequence[str], heard: Sequence[Subscription], moment: datetime
    ) -> list[Match]:
        """What the queries find in a version, all together, in the order of the text."""
        found: dict[Match, None] = {}
        for subscription in {s.query: s for s in heard if s.query in queries}.values():
            found.update(dict.fromkeys(self._marked_by(pair, subscription, moment)))
        order = {"title": 0, "question": 1, "answer": 2}
        return sorted(found, key=lambda match: (order[match.part], match.start, match.end))

    def _marked_by(self, pair: Pair, subscription: Subscription, moment: datetime) -> list[Match]:
        key = (pair, subscription.query)
        if key not in self._marks:
            document = self._archive.document(pair, moment)
            query = self._query(subscription)
            self._marks[key] = list(matched(query, document)) if query and document else []
        return self._marks[key]

    def _query(self, subscription: Subscription) -> Query | None:
        """Null where a later version of pqwatch reads the query no more: the item still goes, without marks."""
        if subscription.query not in self._queries:
            try:
                self._queries[subscription.query] = query_of(subscription, self._setup)
            except AlertsError:
                self._queries[subscription.query] = None
        return self._queries[subscription.query]
