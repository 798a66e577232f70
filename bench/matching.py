"""How many answers a second are matched against how many subscriptions, beside the engines used in its place.

    python -m bench.matching [--sizes 1000 10000 100000 1000000] [--archive 50000] [--postgres URL] [--no-peers]

One core; CPU time of this process (PostgreSQL: the clock). A batch is 500 new answers, about one sitting day. All
engines get the same analysed tokens, and must find the same matches, or the bench fails; the analysis is shown apart.
Peers run up to 100,000 subscriptions; the slow ones on a part of the batch. Each figure is the best of three.
"""

from __future__ import annotations

import argparse
import gc
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from alerts.matcher import Matcher, shares_of
from alerts.query import Query, from_json, parse, to_json
from bench import peers, peers_stored
from bench.peers import Found, Text
from bench.subscriptions import Wish, World, as_query
from storage.analyse import words
from storage.document import Document, document
from storage.records import Record

BATCH = 500
LIMIT = {1_000: 135_634, 10_000: 127_465, 100_000: 58_870, 1_000_000: 14_131}
"""What a prototype in C reached with the same idea."""

WANTED = {10_000: 0, 100_000: 5_000, 1_000_000: 1_000}
RATIOS = {"TheyWorkForYou": 30, "FTS5": 5, "tantivy": 3, "mokaccino": 40}
"""At 100,000 subscriptions."""

PEERS_UP_TO = 100_000
PART = {
    "mokaccino": {100_000: 100},
    "PostgreSQL": {100_000: 50},
    "regex": {1_000: 100, 10_000: 50, 100_000: 0},
}
"""How many texts of the batch a slow engine gets."""


def main() -> None:
    options = _options()
    world = World()
    records = world.records(BATCH)
    texts = [_text(record) for record in records]
    shares = shares_of(document(record) for record in world.records(2_000, seed=9))
    _show_analysis(records)
    rates: dict[tuple[str, int], float] = {}
    for size in options.sizes:
        wishes = world.wishes(size)
        wanted = _measure_own(size, wishes, records, shares, rates)
        if not options.no_peers and size <= PEERS_UP_TO:
            archive = [_text(record) for record in world.records(options.archive, seed=7)]
            _measure_peers(size, wishes, texts, wanted, rates, archive, options.postgres)
    _show_rates(rates, options.sizes)
    _show_targets(rates)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--archive", type=int, default=50_000, help="answers in TheyWorkForYou's archive")
    parser.add_argument("--postgres", help="a PostgreSQL server, as a libpq URL")
    parser.add_argument("--no-peers", action="store_true")
    return parser.parse_args()


def _text(record: Record) -> Text:
    body = record.content.answering_body
    assert body is not None
    return Text(tuple(words(record.content.answer_text or "")), peers.department_token(body.name))


def _show_analysis(records: Sequence[Record]) -> None:
    characters = sum(len(record.content.answer_text or "") for record in records)

    seconds = min(_cpu(lambda: [_analysed(record) for record in records]) for _ in range(5))
    each = seconds / characters * 1_500 * 1e6
    print(f"analysis of 1,500 characters: {each:.0f} µs {_mark(each <= 150)} (wanted: 150 at most)\n")


def _analysed(record: Record) -> Document:
    """A document with its words, their inflected forms and its fields: what the peers get as tokens."""
    found = document(record)
    assert found.tokens
    assert found.sequence
    return found


def _measure_own(
    size: int,
    wishes: Sequence[Wish],
    records: Sequence[Record],
    shares: dict[str, float],
    rates: dict[Any, float],
) -> Found:
    database = _stored(wishes)
    gc.collect()
    before, started = _memory(), time.process_time()
    matcher = _loaded(database, shares)
    loading = time.process_time() - started
    gc.collect()
    each = (_memory() - before) / size
    gc.freeze()  # a long-lived process would do the same: what is loaded is not garbage
    found: Found = []
    best = 1e9
    alone: list[float] = []
    for _ in range(3):
        documents = [_analysed(record) for record in records]
        found = []
        started = time.process_time()
        for doc in documents:
            at = time.perf_counter()
            found.append(matcher.match(doc))
            alone.append(time.perf_counter() - at)
        best = min(best, time.process_time() - started)
    rates["pqwatch", size] = len(records) / best
    gc.collect()
    gc.freeze()  # the answers above are the bench's own: looking through them is no part of adding
    p50, p99, most = _time_adding(matcher)
    print(
        f"{size:>9,} subscriptions: loaded in {loading:.1f} s, {each:.0f} B each,"
        f"{_trees_told(database, shares, size)} one answer alone"
        f" {sorted(alone)[len(alone) // 2] * 1e3:.3f} ms, {sum(map(len, found)) / len(found):,.0f} matches an answer\n"
        f"{'':>9} 2,000 added: p50 {p50 * 1e6:.0f} µs, p99 {p99 * 1e6:.0f} µs, the slowest {most * 1e3:.2f} ms"
        f" {_mark(most < 1e-3)} (wanted: under 1 ms)"
    )
    gc.unfreeze()
    return found


def _stored(wishes: Sequence[Wish]) -> sqlite3.Connection:
    """The parsed forms in a table, as subscriptions keep them."""
    trees: dict[str, bytes] = {}
    database = sqlite3.connect(":memory:")
    database.execute("create table subscriptions (id integer primary key, tree text)")
    for number, wish in enumerate(wishes):
        text = as_query(wish)
        if text not in trees:
            trees[text] = orjson.dumps(to_json(parse(text).tree))
        database.execute("insert into subscriptions values (?, ?)", (number, trees[text]))
    return database


