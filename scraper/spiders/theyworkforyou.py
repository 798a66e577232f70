"""TheyWorkForYou, English and Welsh: year page → day pages → answer pages, of Westminster (`/wrans/`) and of the Scottish Parliament
(`/spwrans/`).

An answer page shows a question, or a group of them, and the one answer. Its gid's date is that of tabling; the date answered
stands in a link. Which language a page speaks is known from its words: `<html lang>` is always "en".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import blake2b
from itertools import product
from urllib.parse import urljoin, urlsplit

from scraper.clean import clean_text, decode, iso_date, london_date
from scraper.details import Details
from scraper.fetch import FetchError
from scraper.gid import Gid, parse_gid
from scraper.health import SILENT
from scraper.pages import missing, query_of, soup, trouble
from scraper.responses import require_readable, require_whole
from scraper.run import Run, in_turn
from scraper.source import Page, Parsed, SourceSetting, UnreadableError
from scraper.spider import SourceSpider
from scraper.twfy_answer import parse_answer
from storage.records import House, Problem, Row
from storage.windows import WindowNote

NAME = "theyworkforyou"
SETTINGS = (
    SourceSetting("theyworkforyou_url", "https://www.theyworkforyou.com", "English pages"),
    SourceSetting(
        "theyworkforyou_cy_url", "https://cy.theyworkforyou.com", "Welsh pages", only_with=("languages", "cy")
    ),
    SourceSetting(
        "theyworkforyou_sections",
        "wrans,spwrans",
        "written answers of Westminster (`wrans`) and of the Scottish Parliament (`spwrans`)",
        allowed=("wrans", "spwrans"),
    ),
    SourceSetting("languages", "en", "`en,cy` reads the Welsh pages too", allowed=("en", "cy")),
)

_SECTION = re.compile(r"/(?:sp)?wrans/?\Z")
_NOT_THERE = re.compile(rb"<p>\s*Sorry, there is no Hansard object")
_EMPTY_DAY = ("No data to display.", "Dim data i'w arddangos.")


def parse(page: Page) -> Parsed:
    """Days of a year page, answers of a day page (as links and rows), questions of an answer page.

    Department pages (`.mh`), the front page (which shows answers by chance), empty days and "not there" show nothing and are no
    problem. Raises UnreadableError for any other page, BlockedError for a challenge.
    """
    if page.status == 404:
        return Parsed()
    require_readable(page)
    require_whole(page)
    if not _SECTION.search(urlsplit(page.url).path):
        raise UnreadableError(f"{page.url} is no page of written answers")
    query = query_of(page.url)
    if "id" in query or "gid" in query:
        return _parse_id(page, query.get("id") or query["gid"])
    if "d" in query:
        return _parse_day(page, query["d"])
    if "y" in query:
        return _parse_year(page)
    return Parsed()


def _parse_id(page: Page, text: str) -> Parsed:
    gid = parse_gid(text)
    if gid.part == "mh" or _NOT_THERE.search(page.body):
        return Parsed()
    return parse_answer(NAME, page, gid)


def _parse_year(page: Page) -> Parsed:
    found = soup(page, class_=["calendar", "calendar-year"])
    if not found.contents and not any(words in decode(page.body) for words in _EMPTY_DAY):
        return missing(NAME, page, "the calendar")
    days = {urljoin(page.url, str(a["href"])) for a in found.find_all("a", href=re.compile(r"\?d=\d"))}
    return Parsed(links=tuple(sorted(days)))


def _parse_day(page: Page, text: str) -> Parsed:
    day = iso_date(text)
    found = soup(page, class_=["business-section__primary", "business-list"])
    titles = found.find_all("a", class_="business-list__title", href=True)
    if not titles and not any(words in found.get_text() for words in _EMPTY_DAY):
        return missing(NAME, page, "the list of answers", repr(_EMPTY_DAY[0]))
    links: list[str] = []
    rows: dict[str, Row] = {}
    bad: list[str] = []
    for title in titles:
        try:
            gid = parse_gid(query_of(str(title["href"])).get("id", ""))
        except UnreadableError as error:
            bad.append(str(error))
            continue
        if gid.part != "mh":
            url = urljoin(page.url, f"?id={gid.text}")  # without search term and fragment
            links.append(url)
            excerpt = title.find_next("p", class_="business-list__excerpt")
            row = _row(url, gid, day, title.get_text(), excerpt.get_text() if excerpt else "")
            rows |= {row.source_id: row} if row else {}
    problems = (trouble(NAME, "unreadable-row", page, "; ".join(bad[:3])),) if bad else ()
    return Parsed(
        links=tuple(dict.fromkeys(links)), rows=tuple(rows.values()), problems=problems, refused=len(bad)
    )


def _row(url: str, gid: Gid, day: date, *shown: str) -> Row | None:
    """What the day page tells of an answer; null where only the page itself tells the question's number (old Lords pages)."""
    if gid.tail:
        return None
    house = House.LORDS if gid.number.startswith("HL") else House.COMMONS
    key = (replace(gid, day=day) if gid.old else gid).key(house, None)
    text = "\n".join(map(clean_text, (gid.text, *shown)))
    return Row(NAME, gid.source_id, key, blake2b(text.encode(), digest_size=16).hexdigest(), url)


