"""Signatures: of webhooks (Standard Webhooks, https://www.standardwebhooks.com) and of the tokens in links."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from alerts.errors import AlertsError


class BadTokenError(AlertsError):
    """A token of a link that was not made here, or not for this purpose."""


def new_webhook_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def new_token() -> str:
    """An unguessable word for a private address."""
    return secrets.token_urlsafe(24)


def sign_webhook(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature`: `v1,` and base64 of HMAC-SHA256 over "id.timestamp.body"."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def make_token(secret: str, purpose: str, value: str) -> str:
    """A word for a link that carries `value` and can be read back for this purpose only."""
    packed = base64.urlsafe_b64encode(value.encode()).rstrip(b"=").decode()
    return f"{packed}.{_seal(secret, purpose, value)}"


def read_token(secret: str, purpose: str, token: str) -> str:
    """The value inside. Raises BadTokenError."""
    packed, _, seal = token.partition(".")
    try:
        value = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise BadTokenError("this link is not complete") from error
    if not hmac.compare_digest(seal.encode(), _seal(secret, purpose, value).encode()):
        raise BadTokenError("this link is not valid")
    return value


def address_hash(address: str) -> str:
    """What remains of an address that must not be kept: SHA-256 of its lower-case form."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()


def _seal(secret: str, purpose: str, value: str) -> str:
    digest = hmac.new(secret.encode(), f"{purpose}\n{value}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:20]).rstrip(b"=").decode()
