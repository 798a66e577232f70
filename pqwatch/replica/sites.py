"""Which site a request belongs to, and what it answers at a moment; and what a fault makes of that. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pqwatch.replica import feed, parallelparliament, parliament, theyworkforyou
from pqwatch.replica.world import World

HTML, JSON, RSS = (
    "text/html; charset=utf-8",
    "application/json; charset=utf-8",
    "application/rss+xml; charset=UTF-8",
)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    kind: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def reply_to(world: World, at: datetime, target: str, headers: Mapping[str, str], *, welsh: bool) -> Reply:
    """The page for a path and query: which site it belongs to follows from the path alone."""
    parts = urlsplit(target)
    query = parse_qsl(parts.query, keep_blank_values=True)
    base = f"http://{headers.get('host', '127.0.0.1')}"
    if parts.path == "/robots.txt":
        rules = "".join(f"Disallow: {path}\n" for path in theyworkforyou.ROBOTS)
        return Reply(200, "text/plain; charset=utf-8", f"# All crawlers\nUser-agent: *\n{rules}".encode())
    if (section := parts.path.strip("/")) in ("wrans", "spwrans"):
        return _page(theyworkforyou.get(world, section, dict(query), at, welsh=welsh))
    if welsh:
        return _page((404, "<h1>Not found</h1>"))
    if parts.path.lower().startswith(parliament.PATH):
        return _api(world, at, parts.path, query)
    if parts.path.rstrip("/") == "/feed":
        return _feed(world, at, dict(query), headers, base)
    for post in world.posts(at):
        if parts.path.strip("/") == post.slug:
            return _page((200, feed.page(world, post)))
    return _page(parallelparliament.get(world, parts.path, dict(query), at))


def _page(answer: tuple[int, str]) -> Reply:
    return Reply(answer[0], HTML, answer[1].encode())


def _api(world: World, at: datetime, path: str, query: list[tuple[str, str]]) -> Reply:
    status, kind = 200, JSON
    try:
        answer: dict[str, Any] = parliament.answer(world, path, query, at)
    except parliament.ApiFault as fault:
        status, kind = fault.status, "application/problem+json"
        answer = {"type": "https://tools.ietf.org/html/rfc7231", "title": str(fault), "status": fault.status}
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, kind, body, {"Cache-Control": "public,max-age=30"})


def _feed(
    world: World, at: datetime, query: Mapping[str, str], headers: Mapping[str, str], base: str
) -> Reply:
    posts = world.posts(at)
    etag, last = feed.validators(posts)
    known = {"ETag": etag, "Last-Modified": last}
    if feed.unchanged(headers, etag, last):
        return Reply(304, RSS, b"", known)
    text = feed.rss(world, posts, base, int(query["paged"]) if query.get("paged", "").isdigit() else 1)
    return Reply(200, RSS, text.encode(), known) if text is not None else _page((404, "<h1>Not found</h1>"))


def spoiled(reply: Reply, fault: Mapping[str, Any]) -> Reply:
    """The reply with the fault done to it. `slow`, `timeout` and `truncated` are done while it is sent."""
    kind, extra = fault["kind"], dict(fault["header"])
    if kind == "challenge":
        page = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
        return Reply(403, HTML, page.encode(), {"Cf-Mitigated": "challenge", "Server": "cloudflare", **extra})
    if kind == "http":
        return Reply(
            fault["status"], HTML, b"<!DOCTYPE html><title>Server Error</title><h1>Server Error</h1>", extra
        )
    if kind == "html200":
        return Reply(
            200, HTML, b"<!DOCTYPE html><title>Site maintenance</title><h1>Site maintenance</h1>", extra
        )
    if kind == "json500":
        return Reply(
            200, JSON, b'{"status":500,"title":"An error occurred while processing your request."}', extra
        )
    return Reply(reply.status, reply.kind, reply.body, {**reply.headers, **extra})
