"""What is rotated: the secrets of a webhook one by one, and the key of which another one is the successor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import sqlite

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")


def upgrade() -> None:
    """Make the table and the column. A webhook without a row has its first secret, a key without an origin is one."""
    op.create_table(
        "webhook_secret",
        sa.Column("webhook_id", BIG, nullable=False),
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("until", BIG, nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"]),
        sa.PrimaryKeyConstraint("webhook_id", "number"),
    )
    op.add_column("api_key", sa.Column("origin_id", BIG, nullable=True))


def downgrade() -> None:
    """Take both away: receivers verify by a webhook's first secret again."""
    op.drop_column("api_key", "origin_id")
    op.drop_table("webhook_secret")
