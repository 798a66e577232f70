"""The crawl beside what a user would write instead: `requests` one by one, and aiohttp with a loop.

    python -m bench.crawl_peers [--from 2024-11-04] [--to 2024-11-06] [--rate 40]

All read the same days of the replay, lists and details, on SQLite: once with no limit, once at the same rate of requests. The scripts
keep each question's JSON in a table and do nothing else: no archive, no checks against totals, no versions, no index, no resumption.
CPU is of the reader alone. Needs aiohttp and requests (dependency group `bench`), and the shared data beside the project.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.crawl import AT
from tests.replay import Peer, database, environment, served

_BOTH = """
import sqlite3, sys, time
from datetime import date, timedelta
base, first, last, rate, file = sys.argv[1], date.fromisoformat(sys.argv[2]), date.fromisoformat(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
base += "/api/writtenquestions/questions"
days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
db = sqlite3.connect(file)
db.execute("create table q (id integer primary key, body text)")
def listed(day):
    return f"{base}?tabledWhenFrom={day}&tabledWhenTo={day}&take=10000&expandMember=true"
def keep(rows):
    with db:
        db.executemany("insert or replace into q values (?, ?)", rows)
"""
SCRIPTS = {
    "requests, one by one": _BOTH
    + '''
import requests
session, due = requests.Session(), time.monotonic()
def get(url):
    global due
    time.sleep(max(0, due - time.monotonic()))
    due = max(due, time.monotonic() - 1) + (1 / rate if rate else 0)
    answer = session.get(url, timeout=60)
    answer.raise_for_status()
    return answer
for day in days:
    ids = [each["value"]["id"] for each in get(listed(day)).json()["results"]]
    keep([(id, get(f"{base}/{id}?expandMember=true").text) for id in ids])
''',
    "aiohttp and a loop": _BOTH
    + '''
import aiohttp, asyncio
due = time.monotonic()
async def main():
    slots = asyncio.Semaphore(8)
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        async def get(url):
            global due
            async with slots:
                wait = due - time.monotonic()
                due = max(due, time.monotonic()) + (1 / rate if rate else 0)
                await asyncio.sleep(max(0, wait))
                async with session.get(url) as answer:
                    return await answer.text()
        import json
        for day in days:
            ids = [each["value"]["id"] for each in json.loads(await get(listed(day)))["results"]]
            keep(zip(ids, await asyncio.gather(*(get(f"{base}/{id}?expandMember=true") for id in ids))))
asyncio.run(main())
''',
}  # fmt: skip


def measure(
    command: list[str], peer: Peer, environ: dict[str, str] | None = None
) -> tuple[int, float, float]:
    """Requests that the replay saw, seconds by the clock and of CPU."""
    peer.requests()
    begun = time.perf_counter()
    child = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    if status:
        raise SystemExit(f"{command[:3]} ended with {status}")
    return len(peer.requests()), wall, used.ru_utime + used.ru_stime


def run(peer: Peer, first: str, last: str, rate: float) -> None:
    """A line for each reader at this rate; 0: no limit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = [sys.executable, "-m", "pqwatch", "--now", f"{AT}Z", "--database", database(folder)]
        ours += ["backfill", "parliament", "--from", first, "--to", last]
        environ = environment(folder, peer.url, PQWATCH_RATE=f"{rate:g}")
        told = {"pqwatch": measure(ours, peer, environ)}
        for number, (what, script) in enumerate(SCRIPTS.items()):
            arguments = [peer.url, first, last, str(rate), str(folder / f"{number}.sqlite3")]
            told[what] = measure([sys.executable, "-c", script, *arguments], peer)
    for what, (requests, wall, cpu) in told.items():
        limit = f"{rate:g}/s" if rate else "none"
        print(
            f"{what:<24}{limit:>8}{requests:>10,}{wall:>10.1f}{requests / wall:>12,.0f}{cpu:>10.2f}{requests / cpu:>14,.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.crawl_peers", description=__doc__)
    parser.add_argument("--from", dest="first", default="2024-11-04")
    parser.add_argument("--to", dest="last", default="2024-11-06")
    parser.add_argument("--rate", type=float, default=40)
    chosen = parser.parse_args()
    shared = Path(os.environ.get("PQWATCH_TEST_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    if not shared.exists():
        print("left out: needs the shared data beside the project")
        return
    with served(shared) as peer:
        peer.set(AT)
        print(
            f"{'':<24}{'limit':>8}{'requests':>10}{'seconds':>10}{'a second':>12}{'CPU s':>10}{'a CPU second':>14}"
        )
        for rate in (0, chosen.rate):
            run(peer, chosen.first, chosen.last, rate)


if __name__ == "__main__":
    main()
