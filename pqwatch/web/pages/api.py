"""The HTTP API for reading, `/api/v1`: questions, versions, search, health. Shapes as in the command line's `--json`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from alerts import search as searching
from alerts.packs import topics_of
from pqwatch.web import shapes
from pqwatch.web.api import ERRORS, UNCHANGED, json
from pqwatch.web.asked import read
from pqwatch.web.conditional import answer
from pqwatch.web.forms import visitor_of
from pqwatch.web.lookup import held
from pqwatch.web.pages.sources import status_of
from pqwatch.web.problems import WebError
from pqwatch.web.site import OfSite, Site
from storage.records import Record
from storage.search import Facets
from storage.shape import to_shape

router = APIRouter(prefix="/api/v1", tags=["reading"], responses=ERRORS)
House = Annotated[str, Path(description="commons, lords or scotland; feed for a feed item", max_length=20)]
Day = Annotated[
    str, Path(description="the day it was tabled, such as 2018-06-21; a feed's host", max_length=100)
]
Number = Annotated[str, Path(description="its number (UIN); of a feed item the digest", max_length=100)]


def _record(site: Site, key: str) -> Record:
    with site.read() as conn:
        return held(conn, key)


@router.get(
    "/questions/{house}/{day}/{number}", responses={200: {"model": shapes.QuestionShape}, **UNCHANGED}
)
def question(request: Request, site: OfSite, house: House, day: Day, number: Number) -> Response:
    """One question with all its versions. A former key leads to the present question."""
    key = f"{house}/{day}/{number}"

    def made() -> bytes:
        record = _record(site, key)
        return orjson.dumps(to_shape(record, versions=True, topics=topics_of(record)))

    return answer(request, site.pages.fresh(site.store, ("json", key), made), "application/json")


@router.get(
    "/questions/{house}/{day}/{number}/versions",
    responses={200: {"model": shapes.VersionsShape}, **UNCHANGED},
)
def versions(request: Request, site: OfSite, house: House, day: Day, number: Number) -> Response:
    """Every version of a question, the first one first."""
    items = to_shape(_record(site, f"{house}/{day}/{number}"), versions=True)["versions"]
    return json(request, {"total": len(items), "items": items})


@router.get("/search", responses={200: {"model": shapes.SearchShape}, **UNCHANGED})
def search(
    request: Request,
    site: OfSite,
    q: Annotated[str, Query(description="the query", min_length=1, max_length=2_000)],
    sort: Literal["date", "relevance"] = "date",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[
        str | None, Query(description="`next` of the page before", pattern=r"^[0-9]{1,18}(\.[0-9]{1,18})?$")
    ] = None,
    facets: Annotated[bool, Query(description="how the hits spread")] = False,
    versions: Annotated[bool, Query(description="with every version")] = False,
) -> Response:
    """What matches a query. Newest first, pages neither skip nor repeat while questions arrive."""
    site.limits.searches.check(visitor_of(request))
    asked = read(q, site.setup.topics)
    if asked.query is None:
        detail = f"{_fault(asked.fault)}" if asked.fault else "The query is empty."
        raise WebError(422, "This query cannot be read", detail)
    with site.read() as conn:
        page = searching.search(
            conn, asked.query, today=site.today, limit=limit, after=after, sort=sort, facets=facets
        )
        records = [_full(conn, each.record) if versions else each.record for each in page.items]
    items = [to_shape(each, versions=versions, topics=topics_of(each)) for each in records]
    found: dict[str, Any] = {"total": page.total, "about": page.about, "items": items, "next": page.next}
    if page.facets is not None:
        found["facets"] = _facets(page.facets)
    return json(request, found)


def _fault(fault: Any) -> str:
    place = f"Column {fault.column}: " if fault.column else ""
    return f"{place}{fault.message}" + (f" ({fault.hint})" if fault.hint else "")


def _full(conn: Any, record: Record) -> Record:
    return held(conn, record.key)


def _facets(facets: Facets) -> dict[str, Any]:
    return {
        "of": facets.of,
        "department": dict(facets.department.most_common()),
        "house": dict(facets.house.most_common()),
        "state": dict(facets.state.most_common()),
    }


@router.get("/health", responses={200: {"model": shapes.HealthShape}, **UNCHANGED})
def health(request: Request, site: OfSite) -> Response:
    """How the sources and deliveries are, as `pqwatch status --json`."""
    with site.read() as conn:
        return json(request, status_of(site, conn).to_json())
