"""How many observations a second the store takes in, new and unchanged, on each kind of database.

    python -m bench.storage [--rows 20000] [--postgres URL] [--profile]

The texts are invented, 1,600 characters an answer on average, in batches of 500. PostgreSQL is measured where a URL is
given or a server answers on this machine. Machines differ: how many a second SQLite's full-text index takes in by itself
says what the others are to be held against.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from storage.ingest import IngestResult, ingest
from storage.records import PARLIAMENT, Body, Content, House, Member, Observation, PageRef
from storage.store import Store, open_store

BATCH = 500
NOW = datetime(2025, 3, 10, 9, tzinfo=UTC)
TARGETS = {("sqlite", "new"): 3_000, ("postgresql", "new"): 1_500}
UNCHANGED = 50_000
_SEEN = frozenset(Content.__dataclass_fields__) - {"lapsed", "links"}
_LETTERS = "etaoinshrdlucmfwypvbgk"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: observations a second, and the least that is asked for."""

    database: str
    what: str
    rate: float
    target: int


def observations(count: int, seed: int = 1) -> list[Observation]:
    """Answered questions with texts of made-up words, each with its own UIN."""
    chance = random.Random(seed)
    words = ["".join(chance.choices(_LETTERS, k=chance.randint(2, 9))) for _ in range(8_000)]
    return [_observation(number, chance, words) for number in range(1, count + 1)]


def _observation(number: int, chance: random.Random, words: list[str]) -> Observation:
    paragraphs = [" ".join(chance.choices(words, k=60)) for _ in range(chance.randint(1, 7))]
    tabled = date(2024, 9, 2) + timedelta(days=number % 180)
    content = Content(
        house=House.COMMONS,
        uin=str(number),
        tabled_on=tabled,
        due_on=tabled + timedelta(days=3),
        heading=" ".join(chance.choices(words, k=3)).title(),
        answering_body=Body(f"Department {number % 24}", number % 24 + 1),
        asking_member=Member(f"Member {number % 650}", number % 650 + 1, "Party", "Place"),
        question_text="To ask the Secretary of State " + " ".join(chance.choices(words, k=40)),
        answer_text="\n".join(paragraphs),
        answer_html="".join(f"<p>{each}</p>" for each in paragraphs),
        answering_member=Member(f"Minister {number % 100}", number % 100 + 5_000, "Party", "Place"),
        answered_on=tabled + timedelta(days=5),
    )
    return Observation(
        source=PARLIAMENT,
        source_id=str(number),
        url=f"https://example.org/api/writtenquestions/questions/{number}",
        key=f"commons/{tabled}/{number}",
        observed_at=NOW + timedelta(milliseconds=number),
        content=content,
        seen=_SEEN,
        page=PageRef(f"{number:064x}", "bench.warc.gz", number),
        official_id=number,
        row_digest=f"{number:032x}",
    )


def measure(store: Store, rows: int) -> list[Figure]:
    """New questions, the same again, and the same with one text in ten changed."""
    shown = observations(rows)
    later = [replace(each, observed_at=each.observed_at + timedelta(minutes=30)) for each in shown]
    edited = [_edited(each) if at % 10 == 0 else each for at, each in enumerate(later)]
    new = _rate(store, shown)
    unchanged = _rate(store, later)
    changed = _rate(store, edited)
    name = store.dialect
    return [
        Figure(name, "new", new, TARGETS[name, "new"]),
        Figure(name, "unchanged", unchanged, UNCHANGED),
        Figure(name, "one in ten edited", changed, 0),
    ]


def index_alone(rows: int) -> Figure:
    """The same texts into a bare FTS5 table: what is left of the time where nothing else is done."""
    texts = [(each.content.question_text, each.content.answer_text) for each in observations(rows)]
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(Path(folder) / "bare.sqlite3")) as db,
    ):
        db.executescript("PRAGMA journal_mode = WAL; CREATE VIRTUAL TABLE t USING fts5(q, a, content = '')")
        begin = time.perf_counter()
        for at in range(0, rows, BATCH):
            numbered = [(at + n, *each) for n, each in enumerate(texts[at : at + BATCH], 1)]
            with db:
                db.executemany("INSERT INTO t(rowid, q, a) VALUES (?, ?, ?)", numbered)
        return Figure("sqlite", "FTS5 alone", rows / (time.perf_counter() - begin), 0)


def _edited(observation: Observation) -> Observation:
    text = f"{observation.content.answer_text} Mended."
    content = replace(observation.content, answer_text=text, answer_html=f"<p>{text}</p>")
    return replace(observation, content=content, observed_at=observation.observed_at + timedelta(hours=1))


def _rate(store: Store, shown: list[Observation]) -> float:
    total, begin = IngestResult(), time.perf_counter()
    for at in range(0, len(shown), BATCH):
        total += ingest(store, shown[at : at + BATCH], now=NOW)
    return len(shown) / (time.perf_counter() - begin)


@contextmanager
def stores(postgres: str | None) -> Iterator[list[Store]]:
    """An empty store of each kind that can be had."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        opened = [open_store(f"sqlite:///{Path(folder) / 'bench.sqlite3'}")]
        if postgres:
            opened.append(open_store(stack.enter_context(_database(postgres))))
        for store in opened:
            stack.callback(store.close)
        yield opened


@contextmanager
def _database(server: str) -> Iterator[str]:
    import psycopg
    from sqlalchemy.engine import make_url

    name = f"pqwatch_bench_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def find_postgres() -> str | None:
    """A server on this machine that lets us in, or null."""
    with suppress(ImportError):
        import psycopg

        for url in (os.environ.get("PQWATCH_TEST_POSTGRES"), "postgresql://postgres@127.0.0.1:5432/postgres"):
            with suppress(psycopg.OperationalError):
                if url:
                    psycopg.connect(url, connect_timeout=3).close()
                    return url
    return None


def run(rows: int, postgres: str | None) -> list[Figure]:
    """All figures."""
    with stores(postgres) as opened:
        return [index_alone(rows), *(figure for store in opened for figure in measure(store, rows))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--postgres", metavar="URL", default=find_postgres())
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    given = parser.parse_args()
    profile = cProfile.Profile()
    if given.profile:
        profile.enable()
    figures = run(given.rows, given.postgres)
    profile.disable()
    print(f"{'database':12} {'observations':20} {'a second':>10} {'target':>10}")
    for each in figures:
        print(f"{each.database:12} {each.what:20} {each.rate:10,.0f} {each.target or '':>10}")
    if given.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