class TheyWorkForYouSpider(SourceSpider):
    """Year pages tell the days, day pages the answers. An answer page is read when it is new, when its entry changed, and again
    some days after the answer. Welsh pages follow from the English lists: gids are the same."""

    async def crawl(self, run: Run) -> None:
        earlier = run.door.windows_done()
        listed = await self._listed(run, *_usual_span(run, earlier))
        days = [each for each in listed if _is_wanted(run, each.day, earlier)]
        await in_turn(days, run.patience.windows, lambda each: self._read_day(run, each))
        if run.span is None and run.complete and earlier and not days:
            run.door.report([_silent(run, _url(run, _sections(run)[0], f"?y={run.today.year}"))])

    async def backfill(self, run: Run, first: date, last: date, *, restart: bool = False) -> None:
        listed = await self._listed(run, first, min(last, run.today))
        if restart:
            run.door.forget_windows(_window(each.day) for each in listed)
        done = run.door.windows_done()
        days = [each for each in listed if _window(each.day) not in done]
        await in_turn(days, run.patience.windows, lambda each: self._read_day(run, each))

    async def _listed(self, run: Run, first: date, last: date) -> list[_Listed]:
        """The days with answers, newest first, as the year pages tell."""
        found: dict[date, list[str]] = {}
        unread: set[int] = set()
        sections = _sections(run)
        run.expect((last.year - first.year + 1) * len(sections))
        for year, section in product(range(last.year, first.year - 1, -1), sections):
            url = _url(run, section, f"?y={year}")
            try:
                parsed = await run.read(url)
            except (FetchError, UnreadableError) as error:
                run.failed(url, error)
                unread.add(year)
                continue
            for link in parsed.links:
                found.setdefault(iso_date(query_of(link)["d"]), []).append(section)
        days = sorted((day for day in found if first <= day <= last), reverse=True)
        run.expect(sum(len(found[day]) for day in days))
        return [_Listed(day, tuple(found[day]), day.year not in unread) for day in days]

    async def _read_day(self, run: Run, listed: _Listed) -> None:
        """The answers of a day in all its sections. Its list stands once each of them could be read."""
        day, whole = listed.day, listed.whole
        pages = [await self._read_list(run, _url(run, section, f"?d={day}")) for section in listed.sections]
        shown = [parsed for parsed in pages if parsed is not None]
        for parsed in shown:
            whole = await self._read_answers(run, day, parsed) and whole
        whole = whole and len(shown) == len(pages)
        run.count_window(whole=whole)
        if len(shown) == len(pages):
            run.door.day_listed(day, (row.key for parsed in shown for row in parsed.rows))
        if whole and (run.job == "crawl" or day < run.today):
            count = sum(len(parsed.links) for parsed in shown)
            run.door.window_done(WindowNote(_window(day), count, count))

    async def _read_list(self, run: Run, url: str) -> Parsed | None:
        try:
            return await run.read(url)
        except (FetchError, UnreadableError) as error:
            run.failed(url, error)
            return None

    async def _read_answers(self, run: Run, day: date, parsed: Parsed) -> bool:
        """Whether all answers of a day page are read, or were."""
        rows = [*parsed.rows, *self._welsh(run, parsed.rows)]
        run.seen += len(parsed.links)
        details = Details(run)
        settled = await details.settle(rows, again=_due(run, day, rows))
        bare = sorted(set(parsed.links) - {row.url for row in parsed.rows})  # old pages of the Lords
        run.expect(len(bare))
        read = [await details.read(link, "", None) for link in bare]
        return settled and all(read) and not parsed.refused

    def _welsh(self, run: Run, rows: Sequence[Row]) -> list[Row]:
        if "cy" not in run.setting("languages").split(","):
            return []
        english, welsh = (run.setting(f"theyworkforyou{which}_url").rstrip("/") for which in ("", "_cy"))
        return [
            replace(row, source_id=f"cy/{row.source_id}", url=row.url.replace(english, welsh, 1))
            for row in rows
            if row.url is not None
        ]


@dataclass(frozen=True, slots=True)
class _Listed:
    """A day, the sections in which it has answers, and whether the year pages of all sections could be read."""

    day: date
    sections: tuple[str, ...]
    whole: bool


_BACK = timedelta(days=14)
_AGAIN = (1, 3, 7, 14)  # days after the answer


def _sections(run: Run) -> list[str]:
    """As the settings name them, Westminster first."""
    wanted = {name.strip() for name in run.setting("theyworkforyou_sections").split(",")}
    return [name for name in ("wrans", "spwrans") if name in wanted]


def _url(run: Run, section: str, query: str) -> str:
    return f"{run.setting('theyworkforyou_url').rstrip('/')}/{section}/{query}"


def _window(day: date) -> str:
    return f"answered:{day}"


def _usual_span(run: Run, earlier: Mapping[str, WindowNote]) -> tuple[date, date]:
    """The last fortnight, and what lies between it and the newest day that was ever read."""
    if run.span is not None:
        return run.span.first, run.span.last
    known = [iso_date(name.partition(":")[2]) for name in earlier]
    newest = max(known, default=run.today)
    return min(run.today - _BACK, newest), run.today


def _is_wanted(run: Run, day: date, earlier: Mapping[str, WindowNote]) -> bool:
    return run.span is not None or day >= run.today - _BACK or _window(day) not in earlier


def _due(run: Run, day: date, rows: Sequence[Row]) -> set[str]:
    """The answers that were not read since the last of the days on which they are to be read again."""
    passed = [day + timedelta(days=count) for count in _AGAIN if day + timedelta(days=count) <= run.today]
    if not passed or run.job != "crawl":
        return set()
    read = run.door.read_times([row.source_id for row in rows])
    return {source_id for source_id, at in read.items() if london_date(at) < passed[-1]}


def _silent(run: Run, url: str) -> Problem:
    said = f"no day of the last fortnight is listed, up to {run.today}"
    return Problem(source=NAME, kind=SILENT, url=url, message=said)
