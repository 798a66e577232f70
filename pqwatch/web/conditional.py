"""Answers with a strong ETag: who has them already gets 304 and no body."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response


def answer(
    request: Request,
    body: bytes,
    media_type: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The body, or 304 where `If-None-Match` names it."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    given = {"ETag": tag, "Cache-Control": "no-cache", **(headers or {})}
    if status == 200 and _knows(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=given)
    return Response(body, status, given, media_type)


def _knows(header: str, tag: str) -> bool:
    tags = {each.strip().removeprefix("W/") for each in header.split(",")}
    return "*" in tags or tag in tags
