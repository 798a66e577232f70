"""The operator's page: subscriptions, failures, problems, runs. It is there only where PQWATCH_ADMIN_TOKEN is set.

The token is asked for once; a signed cookie (SameSite=Strict, for this path only) then stands for it until it runs out or
the token changes.
"""

from __future__ import annotations

import hashlib
import hmac
import time

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from alerts import again, lifecycle
from alerts.address import masked
from alerts.signing import BadTokenError, make_token, read_token
from pqwatch.web import render
from pqwatch.web.forms import OfForm, check_form, form_token, set_cookie, text, visitor_of
from pqwatch.web.problems import WebError
from pqwatch.web.site import OfSite, Site
from storage import ledger, locks, problems, runs
from storage import subscriptions as rows

router = APIRouter(include_in_schema=False)
COOKIE = "pqwatch-operator"
HOURS = 8
SHOWN = 100
_PURPOSE = "operator"


@router.get("/admin")
def admin(request: Request, site: OfSite) -> Response:
    """How everything stands; to those who have not shown the token, the form that asks for it."""
    _refuse_where_off(site)
    if not _is_operator(request, site):
        return _page(request, site, "admin_login.html", {"wrong": False})
    with site.read() as conn:
        every = rows.every(conn)
        values = {
            "subscriptions": [(each, masked(each.to)) for each in every[-SHOWN:][::-1]],
            "more": max(0, len(every) - SHOWN),
            "failures": ledger.listed(conn, states=("failed",), limit=SHOWN),
            "failed": ledger.count(conn, "failed"),
            "pending": ledger.count(conn, "pending"),
            "problems": problems.open_problems(conn)[:SHOWN],
            "runs": runs.recent(conn, 40),
            "locks": locks.held(conn),
        }
    return _page(request, site, "admin.html", values)


@router.post("/admin/login")
def login(request: Request, site: OfSite, form: OfForm) -> Response:
    """Takes the token; a few tries a minute."""
    _refuse_where_off(site)
    check_form(request, site, form)
    site.limits.logins.check(visitor_of(request))
    said = text(form, "operator", 1_000)
    if not hmac.compare_digest(_digest(said), _digest(site.admin_token)):
        return _page(request, site, "admin_login.html", {"wrong": True}, status=403)
    response = RedirectResponse("/admin", 303)
    secure = site.settings.public_url.startswith("https://")
    response.set_cookie(
        COOKIE,
        _pass(site),
        max_age=HOURS * 3600,
        path="/admin",
        httponly=True,
        samesite="strict",
        secure=secure,
    )
    return response


@router.post("/admin")
def act(request: Request, site: OfSite, form: OfForm) -> Response:
    """Pauses, resumes or ends a subscription, sends a failure once more (or all of them), or leaves."""
    _refuse_where_off(site)
    check_form(request, site, form)
    if not _is_operator(request, site):
        raise WebError(403, "Log in first", "The session may have run out.")
    response = RedirectResponse("/admin", 303)
    if text(form, "do", 20) == "leave":
        response.delete_cookie(COOKIE, path="/admin", httponly=True, samesite="strict")
        return response
    _do(site, text(form, "do", 20), text(form, "id", 20))
    return response


def _do(site: Site, what: str, reference: str) -> None:
    if what in ("pause", "resume", "end", "retry") and not (reference.isascii() and reference.isdecimal()):
        raise WebError(422, "The form cannot be read", "It names no row.")
    match what:
        case "pause":
            lifecycle.pause(site.store, reference, now=site.now, why="paused by the operator")
        case "resume":
            lifecycle.resume(site.store, reference, now=site.now)
        case "end":
            lifecycle.remove(site.store, reference, now=site.now)
        case "retry":
            again.retry(site.store, now=site.now, ids=[int(reference)])
        case "retry-all":
            again.retry(site.store, now=site.now)
        case _:
            raise WebError(422, "The form cannot be read", "It may pause, resume, end, retry or leave.")


def _refuse_where_off(site: Site) -> None:
    """Where no token is set, there is no such page."""
    if not site.admin_token:
        raise WebError(404, "There is no such page")


def _pass(site: Site) -> str:
    """What the cookie says: until when it holds (real clock), and for which token."""
    until = int(time.time()) + HOURS * 3600
    return make_token(site.setup.secret, _PURPOSE, f"{until} {_digest(site.admin_token).hex()}")


def _is_operator(request: Request, site: Site) -> bool:
    try:
        until, digest = read_token(site.setup.secret, _PURPOSE, request.cookies.get(COOKIE, "")).split(" ")
    except (BadTokenError, ValueError):
        return False
    fits = hmac.compare_digest(digest.encode(), _digest(site.admin_token).hex().encode())
    return fits and time.time() < int(until)


def _digest(token: str) -> bytes:
    """Of one length whatever was typed, so that comparing takes one time."""
    return hashlib.sha256(token.encode()).digest()


def _page(
    request: Request, site: Site, template: str, values: dict[str, object], status: int = 200
) -> Response:
    cookie, token = form_token(request, site)
    headers = {"cache-control": "no-store"}
    response = render.page(request, template, {"token": token, **values}, status=status, headers=headers)
    set_cookie(response, site, cookie)
    return response
