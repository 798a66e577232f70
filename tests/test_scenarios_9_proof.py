"""Scenarios 3, 9 and 10: a backfill that floods nobody, proof of a changed answer, and a quarter taken along whole."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from warcio.archiveiterator import ArchiveIterator

from pqwatch.replica import Replica, serve
from tests.shell import Forks, Shell

pytestmark = pytest.mark.xdist_group("scenario 9")  # what a file sets up is set up once

WORLD = Path(__file__).parent / "worlds" / "nitazenes"
HO1 = "commons/2026-03-03/118001"
OLD = 40  # questions of the years before


@pytest.fixture
def replica() -> Iterator[Replica]:
    """The world of the nitazenes, with questions about them on many days of 2020."""
    with serve(at="2026-03-02T08:00Z", data=WORLD) as made:
        world = made.stage.world
        old = tuple(_old(date(2020, 6, 1) + timedelta(days=n), n) for n in range(OLD))
        made.stage.world = replace(world, stories=(*world.stories, *old))
        yield made


def _old(day: date, number: int) -> dict[str, Any]:
    step = {
        "at": datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1), "heading": "Synthetic Opioids",
        "minister": "Judith Marlow", "answer": f"<p>There were {number} seizures of nitazenes.</p>",
    }  # fmt: skip
    return {
        "id": 1200000 + number, "uin": str(50000 + number), "tabled": day, "due": day, "body": "Home Office",
        "asker": "Orla Fenwick", "text": "To ask the Secretary of State, how many were seized.", "step": [step],
    }  # fmt: skip


def test_a_backfill_is_resumed_floods_nobody_and_is_summed_up_on_demand(
    forked: Forks, tmp_path: Path, replica: Replica
) -> None:
    shell = Shell(forked, tmp_path, replica)
    shell.at("2026-03-02T08:00Z").well("crawl")
    shell.at("2026-03-02T09:00Z")
    readers = [f"r{number}@example.org" for number in range(10)]
    queries = "\n".join(
        f"[[subscription]]\nname = '{to}'\nquery = '{'nitazene*' if n < 9 else 'canal*'}'\nto = 'file://{tmp_path}/{to}'"
        for n, to in enumerate(readers)
    )
    (tmp_path / "readers.toml").write_text(queries)
    shell.well("subscriptions", "import", str(tmp_path / "readers.toml"))
    backfill = ["backfill", "parliament", "--from", "2020-06-01", "--to", "2020-07-20"]
    with shell.after(("quick_retries",)):
        replica.fault("http", match="tabledWhenFrom=2020-06-2", times=10**6, status=500)
        assert shell(*backfill).code == 1, "forty per cent are missing"
        replica.fault("none")
        shell.well(*backfill)
    again = [entry["path"] for entry in replica.log if entry["status"] == 200]
    details = [path for path in again if path.rpartition("/")[2].partition("?")[0].isdigit()]
    assert len(details) == len(set(details)), "no question is asked for twice"
    days = shell.json("coverage", "parliament", "--from", "2020-06-01", "--to", "2020-07-20")["days"]
    assert sum(day["held"] for day in days) == OLD
    assert all(day["held"] == day["expected"] for day in days if day["expected"] is not None)
    shell.well("alerts", "run")
    assert shell.json("deliveries")["total"] == 0
    assert not list(tmp_path.glob("r*@example.org/*.eml"))
    assert shell.json("catch-up", "r0@example.org")["rows"] >= OLD
    shell.well("alerts", "run")
    assert len(list(tmp_path.glob("r*@example.org/*.eml"))) == 1
    shell.at("2026-03-12T18:00Z").well("crawl")
    shell.well("alerts", "run")
    rows = [row for row in shell.json("deliveries")["items"] if row["key"] == HO1]
    assert {row["subscription"]["name"] for row in rows} == set(readers[:9]), "exactly the right people"


@pytest.fixture(scope="module")
def watched(forked: Forks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The life of HO-1, and the bundled fortnight's end, in one archive."""
    folder = tmp_path_factory.mktemp("proof")
    with serve(at="2026-03-02T08:00Z", data=WORLD) as replica:
        shell = Shell(forked, folder, replica)
        for moment in ("2026-03-03T20:00Z", "2026-03-06T18:00Z", "2026-03-12T18:00Z", "2026-03-23T18:00Z"):
            shell.at(moment).well("crawl")
        yield shell


