"""Searches the archive: the index gives candidates, and where it cannot tell, the matcher decides.

    page = search(conn, query, today=today)               newest first; page.next leads on
    for record in iterate(conn, query, today=today): …    all of them, with flat memory
    for question_id in ever_matching(conn, query): …      questions of which any version may match

What matches is what `alerts.matcher` says, on both databases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import Connection

from alerts import candidates
from alerts.errors import AlertsError
from alerts.matcher import Matcher
from alerts.tree import Query
from storage import questions
from storage import search as index
from storage.bulk import chunks
from storage.document import document
from storage.records import Record
from storage.search import Count, Facets, Hit
from storage.search_index import keys_of

Sort = Literal["date", "relevance"]
CHUNK = 200
LOOKED_AT = 2_000
"""Candidates that the matcher looks at for one page; a page may then be shorter, and lead on."""

SAMPLE = 200
"""Candidates that the matcher looks at to count, where the index cannot."""

SPREAD = 1_000
"""Candidates that the matcher looks at for facets, where the index cannot tell."""


class CursorError(AlertsError):
    """A cursor that no page gave."""


@dataclass(frozen=True, slots=True)
class Found:
    """One result. A page that goes on after it begins `after` its cursor."""

    record: Record
    cursor: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """`about`: the total is reckoned, not counted. `next`: the cursor of the following page; null: this is the last."""

    total: int
    about: bool
    items: tuple[Found, ...] = ()
    next: str | None = None
    facets: Facets | None = None


class _Search:
    """One query over one state of the archive. Remembers what the matcher said of a question."""

    def __init__(self, conn: Connection, query: Query, today: date) -> None:
        self.conn, self.today = conn, today
        self.bounds = candidates.now_matching(query.tree, today)
        self.since, self.before = index.keys_between(*candidates.days_of(query.tree))
        self._matcher = Matcher()
        self._matcher.add(0, query)
        self._said: dict[Hit, bool] = {}

    def kept(self, hits: Sequence[Hit]) -> list[Hit]:
        """Those that match."""
        doubtful = [hit for hit in hits if hit.unsure or not self.bounds.exact]
        self._look([hit for hit in doubtful if hit not in self._said])
        return [hit for hit in hits if self._said.get(hit, True)]

    def forget(self) -> None:
        """Let go of what was said, where it will not be asked again."""
        self._said.clear()

    def _look(self, hits: Sequence[Hit]) -> None:
        if not hits:
            return
        pairs = {hit: (hit.question_id, hit.number) for hit in hits}
        records = questions.records(self.conn, list(pairs.values()))
        keys = keys_of(self.conn, [hit.question_id for hit in hits])
        for hit, pair in pairs.items():
            self._said[hit] = pair in records and self._matches(records[pair], keys[hit.question_id])

    def _matches(self, record: Record, keys: Sequence[str]) -> bool:
        return bool(self._matcher.match(document(record, today=self.today, aliases=keys)))


def search(
    conn: Connection,
    query: Query,
    *,
    today: date,
    limit: int = 20,
    after: str | None = None,
    sort: Sort = "date",
    facets: bool = False,
    versions: bool = False,
) -> SearchPage:
    """One page of what matches, newest first or most relevant first, after the cursor of an earlier page.

    Newest first, pages neither skip nor repeat while questions arrive. By relevance they hold for what was there
    at the first page, among the newest hits (`storage.search.RANKED`). Raises CursorError.
    """
    asked = _Search(conn, query, today)
    hits, following = _newest(asked, limit, after) if sort == "date" else _relevant(asked, limit, after)
    total = _count(asked)
    return SearchPage(
        total=max(total.hits, len(hits)),
        about=not total.exact,
        items=_found(conn, hits, versions=versions),
        next=following,
        facets=_facets(asked) if facets else None,
    )


Placed = tuple[Hit, str]
"""A hit with its cursor."""


def _found(conn: Connection, hits: Sequence[Placed], *, versions: bool) -> tuple[Found, ...]:
    records = questions.records(conn, [(hit.question_id, hit.number) for hit, _ in hits], versions=versions)
    return tuple(Found(records[hit.question_id, hit.number], cursor) for hit, cursor in hits)


def _newest(asked: _Search, limit: int, after: str | None) -> tuple[list[Placed], str | None]:
    before = asked.before if after is None else min(_number(after), asked.before or _number(after))
    found: list[Placed] = []
    looked = 0
    while len(found) <= limit and looked < LOOKED_AT:
        size = limit + 1 - len(found) if asked.bounds.exact else CHUNK
        hits = index.newest(asked.conn, asked.bounds.upper, size, before=before, since=asked.since)
        found += [(hit, str(hit.sort_key)) for hit in asked.kept(hits)]
        looked += len(hits)
        if len(hits) < size:
            return found[:limit], found[limit - 1][1] if len(found) > limit else None
        before = hits[-1].sort_key
    return found[:limit], found[limit - 1][1] if len(found) > limit else str(before)


def _relevant(asked: _Search, limit: int, after: str | None) -> tuple[list[Placed], str | None]:
    """The cursor is the first page's newest sort key, and how many candidates were passed since."""
    top, offset = (None, 0) if after is None else _pair(after)
    if top is None:
        newest = index.newest(asked.conn, asked.bounds.upper, 1)
        top = newest[0].sort_key + 1 if newest else 0
    found: list[Placed] = []
    while len(found) <= limit:
        hits = index.relevant(asked.conn, asked.bounds.upper, CHUNK, offset=offset, before=top)
        place = {hit: offset + number for number, hit in enumerate(hits, 1)}
        found += [(hit, f"{top}.{place[hit]}") for hit in asked.kept(hits)]
        offset += len(hits)
        if len(hits) < CHUNK:
            break
    return found[:limit], found[limit - 1][1] if len(found) > limit else None


