"""Commands, and holds with their lots and their one end."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
BYTES = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
DOC = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

INSERT_ONLY = ("command", "hold", "hold_lot", "hold_end")


def upgrade() -> None:
    create_tables()
    if op.get_bind().dialect.name == "postgresql":
        for table in INSERT_ONLY:
            op.execute(
                f"CREATE TRIGGER {table}_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
    else:
        for table in INSERT_ONLY:
            for act in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {act} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is insert only: {act} refused'); END"
                )


def create_tables() -> None:
    op.create_table(
        "command",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("key", BYTES, nullable=False),
        sa.Column("kind", BYTES, nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.Column("body", DOC, nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dealer_id", "key"),
    )
    op.create_table(
        "hold",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("key", BYTES, nullable=False),
        sa.Column("wallet", BYTES, nullable=False),
        sa.Column("cluster", BYTES, nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("entry_id", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.CheckConstraint("amount > 0", name="hold_amount_positive"),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dealer_id", "key"),
    )
    op.create_index("hold_order", "hold", ["dealer_id", "cluster"], unique=False)
    op.create_table(
        "hold_lot",
        sa.Column("hold_id", BIG, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("lot_id", BIG, nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.CheckConstraint("amount > 0", name="hold_lot_amount_positive"),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"]),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"]),
        sa.PrimaryKeyConstraint("hold_id", "place"),
    )
    op.create_index("hold_lot_lot", "hold_lot", ["lot_id"], unique=False)
    op.create_table(
        "hold_end",
        sa.Column("hold_id", BIG, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("kind", BYTES, nullable=False),
        sa.Column("entry_id", BIG, nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"]),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"]),
        sa.PrimaryKeyConstraint("hold_id"),
    )
    op.create_table(
        "hold_state",
        sa.Column("hold_id", BIG, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("remaining", BIG, nullable=False),
        sa.CheckConstraint("remaining >= 0", name="hold_remaining_not_negative"),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"]),
        sa.PrimaryKeyConstraint("hold_id"),
    )
    op.create_index(
        "hold_state_open",
        "hold_state",
        ["member_id"],
        unique=False,
        sqlite_where=sa.text("remaining > 0"),
        postgresql_where=sa.text("remaining > 0"),
    )
