"""Opens the database, brings it to the present schema, and hands out transactions. SQLite and PostgreSQL alike.

    with store.write() as conn:     # BEGIN IMMEDIATE on SQLite; commits at the end, rolls back on an error
    with store.read() as conn:      # one consistent view

What the database itself refuses (locked, read-only, full, gone) leaves here as one StorageError with one line.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    NotSupportedError,
    ProgrammingError,
)

from storage.records import PqwatchError

SCHEMA = "0004"
"""The newest revision in `storage/migrations/versions`: what this version of pqwatch reads and writes."""

BUSY_SECONDS = 30.0
_MIGRATION_LOCK = 0x70717761746368  # "pqwatch": the advisory lock of a migration on PostgreSQL
_OURS = (
    IntegrityError,
    ProgrammingError,
    DataError,
    NotSupportedError,
)  # mistakes in our SQL, not of the machine


class StorageError(PqwatchError):
    """Root of the errors of storage; the message is one line that names the database and the cause."""


class Store:
    """An open database at the present schema. Threads may share it: each transaction has its own connection."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name  # "sqlite" | "postgresql"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout."""
        level: dict[str, Any] = {} if self.dialect == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with translated(self.engine.url), self.engine.execution_options(**level).begin() as conn:
            yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write. On SQLite it holds the write lock from its first moment."""
        with (
            translated(self.engine.url),
            self.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as conn,
        ):
            yield conn

    def close(self) -> None:
        self.engine.dispose()

    def __repr__(self) -> str:
        return f"Store({_shown(self.engine.url)!r})"


def open_store(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Store:
    """Open the database at `url` (SQLAlchemy's form), creating or migrating it where needed.

    `busy_seconds` is how long a writer waits for another one on SQLite. Raises StorageError.
    """
    parsed = _parse(url)
    with translated(parsed):
        engine = _engine(parsed, busy_seconds)
        try:
            _use_wal(engine, busy_seconds)
            _migrate(engine)
        except BaseException:
            engine.dispose()
            raise
    return Store(engine)


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turns what the database refuses into a StorageError. Mistakes in our own SQL stay what they are."""
    try:
        yield
    except _OURS:
        raise
    except (DatabaseError, InterfaceError, sqlite3.DatabaseError) as error:
        raise StorageError(_explain(url, getattr(error, "orig", None) or error)) from error


def _explain(url: URL, error: BaseException) -> str:
    cause = " ".join(str(error).split())
    name = f"the database {_shown(url)}"
    state = getattr(error, "sqlstate", None)
    if "is locked" in cause:
        return f"{name} is locked: another process has been writing for too long"
    if "readonly" in cause or state == "25006":
        return f"{name} is read-only: {cause}"
    if "disk is full" in cause or state == "53100":
        return f"the disk of {name} is full: {cause}"
    if "unable to open" in cause and url.database and not Path(url.database).parent.is_dir():
        return f"{name} cannot be opened: there is no folder {Path(url.database).parent}"
    if "unable to open" in cause and url.database:
        return f"{name} cannot be opened: its file and its folder must be writable, for reading too"
    if "not a database" in cause or "malformed" in cause:
        return f"{name} cannot be read: {cause}"
    if url.get_backend_name() == "postgresql" and state is None:
        return f"cannot connect to {name}: {cause}"
    return f"{name}: {cause}"


def _shown(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


def _parse(text_: str) -> URL:
    try:
        url = make_url(text_)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise StorageError(
            "the database URL cannot be read: expected sqlite:///FILE or postgresql://…"
        ) from error
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise StorageError(f"pqwatch knows SQLite and PostgreSQL, not {backend!r}")
    if not url.database or url.database == ":memory:":
        raise StorageError("a SQLite database needs a file, such as sqlite:///pqwatch.sqlite3")
    return url


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()


def _engine(url: URL, busy_seconds: float) -> Engine:
    json: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": orjson.loads}
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url, connect_args={"timeout": busy_seconds, "check_same_thread": False}, **json
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(url, connect_args={"connect_timeout": 10}, pool_pre_ping=True, **json)
    except ModuleNotFoundError as error:
        raise StorageError(
            "PostgreSQL needs psycopg, which is not installed: pip install 'pqwatch[postgres]'"
        ) from error


def _prepare_sqlite(dbapi: Any, _record: object) -> None:
    dbapi.isolation_level = None  # the driver begins nothing by itself: _begin_sqlite does
    dbapi.execute("PRAGMA foreign_keys = ON")
    dbapi.execute("PRAGMA synchronous = NORMAL")
    dbapi.execute("PRAGMA temp_store = MEMORY")
    dbapi.execute("PRAGMA cache_size = -32768")  # KiB
    dbapi.execute(
        "PRAGMA wal_autocheckpoint = 8000"
    )  # pages: a page that several batches touch is copied once
    dbapi.execute("PRAGMA mmap_size = 268435456")


def _begin_sqlite(conn: Connection) -> None:
    conn.exec_driver_sql(f"BEGIN {conn.get_execution_options().get('sqlite_begin', 'DEFERRED')}")


def _use_wal(engine: Engine, busy_seconds: float) -> None:
    """WAL stays in the file. SQLite answers "locked" at once, without waiting, when two switch a fresh file together."""
    if engine.dialect.name != "sqlite":
        return
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            _switch_to_wal(engine)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _switch_to_wal(engine: Engine) -> None:
    raw = engine.raw_connection()  # not Engine.connect(): the mode cannot be changed inside a transaction
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone() != ("wal",):
            cursor.execute("PRAGMA journal_mode = WAL")
    finally:
        raw.close()


def _migrate(engine: Engine) -> None:
    with engine.begin() as conn:
        if _revision(conn) == SCHEMA:
            return
    with engine.execution_options(sqlite_begin="EXCLUSIVE").begin() as conn:
        if engine.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        if (found := _revision(conn)) != SCHEMA:  # another process may have been first
            _upgrade(conn, found)


def _revision(conn: Connection) -> str | None:
    if not conn.dialect.has_table(conn, "alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(conn: Connection, found: str | None) -> None:
    from alembic import command  # 0.2 s to import, and needed on the first start only
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = conn
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StorageError(
            f"the database {_shown(conn.engine.url)} is from a newer version of pqwatch"
            f" (its schema is {found}, this version knows up to {SCHEMA}): update pqwatch"
        )
    command.upgrade(config, SCHEMA)
