"""For machines that watch: `/healthz` and `/metrics` (Prometheus' text format); and what is not there below /api."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import text
from starlette.responses import PlainTextResponse, Response

from pqwatch import metrics
from pqwatch.web.pages.sources import status_of
from pqwatch.web.problems import WebError
from pqwatch.web.site import OfSite

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def healthz(site: OfSite) -> Response:
    """200 where the database answers; else 503, which the handler of storage's errors gives."""
    with site.read() as conn:
        conn.execute(text("SELECT 1"))
    return PlainTextResponse("ok\n")


@router.get("/metrics")
def metrics_(site: OfSite) -> Response:
    """Counts and times of the sources, problems and deliveries."""
    with site.read() as conn:
        body = metrics.text(status_of(site, conn))
    return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/api/{rest:path}")
def nothing(rest: str) -> Response:
    """An address below /api that is none, before the pages of questions take it for a key."""
    raise WebError(404, "There is no such address", f"/api/{rest[:200]}")
