"""How fast subscriptions are applied to what is stored: every version read from the database, analysed and matched.

    python -m bench.rematch [--questions 4000] [--subscriptions 1000] [--database URL]

The target is 1,000,000 versions against 1,000 subscriptions in 15 minutes on two processors. Fewer versions are reckoned up
in proportion; memory is flat. Time is that of the processor, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, insert, select

from alerts.query import parse
from alerts.rematch import Rematch
from alerts.tree import to_json
from bench.questions import observations
from bench.subscriptions import World, as_query
from storage import subscriptions as rows
from storage.ingest import ingest
from storage.schema import subscriptions, versions
from storage.store import Store, open_store
from tests.fakes import NOW, make_setup

MILLION, SECONDS, PROCESSORS = 1_000_000, 900, 2
BATCH = 500


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rematch", description=__doc__)
    parser.add_argument("--questions", type=int, default=4_000)
    parser.add_argument("--subscriptions", type=int, default=1_000)
    parser.add_argument("--database", help="an empty one to fill, instead of SQLite in a folder of its own")
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(chosen.database or f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
        fill(store, chosen.questions, chosen.subscriptions)
        show(store, profile=chosen.profile)
        store.close()


def fill(store: Store, count: int, readers: int) -> None:
    """Questions of which every second has two versions, and subscriptions as people write them."""
    batch = list(observations(count))
    for at in range(0, count, BATCH):
        ingest(store, batch[at : at + BATCH], now=NOW)
    later = NOW + timedelta(days=4_000)
    edited = [
        replace(
            each,
            observed_at=later,
            content=replace(each.content, question_text=f"{each.content.question_text} Mended."),
        )
        for each in batch[::2]
    ]
    for at in range(0, len(edited), BATCH):
        ingest(store, edited[at : at + BATCH], now=later)
    made = [as_query(wish) for wish in World().wishes(readers)]
    values = [
        {
            "name": f"s{n}", "query": query, "tree": to_json(parse(query).tree), "to": f"mailto:r{n}@example.org",
            "on": ["answered", "corrected", "edited"], "every": "instant", "at": "07:00", "days": [], "created_at": NOW,
            "confirmed_at": NOW, "begins_at": NOW, "token": f"t{n}",
        }
        for n, query in enumerate(made)
    ]  # fmt: skip
    with store.write() as conn:
        conn.execute(insert(subscriptions), values)


def show(store: Store, *, profile: bool) -> None:
    with store.read() as conn:
        wanted = rows.every(conn)
        held = conn.execute(select(func.count()).select_from(versions)).scalar_one()
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    began = time.process_time()
    found = Rematch(store, make_setup(), NOW).run(wanted)
    seconds = time.process_time() - began
    if profile:
        profiler.disable()
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("cumulative").print_stats(30)
    events = sum(each.events for each in found)
    million = MILLION / (held / seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{store.dialect}: {held:,} versions, {len(wanted):,} subscriptions, {events:,} events: {held / seconds:,.0f} versions/s a processor"
    )
    print(
        f"1M versions: {million:,.0f} s on one processor, {million / PROCESSORS:,.0f} s on {PROCESSORS} with the questions"
        f" parted (target {SECONDS} s); peak {peak:,.0f} MB"
    )


if __name__ == "__main__":
    main()
