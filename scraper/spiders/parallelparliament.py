"""Parallel Parliament: question pages and department lists.

Its tags and classes are not known and behind a bot challenge, so the parts are found by the words that stand around them, whatever
the mark-up. The minister's position there is today's, not that of the day of the answer, and is not read.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import blake2b
from urllib.parse import urljoin, urlsplit

from scraper.addresses import house_of_uin
from scraper.clean import iso_date, spoken_date
from scraper.details import Details
from scraper.fetch import FetchError
from scraper.pages import missing, trouble
from scraper.parallel_question import canonical, parse_question, source_id
from scraper.responses import require_readable, require_whole
from scraper.run import Run, Span, is_gone
from scraper.source import Page, Parsed, SourceSetting, UnreadableError
from scraper.spider import SourceSpider
from scraper.visible import END, LINK, visible_lines
from storage.records import Problem, Row
from storage.windows import WindowNote

NAME = "parallelparliament"
SETTINGS = (
    SourceSetting("parallelparliament_url", "https://www.parallelparliament.co.uk", "Parallel Parliament"),
)

_QUESTION = r"/question/((?:HL)?\d{1,9})(?=[/?#]|$)"
_LIST = re.compile(r"/(?:writtenanswers|written-questions|writtenquestions|search)/?\Z", re.IGNORECASE)
_DEPARTMENT = re.compile(r"/dept/([\w-]{2,80})/writtenanswers\Z", re.IGNORECASE)
_DEPARTMENT_LINK = re.compile(
    rb"href=[\"']?(?:https?://(?:www\.)?parallelparliament\.co\.uk)?(/dept/[\w-]{2,80})(?=[/\"'?#\s>])",
    re.IGNORECASE,
)
_ITEM = "Written Question"
_NOTHING = re.compile(
    rb"\bno (?:results|written (?:questions|answers))\b[^<]{0,60}", re.IGNORECASE
)  # a guess: such words
_LABEL = re.compile(rf"{_ITEM}\b[\s:|–-]*")
_DAY = re.compile(r"\b\w+day,? \d{1,2}(?:st|nd|rd|th)? \w+ \d{4}\b")


def parse(page: Page) -> Parsed:
    """The observation of a question page, or the rows and links of a list: its questions, and the lists of departments.

    A row's key is by the day of the answer, which is all that lists show. Raises UnreadableError for any other page, BlockedError for a
    challenge, which is reported and never evaded.
    """
    require_readable(page)
    require_whole(page)
    path = urlsplit(page.url).path
    if _LIST.search(path) or path.lower().endswith("/writtenanswers/search"):
        return _parse_list(page)
    return parse_question(NAME, page)


def _parse_list(page: Page) -> Parsed:
    lines = visible_lines(page, (_ITEM, "Asked by:"), links=_QUESTION)
    items = list(_items([line for line in lines if line != END]))
    elsewhere = [
        urljoin(page.url, f"{path.decode()}/writtenanswers") for path in _DEPARTMENT_LINK.findall(page.body)
    ]
    if not items and _NOTHING.search(page.body):
        return Parsed(links=tuple(dict.fromkeys(elsewhere)))
    if not items:
        return missing(NAME, page, repr(_ITEM))
    links: list[str] = []
    rows: dict[str, Row] = {}
    bad: list[str] = []
    for href, shown in items:
        url = canonical(urljoin(page.url, href)) if href else ""
        try:
            row = _row(url, shown)
        except UnreadableError as error:
            bad.append(str(error))
        else:
            rows[row.source_id] = row
        if url:
            links.append(url)
    problems = (trouble(NAME, "unreadable-row", page, "; ".join(bad[:3])),) if bad else ()
    return Parsed(
        links=tuple(dict.fromkeys([*links, *elsewhere])),
        rows=tuple(rows.values()),
        problems=problems,
        refused=len(bad),
    )


def _items(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Address and lines of each item. Its link begins before it, where the whole item is one, or within it.

    The label has a line of its own, or where none has, begins that of the title: an answer may begin with these words too.
    """
    labels = [(index, _LABEL.match(line)) for index, line in enumerate(lines)]
    starts = [index for index, label in labels if label and not lines[index][label.end() :]]
    if not starts:
        starts = [index for index, label in labels if label]
        lines = [
            _LABEL.sub("", line, count=1) if index in starts else line for index, line in enumerate(lines)
        ]
    marks = [index for index, line in enumerate(lines) if line.startswith(LINK)]
    outside = bool(starts and marks) and marks[0] < starts[0]
    for start, end in zip(starts, [*starts, len(lines)][1:], strict=True):
        near = [mark for mark in marks if (mark < start if outside else start < mark < end)]
        href = lines[near[-1] if outside else near[0]].removeprefix(LINK) if near else ""
        yield href, [line for line in lines[start:end] if not line.startswith(LINK) and line != _ITEM]


def _row(url: str, shown: list[str]) -> Row:
    """The day answered stands between the title, which may be missing, and the asker."""
    found = re.search(_QUESTION, url, re.IGNORECASE)
    if found is None:
        raise UnreadableError(f"an item has no link to its question: {' '.join(shown)[:80]!r}")
    days = _DAY.findall(" ".join(shown).partition("Asked by")[0])
    if not days:
        raise UnreadableError(f"the item of question {found[1]} shows no day: {' '.join(shown)[:80]!r}")
    answered_on, uin = spoken_date(days[-1]), found[1].upper()
    key = f"{house_of_uin(uin).value.lower()}/answered-{answered_on}/{uin}"
    digest = blake2b("\n".join(shown).encode(), digest_size=16).hexdigest()
    return Row(NAME, source_id(uin, answered_on), key, digest, url)


