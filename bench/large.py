"""PostgreSQL with a million questions and a million and a half versions: what each kind of work takes there.

    python -m bench.large --database URL [--questions 1000000] [--only fill|use]

`--database` names an empty database; drop it afterwards. A tenth of the questions is made by chance and stored as a crawl stores it
(`bench.questions`), then copied nine times in SQL under other ids, numbers and keys, and every second question gets a second
version. Words are as frequent as in the tenth; the tokens of numbers and keys in the full-text index are those of the original.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, text

from bench.questions import observations
from bench.search import NOW
from storage.ingest import ingest
from storage.store import open_store

COPIES = 10
BATCH = 1_000

_COPY = (
    """INSERT INTO questions SELECT id + :shift, key || :mark, official_id + :shift, provisional, house, uin || :mark, state, tabled_on,
       due_on, overdue_after, answered_on, holding_on, corrected_on, named_day, pro_forma, body_id, body_name, heading, sort_key + :shift,
       number, meaning, layout, observed_at, text_observed_at, recheck_at FROM questions WHERE id <= :most""",
    "INSERT INTO aliases SELECT key || :mark, question_id + :shift FROM aliases WHERE question_id <= :most",
    """INSERT INTO sightings SELECT source, CAST(CAST(source_id AS bigint) + :shift AS text), question_id + :shift, url || :mark, first_seen, last_seen, read_at,
       row_digest, digest, fills FROM sightings WHERE question_id <= :most""",
    """INSERT INTO versions SELECT question_id + :shift, number, kind, kinds, changed, state, observed_at, source,
       jsonb_set(content, '{uin}', to_jsonb((content->>'uin') || :mark)), page_sha256, page_file, page_offset, backfilled, reconstructed
       FROM versions WHERE question_id <= :most""",
    """INSERT INTO searched SELECT sort_key + :shift, question_id + :shift, number, department, state, house, unsure, basis
       FROM searched WHERE question_id <= :most""",
    """INSERT INTO search_words SELECT w.sort_key + :shift, w.words FROM search_words w JOIN searched USING (sort_key)
       WHERE question_id <= :most""",
)  # fmt: skip
_SECOND = (
    """INSERT INTO versions SELECT question_id, 2, 'edited', '["edited"]', '["answer_text"]', state, observed_at + interval '30 days', source,
       content, page_sha256, page_file, page_offset, backfilled, reconstructed FROM versions WHERE number = 1 AND question_id % 2 = 0""",
    "UPDATE questions SET number = 2 WHERE id % 2 = 0",
    "UPDATE searched SET number = 2 WHERE question_id % 2 = 0",
)  # fmt: skip


def fill(url: str, count: int) -> None:
    """A tenth as a crawl stores it, the copies, the second versions; says what each took."""
    store = open_store(url)
    tenth = count // COPIES
    with _said(f"{tenth:,} questions stored as a crawl stores them"):
        made = observations(tenth)
        while batch := list(islice(made, BATCH)):
            ingest(store, batch, now=NOW, backfilled=True)
    with store.write() as conn:
        most = conn.execute(text("SELECT max(id) FROM questions")).scalar_one()
        conn.execute(text("DROP INDEX ix_search_words_words"))
    with _said(f"{COPIES - 1} copies in SQL, without the full-text index"):
        for number in range(1, COPIES):
            with store.write() as conn:
                _copy(conn, most, number)
    with _said("every second question gets a second version"), store.write() as conn:
        for statement in _SECOND:
            conn.execute(text(statement))
    with _said("the full-text index made anew (GIN)"), store.write() as conn:
        conn.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        conn.execute(text("CREATE INDEX ix_search_words_words ON search_words USING gin (words)"))
    with (
        _said("VACUUM ANALYZE"),
        store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn,
    ):
        conn.exec_driver_sql("VACUUM ANALYZE")
    with store.write() as conn:
        conn.execute(
            text("SELECT setval(pg_get_serial_sequence('questions', 'id'), (SELECT max(id) FROM questions))")
        )
    store.close()


def _copy(conn: Connection, most: int, number: int) -> None:
    values = {"shift": number * most, "mark": f"90{number:02}", "most": most}
    for statement in _COPY:
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        conn.execute(text(statement), used)


@contextmanager
def _said(what: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    print(f"  {time.perf_counter() - begun:8.1f} s  {what}", flush=True)


def use(url: str) -> None:
    """What is done every day, on what `fill` made: each in a process of its own, as a user would."""
    with _said("migrated to the present schema"):
        open_store(url).close()
    _sizes(url)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _command(url, folder, "status")
        _command(url, folder, "coverage", "parliament", "--from", "2025-11-01", "--to", "2025-11-30")
        for query in ("cocaine", '"county lines"', "naloxone treatment"):
            _command(url, folder, "search", query, "--limit", "20")
        _command(url, folder, "subscribe", "cocaine", "--to", f"file://{folder}", "--force")
        with _said("1,000 new answers stored"):
            _new_answers(url)
        _command(url, folder, "alerts", "run")
        _command(url, folder, "export", "--format", "parquet", "--out", str(folder / "all.parquet"))


def _sizes(url: str) -> None:
    store = open_store(url)
    with store.read() as conn:
        for table in ("questions", "versions", "searched", "search_words", "sightings", "aliases"):
            held = conn.execute(text(f"SELECT pg_total_relation_size('{table}') / 1e6")).scalar_one()
            print(f"  {held:8.0f} MB  {table}, with its indexes")
    store.close()


def _new_answers(url: str) -> None:
    store = open_store(url)
    fresh = [
        replace(each, source_id=f"9{number:08}", official_id=900_000_000 + number, key=f"{each.key}7777", observed_at=NOW,
                content=replace(each.content, uin=f"{each.content.uin}7777"))
        for number, each in enumerate(observations(BATCH, seed=9))
    ]  # fmt: skip
    ingest(store, fresh, now=NOW)
    store.close()


def _command(url: str, folder: Path, *args: str) -> None:
    environ = {**os.environ, "PQWATCH_DATABASE_URL": url, "PQWATCH_DATA_DIR": str(folder)}
    begun = time.perf_counter()
    command = [sys.executable, "-m", "pqwatch", "--now", "2026-01-02T09:00Z", *args]
    child = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds, cpu = time.perf_counter() - begun, used.ru_utime + used.ru_stime
    print(
        f"  {seconds:8.1f} s  {' '.join(args)}: {cpu:.1f} s of CPU, {used.ru_maxrss / 1024:.0f} MB, exit {os.waitstatus_to_exitcode(status)}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.large", description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--questions", type=int, default=1_000_000)
    parser.add_argument("--only", choices=("fill", "use"))
    chosen = parser.parse_args()
    if chosen.only != "use":
        fill(chosen.database, chosen.questions)
    if chosen.only != "fill":
        use(chosen.database)


if __name__ == "__main__":
    main()
