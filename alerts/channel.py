"""What a channel is. One module in `alerts/channels/` is one channel; `channels()` finds them, there is no list.

A channel says which addresses are its own, checks them, makes the payload (exactly what is sent) of a letter, and sends.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Protocol

from alerts.compose.letter import Letter
from alerts.errors import AlertsError
from alerts.setup import Setup


class SendError(AlertsError):
    """Root of what can go wrong with one delivery. The message is what `pqwatch deliveries` shows."""


class TemporaryError(SendError):
    """To be tried again. `after`: the receiver's own wish, in seconds."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class DownError(TemporaryError):
    """The channel's own server cannot be reached: nothing else will get through in this run either."""


class PermanentError(SendError):
    """No further attempt makes sense. `dead` is true where the address itself is gone, not this one message."""

    def __init__(self, message: str, *, dead: bool = False) -> None:
        super().__init__(message)
        self.dead = dead


class Form(StrEnum):
    LETTER = "letter"  # many items in one message, for people
    EVENT = "event"  # one item a message, in order, for programs
    NONE = "none"  # nothing is sent: the feeds show what the ledger holds


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One stored message on its way. `secret` signs webhooks."""

    id: str
    to: str
    payload: bytes
    secret: str | None = None


class Sender(Protocol):
    """Sends several messages, one after the other; may keep a connection. Not shared between threads."""

    def send(self, outgoing: Outgoing) -> None:
        """Returns when the receiver has taken it. Raises SendError."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """`check` gives the canonical address or raises AlertsError; `pauses` are the seconds before each further attempt."""

    name: str
    claims: Callable[[str], bool]  # a URL scheme in lower case
    check: Callable[[str, Setup], str]
    compose: Callable[[Letter], bytes]
    sender: Callable[[Setup], Sender]
    form: Form = Form.LETTER
    confirm: bool = False  # the receiver must agree first
    from_web: bool = False
    pauses: tuple[float, ...] = ()
    jitter: bool = True
    network: bool = False  # sending waits for others, so several lanes go side by side
    mail_ids: bool = True  # messages are named by a Message-ID


@cache
def channels() -> Mapping[str, Channel]:
    """Every channel by name, found by scanning the package. The general one (Apprise) is asked last."""
    import alerts.channels as package

    modules = (
        importlib.import_module(f"{package.__name__}.{m.name}")
        for m in pkgutil.iter_modules(package.__path__)
    )
    found = [module.CHANNEL for module in modules if hasattr(module, "CHANNEL")]
    return {channel.name: channel for channel in sorted(found, key=lambda c: (c.name == "apprise", c.name))}


def channel_of(to: str) -> Channel:
    """The channel that takes an address. Raises AlertsError."""
    scheme = to.partition(":")[0].lower()
    for channel in channels().values():
        if channel.claims(scheme):
            return channel
    raise AlertsError(
        f"no channel takes {to!r}: expected mailto:, https://, file:///, stdout:, feed: or a chat service"
    )
