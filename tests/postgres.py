"""A PostgreSQL server for the tests: the one that is named, one that runs, or a cluster of our own for this session.

Each test process works in a database of its own, made here and dropped at the end.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import URL, make_url

_RUNNING = (
    "postgresql://postgres@127.0.0.1:5432/postgres",
    "postgresql:///postgres?host=/var/run/postgresql",
    "postgresql://postgres@/postgres?host=/var/run/postgresql",
)


@contextmanager
def server() -> Iterator[str]:
    """URL of a database from which others can be made; skips the test, with the reason, where there is no server."""
    named = os.environ.get("PQWATCH_TEST_POSTGRES")
    if named:
        yield named
        return
    running = next((url for url in _RUNNING if _answers(url)), None)
    if running:
        yield running
        return
    found = programs()
    if found is None:
        pytest.skip(
            "needs PostgreSQL: PQWATCH_TEST_POSTGRES is not set, none runs, and initdb is not installed"
        )
    with _cluster(found) as url:
        yield url


@contextmanager
def database(server_url: str, name: str) -> Iterator[str]:
    """The URL of a new, empty database, dropped afterwards."""
    target = sql.Identifier(name)
    _run(server_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(target))
    _run(server_url, sql.SQL("CREATE DATABASE {}").format(target))
    # what a crash of the server would lose is of no account here, and each commit waits for the disk otherwise
    _run(server_url, sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(target))
    try:
        url: URL = make_url(server_url).set(drivername="postgresql+psycopg", database=name)
        yield url.render_as_string(hide_password=False)
    finally:
        _run(server_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(target))


def empty(url: str) -> None:
    """Remove all rows, and start the counters anew."""
    with psycopg.connect(url.replace("+psycopg", "")) as conn:
        conn.execute("SET synchronous_commit = off")
        names = [row[0] for row in conn.execute(_USED)]
        if names:
            tables = sql.SQL(", ").join(map(sql.Identifier, names))
            conn.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(tables))


_USED = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'alembic_version'
      AND pg_relation_size(c.oid) > 0
"""


def _run(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as conn:
        conn.execute(statement)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def programs() -> Path | None:
    """The folder with initdb and pg_ctl: on the path, or where Debian puts them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max(
        Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name)
    )


@contextmanager
def _cluster(programs: Path) -> Iterator[str]:
    """A server that listens on a socket in a folder of its own only. initdb refuses root: then another user runs it."""
    owner = _other_user() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pqwatch-pg-"))
    if owner:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}

    def call(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [programs / program, "-D", folder / "data", *arguments],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, timeout=60, **who,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"needs PostgreSQL: {program} failed: {done.stderr.strip()}")

    options = (
        f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off -c full_page_writes=off"
    )
    try:
        call("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        call("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _other_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("needs PostgreSQL: initdb refuses root, and there is no user postgres or nobody to run it")
