"""Exports: JSON Lines, CSV and Parquet, written as a stream, so that memory stays flat whatever the size.

The file appears under its name only when it is whole. A Frictionless data package (`<file>.datapackage.json`) beside
CSV and Parquet names every column.
"""

from __future__ import annotations

import csv
import io
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

import orjson

from pqwatch.columns import Column, Row, as_text, columns, table
from pqwatch.files import is_special
from pqwatch.output import ReaderGoneError
from storage.bulk import chunks
from storage.garbage import collected_seldom
from storage.records import PqwatchError, Record
from storage.shape import to_shape

Format = Literal["csv", "jsonl", "parquet"]
Topics = Callable[[Record], Sequence[str]]
_ROWS_AT_ONCE = 2_000
_ROWS_OF_TEXT = 100  # rows of a CSV file at a time


class ExportError(PqwatchError):
    """An export that cannot be written."""


def export(
    records: Iterable[Record],
    form: Format,
    out: Path | None,
    *,
    versions: bool,
    topics: Topics,
    now: datetime,
) -> int:
    """Write `records` (with their versions filled, where asked for) to `out`, or to standard output; how many questions.

    Raises ExportError where the target cannot be written, and for Parquet to a terminal.
    """
    if form == "parquet" and out is None and sys.stdout.isatty():
        raise ExportError("Parquet is binary: name a file with --out, or send the output into one")
    count = _Count(records)
    made = pieces(count, form, versions=versions, topics=topics)
    try:
        with collected_seldom(), _target(out) as stream:
            for piece in made:
                stream.write(piece)
    except BrokenPipeError as error:
        raise ReaderGoneError from error
    except OSError as error:
        raise ExportError(f"cannot write {out or 'standard output'}: {error.strerror or error}") from error
    if out is not None and form != "jsonl" and out.is_file():
        _describe(out, form, versions, count.seen, now)
    return count.seen


class _Count:
    """Passes records on and counts them."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = records
        self.seen = 0

    def __iter__(self) -> Iterator[Record]:
        for record in self._records:
            self.seen += 1
            yield record


@contextmanager
def _target(out: Path | None) -> Iterator[IO[bytes]]:
    """The stream to write to. A file takes its name when all is written; a failure leaves what stood there.
    A pipe or device is written to, never replaced."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if is_special(out):
        with out.open("wb") as stream:
            yield stream
        return
    out = out.resolve()  # a link stays one
    with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as stream:
        part = Path(stream.name)
        try:
            yield stream
            stream.flush()
        except BaseException:
            part.unlink()
            raise
    part.chmod(0o644)
    part.replace(out)


def _rows(records: Iterable[Record], versions: bool, topics: Topics) -> Iterator[Row]:
    for record in records:
        names = topics(record)
        if not versions:
            yield Row(record, names)
            continue
        for version in record.versions:
            yield Row(record, names, version)


def pieces(records: Iterable[Record], form: Format, *, versions: bool, topics: Topics) -> Iterator[bytes]:
    """The file piece by piece, each with as many questions as are held in memory at once.

    Raises ExportError for Parquet where its library is missing, before the first piece.
    """
    return {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[form](records, versions, topics)


def _jsonl(records: Iterable[Record], versions: bool, topics: Topics) -> Iterator[bytes]:
    for record in records:
        yield orjson.dumps(to_shape(record, versions=versions, topics=topics(record))) + b"\n"


def _csv(records: Iterable[Record], versions: bool, topics: Topics) -> Iterator[bytes]:
    chosen = columns(versions=versions)
    sink = _Sink()
    writer = csv.writer(_Encoded(sink), lineterminator="\r\n")  # RFC 4180
    writer.writerow([column.name for column in chosen])
    for rows in chunks(_rows(records, versions, topics), _ROWS_OF_TEXT):
        columns_as_text = [map(as_text, values) for values in table(rows, chosen)]
        writer.writerows(zip(*columns_as_text, strict=True))
        yield sink.taken()
    yield sink.taken()


class _Encoded:
    """What csv writes, as UTF-8."""

    def __init__(self, sink: _Sink) -> None:
        self._sink = sink

    def write(self, text: str) -> int:
        return self._sink.write(text.encode())


class _Sink(io.RawIOBase):
    """Takes what a writer writes, until it is taken away."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held.append(bytes(data))
        self.size += len(self._held[-1])
        return len(self._held[-1])

    def taken(self) -> bytes:
        data = b"".join(self._held)
        self._held, self.size = [], 0
        return data


def _parquet(records: Iterable[Record], versions: bool, topics: Topics) -> Iterator[bytes]:
    try:
        import pyarrow as pa  # noqa: F401  # said here, and not when the first piece is asked for
    except ImportError as error:
        raise ExportError("Parquet needs the extra `parquet`: pip install 'pqwatch[parquet]'") from error
    return _parquet_pieces(_rows(records, versions, topics), columns(versions=versions))


def _parquet_pieces(rows: Iterator[Row], chosen: Sequence[Column]) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "string": pa.string(),
        "integer": pa.int64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "datetime": pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema(
        [pa.field(each.name, types[each.type], metadata={"meaning": each.meaning}) for each in chosen]
    )
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for block in chunks(rows, _ROWS_AT_ONCE):
            filled = zip(table(block, chosen), schema, strict=True)
            arrays = [pa.array(values, field.type) for values, field in filled]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _describe(out: Path, form: Format, versions: bool, questions: int, now: datetime) -> None:
    """The data package beside the file. Specification: Frictionless Data Package, version 1."""
    fields: list[dict[str, Any]] = [
        {"name": each.name, "type": each.type, "description": each.meaning}
        for each in columns(versions=versions)
    ]
    resource = {
        "name": "versions" if versions else "questions",
        "path": out.name,
        **({"profile": "tabular-data-resource"} if form == "csv" else {}),  # which its package asks of it
        "format": form,
        "mediatype": "text/csv" if form == "csv" else "application/vnd.apache.parquet",
        "encoding": "utf-8",
        "bytes": out.stat().st_size,
        "schema": {
            "fields": fields,
            "missingValues": [""],
            "primaryKey": ["key", "version"] if versions else ["key"],
        },
    }
    package = {
        "profile": "tabular-data-package" if form == "csv" else "data-package",
        "name": "pqwatch-export",
        "title": "UK parliamentary written questions and answers, as held by pqwatch",
        "created": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "licenses": [
            {
                "name": "Open-Parliament-Licence-3.0",
                "title": "Open Parliament Licence v3.0",
                "path": "https://www.parliament.uk/site-information/copyright-parliament/open-parliament-licence/",
            }
        ],
        "resources": [resource],
        "count_of_questions": questions,
    }
    out.with_name(f"{out.name}.datapackage.json").write_bytes(
        orjson.dumps(package, option=orjson.OPT_INDENT_2) + b"\n"
    )
