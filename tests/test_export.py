"""Exports: the same rows in every format, whole or not at all, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pqwatch.columns import COLUMNS, VERSION_COLUMNS, as_text
from pqwatch.export import ExportError, export
from storage import questions
from storage.ingest import ingest
from storage.records import Record
from storage.store import Store
from tests.helpers import NOW, answered, at, content, corrected, feed_item, observation


@pytest.fixture
def held(store: Store) -> list[Record]:
    """Three records: one with three versions, one whose text looks like a formula, and a feed item."""
    ingest(store, [observation(content())], now=NOW)
    ingest(store, [observation(answered('Four\ttonnes, "so" it\nseems.'), observed_at=at(1))], now=at(1))
    ingest(store, [observation(corrected(), observed_at=at(2))], now=at(2))
    ingest(store, [observation(content(uin="7", question_text="=HYPERLINK(1)")), feed_item()], now=NOW)
    with store.read() as conn:
        return list(questions.iterate(conn, versions=True))


def _export(held: list[Record], form: str, out: Path, *, versions: bool = False) -> int:
    return export(held, form, out, versions=versions, topics=lambda _: ("drugs",), now=NOW)  # type: ignore[arg-type]


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("versions", [False, True])
def test_all_formats_hold_the_same_rows(held: list[Record], tmp_path: Path, versions: bool) -> None:
    counts = {
        form: _export(held, form, tmp_path / f"out.{form}", versions=versions)
        for form in ("csv", "jsonl", "parquet")
    }
    assert set(counts.values()) == {3}
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    table = pq.read_table(tmp_path / "out.parquet").to_pylist()
    rows = _csv(tmp_path / "out.csv")
    expected = sum(len(line["versions"]) for line in lines) if versions else len(lines)
    assert len(rows) == len(table) == expected == (5 if versions else 3)
    for row, cells in zip(rows, table, strict=True):
        assert {name: as_text(value) for name, value in cells.items()} == row
    if not versions:
        assert [line["key"] for line in lines] == [row["key"] for row in rows]
        assert [line["answer_text"] for line in lines] == [cells["answer_text"] for cells in table]
        assert {line["topics"][0] for line in lines} == {"drugs"}


def test_a_row_of_a_version_shows_that_version(held: list[Record], tmp_path: Path) -> None:
    _export(held, "csv", tmp_path / "out.csv", versions=True)
    rows = [row for row in _csv(tmp_path / "out.csv") if row["uin"] == "35566"]
    assert [(row["version"], row["kind"], row["state"]) for row in rows] == [
        ("1", "tabled", "tabled"),
        ("2", "answered", "answered"),
        ("3", "corrected", "corrected"),
    ]
    assert [row["answer_text"] for row in rows] == [
        "",
        'Four\ttonnes, "so" it\nseems.',
        "Five tonnes were seized.",
    ]


@pytest.mark.parametrize("text", ["=1+1", "+44", "-2", "@cmd", "\tx", "\rx"])
def test_no_cell_starts_a_formula(text: str) -> None:
    assert as_text(text) == f"'{text}"
    assert as_text(f"x{text}") == f"x{text}"


def test_numbers_are_left_as_they_are() -> None:
    assert as_text(17) == "17"
    assert as_text(True) == "true"


def test_a_failed_export_leaves_what_stood_there(held: list[Record], tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("yesterday's")

    def broken(_: Record) -> tuple[str, ...]:
        raise OSError(28, "No space left on device")

    with pytest.raises(ExportError, match=r"cannot write .*out\.csv: No space left on device"):
        export(held, "csv", out, versions=False, topics=broken, now=NOW)
    assert out.read_text() == "yesterday's"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_pipe_is_written_to_and_a_link_stays_one(held: list[Record], tmp_path: Path) -> None:
    pipe, link, target = (tmp_path / name for name in ("pipe", "link", "target.csv"))
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_bytes)
        assert _export(held, "csv", pipe) == 3
    target.touch()
    link.symlink_to(target)
    _export(held, "csv", link)
    assert (pipe.is_fifo(), link.is_symlink()) == (True, True)
    assert target.read_bytes() == read.result()
    assert not (tmp_path / "pipe.datapackage.json").exists()


def test_a_missing_folder_is_one_clear_line(held: list[Record], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"cannot write .*nowhere/out\.csv: No such file or directory"):
        _export(held, "csv", tmp_path / "nowhere" / "out.csv")


def test_the_package_beside_names_every_column(held: list[Record], tmp_path: Path) -> None:
    _export(held, "parquet", tmp_path / "out.parquet", versions=True)
    package = json.loads((tmp_path / "out.parquet.datapackage.json").read_text())
    resource = package["resources"][0]
    assert resource["path"] == "out.parquet"
    assert resource["bytes"] == (tmp_path / "out.parquet").stat().st_size
    names = [field["name"] for field in resource["schema"]["fields"]]
    assert names == [column.name for column in (*COLUMNS, *VERSION_COLUMNS)]
    assert package["created"] == "2025-03-10T09:00:00Z"
    _export(held, "csv", tmp_path / "out.csv")
    package = json.loads((tmp_path / "out.csv.datapackage.json").read_text())
    profiles = package["profile"], package["resources"][0]["profile"]
    assert profiles == ("tabular-data-package", "tabular-data-resource")


def test_the_columns_are_documented() -> None:
    text = (Path(__file__).parents[1] / "docs" / "export.md").read_text()
    for column in (*COLUMNS, *VERSION_COLUMNS):
        assert f"| `{column.name}` | {column.type} | {column.meaning} |" in text
