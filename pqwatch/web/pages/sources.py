"""How far the sources reach and how they are: `/sources`, a calendar of each, and problems with the pages behind them.

A page of a source is shown as text only, never as what it would draw.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from pqwatch import settings as settings_
from pqwatch import status as statuses
from pqwatch.web import calendar_page as months
from pqwatch.web import render
from pqwatch.web.problems import WebError
from pqwatch.web.site import OfSite, Site
from scraper.archive import Archive, ArchiveError
from storage.coverage import coverage
from storage.problems import OpenProblem, open_problems
from storage.records import PageRef

router = APIRouter(include_in_schema=False)
SHOWN = 50_000
"""Characters of a page that are shown unasked."""

LISTED = 500
"""Missing questions of a month on its page; `pqwatch coverage` has all."""

PROBLEMS = 100
"""Problems on the page; `pqwatch status` has all."""

_COUNTED_BY = {"theyworkforyou": "answered", "feeds": "published"}


def known_sources() -> tuple[str, ...]:
    """Names of all sources, in their usual order."""
    return settings_.in_order(settings_.declared())


def status_of(site: Site, conn: Connection) -> statuses.Status:
    return statuses.read(conn, known_sources(), site.settings.sources, now=site.now)


@router.get("/sources")
def listed(request: Request, site: OfSite) -> Response:
    """Every source: its health, what is held of it, its open problems."""
    with site.read() as conn:
        status = status_of(site, conn)
    values = {"status": status, "now": site.now, "recess": months.recess(site.today), "most": PROBLEMS}
    return render.page(request, "sources.html", values)


@router.get("/sources/problems/{number}")
def problem(
    request: Request, site: OfSite, number: Annotated[int, Path(ge=1, lt=2**31)], whole: bool = False
) -> Response:
    """One problem, with the page that caused it as text."""
    with site.read() as conn:
        found = next((each for each in open_problems(conn) if each.id == number), None)
    if found is None:
        raise WebError(404, "There is no such problem", "It may have ended.")
    page = _page(site, found)
    cut = page is not None and len(page) > SHOWN and not whole
    values = {"problem": found, "page": page[:SHOWN] if page and cut else page, "cut": cut}
    return render.page(request, "problem.html", values)


@router.get("/sources/{name}")
def calendar(
    request: Request, site: OfSite, name: str, month: Annotated[str, Query(max_length=10)] = ""
) -> Response:
    """A month of one source, day by day: held, expected, missing."""
    if name not in known_sources():
        raise WebError(404, "There is no such source", f"There are {', '.join(known_sources())}.")
    first = months.month_of(month, site.today)
    with site.read() as conn:
        days = coverage(conn, name, first, months.last_day(first))
    missing = [(each.date, key) for each in days for key in each.missing]
    values = {
        "name": name,
        "first": first,
        "weeks": months.weeks(days, site.today),
        "missing": missing[:LISTED],
        "lacking": len(missing),
        "held": sum(each.held for each in days),
        "expected": sum(each.expected or 0 for each in days),
        "neighbours": months.neighbours(first, site.today),
        "by": _COUNTED_BY.get(name, "tabled"),
    }
    return render.page(request, "source.html", values)


def _page(site: Site, found: OpenProblem) -> str | None:
    """The archived page, as text; null where none was kept."""
    if found.page is None or found.page.file is None:
        return None
    try:
        return _text(site, found.page)
    except ArchiveError as error:
        return f"({error})"


def _text(site: Site, ref: PageRef) -> str:
    return Archive(site.settings.data_dir / "archive").read(ref).body.decode("utf-8", "replace")
