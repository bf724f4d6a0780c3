"""The hash chain, the list of what it does not cover yet, and triggers for all that may never change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
BYTES = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

NOW_INSERT_ONLY = ("seal", "award_run", "award_winner")
# Table → what names a row, as SQL of each database; what was written before there were seals waits for the sealer.
BY_ID = (
    "policy_version", "event", "event_conflict", "contribution", "decision", "emission", "entry", "posting", "lot",
    "lot_use", "command", "hold", "award_run",
)  # fmt: skip
BY_KEY = {
    "hold_lot": ("hold_id", "place"),
    "hold_end": ("hold_id",),
    "idempotency": ("scope", "key"),
    "award_winner": ("run_id", "member_id"),
}
PIECE = 5_000


def upgrade() -> None:
    op.create_table(
        "unsealed",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("refs", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "seal",
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("sealed_at", BIG, nullable=False),
        sa.Column("refs", BYTES, nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealer.id"]),
        sa.PrimaryKeyConstraint("dealer_id", "number"),
    )
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in NOW_INSERT_ONLY:
        if on_postgresql:
            op.execute(
                f"CREATE TRIGGER {table}_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        else:
            for act in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_refuses_{act.lower()} BEFORE {act} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is insert only: {act} refused'); END"
                )
    list_what_is_there(on_postgresql=on_postgresql)


def list_what_is_there(*, on_postgresql: bool) -> None:
    """Put every row into `unsealed`, oldest first, so that a book of before gets its chain by the first sealing."""
    if on_postgresql:
        named = "jsonb_build_object('{table}', jsonb_agg({ref} ORDER BY row_place))::text"
        listed = "jsonb_build_array({})"
    else:
        named, listed = "json_object('{table}', json_group_array({ref}))", "json_array({})"
    tables = [(table, ("id",)) for table in BY_ID] + list(BY_KEY.items())
    for table, key in tables:
        names = ", ".join(f'"{name}"' for name in key)
        if len(key) == 1:
            ref = names
        else:
            ref = listed.format(names) if on_postgresql else f"json({listed.format(names)})"
        op.execute(
            f"INSERT INTO unsealed (dealer_id, refs) SELECT dealer_id, {named.format(table=table, ref=ref)} FROM ("
            f"SELECT *, ROW_NUMBER() OVER (PARTITION BY dealer_id ORDER BY {names}) AS row_place FROM {table} "
            f"ORDER BY {names}) AS rows_there GROUP BY dealer_id, (row_place - 1) / {PIECE} "
            "ORDER BY dealer_id, min(row_place)"
        )
