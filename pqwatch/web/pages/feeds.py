"""The private feeds of a subscription: `/feeds/<token>.atom` and `.json`, with ETag and 304."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from alerts import feeds
from pqwatch.web.problems import WebError
from pqwatch.web.site import OfSite

router = APIRouter(include_in_schema=False)


@router.get("/feeds/{token}.{suffix}")
def private_feed(request: Request, site: OfSite, token: str, suffix: Literal["atom", "json"]) -> Response:
    """The feed document. Who has the address may read it, so nothing on the way is to keep it."""
    found = feeds.feed(site.store, token, suffix, site.setup, now=site.now)
    if found is None:
        raise WebError(404, "There is no such feed", "Its subscription may have ended.")
    headers = {
        "ETag": found.etag,
        "Last-Modified": format_datetime(found.modified, usegmt=True),
        "Cache-Control": "private, max-age=300",
    }
    known = request.headers.get("if-none-match", "")
    if found.etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(found.body, headers=headers, media_type=found.content_type)
