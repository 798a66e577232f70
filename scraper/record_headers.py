"""Headers of archived records: ours, and those of the response."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from scraper.warc import WarcRecord

OURS = "WARC-Pqwatch-"
_UNTRUE = frozenset(
    {"content-encoding", "transfer-encoding", "content-length"}
)  # any longer, of the body that is kept


def ours(source: str, job: str, observed_at: datetime, backfilled: bool) -> dict[str, str]:
    """Who fetched it in which job, and the time that the run acted at."""
    return {
        f"{OURS}Source": source,
        f"{OURS}Job": job,
        f"{OURS}Observed-At": observed_at.astimezone(UTC).isoformat(),
        f"{OURS}Backfilled": "1" if backfilled else "0",
    }


def our(record: WarcRecord, name: str) -> str:
    """One of ours, by its last part."""
    return record.warc[f"{OURS}{name}".lower()]


def kept_headers(headers: Sequence[tuple[str, str]], length: int) -> list[tuple[str, str]]:
    """The response's own, without those that are untrue of the body as it is kept: decoded, `length` bytes."""
    kept = [(name, value) for name, value in headers if name.lower() not in _UNTRUE]
    return [*kept, ("Content-Length", str(length))]


def status_line(status: int) -> str:
    """Such as "200 OK"."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
