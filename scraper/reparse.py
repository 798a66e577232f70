"""Reads the archive again with today's parsers, without any network: into an empty database it rebuilds everything, into a full one
it fills in what could not be read before and adds `reparsed` versions where a mended parser reads differently. It never alerts.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import func, select

from scraper.addresses import all_such
from scraper.archive import Archive, Entry
from scraper.parsing import parse
from scraper.pipelines import ROUND_ENDED, STORED
from scraper.report import SourceReport
from scraper.run import Progress, Step
from scraper.source import BlockedError, Page, Parsed, Source, UnreadableError
from storage import locks, problems, runs
from storage.garbage import collected_seldom
from storage.ingest import ingest, lapse, see_rows
from storage.records import PARLIAMENT, Observation, Problem, Row
from storage.schema import versions
from storage.store import Store

_BATCH = 500  # observations a transaction
_REMEMBERED = 200_000  # list rows whose details may still follow
_TOLD_EVERY = 500  # entries
_READ = (200, 404, 410)  # what a crawl hands to a parser; other answers were errors that it tried again

Made = Counter[tuple[str, str, bool]]  # versions by source, kind and whether they are a question's first


def reparse(
    sources: Sequence[Source],
    *,
    store: Store,
    archive: Archive,
    now: Callable[[], datetime],
    progress: Progress | None = None,
) -> list[SourceReport]:
    """Read every archived page of these sources again, in the order of observation. Raises LockedError, ArchiveError."""
    reports = {source.NAME: SourceReport(source.NAME) for source in sources}
    begun = time.monotonic()
    with collected_seldom(), ExitStack() as held:
        for name in reports:
            held.enter_context(locks.hold(store, f"reparse:{name}"))
        before = _made(store)
        reader = _Reader({source.NAME: source for source in sources}, store, rebuild=not before)
        reader.look_up_problems()
        for count, entry in enumerate(archive.entries(), 1):
            reader.take(entry)
            if progress is not None and count % _TOLD_EVERY == 0:
                progress(Step("archive", "reparse", count, 0, count / (time.monotonic() - begun), None))
        reader.close(now())
        _fill_in(reports, reader, _made(store) - before)
    for report in reports.values():
        report.seconds, report.complete = time.monotonic() - begun, True
    return list(reports.values())


def _made(store: Store) -> Made:
    first = versions.c.number == 1
    query = select(versions.c.source, versions.c.kind, first, func.count())
    with store.read() as conn:
        rows = conn.execute(query.group_by(versions.c.source, versions.c.kind, first)).all()
    return Counter({(source, kind, bool(new)): count for source, kind, new, count in rows})


def _fill_in(reports: dict[str, SourceReport], reader: _Reader, made: Made) -> None:
    for (source, kind, first), count in sorted(made.items()):
        if source in reports:
            report = reports[source]
            report.versions[kind] = report.versions.get(kind, 0) + count
            report.new += count if first else 0
    for name, report in reports.items():
        report.seen, report.problems = reader.seen[name], reader.news[name]


Desk = tuple[str, str]
"""Source and job: what one run reads waits until that run stored it."""


@dataclass
class _Batch:
    """Observations of one source that go into one transaction, and the list rows that were seen meanwhile."""

    observations: list[Observation] = field(default_factory=list)
    rows: dict[tuple[str, str], tuple[Row, datetime]] = field(default_factory=dict)
    source: str = ""
    backfilled: bool = False
    at: datetime | None = None  # of the newest page


@dataclass
class _Reader:
    """Takes entries in their order, and stores what the pages show in the order in which the runs stored it."""

    sources: dict[str, Source]
    store: Store
    rebuild: bool  # the database was empty: what passes did at their ends is done again
    seen: Counter[str] = field(default_factory=Counter)
    news: Counter[str] = field(default_factory=Counter)
    _open: set[tuple[str, str]] = field(default_factory=set)
    _of_many: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # those that many pages have
    _waiting: dict[Desk, list[tuple[Observation, bool]]] = field(default_factory=dict)
    _batch: _Batch = field(default_factory=_Batch)
    _digests: OrderedDict[tuple[str, str], str] = field(default_factory=OrderedDict)
    _judged: dict[tuple[str, str], tuple[Problem, ...]] = field(default_factory=dict)
    """Problems by source and address, of addresses that have or had some."""

    def look_up_problems(self) -> None:
        """Only addresses with an open problem need be remembered when they read well."""
        with self.store.read() as conn:
            self._open = {(each.source, each.url) for each in problems.open_problems(conn)}
        for source, url in self._open:
            if "#" in url:
                self._of_many.setdefault((source, url.partition("#")[0]), []).append(url)

    def take(self, entry: Entry) -> None:
        """Read one page again, or do again what a mark says."""
        source = self.sources.get(entry.source)
        if source is None:
            return
        desk = entry.source, entry.job
        if entry.lost is not None:
            lost = Problem(
                source=source.NAME, kind="lost-page", url=f"urn:pqwatch:{source.NAME}", message=entry.lost
            )
            self._judged[source.NAME, lost.url] = (lost,)
        elif entry.page is not None and entry.page.status in _READ:
            self._read(source, entry.page, desk, backfilled=entry.backfilled)
        elif entry.mark == STORED:
            self._store(desk)
        elif entry.mark == ROUND_ENDED and self.rebuild:
            self._end_pass(source.NAME, entry.observed_at)

    def _read(self, source: Source, page: Page, desk: Desk, *, backfilled: bool) -> None:
        try:
            parsed = parse(source, page)
            found = parsed.problems
        except (UnreadableError, BlockedError) as error:
            parsed, said = Parsed(), str(error)
            found = (
                Problem(
                    source=source.NAME, kind="unreadable-page", url=page.url, message=said, page=page.ref
                ),
            )
        self._judge(source.NAME, page, found)
        self._remember(parsed.rows)
        self.seen[source.NAME] += len(parsed.observations)
        self._batch.at = page.fetched_at
        self._batch.rows.update(((row.source, row.source_id), (row, page.fetched_at)) for row in parsed.rows)
        waiting = self._waiting.setdefault(desk, [])
        waiting.extend((self._settling(seen), backfilled) for seen in parsed.observations)
        if len(self._batch.rows) >= 10 * _BATCH:
            self._flush()

    def _judge(self, source: str, page: Page, found: tuple[Problem, ...]) -> None:
        """The last reading of an address decides whether it has a problem."""
        name = source, page.url
        if self._of_many and page.status == 200 and (such := self._of_many.get((source, all_such(page.url)))):
            self._judged.update(((source, url), ()) for url in such)
        if page.status == 200 and (found or name in self._judged or name in self._open):
            self._judged[name] = found

    def _remember(self, rows: Iterable[Row]) -> None:
        for row in rows:
            name = row.source, row.source_id
            self._digests[name] = row.digest
            self._digests.move_to_end(name)
        while len(self._digests) > _REMEMBERED:
            self._digests.popitem(last=False)

    def _settling(self, seen: Observation) -> Observation:
        """A detail settles the newest list row before it: the one that made the crawl ask."""
        digest = self._digests.get((seen.source, seen.source_id))
        return replace(seen, row_digest=digest) if digest is not None and seen.whole else seen

    def _store(self, desk: Desk) -> None:
        """What waits of a run goes in now, with what came before of the same kind."""
        for seen, backfilled in self._waiting.pop(desk, ()):
            batch = self._batch
            if batch.observations and (batch.source, batch.backfilled) != (seen.source, backfilled):
                self._flush()
            self._batch.source, self._batch.backfilled = seen.source, backfilled
            self._batch.observations.append(seen)
            if len(self._batch.observations) >= _BATCH:
                self._flush()

    def _flush(self) -> None:
        batch, self._batch = self._batch, _Batch(at=self._batch.at)
        if batch.observations:
            now = batch.at or batch.observations[-1].observed_at
            ingest(self.store, batch.observations, now=now, backfilled=batch.backfilled, reparsed=True)
        if batch.rows:
            times: dict[datetime, list[Row]] = {}
            for row, at in batch.rows.values():
                times.setdefault(at, []).append(row)
            with self.store.write() as conn:
                for at, rows in times.items():
                    see_rows(conn, rows, now=at)

    def _end_pass(self, source: str, at: datetime) -> None:
        """The questions that lapsed then, and the fact that the source's first crawl was completed."""
        self._flush()
        if source == PARLIAMENT:
            lapse(self.store, now=at, reparsed=True)
        with self.store.write() as conn:
            if not runs.first_crawl_done(conn, source):
                run = runs.start(conn, "crawl", source, now=at, whole=True)
                runs.finish(conn, run, now=at, ok=True, report={})

    def close(self, now: datetime) -> None:
        """Store the rest (of runs that were cut off), and say what still cannot be read."""
        for desk in sorted(self._waiting, key=lambda desk: (desk[0] != PARLIAMENT, desk)):
            self._store(desk)
        self._flush()
        for source in self.sources:
            mine = {url: found for (name, url), found in self._judged.items() if name == source}
            still = [each for found in mine.values() for each in found]
            with self.store.write() as conn:
                self.news[source] = problems.report(conn, still, now=now)
                problems.end(conn, source, mine, now=now, still=still)
