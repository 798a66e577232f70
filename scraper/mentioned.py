"""Which questions a commentary speaks of: its links, and "UIN 12345" with a date near it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from urllib.parse import urlsplit

from scraper.addresses import house_of_uin
from scraper.clean import clean_html, iso_date, plausible_date, spoken_date
from scraper.references import key_of_address
from scraper.source import UnreadableError
from storage.records import key_of

_BLOCK_END = re.compile(r"</(?:p|li|td|th)>|<br>")
_HREF = re.compile(r'<a href="([^"]*)">')
_PARALLEL = re.compile(r"/question/((?:HL)?\d{1,9})(?:/|\Z)", re.IGNORECASE)
_NUMBER = r"((?:HL\s?)?\d{1,9})\b"
_UIN = re.compile(rf"\bUIN:?\s*{_NUMBER}", re.IGNORECASE)
_UINS = re.compile(rf"\bUINs:?\s*{_NUMBER}", re.IGNORECASE)
_ONE_MORE = re.compile(rf"(?:,|,?\s+and\s|\s*&)\s*{_NUMBER}(?!\s+(?:of\s+)?[A-Z][a-z]|[-/]\d)")
_TH = r"(?:st|nd|rd|th)?"
_DATE = re.compile(
    rf"\b(?:\d{{1,2}}{_TH}\s+(?:of\s+)?[A-Z][A-Za-z]{{2,}}\.?,?\s+\d{{4}}"
    rf"|(?P<month>[A-Z][a-z]{{2,}})\.?\s+(?P<day>\d{{1,2}}){_TH},?\s+(?P<year>\d{{4}})"
    r"|(?P<iso>\d{4}-\d\d-\d\d)|(?P<slashed>\d{1,2}/\d{1,2}/\d{4}))\b"
)
_ANSWERED = re.compile(
    r"\banswer\w*,?\s+(?:given\s+)?(?:on\s+|of\s+)?(?:the\s+)?(?:\w+day,?\s+)?\Z", re.IGNORECASE
)
_NEW_SENTENCE = re.compile(r"[.!?]\s+[A-Z]")
_NEAR = 120
_LINK = "\ue000"


def keys_in(html: str) -> tuple[str, ...]:
    """KEYs of the questions that sanitised HTML speaks of, each once, in its order. What no key follows from is left out.

    Links to Parallel Parliament and bare UINs tell no date: the nearest one in the same paragraph is taken, as the day of tabling
    unless an answer is spoken of right before it.
    """
    return tuple(dict.fromkeys(key for block in _BLOCK_END.split(html) for key in _keys_in_block(block)))


def _keys_in_block(block: str) -> Iterator[str]:
    if "<a " not in block and "UIN" not in block.upper():
        return
    hrefs = [unescape(href) for href in _HREF.findall(block)]
    text = clean_html(_HREF.sub(_LINK, block.replace(_LINK, "")))[
        0
    ]  # links become marks, to find the words beside them
    keys = [key_of_address(href) for href in hrefs]
    yield from (key for key in keys if key)
    linked = {key.rpartition("/")[2] for key in keys if key}
    for href, mark in zip(hrefs, re.finditer(_LINK, text), strict=False):
        uin = _uin_of_parallel(href)
        if uin and uin not in linked and (key := _key_near(text, uin, mark.end(), mark.end())):
            yield key
    for uin, start, end in _uins_in(text):
        if uin not in linked and (key := _key_near(text, uin, start, end)):
            yield key


def _uins_in(text: str) -> Iterator[tuple[str, int, int]]:
    """The numbers of a text, and where what names them begins and ends: of "UINs 1, 2 and 3" each has all three beside it."""
    for match in _UIN.finditer(text):
        yield _upper(match[1]), match.start(), match.end()
    for match in _UINS.finditer(text):
        numbers, end = [match[1]], match.end()
        while more := _ONE_MORE.match(text, end):
            numbers, end = [*numbers, more[1]], more.end()
        yield from ((_upper(number), match.start(), end) for number in numbers)


def _upper(number: str) -> str:
    return number.replace(" ", "").upper()


def _uin_of_parallel(href: str) -> str | None:
    try:
        parts = urlsplit(href)
    except ValueError:
        return None
    if (parts.hostname or "").removeprefix("www.") != "parallelparliament.co.uk":
        return None
    match = _PARALLEL.search(parts.path)
    return match[1].upper() if match else None


def _key_near(text: str, uin: str, start: int, end: int) -> str | None:
    """The key by the nearest date after it, else before it, in its sentence; null where none is near or it is no date."""
    window = (max(0, start - _NEAR), min(len(text), end + _NEAR))
    dates = [
        said
        for said in _DATE.finditer(text, *window)
        if not _NEW_SENTENCE.search(_between(text, said, start, end))
    ]
    if not dates:
        return None
    nearest = min(dates, key=lambda said: (said.start() < end, len(_between(text, said, start, end))))
    try:
        day = _day(nearest)
    except UnreadableError:
        return None
    house = house_of_uin(uin)
    if _ANSWERED.search(text[: nearest.start()]):
        return f"{house.value.lower()}/answered-{day}/{uin}"
    return key_of(house, day, uin)


def _day(said: re.Match[str]) -> date:
    """Raises UnreadableError for what is no date."""
    if said["iso"]:
        return iso_date(said["iso"])
    if said["slashed"]:
        day, month, year = map(int, said["slashed"].split("/"))
        return plausible_date(year, month, day)
    return spoken_date(f"{said['day']} {said['month']} {said['year']}" if said["month"] else said[0])


def _between(text: str, said: re.Match[str], start: int, end: int) -> str:
    return text[end : said.start()] if said.start() >= end else text[said.end() : start]
