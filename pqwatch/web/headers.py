"""What goes with every response: a policy that lets a page load nothing but its own files, and no sniffing or framing."""

from __future__ import annotations

import logging

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pqwatch.web.problems import WebError, answer

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # secret addresses stay here; our own forms keep their origin
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
LARGEST_BODY = 256 * 1024
"""Bytes of a request: forms and subscriptions are far below."""


_PASSED_OVER = 16 * 2**20
"""Bytes of a body that is too large that are read and dropped before it is refused."""

_TOO_LARGE = WebError(413, "The request is too large", f"At most {LARGEST_BODY // 1024} KiB are read.")
_BROKEN = WebError(500, "Something is broken here", "It was written to the log, for the operator.")


class Guarded:
    """Middleware: the headers on every response, no request body beyond LARGEST_BODY, HEAD as GET without its body, and
    an answer also where we fail."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > LARGEST_BODY:
            await exchange.refuse(more=True)
            return
        answered = {**scope, "method": "GET"} if exchange.only_head else scope  # the routes know GET alone
        try:
            await self.app(answered, exchange.receive, exchange.send)
        except ClientDisconnect:
            return  # whoever asked has gone, or was answered that the request is too large
        except TimeoutError as error:  # of a download that nobody takes
            log.warning("%s: %s", _named(scope), error)
            await exchange.end(_BROKEN)
        except Exception:
            log.exception("%s", _named(scope))
            await exchange.end(_BROKEN)


def _named(scope: Scope) -> str:
    """The path as it may stand in a log line."""
    path: str = scope["path"]
    return path.encode("unicode_escape").decode()


class _Exchange:
    """One request and what is answered; what comes after `end` is not sent any more."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self.only_head = scope["method"] == "HEAD"
        self._read, self._started, self._ended = 0, False, False

    async def receive(self) -> Message:
        """The body as it comes; one that grows beyond the limit without having said so is cut off."""
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read <= LARGEST_BODY:
            return message
        await self.refuse(more=message.get("more_body", False))
        return {"type": "http.disconnect"}

    async def refuse(self, *, more: bool) -> None:
        """Answer that the body is too large, once it was read past: who is still sending would see a broken connection."""
        while more and self._read < _PASSED_OVER:
            message = await self._receive()
            self._read += len(message.get("body", b""))
            more = message.get("more_body", False)
        await self.end(_TOO_LARGE)

    async def send(self, message: Message) -> None:
        if self._ended:
            return
        if message["type"] == "http.response.start":
            self._started = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        elif self.only_head:
            message = {**message, "body": b""}
        await self._send(message)

    async def end(self, error: WebError) -> None:
        """Answer with the error; an answer that is under way stays cut off, so that it does not look whole."""
        if not self._started:
            await answer(Request(self._scope), error)(self._scope, self._receive, self.send)
        self._ended = True
