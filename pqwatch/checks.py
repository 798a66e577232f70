"""What each setting accepts: a check returns the canonical spelling or raises ValueError(what is allowed). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo


def free(value: str) -> str:
    return value.strip()


def web_url(value: str) -> str:
    try:
        parts = urlsplit(value.strip())
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is none, brackets that do not close
        fits = False
    if not fits:
        raise ValueError("an http:// or https:// address")
    return value.strip().rstrip("/")


def web_urls(value: str) -> str:
    """Addresses parted by commas; kept as written, because a feed's final slash matters."""
    addresses = [part.strip() for part in value.split(",") if part.strip()]
    for address in addresses:
        try:
            web_url(address)
        except ValueError:
            raise ValueError("http:// or https:// addresses, separated by commas") from None
    return ",".join(addresses)


def database(value: str) -> str:
    if not re.fullmatch(r"(sqlite|postgresql(\+psycopg)?)://.*", value.strip()):
        raise ValueError(
            "a SQLAlchemy URL: sqlite:////folder/file.sqlite3 or postgresql+psycopg://user:password@host/name"
        )
    return re.sub(r"^postgresql://", "postgresql+psycopg://", value.strip())


def folder(value: str) -> str:
    if not value.strip():
        raise ValueError("a folder")
    return str(Path(value.strip()).expanduser())


def rate(value: str) -> str:
    try:
        rate = float(value)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1000:
        raise ValueError("requests a second, from 0 (no limit, loopback only) to 1000")
    return value.strip()


def days(value: str) -> str:
    """A week at the least: a weekly digest may still wait for so long after its subscription expired."""
    if not re.fullmatch(r"[0-9]{1,4}", value.strip()) or not 7 <= int(value) <= 3_650:
        raise ValueError("a number of days from 7 to 3650")
    return str(int(value))


def smtp(value: str) -> str:
    if value.strip() and (urlsplit(value).scheme not in ("smtp", "smtps") or not urlsplit(value).hostname):
        raise ValueError("smtp://user:password@host:port, smtps://…, ?starttls=1, or nothing")
    return value.strip()


def mail_address(value: str) -> str:
    if value.strip() and not re.fullmatch(r"[^\r\n]*[^@\s<>]+@[^@\s<>]+>?", value.strip()):
        raise ValueError("a mail address, such as pqwatch@example.org, or nothing")
    return value.strip()


def one_line(value: str) -> str:
    if "\r" in value or "\n" in value:
        raise ValueError("an address on one line, such as research@example.org")
    return value.strip()


def zone(value: str) -> str:
    try:
        return ZoneInfo(value.strip()).key
    except (OSError, ValueError, KeyError):
        raise ValueError("a time zone, such as Europe/London") from None


def flag(value: str) -> str:
    spellings = {"0": "0", "false": "0", "no": "0", "": "0", "1": "1", "true": "1", "yes": "1"}
    if value.strip().lower() not in spellings:
        raise ValueError("0 or 1")
    return spellings[value.strip().lower()]


def words(allowed: Sequence[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        words = [word.strip().lower() for word in value.split(",") if word.strip()]
        if not words or set(words) - set(allowed):
            raise ValueError(f"one or more of {', '.join(allowed)}, separated by commas")
        return ",".join(dict.fromkeys(words))

    return check


def token(value: str) -> str:
    if value.strip() and len(value.strip()) < 16:
        raise ValueError("16 characters or more that nobody guesses, or nothing")
    return value.strip()


def broker(value: str) -> str:
    if value.strip() and urlsplit(value.strip()).scheme not in ("amqp", "amqps", "redis", "rediss"):
        raise ValueError(
            "an address such as amqp://user:password@host:5672// or redis://host:6379/0, or nothing"
        )
    return value.strip()


def is_loopback(url: str) -> bool:
    """Whether the address names this machine: `localhost`, 127.0.0.0/8 or ::1. Asks no name server."""
    host = urlsplit(url).hostname or ""
    return (
        host in ("localhost", "::1")
        or host.endswith(".localhost")
        or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None
    )
