"""Sends one message through Apprise in a process of its own: `python -m alerts.apprise_child`, the order on stdin.

Every connection is checked on the address connected to, redirects included; memory and time are limited. Exit code 0:
taken; 4: the address cannot be read; else not taken, with the reason on stderr.
"""

from __future__ import annotations

import logging
import resource
import socket
import sys
from collections.abc import Callable
from typing import Any

import orjson

from alerts.guard import RefusedHostError, is_public

BAD_ADDRESS = 4
_MEMORY = 1 << 30
_SECONDS = 60


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    order = orjson.loads(sys.stdin.buffer.read())
    if not order["allow_private"]:
        _guard()
    return _send(order)


def _send(order: dict[str, Any]) -> int:
    from apprise import Apprise, NotifyFormat, OverflowMode

    service = Apprise.instantiate(order["url"], suppress_exceptions=True)
    if service is None:
        return BAD_ADDRESS
    service.overflow_mode = OverflowMode.SPLIT
    taken = service.notify(body=order["body"], title=order["title"], body_format=NotifyFormat.TEXT)
    return 0 if taken else 1


def _guard() -> None:
    """From now on no socket of this process reaches a private address."""
    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))


def _guarded(real: Callable[..., Any]) -> Callable[..., Any]:
    """The method, whose last argument is the address, for public numeric addresses only."""

    def guarded(self: socket.socket, *args: Any) -> Any:
        address = args[-1]
        if self.family not in (socket.AF_INET, socket.AF_INET6) or not is_public(str(address[0])):
            logging.getLogger(__name__).warning("refused to connect to %s", address)
            raise RefusedHostError("private, loopback and link-local hosts are refused")
        return real(self, *args)

    return guarded


if __name__ == "__main__":
    sys.exit(main())
