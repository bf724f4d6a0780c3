"""What was looked for in all that the book has is found by an index; none of them is paid for by a plain sale."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# name → (table, columns, which rows; "": all)
MACHINES = (
    "kind = 'machine_disposed' OR kind = 'machine_purchase' OR kind = 'machine_registered' OR kind = 'purchase_settled'"
)
MADE = {
    "attribute_card": ("attribute", ["dealer_id", "value"], "name = 'card_no'"),
    "audit_actor": ("audit", ["dealer_id", "actor", "recorded_at"], ""),
    "audit_subject": ("audit", ["dealer_id", "subject", "recorded_at"], ""),
    "contribution_machine": ("contribution", ["dealer_id"], MACHINES),
    "emission_due": ("emission", ["to_member_id"], "NOT applied"),
    "emission_giver": ("emission", ["member_id"], ""),
    "event_conflict_key": ("event_conflict", ["dealer_id", "key"], ""),
    "event_purchase": ("event", ["dealer_id"], "kind = 'machine_purchase'"),
    "webhook_delivery_state": ("webhook_delivery", ["webhook_id", "state", "id", "due_at", "changed_at"], ""),
}


def upgrade() -> None:
    """Make the indexes, and take away the one that is replaced."""
    for name, (table, columns, rows) in MADE.items():
        where = sa.text(rows) if rows else None
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    op.drop_index("emission_to", table_name="emission")


def downgrade() -> None:
    """Put them back as they were."""
    op.create_index("emission_to", "emission", ["to_member_id", "applied"])
    for name, (table, _, _) in MADE.items():
        op.drop_index(name, table_name=table)
