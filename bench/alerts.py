"""How fast what changed reaches those who asked: rows in the ledger, messages composed, rows drained side by side.

    python -m bench.alerts [--postgresql URL] [--subscriptions 10000] [--rows 100000] [--workers 4]

The drain needs a PostgreSQL server in which a database may be made; without `--postgresql` one that runs is looked for.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, select, text

from alerts.audience import Audience
from alerts.composer import Composer
from alerts.posting import post_due
from alerts.query import parse
from alerts.run import run
from alerts.sending import send_due
from alerts.subscriptions import Request, subscribe
from alerts.tree import to_json
from storage import ledger, messages
from storage.ingest import ingest
from storage.ledger import NewRow
from storage.messages import Claim
from storage.owner import this_process
from storage.schema import deliveries, questions, subscriptions
from storage.schema import messages as message_table
from storage.store import Store, open_store
from tests import postgres
from tests.fakes import NOW, answered, make_content, make_setup, observation

SETUP = make_setup()


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; `most`: the target is an upper limit."""

    what: str
    value: float
    unit: str
    target: float
    most: bool = False

    def __str__(self) -> str:
        sign = "<" if self.most else ">"
        good = self.value < self.target if self.most else self.value >= self.target
        mark = "" if good else "  MISSED"
        return f"{self.what:<66}{self.value:>10,.2f} {self.unit:<8} {sign} {self.target:,.0f}{mark}"


def subscribe_all(store: Store, count: int, addresses: int) -> None:
    """Many readers of one word; queries differ a little, as people's do."""
    words = ("cocaine", "police", '"county lines"', "seizures", "lines closed", "coca*")
    trees = {word: to_json(parse(word).tree) for word in words}
    rows = [
        {
            "name": f"s{n}", "query": words[n % len(words)], "tree": trees[words[n % len(words)]],
            "to": f"mailto:reader{n % addresses}@example.org", "on": ["answered"], "every": "instant", "at": "07:00",
            "days": [], "created_at": NOW - timedelta(days=1), "confirmed_at": NOW - timedelta(days=1),
            "begins_at": NOW - timedelta(days=1), "token": f"t{n}",
        }
        for n in range(count)
    ]  # fmt: skip
    with store.write() as conn:
        conn.execute(insert(subscriptions), rows)


def ledger_and_compose(folder: Path, count: int) -> list[Figure]:
    store = open_store(f"sqlite:///{folder / 'bench.sqlite3'}")
    subscribe_all(store, count, addresses=count)
    ingest(store, [observation(answered(), NOW)], now=NOW)
    began = time.perf_counter()
    report = run(store, now=NOW, settings=SETUP, send=False)
    taken = time.perf_counter() - began
    assert report.rows == count, report
    post_due(store, SETUP, now=NOW)
    composed, seconds = _compose(store, 2_000)
    refreshed = refresh(store, count)
    store.close()
    return [
        *refreshed,
        Figure(
            f"one answer, {count:,} subscriptions that match: all ledger rows, SQLite",
            taken,
            "s",
            2,
            most=True,
        ),
        Figure("composing mails (text, HTML, marks, reasons)", composed / seconds, "/s", 400),
    ]


def refresh(store: Store, count: int) -> list[Figure]:
    """What each run pays to know who listens: all of them at first, then what changed. CPU time."""
    audience = Audience(SETUP)
    seconds = []
    for _ in range(3):
        with store.read() as conn:
            began = time.process_time()
            audience.refresh(conn)
            seconds.append(time.process_time() - began)
        wish = Request(query="heroin OR cocaine", to="feed:", name=f"new {len(seconds)}")
        subscribe(store, wish, setup=SETUP, now=NOW)
    assert len(audience.subscriptions) == count + 2
    return [
        Figure(f"{count:,} subscriptions read into the matcher (CPU)", seconds[0], "s", 2, most=True),
        Figure("the same once more, with one that is new (CPU)", seconds[2], "s", 1, most=True),
    ]


