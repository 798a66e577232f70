"""The archive: what is written is read again, whatever happened to the files in between."""

import gzip
import subprocess
import sys
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from scraper import warc
from scraper.archive import Archive, ArchiveError
from scraper.source import Page
from storage.records import PageRef

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
LONG = b'{"results": [' + b'"x", ' * 500 + b"0]}"


def write(
    archive: Archive, body: bytes, *, minutes: int = 0, url: str = "https://api.example.org/q/1"
) -> Page:
    return archive.write(
        source="parliament",
        job="crawl",
        url=url,
        status=200,
        headers=[("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")],
        body=body,
        observed_at=NOON + timedelta(minutes=minutes),
    )


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.warc.gz"))


def test_a_page_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    page = write(archive, b'{"value": "caf\xc3\xa9"}')
    assert Archive(tmp_path).read(page.ref) == page
    assert page.headers == {"content-type": "application/json", "content-length": "18"}
    assert list(Archive(tmp_path).pages()) == [page]


def test_nothing_is_made_before_something_is_written(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.flush()
    archive.close()
    assert not (tmp_path / "archive").exists()
    assert list(Archive(tmp_path / "archive").pages()) == []


def test_the_same_payload_is_kept_once_over_runs(tmp_path: Path) -> None:
    first = Archive(tmp_path)
    write(first, LONG)
    write(first, LONG, minutes=1)
    first.close()
    second = Archive(tmp_path)
    page = write(second, LONG, minutes=2)
    second.close()
    types = [
        record.rec_type
        for path in files(tmp_path)
        for record in ArchiveIterator(path.open("rb"))
        if record.rec_type != "warcinfo"
    ]
    assert types == ["response", "revisit", "revisit"]
    assert Archive(tmp_path).read(page.ref) == page
    assert [p.body for p in Archive(tmp_path).pages()] == [LONG] * 3


def test_a_revisit_is_not_made_of_a_record_that_is_gone(tmp_path: Path) -> None:
    first = Archive(tmp_path)
    write(first, LONG)
    first.close()
    files(tmp_path)[0].unlink()
    second = Archive(tmp_path)
    page = write(second, LONG)
    assert Archive(tmp_path).read(page.ref).body == LONG


def test_pages_come_in_the_order_of_observation_whatever_the_files(tmp_path: Path) -> None:
    archives = [Archive(tmp_path) for _ in range(3)]
    minutes = [[0, 7, 8], [1, 2, 9], [3, 4, 5, 6]]
    for archive, times in zip(archives, minutes, strict=True):
        for minute in times:
            write(archive, b"%d" % minute, minutes=minute)
        archive.close()
    assert [int(page.body) for page in Archive(tmp_path).pages()] == list(range(10))


def test_marks_stand_among_the_pages(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    write(archive, b"1")
    archive.mark("whole-pass", source="parliament", job="crawl", observed_at=NOON)
    write(archive, b"2")
    archive.close()
    entries = list(Archive(tmp_path).entries())
    assert [(e.mark, e.page and e.page.body) for e in entries] == [
        (None, b"1"),
        ("whole-pass", None),
        (None, b"2"),
    ]
    assert {(e.source, e.job, e.observed_at) for e in entries} == {("parliament", "crawl", NOON)}


def test_a_record_cut_off_by_a_crash_is_skipped_and_the_rest_reads(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    pages = [write(archive, b"%d" % n * 400, minutes=n) for n in range(5)]
    archive.close()
    path = files(tmp_path)[0]
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        held = [page for page in pages if _end(pages, page, len(whole)) <= length]
        assert list(Archive(tmp_path).pages()) == held


def _end(pages: list[Page], page: Page, size: int) -> int:
    later = [p.ref.offset for p in pages if (p.ref.offset or 0) > (page.ref.offset or 0)]
    return later[0] or 0 if later else size


@settings(max_examples=60, deadline=None)
@given(spoilt=st.integers(0, 4), at=st.floats(0, 0.999), value=st.binary(min_size=1, max_size=40))
def test_spoilt_bytes_cost_no_other_record(
    tmp_path_factory: pytest.TempPathFactory, spoilt: int, at: float, value: bytes
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    archive = Archive(folder)
    pages = [write(archive, bytes([65 + n]) * 3000, minutes=n) for n in range(5)]
    archive.close()
    path = files(folder)[0]
    data = bytearray(path.read_bytes())
    begin, end = pages[spoilt].ref.offset or 0, _end(pages, pages[spoilt], len(data))
    place = begin + int(at * (end - begin))
    value = value[: end - place]
    data[place : place + len(value)] = value
    path.write_bytes(data)
    others = [page for page in pages if page is not pages[spoilt]]
    assert [page for page in Archive(folder).pages() if page != pages[spoilt]] == others


def test_a_page_that_is_another_one_is_refused(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    ref = write(archive, b"1").ref
    with pytest.raises(ArchiveError, match="does not hold the page"):
        archive.read(PageRef("0" * 64, ref.file, ref.offset))
    with pytest.raises(ArchiveError, match="lies outside"):
        archive.read(PageRef("0" * 64, "../secret", 0))
    with pytest.raises(ArchiveError, match="cannot be read"):
        archive.read(PageRef("0" * 64, "2024-01/gone.warc.gz", 0))


def test_a_page_whose_original_is_lost_is_named_and_the_rest_reads(tmp_path: Path) -> None:
    first = Archive(tmp_path)
    write(first, LONG)
    first.close()
    second = Archive(tmp_path)
    write(second, LONG, minutes=1)
    last = write(second, b"2", minutes=2)
    second.close()
    files(tmp_path)[0].unlink()
    lost, page = Archive(tmp_path).entries()
    assert lost.page is None
    assert "cannot be read" in (lost.lost or "")
    assert page.page == last


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ArchiveError, match=r"^archive: cannot write to .*file: Not a directory$"):
        write(Archive(blocked), b"1")


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    write(archive, b"1")
    assert archive._file is not None
    archive._file.close()
    archive._file = Path("/dev/full").open("wb")  # noqa: SIM115 - the archive closes it
    with pytest.raises(ArchiveError, match=r"No space left on device$"):
        write(archive, b"2")
    archive.close()  # what the buffer still holds is said once


def test_after_a_full_disk_what_is_written_lies_where_it_is_said_to_lie(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    first = write(archive, LONG)
    kept, archive._file = archive._file, Path("/dev/full").open("wb")  # noqa: SIM115 - the archive closes it
    with pytest.raises(ArchiveError):
        write(archive, b"2")
    assert kept is not None
    kept.close()
    pages = [first, write(archive, b"3", minutes=1), write(archive, LONG, minutes=2)]
    archive.close()
    assert [Archive(tmp_path).read(page.ref) for page in pages] == pages
    assert list(Archive(tmp_path).pages()) == pages


def test_common_tools_read_the_files(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    write(archive, LONG)
    write(archive, LONG, minutes=1)
    archive.close()
    (path,) = files(tmp_path)
    assert gzip.decompress(path.read_bytes()).startswith(b"WARC/1.1\r\n")
    check = subprocess.run(
        [sys.executable, "-m", "warcio.cli", "check", "-v", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stdout
    assert "digest failed" not in check.stdout
    assert check.stdout.count("digest pass") == 1 + 1, check.stdout


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "X-Odd ", "Set-Cookie", "ETag", "X:Y"]),
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30),
    ),
    min_size=1,
    max_size=4,
)


@given(
    headers=HEADERS,
    status=st.sampled_from(["200 OK", "404", "304 Not Modified", "200", "abc", ""]),
    type_=st.sampled_from(["response", "revisit", "metadata", "warcinfo"]),
    payload=st.sampled_from([b"", b"{}", b"\r\n\r\n", b"a\r\n\r\nb: c\r\n", b"\xff" * 40]),
    cut=st.integers(0, 3),
)
def test_the_quick_way_reads_what_warcio_reads(
    headers: list[tuple[str, str]], status: str, type_: str, payload: bytes, cut: int
) -> None:
    http = headers if type_ in ("response", "revisit") else None
    packed = warc.encode(
        type_, "http://127.0.0.1/a", {"X-Ours": "1"}, status=status, http=http, payload=payload
    )
    member = zlib.decompress(packed, 31)
    member = member[: len(member) - cut]
    quick = warc._decode_plain(member)
    assert quick is None or quick == warc._decode_any(member)


def test_what_we_write_is_read_the_quick_way() -> None:
    http = [("Content-Type", "application/json"), ("Vary", "a"), ("Vary", "b")]
    packed = warc.encode("response", "http://127.0.0.1/a", {}, status="200 OK", http=http, payload=b"{}")
    record = warc._decode_plain(zlib.decompress(packed, 31))
    assert record is not None
    assert (record.status, record.http["vary"], record.payload) == (200, "a, b", b"{}")
