"""A first crawl, a pass with nothing new, a backfill and a rebuild of one month, against the replay with no rate limit.

    python -m bench.crawl

Needs the shared data beside the project (PQWATCH_TEST_SHARED), and says so where it is absent. CPU and memory are of the pqwatch
process alone; its peer runs beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.replay import Peer, database, environment, served

AT = "2024-11-21T01:00:00"


@dataclass(frozen=True, slots=True)
class Done:
    """What one command came to: its report, seconds by the clock and of CPU, megabytes at its largest."""

    report: Mapping[str, Any]
    wall: float
    cpu: float
    megabytes: float


def command(folder: Path, peer: Peer, *args: str) -> Done:
    """One command in a process of its own."""
    called = [
        sys.executable,
        "-m",
        "pqwatch",
        "--now",
        f"{AT}Z",
        "--database",
        database(folder),
        *args,
        "--json",
    ]
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(called, env=environment(folder, peer.url), stdout=out, stderr=err)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begun
        out.seek(0)
        err.seek(0)
        if status:
            raise SystemExit(f"{' '.join(args)} ended with {status}: {err.read().decode()}")
        report = json.loads(out.read())["sources"][0]
    return Done(report, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def lines(folder: Path, peer: Peer) -> Sequence[tuple[str, str, str]]:
    """Each figure with its target."""
    peer.set(AT)
    first = command(folder, peer, "crawl", "parliament")
    peer.requests()
    again = command(folder, peer, "crawl", "parliament")
    details = [path for path in peer.requests() if "expandMember=true" in path and "When" not in path]
    month = folder / "backfill"
    month.mkdir()
    history = command(month, peer, "backfill", "parliament", "--from", "2024-11-01", "--to", "2024-11-20")
    rebuilt = folder / "rebuilt"
    rebuilt.mkdir()
    (rebuilt / "archive").symlink_to(folder / "archive")
    rebuild = command(rebuilt, peer, "reparse", "parliament")
    return [
        (f"first crawl, {first.report['new']} questions with details", f"{first.report['new'] / first.wall:,.0f} a second", "300"),
        ("  the same, a second of CPU", f"{first.report['new'] / first.cpu:,.0f}", ""),
        ("  peak memory", f"{first.megabytes:.0f} MB", "under 300"),
        (f"pass with nothing new, {again.report['seen']} rows", f"{again.cpu:.2f} s of CPU", "under 4"),
        ("  details asked for", str(len(details)), "0"),
        (f"backfill, {history.report['new']} questions", f"{history.report['new'] / history.wall:,.0f} a second", "300"),
        (f"reparse, {rebuild.report['seen']} details and all lists", f"{rebuild.report['seen'] / rebuild.cpu:,.0f} a second of CPU", "1,500"),
    ]  # fmt: skip


def main() -> None:
    shared = Path(os.environ.get("PQWATCH_TEST_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    if not shared.exists():
        print("left out: needs the shared data beside the project")
        return
    with tempfile.TemporaryDirectory() as folder, served(shared) as peer:
        print(f"{'':<48}{'measured':>26}{'target':>12}")
        for name, figure, target in lines(Path(folder), peer):
            print(f"{name:<48}{figure:>26}{target:>12}")


if __name__ == "__main__":
    main()
