"""One answer page of TheyWorkForYou: each question of the group with its own asker, and the one answer. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from lxml import etree

from scraper.addresses import escape_spaces
from scraper.clean import clean_tree, iso_date, spoken_date
from scraper.gid import Gid, parse_gid
from scraper.pages import by_class, first, is_holding, missing, query_of, text_of, tree, trouble
from scraper.source import Page, Parsed, UnreadableError
from scraper.twfy_speech import Speech, sides
from storage.records import Attachment, Body, Content, House, Member, Observation

_DEPARTMENT = re.compile(r"(?P<body>.*?)\s*(?:[–-]\s*Scottish Parliament\s+)?\bwritten question\b")
_ON_IN_WELSH = re.compile(r"\banswered\s+(?:am\s+)?ar\s+\d")
_VOTES = re.compile(r"(\d+) (?:person thinks|people think) (so|not)")
_OFFICIAL = re.compile(r"/written-questions/detail/(\d{4}-\d{2}-\d{2})/(\w+)")
_FILE = re.compile(r"\([^()]*\d[^()]*[KMG]?B\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    html: str
    member: Member | None
    attachments: tuple[Attachment, ...]
    files: str  # the attachments in the page's own words, with their kind and size
    given_on: date


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the page shows once for all its questions."""

    heading: str
    body: str | None
    answer: _Answer | None
    url: str
    prefix: str  # of source ids: "cy/" for Welsh pages
    extras: dict[str, str | int] = field(default_factory=dict)


def parse_answer(source: str, page: Page, gid: Gid) -> Parsed:
    """An observation for each question. One that cannot be read is a problem; the others of the group stand."""
    root = tree(page)
    header = first(root, "debate-header")
    heading = None if header is None else next(header.iter("h1"), None)
    lead = None if header is None else first(header, "lead")
    welsh, votes = _is_welsh(root), _votes(root)
    questions, replies = sides(root)
    if heading is None or lead is None or not text_of(heading) or not questions:
        return missing(source, page, "heading, lead line or question")
    department = _DEPARTMENT.search(text_of(lead))
    if department is None:
        return missing(source, page, "'written question' in the lead line")
    shown = _Shown(
        heading=text_of(heading),
        body=_body(department["body"]),
        answer=_answer(replies, lead),
        url=_canonical(page.url, gid, welsh),
        prefix="cy/" if welsh else "",
        extras={"language": "cy" if welsh else "en", **votes},
    )
    return _observe(source, page, gid, shown, questions)


def _observe(source: str, page: Page, gid: Gid, shown: _Shown, questions: list[Speech]) -> Parsed:
    observations, problems = [], []
    first_said: dict[str, Content] = {}
    for question in questions:
        try:
            seen = _question(source, page, gid, shown, question, question is questions[0])
            if first_said.setdefault(seen.key, seen.content) != seen.content:
                raise UnreadableError(
                    f"{question.anchor}: a second question, with another text, is {seen.key} too"
                )
            observations.append(seen)
        except UnreadableError as error:
            problems.append(str(error))
    keys = sorted({each.key for each in observations})
    if not problems:
        observations = [_grouped(each, keys) for each in observations]
        return Parsed(observations=tuple(observations))
    return Parsed(
        observations=tuple(observations),
        problems=(trouble(source, "unreadable-row", page, "; ".join(problems[:3])),),
        refused=len(problems),
    )


def _grouped(observation: Observation, keys: list[str]) -> Observation:
    others = tuple(key for key in keys if key != observation.key)
    content = replace(observation.content, grouped_with=others)
    return replace(observation, content=content, seen=observation.seen | {"grouped_with"})


def _question(
    source: str, page: Page, gid: Gid, shown: _Shown, speech: Speech, first_one: bool
) -> Observation:
    own = _own_gid(gid, speech)
    uin = speech.uin or (None if own.tail or own.old else own.number)
    if own.tabled_on and uin != own.number:
        raise UnreadableError(
            f"{speech.anchor}: the number {uin} of the text is not that of the gid {own.text}"
        )
    house = House.SCOTLAND if own.scottish else _house(uin, speech)
    if own.old and shown.answer and own.day != shown.answer.given_on:
        own = replace(own, day=shown.answer.given_on)
    if own.tabled_on and shown.answer and own.tabled_on > shown.answer.given_on:
        raise UnreadableError(
            f"{speech.anchor}: tabled on {own.tabled_on}, answered on {shown.answer.given_on}"
        )
    text = clean_tree(speech.content)[0]
    if not text:
        raise UnreadableError(f"{speech.anchor}: the question has no text")
    content, seen = _content(shown, own, house, uin, speech.member, text)
    extras = shown.extras | {
        name: value
        for name, value in (
            ("citation", speech.citation),
            ("official_url", speech.official_url),
            ("attachments", shown.answer and shown.answer.files),
        )
        if value
    }
    return Observation(
        source=source,
        source_id=shown.prefix + (gid if own.tail and first_one else own).source_id,
        url=shown.url,
        key=own.key(house, uin),
        observed_at=page.fetched_at,
        content=content,
        seen=seen,
        page=page.ref,
        extras=extras,
    )


