"""How long the archive search takes as the archive grows: p50 and p95 in milliseconds beside their targets.

    python -m bench.search [--sizes 100000 300000] [--full] [--postgres URL] [--keep FOLDER]

`--full` goes to a million questions, for which targets are set. The archive is made up (`bench.questions`) and stored as a
crawl stores it. Each query runs `REPEATS` times on a warm database, and its best time counts, so that what else runs on
the machine shows less. PostgreSQL is measured where a URL is given.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from alerts import candidates
from alerts.query import parse
from bench.questions import FIELD_WORDS, PHRASES, Vocabulary, observations, vocabulary
from storage import search as index
from storage import search_batch
from storage.ingest import ingest
from storage.search_terms import Term
from storage.store import Store, open_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TODAY = NOW.date()
BATCH = 1_000
REPEATS = 3
POSTGRES_FACTOR = 5
"""PostgreSQL may take so many times what SQLite may."""


class Asked(NamedTuple):
    """A query as the index is asked for it, and the sort keys between which its dates let it look."""

    term: Term
    since: int | None
    before: int | None

    @staticmethod
    def of(text: str) -> Asked:
        tree = parse(text).tree
        return Asked(
            candidates.now_matching(tree, TODAY).upper, *index.keys_between(*candidates.days_of(tree))
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """Queries of one kind, what is asked of each, and how many milliseconds that may take at a million."""

    name: str
    queries: list[str]
    ask: Callable[[Connection, Asked], object]
    target: float


def _newest(conn: Connection, asked: Asked) -> object:
    return index.newest(conn, asked.term, 20, before=asked.before, since=asked.since)


def _deep(conn: Connection, asked: Asked) -> object:
    return index.newest(conn, asked.term, 20, before=index.first_key_of(date(2012, 6, 1)))


def _count(conn: Connection, asked: Asked) -> object:
    return index.count(conn, asked.term)


def _facets(conn: Connection, asked: Asked) -> object:
    return index.facets(conn, asked.term)


def _relevant(conn: Connection, asked: Asked) -> object:
    return index.relevant(conn, asked.term, 20)


def kinds(words: Vocabulary, chance: random.Random) -> list[Kind]:
    """The queries: rare, middling and common words by their rank, pairs, phrases, prefixes, fields."""
    rare = chance.sample(words.words[8_000:20_000], 30)
    mid = chance.sample(words.words[300:3_000], 30)
    common = chance.sample(words.words[5:120], 20)
    pairs = [f"{chance.choice(common + mid)} {chance.choice(mid)}" for _ in range(30)]
    prefixes = [f"{word[:5]}*" for word in chance.sample(words.words[200:20_000], 20) if len(word) > 5]
    prefixes += [f"{word[: max(4, len(word) - 3)]}*" for word in FIELD_WORDS[:20]]
    phrases = [f'"{phrase}"' for phrase in PHRASES]
    phrases += [f'"{chance.choice(words.words[:150])} {chance.choice(words.words[:150])}"' for _ in range(24)]
    fields = [f'{word} department:"home office"' for word in mid[:10] + common[:10]]
    fields += [f"{word} answered:2019..2021" for word in mid[:10] + common[:10]]
    every = rare[:15] + mid[:15] + common
    return [
        Kind("newest 20, rare word", rare, _newest, 10),
        Kind("newest 20, middling word", mid, _newest, 10),
        Kind("newest 20, common word", common, _newest, 10),
        Kind("newest 20, AND", pairs, _newest, 10),
        Kind("newest 20, prefix", prefixes, _newest, 10),
        Kind("newest 20, phrase", phrases, _newest, 50),
        Kind("newest 20, field or dates", fields, _newest, 10),
        Kind("20 before June 2012, words", every, _deep, 10),
        Kind("count, words", every, _count, 50),
        Kind("count, phrase", phrases, _count, 50),
        Kind("count, prefix", prefixes, _count, 50),
        Kind("facets, words", every, _facets, 150),
        Kind("facets, phrase", phrases, _facets, 150),
        Kind("20 most relevant, words", every, _relevant, 150),
    ]


class Archive:
    """A store that grows; knows what storing and indexing took."""

    def __init__(self, store: Store, most: int, words: Vocabulary) -> None:
        self.store, self.held = store, 0
        self._source = observations(most, words=words)

    def grow(self, size: int) -> tuple[float, float]:
        """Store questions until `size` are held. Seconds to store one, and of that to index it, both in microseconds."""
        stored = indexed = 0.0
        begun = self.held
        with _timed() as spent:
            while self.held < size:
                batch = list(islice(self._source, min(BATCH, size - self.held)))
                start = time.perf_counter()
                ingest(self.store, batch, now=NOW)
                stored += time.perf_counter() - start
                self.held += len(batch)
            indexed = spent[0]
        many = max(self.held - begun, 1)
        return stored / many * 1e6, indexed / many * 1e6


@contextmanager
def _timed() -> Iterator[list[float]]:
    """Counts the seconds that go into `search_batch.index`."""
    real, spent = search_batch.index, [0.0]

    def timed(*args: object) -> None:
        start = time.perf_counter()
        real(*args)  # type: ignore[arg-type]
        spent[0] += time.perf_counter() - start

    search_batch.index = timed
    try:
        yield spent
    finally:
        search_batch.index = real


def measure(store: Store, kind: Kind) -> tuple[float, float]:
    """p50 and p95 over the queries of a kind, milliseconds."""
    with store.read() as conn:
        asked = [Asked.of(text) for text in kind.queries]
        times = sorted(min(_time(kind.ask, conn, each) for _ in range(REPEATS)) for each in asked)
    return statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.95))]


def _time(ask: Callable[[Connection, Asked], object], conn: Connection, asked: Asked) -> float:
    start = time.perf_counter()
    ask(conn, asked)
    return (time.perf_counter() - start) * 1000


def run(url: str, sizes: list[int], factor: float) -> None:
    words = vocabulary()
    store = open_store(url)
    archive = Archive(store, max(sizes), words)
    asked = kinds(words, random.Random(3))
    curves: dict[str, list[str]] = {kind.name: [] for kind in asked}
    print(f"\n{store.dialect}")
    for size in sizes:
        stored, indexed = archive.grow(size)
        print(f"  to {size:>9,}: {stored:5.0f} µs to store a question, {indexed:5.0f} µs of it for the index")
        if store.dialect == "postgresql":
            _settle(store)
        for kind in asked:
            p50, p95 = measure(store, kind)
            curves[kind.name].append(f"{p50:8.2f} /{p95:8.2f}")
    _print(asked, curves, sizes, factor)
    store.close()


def _settle(store: Store) -> None:
    """What autovacuum does in a running system."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        for table in ("search_words", "searched", "questions"):
            conn.exec_driver_sql(f"VACUUM ANALYZE {table}")


