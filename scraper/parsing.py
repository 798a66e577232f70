"""Runs a parser over a page. What a parser did not foresee is a page that cannot be read, and no reason to stop."""

from __future__ import annotations

import logging

from scraper.source import Page, Parsed, ScraperError, Source, UnreadableError

_log = logging.getLogger(__name__)


def parse(source: Source, page: Page) -> Parsed:
    """What the page shows. Raises UnreadableError, also where the parser itself fails, and BlockedError."""
    try:
        return source.parse(page)
    except ScraperError:
        raise
    except Exception as error:
        _log.info("the parser of %s failed on %s", source.NAME, page.url, exc_info=True)
        said = f"the parser failed on this page: {type(error).__name__}: {error}"
        raise UnreadableError(said[:300]) from error
