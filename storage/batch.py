"""The questions that a batch of observations may concern, loaded at once, and what becomes of them in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, select, union

from storage.bulk import among
from storage.content import content_from_json
from storage.decide import Held
from storage.procedure import is_pro_forma, overdue_after
from storage.records import Content, House, Observation, Version
from storage.schema import aliases, questions, sightings, versions

EPOCH = datetime(1900, 1, 1, tzinfo=UTC)


class Judged(NamedTuple):
    """`overdue_after`: the last day on which an answer is in time, of a question that has one; `pro_forma`: a stock answer."""

    overdue_after: date | None
    pro_forma: bool


@dataclass(slots=True, eq=False)
class Question:
    """A question in the hands of a batch. `id` is 0 until the batch is written, `number` until it has a version."""

    key: str
    content: Content = field(default_factory=Content)
    id: int = 0
    official_id: int | None = None
    number: int = 0
    observed_at: datetime | None = None
    text_observed_at: datetime | None = None
    recheck_at: datetime | None = None
    old_sort_key: int | None = None  # under which it stands in the database; null: not there yet
    fills: dict[str, str] = field(default_factory=dict)
    made: list[Version] = field(default_factory=list)  # by this batch
    dirty: bool = False  # its row is to be written
    _judged: tuple[Content, Judged] | None = None

    @property
    def judged(self) -> Judged:
        """What the rules of procedure say of the content. Worked out once for each content."""
        content = self.content
        if self._judged is None or self._judged[0] is not content:
            pro_forma = content.house is not None and is_pro_forma(content.answer_text or "")
            self._judged = content, Judged(overdue_after(content), pro_forma)
        return self._judged[1]

    def held(self, read_at: datetime | None = None) -> Held | None:
        """What `decide` weighs an observation against; null for a question without a version."""
        if self.observed_at is None:
            return None
        return Held(
            content=self.content,
            number=self.number,
            observed_at=self.observed_at,
            official=self.official_id is not None,
            fills=self.fills,
            read_at=read_at,
        )

    @property
    def sort_key(self) -> int:
        """By the day of the newest event, then the id: "newest first" needs no other sort. Unique."""
        content = self.content
        day = content.answered_on or content.holding_on or content.tabled_on
        if day is None:
            day = (self.made[-1].observed_at if self.made else self.observed_at or EPOCH).date()
        return max((day - EPOCH.date()).days, 0) << 24 | self.id

    @property
    def provisional(self) -> bool:
        """The official API is yet to have it. It never has feed items and Scottish questions."""
        return self.official_id is None and self.content.house in {House.COMMONS, House.LORDS}

    def take(self, version: Version) -> None:
        """Let `version` be the newest."""
        before, after = self.content, version.content
        texts = (before.question_text, before.answer_text) != (after.question_text, after.answer_text)
        if texts or self.text_observed_at is None:
            self.text_observed_at = version.observed_at
        self.content, self.number, self.observed_at = after, version.number, version.observed_at
        self.made.append(version)
        self.dirty = True


@dataclass(slots=True, eq=False)
class Seen:
    """A row of `sightings` in the hands of a batch."""

    source: str
    source_id: str
    question: Question | None  # null while its question is not loaded
    question_id: int = 0
    digest: bytes | None = None
    read_at: datetime | None = None
    new: bool = False  # not in the database yet
    url: str = ""
    first_seen: datetime | None = None  # by this batch, like what follows
    last_seen: datetime | None = None
    row_digest: str | None = None
    extras: dict[str, str | int] | None = None  # null where it saw no whole view
    dirty: bool = False


class Batch:
    """The working set: questions by id, official id and key; sightings by source and id there; what is to be written."""

    def __init__(self) -> None:
        self.by_id: dict[int, Question] = {}
        self.by_official_id: dict[int, Question] = {}
        self.by_key: dict[str, Question] = {}
        self.seen: dict[tuple[str, str], Seen] = {}
        self.new: list[Question] = []
        self.named: dict[str, Question] = {}  # keys that lead to another question than before
        self.replaced: list[
            tuple[Question, Question]
        ] = []  # provisional ones that proved to be another question
        self.unsettled: set[Question] = set()  # other sources are to be compared with these anew
        self.judged: dict[
            tuple[Question, str], Observation
        ] = {}  # other sources' views that are to be compared
        self.joined: dict[
            Question, tuple[Content, dict[str, str]]
        ] = {}  # what others had told: field to source

    def load(self, conn: Connection, observations: Sequence[Observation]) -> None:
        """Fetch every question that `observations` may concern. Their sightings must be there already."""
        keys = {each.key for each in observations}
        official = {each.official_id for each in observations if each.official_id is not None}
        sighted = [self.seen.get((each.source, each.source_id)) for each in observations]
        columns = aliases.c.key, aliases.c.question_id
        leads = conn.execute(select(*columns).where(among(conn, aliases.c.key, keys))).all()
        ids = {row.question_id for row in leads} | {seen.question_id for seen in sighted if seen}
        self.load_questions(conn, ids, official)
        for row in leads:
            self.by_key[row.key] = self.by_id[row.question_id]
        for seen in sighted:
            if seen:
                seen.question = self.by_id[seen.question_id]

    def load_questions(self, conn: Connection, ids: Iterable[int], official: Iterable[int] = ()) -> None:
        """Fetch questions by our id or the official one, each with its newest content."""
        wanted = union(
            select(questions.c.id).where(among(conn, questions.c.id, ids)),
            select(questions.c.id).where(among(conn, questions.c.official_id, official)),
        )
        newest = (versions.c.question_id == questions.c.id) & (versions.c.number == questions.c.number)
        query = select(*_LOADED.values(), versions.c.content).join(versions, newest)
        for row in conn.execute(query.where(questions.c.id.in_(wanted))):
            *values, content = row
            question = Question(**dict(zip(_LOADED, values, strict=True)), content=content_from_json(content))
            self.by_id[question.id] = question
            if question.official_id is not None:
                self.by_official_id[question.official_id] = question
        self._load_fills(conn)

    def _load_fills(self, conn: Connection) -> None:
        unofficial = [each.id for each in self.by_id.values() if each.official_id is None]
        if not unofficial:
            return
        columns = sightings.c.question_id, sightings.c.source, sightings.c.fills
        query = select(*columns).where(among(conn, sightings.c.question_id, unofficial))
        for row in conn.execute(query):
            self.by_id[row.question_id].fills.update(dict.fromkeys(row.fills or (), row.source))

    def questions(self) -> Iterator[Question]:
        """All of the batch, the known ones first."""
        yield from self.by_id.values()
        yield from self.new

    def find(self, observation: Observation) -> Question | None:
        """The question an observation speaks of: by official id, by key, by what its source called it before."""
        official_id = observation.official_id
        if official_id is not None and (found := self.by_official_id.get(official_id)):
            return found
        seen = self.seen.get((observation.source, observation.source_id))
        for question in (self.by_key.get(observation.key), seen and seen.question):
            if question and (official_id is None or question.official_id in {None, official_id}):
                return question
        return None

    def name(self, question: Question, observation: Observation, *, present: bool) -> None:
        """Let the observed key lead to `question`; `present`: it is the key the question goes by now.

        Where the key leads to another question, the newer official view says whose it is. That other question, when
        official, is read again at once to learn its own key; when provisional, it was this one all along.
        """
        key, other = observation.key, self.by_key.get(observation.key)
        if present and question.key != key:
            question.key, question.dirty = key, True
        if other is question:
            return
        if other is not None and not self._gives_way(other, question, observation):
            return
        self.by_key[key] = self.named[key] = question

    def _gives_way(self, other: Question, question: Question, observation: Observation) -> bool:
        if question.official_id is None:
            return False
        if other.official_id is None:
            self.replaced.append((other, question))
            return True
        if other.observed_at is not None and observation.observed_at < other.observed_at:
            return False
        other.recheck_at, other.dirty = observation.observed_at, True
        return True

    def sighting(self, observation: Observation, question: Question) -> Seen:
        """The sighting of an observation, made where there is none, and moved to `question`."""
        name = (observation.source, observation.source_id)
        seen = self.seen.get(name)
        if seen is None:
            seen = self.seen[name] = Seen(*name, question, new=True)
        seen.question, seen.url, seen.dirty = question, observation.url, True
        seen.first_seen = seen.first_seen or observation.observed_at  # a batch is in the order of time
        seen.last_seen = max(seen.last_seen or observation.observed_at, observation.observed_at)
        if observation.whole:
            seen.extras = dict(observation.extras)
        return seen


_LOADED = {
    "id": questions.c.id,
    "key": questions.c.key,
    "official_id": questions.c.official_id,
    "number": questions.c.number,
    "observed_at": questions.c.observed_at,
    "text_observed_at": questions.c.text_observed_at,
    "recheck_at": questions.c.recheck_at,
    "old_sort_key": questions.c.sort_key,
}
