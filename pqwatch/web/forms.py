"""Forms that act: a token against forged requests, and limits on how often one visitor may ask.

The token is an HMAC of a random cookie (SameSite=Strict, HttpOnly), so no session needs to be stored. On a page that a
signed link opens it is an HMAC of that link, so the link works where cookies are refused.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from alerts.signing import BadTokenError, make_token, read_token
from pqwatch.web.problems import WebError
from pqwatch.web.site import Site

COOKIE = "pqwatch"
_PURPOSE = "form"
_OF_LINK = "form of a link"


def form_token(request: Request, site: Site) -> tuple[str, str]:
    """The visitor's cookie (a new one where there is none) and the token that goes into the form."""
    cookie = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)
    return cookie, make_token(site.setup.secret, _PURPOSE, cookie)


def set_cookie(response: Response, site: Site, cookie: str) -> None:
    secure = site.settings.public_url.startswith("https://")
    response.set_cookie(COOKIE, cookie, max_age=86_400, httponly=True, samesite="strict", secure=secure)


async def form_of(request: Request) -> FormData:
    """The fields of a form, without files."""
    return await request.form(max_files=0, max_fields=60)


OfForm = Annotated[FormData, Depends(form_of)]
"""For handlers that are no coroutines: they run in a thread, so that a wait for the database holds up nobody else."""


def check_form(request: Request, site: Site, form: FormData) -> None:
    """Raises WebError (403) where the form was not made by our own page for this visitor."""
    _compare(_said(site, _PURPOSE, form), request.cookies.get(COOKIE, ""))


def link_form_token(site: Site, link: str) -> str:
    """The token of the forms on the page that a signed link opens; `link` is the token in its address."""
    return make_token(site.setup.secret, _OF_LINK, link)


def check_link_form(request: Request, site: Site, form: FormData, link: str) -> None:
    """Raises WebError (403) where a browser sends a form that was not on the page of this link.

    What is no browser cannot be misled into a request: a mail program (RFC 8058) holds the link, and needs no more.
    """
    if {"origin", "sec-fetch-site"} & set(request.headers):
        _compare(_said(site, _OF_LINK, form), link)


def _said(site: Site, purpose: str, form: FormData) -> str:
    try:
        return read_token(site.setup.secret, purpose, str(form.get("token", "")))
    except BadTokenError:
        return ""


def _compare(said: str, expected: str) -> None:
    if not expected or not hmac.compare_digest(said.encode(), expected.encode()):
        raise WebError(403, "This form has gone stale", "Go back, load the page again and send it once more.")


def text(form: FormData, name: str, limit: int = 4_000) -> str:
    """A field of a form as typed, without the spaces around it. Raises WebError (422) for a file or an endless text."""
    value = form.get(name, "")
    if not isinstance(value, str) or len(value) > limit:
        raise WebError(
            422, "The form cannot be read", f"The field {name} must be a text of at most {limit} characters."
        )
    return value.strip()


def visitor_of(request: Request) -> str:
    """Who asks, as the connection says; uvicorn puts a trusted proxy's word in its place."""
    return request.client.host if request.client else "unknown"
