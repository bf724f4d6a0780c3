"""Drafts of policies, which a second person publishes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
BYTES = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "policy_draft",
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("name", BYTES, nullable=False),
        sa.Column("revision", BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.Column("author", BYTES, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealer.id"]),
        sa.PrimaryKeyConstraint("dealer_id", "name"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("policy_draft")
