"""Which question an address of the official site or of TheyWorkForYou is about. Pure."""

from __future__ import annotations

import re
from datetime import date
from urllib.parse import urlsplit

from scraper.addresses import house_of_uin
from scraper.clean import iso_date
from scraper.gid import parse_gid
from scraper.pages import query_of
from scraper.source import UnreadableError
from storage.records import House, key_of

_OFFICIAL = re.compile(
    r"/(?:written-questions/detail|written-questions-answers-statements/written-question/(?:Commons|Lords))/"
    r"(?P<day>\d{4}-\d{2}-\d{2})/(?P<uin>(?:HL)?\d{1,9})(?:/.*)?",
    re.IGNORECASE,
)
_PARLIAMENT = re.compile(r"(?:[\w-]+\.)?parliament\.uk", re.IGNORECASE)
_TWFY = re.compile(r"(?:\w+\.)?theyworkforyou\.com", re.IGNORECASE)


def official_question(url: str) -> tuple[date, str] | None:
    """Date tabled and UIN of an address of the official site, today's or the one before 2020; null for any other."""
    try:
        parts = urlsplit(url)
        match = _OFFICIAL.search(parts.path) if _PARLIAMENT.fullmatch(parts.hostname or "") else None
        return (iso_date(match["day"]), match["uin"].upper()) if match else None
    except (ValueError, UnreadableError):
        return None


def key_of_address(url: str) -> str | None:
    """The KEY of the question that an address is about, as far as the address tells it; null for any other."""
    official = official_question(url)
    if official is not None:
        return key_of(house_of_uin(official[1]), *official)
    try:
        parts = urlsplit(url)
        if not _TWFY.fullmatch(parts.hostname or "") or "wrans" not in parts.path:
            return None
        query = query_of(url)
        gid = parse_gid(query.get("id") or query.get("gid") or "")
    except (ValueError, UnreadableError):
        return None
    if gid.part == "mh" or gid.tail or (gid.old and "/lordswrans" in parts.path):
        return None
    return gid.key(House.LORDS if gid.number.startswith("HL") else House.COMMONS, None)
