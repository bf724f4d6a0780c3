"""Members may be merged: the ledger row says in whose history a member's is folded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import sqlite

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
JOINED = sa.text("joined_id IS NOT NULL")


def upgrade() -> None:
    """Add the column, and an index of the few rows that have it."""
    op.add_column("ledger", sa.Column("joined_id", BIG, nullable=True))
    op.create_index(
        "ledger_joined", "ledger", ["joined_id"], unique=False, sqlite_where=JOINED, postgresql_where=JOINED
    )


def downgrade() -> None:
    """Take both away; refused while anybody is merged, for then the book would say otherwise than its events."""
    found = op.get_bind().execute(sa.text("SELECT COUNT(*) FROM ledger WHERE joined_id IS NOT NULL")).scalar()
    if found:
        raise RuntimeError(f"{found} members are merged: un-merge them before going back to revision 0011")
    op.drop_index("ledger_joined", table_name="ledger")
    op.drop_column("ledger", "joined_id")
