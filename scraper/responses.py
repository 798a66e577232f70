"""What kind of response came, before anything is read from it. Pure."""

from __future__ import annotations

import re

from scraper.source import BlockedError, Page, UnreadableError

_CHALLENGE_TITLE = re.compile(
    rb"<title>\s*Just a moment(?:\.\.\.|\xe2\x80\xa6|&hellip;)?\s*</title>", re.IGNORECASE
)


def require_readable(page: Page) -> None:
    """Raises BlockedError for a bot challenge (whatever its status) and UnreadableError for any status but 200."""
    if page.headers.get("cf-mitigated") or _CHALLENGE_TITLE.search(page.body, 0, 65536):
        raise BlockedError(f"{page.url} answered with a bot challenge (HTTP {page.status})")
    if page.status != 200:
        raise UnreadableError(f"{page.url} answered with HTTP {page.status}")


def require_whole(page: Page) -> None:
    """Raises UnreadableError for an HTML document that was cut off: what is missing must not pass for an edit."""
    start = page.body[:4096].lower()
    if b"<html" in start and b"</html" not in page.body[-65536:].lower():
        raise UnreadableError(f"{page.url} is cut off: its end is missing")
