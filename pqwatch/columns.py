"""A question as a row: the columns of CSV and Parquet exports, with their types and meanings. Pure.

`docs/export.md` is held to this table by a test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Literal

from storage.records import Body, Content, Member, Record, Version
from storage.shape import url_of

Type = Literal["string", "integer", "boolean", "date", "datetime"]


Part = Literal[
    "record", "content", "answering_body", "asking_member", "answering_member", "topics", "version"
]
"""What a cell is read from."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its Frictionless type, its meaning, and how it is read from a part of a row."""

    name: str
    type: Type
    meaning: str
    part: Part
    read: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """What a row is made from: a record, the names of its topic packs, and the version where rows are versions."""

    record: Record
    topics: Sequence[str] = ()
    version: Version | None = None


_NO_BODY, _NO_MEMBER = Body(name=None), Member(name=None)  # type: ignore[arg-type]  # whose every cell is empty


def _joined(parts: Sequence[str]) -> str | None:
    return " ".join(parts) or None


def _attached(content: Content) -> str | None:
    return _joined([each.url.replace(" ", "%20") for each in content.attachments])


def _mentions(record: Record) -> str | None:
    return " ".join(dict.fromkeys((*record.mentions, *record.content.links))) or None


def _sources(record: Record) -> str | None:
    return _joined(sorted({each.source for each in record.sources}))


def _of(part: Part, field: str) -> tuple[Part, Callable[[Any], Any]]:
    return part, attrgetter(field)


COLUMNS: tuple[Column, ...] = (
    Column("key", "string", "house/date tabled/UIN; the question's identity", *_of("record", "key")),
    Column(
        "house",
        "string",
        "Commons, Lords or Scottish Parliament; empty for a feed item",
        *_of("content", "house"),
    ),
    Column("uin", "string", "the number of the question, unique within a session", *_of("content", "uin")),
    Column("official_id", "integer", "its id in the official API", *_of("record", "official_id")),
    Column(
        "provisional",
        "boolean",
        "seen elsewhere, not yet in the official API",
        *_of("record", "provisional"),
    ),
    Column("url", "string", "the official page; of a feed item its own page", "record", url_of),
    Column("tabled_on", "date", "when it was tabled", *_of("content", "tabled_on")),
    Column("due_on", "date", "the API's dateForAnswer", *_of("content", "due_on")),
    Column(
        "overdue_after",
        "date",
        "without a substantive answer it is overdue from the next day",
        *_of("record", "overdue_after"),
    ),
    Column("named_day", "boolean", "a named-day question", *_of("content", "named_day")),
    Column(
        "state",
        "string",
        "tabled, holding, answered, corrected, withdrawn, lapsed or published",
        *_of("content", "state"),
    ),
    Column(
        "heading", "string", "the subject given by the House; a feed item's title", *_of("content", "heading")
    ),
    Column(
        "answering_body_id",
        "integer",
        "the department's id in the official API",
        *_of("answering_body", "id"),
    ),
    Column("answering_body", "string", "the department", *_of("answering_body", "name")),
    Column("asking_member_id", "integer", "the asking Member's id", *_of("asking_member", "id")),
    Column("asking_member", "string", "the asking Member", *_of("asking_member", "name")),
    Column(
        "asking_party", "string", "the asking Member's party when first seen", *_of("asking_member", "party")
    ),
    Column(
        "asking_member_for",
        "string",
        "constituency or kind of peerage when first seen",
        *_of("asking_member", "member_for"),
    ),
    Column(
        "declared_interest",
        "boolean",
        "the asking Member declared an interest",
        *_of("content", "declared_interest"),
    ),
    Column("question_text", "string", "the question, whole", *_of("content", "question_text")),
    Column(
        "answer_text",
        "string",
        "the answer, whole; cells parted by tabs, rows and paragraphs by new lines",
        *_of("content", "answer_text"),
    ),
    Column("answer_html", "string", "the answer, sanitised", *_of("content", "answer_html")),
    Column("pro_forma", "boolean", "stock words with no substance", *_of("record", "pro_forma")),
    Column("answering_member_id", "integer", "the answering minister's id", *_of("answering_member", "id")),
    Column(
        "answering_member",
        "string",
        "the answering minister; a feed item's author",
        *_of("answering_member", "name"),
    ),
    Column(
        "answered_on",
        "date",
        "the day of the substantive answer; of a feed item, of publication",
        *_of("content", "answered_on"),
    ),
    Column(
        "holding_on",
        "date",
        "the day of the holding answer, also where an answer followed",
        *_of("content", "holding_on"),
    ),
    Column("corrected_on", "date", "the day of the minister's correction", *_of("content", "corrected_on")),
    Column(
        "grouped_with",
        "string",
        "keys of the questions answered by the same text",
        "content",
        lambda content: _joined(content.grouped_with),
    ),
    Column("attachments", "string", "addresses of attached files", "content", _attached),
    Column("topics", "string", "names of the topic packs that match", "topics", _joined),
    Column(
        "mentions",
        "string",
        "keys of the questions it speaks of",
        "record",
        _mentions,
    ),
    Column(
        "sources",
        "string",
        "where it was seen",
        "record",
        _sources,
    ),
)

VERSION_COLUMNS: tuple[Column, ...] = (
    Column("version", "integer", "number of the version, from 1", *_of("version", "number")),
    Column("kind", "string", "what happened, in one word", *_of("version", "kind")),
    Column("kinds", "string", "all that happened", "version", lambda version: " ".join(version.kinds)),
    Column(
        "changed",
        "string",
        "the fields that differ from the version before",
        "version",
        lambda version: " ".join(version.changed),
    ),
    Column("observed_at", "datetime", "when it was seen, UTC", *_of("version", "observed_at")),
    Column("source", "string", "who showed it", *_of("version", "source")),
    Column(
        "page_sha256",
        "string",
        "SHA-256 of the response behind it",
        *_of("version", "page.sha256"),
    ),
    Column(
        "backfilled",
        "boolean",
        "read from history, never alerted one by one",
        *_of("version", "backfilled"),
    ),
    Column(
        "reconstructed",
        "boolean",
        "the text before a correction, as the API still gave it",
        *_of("version", "reconstructed"),
    ),
)


def columns(*, versions: bool) -> tuple[Column, ...]:
    """The columns in order; with `versions` a row is a version, and its own columns follow."""
    return COLUMNS + VERSION_COLUMNS if versions else COLUMNS


def table(rows: Sequence[Row], chosen: Sequence[Column]) -> list[list[Any]]:
    """The values of these rows, a list for each column. Column by column costs half of row by row."""
    contents = [row.version.content if row.version else row.record.content for row in rows]
    parts: dict[Part, list[Any]] = {
        "record": [row.record for row in rows],
        "content": contents,
        "answering_body": [content.answering_body or _NO_BODY for content in contents],
        "asking_member": [content.asking_member or _NO_MEMBER for content in contents],
        "answering_member": [content.answering_member or _NO_MEMBER for content in contents],
        "topics": [row.topics for row in rows],
        "version": [row.version for row in rows],
    }
    return [list(map(column.read, parts[column.part])) for column in chosen]


def as_text(value: Any) -> str:
    """A value as a CSV cell that no spreadsheet takes for a formula: texts that begin like one get an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return str(value)
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
