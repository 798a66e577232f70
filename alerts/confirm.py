"""Tokens of the links in messages, and what they allow. Pure; the pages that act on them (on POST only) are the web's.

A token says what it is for and cannot be used for anything else; it needs no table, and none can be guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

from alerts.compose import links
from alerts.setup import Setup
from alerts.signing import BadTokenError, make_token, read_token

CONFIRM = "confirm"
UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Scope:
    """What an unsubscribe token covers: the subscriptions that a message's rows were for, or those it names itself."""

    message_id: str | None = None
    subscription_ids: tuple[int, ...] = ()


def confirm_link(setup: Setup, subscription_id: int) -> str:
    """The page whose button confirms a subscription."""
    return links.confirm(setup.public_url, make_token(setup.secret, CONFIRM, str(subscription_id)))


def read_confirm(setup: Setup, token: str) -> int:
    """The subscription that a token confirms. Raises BadTokenError."""
    return _number(read_token(setup.secret, CONFIRM, token))


def unsubscribe_link(setup: Setup, scope: Scope) -> str:
    """The page, and the one-click address (RFC 8058), that ends what the scope covers."""
    named = ",".join(map(str, scope.subscription_ids))
    value = f"s/{named}" if scope.message_id is None else f"m/{scope.message_id}"
    return links.unsubscribe(setup.public_url, make_token(setup.secret, UNSUBSCRIBE, value))


def read_unsubscribe(setup: Setup, token: str) -> Scope:
    """Raises BadTokenError."""
    kind, _, value = read_token(setup.secret, UNSUBSCRIBE, token).partition("/")
    if kind == "m":
        return Scope(message_id=value)
    return Scope(subscription_ids=tuple(_number(each) for each in value.split(",")))


def _number(text: str) -> int:
    if not text.isdecimal():
        raise BadTokenError("this link is not valid")
    return int(text)
