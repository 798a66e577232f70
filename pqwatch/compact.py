"""`pqwatch compact`: frees what is no longer needed, in the archive and in the database, and says how much that was."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from scraper.compaction import Compaction, Freed
from scraper.run import Progress, Step
from scraper.sources import all_sources
from storage import locks, slack
from storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactReport:
    """Sizes in bytes. `vacuumed` false: a run was at work, so the database file was not packed."""

    archive: Freed
    runs: int
    database_before: int
    database_after: int
    vacuumed: bool

    def to_json(self) -> dict[str, Any]:
        database = {"bytes_before": self.database_before, "bytes_after": self.database_after}
        return {
            "archive": asdict(self.archive),
            "database": {**database, "runs_dropped": self.runs, "packed": self.vacuumed},
        }


def compact(store: Store, archive: Path, *, now: datetime, progress: Progress | None = None) -> CompactReport:
    """Crawls may go on meanwhile, `reparse` and another compaction may not. Raises LockedError, StorageError, ArchiveError."""
    sources = all_sources()
    begun = time.monotonic()

    def told(done: int, total: int) -> None:
        if progress is not None:
            progress(Step("archive", "compact", done, total, done / (time.monotonic() - begun + 1e-6), None))

    before = slack.database_bytes(store)
    with ExitStack() as held:
        held.enter_context(locks.hold(store, "compact"))
        for name in sources:  # what `reparse` reads now may become what a version rests on
            held.enter_context(locks.hold(store, f"reparse:{name}"))
        freed = Compaction(archive, store, sources, now).run(told) if archive.is_dir() else Freed()
    with store.write() as conn:
        runs = slack.drop_old_runs(conn, now=now)
    packed = slack.pack(store)
    return CompactReport(
        archive=freed,
        runs=runs,
        database_before=before,
        database_after=slack.database_bytes(store),
        vacuumed=packed,
    )
