"""Files that appear under their name only when they are whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from storage.records import PqwatchError


class FileError(PqwatchError):
    """A file that cannot be read or written."""


def is_special(path: Path) -> bool:
    """Whether a pipe or a device stands there, such as /dev/stdout."""
    return path.exists() and not path.is_file() and not path.is_dir()


def write_whole(path: Path, body: bytes) -> None:
    """Write `body` to `path`, in place of what stood there. Raises FileError, and then leaves what stood there."""
    part: Path | None = None
    try:
        if is_special(path):
            path.write_bytes(body)
            return
        path = path.resolve()  # a link stays one
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            part = Path(file.name)
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    except OSError as error:
        if part is not None:
            part.unlink(missing_ok=True)
        raise FileError(f"cannot write {path}: {error.strerror or error}") from error


def read_whole(path: Path, most: int) -> bytes:
    """The content of a file of at most `most` bytes. Raises FileError."""
    try:
        with path.open("rb") as file:
            body = file.read(most + 1)
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    if len(body) > most:
        raise FileError(f"{path} is too large: {most:,} bytes are read at most")
    return body
