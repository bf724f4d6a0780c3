"""Keys with roles, a name, an end and a last use; the staff, their sessions, and the audit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
BYTES = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
DOC = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.execute("ALTER TABLE api_key RENAME COLUMN role TO roles")
    op.add_column("api_key", sa.Column("name", BYTES, nullable=False, server_default=""))
    op.add_column("api_key", sa.Column("expires_at", BIG, nullable=True))
    op.add_column("api_key", sa.Column("last_used_at", BIG, nullable=True))
    # Keys of before are kept as plain hashes and stay valid until they are rotated; new ones are kept as HMACs.
    op.execute("UPDATE api_key SET digest = 'sha256:' || digest")
    op.create_table(
        "staff",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("store_id", BIG, nullable=True),
        sa.Column("login", BYTES, nullable=False),
        sa.Column("name", BYTES, nullable=False, server_default=""),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("roles", BYTES, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("disabled_at", BIG, nullable=True),
        sa.Column("failures", BIG, nullable=False, server_default="0"),
        sa.Column("failed_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealer.id"]),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("login"),
    )
    op.create_table(
        "staff_session",
        sa.Column("prefix", BYTES, nullable=False),
        sa.Column("staff_id", BIG, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("seen_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("ended_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("prefix"),
    )
    op.create_table(
        "audit",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.Column("actor", BYTES, nullable=False),
        sa.Column("act", BYTES, nullable=False),
        sa.Column("subject", BYTES, nullable=False),
        sa.Column("request", BYTES, nullable=False, server_default=""),
        sa.Column("body", DOC, nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_recorded", "audit", ["dealer_id", "recorded_at"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER audit_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    else:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_refuses_{act.lower()} BEFORE {act} ON audit "
                f"BEGIN SELECT RAISE(ABORT, 'audit is insert only: {act} refused'); END"
            )
