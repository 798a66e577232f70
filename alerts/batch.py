"""The engine of `pqwatch match`: queries from a file, one a line, against JSON Lines of the `show` shape.

Documents stream through one matcher; nothing but the queries is held. A line that cannot be read is reported and the
others go on.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson

from alerts.errors import AlertsError
from alerts.evaluate import matched
from alerts.matcher import Matcher, shares_of
from alerts.query import parse
from alerts.tree import Query, QueryError
from storage.document import Document, document
from storage.records import PqwatchError
from storage.shape import from_shape

_AHEAD = 500
"""Documents read before the first query is filed: they tell which words are rare."""

Report = Callable[[str], None]


@dataclass(slots=True)
class Queries:
    """The queries of a file by line number (from 1), and how many lines could not be read."""

    by_line: dict[int, Query] = field(default_factory=dict)
    bad: int = 0


@dataclass(slots=True)
class Tally:
    """What a run came to."""

    documents: int = 0
    matches: int = 0
    bad: int = 0


def read_queries(lines: Iterable[str], report: Report, topics: Mapping[str, Query] | None = None) -> Queries:
    """Read one query a line; empty lines are passed over. `report` gets a line for each that cannot be read."""
    found = Queries()
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        try:
            found.by_line[number] = parse(text, topics)
        except QueryError as error:
            found.bad += 1
            report(f"line {number}: {str(error).removeprefix('query: ')}")
    return found


def match_lines(
    queries: Queries, lines: Iterable[bytes], report: Report, tally: Tally, *, today: date, ids: bool = False
) -> Iterator[bytes]:
    """One JSON line (with its end) a match, by document, then by query. `report` gets a line for each bad document."""
    documents = _documents(lines, report, tally, today)
    ahead = list(islice(documents, _AHEAD))
    matcher = Matcher(shares_of(ahead))
    for number, query in queries.by_line.items():
        matcher.add(number, query)
    for doc in _chained(ahead, documents):
        for number in sorted(matcher.match(doc)):
            tally.matches += 1
            yield _line(number, doc, None if ids else queries.by_line[number])


def _chained(ahead: list[Document], rest: Iterator[Document]) -> Iterator[Document]:
    yield from ahead
    ahead.clear()
    yield from rest


def _documents(lines: Iterable[bytes], report: Report, tally: Tally, today: date) -> Iterator[Document]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = document(from_shape(orjson.loads(line)), today=today)
        except (orjson.JSONDecodeError, PqwatchError) as error:
            tally.bad += 1
            report(f"line {number}: {error}")
            continue
        tally.documents += 1
        yield found


def _line(number: int, doc: Document, query: Query | None) -> bytes:
    told: dict[str, Any] = {"query": number, "key": doc.key}
    if query is not None:
        told["matched"] = [
            {"part": place.part, "text": place.text, "start": place.start, "end": place.end}
            for place in matched(query, doc)
        ]
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


@contextmanager
def open_lines(path: Path) -> Iterator[IO[bytes]]:
    """The file as lines of bytes, unpacked where it is gzip, whatever its name. Raises AlertsError."""
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            if not packed:
                yield plain
                return
            with gzip.open(plain) as unpacked:
                yield unpacked  # type: ignore[misc]  # a GzipFile reads lines of bytes as an IO[bytes] does
    except (OSError, EOFError, zlib.error) as error:
        raise AlertsError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
