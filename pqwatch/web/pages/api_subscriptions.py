"""The HTTP API for subscriptions, `/api/v1/subscriptions`: made by anybody as on the web, read and ended with their own token."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from alerts import lifecycle, subscriptions
from alerts.reporting import deliveries_shape, subscription_details, subscription_shape
from pqwatch.web import shapes
from pqwatch.web.api import ERRORS, Token, is_operator, of_token, owned, private, token_of
from pqwatch.web.forms import visitor_of
from pqwatch.web.problems import WebError
from pqwatch.web.shapes import NewSubscription
from pqwatch.web.signup import take
from pqwatch.web.site import OfSite
from storage import ledger
from storage import subscriptions as rows

router = APIRouter(prefix="/api/v1", tags=["subscriptions"], responses=ERRORS)
Id = Annotated[int, Path(ge=1, lt=2**63)]
_SAID = (
    "If the address may be written to, a mail was sent to it; the subscription begins when it is confirmed."
)


@router.post(
    "/subscriptions",
    status_code=201,
    responses={201: {"model": shapes.MadeSubscription}, 202: {"model": shapes.Waiting}},
    openapi_extra={"security": [{}, {"token": []}]},
)
def create(request: Request, site: OfSite, wanted: NewSubscription) -> Response:
    """Subscribe. Without the operator's token, as on the web: a mail address is asked to confirm first (202)."""
    operator = is_operator(site, token_of(request))
    if not operator:
        if wanted.confirmed or wanted.force:
            raise WebError(401, "A token is needed", "`confirmed` and `force` are for the operator.",
                           headers={"WWW-Authenticate": "Bearer"})  # fmt: skip
        site.limits.sign_ups.check(visitor_of(request))
    made = take(site, subscriptions.Request(**wanted.model_dump(), from_web=True))
    if not operator and wanted.to.strip().lower().startswith("mailto:"):
        return private(request, {"confirmed": False, "detail": _SAID}, status=202)
    if made is None:
        raise WebError(
            422, "That cannot be done", "The address must not be written to, or was asked too often."
        )
    told = {**subscription_shape(made, site.setup, with_secret=True), "token": made.token}
    return private(request, told, status=201)


@router.get("/subscriptions", responses={200: {"model": shapes.SubscriptionsShape}})
def listed(request: Request, site: OfSite, token: Token) -> Response:
    """With the operator's token all subscriptions; with a subscription's own, that one."""
    with site.read() as conn:
        found = rows.every(conn) if is_operator(site, token) else [of_token(conn, token)]
    items = [subscription_details(each, site.setup) for each in found]
    return private(request, {"total": len(items), "items": items})


@router.get("/subscriptions/{number}", responses={200: {"model": shapes.SubscriptionDetails}})
def one(request: Request, site: OfSite, token: Token, number: Id) -> Response:
    """One subscription."""
    with site.read() as conn:
        return private(request, subscription_details(owned(conn, site, number, token), site.setup))


@router.delete("/subscriptions/{number}", status_code=204, response_class=Response)
def end(site: OfSite, token: Token, number: Id) -> Response:
    """End a subscription: nothing that waits is sent any more. A second time changes nothing."""
    with site.read() as conn:
        owned(conn, site, number, token)
    lifecycle.remove(site.store, str(number), now=site.now)
    return Response(status_code=204)


@router.get("/subscriptions/{number}/deliveries", responses={200: {"model": shapes.DeliveriesShape}})
def deliveries(
    request: Request,
    site: OfSite,
    token: Token,
    number: Id,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    after: Annotated[int | None, Query(description="`next` of the page before", ge=1, lt=2**63)] = None,
) -> Response:
    """What was sent, when and why, the newest first."""
    with site.read() as conn:
        found = owned(conn, site, number, token)
        sent = ledger.listed(conn, subscription_id=found.id, before=after, limit=limit + 1)
        items = deliveries_shape(conn, sent[:limit], site.setup)
        total = ledger.count_of(conn, found.id)
    rest: dict[str, Any] = {"next": str(sent[limit - 1].id) if len(sent) > limit else None}
    return private(request, {"total": total, "items": items, **rest})
