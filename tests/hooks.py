"""What a test does to a command of `tests.shell` before it runs, in its own process: shorter limits, a death at a chosen step,
another answer from the resolver. Each is named by its function; arguments are JSON."""

from __future__ import annotations

import socket
from typing import Any


def few_windows(days: int = 20) -> None:
    """A pass over Parliament's API looks for corrections in the last days alone: a third of the requests."""
    from scraper.spiders import parliament

    parliament._USUAL["corrected"] = days


def kill_at(step: str, nth: int = 1) -> None:
    """The process dies as by kill -9 when it passes a step of sending for the nth time."""
    from tests.chaos.sender import Bomb, arm

    arm(step, Bomb(nth))


def short_sends(seconds: float) -> None:
    """The longest that one delivery may take."""
    from alerts.setup import Setup

    Setup.__init__.__kwdefaults__["limit"] = seconds  # type: ignore[misc]


def quick_retries() -> None:
    """A crawl tries again as often as ever, but hardly waits before it does."""
    from dataclasses import fields

    from scraper.fetch import Patience

    known = {field.name: field.default for field in fields(Patience)}
    Patience.__init__.__defaults__ = tuple({**known, "pause": 0.01, "timeout": 5.0}.values())  # type: ignore[misc]


def names(answers: dict[str, list[str]]) -> None:
    """Host names that resolve to these addresses, one after the other and the last for ever; all others as always."""
    real, left = socket.getaddrinfo, {host: list(found) for host, found in answers.items()}

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in left:
            return real(host, port, *args, **kwargs)
        address = left[host].pop(0) if len(left[host]) > 1 else left[host][0]
        return real(address, port, *args, **kwargs)

    socket.getaddrinfo = resolve


def no_way_out() -> None:
    """A connection to any other machine is refused at once, and the error names where it was to go."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if not str(address[0]).startswith("127."):
            raise ConnectionRefusedError(f"no way to {address[0]} in tests")
        real(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign]
