"""Takes in what sources showed: each batch is one transaction, so that a crash leaves it whole or not at all.

What is known and unchanged is told by a digest and costs a note that it was seen again. The rest is weighed, one
observation after the other, by `storage.weigh`, and written by `storage.rows`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from storage import rows as written
from storage.batch import Batch, Seen
from storage.bulk import Sight, among, one_writer, touch
from storage.fingerprint import digest
from storage.lapsing import end_session, lapse_days, london_day
from storage.records import PARLIAMENT, Kind, Observation, Row
from storage.schema import sightings
from storage.store import Store
from storage.weigh import How, weigh


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What a batch came to. `versions` counts by the kind that names each; `unchanged` are observations without one."""

    new: int = 0
    versions: Counter[Kind] = field(default_factory=Counter)
    unchanged: int = 0

    def __add__(self, other: IngestResult) -> IngestResult:
        versions = self.versions + other.versions
        return IngestResult(self.new + other.new, versions, self.unchanged + other.unchanged)


def ingest(
    store: Store,
    observations: Sequence[Observation],
    *,
    now: datetime,
    backfilled: bool = False,
    reparsed: bool = False,
) -> IngestResult:
    """Take in `observations` in one transaction. The same again changes nothing.

    `backfilled` marks the versions so, and they never alert one by one. `reparsed`: the observations are archived pages
    read again; their versions never alert, and where the page had been read before they have the kind `reparsed`.
    """
    how = How(now=now, backfilled=backfilled, reparsed=reparsed)
    with store.write() as conn:
        one_writer(conn)
        return _take_in(conn, sorted(observations, key=_time), how)


def _time(observation: Observation) -> datetime:
    return observation.observed_at


def _take_in(conn: Connection, observations: Sequence[Observation], how: How) -> IngestResult:
    batch = Batch()
    _load_sightings(conn, batch, observations, with_read_at=how.reparsed)
    digests = [digest(each) if each.whole else None for each in observations]
    same, rest = _part(batch, observations, digests)
    _see_again(conn, same)
    if not rest:
        return IngestResult(unchanged=len(same))
    batch.load(conn, [each for each, _ in rest])
    made = sum(weigh(batch, each, shown, how) for each, shown in rest)
    written.write(conn, batch, how)
    return _result(batch, unchanged=len(observations) - made)


def _result(batch: Batch, unchanged: int) -> IngestResult:
    versions = Counter(version.kind for question in batch.questions() for version in question.made)
    return IngestResult(len(batch.new), versions, unchanged)


def _load_sightings(
    conn: Connection, batch: Batch, observations: Iterable[Observation], *, with_read_at: bool
) -> None:
    by_source: dict[str, set[str]] = {}
    for each in observations:
        by_source.setdefault(each.source, set()).add(each.source_id)
    columns = [sightings.c.source_id, sightings.c.question_id, sightings.c.digest]
    if with_read_at:  # a time costs as much as the rest of the row
        columns.append(sightings.c.read_at)
    for source, ids in by_source.items():
        query = select(*columns).where(sightings.c.source == source, among(conn, sightings.c.source_id, ids))
        for source_id, *values in conn.execute(query):
            batch.seen[source, source_id] = Seen(source, source_id, None, *values)


Shown = tuple[Observation, bytes | None]


def _part(
    batch: Batch, observations: Sequence[Observation], digests: Sequence[bytes | None]
) -> tuple[list[Observation], list[Shown]]:
    """What is known to be the same, and the rest. Several views of one thing in a batch are weighed in turn."""
    times = Counter([(each.source, each.source_id) for each in observations])
    same: list[Observation] = []
    rest: list[Shown] = []
    for each, shown in zip(observations, digests, strict=True):
        name = (each.source, each.source_id)
        seen = batch.seen.get(name)
        if seen is not None and shown is not None and seen.digest == shown and times[name] == 1:
            same.append(each)
        else:
            rest.append((each, shown))
    return same, rest


def _see_again(conn: Connection, observations: Iterable[Observation]) -> None:
    by_source: dict[str, list[Sight]] = {}
    for each in observations:
        sight = each.source_id, each.observed_at, each.row_digest
        by_source.setdefault(each.source, []).append(sight)
    for source, sights in by_source.items():
        touch(conn, source, sights, read=True)
        if source == PARLIAMENT:
            written.put_off_rechecks(conn, [source_id for source_id, _, _ in sights])


def unsettled(conn: Connection, rows: Sequence[Row]) -> list[Row]:
    """Those list rows whose details are to be read: new to us, or other than the row that the held detail settled."""
    settled: dict[tuple[str, str], str | None] = {}
    for source, ids in _ids(rows).items():
        query = select(sightings.c.source_id, sightings.c.row_digest)
        found = conn.execute(
            query.where(sightings.c.source == source, among(conn, sightings.c.source_id, ids))
        )
        settled.update(((source, source_id), row_digest) for source_id, row_digest in found)
    return [row for row in rows if settled.get((row.source, row.source_id)) != row.digest]


def see_rows(conn: Connection, rows: Sequence[Row], *, now: datetime) -> None:
    """Note that what these list rows show was seen; rows of unknown things are passed over."""
    for source, ids in _ids(rows).items():
        touch(conn, source, [(source_id, now, None) for source_id in ids], read=False)


def _ids(rows: Iterable[Row]) -> dict[str, list[str]]:
    by_source: dict[str, dict[str, None]] = {}
    for row in rows:
        by_source.setdefault(row.source, {})[row.source_id] = None
    return {source: list(ids) for source, ids in by_source.items()}


def lapse(store: Store, *, now: datetime, reparsed: bool = False) -> IngestResult:
    """Make `lapsed` the open questions whose session has ended by `now`, and take that back where it proved untrue.

    One transaction for each day of tabling. Questions that we first saw after their session had ended get versions
    that never alert: their lapse is no news; nor do any with `reparsed`, where a pass of the past is gone through again.
    """
    total = IngestResult()
    with store.read() as conn:
        days = lapse_days(conn, london_day(now))
    for day, lapsed in days:
        with store.write() as conn:
            one_writer(conn)
            batch = end_session(conn, day, lapsed=lapsed, how=How(now=now, reparsed=reparsed))
            total += _result(batch, unchanged=0)
    return total
