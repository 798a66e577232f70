"""One source's run of one job: what its spider is given. Reads addresses with patience, and knows when to stop.

Free of Scrapy: `fetch` asks once for an address, whatever does the asking.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from scraper.fetch import INTERRUPTED, Fetch, FetchError, StoppedError
from scraper.parsing import parse
from scraper.pipelines import Door
from scraper.responses import require_readable
from scraper.settings import CrawlSettings
from scraper.source import BlockedError, Page, Parsed, Source, UnreadableError
from storage.records import Problem

T = TypeVar("T")
LONDON = ZoneInfo("Europe/London")
NOT_MODIFIED = 304
_GONE = (404, 410)
_READ = (200, *_GONE)  # a parser may know what a missing page means


@dataclass(frozen=True, slots=True)
class Step:
    """How far a source's run has come. `expected` grows while it goes on: details are known once their lists are read."""

    source: str
    job: str
    done: int  # addresses read
    expected: int
    per_second: float
    seconds_left: float | None  # null as long as nothing can be said


Progress = Callable[[Step], None]
"""Told of every step, from the thread that crawls; must return at once."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date


class Run:
    """One run. `span`: those days in place of the usual windows."""

    def __init__(
        self,
        source: Source,
        *,
        job: str,
        door: Door,
        fetch: Fetch,
        settings: CrawlSettings,
        now: Callable[[], datetime],
        span: Span | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.source, self.name, self.job = source, source.NAME, job
        self.door, self.settings, self.patience = door, settings, settings.patience
        self.now, self.span = now, span
        self.requests = self.done = self.expected = self.seen = 0
        self.complete = True  # false: something that was to be read was not
        self.stop = asyncio.Event()
        self._fetch, self._progress = fetch, progress
        self._begun = time.monotonic()
        self._slots = asyncio.Semaphore(self.patience.in_flight)
        self._failed: list[Problem] = []  # in a row, not yet reported: they may turn out to be one outage
        self._hold_until = 0.0
        self.slowest: dict[str, float] = {}  # requests a second that a host's robots.txt asks for at most
        self.windows = self.gaps = self.planned = 0  # read whole, not whole, and to be read in all

    @property
    def today(self) -> date:
        """London's day."""
        return self.now().astimezone(LONDON).date()

    def setting(self, name: str) -> str:
        """The value of one of the source's own settings."""
        if name in self.settings.values:
            return self.settings.values[name]
        return next(setting.default for setting in self.source.SETTINGS if setting.name == name)

    def count_window(self, *, whole: bool) -> None:
        """A window, such as a day, was read; or not all of it was."""
        self.windows += whole
        self.gaps += not whole

    def expect(self, count: int, *, windows: int = 0) -> None:
        """So many more addresses are to be read, among them the first ones of so many windows."""
        self.planned += windows
        self.expected += count
        self._tell()

    async def read(self, url: str) -> Parsed:
        """What the page at `url` shows; its problems are reported already. Tries again where that may help.

        Raises what `read_page` raises.
        """
        return (await self.read_page(url))[0]

    async def read_page(self, url: str, headers: Mapping[str, str] | None = None) -> tuple[Parsed, Page]:
        """The same, with the page. `headers` are sent along; a page that has not changed since (304) shows nothing.

        Raises FetchError or UnreadableError when patience ends, StoppedError when nothing more is to be asked of the source.
        """
        for attempt in range(1, self.patience.tries + 1):
            try:
                parsed, page = await self._read_once(url, headers)
            except (FetchError, UnreadableError) as error:
                if attempt == self.patience.tries or (isinstance(error, FetchError) and not error.again):
                    raise
                await self.pause(attempt, error)
            else:
                self._took(url, page, parsed)
                return parsed, page
        raise AssertionError("unreachable")

    async def _read_once(self, url: str, headers: Mapping[str, str] | None) -> tuple[Parsed, Page]:
        page = await self.fetch(url, headers)
        if page.status == NOT_MODIFIED:
            return Parsed(), page
        try:
            if page.status not in _READ:
                require_readable(page)
            return parse(self.source, page), page
        except BlockedError as error:
            said = f"blocked: answers with a bot challenge (HTTP {page.status}), which is not evaded"
            raise StoppedError("blocked", self._root(url), said, page=page.ref) from error
        except UnreadableError as error:
            if page.status != 200:
                raise _refused(url, page) from error
            raise UnreadablePageError(str(error), page) from error

    async def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Page:
        """The page at `url`, asked for once, when its turn comes."""
        async with self._slots:
            await self.sleep(self._hold_until - time.monotonic())
            self.requests += 1
            return await self._fetch(url, headers)

    def _took(self, url: str, page: Page, parsed: Parsed) -> None:
        self.done += 1
        self._report_failures()
        self.door.report(parsed.problems)
        for read in {url, page.url, self._root(url)}:
            self.door.was_read(read)
        self._tell()

    async def pause(self, attempt: int, cause: Exception | None = None) -> None:
        """Wait before the next try: longer each time, and as long as the source asked for."""
        seconds = self.patience.pause * 2 ** (attempt - 1)
        asked = cause.wait if isinstance(cause, FetchError) else None
        if asked is not None:
            if asked > self.patience.longest_wait:
                url = cause.url if isinstance(cause, FetchError) else ""  # for mypy: it is one here
                raise StoppedError(
                    "rate-limited",
                    self._root(url),
                    f"asks us to wait for more than {self.patience.longest_wait:.0f} s",
                )
            seconds = max(asked, self.patience.pause)
            self._hold_until = max(self._hold_until, time.monotonic() + asked)
        await self.sleep(seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait, unless the run is asked to end: raises StoppedError then."""
        if self.stop.is_set():
            raise StoppedError(INTERRUPTED, "", "interrupted")
        if seconds > 0:
            try:
                await asyncio.wait_for(self.stop.wait(), seconds)
            except TimeoutError:
                return
            raise StoppedError(INTERRUPTED, "", "interrupted")

    def failed(self, url: str, error: FetchError | UnreadableError, *, settled: bool = False) -> None:
        """An address could not be read for good; `settled`: and no later pass will do better. Raises StoppedError when too
        many fail one after the other."""
        self.done += 1
        self.complete = self.complete and settled
        self._failed.append(self._problem(url, error))
        if len(self._failed) >= self.patience.failures:
            last = self._failed[-1].message
            count, self._failed = len(self._failed), []
            raise StoppedError(
                "down", self._root(url), f"{count} addresses failed one after the other; the last: {last}"
            )
        self._tell()

    def _problem(self, url: str, error: FetchError | UnreadableError) -> Problem:
        kind = error.kind if isinstance(error, FetchError) else "unreadable-page"
        page = error.page if isinstance(error, FetchError) else None
        if isinstance(error, UnreadablePageError):
            page = error.where.ref
        return Problem(source=self.name, kind=kind, url=url, message=str(error), page=page)

    def _report_failures(self) -> None:
        failed, self._failed = self._failed, []
        self.door.report(failed)

    def stopped(self, error: StoppedError) -> None:
        """The run ends here: say why, once, whatever failed on the way there."""
        self.complete = False
        if error.kind == INTERRUPTED:
            return
        self._failed = []
        self.door.report(
            [Problem(source=self.name, kind=error.kind, url=error.url, message=str(error), page=error.page)]
        )

    def finish(self) -> None:
        """Store what waits. To be called at the end, however the run ended."""
        self._report_failures()
        self.door.close()

    def _root(self, url: str) -> str:
        """The address by which an outage of the whole source is known."""
        scheme, _, rest = url.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}/"

    def _tell(self) -> None:
        if self._progress is None:
            return
        spent = time.monotonic() - self._begun
        rate = self.done / spent if spent > 1 and self.done else 0.0
        if not rate and self.settings.rate:
            rate = self.settings.rate
        left = max(0, self.expected - self.done) / rate if rate else None
        read = self.windows + self.gaps
        if left is not None and read:  # what is in windows to come is not expected yet
            left = max(left, spent * (self.planned - read) / read)
        self._progress(Step(self.name, self.job, self.done, self.expected, rate, left))


def is_gone(error: Exception) -> bool:
    """Whether the source answered that there is no such page: nothing is gained by asking again in the next pass."""
    return isinstance(error, FetchError) and error.status in _GONE


def _refused(url: str, page: Page) -> FetchError:
    """The source answered with an error status."""
    again = page.status == 429 or page.status >= 500
    wait = retry_after(page.headers.get("retry-after"), datetime.now(UTC)) if again else None
    said = f"answered with HTTP {page.status}"
    return FetchError("status", url, said, page=page.ref, status=page.status, again=again, wait=wait)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for: a number or an HTTP date. Null where it is neither."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None


class UnreadablePageError(UnreadableError):
    """A page that the parser cannot read, with the page."""

    def __init__(self, message: str, where: Page) -> None:
        super().__init__(message)
        self.where = where


def spread(first: date, last: date) -> Iterable[date]:
    """Days from the newest to the oldest."""
    return (date.fromordinal(n) for n in range(last.toordinal(), first.toordinal() - 1, -1))


async def in_turn(items: Iterable[T], workers: int, work: Callable[[T], Awaitable[None]]) -> None:
    """Do the work for each item in their order, for several at a time."""
    queue = iter(items)

    async def worker() -> None:
        for item in queue:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(worker())
