"""What a matcher keeps under one term."""

from __future__ import annotations

from typing import Any

from alerts.filing import Check, Term

Ids = list[Any]


class Entry:
    """A query that needs more than a look-up: its subscribers and the terms it is filed under."""

    __slots__ = ("digest", "ids", "terms")

    def __init__(self, digest: bytes, terms: tuple[Term, ...]) -> None:
        self.digest = digest
        self.ids: Ids = []
        self.terms = terms


class Shelf:
    """What is filed under one term."""

    __slots__ = ("alone", "entries", "pairs", "sure")

    def __init__(self, alone: Ids | None = None) -> None:
        self.alone = alone  # of the query that is this term alone
        self.pairs: dict[str, Ids] | None = None  # by the other token that must be there
        self.sure: list[Entry] | None = None  # match wherever the term is
        self.entries: list[tuple[Entry, Check]] | None = None

    def put(self, entry: Entry, check: Check | None) -> None:
        if check is None:
            self.sure = [] if self.sure is None else self.sure
            self.sure.append(entry)
        else:
            self.entries = [] if self.entries is None else self.entries
            self.entries.append((entry, check))

    def take(self, entry: Entry) -> None:
        self.sure = [each for each in self.sure or () if each is not entry] or None
        self.entries = [each for each in self.entries or () if each[0] is not entry] or None
