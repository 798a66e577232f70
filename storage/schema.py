"""The tables, for SQLite and PostgreSQL alike. Alembic's first migration creates exactly these.

Times are stored in UTC; SQLite has no time type, so they are ISO texts with microseconds and Z there, which sort as times.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import JSON, TypeDecorator, TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def stamp(value: datetime) -> str:
    """An aware time as SQLite holds it."""
    return _stamp(value.astimezone(UTC))


@lru_cache(maxsize=4_096)
def _stamp(utc: datetime) -> str:  # every row has several times, most of them the same
    return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class UtcTime(TypeDecorator[datetime]):
    """An aware time in UTC. A naive time is a mistake of the caller and raises ValueError."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        return stamp(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return datetime.fromisoformat(value)
        return value.astimezone(UTC)  # type: ignore[no-any-return]  # psycopg gives an aware datetime


Json = JSON().with_variant(JSONB(), "postgresql")
JsonOrNull = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Id = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER PRIMARY KEY counts up by itself in SQLite

questions = Table(
    "questions",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "key", Text, nullable=False, index=True
    ),  # the present one; aliases say which question a key leads to
    Column("official_id", BigInteger, unique=True),
    Column("provisional", Boolean, nullable=False),  # seen elsewhere, not yet in the official API
    Column("house", Text),
    Column("uin", Text),
    Column("state", Text, nullable=False),
    Column("tabled_on", Date),
    Column("due_on", Date),
    Column("overdue_after", Date),
    Column("answered_on", Date),
    Column("holding_on", Date),
    Column("corrected_on", Date),
    Column("named_day", Boolean, nullable=False),
    Column("pro_forma", Boolean, nullable=False),
    Column("body_id", Integer),
    Column("body_name", Text),
    Column("heading", Text),
    Column(
        "sort_key", BigInteger, nullable=False, unique=True
    ),  # (day of the newest event, id): "newest first"
    Column("number", Integer, nullable=False),  # of the newest version
    Column("meaning", LargeBinary(16), nullable=False),  # fingerprints of the newest version
    Column("layout", LargeBinary(16), nullable=False),
    Column("observed_at", UtcTime, nullable=False),  # of the newest version
    Column(
        "text_observed_at", UtcTime, nullable=False
    ),  # of the newest version whose texts differ from those before
    Column("recheck_at", UtcTime),  # when the detail is to be read again; null: not any more
    Index(None, "state", "tabled_on"),
    Index(None, "recheck_at"),
    Index(None, "tabled_on"),
    Index(None, "answered_on"),
    Index(None, "overdue_after"),
    Index(None, "uin", "house"),  # "the Answer of 3 March to Question 35566" names no date tabled
)

aliases = Table(
    "aliases",
    metadata,
    Column("key", Text, primary_key=True),
    Column("question_id", Id, ForeignKey("questions.id"), nullable=False, index=True),
)

