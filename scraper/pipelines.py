"""The only door to storage: everything that a crawl found goes through here, in batches.

The order in a batch is what makes a kill at any moment harmless: first the pages are on the disk, then the versions that rest on
them commit, and only then is a window that they belong to written down as done.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from urllib.parse import quote, unquote

from scraper.addresses import all_such
from scraper.archive import Archive
from storage import agenda, bodies, problems
from storage.bulk import one_writer
from storage.ingest import IngestResult, ingest, lapse, see_rows, unsettled
from storage.records import PARLIAMENT, Body, Kind, Observation, Problem, Row
from storage.store import Store
from storage.windows import (
    Validators,
    WindowNote,
    forget,
    keep_validators,
    list_day,
    note,
    noted,
    read_times,
    validators_of,
)

_LASTING = timedelta(days=1)  # after which what is wrong at an address is taken for a fault of that page
_PATIENCE = 5.0  # seconds an observation waits for the others of its batch
_BODY = "urn:pqwatch:body:"
_REMEMBERED = 100_000  # rows seen in this run: the same row in several windows is noted once


@dataclass
class Pending:
    """What waits for the next transaction."""

    observations: list[Observation] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    windows: list[WindowNote] = field(default_factory=list)
    days: dict[date, frozenset[str]] = field(default_factory=dict)
    validators: dict[str, Validators] = field(default_factory=dict)
    since: float = 0.0


class Door:
    """Hands one source's finds of one run to the store. `now` gives the run's time."""

    def __init__(
        self,
        store: Store,
        archive: Archive,
        *,
        source: str,
        job: str,
        now: Callable[[], datetime],
        backfilled: bool,
        batch: int = 200,
        guard: Callable[[], None] | None = None,
    ) -> None:
        self.store, self.archive, self.source, self.job = store, archive, source, job
        self.now, self.backfilled, self.batch = now, backfilled, batch
        self._guard = guard  # raises where this run may store no more, because another took its lock over
        self.result = IngestResult()
        self.news = 0  # problems that a person has not been told of
        self.reported: dict[tuple[str, str], Problem] = {}
        self._pending = Pending()
        self._read: set[str] = set()  # addresses read that had problems before
        self._seen: dict[str, str] = {}
        with store.read() as conn:
            met = [p for p in problems.open_problems(conn) if p.source == source]
        self._open = {p.url for p in met}
        self._lasting = {(p.kind, p.url) for p in met if p.first_seen <= now() - _LASTING}
        self._of_many: dict[
            str, set[str]
        ] = {}  # addresses of problems that many pages have, by what stands for those
        for url in self._open:
            if "#" in url:
                self._of_many.setdefault(url.partition("#")[0], set()).add(url)

    @property
    def versions(self) -> Counter[Kind]:
        return self.result.versions

    def unsettled(self, rows: Sequence[Row]) -> list[Row]:
        """Those rows whose detail is to be read. All of them are noted as seen."""
        fresh = [row for row in rows if self._seen.get(row.source_id) != row.digest]
        if not fresh:
            return []
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()
        self._seen.update((row.source_id, row.digest) for row in fresh)
        with self.store.read() as conn:
            wanted = unsettled(conn, fresh)
        new = {row.source_id for row in wanted}
        self._pending.rows.update((row.source_id, row) for row in fresh if row.source_id not in new)
        return wanted

    def add(self, observations: Iterable[Observation]) -> None:
        """Take in what was seen; stored with the next batch."""
        for each in observations:
            self._pending.since = self._pending.since or time.monotonic()
            self._pending.observations.append(each)
            self._note_body(each)
        waiting = self._pending.observations
        if len(waiting) >= self.batch or (waiting and time.monotonic() - self._pending.since > _PATIENCE):
            self.flush()

    def _note_body(self, seen: Observation) -> None:
        body = seen.content.answering_body
        if body is not None and "answering_body" in seen.seen and bodies.unknown(body):
            url = f"{_BODY}{'' if body.id is None else body.id}:{quote(body.name)}"
            said = f"the answering body {body.name!r} (id {body.id}) is not in our table; first met in {seen.key}"
            self.report(
                [Problem(source=self.source, kind="unknown-body", url=url, message=said, page=seen.page)]
            )

    def report(self, found: Iterable[Problem]) -> None:
        """Something that a person must see."""
        for problem in found:
            if (problem.kind, problem.url) not in self.reported:
                self.reported[problem.kind, problem.url] = problem
                self._pending.problems.append(problem)

    def was_read(self, url: str) -> None:
        """An address was read: problems it had before end, unless this run reports them again."""
        if url in self._open:
            self._read.add(url)
        if self._of_many:
            self._read.update(self._of_many.get(all_such(url), ()))

    def is_lasting(self, kind: str, url: str) -> bool:
        """Whether the address has had such a problem for a day."""
        return (kind, url) in self._lasting

    def end_others(self, kinds: Iterable[str]) -> None:
        """A whole pass is complete: what it did not meet again of these kinds has ended."""
        with self.store.read() as conn:
            old = [
                p for p in problems.open_problems(conn) if p.source == self.source and p.kind in set(kinds)
            ]
        self._read.update(p.url for p in old)

    def end_known_bodies(self) -> None:
        """A body that was unknown and has been added to the table since is no problem any more."""
        for url in self._open:
            id_, _, name = url.removeprefix(_BODY).partition(":")
            if url.startswith(_BODY) and not bodies.unknown(Body(unquote(name), int(id_) if id_ else None)):
                self._read.add(url)

    def window_done(self, window: WindowNote) -> None:
        """To be written down once everything added before it is stored."""
        self._pending.windows.append(window)

    def day_listed(self, day: date, keys: Iterable[str]) -> None:
        """What the source lists for a day."""
        self._pending.days[day] = frozenset(keys)

    def page_done(self, url: str, validators: Validators) -> None:
        """What the source said of the age of a page, to be kept once everything the page showed is stored."""
        self._pending.validators[url] = validators

    def validators_of(self, url: str) -> Validators:
        """What the source said of the age of a page when it was last read whole."""
        with self.store.read() as conn:
            return validators_of(conn, url)

    def read_times(self, source_ids: Collection[str]) -> dict[str, datetime]:
        """When the details of these were last read."""
        with self.store.read() as conn:
            return read_times(conn, self.source, source_ids)

    def open_days(self, today: date) -> list[date]:
        """The tabled days that are to be read because a question of that day is still open."""
        with self.store.read() as conn:
            return agenda.open_days(conn, today)

    def due_rechecks(self, limit: int) -> list[str]:
        """The source's ids of answered questions that are to be read again."""
        with self.store.read() as conn:
            return [due.source_id for due in agenda.due_rechecks(conn, self.now(), limit)]

    def forget_windows(self, names: Iterable[str]) -> None:
        """Have windows read again that were written down as done."""
        with self.store.write() as conn:
            forget(conn, self.job, self.source, names)

    def windows_done(self) -> dict[str, WindowNote]:
        """The windows that earlier runs of this job have written down."""
        with self.store.read() as conn:
            return noted(conn, self.job, self.source)

    def flush(self) -> None:
        """Store everything that waits. Raises StorageError, ArchiveError."""
        if self._guard is not None:
            self._guard()
        pending, self._pending = self._pending, Pending()
        if pending.observations:
            self._mark(STORED)
        self.archive.flush()
        if pending.observations:
            self.result += ingest(
                self.store,
                pending.observations,
                now=self.now(),
                backfilled=self.backfilled,
            )
        if pending.rows or pending.problems or pending.windows or pending.days or pending.validators:
            self._write_notes(pending)

    def _write_notes(self, pending: Pending) -> None:
        now = self.now()
        with self.store.write() as conn:
            one_writer(conn)  # a crawl and a backfill, or two parts of one, may note the same day at once
            see_rows(conn, list(pending.rows.values()), now=now)
            self.news += problems.report(conn, pending.problems, now=now)
            for day, keys in pending.days.items():
                list_day(conn, self.source, day, keys)
            note(conn, self.job, self.source, pending.windows, now=now)
            for url, validators in pending.validators.items():
                keep_validators(conn, url, validators, now=now)

    def close(self) -> None:
        """Store everything that waits, and end the problems that this run read without: only now is it known which lasted."""
        self.flush()
        if self._read:
            with self.store.write() as conn:
                one_writer(conn)
                problems.end(
                    conn, self.source, self._read, now=self.now(), still=list(self.reported.values())
                )
            self._read.clear()

    def end_pass(self) -> None:
        """The end of a whole pass, marked in the archive so that `reparse` comes by it at the same place. Once the source that
        speaks with authority was read whole, questions whose session has ended lapse."""
        self.flush()
        self._mark(ROUND_ENDED)
        self.archive.flush()
        if self.source == PARLIAMENT:
            self.result += lapse(self.store, now=self.now())

    def _mark(self, name: str) -> None:
        self.archive.mark(name, source=self.source, job=self.job, observed_at=self.now())


STORED, ROUND_ENDED = "stored", "whole-pass"
"""The marks that a run leaves in the archive: what its pages showed up to here was stored; a whole pass has ended. Sources
are stored side by side, and which came first decides what is new in the other: so `reparse` can keep their order."""
