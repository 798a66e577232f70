"""Which payloads were archived not long ago, so that the same one is not kept twice."""

from __future__ import annotations

from pathlib import Path

_REMEMBERED_FILES = 32  # their digests are looked up: lists repeat from pass to pass, not from year to year
_REMEMBERED = 100_000


class KeptPayloads:
    """Digest → file and offset, looked up in the index files beside the newest archive files on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[bytes, tuple[str, int]] | None = None

    def place(self, digest: bytes) -> tuple[str, int] | None:
        return self._all().get(digest)

    def add(self, digest: bytes, name: str, offset: int) -> None:
        self._all()[digest] = (name, offset)

    def drop(self, digest: bytes) -> None:
        """What stood there is gone."""
        self._all().pop(digest, None)

    def _all(self) -> dict[bytes, tuple[str, int]]:
        if self._places is None:
            self._places = _load(self._folder)
        return self._places


def _load(folder: Path) -> dict[bytes, tuple[str, int]]:
    """Digest → place, from the newest files. A line cut off by a crash is passed over."""
    known: dict[bytes, tuple[str, int]] = {}
    newest = sorted(folder.glob("*/*.idx"), key=lambda path: path.stat().st_mtime_ns)[-_REMEMBERED_FILES:]
    for path in reversed(newest):
        name = f"{path.parent.name}/{path.name.removesuffix('.idx')}.warc.gz"
        for line in path.read_text().splitlines():
            digest, _, offset = line.partition(" ")
            if len(digest) == 64 and offset.isdigit() and len(known) < _REMEMBERED:
                known.setdefault(bytes.fromhex(digest), (name, int(offset)))
    return known
