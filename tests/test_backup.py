"""Backup and restore on both databases: all of it comes back, and nothing is touched where something is wrong."""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from storage import dump
from storage.backup import backup, restore
from storage.schema import meta
from storage.store import SCHEMA, StorageError, Store, open_store
from tests import postgres

NOW = datetime(2025, 3, 3, 6, tzinfo=UTC)


@pytest.fixture
def empty_url(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of the same kind as `store`, without any schema."""
    if store.dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'restored.sqlite3'}"
        return
    server = request.getfixturevalue("postgres_server")
    with postgres.database(server, f"pqwatch_restore_{os.getpid()}") as url:
        yield url


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    (folder / "2025").mkdir(parents=True)
    (folder / "one.warc.gz").write_bytes(os.urandom(50_000))
    (folder / "2025" / "två.warc.gz").write_bytes(b"")
    return folder


@pytest.fixture
def saved(store: Store, archive: Path, tmp_path: Path) -> Path:
    put(store, "x", "1")
    backup(store, archive, tmp_path / "saved.tar", now=NOW)
    return tmp_path / "saved.tar"


def put(store: Store, name: str, value: str) -> None:
    with store.write() as conn:
        conn.execute(insert(meta).values(name=name, value=value))


def facts(url: str) -> dict[str, str]:
    store = open_store(url)
    try:
        with store.read() as conn:
            return {row.name: row.value for row in conn.execute(select(meta))}
    finally:
        store.close()


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_all_of_it_comes_back(
    store: Store, archive: Path, saved: Path, empty_url: str, tmp_path: Path
) -> None:
    put(store, "y", "after the backup")
    report = restore(saved, empty_url, tmp_path / "back" / "archive")
    assert facts(empty_url) == {"x": "1"}
    assert contents(tmp_path / "back" / "archive") == contents(archive)
    assert (report.dialect, report.files, report.made_at) == (store.dialect, 2, "2025-03-03T06:00:00Z")
    assert report.bytes > 50_000
    assert not list(tmp_path.rglob(".pqwatch-*")), "nothing unfinished is left"


def test_it_runs_beside_writers(store: Store, archive: Path, empty_url: str, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            with store.write() as conn:  # always two together
                conn.execute(insert(meta), [{"name": f"a{n}", "value": "v"}, {"name": f"b{n}", "value": "v"}])
            with (archive / "one.warc.gz").open("ab") as file:
                file.write(os.urandom(1_000))
            n += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        backup(store, archive, tmp_path / "saved.tar", now=NOW)
    finally:
        stop.set()
        thread.join()
    restore(tmp_path / "saved.tar", empty_url, tmp_path / "back")
    names = facts(empty_url)
    assert {name[1:] for name in names if name[0] == "a"} == {name[1:] for name in names if name[0] == "b"}
    whole = (archive / "one.warc.gz").read_bytes()
    assert whole.startswith((tmp_path / "back" / "one.warc.gz").read_bytes())


def test_a_restored_database_goes_on(saved: Path, empty_url: str, tmp_path: Path) -> None:
    restore(saved, empty_url, tmp_path / "back")
    store = open_store(empty_url)
    put(store, "z", "new")
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(meta)).scalar_one() == 2
        assert conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == SCHEMA
    store.close()


def nothing_touched(url: str, folder: Path) -> bool:
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        if path.exists() or list(path.parent.glob("*")):
            return False
    else:
        dump.refuse_unless_empty(dump_url(url))
    return not folder.exists()


def dump_url(url: str) -> dump.URL:
    from sqlalchemy.engine import make_url

    return make_url(url).set(drivername="postgresql+psycopg")


def refused(saved: Path, url: str, folder: Path, message: str) -> None:
    with pytest.raises(StorageError, match=message) as caught:
        restore(saved, url, folder)
    assert "\n" not in str(caught.value)
    assert nothing_touched(url, folder)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_cut_file_is_refused(saved: Path, empty_url: str, tmp_path: Path, share: float) -> None:
    data = saved.read_bytes()
    with tarfile.open(saved) as tar:
        end = tar.getmember("manifest.json").offset_data
    saved.write_bytes(data[: int(end * share)])
    refused(saved, empty_url, tmp_path / "back", "cut off|no backup")


def test_a_file_cut_between_two_members_is_refused(saved: Path, empty_url: str, tmp_path: Path) -> None:
    with tarfile.open(saved) as tar:
        start = tar.getmember("manifest.json").offset
    saved.write_bytes(saved.read_bytes()[:start])
    refused(saved, empty_url, tmp_path / "back", "cut off: its end")


@pytest.mark.parametrize("member", ["archive/one.warc.gz", "database", "manifest.json"])
def test_a_changed_byte_is_refused(saved: Path, empty_url: str, tmp_path: Path, member: str) -> None:
    with tarfile.open(saved) as tar:
        info = next(i for i in tar if i.name.startswith(member))
    data = bytearray(saved.read_bytes())
    data[info.offset_data + info.size // 2] ^= 1
    saved.write_bytes(bytes(data))
    refused(saved, empty_url, tmp_path / "back", "damaged")


def remade(saved: Path, change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> None:
    with tarfile.open(saved) as tar:
        members = [(info, file.read()) for info in tar if (file := tar.extractfile(info))]
    change(members)
    with tarfile.open(saved, "w") as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))


def member(name: str, data: bytes, kind: bytes = tarfile.REGTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type = len(data), kind
    return info, data


def edited(members: list[tuple[tarfile.TarInfo, bytes]], **fields: object) -> None:
    listing = json.loads(members[-1][1]) | fields
    members[-1] = member("manifest.json", json.dumps(listing).encode())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.insert(1, member("../evil", b"x")), "has no place"),
        (lambda m: m.insert(1, member("/evil", b"x")), "has no place"),
        (lambda m: m.insert(1, member("archive/link", b"", tarfile.SYMTYPE)), "no plain file"),
        (lambda m: m.insert(1, member("archive/more", b"x")), "archive/more is not listed"),
        (lambda m: m.insert(1, m[0]), "has no place"),
        (lambda m: m.append(member("archive/late", b"x")), "has no place"),
        (lambda m: m.pop(1), "is missing"),
        (lambda m: edited(m, format=2), "format 2: update pqwatch"),
        (lambda m: edited(m, schema="9999"), "from a newer version"),
        (lambda m: edited(m, schema="x"), "from a newer version"),
        (lambda m: edited(m, dialect="oracle"), "backup of a oracle database"),
        (lambda m: edited(m, files=[{}]), "cannot be read"),
        (lambda m: m.__setitem__(-1, member("manifest.json", b"[]")), "cannot be read"),
    ],
)
def test_a_strange_file_is_refused(
    saved: Path, empty_url: str, tmp_path: Path, change: Callable[..., None], message: str
) -> None:
    remade(saved, change)
    refused(saved, empty_url, tmp_path / "back", message)


def test_what_is_no_backup_at_all(store: Store, empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    refused(tmp_path / "text", empty_url, tmp_path / "back", "is no backup")
    refused(tmp_path / "absent", empty_url, tmp_path / "back", "No such file")


def test_a_database_in_use_is_refused(saved: Path, database_url: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is not empty"):
        restore(saved, database_url, tmp_path / "back")
    assert facts(database_url) == {"x": "1"}
    assert not (tmp_path / "back").exists()


def test_an_archive_in_use_is_refused(saved: Path, empty_url: str, archive: Path) -> None:
    before = contents(archive)
    with pytest.raises(StorageError, match="archive is not empty"):
        restore(saved, empty_url, archive)
    assert contents(archive) == before


def test_an_empty_folder_is_filled(saved: Path, empty_url: str, archive: Path, tmp_path: Path) -> None:
    (tmp_path / "back").mkdir()
    restore(saved, empty_url, tmp_path / "back")
    assert contents(tmp_path / "back") == contents(archive)


def test_a_dump_that_cannot_be_loaded_leaves_nothing(saved: Path, empty_url: str, tmp_path: Path) -> None:
    import hashlib

    def spoil(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        info, data = members[0]
        spoilt = data[:5_000] + b"\xff" * (len(data) - 5_000)
        members[0] = member(info.name, spoilt)
        listing = json.loads(members[-1][1])
        listing["files"][0]["sha256"] = hashlib.sha256(spoilt).hexdigest()
        edited(members, **listing)

    remade(saved, spoil)
    refused(saved, empty_url, tmp_path / "back", "damaged|pg_restore failed|malformed")


def test_an_existing_file_is_not_overwritten(store: Store, archive: Path, saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(StorageError, match="is there already"):
        backup(store, archive, saved, now=NOW)
    assert saved.read_bytes() == before


def test_where_no_file_can_be_written(store: Store, archive: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot write the backup .*: No such file or directory"):
        backup(store, archive, tmp_path / "absent" / "saved.tar", now=NOW)


def test_without_any_archive_yet(store: Store, empty_url: str, tmp_path: Path) -> None:
    report = backup(store, tmp_path / "none", tmp_path / "saved.tar", now=NOW)
    assert report.files == 0
    restore(tmp_path / "saved.tar", empty_url, tmp_path / "back")
    assert contents(tmp_path / "back") == {}


def test_a_database_inside_the_folder_is_taken_once(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    put(store, "x", "1")
    (tmp_path / "log").write_text("a line")
    report = backup(store, tmp_path, tmp_path / "saved.tar", now=NOW)
    store.close()
    assert report.files == 1
    with tarfile.open(tmp_path / "saved.tar") as tar:
        assert tar.getnames() == ["database.sqlite3", "archive/log", "manifest.json"]


def test_another_kind_of_database_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    backup(store, tmp_path / "none", tmp_path / "saved.tar", now=NOW)
    store.close()
    with pytest.raises(StorageError, match="backup of a sqlite database, and the one to fill is postgresql"):
        restore(tmp_path / "saved.tar", "postgresql://localhost/x", tmp_path / "back")


def test_missing_programs_are_named(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(dump, "_DEBIAN", tmp_path)
    store = open_store(postgres_url)
    with pytest.raises(StorageError, match="pg_dump is needed for this and is not installed"):
        backup(store, tmp_path / "none", tmp_path / "saved.tar", now=NOW)
    store.close()
    assert list(tmp_path.glob("*")) == []
