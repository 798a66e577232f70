"""Frees the archive of superseded list pages: those that no version and no problem rests on and that are old enough.

A page is a list where its source's own parser finds no question in it, only rows, links or a total. What is kept is copied
byte for byte into a new file; then the references move in one transaction; only then does the old file go. Files of runs
that are still at work are left alone, and so is what their revisit records refer to. A crash at any point loses nothing and
is tidied up by the next time.

    F → F' and F.moved written → references moved, noted → F set aside → nobody refers to what is gone → F removed

What a run at work has written about an earlier record after the archive was looked at, is looked for once more when no run
can do so any longer; where it needs what was dropped, the old file comes back.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from scraper.archive import Archive, ArchiveError, Entry
from scraper.moved import Moves, encoded, note_of, read
from scraper.source import BlockedError, Source, UnreadableError
from scraper.warc import encode, packed_at, records
from storage import page_refs, processes
from storage.page_refs import Place
from storage.store import Store

KEPT_FOR = timedelta(days=30)
_ASIDE = ".aside"
_WRITTEN = re.compile(r"(?P<host>.+)-(?P<start>\d{8}T\d{6})-(?P<pid>\d+)-\d+\.warc\.gz")
_QUIET = 86_400.0  # seconds without a write after which a file of another host is taken for finished
_APPEND = 2.0  # seconds that a writer may need between looking at an earlier record and referring to it

Progress = Callable[[int, int], None]
"""Told of files done, of how many."""


@dataclass(slots=True)
class Freed:
    """What a compaction came to. `waiting`: files that hold something to free and are in use."""

    bytes_before: int = 0
    bytes_after: int = 0
    dropped: int = 0
    rewritten: int = 0
    waiting: int = 0


@dataclass(slots=True)
class _File:
    """What is known of one file: offsets of list pages that may go, and what kept revisit records refer to."""

    name: str
    may_go: set[int] = field(default_factory=set)
    refers: set[Place] = field(default_factory=set)


@dataclass(slots=True)
class Compaction:
    """One pass over an archive. `now` decides what is old; who is at work is asked of the real clock and the system."""

    folder: Path
    store: Store
    sources: Mapping[str, Source]
    now: datetime
    pause: float = _APPEND
    _used: dict[str, set[int]] = field(default_factory=dict)

    def run(self, progress: Progress | None = None) -> Freed:
        """Raises StorageError, ArchiveError, OSError; whatever was done by then stands."""
        freed = Freed(bytes_before=_size(self.folder))
        self._finish()
        self._tidy()
        with self.store.read() as conn:
            for file, offset in page_refs.places(conn):
                self._used.setdefault(file, set()).add(offset)
        names = self._names()
        files = []
        for count, name in enumerate(names, 1):
            files.append(self._look(name))
            if progress is not None:
                progress(count, len(names))
        wanted = {place for each in files for place in each.refers}
        for each in files:
            each.may_go -= {offset for file, offset in wanted if file == each.name}
            self._free(each, freed)
        self._finish()
        freed.bytes_after = _size(self.folder)
        return freed

    def _names(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.glob("*/*.warc.gz"))

    def _look(self, name: str) -> _File:
        found = _File(name)
        archive = Archive(self.folder)
        used = self._used.get(name, set())
        with (self.folder / name).open("rb") as file:
            referring = dict(_revisits(file))
        for offset, entry in archive.entries_of(name):
            if offset not in used and self._is_superseded(entry):
                found.may_go.add(offset)
            elif offset in referring:
                found.refers.add(referring[offset])
        return found

    def _is_superseded(self, entry: Entry) -> bool:
        source = self.sources.get(entry.source)
        if entry.page is None or source is None or entry.observed_at > self.now - KEPT_FOR:
            return False
        if entry.page.status != 200:
            return False
        try:
            parsed = source.parse(entry.page)
        except (UnreadableError, BlockedError):
            return False
        if parsed.observations or parsed.problems:
            return False
        return bool(parsed.rows or parsed.links or parsed.total is not None)

    def _free(self, file: _File, freed: Freed) -> None:
        if not file.may_go:
            return
        if is_live(self.folder / file.name):
            freed.waiting += 1
            return
        moved, new = self._copy(file)
        try:
            page_refs.move(self.store, moved, file.name, new)
        except page_refs.StrayedError:
            (self.folder / new).unlink(missing_ok=True)
            freed.waiting += 1
            return
        freed.dropped += len(file.may_go)
        freed.rewritten += 1

    def _copy(self, file: _File) -> tuple[dict[Place, Place], str]:
        """Write the new file and the note of what moved where; both are on the disk when this returns."""
        new = self._free_name(file.name)
        path, part = self.folder / file.name, self.folder / f"{new}.part"
        offsets: dict[int, int] = {}
        with path.open("rb") as old, path.open("rb") as again, part.open("wb") as out:
            at = out.write(_info(new))
            for offset, record in records(old):
                if offset in file.may_go or record.type == "warcinfo":
                    continue
                offsets[offset] = at
                at += out.write(_member(again, offset, file.name))
            out.flush()
            os.fsync(out.fileno())
        _write(note_of(path), encoded(Moves(new, offsets)))
        part.replace(self.folder / new)
        return {(file.name, before): (new, after) for before, after in offsets.items()}, new

    def _free_name(self, name: str) -> str:
        new = _next_name(name)
        while (self.folder / new).exists():
            new = _next_name(new)
        return new

    def _finish(self) -> None:
        """Remove the files whose references have moved, unless a run has referred to something of them meanwhile."""
        with self.store.read() as conn:
            replaced = page_refs.replaced_files(conn)
        if not replaced:
            return
        for name in replaced:
            path = self.folder / name
            path.with_name(path.name.removesuffix(".warc.gz") + ".idx").unlink(missing_ok=True)
            if path.exists():
                path.rename(_aside(path))
        time.sleep(self.pause)
        late = self._referred_to(replaced)
        for name in replaced:
            path = self.folder / name
            moves = read(path)
            if _aside(path).exists() and late[name] - (moves.offsets.keys() if moves else set()):
                _aside(path).rename(path)
            _aside(path).unlink(missing_ok=True)
            with self.store.write() as conn:
                page_refs.removed(conn, name)

    def _referred_to(self, files: Iterable[str]) -> dict[str, set[int]]:
        """What revisit records of all other files refer to in some files."""
        found: dict[str, set[int]] = {name: set() for name in files}
        for name in self._names():
            with (self.folder / name).open("rb") as file:
                for _, (other, offset) in _revisits(file):
                    if other in found:
                        found[other].add(offset)
        return found

    def _tidy(self) -> None:
        """Remove copies that an interrupted compaction left before their references moved."""
        for part in self.folder.glob("*/*.part"):
            part.unlink()
        for path in self.folder.glob("*/*.warc.gz"):
            moves = read(path)
            if moves is not None and not self._is_used(moves.file):
                (self.folder / moves.file).unlink(missing_ok=True)
                note_of(path).unlink()

    def _is_used(self, name: str) -> bool:
        """Whether something rests on the file: then its forerunner came back because a run had referred to it."""
        with self.store.read() as conn:
            return any(file == name for file, _ in page_refs.places(conn))


def is_live(path: Path) -> bool:
    """Whether the run that writes the file may still be at work."""
    named = _WRITTEN.fullmatch(path.name)
    if named is None or named["start"] is None:
        return False  # a compacted file: nobody writes it
    if named["host"] != re.sub(r"[^A-Za-z0-9.-]", "_", processes.host()):
        return time.time() - path.stat().st_mtime < _QUIET
    begun = datetime.strptime(named["start"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    started = processes.begun_at(int(named["pid"]))
    return started is not None and started <= begun + timedelta(seconds=2)


def _revisits(file: BinaryIO) -> Iterator[tuple[int, Place]]:
    for offset, record in records(file):
        refers = record.warc.get("warc-pqwatch-refers-to") if record.type == "revisit" else None
        if refers:
            other, _, at = refers.rpartition("#")
            yield offset, (other, int(at))


def _member(file: BinaryIO, offset: int, name: str) -> bytes:
    member = packed_at(file, offset)
    if member is None:
        raise ArchiveError(f"archive: {name} cannot be read at {offset}")
    return member


def _next_name(name: str) -> str:
    """`…-00.warc.gz` → `…-00.c1.warc.gz` → `…-00.c2.warc.gz`."""
    stem = name.removesuffix(".warc.gz")
    before = re.search(r"\.c(\d+)$", stem)
    number = int(before[1]) + 1 if before else 1
    return f"{re.sub(r'[.]c[0-9]+$', '', stem)}.c{number}.warc.gz"


def _info(name: str) -> bytes:
    said = b"software: pqwatch\r\nformat: WARC File Format 1.1\r\n"
    return encode("warcinfo", "", {"WARC-Filename": Path(name).name}, payload=said)


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}{_ASIDE}")


def _write(path: Path, body: bytes) -> None:
    with path.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
