"""`pqwatch crawl SOURCE --from-file FOLDER`: pages that a person saved, read as if they had been fetched."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from scraper.archive import Archive
from scraper.parsing import parse
from scraper.pipelines import Door
from scraper.report import SourceReport
from scraper.saved import saved_address
from scraper.source import BlockedError, ScraperError, Source, UnreadableError
from storage import locks, runs
from storage.records import Problem
from storage.store import Store

_log = logging.getLogger(__name__)

ENDINGS = {".html", ".htm", ".xhtml"}
MOST = 32 * 1024 * 1024  # bytes of one page


def read_folder(
    source: Source, folder: Path, *, base: str, store: Store, archive: Archive, now: Callable[[], datetime]
) -> SourceReport:
    """Every saved page of the folder, archived and parsed; not a whole pass. `base` is the source's own address.

    A page that cannot be read becomes a problem, the others go on. Raises ScraperError where there is no page, LockedError.
    """
    pages = sorted(path for path in _listed(folder) if path.suffix.lower() in ENDINGS)
    if not pages:
        raise ScraperError(f"{folder}: no saved page in it (*.html)")
    report, begun = SourceReport(source.NAME), time.monotonic()
    with locks.hold(store, f"crawl:{source.NAME}"):
        with store.write() as conn:
            run_id = runs.start(conn, "files", source.NAME, now=now(), whole=False)
            backfilled = not runs.first_crawl_done(conn, source.NAME)
        door = Door(store, archive, source=source.NAME, job="files", now=now, backfilled=backfilled)
        for path in pages:
            report.seen += _take(door, source, path, base)
        door.close()
        report.new, report.problems, report.complete = door.result.new, door.news, True
        report.versions = {kind.value: count for kind, count in sorted(door.versions.items())}
        report.seconds = time.monotonic() - begun
        with store.write() as conn:
            runs.finish(conn, run_id, now=now(), ok=True, report=report.to_json())
    return report


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise ScraperError(f"{folder}: cannot be read: {error.strerror}") from error


def _take(door: Door, source: Source, path: Path, base: str) -> int:
    """One page: how many questions it showed."""
    try:
        body = _body(path)
        page = door.archive.write(
            source=source.NAME,
            job="files",
            url=saved_address(path.name, body, base),
            status=200,
            headers=[("Content-Type", "text/html")],
            body=body,
            observed_at=door.now(),
            backfilled=door.backfilled,
        )
        parsed = parse(source, page)
    except (UnreadableError, BlockedError) as error:  # a challenge may have been saved in place of the page
        said = Problem(source=source.NAME, kind="saved-page", url=path.resolve().as_uri(), message=str(error))
        door.report([said])
        return 0
    door.was_read(path.resolve().as_uri())
    door.was_read(page.url)
    door.report(parsed.problems)
    door.add(parsed.observations)
    if not parsed.observations and not parsed.problems:
        _log.warning("%r lists questions or none: only pages of questions themselves are stored", path.name)
    return len(parsed.observations)


def _body(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST:
            raise UnreadableError(f"{path.name}: longer than {MOST // 2**20} MB")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{path.name}: {error.strerror}") from error
