"""Backup and restore: the database and the archive of responses in one file.

The database is taken first, then the archive, which only ever grows: so every page that a version names is in the backup. Both may be
in use meanwhile. A restore reads the whole file and checks every sum before it touches anything, and fills only what is empty.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import URL

from storage import bundle
from storage.dump import dump, load, name_of, refuse_newer, refuse_unless_empty
from storage.store import SCHEMA, StorageError, Store, _parse

_ARCHIVE = "archive/"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What is in a backup: `files` of the archive, `bytes` of all its contents."""

    path: Path
    dialect: str
    made_at: str
    files: int
    bytes: int


def backup(store: Store, archive: Path, to: Path, *, now: datetime) -> BackupReport:
    """Write database and archive folder to the new file `to`, which appears only when it is whole. Raises StorageError."""
    if to.exists():
        raise StorageError(f"{to} is there already: name a new file for the backup")
    with _explained(f"cannot write the backup {to}"), _scratch(to.parent) as scratch:
        database, part = scratch / name_of(store.dialect), scratch / "part"
        dump(store, database)
        with part.open("xb") as file:
            writer = bundle.Writer(file)
            writer.add(database, database.name)
            for path in _archived(archive, store.engine.url, scratch):
                writer.add(path, _ARCHIVE + path.relative_to(archive).as_posix())
            manifest = writer.finish(dialect=store.dialect, schema=SCHEMA, made_at=now)
            file.flush()
            os.fsync(file.fileno())
        part.rename(to)
    return _report(to, manifest)


def restore(source: Path, url: str, archive: Path) -> BackupReport:
    """Fill the empty database at `url` and the empty folder `archive` from a backup. Raises StorageError.

    Whatever fails, what was there before stays as it was.
    """
    target = _parse(url)
    with _explained(f"cannot restore {source}"):
        manifest = bundle.verify(source)
        _check(manifest, target, archive)
        if target.get_backend_name() == "sqlite":
            Path(target.database or "").parent.mkdir(parents=True, exist_ok=True)
        with (
            _emptied_on_error(archive),
            _scratch(archive) as pages,
            _scratch(_beside(target, pages)) as database,
        ):
            bundle.unpack(source, manifest, lambda name: _place(name, pages, database))
            # the archive first: a database whose pages are missing would be worse than pages without a database
            for path in (pages / _ARCHIVE).glob("*"):
                path.rename(archive / path.name)
            load(database / name_of(manifest.dialect), target)
    return _report(source, manifest)


def _check(manifest: bundle.Manifest, target: URL, archive: Path) -> None:
    refuse_newer(manifest.schema)
    if manifest.dialect != target.get_backend_name():
        raise StorageError(
            f"this is a backup of a {manifest.dialect} database, and the one to fill is {target.get_backend_name()}:"
            " `pqwatch reparse` rebuilds another kind of database from the archive"
        )
    strange = [
        e.path
        for e in manifest.files
        if e.path != name_of(manifest.dialect) and not e.path.startswith(_ARCHIVE)
    ]
    if strange or name_of(manifest.dialect) not in {entry.path for entry in manifest.files}:
        raise StorageError(
            f"the backup is damaged: {(strange or ['the database'])[0]} is out of place or missing"
        )
    if archive.exists() and (not archive.is_dir() or any(archive.iterdir())):
        raise StorageError(f"{archive} is not empty: restore into another folder, or move it away")
    refuse_unless_empty(target)


def _place(name: str, pages: Path, database: Path) -> Path:
    return pages / name if name.startswith(_ARCHIVE) else database / name


def _beside(target: URL, other: Path) -> Path:
    """A folder on the same file system as the database, so that it can be moved into place in one step."""
    return Path(target.database or "").parent if target.get_backend_name() == "sqlite" else other


def _archived(archive: Path, url: URL, scratch: Path) -> Iterator[Path]:
    """The files of the archive in a fixed order, without a database or an unfinished backup that lies among them."""
    own = Path(url.database or "").resolve() if url.get_backend_name() == "sqlite" else None
    for path in sorted(archive.rglob("*")):
        mine = own is not None and path.resolve().as_posix().startswith(own.as_posix())
        if path.is_file() and not path.is_symlink() and not mine and scratch not in path.parents:
            yield path


def _report(path: Path, manifest: bundle.Manifest) -> BackupReport:
    files = [entry for entry in manifest.files if entry.path.startswith(_ARCHIVE)]
    return BackupReport(
        path, manifest.dialect, manifest.made_at, len(files), sum(e.bytes for e in manifest.files)
    )


@contextmanager
def _emptied_on_error(folder: Path) -> Iterator[None]:
    """A folder that is there and empty; after an error it is as it was: empty, or not there."""
    was_there = folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not was_there:
            folder.rmdir()
        raise


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder for unfinished things, on the file system where they are to end up; gone at the end."""
    path = Path(tempfile.mkdtemp(prefix=".pqwatch-", dir=folder))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{what}: {error.strerror or error}{f': {error.filename}' if error.filename else ''}"
        ) from error
