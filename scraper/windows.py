"""Windows of a listing source, a day and a date field each: read whole, or known not to be.

A window counts as read when as many different entries came as the source itself counts. Otherwise it is read again, and where the
source fails on it, asked for in smaller parts; what was seen meanwhile stands. Then every row that differs from what is settled has
its detail read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

from scraper.details import Details
from scraper.fetch import FetchError, answered_with_error
from scraper.run import Run, in_turn
from scraper.source import UnreadableError
from storage.records import Problem, Row
from storage.windows import WindowNote

_ATTEMPTS = 3  # of a window that does not add up


@dataclass(frozen=True, slots=True)
class Window:
    """One day of one date field, such as `tabled` or `answered`."""

    field: str
    day: date

    @property
    def name(self) -> str:
        return f"{self.field}:{self.day.isoformat()}"


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a window: one of the listing's own parts (null: all of it), read in pages of `take`."""

    part: str | None
    take: int


class Listing(Protocol):
    """How a source's lists are asked for."""

    @property
    def cuts(self) -> Sequence[Sequence[Cut]]:
        """Ways to read a window, from one request to many small ones; each covers the whole window."""

    def address(self, run: Run, window: Window, cut: Cut, skip: int) -> str:
        """The address of one page of a window."""

    def detail(self, run: Run, source_id: str) -> str:
        """The address of one entry."""


@dataclass
class Tally:
    """What a window showed."""

    rows: dict[str, Row] = field(default_factory=dict)
    expected: int = 0
    refused: int = 0
    failed: list[tuple[str, FetchError | UnreadableError]] = field(default_factory=list)

    read: int = 0  # entries that could be read, where the rows themselves are not kept

    @property
    def seen(self) -> int:
        return (len(self.rows) or self.read) + self.refused

    @property
    def adds_up(self) -> bool:
        return not self.failed and self.seen == self.expected

    def __add__(self, other: Tally) -> Tally:
        rows, failed = {**self.rows, **other.rows}, [*self.failed, *other.failed]
        return Tally(rows, self.expected + other.expected, self.refused + other.refused, failed)


Counts = dict[Window, Tally]


async def read_windows(run: Run, listing: Listing, windows: Iterable[Window]) -> Counts:
    """Read windows in their order, several at a time, with the details of what is new or differs in them. What each of them
    came to, without its rows."""
    waiting = list(dict.fromkeys(windows))
    run.expect(len(waiting), windows=len(waiting))
    details = Details(run, lambda source_id: listing.detail(run, source_id))
    counts: Counts = {}

    async def work(window: Window) -> None:
        tally = await read_window(run, listing, window)
        counts[window] = replace(tally, rows={}, read=len(tally.rows))
        await _settle(run, details, window, tally)

    await in_turn(waiting, run.patience.windows, work)
    return counts


async def _settle(run: Run, details: Details, window: Window, tally: Tally) -> None:
    run.seen += len(tally.rows)
    settled = await details.settle(list(tally.rows.values()))
    whole = tally.adds_up and (settled or run.job == "crawl")
    run.count_window(whole=whole)
    if whole and (run.job == "crawl" or window.day < run.today):  # a day that is not over is not finished
        run.door.window_done(WindowNote(window.name, tally.expected, tally.seen))
    if tally.adds_up and window.field == LISTED_BY:
        run.door.day_listed(window.day, (row.key for row in tally.rows.values()))


LISTED_BY = "tabled"
"""The field by whose days `coverage` counts."""


async def read_window(run: Run, listing: Listing, window: Window) -> Tally:
    """The rows of a window; several attempts add up to what any of them showed. Failures are reported."""
    rows: dict[str, Row] = {}
    tally = Tally()
    for attempt in range(1, _ATTEMPTS + 1):
        tally = await _narrowing(run, listing, window)
        rows.update(tally.rows)
        if tally.adds_up or tally.failed:
            break
        if attempt < _ATTEMPTS:
            await run.pause(attempt)
    tally.rows = rows
    url = listing.address(run, window, listing.cuts[0][0], 0)
    if tally.failed:
        run.failed(url, tally.failed[-1][1])
    elif not tally.adds_up:
        run.complete = False
        run.door.report([_short(run, window, tally, url)])
    else:
        run.door.was_read(url)  # it may have been read in parts
    return tally


def _short(run: Run, window: Window, tally: Tally, url: str) -> Problem:
    said = f"{window.name}: the source counts {tally.expected}, {tally.seen} came, after {_ATTEMPTS} attempts"
    return Problem(source=run.name, kind="does-not-add-up", url=url, message=said)


async def _narrowing(run: Run, listing: Listing, window: Window) -> Tally:
    """Read a window in one request where that works, else in smaller and smaller parts."""
    tally = Tally()
    for number, cuts in enumerate(listing.cuts):
        tally = Tally()
        run.expect(len(cuts) if number else 0)
        for cut in cuts:
            tally += await _read_cut(run, listing, window, cut)
        if not tally.failed or not any(_too_heavy(error) for _, error in tally.failed):
            return tally
    return tally


def _too_heavy(error: FetchError | UnreadableError) -> bool:
    """Whether a smaller part may be answered: the API fails with 500, also inside a page, when it is asked for too much."""
    return isinstance(error, UnreadableError) or answered_with_error(error)


async def _read_cut(run: Run, listing: Listing, window: Window, cut: Cut) -> Tally:
    tally = Tally()
    listed = 0
    while True:
        url = listing.address(run, window, cut, listed)
        try:
            parsed = await run.read(url)
        except (FetchError, UnreadableError) as error:
            tally.failed.append((url, error))
            return tally
        tally.rows.update((row.source_id, row) for row in parsed.rows)
        tally.refused += parsed.refused
        tally.expected = parsed.total or 0
        came = len(parsed.rows) + parsed.refused
        listed += came
        if not came or listed >= tally.expected:
            return tally
        run.expect(1)