class ParallelParliamentSpider(SourceSpider):
    """The lists of all departments, newest first, and the questions that are new there."""

    async def crawl(self, run: Run) -> None:
        await self._departments(run, run.span or Span(run.today - _BACK, run.today), done=frozenset())

    async def backfill(self, run: Run, first: date, last: date, *, restart: bool = False) -> None:
        """No list can be asked for days: each is walked from its newest page back to `first`, and is done as a whole."""
        if restart:
            run.door.forget_windows(run.door.windows_done())
        span = Span(first, min(last, run.today))
        await self._departments(run, span, done=frozenset(run.door.windows_done()))

    async def _departments(self, run: Run, span: Span, *, done: frozenset[str]) -> None:
        """One after the other, because a challenge to the first is one to all. Those that the pages link to are added."""
        waiting, known = deque(_DEPARTMENTS), set(map(_folded, _DEPARTMENTS))
        there_before = run.door.windows_done()
        gone: list[tuple[str, FetchError]] = []
        run.expect(len(waiting))
        there = False
        while waiting:
            department = waiting.popleft()
            window = _window(run, department, span)
            if window in done:
                there = True
                continue
            try:
                walked = await self._walk(run, department, span)
            except FetchError as error:  # the site has no such list
                gone.append((_list_of(run, department), error))
                if window in there_before:
                    run.failed(*gone[-1], settled=True)
                continue
            there = True
            run.count_window(whole=walked.whole)
            if walked.whole and (run.job == "crawl" or span.last < run.today):
                run.door.window_done(WindowNote(window, None, walked.seen))
            new = [name for name in walked.departments if _folded(name) not in known]
            known.update(map(_folded, new))
            waiting.extend(new)
            run.expect(len(new))
        if gone and not there:
            run.failed(*gone[0])

    async def _walk(self, run: Run, department: str, span: Span) -> _Walked:
        """The pages of a list, back to the first day of the span; in a usual pass, to the first that shows nothing new.

        Raises FetchError where there is no such list.
        """
        walked, before = _Walked(), set[str]()
        for number in range(1, _PAGES + 1):
            address = _list_of(run, department, number)
            try:
                parsed = await run.read(address)
            except (FetchError, UnreadableError) as error:
                if not is_gone(error):
                    run.failed(address, error)
                    walked.whole = False
                elif number == 1:
                    raise
                return walked
            walked.departments += _departments_in(parsed)
            shown = {row.source_id for row in parsed.rows}
            if not shown - before:
                if shown:
                    self._repeats(run, address, department, walked)
                return walked
            before |= shown
            if await self._take(run, parsed, span, walked):
                return walked
            run.expect(1)
        return walked

    async def _take(self, run: Run, parsed: Parsed, span: Span, walked: _Walked) -> bool:
        """Whether no older page is needed."""
        days = [_answered_on(row) for row in parsed.rows]
        within = [row for row, day in zip(parsed.rows, days, strict=True) if span.first <= day <= span.last]
        run.seen += len(within)
        walked.seen += len(within)
        walked.oldest = min(days)
        expected = run.expected
        settled = await Details(run).settle(within)
        walked.whole = walked.whole and settled and not parsed.refused
        nothing_new = run.job == "crawl" and run.span is None and run.expected == expected
        return nothing_new or walked.oldest < span.first

    def _repeats(self, run: Run, address: str, department: str, walked: _Walked) -> None:
        said = f"the list of {department} shows no older page: what was answered before {walked.oldest} cannot be read from it"
        run.door.report([Problem(source=NAME, kind="no-older-pages", url=address, message=said)])
        walked.whole = False


@dataclass(slots=True)
class _Walked:
    """What the pages of a list came to."""

    whole: bool = True
    seen: int = 0
    oldest: date | None = None
    departments: list[str] = field(default_factory=list)  # that they link to


_BACK = timedelta(days=14)
_PAGES = 10_000  # of a list, at most
# The site's own names for them, as addresses. Of these only the first is known; one that it has not is passed over.
_DEPARTMENTS = (
    "home-office",
    "ministry-of-justice",
    "department-of-health-and-social-care",
    "foreign-commonwealth-development-office",
    "hm-treasury",
    "cabinet-office",
    "ministry-of-defence",
    "attorney-general",
    "department-for-education",
    "department-for-work-and-pensions",
    "department-for-transport",
    "department-for-environment-food-and-rural-affairs",
    "ministry-of-housing-communities-and-local-government",
    "department-for-business-and-trade",
    "department-for-energy-security-net-zero",
    "department-for-science-innovation-technology",
    "department-for-digital-culture-media-sport",
    "northern-ireland-office",
    "scotland-office",
    "wales-office",
    "women-and-equalities",
)


def _list_of(run: Run, department: str, number: int = 1) -> str:
    url = f"{run.setting('parallelparliament_url').rstrip('/')}/dept/{department}/writtenanswers"
    return url if number == 1 else f"{url}?page={number}"


def _departments_in(parsed: Parsed) -> list[str]:
    return [found[1] for link in parsed.links if (found := _DEPARTMENT.search(urlsplit(link).path))]


def _folded(department: str) -> str:
    """The site knows its departments as `home-office` and as `HomeOffice`."""
    return department.replace("-", "").lower()


def _window(run: Run, department: str, span: Span) -> str:
    return f"{department}:{span.first}..{span.last}" if run.job == "backfill" else department


def _answered_on(row: Row) -> date:
    """Lists are by the day of the answer, and so are the keys of their rows."""
    return iso_date(row.key.split("/")[1].removeprefix("answered-"))
