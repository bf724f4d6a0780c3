"""What budgets over several members have given."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
BYTES = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "budget_pot",
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("key", BYTES, nullable=False),
        sa.Column("used", BIG, nullable=False),
        sa.CheckConstraint("used >= 0", name="budget_used_not_negative"),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealer.id"]),
        sa.PrimaryKeyConstraint("dealer_id", "key"),
    )
