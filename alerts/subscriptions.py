"""Subscribing: what a request must be, what is refused, and what becomes of it.

A subscription begins when it is confirmed. Its query never changes; to ask something else is to subscribe anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from alerts.channel import Form, channel_of
from alerts.compose import notes
from alerts.compose.clean import one_line
from alerts.confirm import confirm_link
from alerts.errors import AlertsError
from alerts.hearing import ALL_ON, DEFAULT_ON
from alerts.lifecycle import PAUSED
from alerts.posting import host_of, message_id
from alerts.problems import SOURCE, subscription_url
from alerts.query import parse
from alerts.schedule import DAYS, Every, Notice, parse_rhythm
from alerts.setup import Setup
from alerts.signing import address_hash, new_token, new_webhook_secret
from alerts.tree import Query, to_json
from storage import erasing, messages, suppressions
from storage import subscriptions as rows
from storage.records import parse_key
from storage.store import Store
from storage.subscriptions import Subscription

MOST_A_DAY = 30.0
"""Items a day beyond which nobody is served at once: a daily or weekly digest, or `--force`."""

Estimate = Callable[[Query, frozenset[str]], float]
"""Items a day, on average over the last year, that a query would have sent for these kinds."""


class RefusedError(AlertsError):
    """A subscription that is not taken; the message says why and what would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks for, as typed. Empty `on`: the default kinds. `query` may be a KEY: that question is followed."""

    query: str
    to: str
    on: Sequence[str] = ()
    every: str = "instant"
    at: str = "07:00"
    days: Sequence[str] = ()
    name: str | None = None
    note: str | None = None
    expires: date | None = None
    notice: str | None = None
    confirmed: bool = False
    paused: bool = False
    force: bool = False
    from_web: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that may be taken: the columns of its row."""

    query: Query
    values: dict[str, Any] = field(default_factory=dict)


def subscribe(
    store: Store, request: Request, *, setup: Setup, now: datetime, estimate: Estimate | None = None
) -> Subscription:
    """Takes a subscription, and puts the confirmation mail that it may need with the messages to be sent.

    Raises AlertsError (QueryError with a column among them) where it is not taken. Give `estimate` to have it
    refused when it would flood its reader.
    """
    checked = check(request, setup, now=now)
    refuse_flood(checked, request, estimate)
    with store.write() as conn:
        return take(conn, checked, request, setup, now=now)


def take(
    conn: Connection, checked: Checked, request: Request, setup: Setup, *, now: datetime
) -> Subscription:
    """Writes a checked request down. Raises RefusedError for an address that must not be written to or a name that is taken."""
    if suppressions.stands(conn, address_hash(checked.values["to"])) and not request.confirmed:
        raise RefusedError("this address asked not to be written to, or mail to it came back")
    name = free_name(conn, request.name, request.query)
    _take_over(conn, name, now)
    subscription = rows.add(conn, {**checked.values, "name": name})
    if subscription.begins_at is None:
        _ask(conn, subscription, setup, now)
    elif request.confirmed:
        suppressions.lift(conn, address_hash(subscription.to))
    return subscription


def check(request: Request, setup: Setup, *, now: datetime) -> Checked:
    """The row that a request becomes. Raises AlertsError. Looks nothing up."""
    channel = channel_of(request.to)
    if request.from_web and not channel.from_web:
        raise RefusedError("from the web only mailto:, https: and feed: are taken")
    to = channel.check(request.to, setup)
    follows, text = followed(request.query)
    query = parse(text, setup.topics)
    parse_rhythm(request.every, request.at, list(request.days))
    if request.notice is not None:
        _check_notice(request.notice, channel.form)
    if request.expires is not None and request.expires < now.astimezone(setup.zone).date():
        raise RefusedError(f"expires {request.expires}: that day is past")
    begins = now if request.confirmed or not channel.confirm else None
    values: dict[str, Any] = {
        "note": one_line(request.note, 500) if request.note else None,
        "query": text,
        "tree": to_json(query.tree),
        "to": to,
        "on": _kinds(request.on),
        "every": request.every,
        "at": request.at,
        "days": [day for day in DAYS if day in {name.lower() for name in request.days}],
        "notice": request.notice,
        "follows": follows,
        "created_at": now,
        "confirmed_at": begins,
        "begins_at": begins,
        "expires_on": request.expires,
        "paused_at": now if request.paused else None,
        "paused_because": PAUSED if request.paused else None,
        "token": new_token(),
        "secret": new_webhook_secret() if channel.form is Form.EVENT else None,
    }
    return Checked(query, values)


