"""The official API of written questions, Commons and Lords. It speaks with authority.

A list page shows rows (texts cut at 255 characters), a detail page one question whole. Both have every field, so a missing,
renamed or null one is an error, and the row is refused whole. Dates are London calendar dates written as midnight without zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any

import orjson

from scraper.addresses import all_such, official_page
from scraper.api_question import ApiQuestion, Drift
from scraper.clean import clean_html
from scraper.details import Details
from scraper.passes import check_pass
from scraper.responses import require_readable
from scraper.run import Run, spread
from scraper.source import Page, Parsed, SourceSetting, UnreadableError
from scraper.spider import SourceSpider
from scraper.strict import Fields, load_json
from scraper.windows import Cut, Window, read_windows
from storage.records import PARLIAMENT, Content, Observation, Problem, Row

NAME = PARLIAMENT
SETTINGS = (
    SourceSetting("parliament_url", "https://questions-statements-api.parliament.uk", "official API"),
)

_SEEN = frozenset(Content.__dataclass_fields__) - {"lapsed", "links"}
_MEMBERS = ("askingMember", "answeringMember", "correctingMember")
_ADDRESS = re.compile(
    r"/api/writtenquestions/questions(?P<detail>/\d+|/\d{4}-\d{2}-\d{2}/\w+)?/?(?:\?.*)?\Z", re.IGNORECASE
)


def parse(page: Page) -> Parsed:
    """Rows and the API's total of a list page, or the one observation of a detail page.

    A row that cannot be accounted for is refused whole, as a problem; the others stand. Raises UnreadableError for a page
    that is no such page (an error, HTML, cut off), BlockedError for a challenge.
    """
    require_readable(page)
    address = _ADDRESS.search(page.url)
    if address is None:
        raise UnreadableError(f"{page.url} is no address of the written questions API")
    document = load_json(page.body)
    _refuse_error(document)
    return _parse_detail(page, document) if address["detail"] else _parse_list(page, document)


def _refuse_error(document: Any) -> None:
    """The API reports some of its errors as a JSON body with `status` inside a response of 200."""
    if isinstance(document, dict) and "status" in document and not {"results", "value"} & document.keys():
        raise UnreadableError(
            f"the API answered with an error: status {document['status']}, {document.get('title')}"
        )


def _parse_list(page: Page, document: Any) -> Parsed:
    envelope = Fields(document, "the list")
    total = envelope.take("totalResults", int)
    results = envelope.take("results", list)
    if total < 0:
        raise UnreadableError(f"the list: totalResults is {total}")
    rows: list[Row] = []
    bad: list[str] = []
    new = Drift(envelope.leftovers())
    for number, result in enumerate(results, 1):
        try:
            rows.append(_read_row(page, result, f"row {number}", new))
        except UnreadableError as error:
            bad.append(str(error))
    return Parsed(rows=tuple(rows), total=total, problems=tuple(_problems(page, bad, new)), refused=len(bad))


def _problems(page: Page, bad: list[str], new: Drift) -> Iterable[Problem]:
    if bad:
        more = f" (and {len(bad) - 3} more)" if len(bad) > 3 else ""
        yield Problem(
            source=NAME,
            kind="unreadable-row",
            url=page.url,
            message="; ".join(sorted(bad)[:3]) + more,  # the order of a list changes, which is no news
            page=page.ref,
        )
    for name in sorted(new.names):
        url = f"{all_such(page.url)}#{name}"
        yield Problem(source=NAME, kind="new-field", url=url, message=f"new to us: {name}", page=page.ref)


def _read_row(page: Page, result: Any, where: str, new: Drift) -> Row:
    value = _open_envelope(result, where, new)
    question = ApiQuestion(value, new, expanded=_is_expanded(page))
    return Row(NAME, str(question.id), question.key, row_digest(value), shows=question.events())


def row_digest(value: dict[str, Any]) -> str:
    """Digest of a row's JSON value; the members' details are left out, for they change without the question."""
    kept = {name: field for name, field in value.items() if name not in _MEMBERS}
    return blake2b(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _open_envelope(result: Any, where: str, new: Drift) -> dict[str, Any]:
    envelope = Fields(result, where)
    value = envelope.take("value", dict)
    envelope.take("links", list)
    new.account(envelope)
    return value


def _parse_detail(page: Page, document: Any) -> Parsed:
    new = Drift()
    try:
        value = _open_envelope(document, "the question", new)
        observation = _observe(page, ApiQuestion(value, new, expanded=_is_expanded(page)))
    except UnreadableError as error:
        return Parsed(problems=tuple(_problems(page, [str(error)], new)))
    return Parsed(observations=(observation,), problems=tuple(_problems(page, [], new)))


def _is_expanded(page: Page) -> bool:
    """Whether the members' details were asked for."""
    return "expandmember=true" in page.url.lower()


def _observe(page: Page, question: ApiQuestion) -> Observation:
    return Observation(
        source=NAME,
        source_id=str(question.id),
        url=official_page(question.tabled_on.isoformat(), question.uin),
        key=question.key,
        observed_at=page.fetched_at,
        content=question.content(),
        seen=_SEEN - question.unseen,
        page=page.ref,
        official_id=question.id,
        original=clean_html(question.original) if question.original else None,
    )


class ParliamentSpider(SourceSpider):
    """One-day windows of what was tabled, answered and corrected, and the details of what is new or differs."""

    cuts = (
        (Cut(None, 1000),),
        (Cut("Commons", 1000), Cut("Lords", 1000)),
        (Cut("Commons", 100), Cut("Lords", 100)),
    )

    def address(self, run: Run, window: Window, cut: Cut, skip: int) -> str:
        day = window.day.isoformat()
        return (
            f"{self._base(run)}?{window.field}WhenFrom={day}&{window.field}WhenTo={day}&house={cut.part or 'Bicameral'}"
            f"&includeWithdrawn=true&sessionStatus=Any&expandMember=true&skip={skip}&take={cut.take}"
        )

    def detail(self, run: Run, source_id: str) -> str:
        return f"{self._base(run)}/{source_id}?expandMember=true"

    def _base(self, run: Run) -> str:
        return f"{run.setting('parliament_url').rstrip('/')}/api/writtenquestions/questions"

    async def crawl(self, run: Run) -> None:
        earlier = run.door.windows_done()
        counts = await read_windows(run, self, usual_windows(run))
        if run.span is None:
            check_pass(run, self, counts, earlier)

    async def recheck(self, run: Run) -> None:
        await Details(run, lambda source_id: self.detail(run, source_id)).read_all(
            run.door.due_rechecks(_RECHECKS)
        )

    async def backfill(self, run: Run, first: date, last: date, *, restart: bool = False) -> None:
        windows = [Window("tabled", day) for day in spread(first, min(last, run.today))]
        if restart:
            run.door.forget_windows(window.name for window in windows)
        done = run.door.windows_done()
        await read_windows(run, self, (window for window in windows if window.name not in done))


_USUAL = {"tabled": 14, "answered": 14, "corrected": 120}  # days back, today included
_RECHECKS = 10_000  # a run


def usual_windows(run: Run) -> list[Window]:
    """The windows of a pass, or those of the span that was asked for."""
    if run.span is not None:
        return [Window(name, day) for name in _USUAL for day in spread(run.span.first, run.span.last)]
    days = {
        name: set(spread(run.today - timedelta(days=count - 1), run.today)) for name, count in _USUAL.items()
    }
    days["tabled"] |= set(run.door.open_days(run.today))
    return [Window(name, day) for name in _USUAL for day in sorted(days[name], reverse=True)]
