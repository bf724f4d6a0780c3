"""Clusters of events are found by the cluster first: an index that begins with the dealer is taken for others' work."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Turn the index round."""
    op.drop_index("event_cluster", table_name="event")
    op.create_index("event_cluster", "event", ["cluster", "dealer_id"])


def downgrade() -> None:
    """Turn it back."""
    op.drop_index("event_cluster", table_name="event")
    op.create_index("event_cluster", "event", ["dealer_id", "cluster"])
