"""Pure helpers for text, dates and HTML, as `docs` and the outside shapes promise them.

Text is NFC, without control and zero-width characters, its white space single. Bytes of windows-1252 that strayed into
UTF-8, and the C1 characters that they become when read as Latin-1, are put right.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from html import escape
from zoneinfo import ZoneInfo

from lxml import etree

from scraper.addresses import safe_href
from scraper.markup import BLOCK, INLINE, Open, Writer
from scraper.source import UnreadableError

LONDON = ZoneInfo("Europe/London")


def _windows_1252(byte: int) -> str:
    return bytes([byte]).decode("cp1252", "ignore")


_STRAY_BYTES = {0xDC00 + byte: _windows_1252(byte) for byte in range(0x80, 0x100)}
"""Undecodable bytes, as "surrogateescape" leaves them, to what windows-1252 means by them."""

_ZERO_WIDTH = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f"
_UNWANTED = re.compile(f"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff{_ZERO_WIDTH}]")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c]")
_UNWANTED_ASCII = re.compile("[\x00-\x08\x0e-\x1f\x7f]")


def decode(body: bytes) -> str:
    """UTF-8, and windows-1252 for each byte that is none. Never fails; a byte order mark is dropped."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "surrogateescape").translate(_STRAY_BYTES)
    return text.removeprefix("\ufeff")


def _mended(match: re.Match[str]) -> str:
    code = ord(match[0])
    return _windows_1252(code) if 0x80 <= code <= 0x9F else ""


def tidy(text: str) -> str:
    """NFC without control and zero-width characters; white space stays, but for a line's end, which is a line feed."""
    text = _LINE_ENDS.sub("\n", text)
    if text.isascii():
        return _UNWANTED_ASCII.sub("", text) if _UNWANTED_ASCII.search(text) else text
    if _UNWANTED.search(text):
        text = _UNWANTED.sub(_mended, text)
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def clean_text(text: str) -> str:
    """One line of plain text: tidy, runs of white space one space, none at the ends."""
    return " ".join(tidy(text).split())


_PARSER_OPTIONS = {"encoding": "utf-8", "huge_tree": True, "remove_comments": True, "remove_pis": True}
# fmt: off
_UNSEEN = frozenset({
    "applet", "audio", "canvas", "embed", "head", "iframe", "math", "noembed", "noframes", "noscript",
    "object", "script", "select", "style", "svg", "template", "textarea", "title", "video",
})
# fmt: on

# fmt: off
_APART = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dir",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
    "h6", "header", "hgroup", "hr", "legend", "main", "menu", "nav", "option", "pre", "section",
    "summary", "tfoot",
})
# fmt: on


def parse_html(text: str) -> etree._Element:
    """The tree of a page or a fragment, its root `html`.

    Raises UnreadableError when it is nested so deeply (2,048) that the rest would be lost.
    """
    parser = etree.HTMLParser(**_PARSER_OPTIONS)
    try:
        root = etree.fromstring(_UNWANTED_ASCII.sub("", text).encode("utf-8", "ignore"), parser)
    except etree.ParserError:  # nothing but white space
        root = None
    except etree.XMLSyntaxError as error:
        raise UnreadableError(f"the HTML cannot be read: {error}") from error
    last = parser.error_log.last_error
    if last is not None and last.type_name == "ERR_RESOURCE_LIMIT":
        raise UnreadableError(f"the HTML cannot be read whole: {last.message.split(',')[0]}")
    return etree.Element("html") if root is None else root


def clean_html(fragment: str) -> tuple[str, str]:
    """Text and sanitised HTML of an answer; ("", "") for nothing.

    In the text a paragraph, list item, table row or br begins a new line, cells are parted by a tab, and inside a cell all is one
    line. The HTML has the tags of `markup`, hrefs of http, https and mailto, colspan and rowspan, and nothing else.
    Raises UnreadableError when it is nested too deeply to be read whole.
    """
    if "<" not in fragment and "&" not in fragment:
        line = clean_text(fragment)
        return line, f"<p>{escape(tidy(fragment), quote=False)}</p>" if line else ""
    return clean_tree(parse_html(fragment))