def _compose(store: Store, count: int) -> tuple[int, float]:
    began = time.perf_counter()
    done = 0
    while done < count:
        clock = SETUP.clock()
        claim = Claim(this_process(), clock, clock + timedelta(minutes=5))
        with store.write() as conn:
            batch = messages.claim(conn, claim, now=NOW, limit=64)
        if not batch:
            break
        with store.read() as conn:
            payloads = Composer(conn, SETUP).payloads([message.id for message in batch])
        with store.write() as conn:
            messages.store_payloads(conn, payloads)
        done += len(batch)
    return done, time.perf_counter() - began


def drain(url: str, rows: int, workers: int, folder: Path) -> list[Figure]:
    """`rows` rows for a fifth as many addresses; each worker is a process of its own."""
    store = open_store(url)
    addresses = rows // 5
    with store.write() as conn:
        conn.execute(text("TRUNCATE subscriptions, deliveries, messages, questions CASCADE"))
    subscribe_all(store, addresses, addresses=addresses)
    contents = [answered(make_content(uin=str(40_000 + n))) for n in range(5)]
    ingest(store, [observation(content, NOW) for content in contents], now=NOW)
    _fill(store, folder)
    command = [sys.executable, "-m", "bench.alerts", "--worker", url]
    began = time.perf_counter()
    running = [subprocess.Popen(command) for _ in range(workers)]
    codes = [process.wait() for process in running]
    seconds = time.perf_counter() - began
    assert codes == [0] * workers, codes
    sent = _check(store, rows, folder)
    store.close()
    what = f"{rows:,} pending rows in {sent:,} messages, {workers} workers, PostgreSQL: none twice"
    return [Figure(what, rows / seconds, "rows/s", 300)]


def _fill(store: Store, folder: Path) -> None:
    """Rows to files of a folder each address of its own, so that what arrived can be counted."""
    with store.write() as conn:
        conn.execute(subscriptions.update().values(to=(folder / "mail").as_uri()))
        ids = list(conn.execute(select(subscriptions.c.id)).scalars())
        # one message a subscription: the address is told apart by a last part of the path
        conn.execute(text("UPDATE subscriptions SET \"to\" = \"to\" || '/' || (id % 50) || '/' || id"))
        asked = list(conn.execute(select(questions.c.id)).scalars())
        conn.execute(text("UPDATE changes SET done_at = created_at"))
        for start in range(0, len(ids), 2_000):
            ledger.write(
                conn,
                [
                    NewRow(
                        subscription_id=subscription, question_id=question, event="v1", number=1, kind="answered",
                        state="pending", created_at=NOW, due_at=NOW,
                    )
                    for subscription in ids[start : start + 2_000]
                    for question in asked
                ],
            )  # fmt: skip


def _check(store: Store, rows: int, folder: Path) -> int:
    with store.read() as conn:
        states = conn.execute(text("SELECT state, count(*) FROM deliveries GROUP BY state")).all()
        attempts = conn.execute(text("SELECT state, attempts, count(*) FROM messages GROUP BY 1, 2")).all()
        names = set(conn.execute(select(message_table.c.id)).scalars())
        pointed = conn.execute(select(deliveries.c.message_id).distinct()).scalars().all()
    assert [tuple(row) for row in states] == [("sent", rows)], states
    assert [row[:2] for row in attempts] == [("sent", 1)], attempts
    files = list((folder / "mail").glob("*/*/*.eml"))
    assert len(files) == len(names) == len(pointed), (len(files), len(names))
    return len(files)


def _work(url: str) -> None:
    store = open_store(url)
    post_due(store, SETUP, now=NOW)
    send_due(store, SETUP, now=NOW)
    store.close()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--postgresql")
    parser.add_argument("--subscriptions", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--worker", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        _work(options.worker)
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = ledger_and_compose(Path(folder), options.subscriptions)
        print(*figures, sep="\n", flush=True)
        with (
            postgres.server() as server,
            postgres.database(options.postgresql or server, "pqwatch_bench_alerts") as url,
        ):
            print(*drain(url, options.rows, options.workers, Path(folder)), sep="\n")


if __name__ == "__main__":
    main()