def _print(asked: list[Kind], curves: dict[str, list[str]], sizes: list[int], factor: float) -> None:
    head = "".join(f"{size:>20,}" for size in sizes)
    print(f"\n  {'p50 / p95, ms':28}{head}   p95 wanted at 1,000,000")
    for kind in asked:
        row = "".join(f"{cell:>20}" for cell in curves[kind.name])
        print(f"  {kind.name:28}{row}   {kind.target * factor:>8.0f}")


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--sizes", type=int, nargs="+", default=[100_000, 300_000])
    options.add_argument("--full", action="store_true", help="up to a million questions")
    options.add_argument("--postgres", help="URL of an empty database")
    options.add_argument("--no-sqlite", action="store_true")
    options.add_argument(
        "--keep", type=Path, help="folder for the SQLite database; without it a temporary one"
    )
    chosen = options.parse_args()
    sizes = sorted({*chosen.sizes, 1_000_000} if chosen.full else set(chosen.sizes))
    with ExitStack() as stack:
        folder = chosen.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if not chosen.no_sqlite:
            run(f"sqlite:///{folder / 'archive.sqlite3'}", sizes, 1)
        if chosen.postgres:
            run(chosen.postgres, sizes, POSTGRES_FACTOR)


if __name__ == "__main__":
    main()
