"""`feed:` sends nothing: the private feeds that come with every subscription show what the ledger holds."""

from __future__ import annotations

from alerts.address import AddressError
from alerts.channel import Channel, Form, Outgoing
from alerts.setup import Setup


class NoSender:
    def send(self, outgoing: Outgoing) -> None:
        """The row in the ledger is the delivery."""

    def close(self) -> None:
        """Nothing is kept open."""


def check(text: str, setup: Setup) -> str:  # noqa: ARG001 - every channel is asked alike
    if text.lower() != "feed:":
        raise AddressError(f"{text!r}: expected feed: and nothing after it")
    return "feed:"


CHANNEL = Channel(
    name="feed",
    claims=lambda scheme: scheme == "feed",
    check=check,
    compose=lambda _: b"",
    sender=lambda _: NoSender(),
    form=Form.NONE,
    from_web=True,
)
