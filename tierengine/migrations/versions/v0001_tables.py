"""Every table, and the triggers that keep what was written as it was written."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
BYTES = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
DOC = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

INSERT_ONLY = (
    "event", "contribution", "decision", "entry", "posting", "lot", "lot_use", "policy_version", "idempotency",
    "event_conflict",
)  # fmt: skip


def upgrade() -> None:
    create_tables()
    if op.get_bind().dialect.name == "postgresql":
        refuse_changes_on_postgresql()
    else:
        refuse_changes_on_sqlite()


def emission_content() -> str:
    """Return the columns of `emission` that never change: all but `applied`, the state of its delivery."""
    names = (
        "id", "dealer_id", "member_id", "to_member_id", "key", "revision", "event_key", "rule", "kind", "occurred_at",
        "cancelled", "body", "recorded_at",
    )  # fmt: skip
    return ", ".join(names)


def refuse_changes_on_sqlite() -> None:
    for table in (*INSERT_ONLY, "emission"):
        columns = f" OF {emission_content()}" if table == "emission" else ""
        for act, what in (("UPDATE", f"UPDATE{columns}"), ("DELETE", "DELETE")):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {what} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is insert only: {act} refused'); END"
            )


def refuse_changes_on_postgresql() -> None:
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is insert only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
        END $$
    """)
    for table in (*INSERT_ONLY, "emission"):
        columns = f" OF {emission_content()}" if table == "emission" else ""
        # One trigger a statement: a refused statement changes no row, and inserts never run it.
        op.execute(
            f"CREATE TRIGGER {table}_insert_only BEFORE UPDATE{columns} OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def create_tables() -> None:
    op.create_table(
        "contribution",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("event_id", BIG, nullable=False),
        sa.Column("kind", BYTES, nullable=False),
        sa.Column("line", BYTES, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("known_at", BIG, nullable=False),
        sa.Column("known_class", sa.Integer(), nullable=False),
        sa.Column("known_key", BYTES, nullable=False),
        sa.Column("cause", BYTES, nullable=False),
        sa.Column("qty", BIG, nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("fields", DOC, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("contribution_cause", "contribution", ["dealer_id", "known_key"], unique=False)
    op.create_index("contribution_known", "contribution", ["member_id", "known_at"], unique=False)
    op.create_table(
        "dealer",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("code", BYTES, nullable=False),
        sa.Column("name", BYTES, nullable=False),
        sa.Column("timezone", BYTES, server_default="Asia/Shanghai", nullable=False),
        sa.Column("currency", BYTES, server_default="CNY", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_table(
        "decision",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("event_key", BYTES, nullable=False),
        sa.Column("rule", BYTES, nullable=False),
        sa.Column("version_id", BIG, nullable=False),
        sa.Column("step_at", BIG, nullable=False),
        sa.Column("step_class", sa.Integer(), nullable=False),
        sa.Column("step_key", BYTES, nullable=False),
        sa.Column("kind", BYTES, nullable=False),
        sa.Column("wallet", BYTES, nullable=False),
        sa.Column("wanted", BIG, nullable=False),
        sa.Column("usable_from", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=True),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.Column("basis", DOC, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("decision_grant", "decision", ["dealer_id", "event_key"], unique=False)
    op.create_index("decision_step", "decision", ["member_id", "step_at"], unique=False)
    op.create_table(
        "event_conflict",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("key", BYTES, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", DOC, nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.Column("source", BYTES, nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "id_block",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "tier_change",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("class", sa.Integer(), nullable=False),
        sa.Column("key", BYTES, nullable=False),
        sa.Column("tier", BYTES, nullable=False),
        sa.Column("previous", BYTES, nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("until", BIG, nullable=True),
        sa.Column("state", BYTES, nullable=False),
        sa.Column("cause", BYTES, nullable=False),
        sa.Column("version_id", BIG, nullable=False),
        sa.Column("traits", DOC, nullable=False),
        sa.Column("basis", DOC, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tier_change_member", "tier_change", ["member_id", "at"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("scope", BYTES, nullable=False),
        sa.Column("key", BYTES, nullable=False),
        sa.Column("request_hash", BYTES, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer_id"],
            ["dealer.id"],
        ),
        sa.PrimaryKeyConstraint("dealer_id", "scope", "key"),
    )
    op.create_table(
        "member",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("code", BYTES, nullable=False),
        sa.Column("form", BYTES, server_default="person", nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer_id"],
            ["dealer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dealer_id", "code"),
    )
    op.create_table(
        "policy_version",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.Column("author", BYTES, nullable=False),
        sa.Column("reason", BYTES, nullable=False),
        sa.Column("effective_from", BIG, nullable=False),
        sa.Column("published_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer_id"],
            ["dealer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dealer_id", "number"),
    )
    op.create_table(
        "store",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("code", BYTES, nullable=False),
        sa.Column("name", BYTES, nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer_id"],
            ["dealer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dealer_id", "code"),
    )
    op.create_table(
        "account",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=True),
        sa.Column("wallet", BYTES, nullable=False),
        sa.Column("kind", BYTES, nullable=False),
        sa.Column("unit", BYTES, nullable=False),
        sa.Column("balance", BIG, nullable=True),
        sa.CheckConstraint("balance IS NULL OR balance >= 0", name="account_balance_not_negative"),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dealer_id", "member_id", "wallet", "kind"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("store_id", BIG, nullable=True),
        sa.Column("prefix", BYTES, nullable=False),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("role", BYTES, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("revoked_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["dealer_id"],
            ["dealer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["store_id"],
            ["store.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("prefix"),
    )
    op.create_table(
        "attribute",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("name", BYTES, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("value", BYTES, nullable=False),
        sa.Column("changed_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", "name"),
    )
    op.create_table(
        "award_run",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("award", BYTES, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("version_id", BIG, nullable=False),
        sa.Column("as_of", BIG, nullable=False),
        sa.Column("list_hash", BYTES, nullable=False),
        sa.Column("planned_at", BIG, nullable=False),
        sa.Column("plan", DOC, nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer_id"],
            ["dealer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["policy_version.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dealer_id", "award", "year"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("at", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("head_class", sa.Integer(), nullable=False),
        sa.Column("head_key", BYTES, nullable=False),
        sa.Column("carry", BYTES, nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", "at"),
    )
    op.create_table(
        "emission",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("to_member_id", BIG, nullable=False),
        sa.Column("key", BYTES, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("event_key", BYTES, nullable=False),
        sa.Column("rule", BYTES, nullable=False),
        sa.Column("kind", BYTES, nullable=False),
        sa.Column("occurred_at", BIG, nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("body", DOC, nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["to_member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dealer_id", "key", "revision"),
    )
    op.create_index("emission_to", "emission", ["to_member_id", "applied"], unique=False)
    op.create_table(
        "entry",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("kind", BYTES, nullable=False),
        sa.Column("wallet", BYTES, nullable=False),
        sa.Column("event_key", BYTES, server_default="", nullable=False),
        sa.Column("rule", BYTES, server_default="", nullable=False),
        sa.Column("delta", BIG, nullable=False),
        sa.Column("cause_key", BYTES, server_default="", nullable=False),
        sa.Column("decision_id", BIG, nullable=True),
        sa.Column("reverses_id", BIG, nullable=True),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("member_id", "number"),
    )
    op.create_index("entry_event", "entry", ["dealer_id", "event_key"], unique=False)
    op.create_index("entry_recorded", "entry", ["dealer_id", "recorded_at"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=True),
        sa.Column("store_id", BIG, nullable=True),
        sa.Column("key", BYTES, nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cluster", BYTES, nullable=False),
        sa.Column("kind", BYTES, nullable=False),
        sa.Column("occurred_at", BIG, nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.Column("source", BYTES, nullable=False),
        sa.Column("source_id", BYTES, nullable=False),
        sa.Column("body", DOC, nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer_id"],
            ["dealer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["store_id"],
            ["store.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dealer_id", "key", "revision"),
    )
    op.create_index("event_cluster", "event", ["dealer_id", "cluster"], unique=False)
    op.create_index("event_member", "event", ["member_id", "occurred_at"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("entry_no", BIG, server_default="0", nullable=False),
        sa.Column("head_at", BIG, server_default="0", nullable=False),
        sa.Column("head_class", sa.Integer(), server_default="0", nullable=False),
        sa.Column("head_key", BYTES, server_default="", nullable=False),
        sa.Column("tier", BYTES, server_default="", nullable=False),
        sa.Column("boundary_at", BIG, nullable=True),
        sa.Column("carry", BYTES, server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer_id"],
            ["dealer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id"),
    )
    op.create_index("ledger_boundary", "ledger", ["dealer_id", "boundary_at"], unique=False)
    op.create_table(
        "machine",
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("serial", BYTES, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("brand", BYTES, server_default="", nullable=False),
        sa.Column("model", BYTES, server_default="", nullable=False),
        sa.Column("machine_kind", BYTES, server_default="", nullable=False),
        sa.Column("size", BYTES, server_default="", nullable=False),
        sa.Column("from_us", sa.Boolean(), nullable=False),
        sa.Column("delivered_on", BYTES, server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer_id"],
            ["dealer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("dealer_id", "serial"),
    )
    op.create_table(
        "member_person",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("name", BYTES, nullable=False),
        sa.Column("phones", DOC, nullable=False),
        sa.Column("note", BYTES, server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id"),
    )
    op.create_table(
        "member_phone",
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("phone", BYTES, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["dealer_id"],
            ["dealer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("dealer_id", "phone", "member_id"),
    )
    op.create_table(
        "award_winner",
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("score", BIG, nullable=False),
        sa.Column("prize", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["award_run.id"],
        ),
        sa.PrimaryKeyConstraint("run_id", "member_id"),
    )
    op.create_table(
        "lot",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("wallet", BYTES, nullable=False),
        sa.Column("entry_id", BIG, nullable=False),
        sa.Column("event_key", BYTES, nullable=False),
        sa.Column("rule", BYTES, nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("usable_from", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=True),
        sa.CheckConstraint("amount > 0", name="lot_amount_positive"),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["entry.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("lot_member", "lot", ["member_id", "wallet"], unique=False)
    op.create_table(
        "parked",
        sa.Column("event_id", BIG, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("waits_for", BYTES, nullable=False),
        sa.Column("reason", BYTES, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["event.id"],
        ),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index(op.f("ix_parked_waits_for"), "parked", ["waits_for"], unique=False)
    op.create_table(
        "posting",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("entry_id", BIG, nullable=False),
        sa.Column("source_id", BIG, nullable=False),
        sa.Column("destination_id", BIG, nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.CheckConstraint("amount > 0", name="posting_amount_positive"),
        sa.CheckConstraint("source_id <> destination_id", name="posting_moves"),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["entry.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("posting_destination", "posting", ["destination_id"], unique=False)
    op.create_index("posting_entry", "posting", ["entry_id"], unique=False)
    op.create_index("posting_source", "posting", ["source_id"], unique=False)
    op.create_table(
        "lot_state",
        sa.Column("lot_id", BIG, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("remaining", BIG, nullable=False),
        sa.CheckConstraint("remaining >= 0", name="lot_remaining_not_negative"),
        sa.ForeignKeyConstraint(
            ["lot_id"],
            ["lot.id"],
        ),
        sa.PrimaryKeyConstraint("lot_id"),
    )
    op.create_index(
        "lot_state_open",
        "lot_state",
        ["member_id"],
        unique=False,
        sqlite_where=sa.text("remaining > 0"),
        postgresql_where=sa.text("remaining > 0"),
    )
    op.create_table(
        "lot_use",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("lot_id", BIG, nullable=False),
        sa.Column("entry_id", BIG, nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.CheckConstraint("amount <> 0", name="lot_use_moves"),
        sa.ForeignKeyConstraint(
            ["lot_id"],
            ["lot.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("lot_use_entry", "lot_use", ["entry_id"], unique=False)
    op.create_index("lot_use_lot", "lot_use", ["lot_id"], unique=False)