sightings = Table(
    "sightings",
    metadata,
    Column("source", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("question_id", Id, ForeignKey("questions.id"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("read_at", UtcTime),  # when its whole view was last read; null: only rows of lists so far
    Column("row_digest", Text),  # of the list row that the held detail settles
    Column("digest", LargeBinary(16)),  # of the newest whole observation: the same again changes nothing
    Column("fills", Json),  # fields of a provisional question that stand as this source gave them
    Column("extras", JsonOrNull),  # records.Observation.extras, of its newest whole view
)

versions = Table(
    "versions",
    metadata,
    Column("question_id", Id, ForeignKey("questions.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("kinds", Json, nullable=False),
    Column("changed", Json, nullable=False),
    Column("state", Text, nullable=False),
    Column("observed_at", UtcTime, nullable=False),
    Column("source", Text, nullable=False),
    Column("content", Json, nullable=False),  # records.Content, fields at their default left out
    Column("page_sha256", Text, nullable=False),
    Column("page_file", Text),
    Column("page_offset", BigInteger),
    Column("backfilled", Boolean, nullable=False),
    Column("reconstructed", Boolean, nullable=False),
    Index(None, "observed_at"),
)

searched = (
    Table(  # what the full-text index holds, slim: `search_words`, which only SQL can make, has the words
        "searched",
        metadata,
        Column("sort_key", Id, primary_key=True, autoincrement=False),
        Column("question_id", BigInteger, nullable=False),
        Column("number", Integer, nullable=False),  # of the version that is indexed
        Column("department", Text),  # by its present name
        Column("state", Text, nullable=False),
        Column("house", Text),
        Column("unsure", Boolean, nullable=False),  # the index cannot tell where its words stand
        Column(
            "basis", Text, nullable=False
        ),  # what the row is made of beside the version: search_rows.Basis
    )
)

search_forms = Table(  # words of the archive that differ from their inflected form
    "search_forms",
    metadata,
    Column("stem", Text, primary_key=True),
    Column("word", Text, primary_key=True),
    sqlite_with_rowid=False,
)

discrepancies = Table(
    "discrepancies",
    metadata,
    Column("question_id", Id, ForeignKey("questions.id"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("here", Text),
    Column("there", Text),
    Column("seen_at", UtcTime, nullable=False),
)

mentions = Table(
    "mentions",
    metadata,
    Column("question_id", Id, ForeignKey("questions.id"), primary_key=True),
    Column("key", Text, primary_key=True, index=True),  # of the question spoken of, held or not
)

changes = Table(
    "changes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("question_id", Id, ForeignKey("questions.id"), nullable=False),
    Column("event", Text, nullable=False),  # "v3" or "overdue:2024-11-14"
    Column("number", Integer, nullable=False),  # the version it speaks of
    Column("backfilled", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("done_at", UtcTime),
    UniqueConstraint("question_id", "event"),
    Index(None, "done_at", "id"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job", Text, nullable=False),  # crawl, recheck, backfill, reparse, alerts, audit, ...
    Column("source", Text),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),  # null: running, or cut off
    Column("ok", Boolean),
    Column("whole", Boolean, nullable=False),  # the usual windows, all of them
    Column("report", Json, nullable=False),  # the figures it printed
    Index(None, "job", "source", "started_at"),
)

windows = Table(
    "windows",
    metadata,
    Column("job", Text, primary_key=True),  # "backfill", or "crawl" for the newest look at a day
    Column("source", Text, primary_key=True),
    Column("window", Text, primary_key=True),  # such as "tabled:2024-11-05"
    Column("expected", Integer),  # the source's own total
    Column("seen", Integer, nullable=False),
    Column("done_at", UtcTime, nullable=False),
)

listings = Table(
    "listings",
    metadata,
    Column("source", Text, primary_key=True),
    Column("day", Date, primary_key=True),  # tabled (TheyWorkForYou: answered; feeds: published)
    Column("key", Text, primary_key=True),  # what the source lists for the day, held or not
)

problems = Table(
    "problems",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("page_sha256", Text),
    Column("page_file", Text),
    Column("page_offset", BigInteger),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("count", Integer, nullable=False),
    Column("ended_at", UtcTime),
    Index(None, "source", "kind", "url"),
)

validators = Table(  # for conditional requests
    "validators",
    metadata,
    Column("url", Text, primary_key=True),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("seen_at", UtcTime, nullable=False),
)

locks = Table(
    "locks",
    metadata,
    Column("name", Text, primary_key=True),  # such as "crawl:parliament"
    Column("owner", Text, nullable=False),  # a random token of the holder
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", Text, nullable=False),  # so that a re-used pid is not taken for the holder
    Column("heartbeat", UtcTime, nullable=False),  # real clock
)

budgets = Table(
    "budgets",
    metadata,
    Column("host", Text, primary_key=True),
    Column("next_at", UtcTime, nullable=False),  # real clock: no request to the host before
)

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("note", Text),
    Column("query", Text, nullable=False),
    Column("tree", Json),  # the parsed form; null where a newer version no longer reads the query
    Column("broken", Text),  # why it cannot be read any more
    Column("to", Text, nullable=False),
    Column("on", Json, nullable=False),  # kinds and "overdue"
    Column("every", Text, nullable=False),
    Column("at", Text, nullable=False),  # HH:MM in the settings' zone
    Column("days", Json, nullable=False),  # mon..sun; empty: every day (weekly: monday)
    Column("notice", Text),  # weekly, monthly
    Column("follows", Text),  # the KEY of `subscribe KEY`
    Column("created_at", UtcTime, nullable=False),
    Column("confirmed_at", UtcTime),
    Column("begins_at", UtcTime),  # null until confirmed
    Column("expires_on", Date),
    Column("paused_at", UtcTime),
    Column("paused_because", Text),
    Column("ended_at", UtcTime),  # unsubscribed, expired, followed to its end
    Column("token", Text, nullable=False, unique=True),  # of its feeds and signed links
    Column("secret", Text),  # of its webhook
    Column("last_notice_at", UtcTime),
    Index(None, "to"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),  # Message-ID or webhook-id, made from its rows
    Column("to", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # exactly what is sent
    Column("state", Text, nullable=False),  # pending, sent, failed, dropped
    Column("position", BigInteger, nullable=False),  # order of events for receivers that need it
    Column("attempts", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("next_attempt_at", UtcTime),
    Column("claimed_until", UtcTime),  # real clock
    Column("claimed_by", Text),
    Column("sent_at", UtcTime),
    Column("error", Text),
    Index(None, "state", "next_attempt_at"),
    Index(None, "to", "position"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscription_id", Id, ForeignKey("subscriptions.id"), nullable=False),
    Column("question_id", Id, ForeignKey("questions.id"), nullable=False),
    Column("event", Text, nullable=False),
    Column("number", Integer, nullable=False),  # the version sent
    Column("kind", Text, nullable=False),  # what it is called in the message
    Column("state", Text, nullable=False),  # pending, held, sent, failed, dropped
    Column("reason", Text),  # why held or dropped; which words matched is worked out when shown
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("message_id", Text, ForeignKey("messages.id")),
    Column("sent_at", UtcTime),
    UniqueConstraint("subscription_id", "question_id", "event"),
    Index(None, "state", "due_at"),
    Index(None, "message_id"),
    Index(None, "question_id"),
)

suppressions = Table(  # addresses that must not be written to: bounced, unsubscribed from all, erased
    "suppressions",
    metadata,
    Column("address_hash", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", UtcTime, nullable=False),
)

exports = Table(  # what `export --since-last NAME` has written, at which version
    "exports",
    metadata,
    Column("name", Text, primary_key=True),
    Column("question_id", Id, ForeignKey("questions.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    sqlite_with_rowid=False,
)
