"""Chat and push services through Apprise: `ntfy://…`, `slack://…`, `tgram://…` and whatever else it takes.

Its mail, custom HTTP and local plug-ins are refused, and so are options that read local files. Sending happens in a
child process (`alerts.apprise_child`) that has a time limit, a memory limit and a guard on every connection.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import lru_cache
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import orjson

from alerts.address import AddressError
from alerts.channel import Channel, Outgoing, PermanentError, TemporaryError
from alerts.compose.letter import Letter
from alerts.compose.text import letter_text
from alerts.guard import check_literal
from alerts.setup import Setup

_REFUSED = re.compile(
    r"\.(email|custom_\w+|dbus|glib|gnome|macosx|windows|syslog|blink1|growl|deltachat|vapid)\b"
)
"""Modules of plug-ins that send mail, any HTTP, to this machine itself, or that live on local files."""

_LOCAL_OPTIONS = frozenset({"template", "keyfile", "subfile", "file", "attach", "key", "cert"})


class AppriseSender:
    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def send(self, outgoing: Outgoing) -> None:
        order = {
            "url": outgoing.to,
            "allow_private": self._setup.allow_private_hosts,
            **orjson.loads(outgoing.payload),
        }
        try:
            done = subprocess.run(
                [sys.executable, "-m", "alerts.apprise_child"],
                input=orjson.dumps(order),
                capture_output=True,
                timeout=self._setup.limit + 5,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise TemporaryError("no answer within the time limit") from error
        if done.returncode == _BAD_ADDRESS:
            raise PermanentError("Apprise does not take this address")
        if done.returncode != 0:
            told = " ".join(done.stderr.decode(errors="replace").split())[-300:]
            raise TemporaryError(told or f"Apprise ended with {done.returncode}")

    def close(self) -> None:
        """Nothing is kept open."""


_BAD_ADDRESS = 4


@lru_cache(maxsize=256)
def _plugin(scheme: str) -> Any:
    """The class that serves a scheme, null where there is none or it is refused."""
    from apprise.manager_plugins import NotificationManager

    manager: Any = cast("Any", NotificationManager)()
    if scheme not in manager.schemas():
        return None
    found = manager[scheme]
    return None if _REFUSED.search(found.__module__) else found


def claims(scheme: str) -> bool:
    return bool(re.fullmatch(r"[a-z0-9]+", scheme)) and _plugin(scheme) is not None


def check(text: str, setup: Setup) -> str:
    """The address as typed, where Apprise can read it. Raises AlertsError."""
    if not text.isprintable() or " " in text or len(text) > 2000:
        raise AddressError("a chat address holds no spaces, line ends or control characters")
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        options = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    except ValueError as error:
        raise AddressError(f"{text.partition(':')[0]}: {error}") from error
    if options & _LOCAL_OPTIONS:
        raise AddressError(
            f"{parts.scheme}: the option {min(options & _LOCAL_OPTIONS)} is refused: it may name a local file"
        )
    check_literal(host, allow_private=setup.allow_private_hosts)
    if not _readable(text):
        raise AddressError(f"{parts.scheme}: Apprise cannot read this address")
    return text


def _readable(text: str) -> bool:
    from apprise import Apprise

    return Apprise.instantiate(text, suppress_exceptions=True) is not None


def compose(letter: Letter) -> bytes:
    return orjson.dumps({"title": letter.subject, "body": letter_text(letter).partition("\n\n")[2]})


CHANNEL = Channel(
    name="apprise",
    claims=claims,
    check=check,
    compose=compose,
    sender=AppriseSender,
    network=True,
    pauses=(60.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 86400.0),
    mail_ids=False,
)
