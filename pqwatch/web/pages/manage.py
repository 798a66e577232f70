"""What the links in messages lead to: confirm, unsubscribe, manage. A GET shows, only a POST acts (link scanners GET).

The signed token in the address is the permission; there is no password and no session.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from alerts import confirm as tokens
from alerts import lifecycle, subscriptions
from alerts.address import masked
from alerts.composer import Composer
from alerts.confirm import Scope
from alerts.keeping import erased_on
from alerts.signing import BadTokenError, make_token, read_token
from pqwatch.web import render
from pqwatch.web.forms import OfForm, check_link_form, link_form_token, text
from pqwatch.web.problems import WebError
from pqwatch.web.site import OfSite, Site
from storage import ledger, questions
from storage import subscriptions as rows
from storage.subscriptions import NoSuchSubscriptionError, Subscription

router = APIRouter(include_in_schema=False)
MANAGE = "manage"
SENT_SHOWN = 100
MAIL = "mailto:"
T = TypeVar("T")


@router.get("/confirm/{token}")
def ask_to_confirm(request: Request, site: OfSite, token: str) -> Response:
    """Shows what would be confirmed."""
    found = _one(site, _read(lambda: tokens.read_confirm(site.setup, token)))
    values = {"subscription": found, "erased": erased_on(found, site.setup)}
    return _page(request, site, token, "confirm.html", values)


@router.post("/confirm/{token}")
def confirm(request: Request, site: OfSite, token: str, form: OfForm) -> Response:
    """Confirms. A second time changes nothing."""
    number = _read(lambda: tokens.read_confirm(site.setup, token))
    check_link_form(request, site, form, token)
    _one(site, number)
    found = subscriptions.confirm(site.store, number, now=site.now)
    values = {"subscription": found, "manage": manage_path(site, found)}
    return _page(request, site, token, "confirmed.html", values)


@router.get("/unsubscribe/{token}")
def ask_to_unsubscribe(request: Request, site: OfSite, token: str) -> Response:
    """Shows what would end."""
    scope = _read(lambda: tokens.read_unsubscribe(site.setup, token))
    found = _covered(site, scope)
    path = manage_path(site, found[0]) if found else None
    return _page(request, site, token, "unsubscribe.html", {"subscriptions": found, "manage": path})


@router.post("/unsubscribe/{token}")
def unsubscribe(request: Request, site: OfSite, token: str, form: OfForm) -> Response:
    """Ends exactly what the message served: from our page or with one click in a mail program (RFC 8058)."""
    scope = _read(lambda: tokens.read_unsubscribe(site.setup, token))
    if form.get("List-Unsubscribe") != "One-Click":
        check_link_form(request, site, form, token)
    before = _covered(site, scope)
    lifecycle.unsubscribe(site.store, scope, now=site.now)
    path = manage_path(site, before[0]) if before else None
    erased = site.today + timedelta(days=site.setup.retention_days)
    values = {"subscriptions": before, "manage": path, "erased": erased}
    return _page(request, site, token, "unsubscribed.html", values)


@router.get("/manage/{token}")
def manage(request: Request, site: OfSite, token: str) -> Response:
    """All subscriptions of one mail address, and what was sent to it and why; of another kind of address just the one."""
    found = _of_token(site, token)
    with site.read() as conn:
        standing = _managed(conn, found)
        sent = [
            row for each in standing for row in ledger.listed(conn, subscription_id=each.id, limit=SENT_SHOWN)
        ]
        sent = sorted(sent, key=lambda row: row.id, reverse=True)[:SENT_SHOWN]
        why = Composer(conn, site.setup).matched_by_row(sent)
        held = questions.headings(conn, {row.key for row in sent})
    words = [list(dict.fromkeys(match["text"] for match in why[row.id])) for row in sent]
    values = {
        "to": masked(found.to).removeprefix("mailto:"),
        "subscriptions": standing,
        "sent": list(zip(sent, words, strict=True)),
        "titles": {row.key: held.get(row.key) for row in sent},
        "feed": site.setup.public_url.rstrip("/") + "/feeds/",
        "kept": site.setup.retention_days,
    }
    return _page(request, site, token, "manage.html", values)


@router.post("/manage/{token}")
def change(request: Request, site: OfSite, token: str, form: OfForm) -> Response:
    """Pauses, resumes or ends one subscription of the address, or ends all of them."""
    found = _of_token(site, token)
    check_link_form(request, site, form, token)
    do, number = text(form, "do", 20), text(form, "subscription", 20)
    with site.read() as conn:
        managed = {each.id for each in _managed(conn, found)}
    if do == "end-all" and found.to.startswith(MAIL):
        lifecycle.unsubscribe_all(site.store, found.to, now=site.now)
    elif do == "end-all":
        _change_one(site, managed, "end", found.id)
    else:
        _change_one(site, managed, do, int(number) if number.isascii() and number.isdecimal() else None)
    return RedirectResponse(f"/manage/{token}", 303)


def _page(request: Request, site: Site, token: str, template: str, values: dict[str, Any]) -> Response:
    """A page behind a signed link: nothing on the way is to keep it."""
    given = {"action": request.url.path, "token": link_form_token(site, token), **values}
    return render.page(request, template, given, headers={"cache-control": "private, no-store"})


def _managed(conn: Connection, found: Subscription) -> list[Subscription]:
    """What the holder of a link may see and change: whoever reads the mail of an address owns it, but many may use `feed:`
    or know the address of one webhook."""
    if found.to.startswith(MAIL):
        return rows.to_address(conn, found.to)
    return [found] if found.ended_at is None else []


def _change_one(site: Site, managed: Collection[int], do: str, number: int | None) -> None:
    chosen = _one(site, number or 0)
    if chosen.ended_at is None and chosen.id not in managed:
        raise WebError(403, "That subscription belongs to another address")
    match do:
        case "pause":
            lifecycle.pause(site.store, str(chosen.id), now=site.now)
        case "resume":
            lifecycle.resume(site.store, str(chosen.id), now=site.now)
        case "end":
            lifecycle.remove(site.store, str(chosen.id), now=site.now)
        case _:
            raise WebError(
                422, "The form cannot be read", "It may pause, resume or end a subscription, or end all."
            )


def manage_path(site: Site, subscription: Subscription) -> str:
    """The address under which whoever receives this subscription manages all of theirs."""
    return f"/manage/{make_token(site.setup.secret, MANAGE, str(subscription.id))}"


def _of_token(site: Site, token: str) -> Subscription:
    return _one(site, int(_read(lambda: read_token(site.setup.secret, MANAGE, token))))


def _read(reader: Callable[[], T]) -> T:
    """What a token says, or a 404: a wrong token tells nothing."""
    try:
        return reader()
    except BadTokenError as error:
        raise WebError(
            404, "This link is not valid", "It may have been cut off; open it from the mail once more."
        ) from error


def _one(site: Site, number: int) -> Subscription:
    try:
        with site.read() as conn:
            return rows.by_id(conn, number)
    except NoSuchSubscriptionError as error:
        raise WebError(404, "There is no such subscription", "It may have been erased.") from error


def _covered(site: Site, scope: Scope) -> list[Subscription]:
    """The subscriptions that an unsubscribe link covers and that still stand."""
    with site.read() as conn:
        if scope.message_id is not None:
            found = ledger.of_messages(conn, [scope.message_id]).get(scope.message_id, [])
            ids = {row.subscription_id for row in found}
        else:
            ids = set(scope.subscription_ids)
        return [each for each in rows.by_ids(conn, ids).values() if each.ended_at is None]