def test_the_evidence_pack_is_checked_with_standard_tools(watched: Shell, tmp_path: Path) -> None:
    pack = watched.folder / "pack.zip"
    watched.well("evidence", HO1, "--out", str(pack))
    with zipfile.ZipFile(pack) as files:
        assert files.testzip() is None
        files.extractall(tmp_path)
    sums = next(tmp_path.rglob("*SHA256*"), None) or next(tmp_path.rglob("*sha256*"))
    for line in sums.read_text().splitlines():
        digest, name = line.split(maxsplit=1)
        found = sums.parent / name.lstrip("*")
        assert hashlib.sha256(found.read_bytes()).hexdigest() == digest
    (warc,) = tmp_path.rglob("*.warc.gz")
    with warc.open("rb") as stream:
        bodies = [
            record.content_stream().read()
            for record in ArchiveIterator(stream)
            if record.rec_type == "response"
        ]
    for figure in (b"1,104 seizures", b"1,140 seizures"):
        assert any(figure in body for body in bodies), figure
    told = "\n".join(
        path.read_text() for path in tmp_path.rglob("*") if path.suffix in (".txt", ".md", ".json", ".html")
    )
    for said in ("118001", "Orla Fenwick", "1,104", "1,140"):
        assert said in told
    assert "whole and unchanged" in watched.well("verify", str(pack))
    spoilt = bytearray(pack.read_bytes())
    spoilt[len(spoilt) // 2] ^= 1
    (tmp_path / "spoilt.zip").write_bytes(spoilt)
    assert watched("verify", str(tmp_path / "spoilt.zip")).code == 1


def test_what_vanished_shows_when_it_was_last_seen(watched: Shell) -> None:
    assert watched.replica is not None
    world = watched.replica.stage.world
    watched.replica.stage.world = replace(
        world, stories=tuple(story for story in world.stories if story["uin"] != "118001")
    )
    watched.at("2026-03-24T18:00Z")("crawl")
    watched.replica.stage.world = world
    told = watched.json("show", HO1)
    assert told["state"] == "corrected"
    assert len(told["versions"]) == 4
    assert {source["last_seen"] for source in told["sources"]} == {"2026-03-23T18:00:00Z"}
    with watched.web() as visitor:
        page = visitor.get(f"/{HO1}").text
    assert "deleted" not in page.lower()
    assert "Last seen" in page


def test_exports_hold_the_rows_of_the_screen_and_survive_a_restore(
    watched: Shell, tmp_path: Path, forked: Forks
) -> None:
    query = "tabled:2026"
    total = watched.json("search", query)["total"]
    out = {form: watched.folder / f"quarter.{form}" for form in ("csv", "jsonl", "parquet")}
    for form, path in out.items():
        watched.well("export", query, "--format", form, "--out", str(path))
    rows = list(csv.DictReader(io.StringIO(out["csv"].read_text(encoding="utf-8"), newline="")))
    lines = [json.loads(line) for line in out["jsonl"].read_text(encoding="utf-8").splitlines()]
    table = pyarrow.parquet.read_table(out["parquet"])
    assert [len(rows), len(lines), table.num_rows] == [total] * 3
    assert list(rows[0]) == table.column_names
    assert [row["key"] for row in rows] == [line["key"] for line in lines] == table["key"].to_pylist()
    versions = watched.well("export", "uin:118001", "--format", "csv", "--versions", "--out", "-")
    assert len(list(csv.DictReader(io.StringIO(versions, newline="")))) == 4
    watched.well("backup", str(tmp_path / "yesterday"))
    (tmp_path / "clean").mkdir()
    clean = Shell(forked, tmp_path / "clean").at(watched.now)
    clean.well("restore", str(tmp_path / "yesterday"))
    for form, path in out.items():
        again = tmp_path / f"again.{form}"
        clean.well("export", query, "--format", form, "--out", str(again))
        assert again.read_bytes() == path.read_bytes(), form
    overdue = {item["key"] for item in clean.json("search", "is:overdue")["items"]}
    assert overdue == {
        line["key"] for line in lines if line["overdue_after"] < "2026-03-24" and line["state"] == "tabled"
    }
