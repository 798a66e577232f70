"""`stdout:` prints the text part of each message."""

from __future__ import annotations

import sys

from alerts.address import AddressError
from alerts.channel import Channel, Outgoing
from alerts.compose.text import letter_text
from alerts.setup import Setup


class StdoutSender:
    def send(self, outgoing: Outgoing) -> None:
        sys.stdout.write(outgoing.payload.decode() + "\n")
        sys.stdout.flush()

    def close(self) -> None:
        """Nothing is kept open."""


def check(text: str, setup: Setup) -> str:  # noqa: ARG001 - every channel is asked alike
    if text.lower() != "stdout:":
        raise AddressError(f"{text!r}: expected stdout: and nothing after it")
    return "stdout:"


CHANNEL = Channel(
    name="stdout",
    claims=lambda scheme: scheme == "stdout",
    check=check,
    compose=lambda letter: letter_text(letter).encode(),
    sender=lambda _: StdoutSender(),
    pauses=(60.0,) * 5,
)
