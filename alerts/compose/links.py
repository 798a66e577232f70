"""Addresses of our own pages and of the official ones. Pure."""

from __future__ import annotations

from urllib.parse import quote

from alerts.compose.clean import safe_link
from storage.records import Record
from storage.shape import url_of


def page(public_url: str, key: str) -> str:
    """Our page of a question."""
    return f"{public_url.rstrip('/')}/{quote(key)}"


def official(record: Record) -> str | None:
    """The page at the source, where it is fit to stand behind a link."""
    return safe_link(url_of(record))


def unsubscribe(public_url: str, token: str) -> str:
    """Shows a page on GET, acts on POST only (RFC 8058)."""
    return f"{public_url.rstrip('/')}/unsubscribe/{token}"


def confirm(public_url: str, token: str) -> str:
    """Shows a page with a button on GET, confirms on POST only."""
    return f"{public_url.rstrip('/')}/confirm/{token}"


def feed(public_url: str, token: str, suffix: str = "atom") -> str:
    return f"{public_url.rstrip('/')}/feeds/{token}.{suffix}"
