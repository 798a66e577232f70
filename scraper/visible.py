"""A page as its reader sees it: lines of text, whatever the mark-up. Pure.

Tables that lay out the page are taken apart, tables of data keep a row on a line with tabs. Portraits count by their alternative
text. `LINK` and `END` mark, on lines of their own, where a wanted link begins and where the wanted part ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from scraper.clean import clean_html, clean_text
from scraper.pages import soup
from scraper.source import Page

LINK = "\ue000"
END = "\ue001"
_MARKS = re.compile("[\ue000\ue001]")
_CHROME = ("nav", "footer", "aside", "form", "button", "noscript")
_TABLE_TAGS = ("table", "thead", "tbody", "tfoot", "tr", "td", "th")


def visible_lines(page: Page, anchors: Sequence[str], *, links: str | None = None) -> list[str]:
    """Lines without blank ones. `anchors` are words of the wanted part in their order, of which the first and the last stand nowhere
    else; `links` a pattern of addresses that are told on a line of their own, after LINK, before the text they lead from."""
    found = soup(page)
    sure = re.compile(f"{re.escape(anchors[0])}|{re.escape(anchors[-1])}")
    _drop_chrome(found, sure)
    _take_layout_apart(found, sure)
    _show_portraits(found)
    for link in found.find_all("a", href=re.compile(links)) if links else ():
        _mark(found, link, LINK + _MARKS.sub("", str(link["href"])))
    _mark_end(found, anchors)
    text, _ = clean_html(str(found.body or found))
    return [line for line in text.split("\n") if line]


def address_of_link(page: Page, words: str) -> str | None:
    """Where the first link leads whose text has these words; null where there is none."""
    pattern = re.compile(r"\s+".join(map(re.escape, words.split())), re.IGNORECASE)
    for link in soup(page).find_all("a", href=True):
        if pattern.search(clean_text(link.get_text(" "))):
            return str(link["href"])
    return None


def _drop_chrome(found: BeautifulSoup, words: re.Pattern[str]) -> None:
    for mark in found.find_all(string=_MARKS):
        mark.replace_with(NavigableString(_MARKS.sub("", str(mark))))
    for tag in found.find_all(_CHROME):
        if not tag.decomposed and not words.search(tag.get_text(" ")):
            tag.decompose()


def _take_layout_apart(found: BeautifulSoup, words: re.Pattern[str]) -> None:
    layouts = {id(table) for table in found.find_all("table") if words.search(table.get_text(" "))}
    if not layouts:
        return
    parts = [
        (tag, tag if tag.name == "table" else tag.find_parent("table")) for tag in found.find_all(_TABLE_TAGS)
    ]
    for tag, table in parts:
        if table is not None and id(table) in layouts:
            tag.name = "div"


def _show_portraits(found: BeautifulSoup) -> None:
    for image in found.find_all("img", alt=re.compile(r"\bPortrait\s*$")):
        shown = found.new_tag("div")
        shown.string = _MARKS.sub("", str(image["alt"]))
        image.replace_with(shown)


def _mark(found: BeautifulSoup, before: Tag, text: str) -> None:
    mark = found.new_tag("div")
    mark.string = text
    before.insert_before(mark)


def _mark_end(found: BeautifulSoup, anchors: Sequence[str]) -> None:
    """The end of the smallest element that holds the anchors, and something after the last of them."""
    strings = _strings_with(found, anchors)
    if not strings:
        return
    paths = [list(string.parents)[::-1] for string in strings]
    shared = [level[0] for level in zip(*paths, strict=False) if all(each is level[0] for each in level)]
    while len(shared) > 1 and not _has_text_after(shared[-1], strings[-1]):
        shared.pop()
    if shared and shared[-1].name not in ("[document]", "html", "body"):
        mark = found.new_tag("div")
        mark.string = END
        shared[-1].insert_after(mark)


def _strings_with(found: BeautifulSoup, anchors: Sequence[str]) -> list[NavigableString]:
    """The first string with each anchor after the one before; none where one is missing."""
    strings: list[NavigableString] = []
    wanted = list(anchors)
    for string in found.find_all(string=True):
        while wanted and wanted[0] in " ".join(string.split()):
            strings.append(string)
            wanted.pop(0)
    return [] if wanted else strings


def _has_text_after(element: Tag, string: NavigableString) -> bool:
    following = string.next_element
    while following is not None and any(parent is element for parent in following.parents):
        if isinstance(following, NavigableString) and following.strip():
            return True
        following = following.next_element
    return False
