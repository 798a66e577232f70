"""Subscribing in three steps: words, with a preview of the last 12 months; kinds, channel and rhythm; look it over and send.

Each step is a page of its own and carries what was chosen before; nothing is stored until the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from threading import BoundedSemaphore
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.responses import Response

from alerts import subscriptions
from alerts.errors import AlertsError
from alerts.hearing import ALL_ON, DEFAULT_ON
from alerts.preview import Preview, lately, preview
from alerts.query import QueryError, parse
from alerts.schedule import DAYS
from pqwatch.web import charts, render
from pqwatch.web.forms import OfForm, check_form, form_token, set_cookie, text, visitor_of
from pqwatch.web.marks import marks
from pqwatch.web.pages.manage import manage_path
from pqwatch.web.problems import WebError
from pqwatch.web.signup import refuse_flood, take
from pqwatch.web.site import OfSite, Site
from storage.records import BadKeyError

router = APIRouter(include_in_schema=False)
_PATIENCE = 10.0
"""Seconds that a preview waits for its turn."""

_CHANNELS = (
    ("mail", "By mail"),
    ("feed", "A private feed (Atom, JSON Feed), nothing else"),
    ("webhook", "A webhook (https)"),
)


@router.get("/subscribe")
def words(request: Request, site: OfSite, q: Annotated[str, Query(max_length=4_000)] = "") -> Response:
    """Step 1 and 2: the words with their preview, then how to hear of them."""
    values = _step(site, q)
    if q:
        site.limits.previews.check(visitor_of(request))
        values.update(_previewed(site, q))
    return _page(request, site, "subscribe.html", values)


@router.post("/subscribe/check")
def check(request: Request, site: OfSite, form: OfForm) -> Response:
    """Step 3: everything once more, before anything is stored."""
    check_form(request, site, form)
    site.limits.previews.check(visitor_of(request))
    wish = _wish(form)
    if form.get("change"):
        return _page(request, site, "subscribe.html", _again(site, wish))
    try:
        checked = subscriptions.check(wish, site.setup, now=site.now)
        refuse_flood(site, checked.query, wish)
    except (AlertsError, BadKeyError) as error:
        values = {**_again(site, wish), "error": str(error)}
        return _page(request, site, "subscribe.html", values, status=422)
    values = {"wish": wish, "query": checked.values["query"], "usual": DEFAULT_ON}
    return _page(request, site, "subscribe_check.html", values)


@router.post("/subscribe")
def subscribe(request: Request, site: OfSite, form: OfForm) -> Response:
    """Takes the subscription. What is said of a mail address is the same whether it is known or not."""
    check_form(request, site, form)
    site.limits.sign_ups.check(visitor_of(request))
    wish = _wish(form)
    made = take(site, wish)
    if wish.to.startswith("mailto:"):
        return _page(
            request,
            site,
            "subscribed.html",
            {"mail": wish.to.removeprefix("mailto:"), "made": None, "manage": None},
        )
    values = {"mail": None, "made": made, "manage": manage_path(site, made) if made else None}
    return _page(
        request, site, "subscribed.html", {**values, "feed": site.setup.public_url.rstrip("/") + "/feeds/"}
    )


def _wish(form: FormData) -> subscriptions.Request:
    """What the form asks for. Raises WebError where a field is no text, AddressError for a bad address."""
    channel, address = text(form, "channel", 20), text(form, "address", 2_000)
    to = {"mail": f"mailto:{address}", "webhook": address, "feed": "feed:"}.get(channel)
    if to is None:
        raise WebError(422, "The form cannot be read", "The channel is mail, webhook or feed.")
    expires = text(form, "expires", 10)
    try:
        last = date.fromisoformat(expires) if expires else None
    except ValueError as error:
        raise WebError(422, "The form cannot be read", f"{expires} is no date.") from error
    return subscriptions.Request(
        query=text(form, "q"),
        to=to,
        on=[str(each) for each in form.getlist("on")],
        every=text(form, "every", 20) or "instant",
        at=text(form, "at", 5) or "07:00",
        days=[str(each) for each in form.getlist("days")],
        note=text(form, "note", 500) or None,
        notice=text(form, "notice", 20) or None,
        expires=last,
        from_web=True,
    )


@dataclass(frozen=True, slots=True)
class _Fault:
    """A query that cannot be read: what is wrong, and where (column from 1, or null)."""

    message: str
    column: int | None


def _step(site: Site, q: str) -> dict[str, Any]:
    channels = [each for each in _CHANNELS if each[0] != "mail" or site.setup.smtp_url]
    return {
        "q": q,
        "fault": None,
        "error": None,
        "seen": None,
        "recent": [],
        "wish": None,
        "kinds": ALL_ON,
        "usual": DEFAULT_ON,
        "days": DAYS,
        "channels": channels,
        "channel": channels[0][0],
    }


def _again(site: Site, wish: subscriptions.Request) -> dict[str, Any]:
    """Steps 1 and 2 with what was chosen."""
    channel = "mail" if wish.to.startswith("mailto:") else "feed" if wish.to == "feed:" else "webhook"
    return {**_step(site, wish.query), **_previewed(site, wish.query), "wish": wish, "channel": channel}


def _previewed(site: Site, q: str) -> dict[str, Any]:
    """The preview of the last 12 months and what came in the last 14 days, or what is wrong with the query."""
    try:
        followed, asked = subscriptions.followed(q)
        query = parse(asked, site.setup.topics)
    except QueryError as error:
        return {"fault": _Fault(str(error), error.column)}
    except BadKeyError as error:
        return {"fault": _Fault(str(error), None)}
    if followed:
        return {"seen": None, "followed": followed}
    with _place(site.limits.previewing), site.read() as conn:
        seen = preview(conn, query, site.setup, now=site.now)
        recent = lately(conn, query, frozenset(DEFAULT_ON), site.setup, now=site.now)
    samples = [(each, marks(each.record, query, site.today)) for each in seen.samples]
    return {"seen": seen, "recent": recent, "samples": samples, "chart": _chart(seen) if seen.hits else None}


@contextmanager
def _place(places: BoundedSemaphore) -> Iterator[None]:
    """One of the previews that may run at once: that of a common word looks at thousands of questions. Raises WebError (503)."""
    if not places.acquire(timeout=_PATIENCE):
        raise WebError(
            503, "Too many previews at once", "Try again in a minute.", headers={"Retry-After": "60"}
        )
    try:
        yield
    finally:
        places.release()


def _chart(seen: Preview) -> Markup:
    labels = [render.month(name)[:3] for name, _ in seen.months]
    return charts.stacked("Hits a month", labels, {"Hits": [hits for _, hits in seen.months]})


def _page(request: Request, site: Site, template: str, values: dict[str, Any], status: int = 200) -> Response:
    cookie, token = form_token(request, site)
    given = {"token": token, "followed": None, **values}
    headers = {"cache-control": "private, no-cache"}
    response = render.page(request, template, given, status=status, headers=headers)
    set_cookie(response, site, cookie)
    return response
