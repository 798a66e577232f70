"""`https://…` posts one JSON body a version, signed as Standard Webhooks tells, in the order of events.

Redirects are not followed; the whole exchange has a time limit and the answer a size limit.
"""

from __future__ import annotations

import contextlib
import http.client
import ssl
from importlib.metadata import version
from urllib.parse import SplitResult, urlsplit

from alerts.address import web_address
from alerts.channel import Channel, Form, Outgoing, PermanentError, TemporaryError
from alerts.compose.webhook import event_body
from alerts.deadline import Watchdog
from alerts.guard import RefusedHostError, check_literal, connect
from alerts.setup import Setup
from alerts.signing import sign_webhook

PAUSES = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
"""Seconds before each retry, as `interface.md` promises; after the last the subscription is paused."""

_LONGEST_ANSWER = 64 * 1024
_REFUSED = {410: "the receiver says that it is gone"}


class WebhookSender:
    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def send(self, outgoing: Outgoing) -> None:
        if outgoing.secret is None:
            raise PermanentError("the subscription has no secret to sign with")
        parts = urlsplit(outgoing.to)
        try:
            status, after = self._post(parts, outgoing, outgoing.secret)
        except RefusedHostError as error:
            raise TemporaryError(str(error)) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TemporaryError(_reason(error)) from error
        _judge(status, after)

    def _post(self, parts: SplitResult, outgoing: Outgoing, secret: str) -> tuple[int, str | None]:
        setup = self._setup
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        connection = http.client.HTTPConnection(host, port, timeout=setup.limit)
        sock = connect(host, port, setup.limit, allow_private=setup.allow_private_hosts)
        with contextlib.closing(connection), Watchdog(sock, setup.limit) as watchdog:
            connection.sock = sock
            if parts.scheme == "https":
                connection.sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
                watchdog.watch(connection.sock)
            headers = _headers(outgoing, secret, int(setup.clock().timestamp()))
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, outgoing.payload, {"Host": parts.netloc, **headers})
            answer = connection.getresponse()
            answer.read(_LONGEST_ANSWER)
            return answer.status, answer.getheader("Retry-After")

    def close(self) -> None:
        """Nothing is kept open: the next message may go to another address."""


def _headers(outgoing: Outgoing, secret: str, timestamp: int) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": f"pqwatch/{version('pqwatch')}",
        "Connection": "close",
        "webhook-id": outgoing.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign_webhook(secret, outgoing.id, timestamp, outgoing.payload),
    }


def _judge(status: int, after: str | None) -> None:
    if 200 <= status < 300:
        return
    if status in _REFUSED:
        raise PermanentError(f"HTTP {status}: {_REFUSED[status]}", dead=True)
    if 300 <= status < 400:
        raise TemporaryError(f"HTTP {status}: redirects are not followed")
    raise TemporaryError(f"HTTP {status}", after=float(after) if after and after.isdigit() else None)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer within the time limit"
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def check(text: str, setup: Setup) -> str:
    """https only; http where private hosts are allowed. Numeric private hosts are refused here already."""
    schemes = ("https", "http") if setup.allow_private_hosts else ("https",)
    address = web_address(text, schemes)
    check_literal(urlsplit(address).hostname or "", allow_private=setup.allow_private_hosts)
    return address


CHANNEL = Channel(
    name="webhook",
    claims=lambda scheme: scheme in ("https", "http"),
    check=check,
    compose=event_body,
    sender=WebhookSender,
    form=Form.EVENT,
    from_web=True,
    network=True,
    pauses=PAUSES,
    jitter=False,
    mail_ids=False,
)
