"""The archive of raw responses: what every version rests on, and what `reparse` reads.

A folder of WARC files, one a run and process, `<year>-<month>/<host>-<start>-<process>-<part>.warc.gz`, a gzip member a
record. Bodies are kept decoded from transfer and content encodings. Headers of ours in each record:
`WARC-Pqwatch-Source`, `-Job`, `-Observed-At` (the time that the run acted at; WARC-Date is the real one), `-Backfilled`
and, in a revisit, `-Refers-To` (`file#offset` of the record with the same payload). A file that `scraper.compaction` has
replaced leaves `<file>.moved`, which tells where its records are now.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from scraper.kept_payloads import KeptPayloads
from scraper.moved import moved_to, note_of
from scraper.record_headers import OURS, kept_headers, our, ours, status_line
from scraper.source import Page, ScraperError
from scraper.warc import WarcRecord, encode, joined, packed_at, record_at, records
from storage.records import PageRef

_PART_BYTES = 256 * 1024 * 1024  # a backfill of years should not end in one file
_WORTH_A_REVISIT = 1024  # bytes of payload: below, a revisit record would be no smaller than the response
_PROFILE = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"


class ArchiveError(ScraperError):
    """The archive cannot be written, or a page is not where it should be."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in the life of the archive: a page as a source showed it, a mark that a run left, or (`lost`) what
    could not be put together again and why."""

    source: str
    job: str
    observed_at: datetime
    backfilled: bool
    page: Page | None = None
    mark: str | None = None
    lost: str | None = None


_Open = tuple[datetime, str, int, Entry, Iterator[tuple[int, Entry]]]


class Archive:
    """Writes one file a run (opened by the first write) and reads them all. One process and thread uses one object."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: BinaryIO | None = None
        self._index: BinaryIO | None = None
        self._name = ""
        self._offset = 0
        self._begun = datetime.now(UTC)  # names the file, nothing else
        self._parts = 0
        self._kept = KeptPayloads(folder)

    def write(
        self,
        *,
        source: str,
        job: str,
        url: str,
        status: int,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        observed_at: datetime,
        backfilled: bool = False,
    ) -> Page:
        """Keep one response. `body` is decoded from its encodings; `observed_at` is the run's time, aware.
        Raises ArchiveError (a full disk, a folder that cannot be written)."""
        digest = hashlib.sha256(body)
        mine = ours(source, job, observed_at, backfilled)
        head = kept_headers(headers, len(body))
        earlier = self._earlier(digest.digest(), len(body))
        if earlier is None:
            packed = encode("response", url, mine, status=status_line(status), http=head, payload=body)
        else:
            packed = encode("revisit", url, {**mine, **earlier}, status=status_line(status), http=head)
        name, offset = self._append(packed)
        if earlier is None:
            self._remember(digest.digest(), name, offset)
        return Page(url, status, joined(head), body, observed_at, PageRef(digest.hexdigest(), name, offset))

    def mark(self, name: str, *, source: str, job: str, observed_at: datetime) -> None:
        """Leave a mark among the pages, such as the end of a whole pass: what a pass does at its end is so repeated
        at the right place by `reparse`."""
        block = f"pqwatch-mark: {name}\r\n".encode()
        self._append(
            encode("metadata", f"urn:pqwatch:{source}", ours(source, job, observed_at, False), payload=block)
        )

    def flush(self) -> None:
        """Everything written so far is on the disk when this returns: to be called before a version points to it."""
        try:
            for file in (self._file, self._index):
                if file is not None:
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Raises ArchiveError where what was still to be written cannot be."""
        try:
            for file in (self._file, self._index):
                if file is not None:
                    file.close()
        except OSError as error:
            raise self._unwritable(error) from error
        self._file = self._index = None

    def read(self, ref: PageRef) -> Page:
        """The page that a version rests on. Raises ArchiveError where it is gone or is another one."""
        if ref.file is None or ref.offset is None:
            raise ArchiveError(f"archive: the page {ref.sha256[:12]} was not kept")
        record = self._record(ref.file, ref.offset)
        page = self._entry(ref.file, ref.offset, record).page if record is not None else None
        if page is None or page.ref.sha256 != ref.sha256:
            raise ArchiveError(
                f"archive: {ref.file} does not hold the page {ref.sha256[:12]} at {ref.offset}"
            )
        return page

    def packed(self, ref: PageRef) -> tuple[bytes, ...]:
        """The records behind a page, byte for byte as they were written; of a revisit, the record it refers to first.
        Raises ArchiveError as `read` does."""
        self.read(ref)
        name, offset = str(ref.file), int(ref.offset or 0)
        record = self._record(name, offset)
        places = [(name, offset)]
        if record is not None and record.type == "revisit":
            file, _, at = our(record, "Refers-To").rpartition("#")
            places.insert(0, (file, int(at)))
        return tuple(self._packed(*moved_to(self.folder, *place)) for place in places)

    def _packed(self, name: str, offset: int) -> bytes:
        with (self.folder / name).open("rb") as file:
            member = packed_at(file, offset)
        if member is None:
            raise ArchiveError(f"archive: {name} cannot be read at {offset}")
        return member

    def pages(self) -> Iterator[Page]:
        """Every page, in the order of observation."""
        return (entry.page for entry in self.entries() if entry.page is not None)

    def entries(self) -> Iterator[Entry]:
        """Every page and mark, in the order of observation; files are opened when their time comes."""
        firsts = sorted(
            (first, name)
            for path in self.folder.glob("*/*.warc.gz")
            if (first := self._first(name := path.relative_to(self.folder).as_posix())) is not None
        )
        open_: list[_Open] = []
        while firsts or open_:
            if firsts and (not open_ or firsts[0] <= (open_[0][0], open_[0][1])):
                _, name = firsts.pop(0)
                _push(open_, name, self.entries_of(name))
                continue
            _, name, _, entry, rest = heapq.heappop(open_)
            yield entry
            _push(open_, name, rest)

    def entries_of(self, name: str) -> Iterator[tuple[int, Entry]]:
        """The entries of one file with their offsets, in the order in which they were written."""
        with (self.folder / name).open("rb") as file:
            for offset, record in records(file):
                if f"{OURS}Source".lower() in record.warc:
                    yield offset, self._entry(name, offset, record)

    def _first(self, name: str) -> datetime | None:
        for _, entry in self.entries_of(name):
            return entry.observed_at
        return None

    def _entry(self, name: str, offset: int, record: WarcRecord) -> Entry:
        seen = datetime.fromisoformat(our(record, "Observed-At"))
        entry = Entry(our(record, "Source"), our(record, "Job"), seen, our(record, "Backfilled") == "1")
        if record.type == "metadata":
            return replace(entry, mark=record.payload.decode().partition(":")[2].strip())
        try:
            body = record.payload if record.type == "response" else self._referred(name, offset, record)
        except ArchiveError as error:
            return replace(entry, lost=str(error))
        ref = PageRef(hashlib.sha256(body).hexdigest(), name, offset)
        url = record.warc["warc-target-uri"]
        return replace(entry, page=Page(url, record.status, record.http, body, seen, ref))

    def _referred(self, name: str, offset: int, record: WarcRecord) -> bytes:
        file, _, at = our(record, "Refers-To").rpartition("#")
        original = self._record(file, int(at))
        if original is None:
            raise ArchiveError(f"archive: {name} at {offset} refers to {file} at {at}, which cannot be read")
        return original.payload

    def _record(self, name: str, offset: int) -> WarcRecord | None:
        name, offset = moved_to(self.folder, name, offset)
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise ArchiveError(f"archive: {name} lies outside of the archive")
        try:
            with path.open("rb") as file:
                return record_at(file, offset)
        except OSError as error:
            raise ArchiveError(f"archive: {name} cannot be read: {error.strerror}") from error

    def _append(self, packed: bytes) -> tuple[str, int]:
        try:
            file = self._part()
            offset = self._offset
            file.write(packed)
            file.flush()  # a cut-off record is then always the last one
        except OSError as error:
            raise self._unwritable(error) from error
        self._offset += len(packed)
        return self._name, offset

    def _part(self) -> BinaryIO:
        if self._file is None or self._offset > _PART_BYTES:
            self.close()
            self._file = self._open_part()
        return self._file

    def _open_part(self) -> BinaryIO:
        host = re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname()) or "localhost"
        start = self._begun.strftime("%Y%m%dT%H%M%S")
        while True:
            name = f"{self._begun:%Y-%m}/{host}-{start}-{os.getpid()}-{self._parts:02}.warc.gz"
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._parts += 1
            if note_of(path).exists():
                continue  # a file of that name was compacted, and records that refer to it still do
            try:
                file = path.open("xb")
                break
            except FileExistsError:
                continue
        self._index = path.with_name(path.name.removesuffix(".warc.gz") + ".idx").open("ab")
        self._name, self._offset = name, 0
        about = b"software: pqwatch\r\nformat: WARC File Format 1.1\r\n"
        info = encode("warcinfo", "", {"WARC-Filename": path.name}, payload=about)
        self._offset = file.write(info)
        return file

    def _unwritable(self, error: OSError) -> ArchiveError:
        """Lets go of the part: what its buffers still hold would come before the next record, at its offset."""
        for file in (self._file, self._index):
            if file is not None:
                with suppress(OSError):
                    file.close()
        self._file = self._index = None
        return ArchiveError(f"archive: cannot write to {self.folder}: {error.strerror or error}")

    def _remember(self, digest: bytes, name: str, offset: int) -> None:
        self._kept.add(digest, name, offset)
        if self._index is None:
            return
        try:
            self._index.write(f"{digest.hex()} {offset}\n".encode())
        except OSError as error:
            raise self._unwritable(error) from error

    def _earlier(self, digest: bytes, size: int) -> dict[str, str] | None:
        """Headers of a revisit record, where the same payload was kept not long ago and still reads."""
        place = self._kept.place(digest) if size >= _WORTH_A_REVISIT else None
        if place is None:
            return None
        original = self._record(*place) if (self.folder / place[0]).exists() else None
        if original is None or hashlib.sha256(original.payload).digest() != digest:
            self._kept.drop(digest)
            return None
        return {
            "WARC-Profile": _PROFILE,
            "WARC-Refers-To-Target-URI": original.warc["warc-target-uri"],
            "WARC-Refers-To-Date": original.warc["warc-date"],
            "WARC-Payload-Digest": f"sha256:{digest.hex()}",
            f"{OURS}Refers-To": f"{place[0]}#{place[1]}",
        }


def _push(open_: list[_Open], name: str, rest: Iterator[tuple[int, Entry]]) -> None:
    """Put the next entry of a file into the heap, if there is one."""
    for offset, entry in rest:
        heapq.heappush(open_, (entry.observed_at, name, offset, entry, rest))
        return
