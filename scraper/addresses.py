"""What addresses mean: which may be linked to, what a wrapper wraps, and which question a page is about. Pure."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, urlsplit

from storage.records import House

OFFICIAL_PAGE = "https://questions-statements.parliament.uk/written-questions/detail/{day}/{uin}"
"""The public page of a question: date tabled and UIN."""

_CONTROLS = re.compile("[\x00-\x20\x7f-\x9f]+")
_SCHEMES = ("http://", "https://", "mailto:")
_SAFELINK_HOST = ".safelinks.protection.outlook.com"


def safe_href(href: str) -> str | None:
    """The address as it may stand in a link: http, https or mailto, unwrapped, spaces escaped; null for any other."""
    href = unwrap(href.strip())
    if " " in href or not href.isprintable():
        href = _CONTROLS.sub("", href.replace(" ", "%20"))
    return href if href[:8].lower().startswith(_SCHEMES) else None


def unwrap(href: str) -> str:
    """What an Outlook "safelinks" address wraps, however often; any other address as it is."""
    for _ in range(5):
        if _SAFELINK_HOST not in href.lower():
            break
        try:
            parts = urlsplit(href)
            wrapped = parse_qs(parts.query).get("url")
        except ValueError:
            break
        if not (parts.hostname or "").endswith(_SAFELINK_HOST) or not wrapped:
            break
        href = wrapped[0].strip()
    return href


def escape_spaces(url: str) -> str:
    """An address of the API with its raw spaces and other unprintable characters percent-encoded."""
    return quote(url, safe="%/:=&?~#+!$,;'@()*[]")


def all_such(url: str) -> str:
    """Stands for all pages that differ from this one in number, day or parameters alone: `…/questions/*`.

    What is wrong with each of them is one problem, at `…/questions/*#name`.
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{_ONE.sub('/*', parts.path)}"


_ONE = re.compile(r"/\d[\d-]*(?:/\w+)?(?=/|\Z)")


def official_page(day: str, uin: str) -> str:
    return OFFICIAL_PAGE.format(day=day, uin=uin)


def house_of_uin(uin: str) -> House:
    """Lords numbers begin with HL."""
    return House.LORDS if uin.upper().startswith("HL") else House.COMMONS
