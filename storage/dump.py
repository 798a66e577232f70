"""A database as one file, taken while it is in use, and back: SQLite's own backup, pg_dump and pg_restore for PostgreSQL."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL

from storage.store import SCHEMA, StorageError, Store, translated

_DEBIAN = Path("/usr/lib/postgresql")
_HOURS = 6  # a dump or restore that takes longer hangs
_NAMES = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}


def name_of(dialect: str) -> str:
    """The name of the dump inside a backup."""
    return _NAMES[dialect]


def dump(store: Store, to: Path) -> None:
    """Write one consistent state of the database to a new file, while others go on reading and writing."""
    if store.dialect == "postgresql":
        _run(
            "pg_dump", ["--format=custom", "--no-owner", "--no-privileges", f"--file={to}"], store.engine.url
        )
        return
    raw = store.engine.raw_connection()
    try:
        with closing(sqlite3.connect(to)) as target:
            source = raw.driver_connection
            assert isinstance(source, sqlite3.Connection)  # noqa: S101  # for the type checker
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise StorageError(f"the database {store.engine.url.database} cannot be copied: {error}") from error
    finally:
        raw.close()


def refuse_unless_empty(url: URL) -> None:
    """Raises StorageError if the database holds anything. A SQLite file must not be there, or be empty."""
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        used = [
            p for p in (path, Path(f"{path}-wal"), Path(f"{path}-journal")) if p.exists() and p.stat().st_size
        ]
        if used:
            raise StorageError(f"{used[0]} is not empty: restore into another database, or move it away")
        return
    with translated(url), _closing(create_engine(url)) as engine, engine.connect() as conn:
        tables = conn.execute(text(_TABLES)).scalar_one()
    if tables:
        shown = url.render_as_string(hide_password=True)
        raise StorageError(f"the database {shown} is not empty ({tables} tables): restore into another one")


_TABLES = """
    SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""


def load(file: Path, url: URL) -> None:
    """Fill an empty database from a dump: all of it or nothing."""
    if url.get_backend_name() == "postgresql":
        _run(
            "pg_restore",
            ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(file)],
            url,
        )
        return
    try:
        with closing(sqlite3.connect(file)) as conn:
            (answer,) = conn.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        raise StorageError(f"the database in the backup is damaged: {error}") from error
    if answer != "ok":
        raise StorageError(f"the database in the backup is damaged: {answer}")
    file.replace(url.database or "")


def refuse_newer(schema: str) -> None:
    """Raises StorageError if a backup has a schema that this version does not know."""
    if not re.fullmatch(r"\d{4}", schema) or schema > SCHEMA:
        raise StorageError(
            f"the backup is from a newer version of pqwatch (its schema is {schema}, this version knows up to {SCHEMA}): update pqwatch"
        )


def _run(program: str, arguments: Sequence[str], url: URL) -> None:
    """Run one of PostgreSQL's programs on a database. The password goes by the environment, which others cannot see."""
    path = _program(program)
    environment = {
        **os.environ,
        "PGCONNECT_TIMEOUT": "10",
        **({"PGPASSWORD": str(url.password)} if url.password else {}),
    }
    plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    try:
        done = subprocess.run(  # noqa: S603  # our own words only
            [path, "--no-password", f"--dbname={plain}", *arguments],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, errors="replace", check=False, timeout=_HOURS * 3600,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise StorageError(f"{program} did not end within {_HOURS} hours") from error
    if done.returncode:
        raise StorageError(
            f"{program} failed: {' '.join(done.stderr.split())[:500] or f'exit code {done.returncode}'}"
        )


def _program(name: str) -> Path:
    """The program on the path, or where Debian keeps the newest version of it."""
    if found := shutil.which(name):
        return Path(found)
    newest = max(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]), default=None)
    if newest is None:
        raise StorageError(
            f"{name} is needed for this and is not installed: install PostgreSQL's client programs"
        )
    return newest


class _closing:  # noqa: N801  # a context manager for one use
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __enter__(self) -> Engine:
        return self.engine

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()
