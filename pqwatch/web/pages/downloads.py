"""What a search finds, to take along: `/search.csv`, `.jsonl`, `.parquet` (the columns and shapes of `export`) and `.atom`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from alerts import search as searching
from alerts.packs import topics_of
from alerts.tree import Query as ParsedQuery
from pqwatch import export
from pqwatch.web import atom, conditional
from pqwatch.web.asked import read
from pqwatch.web.forms import visitor_of
from pqwatch.web.problems import WebError
from pqwatch.web.site import OfSite, Site

router = APIRouter(include_in_schema=False)
MOST = 50_000
"""Questions of one download; beyond it the command line takes any number."""

SECONDS = 600.0
"""A download that its receiver does not take by then is cut off: it holds one state of the database open."""

_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/jsonl; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
Text = Annotated[str, Query(max_length=4_000)]


@router.get("/search.atom")
def feed(request: Request, site: OfSite, q: Text) -> Response:
    """The newest hits of a search as an Atom feed, for anybody."""
    query = _query(site, q)
    request.app.state.site.limits.searches.check(visitor_of(request))
    with site.read() as conn:
        page = searching.search(conn, query, today=site.today, limit=atom.MOST)
        body = atom.feed(conn, [each.record for each in page.items], q.strip(), site)
    return conditional.answer(request, body, "application/atom+xml; charset=utf-8")


@router.get("/search.{form}")
def download(request: Request, site: OfSite, q: Text, form: Literal["csv", "jsonl", "parquet"]) -> Response:
    """All that matches, newest first, as a stream."""
    query = _query(site, q)
    request.app.state.site.limits.searches.check(visitor_of(request))
    with site.read() as conn:
        total = searching.count(conn, query, today=site.today).hits
    if total > MOST:
        raise WebError(
            422,
            "That is too much for one download",
            f"About {total:,} questions match, and one download takes {MOST:,}: narrow the search, for example"
            f" by year (answered:2024), or use the command `pqwatch export`, which takes any number.",
        )
    made = _pieces(site, query, form, site.limits.downloads)
    # what goes wrong at the start is still answered as an error; without hits there may be no piece at all
    first = next(made, b"")
    headers = {"content-disposition": f'attachment; filename="pqwatch-search.{form}"'}
    return StreamingResponse(_after(first, made), media_type=_TYPES[form], headers=headers)


def _query(site: Site, text: str) -> ParsedQuery:
    asked = read(text, site.setup.topics)
    if asked.query is None:
        fault = asked.fault.message if asked.fault else "there is none"
        raise WebError(422, "This query cannot be read", fault)
    return asked.query


def _pieces(site: Site, query: ParsedQuery, form: export.Format, places: BoundedSemaphore) -> Iterator[bytes]:
    """The file; `places` are the downloads that may run at once. Raises WebError (503), ExportError."""
    if not places.acquire(blocking=False):
        raise WebError(
            503, "Too many downloads at once", "Try again in a minute.", headers={"Retry-After": "60"}
        )
    try:
        ends = time.monotonic() + SECONDS
        with site.read() as conn:
            records = searching.iterate(conn, query, today=site.today)
            for piece in export.pieces(records, form, versions=False, topics=topics_of):
                if time.monotonic() > ends:
                    raise TimeoutError("a download took too long")
                yield piece
    finally:
        places.release()


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
