"""The page of an article, found by the words that stand around its text. Pure.

The order is known of one blog: tagline, title, sub-title, "Share This Post", text, "Share This Post", "Related posts", comments,
newsletter. Where none of these words stands, the page's `article` or `main` is the text.
"""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag

from scraper.clean import clean_html, clean_text, iso_date
from scraper.feed_item import Item, host_of, item_of_address, observe
from scraper.pages import missing, soup
from scraper.source import Page, Parsed

_SHARE = re.compile(
    r"^\s*Share (?:this )?(?:post|article|page|entry)\b.{0,40}$|^\s*Share this:?\s*$", re.IGNORECASE
)
_AFTER = re.compile(
    r"^\s*(?:Related (?:posts|articles)|Leave a (?:Reply|Comment)|Get every blog post by email|Your email address will not be published"
    r"|Keep up-to-date with)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
_CHROME = ("nav", "footer", "aside", "form", "button", "script", "style", "noscript")
_SHARE_MARK, _AFTER_MARK, _TITLE_MARK = "\ue000", "\ue001", "\ue002"
_MARKS = re.compile("[\ue000-\ue002]")
_APPEARED = re.compile(r"<p>\s*The post .{0,600}? appeared first on .{0,300}?</p>\s*\Z", re.DOTALL)
_SUBTITLE = 400
"""Characters between title and first "Share This Post" that are a sub-title; more is the text itself."""


def parse_article(source: str, page: Page) -> Parsed:
    """The whole observation of an item from its article's page. Raises UnreadableError for a page that is no article."""
    found = soup(page)
    title = _title(found)
    item = item_of_address(page.url) or _item_of_page(page, found, title)
    if title is None or item is None:
        return missing(source, page, "the article's title")
    _complete_links(found, item.link)
    fragment = _text_html(found, title)
    text, html = clean_html(fragment) if fragment else ("", "")
    if not text:
        return missing(source, page, '"Share This Post", an article or a main element with the text')
    return Parsed(observations=(observe(source, page, item, text, html, whole=True),))


def without_boilerplate(html: str) -> str:
    """Sanitised HTML of an item without "The post … appeared first on …"."""
    return _APPEARED.sub("", html)


def _title(found: BeautifulSoup) -> Tag | None:
    """The h1 whose words the page's title has too, else the last one."""
    headings = [each for each in found.find_all("h1") if clean_text(each.get_text(" "))]
    named = clean_text(found.title.get_text() if found.title else "")
    return next(
        (each for each in headings if clean_text(each.get_text(" ")) in named),
        headings[-1] if headings else None,
    )


def _item_of_page(page: Page, found: BeautifulSoup, title: Tag | None) -> Item | None:
    """What the page itself tells, for pages that a person saved: its short link is the guid of its feed."""
    if title is None:
        return None
    link = _attribute(found, "link", "rel", "canonical", "href") or page.url
    published = _attribute(found, "meta", "property", "article:published_time", "content")
    return Item(
        host=host_of(link),
        guid=_attribute(found, "link", "rel", "shortlink", "href") or link,
        link=link,
        title=clean_text(title.get_text(" ")),
        author=_attribute(found, "meta", "name", "author", "content"),
        published_on=iso_date(published[:10]) if published else None,
    )


def _attribute(found: BeautifulSoup, tag: str, name: str, value: str, wanted: str) -> str | None:
    element = found.find(tag, attrs={name: value})
    text = element.get(wanted) if isinstance(element, Tag) else None
    return str(text).strip() or None if text else None


def _complete_links(found: BeautifulSoup, base: str) -> None:
    """As feedparser does, so that feed and page give the same."""
    for link in found.find_all("a", href=True):
        with suppress(ValueError):
            link["href"] = urljoin(base, str(link["href"]))


def _text_html(found: BeautifulSoup, title: Tag) -> str:
    for string in found.find_all(string=_MARKS):
        string.replace_with(_MARKS.sub("", str(string)))
    for tag in found.find_all(_CHROME):
        if not tag.decomposed:
            tag.decompose()
    for pattern, mark in ((_SHARE, _SHARE_MARK), (_AFTER, _AFTER_MARK)):
        for string in found.find_all(string=pattern):
            string.replace_with(mark)
    title.insert_after(_TITLE_MARK)
    _, _, rest = str(found.body or found).partition(_TITLE_MARK)
    marks = list(_MARKS.finditer(rest))
    if not marks:
        return _element_html(found, title)
    before = rest[: marks[0].start()]
    if marks[0][0] == _AFTER_MARK or len(clean_html(before)[0]) > _SUBTITLE:
        return before
    return rest[marks[0].end() : marks[1].start() if len(marks) > 1 else len(rest)]


def _element_html(found: BeautifulSoup, title: Tag) -> str:
    """The page's article or main element, without its title."""
    element = found.find("article") or found.find("main")
    if not isinstance(element, Tag):
        return ""
    if any(parent is element for parent in title.parents):
        title.decompose()
    return _MARKS.sub("", str(element))
