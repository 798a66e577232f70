"""Runs jobs for sources, all in one process, whose reactor starts once. What one source comes to never stops the others."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from scraper.process import Process
from scraper.report import SourceReport
from scraper.run import LONDON, Span
from scraper.source import ScraperError, Source
from scraper.sources import spider_of
from scraper.spider import SourceSpider
from scraper.task import Job, Means, Task, Work
from storage import locks

__all__ = ["Engine", "SourceReport"]

_SPAN = timedelta(days=13)  # --until alone: the fortnight that ends there


@dataclass(frozen=True)
class Engine(Means):
    """Each method is one job, runs the reactor, and so can be called once a process."""

    def crawl(
        self, sources: Sequence[Source], *, since: date | None = None, until: date | None = None
    ) -> list[SourceReport]:
        """One pass over the sources: the usual windows, or the days since to until."""
        span = _span(since, until, self.now())
        return self.run(sources, Job("crawl", lambda source: spider_of(source).crawl, span is None, span))

    def recheck(self, sources: Sequence[Source]) -> list[SourceReport]:
        """Look again at answered questions that are due for it. Only sources that have this job are in the answer."""
        sources = [each for each in sources if type(spider_of(each)).recheck is not SourceSpider.recheck]
        return self.run(sources, Job("recheck", lambda source: spider_of(source).recheck))

    def backfill(
        self,
        source: Source,
        first: date,
        last: date,
        *,
        restart: bool = False,
        alerts: bool = False,
        part: bool = False,
    ) -> SourceReport:
        """All of those days, newest first; what earlier runs finished is not read again unless `restart`.

        `part`: workers read other days of the source at the same time, so the lock is one for these days.
        """

        def work(of: Source) -> Work:
            return lambda run: spider_of(of).backfill(run, first, last, restart=restart)

        job = Job("backfill", work, span=Span(first, last), backfilled=not alerts)
        (report,) = self.run([source], job, f":{first}..{last}" if part else "")
        return report

    def run(self, sources: Sequence[Source], job: Job, part: str = "") -> list[SourceReport]:
        """Do the job for every source that no other run holds, and report in their order. `part` ends the locks' names."""
        reports = [SourceReport(source.NAME) for source in sources]
        failures: list[BaseException] = []
        with ExitStack() as held:
            process = Process(self.settings)
            for source, report in zip(sources, reports, strict=True):
                try:
                    lock = held.enter_context(locks.hold(self.store, f"{job.name}:{source.NAME}{part}"))
                except locks.LockedError as error:
                    report.locked = str(error)
                    continue
                process.add(Task(self, source, job, report, failures, lock))
            process.start()
        if failures:
            raise failures[0]
        return reports


def _span(since: date | None, until: date | None, now: datetime) -> Span | None:
    if since is None and until is None:
        return None
    last = until or now.astimezone(LONDON).date()
    first = since or last - _SPAN
    if first > last:
        raise ScraperError(f"the days from {first} to {last} are none: --since must not be after --until")
    return Span(first, last)
