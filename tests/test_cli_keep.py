"""`evidence`, `verify`, `backup`, `restore`, `compact` through the real command, on both databases."""

from __future__ import annotations

import shutil
import zipfile

import pytest

from tests.desk import crawled, database

STAR = "commons/2026-03-02/117201"
LATER = "2026-06-01T08:00Z"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stocked(request, tmp_path_factory):
    with crawled(request.param, tmp_path_factory.mktemp("stocked"), request) as desk:
        desk.kind = request.param
        yield desk


def exported(desk, *args, **environ):
    done = desk("export", "--format", "jsonl", "--versions", "--out", "-", *args, **environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    return done.stdout


def test_an_evidence_pack_is_made_and_verifies(stocked):
    pack = stocked.folder / "pack.zip"
    made = stocked.json("evidence", STAR, "--out", str(pack))
    assert made["key"] == STAR
    assert made["versions"] > 1
    verdict = stocked.json("verify", str(pack))
    assert (verdict["ok"], verdict["key"], verdict["versions"]) == (True, STAR, made["versions"])


def test_a_tampered_pack_is_exit_1_and_said(stocked):
    pack, bad = stocked.folder / "whole.zip", stocked.folder / "bad.zip"
    assert stocked("evidence", STAR, "--out", str(pack)).returncode == 0
    with zipfile.ZipFile(pack) as old, zipfile.ZipFile(bad, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) + (b" " if name == "versions/01.json" else b""))
    done = stocked("verify", str(bad))
    assert done.returncode == 1
    assert "versions/01.json was changed" in done.stderr
    assert "NOT as it was packed" in done.stdout


def test_what_is_no_pack_or_not_held_is_one_line(stocked):
    done = stocked("verify", __file__)
    assert (done.returncode, "is no evidence pack" in done.stderr) == (1, True)
    done = stocked("evidence", "commons/2020-01-01/1", "--out", str(stocked.folder / "none.zip"))
    assert (done.returncode, "is not held here" in done.stderr) == (1, True)
    assert not (stocked.folder / "none.zip").exists()
    done = stocked("evidence", STAR, "--out", str(stocked.folder / "absent" / "x.zip"))
    assert (done.returncode, "cannot write" in done.stderr) == (1, True)


def test_a_backup_restored_elsewhere_gives_the_same_export(stocked, request, tmp_path):
    file = tmp_path / "backup.tar"
    made = stocked.json("backup", str(file))
    assert made["database"] == stocked.kind
    assert made["archive_files"] > 0
    with database(stocked.kind, tmp_path, request, "restored") as url:
        clean = {"PQWATCH_DATABASE_URL": url, "PQWATCH_DATA_DIR": str(tmp_path / "data")}
        done = stocked("restore", str(file), **clean)
        assert done.returncode == 0, done.stderr
        assert exported(stocked, **clean) == exported(stocked)
        done = stocked("evidence", STAR, "--out", str(tmp_path / "again.zip"), **clean)
        assert done.returncode == 0, done.stderr
        again = stocked("restore", str(file), **clean)
        assert (again.returncode, "is not empty" in again.stderr) == (1, True)


def test_half_a_backup_is_refused_and_nothing_is_made(stocked, request, tmp_path):
    file, half = tmp_path / "backup.tar", tmp_path / "half.tar"
    assert stocked("backup", str(file)).returncode == 0
    half.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    target = tmp_path / "new.sqlite3"
    clean = {"PQWATCH_DATABASE_URL": f"sqlite:///{target}", "PQWATCH_DATA_DIR": str(tmp_path / "data")}
    done = stocked("restore", str(half), **clean)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not target.exists()
    assert not (tmp_path / "data").exists()


def test_compact_frees_superseded_lists_and_changes_nothing_that_is_held(stocked, request, tmp_path):
    before = exported(stocked)
    assert (
        stocked.json("--now", "2026-03-13T08:00Z", "compact")["archive"]["dropped"] == 0
    )  # none is old enough
    done = stocked.json("--now", LATER, "compact")
    assert done["archive"]["dropped"] > 0
    assert done["archive"]["bytes_after"] < done["archive"]["bytes_before"]
    assert done["database"]["packed"]
    assert exported(stocked) == before
    pack = tmp_path / "pack.zip"
    assert stocked("evidence", STAR, "--out", str(pack)).returncode == 0
    assert stocked("verify", str(pack)).returncode == 0
    assert stocked.json("--now", LATER, "compact")["archive"]["dropped"] == 0
    assert stocked.json("search", "cocaine")["total"] > 0


def test_what_was_compacted_still_rebuilds_every_version(stocked, request, tmp_path):
    assert stocked("--now", LATER, "compact").returncode == 0
    shutil.copytree(stocked.folder / "data", tmp_path / "data", ignore=shutil.ignore_patterns("*.sqlite3*"))
    with database(stocked.kind, tmp_path, request, "rebuilt") as url:
        clean = {"PQWATCH_DATABASE_URL": url, "PQWATCH_DATA_DIR": str(tmp_path / "data")}
        assert stocked("reparse", "parliament", **clean).returncode == 0
        assert _texts(exported(stocked, **clean)) == _texts(exported(stocked))


def _texts(lines):
    import json

    shapes = [json.loads(line) for line in lines.splitlines()]
    return {
        shape["key"]: [
            (v["number"], v["kinds"], v["observed_at"], v["question_text"], v["answer_text"])
            for v in shape["versions"]
        ]
        for shape in shapes
    }