def _content(
    shown: _Shown, own: Gid, house: House, uin: str | None, asker: Member | None, text: str
) -> tuple[Content, frozenset[str]]:
    fields: dict[str, object] = {"house": house, "heading": shown.heading, "question_text": text}
    known = {
        "uin": uin,
        "tabled_on": own.tabled_on,
        "asking_member": asker,
        "answering_body": Body(shown.body) if shown.body else None,
    }
    fields |= {name: value for name, value in known.items() if value is not None}
    answer = shown.answer
    if answer is not None:
        day = "holding_on" if is_holding(answer.text) else "answered_on"
        fields |= {"answer_text": answer.text, "answer_html": answer.html, "attachments": answer.attachments}
        fields |= {day: answer.given_on, "answering_member": answer.member}
    seen = {*fields, "answered_on"} if answer is not None else {*fields}
    return Content(**fields), frozenset(seen)  # type: ignore[arg-type]  # names and types as in the lines above


def _own_gid(page_gid: Gid, speech: Speech) -> Gid:
    """The question's own: of its share link, else of its official address, else the page's date with its own number."""
    if speech.gid is not None:
        return parse_gid(speech.gid)
    official = _OFFICIAL.search(speech.official_url or "")
    if official is not None and page_gid.tabled_on is not None:
        return parse_gid(f"{official[1]}.{official[2]}.{speech.anchor.rpartition('.')[2]}")
    day, _, _ = page_gid.text.partition(".")
    return parse_gid(f"{day}.{speech.anchor}")


def _house(uin: str | None, speech: Speech) -> House:
    if uin and uin.startswith("HL"):
        return House.LORDS
    if speech.house is not None:
        return speech.house
    if uin:
        return House.COMMONS
    raise UnreadableError(f"{speech.anchor}: neither number, citation nor asker tells the House")


def _answer(replies: list[Speech], lead: etree._Element) -> _Answer | None:
    if not replies:
        return None
    taken = [each for reply in replies for each in _take_attachments(reply.content)]
    text, html = clean_tree(*(reply.content for reply in replies))
    files = "; ".join(said for _, said in taken)
    return _Answer(text, html, replies[0].member, tuple(each for each, _ in taken), files, _given_on(lead))


def _given_on(lead: etree._Element) -> date:
    """The date answered: ISO in the link, which no language changes; in words on pages without the link."""
    for link in lead.iter("a"):
        if day := query_of(link.get("href") or "").get("d"):
            return iso_date(day)
    return spoken_date(text_of(lead))


def _take_attachments(content: etree._Element) -> list[tuple[Attachment, str]]:
    """Removes the last paragraphs that hold nothing but a link to a file with its type and size, and tells the files
    and what the paragraphs said."""
    taken: list[tuple[Attachment, str]] = []
    for paragraph in reversed([each for each in content if text_of(each)]):
        link = next(paragraph.iter("a"), None) if paragraph.tag == "p" else None
        href = "" if link is None else link.get("href") or ""
        rest = text_of(paragraph).removeprefix(text_of(link)).strip()
        if link is None or "qna" not in (urlsplit(href).hostname or href) or not _FILE.fullmatch(rest):
            break
        kind = PurePosixPath(unquote(urlsplit(href).path)).suffix.removeprefix(".").lower()
        file = Attachment(text_of(link), escape_spaces(href), kind or None)
        taken.append((file, text_of(paragraph)))
        content.remove(paragraph)
    return taken[::-1]


def _body(text: str) -> str | None:
    """The department; null where there is none, as in Lords pages before 2015, which say "House of Lords"."""
    text = text.strip(" –-")
    return None if text in ("", "House of Lords", "Scottish Parliament") else text


def _is_welsh(root: etree._Element) -> bool:
    sources = (text_of(each) for each in by_class(root, "link-to-hansard"))
    if text_of(first(root, "cta")).startswith("Danfonwch") or any(
        text.startswith("Ffynhonnell") for text in sources
    ):
        return True
    return any(_ON_IN_WELSH.search(text_of(each)) for each in by_class(root, "lead"))


def _votes(root: etree._Element) -> dict[str, str | int]:
    """The "does this answer" votes."""
    found = (
        _VOTES.fullmatch(text_of(each)) for each in by_class(root, "question-answered-result__vote-text")
    )
    return {f"votes_{'yes' if match[2] == 'so' else 'no'}": int(match[1]) for match in found if match}


def _canonical(url: str, gid: Gid, welsh: bool) -> str:
    """The page's address without search term and fragment; a Welsh page's on the Welsh host."""
    parts = urlsplit(url)
    host = parts.netloc
    if welsh and host.startswith("www."):
        host = "cy." + host.removeprefix("www.")
    return f"{parts.scheme}://{host}{parts.path}?id={gid.text}"
