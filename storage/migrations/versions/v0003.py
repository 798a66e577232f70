"""What exports have written.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "question_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"], name=op.f("fk_exports_question_id")),
        sa.PrimaryKeyConstraint("name", "question_id", name=op.f("pk_exports")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise NotImplementedError("versions are never removed: restore a backup instead")