def clean_tree(*elements: etree._Element) -> tuple[str, str]:
    """As `clean_html`, of what the elements hold (not what follows them)."""
    writer = Writer()
    for element in elements:
        _write(element, writer)
        writer.boundary()
    text, html = writer.result()
    return text if text.isascii() else unicodedata.normalize("NFC", text), html


def _write(root: etree._Element, writer: Writer) -> None:
    """Walks without recursion: hostile pages are nested deeper than Python's stack."""
    if root.text:
        writer.text(tidy(root.text))
    todo: list[tuple[Iterator[etree._Element], etree._Element | None, Open | bool | None]]
    todo = [(iter(root), None, None)]
    while todo:
        children, parent, opened = todo[-1]
        for child in children:
            tag = child.tag
            if tag in _UNSEEN or not isinstance(tag, str):
                _tail(child, writer)
                continue
            now_open = _start(tag, child, writer)
            if child.text:
                writer.text(tidy(child.text))
            if len(child):
                todo.append((iter(child), child, now_open))
                break
            _end(tag, now_open, writer)
            _tail(child, writer)
        else:
            todo.pop()
            if parent is not None:
                _end(parent.tag, opened, writer)
                _tail(parent, writer)


def _tail(element: etree._Element, writer: Writer) -> None:
    if element.tail:
        writer.text(tidy(element.tail))


def _start(tag: str, element: etree._Element, writer: Writer) -> Open | bool | None:
    if tag == "p":
        return writer.start(tag)
    if tag in BLOCK:
        return writer.start(tag, _spans(element) if tag in ("td", "th") else "")
    if tag == "a":
        href = safe_href(element.get("href", ""))
        return href is not None and writer.start_inline("a", f' href="{escape(href)}"')
    if tag in INLINE:
        return writer.start_inline(tag)
    if tag == "br":
        writer.line_break()
    elif tag in _APART:
        writer.boundary()
    return None


def _end(tag: str, opened: Open | bool | None, writer: Writer) -> None:
    if isinstance(opened, Open):
        writer.end(opened)
    elif opened:
        writer.end_inline()
    elif tag in _APART:
        writer.boundary()


def _spans(element: etree._Element) -> str:
    spans = ((name, element.get(name, "").strip()) for name in ("colspan", "rowspan"))
    return "".join(
        f' {name}="{value}"'
        for name, value in spans
        if value.isascii() and value.isdigit() and len(value) <= 4
    )


def london_date(moment: datetime) -> date:
    """The calendar date in London at an aware moment."""
    return moment.astimezone(LONDON).date()


_MONTHS = tuple(
    (name, number)
    for names in (
        "january february march april may june july august september october november december",
        "ionawr chwefror mawrth ebrill mai mehefin gorffennaf awst medi hydref tachwedd rhagfyr",
    )
    for number, name in enumerate(names.split(), 1)
)
_SPOKEN = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?([A-Za-z]{3,})\.?,?\s+(\d{4})(?!\d)")


def spoken_date(text: str) -> date:
    """`21st June 2018`, ` 2 July 2018`, `2 Nov 2018`, `23 Mai 2024` anywhere in the text, months in English or Welsh.

    Raises UnreadableError for none (no year, an unknown month) or an impossible one (31 June).
    """
    match = _SPOKEN.search(text)
    month = match and next((number for name, number in _MONTHS if name.startswith(match[2].lower())), None)
    if match is None or month is None:
        raise UnreadableError(f"no date such as 21 June 2018 in {text[:80]!r}")
    return plausible_date(int(match[3]), month, int(match[1]))


def plausible_date(year: int, month: int, day: int) -> date:
    """A date between 1900 and 2100. Raises UnreadableError."""
    if not 1900 <= year <= 2100:
        raise UnreadableError(f"the year {year} is no year of a question")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise UnreadableError(f"{year:04}-{month:02}-{day:02} is no date") from error


_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def iso_date(text: str) -> date:
    """`2024-05-23`, nothing else. Raises UnreadableError."""
    match = _ISO_DATE.fullmatch(text)
    if match is None:
        raise UnreadableError(f"{text[:40]!r} is no date such as 2024-05-23")
    return plausible_date(int(match[1]), int(match[2]), int(match[3]))
