"""One source's part of a job, from the row in `runs` to the report. What goes wrong in it ends in its report."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from scrapy.crawler import Crawler
from scrapy.http import Response

from scraper import private
from scraper.archive import Archive
from scraper.download import download
from scraper.fetch import INTERRUPTED, STOPS, Fetch, StoppedError, first_of, leaves
from scraper.pipelines import Door
from scraper.report import SourceReport
from scraper.run import NOT_MODIFIED, Progress, Run, Span
from scraper.settings import CrawlSettings
from scraper.source import Page, Source
from scraper.sources import spider_of
from storage import runs
from storage.locks import Lock
from storage.records import PageRef, PqwatchError
from storage.store import StorageError, Store

_log = logging.getLogger(__name__)


Work = Callable[[Run], Awaitable[None]]


@dataclass(frozen=True)
class Job:
    """A job for some sources: what it does with a run of each."""

    name: str
    work: Callable[[Source], Work]
    whole: bool = False
    span: Span | None = None
    backfilled: bool | None = None  # null: as long as the source's first crawl lasts


@dataclass(frozen=True)
class Means:
    """What every job needs. `now` gives the run's time: the real one, or `--now`."""

    store: Store
    archive: Archive
    settings: CrawlSettings
    now: Callable[[], datetime]
    progress: Progress | None = None


@dataclass
class Task:
    """One source's part of a job."""

    engine: Means
    source: Source
    job: Job
    report: SourceReport
    failures: list[BaseException]
    lock: Lock
    run: Run | None = None

    def prepare(self, crawler: Crawler) -> Run:
        engine, name = self.engine, self.source.NAME
        backfilled = self.job.backfilled
        if backfilled is None:
            with engine.store.read() as conn:
                backfilled = not runs.first_crawl_done(conn, name)
        door = Door(
            engine.store,
            engine.archive,
            source=name,
            job=self.job.name,
            now=engine.now,
            backfilled=backfilled,
            batch=engine.settings.patience.batch,
            guard=self.lock.check,
        )
        self.run = Run(
            self.source,
            job=self.job.name,
            door=door,
            fetch=_fetcher(crawler, engine, self.source, self.job.name, backfilled=backfilled),
            settings=engine.settings,
            now=engine.now,
            span=self.job.span,
            progress=engine.progress,
        )
        return self.run

    async def do(self) -> None:
        """All of it, from the row in `runs` to the report. Never raises: errors go into the report."""
        begun = time.monotonic()
        try:
            await self._do()
        except ExceptionGroup as group:
            for error in leaves(group):
                self._failed(error)
        except Exception as error:  # noqa: BLE001  # what is a fault of ours is raised again when the reactor has ended
            self._failed(error)
        self.report.seconds = time.monotonic() - begun

    def ended(self, crawler: asyncio.Task[None]) -> None:
        """A crawler that could not even begin must not pass for an empty crawl."""
        error = None if crawler.cancelled() else crawler.exception()
        if error is not None:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, PqwatchError):
            self.report.error = self.report.error or str(error)
        else:
            self.failures.append(error)

    async def _do(self) -> None:
        run, engine = self.run, self.engine
        assert run is not None  # noqa: S101  # prepared when the spider was made
        with engine.store.write() as conn:
            run_id = runs.start(conn, self.job.name, run.name, now=engine.now(), whole=self.job.whole)
        try:
            await self._work(run)
        except Exception:
            self._note_end(run, run_id, ok=False)
            raise
        self._note_end(run, run_id, ok=run.complete)

    async def _work(self, run: Run) -> None:
        try:
            await self.job.work(self.source)(run)
        except* StoppedError as group:
            error = first_of(group)
            self.report.interrupted = error.kind == INTERRUPTED
            run.stopped(error)
        if self.job.whole and run.complete:
            if not spider_of(self.source).names_hosts:
                run.door.end_others(STOPS)  # also at an address that the source is no longer asked at
            run.door.end_pass()
        run.finish()

    def _note_end(self, run: Run, run_id: int, *, ok: bool) -> None:
        report, door = self.report, run.door
        report.requests, report.seen, report.new = run.requests, run.seen, door.result.new
        report.versions = {kind.value: count for kind, count in sorted(door.versions.items())}
        report.problems, report.complete = door.news, ok
        report.windows, report.gaps = run.windows, run.gaps
        try:
            with self.engine.store.write() as conn:
                runs.finish(conn, run_id, now=self.engine.now(), ok=ok, report=report.to_json())
        except StorageError as error:
            if ok:
                raise
            _log.warning("the end of this run could not be noted: %s", error)


def _fetcher(crawler: Crawler, engine: Means, source: Source, job: str, *, backfilled: bool) -> Fetch:
    guarded = spider_of(source).names_hosts and not engine.settings.allow_private_hosts

    async def fetch(url: str, headers: Mapping[str, str] | None) -> Page:
        if guarded:
            await private.refuse(url)
        answered, response = await download(crawler, url, headers=headers)
        if guarded:
            private.refuse_response(url, response.ip_address)
        if response.status == NOT_MODIFIED:
            empty = PageRef(sha256(b"").hexdigest())
            return Page(url, response.status, {}, b"", engine.now(), empty)
        return engine.archive.write(
            source=source.NAME,
            job=job,
            url=answered,
            status=response.status,
            headers=_headers(response),
            body=response.body,
            observed_at=engine.now(),
            backfilled=backfilled,
        )

    return fetch


def _headers(response: Response) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in response.headers.items()
        for value in values
    ]
