"""Searching (`/`): the query is the address, so that a search can be shared, narrowed by click, followed and taken along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts.search import CursorError, SearchPage, search
from alerts.tree import Query as ParsedQuery
from pqwatch.web import render
from pqwatch.web.asked import Asked, read
from pqwatch.web.facets import Group, groups
from pqwatch.web.forms import visitor_of
from pqwatch.web.lookup import latest, topic_titles
from pqwatch.web.marks import Marks, marks
from pqwatch.web.pages.downloads import MOST
from pqwatch.web.site import OfSite, Site
from storage.records import BadKeyError, Record, parse_key

router = APIRouter(include_in_schema=False)
Sort = Literal["date", "relevance"]
A_PAGE = 20
LATEST = 8
LONGEST = 4_000
"""Characters of an address that are read; a query may have 2,000, which is said as a mistake."""

EXAMPLES = (
    "cocaine",
    '"county lines" child*',
    'traffick* NEAR/10 (cocaine OR heroin) department:"Home Office"',
    "naloxone state:holding",
    "is:corrected answered:2025..",
)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search, ready to be shown."""

    page: SearchPage
    hits: list[tuple[Record, Marks]]
    groups: list[Group]


@router.get("/")
def home(
    request: Request,
    site: OfSite,
    q: Annotated[str, Query(max_length=LONGEST)] = "",
    sort: Sort = "date",
    after: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """The search field; with a query what it finds, without one what is newest."""
    key = _as_key(q)
    if key is not None:
        return RedirectResponse(render.key_path(key), 303)
    asked = read(q, site.setup.topics)
    values: dict[str, Any] = {
        "asked": asked,
        "sort": sort,
        "after": after,
        "examples": EXAMPLES,
        "found": None,
        "newest": [],
        "most": MOST,
        "topics": topic_titles(site),
    }
    if asked.query is not None:
        request.app.state.site.limits.searches.check(visitor_of(request))
        return _searched(request, site, asked, asked.query, values)
    if asked.fault is not None:
        return render.page(request, "search.html", values, status=422)
    name = ("first", asked.text, sort, after, site.today)
    return HTMLResponse(site.pages.fresh(site.store, name, lambda: _first(request, site, values)))


def _first(request: Request, site: Site, values: dict[str, Any]) -> bytes:
    with site.read() as conn:
        values["newest"] = latest(conn, LATEST)
    return bytes(render.page(request, "search.html", values).body)


def _searched(
    request: Request, site: Site, asked: Asked, query: ParsedQuery, values: dict[str, Any]
) -> Response:
    def made() -> bytes:
        values["found"] = find(site, asked, query, values["sort"], values["after"] or None)
        return bytes(render.page(request, "search.html", values).body)

    try:
        body = site.pages.fresh(site.store, (asked.text, values["sort"], values["after"], site.today), made)
    except CursorError:
        address = render.address("/", {"q": asked.text, "sort": values["sort"]})
        return RedirectResponse(address, 303)
    return HTMLResponse(body)


def find(site: Site, asked: Asked, query: ParsedQuery, sort: Sort, after: str | None) -> Found:
    """One page of results with their marks and filters. Raises CursorError."""
    with site.read() as conn:
        page = search(
            conn, query, today=site.today, limit=A_PAGE, after=after, sort=sort, facets=after is None
        )
    hits = [(each.record, marks(each.record, query, site.today)) for each in page.items]
    choices = (
        groups(asked, page.facets, topics=topic_titles(site), sources=site.settings.sources)
        if page.facets
        else []
    )
    return Found(page, hits, choices)


def _as_key(text: str) -> str | None:
    """A KEY that was typed instead of a query."""
    if "/" not in text:
        return None
    try:
        return parse_key(text)
    except BadKeyError:
        return None
