"""Taking a subscription from a visitor: by the form or by the HTTP API, with the same checks."""

from __future__ import annotations

from datetime import timedelta

from alerts import subscriptions
from alerts.hearing import DEFAULT_ON
from alerts.preview import estimate
from alerts.schedule import Every
from alerts.subscriptions import RefusedError
from alerts.tree import Query
from pqwatch.web.site import Site
from storage.subscriptions import Subscription

_DAYS = 1
"""How long an unanswered sign-up counts against its address."""


def take(site: Site, wish: subscriptions.Request) -> Subscription | None:
    """None for a mail address that must not be asked (again): who asks is not told. Raises AlertsError."""
    checked = subscriptions.check(wish, site.setup, now=site.now)
    refuse_flood(site, checked.query, wish)
    mail = checked.values["to"].startswith("mailto:")
    with site.read() as conn:
        if wish.name is not None:
            subscriptions.free_name(conn, wish.name, wish.query)
        since = site.now - timedelta(days=_DAYS)
        if mail and not wish.confirmed and not subscriptions.may_sign_up(conn, checked, since=since):
            return None
    try:
        return subscriptions.subscribe(site.store, wish, setup=site.setup, now=site.now)
    except RefusedError:
        if mail:
            return None
        raise


def refuse_flood(site: Site, query: Query, wish: subscriptions.Request) -> None:
    """Raises RefusedError for what would send its reader more than a day can hold."""
    if wish.force or wish.every in (Every.DAILY, Every.WEEKLY):
        return
    with site.read() as conn:
        a_day = estimate(conn, query, frozenset(wish.on or DEFAULT_ON), site.setup, now=site.now)
    if a_day > subscriptions.MOST_A_DAY:
        raise RefusedError(
            f"This would send about {a_day:.0f} items a day: make it narrower, or choose daily or weekly."
        )
