"""`file:///folder` writes one `.eml` a message, named by its Message-ID; the same message again replaces itself."""

from __future__ import annotations

import os
import re
from pathlib import Path

from alerts.address import file_folder
from alerts.channel import Channel, Outgoing, TemporaryError
from alerts.compose.mail import letter_mail
from alerts.setup import Setup


class FileSender:
    def send(self, outgoing: Outgoing) -> None:
        folder = Path(file_folder(outgoing.to))
        name = re.sub(r"[^\w.@+-]", "_", outgoing.id.strip("<>"))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / f"{name}.eml", outgoing.payload)
        except OSError as error:
            raise TemporaryError(f"{folder}: {error.strerror}") from error

    def close(self) -> None:
        """Nothing is kept open."""


def _write(path: Path, payload: bytes) -> None:
    """A reader of the folder sees the whole file or none."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def check(text: str, setup: Setup) -> str:  # noqa: ARG001 - every channel is asked alike
    return Path(file_folder(text)).as_uri()


CHANNEL = Channel(
    name="file",
    claims=lambda scheme: scheme == "file",
    check=check,
    compose=letter_mail,
    sender=lambda _: FileSender(),
    pauses=(60.0, 300.0, 900.0, 3600.0) + (21600.0,) * 8,
)
