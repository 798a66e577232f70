"""One speech of a TheyWorkForYou page: who spoke, for which question, and the element with the words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from scraper.pages import by_class, first, query_of, text_of, with_class
from scraper.parties import split_position
from storage.records import House, Member

_CITATION = re.compile(r"\(Citation: (?P<text>(?P<house>H[CL]) Deb.*?)\)")
_PERSON_PAGES = {"/mp/": House.COMMONS, "/peer/": House.LORDS, "/lord/": House.LORDS}


@dataclass(frozen=True, slots=True)
class Speech:
    anchor: str  # such as "990400.q0" or "115.1"
    member: Member | None
    content: etree._Element
    uin: str | None  # from @qnum
    house: House | None
    citation: str | None
    official_url: str | None
    gid: str | None  # its own, from its share link

    @property
    def part(self) -> str:
        """q, r, or nothing in old Lords pages."""
        match = re.search(r"\.([qr])\d+$", self.anchor)
        return match[1] if match else ""


def sides(root: etree._Element) -> tuple[list[Speech], list[Speech]]:
    """Questions and replies of a page."""
    speeches = [each for each in map(_speech, by_class(root, "debate-speech")) if each is not None]
    return _sides(speeches)


def _speech(element: etree._Element) -> Speech | None:
    anchor = (element.get("id") or "").removeprefix("g")
    content = first(element, "debate-speech__content")
    if not anchor or content is None:
        return None
    source_line = first(element, "link-to-hansard")
    citation = _CITATION.search(text_of(source_line))
    number = next((p.get("qnum") for p in content.iter("p") if p.get("qnum")), None)
    link = None if source_line is None else next(source_line.iter("a"), None)
    speech = Speech(
        anchor=anchor,
        member=_member(element),
        content=content,
        uin=number.strip().upper() if number else None,
        house=_house_shown(citation, element),
        citation=citation["text"] if citation else None,
        official_url=None if link is None else link.get("href"),
        gid=_shared_gid(element, anchor),
    )
    _cut_what_follows(content)
    return speech


_FOLLOWING = frozenset({
    "debate-speech__question-answered", "debate-speech__meta", "debate-speech", "debate-comments", "debate-navigation",
    "js-glossary-overlay", "js-glossary-drawer", "mysoc-footer",
})  # fmt: skip


def _cut_what_follows(content: etree._Element) -> None:
    """Takes out the rest of the page, which stands inside the words where the words' own mark-up was left open."""
    end = next((each for each in with_class(content) if _FOLLOWING & {*each.get("class", "").split()}), None)
    if end is None:
        return
    node = end
    while node is not content and (parent := node.getparent()) is not None:
        for later in list(node.itersiblings()):
            parent.remove(later)
        node.tail = None
        if node is end:
            parent.remove(node)
        node = parent


def _house_shown(citation: re.Match[str] | None, speech: etree._Element) -> House | None:
    if citation is not None:
        return House.COMMONS if citation["house"] == "HC" else House.LORDS
    speaker = first(speech, "debate-speech__speaker")
    links = [] if speaker is None else [a.get("href") or "" for a in speaker.iter("a")]
    return next((house for path, house in _PERSON_PAGES.items() if any(path in href for href in links)), None)


def _shared_gid(speech: etree._Element, anchor: str) -> str | None:
    """The gid of the "Share" link, where it is of this very speech."""
    for link in speech.iter("a"):
        shared = query_of(link.get("data-url") or "").get("id", "")
        if shared.endswith(f".{anchor}"):
            return shared
    return None


def _sides(speeches: list[Speech]) -> tuple[list[Speech], list[Speech]]:
    """Questions and replies. Old Lords anchors do not tell: there the numbered ones are questions, and the last one is the reply."""
    if any(each.part for each in speeches):
        return [each for each in speeches if each.part == "q"], [
            each for each in speeches if each.part == "r"
        ]
    count = (
        max((number for number, each in enumerate(speeches, 1) if each.uin), default=len(speeches) - 1) or 1
    )
    return speeches[:count], speeches[count:]


def _member(speech: etree._Element) -> Member | None:
    name = text_of(first(speech, "debate-speech__speaker__name"))
    if not name:
        return None
    party, member_for, position = split_position(text_of(first(speech, "debate-speech__speaker__position")))
    return Member(name=name, party=party, member_for=member_for, position=position)
