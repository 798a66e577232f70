"""The replica's server: standard library only, threaded, on loopback. One port for all sites, a second for the Welsh pages.

Control, as JSON: GET or POST `/_clock` {"at": T}; GET or POST `/_fault` {"kind", "match": part of path and query,
"times", "status", "seconds", "header": {…}} with kind one of FAULTS, or "none", which forgets them all; GET `/_log[?clear=1]`.
The clock (UTC) stands still until it is told to move; backwards works too.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pqwatch.replica.sites import JSON, Reply, reply_to, spoiled
from pqwatch.replica.world import DATA, ReplicaError, World, load

FAULTS = ("challenge", "http", "html200", "json500", "truncated", "slow", "timeout", "none")
MOST_BODY = 100_000  # bytes of a control request


@dataclass
class Stage:
    """What both servers share: the world, the clock, the faults waiting, the log."""

    world: World
    at: datetime
    faults: list[dict[str, Any]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_fault(self, path: str) -> dict[str, Any] | None:
        with self.lock:
            for fault in self.faults:
                if fault["times"] > 0 and fault["match"].lower() in unquote(path).lower():
                    fault["times"] -= 1
                    return fault
        return None

    def control(
        self, method: str, name: str, query: Mapping[str, str], asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        with self.lock:
            if name == "_clock":
                self.at = moment(asked["at"]) if method == "POST" else self.at
                return {"at": _z(self.at), "steps": [_z(step) for step in self.world.steps]}
            if name == "_fault":
                if method == "POST":
                    self._add_fault(asked)
                return {"faults": list(self.faults)}
            if name == "_log":
                log, self.log = self.log, [] if query.get("clear") else self.log
                return {"requests": list(log)}
        raise ReplicaError(f"no such control: {name}")

    def _add_fault(self, asked: Mapping[str, Any]) -> None:
        if asked.get("kind") not in FAULTS:
            raise ReplicaError(f"kind is one of {', '.join(FAULTS)}")
        new = {"match": "", "times": 1, "status": 500, "seconds": 5, "header": {}, **asked}
        self.faults = [] if asked["kind"] == "none" else [*self.faults, new]


def moment(text: str | datetime) -> datetime:
    """A time in UTC; one without a zone is taken as UTC. Raises ReplicaError."""
    try:
        told = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise ReplicaError(f"{text!r} is no time: expected a form such as 2026-03-04T08:00Z") from error
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def _z(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, stage: Stage, *, welsh: bool) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.stage, self.welsh = stage, welsh

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that went away is no error here
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version, server_version, sys_version = "HTTP/1.1", "replica", ""
    server: Server
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
        """The log is `/_log`, not stderr."""

    def do_GET(self) -> None:
        if urlsplit(self.path).path.startswith("/_"):
            self._send(self._control())
            return
        stage = self.server.stage
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = stage.take_fault(self.path)
        reply = reply_to(stage.world, stage.at, self.path, headers, welsh=self.server.welsh)
        reply = spoiled(reply, fault) if fault else reply
        self._note(reply, fault, headers)
        self._send(reply, fault or {})

    def do_POST(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def _control(self) -> Reply:
        parts = urlsplit(self.path)
        try:
            length = min(int(self.headers.get("Content-Length") or 0), MOST_BODY)
            asked = json.loads(self.rfile.read(length) or b"{}")
            told = self.server.stage.control(
                self.command, parts.path.strip("/"), dict(parse_qsl(parts.query)), asked
            )
            status = 200
        except (ReplicaError, ValueError, KeyError, TypeError) as error:
            status, told = 400, {"title": str(error), "status": 400}
        return Reply(status, JSON, json.dumps(told).encode())

    def _note(self, reply: Reply, fault: Mapping[str, Any] | None, headers: Mapping[str, str]) -> None:
        stage = self.server.stage
        entry = {
            "time": round(time.time(), 4),
            "path": self.path,
            "status": reply.status,
            "fault": fault["kind"] if fault else "",
            "clock": _z(stage.at),
            "userAgent": headers.get("user-agent", ""),
            "welsh": self.server.welsh,
        }
        with stage.lock:
            stage.log.append(entry)

    def _send(self, reply: Reply, fault: Mapping[str, Any] | None = None) -> None:
        kind = (fault or {}).get("kind", "")
        if kind in ("slow", "timeout"):
            time.sleep((fault or {})["seconds"])
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(reply.status)
            for name, value in {
                "Content-Type": reply.kind,
                **reply.headers,
                "Content-Length": str(len(reply.body)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            if kind == "truncated":
                self.close_connection = True
            if self.command != "HEAD":
                self.wfile.write(reply.body[: len(reply.body) // 2] if kind == "truncated" else reply.body)


@dataclass
class Replica:
    """The running replica. `url` serves every site, `cy_url` the Welsh pages of TheyWorkForYou."""

    stage: Stage
    url: str
    cy_url: str

    @property
    def log(self) -> list[dict[str, Any]]:
        """Each request: time, path, status, fault, clock, userAgent, welsh."""
        return list(self.stage.log)

    def set_clock(self, at: str | datetime) -> None:
        self.stage.at = moment(at)

    def fault(self, kind: str, **how: Any) -> None:
        """As POST `/_fault`: `fault("challenge", match="/question/", times=99)`; `fault("none")` forgets all."""
        self.stage.control("POST", "_fault", {}, {"kind": kind, **how})

    def settings(self) -> dict[str, str]:
        """The variables that point every source at the replica."""
        return {
            "PQWATCH_PARLIAMENT_URL": self.url,
            "PQWATCH_THEYWORKFORYOU_URL": self.url,
            "PQWATCH_THEYWORKFORYOU_CY_URL": self.cy_url,
            "PQWATCH_PARALLELPARLIAMENT_URL": self.url,
            "PQWATCH_FEEDS": f"{self.url}/feed/",
            "PQWATCH_RATE": "0",
            "PQWATCH_ALLOW_PRIVATE_HOSTS": "1",
        }


@contextmanager
def serve(port: int = 0, at: str | datetime | None = None, *, data: Path = DATA) -> Iterator[Replica]:
    """Serve until the block ends. `port` 0 takes two free ones; else the Welsh pages are at port + 1.

    The clock starts at `at`, or at the end of the fortnight. Raises ReplicaError where a port is taken.
    """
    world = load(data)
    stage = Stage(world, moment(at) if at is not None else world.steps[-1])
    servers: list[Server] = []
    try:
        for number, welsh in ((port, False), (port + 1 if port else 0, True)):
            servers.append(Server(number, stage, welsh=welsh))
        for server in servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        urls = [f"http://127.0.0.1:{server.server_port}" for server in servers]
        yield Replica(stage, urls[0], urls[1])
    except OSError as error:
        if servers and len(servers) == 2:
            raise
        raise ReplicaError(f"cannot listen on port {port + len(servers)}: {error.strerror}") from error
    finally:
        for server in servers:
            server.shutdown() if len(servers) == 2 else None
            server.server_close()
