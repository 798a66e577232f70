"""Where a page that a person saved came from. Pure."""

from __future__ import annotations

import re
from pathlib import PurePath
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag
from bs4.filter import SoupStrainer

from scraper.clean import decode
from scraper.source import UnreadableError

_NAME = re.compile(r"(?P<uin>(?:HL)?\d{1,9})-(?P<slug>[\w-]+)", re.IGNORECASE)
_SAVED_FROM = re.compile(r"<!--\s*saved from url=\(\d+\)(https?://\S+)\s*-->", re.IGNORECASE)
_HEAD = 200_000
"""Bytes within which a page's address stands."""


def saved_address(name: str, body: bytes, base: str) -> str:
    """The address of a saved page: its canonical link, og:url, the browser's note, or its file name `<UIN>-<slug>.html` below `base`.

    Raises UnreadableError where none of them tells it.
    """
    head = decode(body[:_HEAD])
    for address in _told(head):
        if _is_page(address):
            return address
    match = _NAME.fullmatch(PurePath(name).stem)
    if match is None:
        raise UnreadableError(
            f"{name}: neither a canonical link, og:url nor a file name such as 88001-ports-drugs.html tells its address"
        )
    return f"{base.rstrip('/')}/question/{match['uin'].upper()}/{match['slug']}"


def _told(head: str) -> list[str]:
    found = BeautifulSoup(head, "lxml", parse_only=SoupStrainer(["link", "meta"]))
    canonical = found.find("link", attrs={"rel": "canonical"})
    shared = found.find("meta", attrs={"property": "og:url"})
    told = [str(canonical.get("href") or "")] if isinstance(canonical, Tag) else []
    told += [str(shared.get("content") or "")] if isinstance(shared, Tag) else []
    return [address.strip() for address in (*told, *_SAVED_FROM.findall(head))]


def _is_page(address: str) -> bool:
    """Whether it is an http address of something below a site's front page: some pages name their front page everywhere."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and (len(parts.path) > 1 or bool(parts.query))
    )