def _loaded(database: sqlite3.Connection, shares: dict[str, float]) -> Matcher:
    matcher = Matcher(shares)
    for number, tree in database.execute("select id, tree from subscriptions"):
        matcher.add(number, Query(from_json(orjson.loads(tree)), ""))
    return matcher


def _trees_told(database: sqlite3.Connection, shares: dict[str, float], size: int) -> str:
    """Told of large ones only: the memory of few fits into what the process has to spare."""
    return f" {_with_trees(database, shares) / size:.0f} B with their trees," if size >= 100_000 else ""


def _with_trees(database: sqlite3.Connection, shares: dict[str, float]) -> int:
    """Bytes of a matcher whose queries are kept beside it, as one who shows or explains them does."""
    gc.collect()
    before = _memory()
    matcher, kept = Matcher(shares), []
    for number, tree in database.execute("select id, tree from subscriptions"):
        kept.append(Query(from_json(orjson.loads(tree)), ""))
        matcher.add(number, kept[-1])
    gc.collect()
    return _memory() - before


def _time_adding(matcher: Matcher) -> tuple[float, float, float]:
    """p50, p99 and the longest time for a new subscription, of words and prefixes met before and not."""
    taken = []
    for number in range(2_000):
        query = parse(
            f"zela{number} balder OR tra* NOT gore{number}" if number % 2 else f"wawe{number} bab{number:03}*"
        )
        started = time.thread_time()
        matcher.add(("new", number), query)
        taken.append(time.thread_time() - started)
    taken.sort()
    return taken[1_000], taken[1_980], taken[-1]


def _measure_peers(
    size: int,
    wishes: Sequence[Wish],
    texts: Sequence[Text],
    wanted: Found,
    rates: dict[Any, float],
    archive: Sequence[Text],
    postgres: str | None,
) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "FTS5": lambda: peers.Fts5(wishes),
        "tantivy": lambda: peers.Tantivy(wishes),
        "mokaccino": lambda: peers.Mokaccino(wishes),
        "Xapian, batch": lambda: peers.XapianBatch(wishes),
        "TheyWorkForYou": lambda: peers_stored.TheyWorkForYou(wishes, archive),
        "regex": lambda: peers.Regex(wishes),
    }
    if postgres:
        makers["PostgreSQL"] = lambda: peers_stored.PostgreSQL(wishes, postgres)
    for name, make in makers.items():
        part = texts[: PART.get(name, {}).get(size, BATCH)]
        if not part:
            continue
        try:
            engine = make()
        except ImportError as error:
            print(f"  {name}: absent ({error})")
            continue
        rates[name, size] = _rate(name, engine, part, wanted)


def _rate(name: str, engine: Any, texts: Sequence[Text], wanted: Found) -> float:
    """Answers a second, best of three (of one where a run takes more than 20 s). Fails where other matches are found."""
    for prepare in ("prepare", "index"):
        if hasattr(engine, prepare):
            getattr(engine, prepare)(*([texts] if prepare == "index" else []))
    clock = time.perf_counter if name == "PostgreSQL" else time.process_time
    best = 1e9
    for _ in range(3):
        started = clock()
        found = engine.run(texts)
        taken = clock() - started
        best = min(best, taken)
        if taken > 20:
            break
    for row, (mine, theirs) in enumerate(zip(wanted, found, strict=False)):
        assert sorted(mine) == sorted(theirs), (
            f"{name} finds other matches in answer {row}: {sorted({*mine} ^ {*theirs})}"
        )
    return len(texts) / best


def _cpu(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def _memory() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


def _show_rates(rates: dict[tuple[str, int], float], sizes: Sequence[int]) -> None:
    names = list(dict.fromkeys(name for name, _ in rates))
    print(f"\nanswers a second{'':<8}" + "".join(f"{size:>12,}" for size in sizes) + "   pqwatch : it")
    for name in names:
        cells = [f"{rates[name, size]:>12,.0f}" if (name, size) in rates else f"{'-':>12}" for size in sizes]
        ratios = [f"{rates['pqwatch', s] / rates[name, s]:,.1f}" for s in sizes if (name, s) in rates]
        print(f"{name:<24}" + "".join(cells) + "   " + " / ".join(ratios))
    cells = [f"{LIMIT[size]:>12,}" if size in LIMIT else f"{'-':>12}" for size in sizes]
    print(f"{'(prototype in C)':<24}" + "".join(cells))
    cells = [f"{rates['pqwatch', s] / LIMIT[s]:>12.0%}" if s in LIMIT else f"{'-':>12}" for s in sizes]
    print(f"{'pqwatch : prototype':<24}" + "".join(cells))


def _show_targets(rates: dict[tuple[str, int], float]) -> None:
    print()
    for size, least in WANTED.items():
        if least and ("pqwatch", size) in rates:
            print(f"{_mark(rates['pqwatch', size] >= least)} {least:,} answers a second at {size:,}")
    for name, least in RATIOS.items():
        if (name, 100_000) in rates:
            ratio = rates["pqwatch", 100_000] / rates[name, 100_000]
            print(f"{_mark(ratio >= least)} {least} times {name} at 100,000: {ratio:.1f}")
    for name in dict.fromkeys(name for name, _ in rates if name != "pqwatch"):
        ahead = all(rates["pqwatch", s] > rates[name, s] for s in (10_000, 100_000) if (name, s) in rates)
        print(f"{_mark(ahead)} ahead of {name} from 10,000 on")


def _mark(holds: bool) -> str:
    return "met   " if holds else "MISSED"


if __name__ == "__main__":
    main()
