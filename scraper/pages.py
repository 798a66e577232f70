"""Finding one's way in an HTML page: what several sources share. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from bs4 import BeautifulSoup
from bs4.filter import SoupStrainer
from lxml import etree

from scraper.clean import clean_text, decode, parse_html
from scraper.source import Page, Parsed, UnreadableError
from storage.records import Problem

LARGEST_SOUP = 4_000_000
"""Bytes of a page that is still made into a soup, which takes some forty times that in memory."""

_BY_CLASS = etree.XPath(
    "descendant-or-self::*[@class][contains(concat(' ', normalize-space(@class), ' '), concat(' ', $name, ' '))]"
)

_WITH_CLASS = etree.XPath("descendant::*[@class]")


def tree(page: Page) -> etree._Element:
    """The page as a tree. Raises UnreadableError where it is nested too deeply."""
    return parse_html(decode(page.body))


def soup(page: Page, **only: object) -> BeautifulSoup:
    """The page as a soup, of the elements that match `only` (as of SoupStrainer).

    Raises UnreadableError for a huge page, and for one that is nested so deeply that the soup would lack its rest.
    """
    if len(page.body) > LARGEST_SOUP:
        raise UnreadableError(f"{page.url}: {len(page.body)} bytes are too many for such a page")
    strainer = SoupStrainer(**only) if only else None  # type: ignore[arg-type]  # passed on as they are
    text = decode(page.body)
    parse_html(text)
    return BeautifulSoup(text, "lxml", parse_only=strainer, huge_tree=True)


def by_class(element: etree._Element, name: str) -> list[etree._Element]:
    found: list[etree._Element] = _BY_CLASS(element, name=name)
    return found


def with_class(element: etree._Element) -> list[etree._Element]:
    """What the element holds that has any class, in the order of the page."""
    found: list[etree._Element] = _WITH_CLASS(element)
    return found


def first(element: etree._Element, name: str) -> etree._Element | None:
    """The first element with that class, or null."""
    return next(iter(by_class(element, name)), None)


def text_of(element: etree._Element | None) -> str:
    """The element's text on one line; empty for null."""
    return "" if element is None else clean_text("".join(element.itertext()))


def query_of(url: str) -> Mapping[str, str]:
    """The parameters of an address; empty where it is none."""
    try:
        return dict(parse_qsl(urlsplit(url).query))
    except ValueError:
        return {}


def trouble(source: str, kind: str, page: Page, message: str) -> Problem:
    return Problem(source=source, kind=kind, url=page.url, message=message, page=page.ref)


def missing(source: str, page: Page, *anchors: str) -> Parsed:
    """What a page shows that lacks what such a page always had."""
    return Parsed(
        problems=(trouble(source, "missing-anchor", page, f"not found on the page: {', '.join(anchors)}"),)
    )


_HOLDING = re.compile(
    r"not be possible to (?:answer|respond to) .{0,60}\bwithin the usual time", re.IGNORECASE
)


def is_holding(answer: str) -> bool:
    """Whether an answer is a holding one, by its stock sentence: for sources that do not say."""
    return len(answer) < 500 and _HOLDING.search(answer) is not None
