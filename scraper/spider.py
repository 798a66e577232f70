"""What each source's spider looks like: which addresses, in which order. Free of Scrapy, so that settings, web pages and
`reparse` can load a source without it; the engine runs it inside a Scrapy spider."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date
from typing import TYPE_CHECKING

from scraper.source import ScraperError

if TYPE_CHECKING:
    from scraper.run import Run


class NotOfferedError(ScraperError):
    """The source has no such job."""


class SourceSpider(ABC):
    """One source's way through its addresses. Has no state: all of it is in the run."""

    names_hosts = False
    """Whether pages name further hosts to ask: these must not lead into private networks."""

    @abstractmethod
    async def crawl(self, run: Run) -> None:
        """One pass: the usual windows, or those of `run.since` to `run.until`."""

    async def recheck(self, run: Run) -> None:
        """Look again at answered questions that are due for it."""
        raise NotOfferedError(f"{run.name} has no answers to look at again")

    async def backfill(self, run: Run, first: date, last: date, *, restart: bool = False) -> None:
        """All of those days, newest first, each written down as done; those that were are left out unless `restart`."""
        raise NotOfferedError(f"{run.name} has no backfill for {first} to {last}{' anew' if restart else ''}")
