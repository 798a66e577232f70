"""Compacting the archive: what goes, what stays, runs at work, crashes at every step; on both databases."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from scraper import compaction
from scraper.archive import Archive
from scraper.compaction import Compaction, is_live
from scraper.source import Page, Parsed, UnreadableError
from storage import page_refs, problems, questions
from storage.ingest import ingest
from storage.records import Problem
from storage.store import Store
from tests.helpers import NOW, answered, observation

OLD = NOW - timedelta(days=90)
KEY = "commons/2025-03-03/35566"


def parse(page: Page) -> Parsed:
    """A source whose lists begin with `list`; its details are anything but `bad`."""
    if page.body.startswith(b"bad"):
        raise UnreadableError("bad")
    if page.body.startswith(b"list"):
        return Parsed(total=3)
    return Parsed(observations=(observation(),))


SOURCE = SimpleNamespace(NAME="parliament", SETTINGS=(), parse=parse)


class Shelf:
    """A store and an archive whose files are of runs that are over."""

    def __init__(self, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.folder = store, folder
        self.live: set[str] = set()
        monkeypatch.setattr(compaction, "is_live", lambda path: path.name in self.live)

    def write(self, *bodies: str, at: datetime = OLD) -> list[Page]:
        """One run that saw these."""
        archive = Archive(self.folder)
        pages = [
            archive.write(
                source="parliament", job="crawl", url=f"https://example.org/{number}", status=200, headers=[],
                body=body.encode(), observed_at=at,
            )
            for number, body in enumerate(bodies)
        ]  # fmt: skip
        archive.close()
        return pages

    def hold(self, page: Page, what=None, at: datetime = OLD) -> None:
        ingest(self.store, [observation(what, page=page.ref, observed_at=at)], now=at)

    def compact(self, **changes):
        return Compaction(self.folder, self.store, {"parliament": SOURCE}, NOW, 0.0, **changes).run()

    def bodies(self) -> list[bytes]:
        return [page.body for page in Archive(self.folder).pages()]

    def held(self) -> list[bytes]:
        """The responses behind the versions of the question."""
        with self.store.read() as conn:
            record = questions.find(conn, KEY, versions=True)
        assert record is not None
        archive = Archive(self.folder)
        return [archive.read(version.page).body for version in record.versions]

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*/*"))


@pytest.fixture
def shelf(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    return Shelf(store, tmp_path / "archive", monkeypatch)


def test_only_old_lists_that_nothing_rests_on_go(shelf: Shelf) -> None:
    pages = shelf.write("list 1", "detail 1", "list 2", "bad", "list 3", "detail 2")
    shelf.write("list new", at=NOW - timedelta(days=29))
    shelf.hold(pages[1])
    shelf.hold(pages[4], answered(), at=OLD + timedelta(days=1))
    with shelf.store.write() as conn:
        found = Problem(source="parliament", kind="x", url="u", message="m", page=pages[2].ref)
        problems.report(conn, [found], now=OLD)
    freed = shelf.compact()
    assert (freed.dropped, freed.rewritten, freed.waiting) == (1, 1, 0)
    assert shelf.bodies() == [b"detail 1", b"list 2", b"bad", b"list 3", b"detail 2", b"list new"]
    assert shelf.held() == [b"detail 1", b"list 3"]
    with shelf.store.read() as conn:
        (problem,) = problems.open_problems(conn)
    assert problem.page is not None
    assert Archive(shelf.folder).read(problem.page).body == b"list 2"
    assert freed.bytes_after == sum(path.stat().st_size for path in shelf.folder.rglob("*") if path.is_file())
    assert shelf.compact().dropped == 0


def test_revisits_find_what_they_refer_to_however_often_it_moves(shelf: Shelf) -> None:
    body = "detail " * 300
    first = shelf.write("list 1", body, "list 2" * 300)
    again = shelf.write(body, "list 2" * 300, at=OLD + timedelta(days=1))
    shelf.hold(again[0])
    shelf.hold(first[1], answered(), at=OLD + timedelta(days=2))
    packed = Archive(shelf.folder).packed(again[0].ref)
    assert shelf.compact().dropped == 3
    assert shelf.held() == [body.encode()] * 2
    later = shelf.write("list 9", at=OLD + timedelta(days=3))
    assert later
    with shelf.store.read() as conn:
        record = questions.find(conn, KEY, versions=True)
    assert record is not None
    assert (
        Archive(shelf.folder).packed(record.versions[0].page) == packed
    )  # byte for byte as they were written
    shelf.compact()
    assert shelf.bodies() == [body.encode()] * 2


def test_files_in_use_wait_and_so_does_what_they_refer_to(shelf: Shelf) -> None:
    body = "list " * 400
    shelf.write(body, "list 2")
    shelf.write(body, at=NOW)
    names = [name for name in shelf.files() if name.endswith(".warc.gz")]
    shelf.live = set(names)
    freed = shelf.compact()
    assert (freed.dropped, freed.waiting) == (0, 1)
    shelf.live = set()
    assert shelf.compact().dropped == 1  # "list 2": what the newer pass refers to stays
    assert shelf.bodies() == [body.encode()] * 2


def test_a_run_that_refers_to_what_is_going_brings_it_back(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "list " * 400
    shelf.write(body, "detail")
    writer = Archive(shelf.folder)
    moving = page_refs.move

    def meanwhile(*args: object) -> None:
        writer.write(
            source="parliament", job="crawl", url="https://example.org/0", status=200, headers=[], body=body.encode(),
            observed_at=NOW,
        )  # fmt: skip
        moving(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(page_refs, "move", meanwhile)
    shelf.compact()
    writer.close()
    assert shelf.bodies().count(body.encode()) == 2
    monkeypatch.setattr(page_refs, "move", moving)
    shelf.compact()
    assert body.encode() in shelf.bodies()
    assert b"detail" in shelf.bodies()


def test_a_reference_made_meanwhile_is_not_lost(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    (page,) = shelf.write("list 1")
    looked = Compaction._look

    def meanwhile(self: Compaction, name: str):
        found = looked(self, name)
        shelf.hold(page)
        return found

    monkeypatch.setattr(Compaction, "_look", meanwhile)
    freed = shelf.compact()
    assert (freed.dropped, freed.waiting) == (0, 1)
    assert shelf.held() == [b"list 1"]


class Crash(BaseException):
    pass


@pytest.mark.parametrize(
    "step",
    ["page_refs.move", "os.fsync", "encoded", "page_refs.removed", "time.sleep", "_aside", "after move"],
)
def test_a_crash_at_any_step_loses_nothing(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    pages = shelf.write("list 1", "detail 1", "list 2")
    shelf.hold(pages[1])

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        if step == "after move":
            moving = page_refs.move

            def moved(*args: object) -> None:
                moving(*args)  # type: ignore[arg-type]
                raise Crash

            patch.setattr(page_refs, "move", moved)
        else:
            patch.setattr(f"scraper.compaction.{step}", crash)
        with pytest.raises(Crash):
            shelf.compact()
        assert shelf.held() == [b"detail 1"]
    shelf.compact()
    assert shelf.held() == [b"detail 1"]
    assert shelf.bodies() == [b"detail 1"]
    left = [name for name in shelf.files() if not name.endswith((".warc.gz", ".moved"))]
    assert left == []


def test_who_is_at_work_is_asked_of_the_system(tmp_path: Path) -> None:
    host, now = socket.gethostname(), datetime.now(UTC)

    def name(pid: int, begun: datetime, who: str = host) -> Path:
        path = tmp_path / f"{who}-{begun:%Y%m%dT%H%M%S}-{pid}-00.warc.gz"
        path.touch()
        return path

    assert is_live(name(os.getpid(), now))
    assert not is_live(name(os.getpid(), now - timedelta(days=9)))  # the number was given out again
    assert not is_live(name(2**22 + 1, now))
    elsewhere = name(1, now, "elsewhere")
    assert is_live(elsewhere)
    os.utime(elsewhere, (0, 0))
    assert not is_live(elsewhere)
    assert not is_live(tmp_path / f"{host}-20250101T000000-{os.getpid()}-00.c1.warc.gz")
