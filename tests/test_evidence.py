"""Evidence packs: whole, checkable with common tools, and any change to one is found."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from datetime import date
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from pqwatch import evidence
from scraper.archive import Archive
from storage import questions
from storage.ingest import ingest
from storage.records import Observation, Record
from storage.store import Store
from tests.helpers import NOW, answered, at, content, corrected, observation


def _seen(archive: Archive, body: str, **fields: object) -> Observation:
    page = archive.write(
        source="parliament", job="crawl", url="https://example.org/questions/1", status=200,
        headers=[("Content-Type", "application/json")], body=body.encode(), observed_at=NOW,
    )  # fmt: skip
    return observation(page=page.ref, **fields)  # type: ignore[arg-type]


@pytest.fixture
def held(store: Store, tmp_path: Path) -> tuple[Record, Archive]:
    """A question with four versions; the third rests on the same response as the first (a revisit record)."""
    archive = Archive(tmp_path / "archive")
    hostile = answered("Four tonnes <script>alert(1)</script>\twere seized.", heading="Drugs: Smuggling")
    moved = answered(hostile.answer_text or "", heading="Drugs: Smuggling", due_on=date(2025, 3, 6))
    steps = [
        (content(), "first " * 400, 0),
        (hostile, "second " * 400, 1),
        (moved, "first " * 400, 2),
        (corrected("Five tonnes were seized."), "third", 3),
    ]
    for what, body, day in steps:
        ingest(store, [_seen(archive, body, what=what, observed_at=at(day))], now=at(day))
    archive.close()
    with store.read() as conn:
        record = questions.find(conn, "commons/2025-03-03/35566", versions=True)
    assert record is not None
    assert [each.number for each in record.versions] == [1, 2, 3, 4]
    return record, archive


@pytest.fixture
def pack(held: tuple[Record, Archive], tmp_path: Path) -> Path:
    path = tmp_path / "pack.zip"
    path.write_bytes(evidence.make(*held, now=NOW))
    return path


def test_a_pack_verifies_off_line(pack: Path) -> None:
    verdict = evidence.verify(pack)
    assert verdict.faults == ()
    assert (verdict.key, verdict.versions, verdict.responses) == ("commons/2025-03-03/35566", 4, 3)


def test_common_tools_alone_can_check_it(pack: Path, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(pack) as opened:
        opened.extractall(folder)
    assert shutil.which("sha256sum")
    done = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    with (folder / "responses.warc.gz").open("rb") as stream:
        bodies = [
            each.content_stream().read() for each in ArchiveIterator(stream) if each.rec_type == "response"
        ]
    assert bodies == [b"first " * 400, b"second " * 400, b"third"]


def test_it_shows_versions_differences_and_citation(pack: Path) -> None:
    with zipfile.ZipFile(pack) as opened:
        diff = opened.read("diffs/03-04.txt").decode()
        page = opened.read("index.html").decode()
        citation = opened.read("citation.txt").decode()
    assert "[-Four-]{+Five+}" in diff
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "UIN 35566, tabled on 3 March 2025" in citation
    assert citation.count("response SHA-256") == 4


def _changed(pack: Path, name: str, body: bytes | None, *, listed: bool = False) -> Path:
    """The pack with one member replaced (None: left out), with its hash put right where `listed`."""
    with zipfile.ZipFile(pack) as opened:
        members = {each: opened.read(each) for each in opened.namelist()}
    if body is None:
        del members[name]
    else:
        members[name] = body
    if listed:
        sums = (f"{evidence._sha256(each)}  {key}\n" for key, each in members.items() if key != evidence.SUMS)
        members[evidence.SUMS] = "".join(sums).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as changed:
        for key, each in members.items():
            changed.writestr(key, each)
    pack.write_bytes(out.getvalue())
    return pack


@pytest.mark.parametrize(
    ("name", "body", "listed", "fault"),
    [
        ("question.json", b"{}", False, "question.json was changed"),
        ("versions/02.json", None, False, "versions/02.json is listed and missing"),
        ("extra.txt", b"x", False, "extra.txt is not listed"),
        ("responses.warc.gz", b"", True, "version 1 rests on the response"),
        ("versions/03.json", b"{}", True, "version 3 is not whole"),
        ("question.json", b"not json", True, "question.json holds no version"),
    ],
)
def test_a_tampered_pack_is_found_out(
    pack: Path, name: str, body: bytes | None, listed: bool, fault: str
) -> None:
    verdict = evidence.verify(_changed(pack, name, body, listed=listed))
    assert not verdict.ok
    assert any(fault in each for each in verdict.faults), verdict.faults


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04 cut", b"no zip at all"])
def test_what_is_no_pack_is_refused_in_one_line(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(body)
    with pytest.raises(evidence.EvidenceError, match="is no evidence pack"):
        evidence.verify(path)


def test_a_response_that_is_gone_is_said(held: tuple[Record, Archive]) -> None:
    record, archive = held
    shutil.rmtree(archive.folder)
    with pytest.raises(evidence.EvidenceError, match="the response behind version 1 is not in the archive"):
        evidence.make(record, archive, now=NOW)


def test_a_changed_byte_anywhere_ends_in_a_verdict_or_one_line(pack: Path) -> None:
    """zipfile itself raises errors of several kinds."""
    whole, found = pack.read_bytes(), {"refused": 0, "told": 0}
    for place in range(0, len(whole), 23):
        pack.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            found["told"] += not evidence.verify(pack).ok
        except evidence.EvidenceError:
            found["refused"] += 1
    assert found["refused"] + found["told"] > len(whole) / 23 / 2
