"""The jobs as Celery tasks over RabbitMQ or Redis, for when one machine is not enough. Extra `celery`.

A task is acknowledged when it is done, so one whose worker dies is given to another; each may be repeated without harm,
since what it did stands in the database and it takes up from there. What came of a task stands there too (`runs`, windows,
the ledger): Celery keeps no results. A crawl task runs many windows in a child process, because Scrapy's reactor starts once
a process; the rate of requests to a source is held across all workers by `storage.budgets`.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from alerts.audience import Audience
from alerts.rematch import Rematch
from alerts.setup import Setup
from pqwatch import child
from pqwatch.settings import SettingsError
from pqwatch.wiring import Wiring
from storage import runs
from storage import subscriptions as rows
from storage.records import PqwatchError
from storage.store import StorageError, Store, open_store

QUEUE = "pqwatch"
COMMANDS = frozenset({"crawl", "recheck", "backfill", "reparse", "audit"})
"""What a task may start as a child process; whoever can write to the broker can start no more than these."""

PART_DAYS = 7
SHARD = 1_000
"""Subscriptions of one rematch task."""

_DONE, _USAGE, _LOCKED, _INTERRUPTED = 0, 2, 3, 130
_AGAIN = 15  # seconds until a task that found its lock taken, or was cut off, looks again
_TRIES = 240  # an hour of it
_FAILURES = 12  # of a task that somebody waits for: its database, its source or its process was gone; over about two hours
_LONGEST_PAUSE = 15 * 60  # seconds between two of them
_LONGEST = 12 * 3600  # seconds that a task may go unacknowledged before a broker gives it to another
_SOON = timedelta(hours=6)  # what was put there for a rhythm and taken by nobody is not done twice


class TaskError(PqwatchError):
    """A task that cannot be done here."""


@dataclass
class Place:
    """What the tasks of one worker process work on: opened on first use, after the fork."""

    wiring: Wiring
    options: tuple[str, ...] = ()  # global options for the child processes
    _store: Store | None = None
    _pid: int = 0
    _setup: Setup | None = None
    _audience: Audience | None = None

    @property
    def store(self) -> Store:
        if self._store is None or self._pid != os.getpid():
            self._store, self._pid = open_store(self.wiring.settings.database_url), os.getpid()
            self._setup = self._audience = None
        return self._store

    def command(self, args: Sequence[str]) -> int:
        """Run one of COMMANDS in a child process and wait. Its exit code."""
        if not args or args[0] not in COMMANDS:
            raise TaskError(f"{' '.join(args)!r} is no task: expected one of {', '.join(sorted(COMMANDS))}")
        begun = child.start([*self.options, *args], self.wiring.settings.database_url)
        try:
            return begun.wait()
        finally:
            child.stop(begun)

    def alerts(self, *, send: bool) -> dict[str, int]:
        """One `alerts run`; the matcher is kept from one to the next."""
        from alerts.run import run

        store = self.store
        self._setup = self._setup or self.wiring.setup(store)
        self._audience = self._audience or Audience(self._setup)
        report = run(
            store, now=self.wiring.clock.now(), settings=self._setup, audience=self._audience, send=send
        )
        return {
            "changes": report.changes,
            "rows": report.rows,
            "sent": report.sent,
            "waiting": report.waiting,
        }

    def rematch(self, ids: Sequence[int], *, alerts: bool) -> list[dict[str, Any]]:
        """Apply some subscriptions to what is stored; what it came to stands in a run."""
        store, clock = self.store, self.wiring.clock
        with store.write() as conn:
            run = runs.start(conn, "rematch", None, now=clock.now(), whole=False)
            wanted = list(rows.by_ids(conn, ids).values())
        found = Rematch(store, self.wiring.setup(store), clock.now(), alerts).run(wanted)
        shapes = [each.shape() for each in found]
        with store.write() as conn:
            runs.finish(conn, run, now=clock.now(), ok=True, report={"items": shapes})
        return shapes


def make_app(wiring: Wiring, broker: str, *, queue: str = QUEUE, options: Sequence[str] = ()) -> Any:
    """The Celery application with its tasks. Connects to nothing yet. Raises SettingsError where Celery is not installed."""
    try:
        from celery import Celery
        from kombu.entity import Queue
    except ImportError as error:
        raise SettingsError(
            "a broker needs the extra `celery`: pip install 'pqwatch[celery,postgres]'"
        ) from error
    if not wiring.settings.database_url.startswith(("postgresql", "postgres")):
        raise SettingsError(
            "workers on several machines need PostgreSQL: PQWATCH_DATABASE_URL is that of a SQLite file"
        )
    app = Celery("pqwatch", broker=broker, set_as_current=False)
    arguments = {"x-consumer-timeout": _LONGEST * 1000} if broker.startswith("amqp") else None
    app.conf.update(
        task_queues=[Queue(queue, durable=True, queue_arguments=arguments)],  # type: ignore[no-untyped-call]
        task_default_queue=queue,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,  # nobody else tells a worker what to do
        worker_cancel_long_running_tasks_on_connection_loss=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a broker that is away for a night is found again in the morning
        broker_transport_options=_transport(broker),
        timezone="UTC",
    )
    _add_tasks(app, Place(wiring, tuple(options)))
    return app


def _transport(broker: str) -> dict[str, Any]:
    """Redis has no sign of a dead worker but silence: what is not acknowledged for so long is given to another."""
    if broker.startswith("redis"):
        return {"visibility_timeout": _LONGEST}
    return {"confirm_publish": True}


def _add_tasks(app: Any, place: Place) -> None:
    @app.task(name="pqwatch.command", bind=True, max_retries=_TRIES)  # type: ignore[untyped-decorator]
    def command(self: Any, args: list[str], patient: bool = False, failures: int = 0) -> int:
        code = place.command(args)
        if code == _INTERRUPTED or (code == _LOCKED and patient):
            raise self.retry(countdown=_AGAIN)
        if patient and code not in (_DONE, _USAGE) and failures < _FAILURES:
            raise self.retry(args=[args, patient, failures + 1], countdown=pause_after(failures))
        return code

    @app.task(name="pqwatch.match")  # type: ignore[untyped-decorator]
    def match(senders: int = 1) -> None:
        """New versions become rows; then so many senders compose and deliver side by side."""
        if place.alerts(send=False)["waiting"]:
            for _ in range(senders):
                app.send_task("pqwatch.deliver", expires=_SOON.total_seconds())

    @app.task(name="pqwatch.deliver")  # type: ignore[untyped-decorator]
    def deliver() -> None:
        place.alerts(send=True)

    @app.task(name="pqwatch.rematch", bind=True, max_retries=_FAILURES)  # type: ignore[untyped-decorator]
    def rematch(self: Any, ids: list[int], alerts: bool = False) -> None:
        try:
            place.rematch(ids, alerts=alerts)
        except StorageError as error:  # the database is away: nothing was left half done
            raise self.retry(exc=error, countdown=pause_after(self.request.retries)) from error


def pause_after(failures: int) -> int:
    """Seconds until a task that failed is tried again, after so many failures before."""
    return min(_AGAIN << failures, _LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class Desk:
    """Puts work where the workers take it from. Raises TaskError where the broker cannot be reached."""

    app: Any

    def rhythm(self, job: str, sources: Sequence[str], every: timedelta) -> None:
        """A job of `watch`. Nobody does it twice: what was not taken by the next time is dropped."""
        seconds = every.total_seconds()
        if job == "crawl":
            for source in sources:
                self._put("pqwatch.command", [["crawl", source]], expires=seconds)
        elif job == "alerts":
            self._put("pqwatch.match", [len(sources)], expires=seconds)
        else:
            self._put("pqwatch.command", [[job]], expires=seconds)

    def backfill(self, source: str, first: date, last: date, *, days: int = PART_DAYS) -> int:
        """A task for each part of the days, newest first. How many."""
        parts = list(parts_of(first, last, days))
        for since, until in parts:
            args = ["backfill", source, "--from", since.isoformat(), "--to", until.isoformat(), "--part"]
            self._put("pqwatch.command", [args, True])
        return len(parts)

    def reparse(self, sources: Sequence[str]) -> int:
        """One task: pages of all sources are read in one order."""
        self._put("pqwatch.command", [["reparse", *sources], True])
        return 1

    def rematch(self, ids: Sequence[int], *, alerts: bool = False) -> int:
        """A task for each shard of the subscriptions. How many."""
        shards = [list(ids[n : n + SHARD]) for n in range(0, len(ids), SHARD)]
        for shard in shards:
            self._put("pqwatch.rematch", [shard, alerts])
        return len(shards)

    def _put(self, name: str, args: list[Any], **options: Any) -> None:
        from kombu.exceptions import OperationalError

        try:
            self.app.send_task(name, args, retry=True, retry_policy={"max_retries": 2}, **options)
        except (OperationalError, OSError) as error:
            raise TaskError(f"the broker cannot be reached: {error}") from error


def parts_of(first: date, last: date, days: int) -> Iterator[tuple[date, date]]:
    """The days from first to last in parts of at most so many, the newest part first."""
    until = last
    while until >= first:
        since = max(first, until - timedelta(days=days - 1))
        yield since, until
        until = since - timedelta(days=1)


def work(app: Any, *, concurrency: int, level: str) -> int:
    """Take tasks until stopped (SIGTERM: what is begun is finished first). The exit code."""
    worker = app.Worker(
        hostname=f"pqwatch-{secrets.token_hex(6)}@{socket.gethostname()}",  # several may run on one machine
        concurrency=concurrency,
        pool="prefork",
        loglevel=level,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    with suppress(SystemExit):
        worker.start()
    return int(worker.exitcode or 0)
