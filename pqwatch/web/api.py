"""What the routes of the HTTP API share: who asks, how they answer, what the OpenAPI document says of errors."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection
from starlette.responses import Response

from pqwatch.web import conditional
from pqwatch.web.problems import WebError
from pqwatch.web.shapes import Problem
from pqwatch.web.site import Site
from storage import subscriptions as rows
from storage.subscriptions import NoSuchSubscriptionError, Subscription

ERRORS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "What went wrong (RFC 9457)",
        "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
    }
}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "As `If-None-Match` names it"}}
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="the operator's token, or the token of a subscription (also the secret part of its feed's address)",
)


def _given(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> str:
    """The token of the request."""
    if credentials is None or not credentials.credentials:
        raise _unknown()
    return credentials.credentials


Token = Annotated[str, Depends(_given)]


def token_of(request: Request) -> str:
    """The token of a request that needs none; empty where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def is_operator(site: Site, token: str) -> bool:
    """Whether the token is the operator's. Without one in the settings nobody is the operator."""
    return bool(site.admin_token) and hmac.compare_digest(token.encode(), site.admin_token.encode())


def owned(conn: Connection, site: Site, number: int, token: str) -> Subscription:
    """The subscription, for the operator and for who holds its token. Raises WebError (401, also where there is none)."""
    try:
        found = rows.by_id(conn, number)
    except NoSuchSubscriptionError:
        if is_operator(site, token):
            raise WebError(404, "There is no such subscription") from None
        raise _unknown() from None
    if not is_operator(site, token) and not hmac.compare_digest(token.encode(), found.token.encode()):
        raise _unknown()
    return found


def of_token(conn: Connection, token: str) -> Subscription:
    """The subscription that a token is of. Raises WebError (401)."""
    found = rows.by_token(conn, token)
    if found is None or not hmac.compare_digest(token.encode(), found.token.encode()):
        raise _unknown()
    return found


def _unknown() -> WebError:
    detail = "Send the operator's token, or the subscription's, as `Authorization: Bearer TOKEN`."
    return WebError(401, "A token is needed", detail, headers={"WWW-Authenticate": "Bearer"})


def json(
    request: Request, data: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The data as JSON with its ETag, or 304."""
    return conditional.answer(request, orjson.dumps(data), "application/json", status=status, headers=headers)


def private(request: Request, data: object, *, status: int = 200) -> Response:
    """Data that nothing on the way is to keep."""
    return json(request, data, status=status, headers={"Cache-Control": "private, no-store"})