def _number(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise CursorError(f"{cursor!r} is no cursor of a page of this search")
    return int(cursor)


def _pair(cursor: str) -> tuple[int, int]:
    top, _, offset = cursor.partition(".")
    try:
        return _number(top), _number(offset)
    except CursorError:
        raise CursorError(f"{cursor!r} is no cursor of a page of this search by relevance") from None


def count(conn: Connection, query: Query, *, today: date) -> Count:
    """How many questions match; reckoned from a sample where counting would take long."""
    return _count(_Search(conn, query, today))


def _count(asked: _Search) -> Count:
    conn = asked.conn
    upper = index.count(conn, asked.bounds.upper)
    if asked.bounds.exact:
        doubtful = index.unsure(conn, asked.bounds.upper, SAMPLE) if upper.exact else []
        wrong = len(doubtful) - len(asked.kept(doubtful))
        return Count(upper.hits - wrong, upper.exact and len(doubtful) < SAMPLE)
    sample = index.newest(conn, asked.bounds.upper, SAMPLE + 1)
    kept = len(asked.kept(sample))
    if len(sample) <= SAMPLE:
        return Count(kept, upper.exact or not upper.hits)
    return Count(round(upper.hits * kept / len(sample)), False)


def _facets(asked: _Search) -> Facets:
    if asked.bounds.exact:
        return index.facets(asked.conn, asked.bounds.upper)
    hits = index.newest(asked.conn, asked.bounds.upper, SPREAD)
    return index.facets_of(asked.conn, [hit.sort_key for hit in asked.kept(hits)])


def hits_of(conn: Connection, query: Query, *, today: date, since: date | None = None) -> Iterator[Hit]:
    """All questions that match, newest first, as ids; `since`: whose newest event is not older. Memory stays flat."""
    asked = _Search(conn, query, today)
    first = None if since is None else index.first_key_of(since)
    for chunk in chunks(index.every(conn, asked.bounds.upper, since=first), CHUNK):
        yield from asked.kept(chunk)
        asked.forget()


def iterate(
    conn: Connection, query: Query, *, today: date, since: date | None = None, versions: bool = False
) -> Iterator[Record]:
    """All questions that match, newest first. Use it inside one `Store.read`; memory does not grow with their number."""
    for chunk in chunks(hits_of(conn, query, today=today, since=since), CHUNK):
        pairs = [(hit.question_id, hit.number) for hit in chunk]
        records = questions.records(conn, pairs, versions=versions)
        yield from (records[pair] for pair in pairs)


def ever_matching(conn: Connection, query: Query) -> Iterator[int]:
    """The ids of questions of which any version may match: all that do, and some that do not; newest first."""
    for hit in index.every(conn, candidates.ever_matching(query.tree)):
        yield hit.question_id
