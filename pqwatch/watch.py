"""`pqwatch watch`: crawls, rechecks, alerts and a look at our own health, each at its rhythm, until stopped.

APScheduler only wakes the jobs. When one is due follows from the database (the last time it began, plus its rhythm), so what
was missed while the machine was off is made up once, and not once for each time that was missed. Crawls and rechecks run in
child processes, because Scrapy's reactor starts once a process; alerts and health run here. With a broker only health does, and the
rest is put where workers take it from (`pqwatch.tasks`).
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from subprocess import Popen
from typing import TYPE_CHECKING, Any

from pqwatch import child, settings, status
from pqwatch.clock import Clock, RunningClock
from pqwatch.troubles import gathered
from pqwatch.wiring import Wiring
from storage import runs, search_index
from storage.records import PqwatchError
from storage.store import Store

if TYPE_CHECKING:
    from pqwatch.tasks import Desk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """`args`: the command of its child process; empty for what runs here. `sources`: it notes a run for each source."""

    name: str
    every: timedelta
    args: tuple[str, ...] = ()
    sources: bool = False


JOBS = (
    Job("crawl", timedelta(minutes=20), ("crawl",), sources=True),
    Job("recheck", timedelta(hours=6), ("recheck",), sources=True),
    Job("alerts", timedelta(minutes=1)),
    Job("audit", timedelta(days=1), ("audit",)),
    Job("health", timedelta(hours=1)),
)


def due_at(last: datetime | None, every: timedelta, now: datetime) -> datetime:
    """When a job runs next: at once where its time is past or it never ran, whatever was missed."""
    return now if last is None else max(now, last + every)


def last_begun(store: Store, job: Job, sources: Sequence[str]) -> datetime | None:
    """The last time the job began; for one that goes by source the source that waits longest decides."""
    with store.read() as conn:
        if not job.sources:
            return runs.last_attempt(conn, job.name, None)
        begun = [runs.last_attempt(conn, job.name, source) for source in sources]
    known = [moment for moment in begun if moment is not None]
    return min(known) if len(known) == len(begun) and known else None


@dataclass
class Watch:
    """One scheduler over one store. `run` returns when `stop` was called."""

    wiring: Wiring
    store: Store
    clock: Clock
    jobs: Sequence[Job] = JOBS
    options: Sequence[str] = ()  # global options for the child processes
    desk: Desk | None = None  # where the jobs go instead, for workers to do
    _stopped: threading.Event = field(default_factory=threading.Event)
    _children: set[Popen[bytes]] = field(default_factory=set)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _setup: Any = None
    _audience: Any = None
    _told: frozenset[str] = frozenset()

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        """Wake the jobs until stopped; then end the children and wait for what runs here."""
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(len(self.jobs) + 1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for job in self.jobs:
            self._plan(scheduler, job)
        scheduler.add_job(self._guarded, args=["index", self._make_index_whole], id="index")
        scheduler.start()
        try:
            self._stopped.wait()
        finally:
            self._stopped.set()
            self._end_children()
            scheduler.shutdown(wait=True)

    def _plan(self, scheduler: Any, job: Job) -> None:
        """APScheduler's own clock is the real one; the wait until the job is due is the same on both."""
        now = self.clock.now()
        wait = due_at(last_begun(self.store, job, self.wiring.settings.sources), job.every, now) - now
        first = Clock().now() + wait
        scheduler.add_job(
            self._guarded,
            "interval",
            seconds=job.every.total_seconds(),
            args=[job.name, partial(self._do, job)],
            id=job.name,
            next_run_time=first,
        )

    def _guarded(self, name: str, do: Callable[[], None]) -> None:
        """A job that fails is said and tried again at its next time; the others go on."""
        if self._stopped.is_set():
            return
        try:
            do()
        except PqwatchError as error:
            log.warning("%s: %s", name, error)
        except Exception:
            log.exception("%s: unexpected error", name)

    def _do(self, job: Job) -> None:
        if self.desk is not None and job.name != "health":
            self.desk.rhythm(job.name, self.wiring.settings.sources, job.every)
        elif job.args:
            self._in_child(job)
        elif job.name == "alerts":
            self.alerts()
        else:
            self.health()

    def _in_child(self, job: Job) -> None:
        """Run the command and wait for it. It says itself what went wrong; here only that it did."""
        with self._guard:
            if self._stopped.is_set():
                return
            begun = child.start([*self._options(), *job.args], self.wiring.settings.database_url)
            self._children.add(begun)
        try:
            code = begun.wait()
        finally:
            with self._guard:
                self._children.discard(begun)
        if code not in (0, 130):
            log.info("%s ended with exit code %s", job.name, code)

    def _options(self) -> list[str]:
        now = ["--now", self.clock.now().isoformat()] if isinstance(self.clock, RunningClock) else []
        return [*self.options, *now]

    def _end_children(self) -> None:
        with self._guard:
            children = list(self._children)
        for running in children:
            child.stop(running)

    def alerts(self) -> None:
        """One `alerts run`; the matcher is kept from one to the next."""
        from alerts.audience import Audience
        from alerts.run import run

        self._setup = self._setup or self.wiring.setup(self.store)
        self._audience = self._audience or Audience(self._setup)
        report = run(self.store, now=self.clock.now(), settings=self._setup, audience=self._audience)
        for name, why in report.down.items():
            log.warning("%s: nothing gets through: %s", name, why)
        for name in (*report.paused, *report.broken):
            log.warning("subscription %s needs attention: `pqwatch subscriptions show` tells why", name)

    def _make_index_whole(self) -> None:
        """Index what is not, after an update that changed the rules; cut off by a stop, it goes on the next time."""

        def go_on(done: int, total: int) -> None:
            if self._stopped.is_set():
                raise InterruptedError
            log.info("%d of %d questions indexed", done, total)

        with suppress(InterruptedError):
            search_index.reindex(self.store, go_on)

    def health(self) -> None:
        """Say what is wrong, once: what was said and is unchanged is not said again."""
        now = self.clock.now()
        with self.store.write() as conn:
            run_id = runs.start(conn, "health", None, now=now, whole=True)
            known = settings.in_order(settings.declared())
            found = status.read(conn, known, self.wiring.settings.sources, now=now)
            runs.finish(conn, run_id, now=now, ok=found.ok, report={"ok": found.ok})
        told = frozenset(_faults(found))
        for line in sorted(told - self._told):
            log.warning("%s", line)
        self._told = told


def _faults(found: status.Status) -> Iterator[str]:
    for source in found.sources:
        yield from (f"{source.source}: {fault}" for fault in source.faults(found.now))
    for trouble in gathered(found.problems):
        yield f"{trouble.first.source}: {trouble.first.kind}: {trouble.what} ({trouble.where})"
    if found.failed:
        yield f"{found.failed} deliveries failed for good"


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """SIGTERM and SIGINT call `stop`; the list holds which came."""
    came: list[int] = []

    def handle(number: int, frame: object) -> None:
        del frame
        came.append(number)
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
