"""The first schema.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.schema import Id, Json, UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _questions()
    _versions()
    _scraping()
    _running()
    _subscriptions()
    _deliveries()


def downgrade() -> None:
    raise NotImplementedError("versions are never removed: restore a backup instead")


def _questions() -> None:
    op.create_table(
        "questions",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("official_id", sa.BigInteger()),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("house", sa.Text()),
        sa.Column("uin", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tabled_on", sa.Date()),
        sa.Column("due_on", sa.Date()),
        sa.Column("overdue_after", sa.Date()),
        sa.Column("answered_on", sa.Date()),
        sa.Column("holding_on", sa.Date()),
        sa.Column("corrected_on", sa.Date()),
        sa.Column("named_day", sa.Boolean(), nullable=False),
        sa.Column("pro_forma", sa.Boolean(), nullable=False),
        sa.Column("body_id", sa.Integer()),
        sa.Column("body_name", sa.Text()),
        sa.Column("heading", sa.Text()),
        sa.Column("sort_key", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("meaning", sa.LargeBinary(length=16), nullable=False),
        sa.Column("layout", sa.LargeBinary(length=16), nullable=False),
        sa.Column("observed_at", UtcTime(), nullable=False),
        sa.Column("text_observed_at", UtcTime(), nullable=False),
        sa.Column("recheck_at", UtcTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
        sa.UniqueConstraint("official_id", name=op.f("uq_questions_official_id")),
        sa.UniqueConstraint("sort_key", name=op.f("uq_questions_sort_key")),
    )
    op.create_index(op.f("ix_questions_answered_on"), "questions", ["answered_on"])
    op.create_index(op.f("ix_questions_key"), "questions", ["key"])
    op.create_index(op.f("ix_questions_overdue_after"), "questions", ["overdue_after"])
    op.create_index(op.f("ix_questions_recheck_at"), "questions", ["recheck_at"])
    op.create_index(op.f("ix_questions_state_tabled_on"), "questions", ["state", "tabled_on"])
    op.create_index(op.f("ix_questions_tabled_on"), "questions", ["tabled_on"])
    op.create_index(op.f("ix_questions_uin_house"), "questions", ["uin", "house"])
    op.create_table(
        "aliases",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("question_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_aliases_question_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_aliases")),
    )
    op.create_index(op.f("ix_aliases_question_id"), "aliases", ["question_id"])
    op.create_table(
        "sightings",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("question_id", Id, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("first_seen", UtcTime(), nullable=False),
        sa.Column("last_seen", UtcTime(), nullable=False),
        sa.Column("read_at", UtcTime()),
        sa.Column("row_digest", sa.Text()),
        sa.Column("digest", sa.LargeBinary(length=16)),
        sa.Column("fills", Json),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_sightings_question_id")),
        sa.PrimaryKeyConstraint("source", "source_id", name=op.f("pk_sightings")),
    )
    op.create_index(op.f("ix_sightings_question_id"), "sightings", ["question_id"])


def _versions() -> None:
    op.create_table(
        "versions",
        sa.Column("question_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("kinds", Json, nullable=False),
        sa.Column("changed", Json, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("observed_at", UtcTime(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("page_sha256", sa.Text(), nullable=False),
        sa.Column("page_file", sa.Text()),
        sa.Column("page_offset", sa.BigInteger()),
        sa.Column("backfilled", sa.Boolean(), nullable=False),
        sa.Column("reconstructed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_versions_question_id")),
        sa.PrimaryKeyConstraint("question_id", "number", name=op.f("pk_versions")),
    )
    op.create_index(op.f("ix_versions_observed_at"), "versions", ["observed_at"])
    op.create_table(
        "discrepancies",
        sa.Column("question_id", Id, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("here", sa.Text()),
        sa.Column("there", sa.Text()),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_discrepancies_question_id")),
        sa.PrimaryKeyConstraint("question_id", "source", "field", name=op.f("pk_discrepancies")),
    )
    op.create_table(
        "mentions",
        sa.Column("question_id", Id, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_mentions_question_id")),
        sa.PrimaryKeyConstraint("question_id", "key", name=op.f("pk_mentions")),
    )
    op.create_index(op.f("ix_mentions_key"), "mentions", ["key"])
    op.create_table(
        "changes",
        sa.Column("id", Id, nullable=False),
        sa.Column("question_id", Id, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("backfilled", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("done_at", UtcTime()),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_changes_question_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
        sa.UniqueConstraint("question_id", "event", name=op.f("uq_changes_question_id_event")),
    )
    op.create_index(op.f("ix_changes_done_at_id"), "changes", ["done_at", "id"])


def _scraping() -> None:
    op.create_table(
        "runs",
        sa.Column("id", Id, nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("source", sa.Text()),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("finished_at", UtcTime()),
        sa.Column("ok", sa.Boolean()),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("report", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_job_source_started_at"), "runs", ["job", "source", "started_at"])
    op.create_table(
        "windows",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("expected", sa.Integer()),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("done_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("job", "source", "window", name=op.f("pk_windows")),
    )
    op.create_table(
        "listings",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", "key", name=op.f("pk_listings")),
    )
    op.create_table(
        "problems",
        sa.Column("id", Id, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("page_sha256", sa.Text()),
        sa.Column("page_file", sa.Text()),
        sa.Column("page_offset", sa.BigInteger()),
        sa.Column("first_seen", UtcTime(), nullable=False),
        sa.Column("last_seen", UtcTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problems")),
    )
    op.create_index(op.f("ix_problems_source_kind_url"), "problems", ["source", "kind", "url"])
    op.create_table(
        "validators",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text()),
        sa.Column("last_modified", sa.Text()),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_validators")),
    )


def _running() -> None:
    op.create_table(
        "locks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", sa.Text(), nullable=False),
        sa.Column("heartbeat", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_locks")),
    )
    op.create_table(
        "budgets",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_budgets")),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )


def _subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("tree", Json),
        sa.Column("broken", sa.Text()),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("on", Json, nullable=False),
        sa.Column("every", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("days", Json, nullable=False),
        sa.Column("notice", sa.Text()),
        sa.Column("follows", sa.Text()),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("confirmed_at", UtcTime()),
        sa.Column("begins_at", UtcTime()),
        sa.Column("expires_on", sa.Date()),
        sa.Column("paused_at", UtcTime()),
        sa.Column("paused_because", sa.Text()),
        sa.Column("ended_at", UtcTime()),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text()),
        sa.Column("last_slot_at", UtcTime()),
        sa.Column("last_notice_at", UtcTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("name", name=op.f("uq_subscriptions_name")),
        sa.UniqueConstraint("token", name=op.f("uq_subscriptions_token")),
    )
    op.create_index(op.f("ix_subscriptions_to"), "subscriptions", ["to"])
    op.create_table(
        "suppressions",
        sa.Column("address_hash", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_suppressions")),
    )


def _deliveries() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("next_attempt_at", UtcTime()),
        sa.Column("claimed_until", UtcTime()),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("sent_at", UtcTime()),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index(op.f("ix_messages_state_next_attempt_at"), "messages", ["state", "next_attempt_at"])
    op.create_index(op.f("ix_messages_to_position"), "messages", ["to", "position"])
    op.create_table(
        "deliveries",
        sa.Column("id", Id, nullable=False),
        sa.Column("subscription_id", Id, nullable=False),
        sa.Column("question_id", Id, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("message_id", sa.Text()),
        sa.Column("sent_at", UtcTime()),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_deliveries_message_id")),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_deliveries_question_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_deliveries_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "subscription_id",
            "question_id",
            "event",
            name=op.f("uq_deliveries_subscription_id_question_id_event"),
        ),
    )
    op.create_index(op.f("ix_deliveries_message_id"), "deliveries", ["message_id"])
    op.create_index(op.f("ix_deliveries_question_id"), "deliveries", ["question_id"])
    op.create_index(op.f("ix_deliveries_state_due_at"), "deliveries", ["state", "due_at"])
