"""Subscriptions as TOML, out and in again."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from alerts.compose.clean import one_line
from alerts.errors import AlertsError
from alerts.setup import Setup
from alerts.subscriptions import Estimate, Request, check, refuse_flood, take
from storage.records import BadKeyError
from storage.store import Store
from storage.subscriptions import Subscription

_LISTS = ("on", "days")
_WORDS = ("query", "to", "every", "at", "name", "note", "notice")


def export_toml(subscriptions: Sequence[Subscription]) -> str:
    """One `[[subscription]]` each, with everything that `subscribe` takes. Ids, tokens and secrets stay here."""
    return "\n".join(_table(subscription) for subscription in subscriptions)


def import_toml(
    store: Store, text: str, *, setup: Setup, now: datetime, estimate: Estimate | None = None
) -> list[Subscription]:
    """Takes every subscription of a file, or none. Raises AlertsError that names the one that is wrong."""
    requests = list(enumerate(read_toml(text), start=1))
    checked = []
    for number, request in requests:
        with _named(number, request):
            checked.append(check(request, setup, now=now))
            refuse_flood(checked[-1], request, estimate)
    made = []
    with store.write() as conn:
        for (number, request), values in zip(requests, checked, strict=True):
            with _named(number, request):
                made.append(take(conn, values, request, setup, now=now))
    return made


@contextmanager
def _named(number: int, request: Request) -> Iterator[None]:
    """What is refused in here is told with its place in the file."""
    try:
        yield
    except (AlertsError, BadKeyError) as error:
        name = f" ({one_line(request.name, 100)})" if request.name else ""
        raise AlertsError(f"subscription {number}{name}: {error}; nothing was imported") from error


def read_toml(text: str) -> list[Request]:
    """The requests of a file. Raises AlertsError for what it does not know."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AlertsError(f"the file is no TOML: {error}") from error
    unknown = sorted(data.keys() - {"subscription"})
    if unknown or not isinstance(data.get("subscription", []), list):
        raise AlertsError(f"expected [[subscription]], not {unknown[0] if unknown else 'subscription'}")
    return [_request(number, table) for number, table in enumerate(data.get("subscription", []), start=1)]


def _table(subscription: Subscription) -> str:
    values: dict[str, Any] = {
        "name": subscription.name,
        "query": subscription.follows or subscription.query,
        "to": subscription.to,
        "on": list(subscription.on),
        "every": subscription.every,
        "at": subscription.at,
        "days": list(subscription.days),
        "note": subscription.note,
        "notice": subscription.notice,
        "expires": subscription.expires_on,
        "confirmed": subscription.confirmed_at is not None,
        "paused": True if subscription.paused_at else None,
    }
    lines = [f"{name} = {_value(value)}" for name, value in values.items() if value not in (None, [])]
    return "\n".join(["[[subscription]]", *lines, ""])


def _value(value: Any) -> str:
    """JSON's strings, lists of them and booleans are TOML's; its escapes are a subset, but for the delete character."""
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _request(number: int, table: Any) -> Request:
    if not isinstance(table, dict):
        raise AlertsError(f"subscription {number}: expected a table")
    known = {field.name for field in fields(Request)} - {"from_web"}
    for name, value in table.items():
        if name not in known:
            raise AlertsError(
                f"subscription {number}: {name} is not known; expected {', '.join(sorted(known))}"
            )
        if not _fits(name, value):
            raise AlertsError(f"subscription {number}: {name} = {value!r} is not of the right kind")
    missing = [name for name in ("query", "to") if name not in table]
    if missing:
        raise AlertsError(f"subscription {number}: {missing[0]} is missing")
    return Request(**table)


def _fits(name: str, value: Any) -> bool:
    if name in _WORDS:
        return isinstance(value, str)
    if name in _LISTS:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if name == "expires":
        return isinstance(value, date) and not isinstance(value, datetime)
    return isinstance(value, bool)
