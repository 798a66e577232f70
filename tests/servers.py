"""A web server of ours on loopback that does what a test tells it, and a small official API on it."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from tests.pages import item

PATH = "/api/writtenquestions/questions"
FIELDS = {"tabled": "dateTabled", "answered": "dateAnswered", "corrected": "dateAnswerCorrected"}


@dataclass(frozen=True)
class Reply:
    """What the server answers. `cut`: half of the body, then the end. `reset`: the connection breaks off."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: bool = False
    reset: bool = False


Answer = Callable[[str, Mapping[str, str]], Reply]
Change = Callable[[Reply], Reply]


class Site:
    """A running server. `log`: (time, path, headers) of each request."""

    def __init__(self, server: ThreadingHTTPServer, answer: Answer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.answer = answer
        self.log: list[tuple[float, str, dict[str, str]]] = []

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.log if path != "/robots.txt"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]
        headers = {name.lower(): value for name, value in self.headers.items()}
        site.log.append((time.monotonic(), self.path, headers))
        reply = site.answer(self.path, headers)
        time.sleep(reply.delay)
        try:
            self._send(reply)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _send(self, reply: Reply) -> None:
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {
            "Content-Type": "application/json",
            **reply.headers,
            "Content-Length": str(len(reply.body)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
        self.close_connection = self.close_connection or reply.cut


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error here."""


@contextmanager
def serving(answer: Answer) -> Iterator[Site]:
    """Serve until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    site = Site(server, answer)
    server.site = site  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Fault:
    """Done to the next `times` replies whose path has `match` in it."""

    match: str
    change: Change
    times: int


class Api:
    """The official API over `values` (by id), which a test changes as it likes."""

    def __init__(self, *values: dict[str, Any]) -> None:
        self.values = {value["id"]: value for value in values}
        self.faults: list[Fault] = []
        self.total: int | None = None  # in place of the true one
        self.robots: Reply = Reply(404, b"{}")

    def fault(self, change: Change | Reply, match: str = PATH, times: int = 10**6) -> None:
        made = change if callable(change) else (lambda _: change)
        self.faults.append(Fault(match, made, times))

    def __call__(self, path: str, headers: Mapping[str, str]) -> Reply:
        if path == "/robots.txt":
            return self.robots
        reply = self._reply(path)
        for fault in self.faults:
            if fault.times and fault.match in path:
                fault.times -= 1
                return fault.change(reply)
        return reply

    def _reply(self, path: str) -> Reply:
        parts = urlsplit(path)
        if parts.path == PATH:
            return Reply(
                body=orjson.dumps(self._list({name: v[0] for name, v in parse_qs(parts.query).items()}))
            )
        number = parts.path.removeprefix(f"{PATH}/")
        if number.isdigit() and int(number) in self.values:
            return Reply(body=orjson.dumps(item(self.values[int(number)])))
        return Reply(404, b'{"title": "Not Found", "status": 404}')

    def _list(self, asked: Mapping[str, str]) -> dict[str, Any]:
        rows = [
            _cut(value) for _, value in sorted(self.values.items(), reverse=True) if _wanted(value, asked)
        ]
        skip, take = int(asked.get("skip", "0")), int(asked.get("take", "20"))
        total = len(rows) if self.total is None else self.total
        return {"totalResults": total, "results": [item(row) for row in rows[skip : skip + take]]}


def _wanted(value: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    if asked.get("house", "Bicameral") not in ("Bicameral", value["house"]):
        return False
    days = [
        ((value[name] or "")[:10], asked.get(f"{field}WhenFrom"), asked.get(f"{field}WhenTo"))
        for field, name in FIELDS.items()
    ]
    return all((low is None or low <= day) and (high is None or "" < day <= high) for day, low, high in days)


def _cut(value: dict[str, Any]) -> dict[str, Any]:
    """A list row: its texts are cut, without tags."""
    answer = value["answerText"] and value["answerText"].replace("<p>", "").replace("</p>", "")
    short = answer and (answer if len(answer) <= 255 else f"{answer[:255]}...")
    return {
        **value,
        "questionText": value["questionText"][:255],
        "answerText": short,
        "originalAnswerText": "",
        "attachments": [],
    }


def changed(edit: Callable[[Any], Any]) -> Change:
    """A reply whose JSON document was edited in place."""

    def change(reply: Reply) -> Reply:
        document = orjson.loads(reply.body)
        for result in document.get("results", [document]):
            edit(result["value"])
        return replace(reply, body=orjson.dumps(document))

    return change
