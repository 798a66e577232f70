"""The file of a backup: a tar of plain files whose last member, `manifest.json`, gives the size and SHA-256 of each.

As the manifest comes last, a file that was cut off anywhere has none and is refused. Nothing is ever unpacked by a name that the tar
chooses: callers say where each known name goes.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from storage.store import StorageError

MANIFEST = "manifest.json"
FORMAT = 1
_CHUNK = 1 << 20
_MAX_MANIFEST = 256 << 20  # bytes; a line for each file of the archive


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds, and of what. `schema` is the revision of the database, `made_at` a time in UTC."""

    dialect: str
    schema: str
    made_at: str
    files: tuple[Entry, ...]


class Writer:
    """Writes a bundle, member by member, to an open file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115  # closed by finish
        self._entries: list[Entry] = []

    def add(self, path: Path, name: str) -> None:
        """Add a file under a name. One that is being appended to is taken as long as it is now."""
        with path.open("rb") as file:
            info = tarfile.TarInfo(name)
            info.size = path.stat().st_size
            reader = _Hashing(file, info.size)
            self._tar.addfile(info, reader)
            self._entries.append(Entry(name, info.size, reader.digest()))

    def finish(self, *, dialect: str, schema: str, made_at: datetime) -> Manifest:
        """Write the manifest and close."""
        manifest = Manifest(dialect, schema, made_at.strftime("%Y-%m-%dT%H:%M:%SZ"), tuple(self._entries))
        data = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(data)
        self._tar.addfile(info, io.BytesIO(data))
        self._tar.close()
        return manifest


def verify(path: Path) -> Manifest:
    """Read a bundle from end to end and compare every byte with the manifest. Raises StorageError; changes nothing."""
    with _readable(path):
        manifest, found = _read_all(path)
    _compare(path, {entry.path: entry for entry in manifest.files}, found)
    return manifest


def _read_all(path: Path) -> tuple[Manifest, dict[str, Entry]]:
    found: dict[str, Entry] = {}
    manifest = None
    for info, file in _members(path):
        if manifest is not None or info.name in found or not _is_safe(info.name):
            raise StorageError(f"the backup {path} is damaged: {info.name!r} has no place in it")
        if info.name == MANIFEST:
            manifest = _manifest(path, info, file)
            continue
        reader = _Hashing(file, info.size)
        while reader.read(_CHUNK):
            pass
        found[info.name] = Entry(info.name, info.size, reader.digest())
    if manifest is None:
        raise StorageError(f"the backup {path} is cut off: its end, with the list of its files, is missing")
    return manifest, found


def unpack(path: Path, manifest: Manifest, place: Callable[[str], Path]) -> None:
    """Write each member to the place given for its name; folders are made. The sums are checked once more."""
    wanted = {entry.path: entry for entry in manifest.files}
    with _readable(path):
        for info, file in _members(path):
            if info.name == MANIFEST:
                return
            target = place(info.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            reader = _Hashing(file, info.size)
            with target.open("xb") as out:
                while chunk := reader.read(_CHUNK):
                    out.write(chunk)
            if Entry(info.name, info.size, reader.digest()) != wanted.get(info.name):
                raise StorageError(f"the backup {path} was changed while it was being read: {info.name}")


class _Hashing:
    """Reads exactly `size` bytes of a file, hashing them; fewer are an error."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left, self._hash = file, size, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted) if wanted else b""
        if len(data) < wanted:
            raise StorageError(
                f"{getattr(self._file, 'name', 'a file')} ended early: {self._left - len(data)} bytes are missing"
            )
        self._left -= len(data)
        self._hash.update(data)
        return data

    def digest(self) -> str:
        return self._hash.hexdigest()


def _members(path: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    with tarfile.open(path, mode="r:", errorlevel=2) as tar:
        for info in tar:
            file = tar.extractfile(info) if info.isreg() else None
            if file is None:
                raise StorageError(f"the backup {path} is damaged: {info.name!r} is no plain file")
            yield info, file


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        raise StorageError(f"{path} is no backup of pqwatch, or is cut off or damaged: {error}") from error


def _manifest(path: Path, info: tarfile.TarInfo, file: IO[bytes]) -> Manifest:
    try:
        data: Any = json.loads(file.read(_MAX_MANIFEST) if info.size <= _MAX_MANIFEST else b"")
        if data["format"] != FORMAT:
            raise StorageError(f"the backup {path} has format {data['format']!r}: update pqwatch")
        files = tuple(Entry(str(e["path"]), int(e["bytes"]), str(e["sha256"])) for e in data["files"])
        return Manifest(str(data["dialect"]), str(data["schema"]), str(data["made_at"]), files)
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"the backup {path} is damaged: its list of files cannot be read") from error


def _compare(path: Path, wanted: dict[str, Entry], found: dict[str, Entry]) -> None:
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            what = (
                "is missing"
                if name not in found
                else "is not listed"
                if name not in wanted
                else "has other contents than listed"
            )
            raise StorageError(f"the backup {path} is damaged: {name} {what}")


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return (
        bool(parts)
        and not name.startswith("/")
        and ".." not in parts
        and "\\" not in name
        and "\0" not in name
    )
