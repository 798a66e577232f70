"""One question page of Parallel Parliament, read by the words around its parts. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import groupby
from urllib.parse import urljoin, urlsplit

from scraper.addresses import house_of_uin
from scraper.clean import clean_text, spoken_date
from scraper.pages import is_holding, missing
from scraper.references import official_question
from scraper.source import Page, Parsed, UnreadableError
from scraper.visible import END, address_of_link, visible_lines
from storage.records import Body, Content, Member, Observation, key_of

# any mark-up may begin a new line between the words of an anchor and what it introduces
_ASKED = re.compile(r"\(\s*asked on\s+([^)]{0,60}?)\s*\)")
_TO = re.compile(r"Question to\s+(?:the\s+)?([^:\n]{2,120}?)\s*:[ \n]*")
_BY_LINE = re.compile(r"^Answered by\b[ :]*", re.MULTILINE)
_BY = re.compile(r"Answered by\b[ :]*")
_ON = re.compile(r"This question was answered on\s+([^\n]*?\b\d{4})\b\.?[ \n]*")
_SPLINES = re.compile(r"Reticulating Splines")
_ANCHORS = ("(asked on", "Question to", "Answered by", "This question was answered on")
_ADDRESS = re.compile(r"/question/(?P<uin>(?:HL)?\d{1,9})(?:/(?P<slug>[^/]*))?/?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Shown:
    heading: str  # empty where the page has none yet
    asked_on: date
    body: str
    question: str
    minister: str | None = None
    answered_on: date | None = None
    answer: str | None = None


def parse_question(source: str, page: Page) -> Parsed:
    """The one observation of a question page. An anchor that is not found is a problem."""
    lines = visible_lines(page, _ANCHORS)
    shown = _read("\n".join(lines))
    if isinstance(shown, str):
        return missing(source, page, shown)
    return Parsed(observations=(_observe(source, page, shown),))


def _read(text: str) -> _Shown | str:
    """What the page shows, or the anchor that is missing. Cells of the page's head count as lines, those of the answer do not."""
    on = _ON.search(text)
    head = text[: on.start()].replace("\t", "\n") if on else text.replace("\t", "\n")
    asked = _ASKED.search(head)
    to = _TO.search(head, asked.end()) if asked else None
    if asked is None or to is None:
        return "(asked on …)" if asked is None else "Question to …:"
    by = _BY_LINE.search(head, to.end()) or _BY.search(head, to.end())
    heading = _heading(head[: asked.start()])
    if by is None and on is None:
        return _read_unanswered(head, heading, asked, to)
    if by is None or on is None:
        return "Answered by" if by is None else "This question was answered on …"
    return _Shown(
        heading=heading,
        asked_on=spoken_date(asked[1]),
        body=clean_text(to[1]),
        question=_tidy(head[to.end() : by.start()]),
        minister=_minister(head[by.end() :]),
        answered_on=spoken_date(on[1]),
        answer=_tidy(_until_end(text[on.end() :])),
    )


def _read_unanswered(head: str, heading: str, asked: re.Match[str], to: re.Match[str]) -> _Shown | str:
    """A page without any word of an answer; only the loading text tells where its question ends."""
    end = _SPLINES.search(head, to.end())
    if end is None:
        return "Answered by …, This question was answered on …"
    return _Shown(heading, spoken_date(asked[1]), clean_text(to[1]), _tidy(head[to.end() : end.start()]))


def _heading(before: str) -> str:
    """The words before "(asked on", on its line or on the one above."""
    return next((line.strip(" -–") for line in reversed(before.split("\n")) if line.strip(" -–")), "")


def _until_end(text: str) -> str:
    ends = (text.find(END), *(match.start() for match in [_SPLINES.search(text)] if match))
    found = [end for end in ends if end >= 0]
    return text[: min(found)] if found else text


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace(END, "").split("\n") if line.strip())


def _minister(text: str) -> str:
    """The name below the portrait; what stands below the name is the position of today and is left out."""
    lines = [line.strip() for line in text.split("\n") if line.strip() and line.strip() != END]
    portraits = [line.removesuffix("Portrait").strip() for line in lines if line.endswith("Portrait")]
    return clean_text(next(iter(portraits), "") or next(iter(lines), ""))


