"""What can go wrong on the way to a page, and how patient we are. Free of Scrapy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard, TypeVar

from scraper.source import Page, ScraperError
from storage.records import PageRef

E = TypeVar("E", bound=BaseException)
Fetch = Callable[[str, Mapping[str, str] | None], Awaitable[Page]]
"""Asks once for an address, with these headers, and archives what came. Raises FetchError or StoppedError."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits of a crawl: what we ask for at most, and for how long."""

    timeout: float = 60.0  # seconds for one request, from its first byte to its last
    max_bytes: int = 32 * 1024 * 1024  # of one response, unpacked
    tries: int = 3
    pause: float = 2.0  # seconds before the second try; twice as long before the third
    longest_wait: float = 300.0  # a Retry-After beyond it ends the pass
    in_flight: int = 6  # requests at a time
    windows: int = 4  # days at a time
    batch: int = 200  # observations stored in one transaction
    failures: int = 8  # so many failed addresses in a row mean that the source is down


class FetchError(ScraperError):
    """One address could not be read. `kind` names the problem; `again` says whether another try may help, `wait` how many
    seconds the source asked to wait before it."""

    def __init__(
        self,
        kind: str,
        url: str,
        message: str,
        *,
        page: PageRef | None = None,
        status: int | None = None,
        again: bool = True,
        wait: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind, self.url, self.page = kind, url, page
        self.status, self.again, self.wait = status, again, wait


class StoppedError(ScraperError):
    """Nothing more is asked of this source in this run: blocked, forbidden by robots.txt, down, or interrupted."""

    def __init__(self, kind: str, url: str, message: str, *, page: PageRef | None = None) -> None:
        super().__init__(message)
        self.kind, self.url, self.page = kind, url, page


STOPS = frozenset({"blocked", "down", "rate-limited", "robots"})
"""Kinds of StoppedError that are problems of the source."""

INTERRUPTED = "interrupted"
"""Kind of the StoppedError of a run that was asked to end. It is no problem of the source."""


def first_of(group: BaseExceptionGroup[StoppedError]) -> StoppedError:
    """The first of the errors that ended a run, an outage before an interruption."""
    found = list(leaves(group))
    return next((error for error in found if error.kind != INTERRUPTED), found[0])


def leaves(group: BaseExceptionGroup[E]) -> Iterator[E]:
    """The errors in a group of errors and groups."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error


def answered_with_error(error: Exception) -> TypeGuard[FetchError]:
    """Whether the source answered, that something on its side is broken."""
    return isinstance(error, FetchError) and (error.status or 0) >= 500
