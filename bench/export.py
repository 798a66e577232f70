"""How long an export takes, and how much memory: the real command in a process of its own, on SQLite.

    python -m bench.export [--rows 30000] [--database URL]

Without --database an archive of invented questions is filled first. The target is for 1,000,000 rows; fewer rows are
reckoned up in proportion, which is right as far as memory stays flat (it is printed).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.storage import BATCH, NOW, observations
from storage.ingest import ingest
from storage.store import open_store

MILLION = 1_000_000
SECONDS, MEGABYTES = 120, 500
FORMATS = ("parquet", "csv", "jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.export", description=__doc__)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--database", help="export what stands there instead")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = chosen.database or fill(Path(folder), chosen.rows)
        print(
            f"{'format':8} {'rows':>9} {'rows/s':>8} {'1M rows':>9} {'target':>8} {'peak MB':>8} {'target':>7}"
        )
        for form in FORMATS:
            print(line(form, url, Path(folder) / f"out.{form}"))


def fill(folder: Path, rows: int) -> str:
    """A database with so many invented questions; its URL."""
    url = f"sqlite:///{folder / 'bench.sqlite3'}"
    store = open_store(url)
    shown = observations(rows)
    for at in range(0, rows, BATCH):
        ingest(store, shown[at : at + BATCH], now=NOW)
    store.close()
    return url


def line(form: str, url: str, out: Path) -> str:
    """One line of the table."""
    command = [sys.executable, "-m", "pqwatch", "--database", url, "--now", "2025-09-01T00:00Z", "-q"]
    began = time.perf_counter()
    with subprocess.Popen(
        [*command, "export", "--format", form, "--out", str(out)], stdout=subprocess.DEVNULL
    ) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if child.returncode:
        raise SystemExit(f"the export as {form} ended with {child.returncode}")
    rows = count(form, out)
    million = seconds * MILLION / rows
    target = f"{SECONDS} s" if form == "parquet" else ""
    return f"{form:8} {rows:9,} {rows / seconds:8,.0f} {million:7,.0f} s {target:>8} {used.ru_maxrss / 1024:8,.0f} {MEGABYTES:7}"


def count(form: str, out: Path) -> int:
    """Rows of a finished export."""
    if form == "parquet":
        import pyarrow.parquet as pq

        return int(pq.read_metadata(out).num_rows)
    if form == "jsonl":
        with out.open("rb") as lines:
            return sum(1 for _ in lines)
    import csv

    with out.open(newline="", encoding="utf-8") as text:
        return sum(1 for _ in csv.reader(text)) - 1


if __name__ == "__main__":
    main()
