"""The full-text index.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage import search_postgresql, search_sqlite

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "searched",
        sa.Column(
            "sort_key",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("department", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("house", sa.Text()),
        sa.Column("unsure", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sort_key", name=op.f("pk_searched")),
    )
    op.create_table(
        "search_forms",
        sa.Column("stem", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stem", "word", name=op.f("pk_search_forms")),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in search_postgresql.CREATE:
            op.execute(statement)
    else:
        for statement in (search_sqlite.CREATE, *search_sqlite.SETTINGS):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("versions are never removed: restore a backup instead")
