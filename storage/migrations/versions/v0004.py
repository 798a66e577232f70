"""What only one source tells of a question stands with its sighting; a column of subscriptions that nobody read goes.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.schema import Json

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sightings", sa.Column("extras", Json))
    op.drop_column("subscriptions", "last_slot_at")


def downgrade() -> None:
    raise NotImplementedError("versions are never removed: restore a backup instead")
