"""Opening, migrating and refusing databases."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select, text

import storage
from storage.schema import deliveries, meta, metadata, questions, runs, sightings, stamp, subscriptions
from storage.store import SCHEMA, StorageError, Store, open_store
from tests.test_mentions import question_row

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_migrations_make_the_schema(bare_url: str) -> None:
    store = open_store(bare_url)
    with store.read() as conn:
        opts = {"compare_type": store.dialect == "postgresql", "include_name": _is_plain}
        context = MigrationContext.configure(conn, opts=opts)
        assert compare_metadata(context, metadata) == []
        names = set(filter(_is_plain, inspect(conn).get_table_names()))
        assert names == {*metadata.tables, "alembic_version"}
    store.close()


def _is_plain(name: str | None, *_: object) -> bool:
    """Not one of the tables of the full-text index, which are made by SQL alone."""
    return not (name or "").startswith("search_words")


def test_schema_number_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(storage.__file__ or "").parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA]


def test_a_database_of_an_older_schema_keeps_its_rows(bare_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.store.SCHEMA", "0003")
    old = open_store(bare_url)
    with old.write() as conn:
        conn.execute(text(_OLD_SUBSCRIPTION), {"now": stamp(NOW)})
        conn.execute(insert(questions).values(**question_row(1, "commons/2026-03-02/1")))
        conn.execute(text(_OLD_SIGHTING), {"now": stamp(NOW)})
        conn.execute(text(_OLD_DELIVERY), {"now": stamp(NOW)})
    old.close()
    monkeypatch.undo()
    store = open_store(bare_url)
    with store.read() as conn:
        record = conn.execute(select(sightings)).one()
        assert (record.source, record.extras) == ("feeds", None)
        assert conn.execute(select(subscriptions.c.name)).scalars().all() == ["drugs"]
        assert conn.execute(select(deliveries.c.event)).scalars().all() == ["v1"]
    store.close()


_OLD_SUBSCRIPTION = """
INSERT INTO subscriptions (id, name, query, "to", "on", every, at, days, created_at, token, last_slot_at)
VALUES (1, 'drugs', 'cocaine', 'feed:', '[]', 'instant', '07:00', '[]', :now, 't', :now)"""
_OLD_SIGHTING = """
INSERT INTO sightings (source, source_id, question_id, url, first_seen, last_seen)
VALUES ('feeds', '1', 1, 'https://example.org/1', :now, :now)"""
_OLD_DELIVERY = """
INSERT INTO deliveries (subscription_id, question_id, event, number, kind, state, created_at, due_at)
VALUES (1, 1, 'v1', 1, 'answered', 'pending', :now, :now)"""


def test_two_at_once_may_open_a_fresh_database(bare_url: str) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def work() -> None:
        try:
            start.wait()
            open_store(bare_url).close()
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_opening_again_keeps_what_is_there(database_url: str) -> None:
    first = open_store(database_url)
    with first.write() as conn:
        conn.execute(insert(meta).values(name="a", value="1"))
    first.close()
    second = open_store(database_url)
    with second.read() as conn:
        assert conn.execute(select(meta.c.value)).scalar() == "1"
    second.close()


def test_an_error_rolls_back(store: Store) -> None:
    with pytest.raises(KeyError), store.write() as conn:  # noqa: PT012 - the error must come after the insert
        conn.execute(insert(meta).values(name="a", value="1"))
        raise KeyError
    with store.read() as conn:
        assert conn.execute(select(meta)).all() == []


def test_times_and_json_come_back_as_they_went(store: Store) -> None:
    with store.write() as conn:
        conn.execute(insert(runs).values(job="crawl", started_at=NOW, whole=True, report={"é": [1, None]}))
        row = conn.execute(select(runs.c.started_at, runs.c.report)).one()
    assert row.started_at == NOW
    assert row.started_at.tzinfo is not None
    assert row.report == {"é": [1, None]}


def test_a_reader_sees_one_state(store: Store) -> None:
    with store.read() as reader:
        before = reader.execute(select(meta)).all()
        with store.write() as writer:
            writer.execute(insert(meta).values(name="a", value="1"))
        assert reader.execute(select(meta)).all() == before


def test_a_database_from_a_newer_version_is_refused(database_url: str) -> None:
    store = open_store(database_url)
    with store.write() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match=r"from a newer version of pqwatch \(its schema is 9999"):
        open_store(database_url)
    with store.write() as conn:
        conn.execute(text(f"UPDATE alembic_version SET version_num = '{SCHEMA}'"))
    store.close()


def test_a_locked_database_is_one_line(sqlite_url: str) -> None:
    store = open_store(sqlite_url, busy_seconds=0.05)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="is locked: another process"), store.write():
        pass
    other.close()
    store.close()


def test_a_locked_fresh_database_is_one_line(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "x.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match="is locked"):
        open_store(f"sqlite:///{tmp_path / 'x.sqlite3'}", busy_seconds=0.05)
    other.close()


def test_a_read_only_database_is_one_line(sqlite_url: str) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    store = open_store(f"sqlite:///file:{path}?mode=ro&uri=true")
    with pytest.raises(StorageError, match="is read-only"), store.write() as conn:
        conn.execute(insert(meta).values(name="a", value="1"))
    store.close()


def test_a_full_disk_is_one_line_and_harms_nothing(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with pytest.raises(StorageError, match="is full"), store.write() as conn:  # noqa: PT012 - the limit is the connection's
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        conn.execute(insert(meta).values(name="a", value="x" * 1_000_000))
    with store.read() as conn:
        assert conn.execute(select(meta)).all() == []
    store.close()


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "letter.sqlite3"
    path.write_text("Dear Sir or Madam" * 100)
    with pytest.raises(StorageError, match="not a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear Sir")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:////nowhere/at/all/x.sqlite3", "there is no folder /nowhere/at/all"),
        ("postgresql://127.0.0.1:1/none", "cannot connect to the database"),
        ("postgresql://u:hush@127.0.0.1:1/none", r"u:\*\*\*@127"),
        ("mysql://127.0.0.1/x", "SQLite and PostgreSQL, not 'mysql'"),
        ("sqlite://", "needs a file"),
        ("no url", "cannot be read"),
        ("nosuch://x", "not 'nosuch'"),
    ],
)
def test_what_cannot_be_opened_is_one_line(url: str, says: str) -> None:
    with pytest.raises(StorageError, match=says) as caught:
        open_store(url)
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)
