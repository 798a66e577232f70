"""The subscriptions that can hear, with their queries in one matcher; kept up to date by ids, never rebuilt."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

from alerts.errors import AlertsError
from alerts.matcher import Matcher
from alerts.query import parse
from alerts.setup import Setup
from alerts.tree import Query, QueryError, from_json
from storage import subscriptions as rows
from storage.document import Document
from storage.subscriptions import Subscription

log = logging.getLogger(__name__)


class Audience:
    """Who hears, as the database had it at the last `refresh`."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._matcher = Matcher()
        self._queries: set[int] = set()
        self._broken: dict[int, str] = {}  # why each cannot be read
        self._marks: dict[int, tuple[Any, ...]] = {}
        self.subscriptions: dict[int, Subscription] = {}

    def refresh(self, conn: Connection) -> None:
        """Takes in what was confirmed, paused, resumed or ended since. Queries of a subscription never change."""
        marks = rows.marks(conn)
        changed = [number for number, mark in marks.items() if self._marks.get(number) != mark]
        found = rows.by_ids(conn, changed) if self._marks else {s.id: s for s in rows.listening(conn)}
        for gone in self.subscriptions.keys() - marks.keys():
            del self.subscriptions[gone]
        self.subscriptions.update(found)
        self._marks = marks
        for gone in self._queries - self.subscriptions.keys():
            self._matcher.remove(gone)
        self._queries &= self.subscriptions.keys()
        self._broken = {i: why for i, why in self._broken.items() if i in self.subscriptions}
        for new in self.subscriptions.keys() - self._queries - self._broken.keys():
            self._add(self.subscriptions[new])

    def take(self, subscriptions: Iterable[Subscription]) -> None:
        """These and no others, whatever their state; for a look back."""
        for gone in self._queries:
            self._matcher.remove(gone)
        self._queries.clear()
        self._broken.clear()
        self._marks = {}
        self.subscriptions = {subscription.id: subscription for subscription in subscriptions}
        for subscription in self.subscriptions.values():
            self._add(subscription)

    def only(self, subscription: Subscription) -> None:
        """One, and no other."""
        self.take([subscription])

    def match(self, document: Document) -> set[int]:
        """Ids of the subscriptions whose query matches."""
        return set(self._matcher.match(document))

    def broken(self) -> dict[int, str]:
        """Names of those whose query cannot be read any more, by id."""
        return {i: self.subscriptions[i].name for i in self._broken if i in self.subscriptions}

    def unreadable(self) -> dict[int, str]:
        """Why their queries cannot be read, by id."""
        return {i: why for i, why in self._broken.items() if i in self.subscriptions}

    def _add(self, subscription: Subscription) -> None:
        try:
            query = query_of(subscription, self._setup)
        except AlertsError as error:
            log.error("subscription %s: %s", subscription.name, error)  # noqa: TRY400 - one line, no trace
            self._broken[subscription.id] = str(error)
            return
        self._matcher.add(subscription.id, query)
        self._queries.add(subscription.id)


def query_of(subscription: Subscription, setup: Setup) -> Query:
    """The query of a subscription, from its stored form where that can be read. Raises QueryError."""
    if subscription.tree is not None:
        with suppress(QueryError):  # of another version: the text still says what was meant
            return Query(from_json(subscription.tree, setup.topics), subscription.query)
    return parse(subscription.query, setup.topics)
