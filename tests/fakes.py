"""Servers and makers that stand in for the world in tests: real sockets on loopback, no mocks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.smtp import SMTP

from alerts.setup import Setup
from storage.records import Body, Content, House, Member, Observation, PageRef, key_of

NOW = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
"""A Monday morning, a sitting day."""


# --- a mail server ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Mailbox:
    """What a server took. `rule` gives its answer to RCPT or DATA; null: 250. `hang` and `drop` are answers too."""

    port: int = 0
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    rule: Callable[[str, str], str | None] = lambda _stage, _address: None
    utf8: bool = True

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def of(self, address: str) -> list[EmailMessage]:
        return [message for to, message in self.taken if to == address]


class _Handler:
    def __init__(self, box: Mailbox) -> None:
        self.box = box

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        answer = await self._answer(server, "rcpt", address)
        if answer is None or answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        (address,) = envelope.rcpt_tos
        answer = await self._answer(server, "data", address)
        if answer is None or answer.startswith(("250", "taken")):
            message = message_from_bytes(envelope.original_content, policy=policy.default)
            self.box.raw.append(envelope.original_content)
            self.box.taken.append((address, message))
        if answer == "taken, then dropped":
            server.transport.abort()
        return answer if answer and answer[0].isdigit() else "250 OK"

    async def _answer(self, server: Any, stage: str, address: str) -> str | None:
        answer = self.box.rule(stage, address)
        if answer == "hang":
            await asyncio.sleep(30)
        if answer == "drop":
            server.transport.abort()
        return answer


@contextlib.contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A real SMTP server on loopback."""
    box = Mailbox()
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    protocols: list[Any] = []

    def factory() -> SMTP:
        protocol = SMTP(_Handler(box), enable_SMTPUTF8=box.utf8, loop=loop, timeout=60)
        protocols.append(protocol)
        return protocol

    def serve() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(loop.create_server(factory, "127.0.0.1", 0))
        box.port = server.sockets[0].getsockname()[1]
        ready.set()
        loop.run_forever()
        server.close()
        for protocol in protocols:
            if protocol.transport is not None:
                protocol.transport.abort()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


# --- a receiver of webhooks ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """What an HTTP server was sent. `rule` gives status, headers and how the body is written."""

    port: int = 0
    calls: list[Call] = field(default_factory=list)
    rule: Callable[[Call], tuple[int, dict[str, str]]] = lambda _call: (200, {})
    body: Callable[[Any], None] | None = None  # writes the answer itself

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """A real HTTP server on loopback that takes POSTs."""
    box = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            call = Call(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            box.calls.append(call)
            if box.body is not None:
                with contextlib.suppress(OSError):
                    box.body(self.wfile)
                return
            status, headers = box.rule(call)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    box.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def silent_port() -> int:
    """A port on loopback at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


# --- settings and questions ---------------------------------------------------------------------------------------


def make_setup(**changes: Any) -> Setup:
    values: dict[str, Any] = {
        "secret": "not a secret",
        "mail_from": "alerts@pqwatch.example",
        "smtp_url": "smtp://127.0.0.1:1",
        "public_url": "https://pqwatch.example",
        "allow_private_hosts": True,
        "limit": 3.0,
        **changes,
    }
    return Setup(**values)


def make_content(**changes: Any) -> Content:
    """A tabled Commons question about county lines; change what matters."""
    values: dict[str, Any] = {
        "house": House.COMMONS,
        "uin": "34567",
        "tabled_on": date(2025, 2, 24),
        "due_on": date(2025, 3, 3),
        "heading": "Drugs: Organised Crime",
        "answering_body": Body("Home Office", 1),
        "asking_member": Member("Ada Moss", 4001, "Independent", "North Fell"),
        "question_text": "To ask the Secretary of State how many county lines were closed in each of the last five years.",
        **changes,
    }
    return Content(**values)


def answered(content: Content | None = None, **changes: Any) -> Content:
    """The same with a substantive answer."""
    from dataclasses import replace

    base = content or make_content()
    values: dict[str, Any] = {
        "answer_text": "The police closed 1,200 county lines in 2024. Seizures of cocaine rose by 12 per cent.",
        "answer_html": "<p>The police closed 1,200 county lines in 2024. Seizures of cocaine rose by 12 per cent.</p>",
        "answering_member": Member("Iris Vane", 4002, "Labour", "South Fell"),
        "answered_on": date(2025, 3, 3),
        **changes,
    }
    return replace(base, **values)


def observation(content: Content, observed_at: datetime, **changes: Any) -> Observation:
    """What the official source shows of it, whole."""
    house, tabled, uin = content.house, content.tabled_on, content.uin
    assert house is not None
    assert tabled is not None
    assert uin is not None
    number = int("".join(c for c in uin if c.isdigit()))
    values: dict[str, Any] = {
        "source": "parliament",
        "source_id": str(number),
        "url": f"https://questions-statements-api.parliament.uk/api/writtenquestions/questions/{number}",
        "key": key_of(house, tabled, uin),
        "observed_at": observed_at,
        "content": content,
        "seen": frozenset(name for name in Content.__slots__ if name != "lapsed"),
        "page": PageRef("0" * 64),
        "official_id": number,
        **changes,
    }
    return Observation(**values)