def _observe(source: str, page: Page, shown: _Shown) -> Observation:
    tabled_on, uin = _identity(page, shown)
    if not _fits(shown.heading, urlsplit(page.url).path):
        raise UnreadableError(f"{page.url}: {shown.heading[:60]!r} is not the heading that the address tells")
    if not shown.question:
        raise UnreadableError(f"{page.url}: the question has no text")
    if shown.answered_on and shown.answered_on < tabled_on:
        raise UnreadableError(f"{page.url}: asked on {tabled_on}, answered on {shown.answered_on}")
    house = house_of_uin(uin)
    content, seen = _content(shown)
    content |= {"house": house, "uin": uin, "tabled_on": tabled_on}
    return Observation(
        source=source,
        source_id=source_id(uin, shown.answered_on),
        url=canonical(page.url),
        key=key_of(house, tabled_on, uin),
        observed_at=page.fetched_at,
        content=Content(**content),  # type: ignore[arg-type]  # names and types as in `_content`
        seen=frozenset({*content, *seen}),
        page=page.ref,
    )


def _fits(heading: str, path: str) -> bool:
    """Whether the heading has a word of the address, where the address has words: another line may stand there some day."""
    address = _ADDRESS.search(path)
    words = [
        set(re.findall(r"[a-z0-9]+", text.lower())) for text in (heading, (address and address["slug"]) or "")
    ]
    return not words[1] or bool(words[0] & words[1])


def _content(shown: _Shown) -> tuple[dict[str, object], set[str]]:
    content: dict[str, object] = {"answering_body": Body(shown.body), "question_text": shown.question}
    if shown.heading:
        content["heading"] = shown.heading
    if shown.answer is None:
        return content, set()
    day = "holding_on" if is_holding(shown.answer) else "answered_on"
    content |= {"answer_text": shown.answer, "answer_html": _as_html(shown.answer), day: shown.answered_on}
    if shown.minister:
        content["answering_member"] = Member(shown.minister)
    return content, {"answered_on"}


def _identity(page: Page, shown: _Shown) -> tuple[date, str]:
    """Date tabled and UIN: of the "View Source" link, else of the page's address and the date asked."""
    href = address_of_link(page, "View Source")
    official = official_question(urljoin(page.url, href)) if href else None
    address = _ADDRESS.search(urlsplit(page.url).path)
    if official is None and address is None:
        raise UnreadableError(f"{page.url}: neither the address nor the link to the source tells the UIN")
    if official is None:
        return shown.asked_on, address["uin"].upper()  # type: ignore[index]  # one of the two is there
    if (address and address["uin"].upper() != official[1]) or shown.asked_on != official[0]:
        raise UnreadableError(
            f"{page.url}: asked on {shown.asked_on}, but its source is question {official[1]} of {official[0]}"
        )
    return official


def source_id(uin: str, answered_on: date | None) -> str:
    """A UIN comes again in each session; with the day of the answer, which lists show too, it is one question."""
    return f"{uin.upper()}/{answered_on or 'open'}"


def canonical(url: str) -> str:
    """Both hosts, with and without www, show the same pages."""
    parts = urlsplit(url)
    host = "www." + parts.netloc if parts.netloc == "parallelparliament.co.uk" else parts.netloc
    return f"{parts.scheme}://{host}{parts.path}"


def _as_html(text: str) -> str:
    """The mark-up is not known, so that of the answer is made from its lines: paragraphs, and rows where there are cells."""
    html = []
    for tabular, lines in groupby(text.split("\n"), key=lambda line: "\t" in line):
        if tabular:
            rows = (
                f"<tr>{''.join(f'<td>{escape(cell, quote=False)}</td>' for cell in line.split(chr(9)))}</tr>"
                for line in lines
            )
            html.append(f"<table><tbody>{''.join(rows)}</tbody></table>")
        else:
            html.extend(f"<p>{escape(line, quote=False)}</p>" for line in lines)
    return "".join(html)
