"""The room that a database takes and does not need: old notes of runs, pieces of the full-text index, empty pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, delete, func, select, text

from storage import search_sqlite
from storage.schema import locks, runs
from storage.store import Store, translated

RUNS_KEPT = timedelta(days=90)


def database_bytes(store: Store) -> int:
    """What the database takes on the disk; on SQLite with its log."""
    if store.dialect == "postgresql":
        with store.read() as conn:
            return int(conn.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    path = str(store.engine.url.database)
    return sum(Path(f"{path}{end}").stat().st_size for end in ("", "-wal") if Path(f"{path}{end}").exists())


def drop_old_runs(conn: Connection, *, now: datetime) -> int:
    """Forget runs of long ago, but for the first whole success and the newest run of each job and source, from which
    follow whether a first crawl is complete and what is due. How many."""
    whole = select(func.min(runs.c.id)).where(runs.c.ok, runs.c.whole).group_by(runs.c.job, runs.c.source)
    succeeded = select(func.max(runs.c.id)).where(runs.c.ok).group_by(runs.c.job, runs.c.source)
    newest = select(func.max(runs.c.id)).group_by(runs.c.job, runs.c.source)
    needed = [runs.c.id.not_in(wanted) for wanted in (whole, succeeded, newest)]
    return conn.execute(delete(runs).where(runs.c.started_at < now - RUNS_KEPT, *needed)).rowcount


def pack(store: Store) -> bool:
    """Merge the pieces of the full-text index, give empty pages back, and count anew for the planner.

    On SQLite all this needs the file alone: where a run is at work it is left for another time, and false is the answer.
    PostgreSQL does it beside others; room inside its tables is used again, not given back.
    """
    if store.dialect == "postgresql":
        with translated(store.engine.url), store.engine.connect() as conn:
            conn.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM (ANALYZE)"))
        return True
    with store.read() as conn:
        if conn.execute(select(locks.c.name).limit(1)).first() is not None:
            return False
    with store.write() as conn:
        merge = f"INSERT INTO {search_sqlite.TABLE}({search_sqlite.TABLE}) VALUES ('optimize')"  # noqa: S608 - our own word
        conn.exec_driver_sql(merge)
        conn.exec_driver_sql(
            "PRAGMA analysis_limit = 1000"
        )  # rows an index: enough to plan by, whatever the size
        conn.exec_driver_sql("ANALYZE")
    _vacuum(store)
    return True


def _vacuum(store: Store) -> None:
    with translated(store.engine.url):
        raw = store.engine.raw_connection()  # VACUUM does not run inside a transaction
        try:
            cursor = raw.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            raw.close()
