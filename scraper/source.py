"""What a source is: its name, its own settings, and a pure function from a page to what the page shows.

One module in `scraper/spiders/` is one source. `all_sources()` finds them; there is no list to add a line to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from storage.records import Observation, PageRef, PqwatchError, Problem, Row


class ScraperError(PqwatchError):
    """Root of the scraper's errors."""


class UnreadableError(ScraperError):
    """A page, a row or a field that the parser cannot account for; becomes a Problem with its page kept."""


class BlockedError(ScraperError):
    """The source answered with a bot challenge. It is reported, never evaded."""


@dataclass(frozen=True, slots=True)
class Page:
    """One response, as it came: what `parse` gets, from the network and from the archive alike.

    `body` is decoded from transfer and content encodings, not from its charset. Header names are in lower case.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime
    ref: PageRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a page shows: whole views, list rows, what could not be read, and where to go on."""

    observations: tuple[Observation, ...] = ()
    rows: tuple[Row, ...] = ()
    problems: tuple[Problem, ...] = ()
    links: tuple[str, ...] = ()  # absolute addresses worth reading, in the page's order
    total: int | None = None  # the source's own count of what the page lists
    refused: int = 0  # entries of the page that could not be read; each is in a problem


@dataclass(frozen=True, slots=True)
class SourceSetting:
    """A setting that a source declares beside its code: `PQWATCH_<NAME>`."""

    name: str  # such as "parliament_url"
    default: str
    meaning: str
    allowed: tuple[
        str, ...
    ] = ()  # words parted by commas, each one of these; empty: `_url` names an address, the rest is free
    only_with: tuple[str, str] | None = None  # of no use unless that other setting has this word


class Source(Protocol):
    """The module-level face of a source: `scraper/spiders/<name>.py` has these names."""

    NAME: str
    SETTINGS: tuple[SourceSetting, ...]

    def parse(self, page: Page) -> Parsed: ...


def addresses_asked(source: Source, values: Mapping[str, str]) -> list[str]:
    """The addresses that the settings of a source have it ask."""
    return [
        address.strip()
        for setting in source.SETTINGS
        if setting.only_with is None or setting.only_with[1] in values[setting.only_with[0]].split(",")
        for address in values[setting.name].split(",")
        if "://" in address
    ]
