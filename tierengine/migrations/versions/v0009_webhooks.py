"""Webhooks: whom to tell of what, what they were told, and the tier that each knows of a member."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
BYTES = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
DOC = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "webhook",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("url", BYTES, nullable=False),
        sa.Column("types", DOC, nullable=False),
        sa.Column("state", BYTES, nullable=False),
        sa.Column("seen", BIG, nullable=False),
        sa.Column("looked_at", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_dealer", "webhook", ["dealer_id"])
    op.create_table(
        "webhook_standing",
        sa.Column("webhook_id", BIG, nullable=False),
        sa.Column("member_id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("tier", BYTES, nullable=False),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"]),
        sa.PrimaryKeyConstraint("webhook_id", "member_id"),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("webhook_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("message", BYTES, nullable=False),
        sa.Column("type", BYTES, nullable=False),
        sa.Column("body", DOC, nullable=False),
        sa.Column("state", BYTES, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("last", BYTES, nullable=False),
        sa.Column("changed_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("webhook_id", "message"),
    )
    op.create_index("webhook_delivery_due", "webhook_delivery", ["state", "due_at"])
    op.create_index("webhook_delivery_member", "webhook_delivery", ["webhook_id", "member_id", "state", "id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("webhook_delivery")
    op.drop_table("webhook_standing")
    op.drop_table("webhook")