def confirm(store: Store, subscription_id: int, *, now: datetime) -> Subscription:
    """The receiver agreed. A second time changes nothing. Raises NoSuchSubscriptionError."""
    with store.write() as conn:
        found = rows.by_id(conn, subscription_id)
        if found.confirmed_at is None and found.ended_at is None:
            rows.change(conn, [found.id], confirmed_at=now, begins_at=now)
        return rows.by_id(conn, subscription_id)


def free_name(conn: Connection, wanted: str | None, query: str) -> str:
    """The wanted name, which no subscription that stands may have, or one made from the query. Raises RefusedError."""
    if wanted is not None:
        name = one_line(wanted, 100)
        if not name or name.isdecimal():
            raise RefusedError(f"name {wanted!r}: a name holds letters")
        if (other := rows.named(conn, name)) is not None and other.ended_at is None:
            raise RefusedError(f"there is a subscription {name!r} already")
        return name
    base = one_line(query, 60) if not query.isdecimal() else f"“{query}”"
    number, name = 1, base
    while rows.named(conn, name) is not None:
        number += 1
        name = f"{base} ({number})"
    return name


def _take_over(conn: Connection, name: str, now: datetime) -> None:
    """One that is over leaves its name to the new one; the problems that it had go by that name, and go with it."""
    if (over := rows.named(conn, name)) is not None:
        erasing.erase_problem(conn, SOURCE, subscription_url(name), now=now)
        rows.change(conn, [over.id], name=free_name(conn, None, f"{name}, ended"))


def may_sign_up(conn: Connection, wanted: Checked, *, since: datetime, most: int = 3) -> bool:
    """Whether an address may be asked to confirm: once for the same alert, and `most` times in all unanswered since then."""
    asked = rows.unconfirmed_since(conn, wanted.values["to"], since)
    return len(asked) < most and not any(_is_same(each, wanted) for each in asked)


def _is_same(asked: Subscription, wanted: Checked) -> bool:
    values = wanted.values
    lists = all(list(getattr(asked, name)) == values[name] for name in ("on", "days"))
    return lists and all(getattr(asked, name) == values[name] for name in ("query", "every", "at"))


def followed(text: str) -> tuple[str | None, str]:
    """(key, query): a KEY alone follows that question."""
    stripped = text.strip()
    if "/" not in stripped or any(c.isspace() or c in '":()' for c in stripped):
        return None, text
    key = parse_key(stripped)
    return key, f"key:{key}"


def _kinds(on: Sequence[str]) -> list[str]:
    wrong = [name for name in on if name not in ALL_ON]
    if wrong:
        raise RefusedError(f"on {wrong[0]!r}: expected some of {','.join(ALL_ON)}")
    return [str(kind) for kind in (dict.fromkeys(on) or DEFAULT_ON)]


def _check_notice(notice: str, form: Form) -> None:
    if notice not in set(Notice):
        raise RefusedError(f"notice {notice!r}: expected one of {', '.join(Notice)}")
    if form is not Form.LETTER:
        raise RefusedError("a notice that all is well goes to people: mail, file, stdout or chat")


def refuse_flood(checked: Checked, request: Request, estimate: Estimate | None) -> None:
    """Raises RefusedError for what would flood its reader, unless it is insisted on. Without `estimate` nobody knows."""
    if estimate is None or request.force or request.every in (Every.DAILY, Every.WEEKLY):
        return
    a_day = estimate(checked.query, frozenset(checked.values["on"]))
    if a_day > MOST_A_DAY:
        raise RefusedError(
            f"this query would send about {a_day:.0f} items a day, more than {MOST_A_DAY:.0f}: "
            "make it narrower, choose --every daily or weekly, or insist with --force"
        )


def _ask(conn: Connection, subscription: Subscription, setup: Setup, now: datetime) -> None:
    """The one mail that an address gets before anybody confirmed it."""
    name = message_id(True, ["confirm", str(subscription.id), subscription.token], host_of(setup))
    letter = notes.confirmation(
        subscription, confirm_link(setup, subscription.id), name, setup, composed_at=setup.clock()
    )
    messages.add(conn, name, subscription.to, channel_of(subscription.to).compose(letter), now=now)
