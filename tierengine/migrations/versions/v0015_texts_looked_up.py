"""Purchases are found by the referral they name, lines by the serial number they speak of; no other row pays for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

PURCHASES = "kind = 'machine_purchase'"
MACHINES = (
    "kind = 'machine_disposed' OR kind = 'machine_purchase' OR kind = 'machine_registered' OR kind = 'purchase_settled'"
)
# name → (table, which rows, column, the text's name, where PostgreSQL has it)
MADE = {
    "event_referral": ("event", PURCHASES, "body", "referral", "(body -> 'fields'::text)"),
    "contribution_serial": ("contribution", MACHINES, "fields", "serial", "fields"),
}
BEFORE = {"event_purchase": ("event", PURCHASES), "contribution_machine": ("contribution", MACHINES)}


def upgrade() -> None:
    """Make them, and take away those that were read from end to end."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for index, (table, rows, column, name, path) in MADE.items():
        if sqlite:
            # (SQLite trusts none of JSON in a schema that it was given: tierengine/store/within.py.)
            found = f'instr({column}, \'"{name}":"\')'
            start = f"{found} + {len(name) + 4}"
            held = f"substr({column}, {start}, instr(substr({column}, {start}), '\"') - 1)"
            where = f"({rows}) AND {found} > 0"
        else:
            held = f"({path} ->> '{name}'::text)"
            where = f"({rows}) AND {held} IS NOT NULL"
        op.execute(sa.text(f"CREATE INDEX {index} ON {table} (dealer_id, {held}) WHERE {where}"))
    for index, (table, _) in BEFORE.items():
        op.drop_index(index, table_name=table)


def downgrade() -> None:
    """Put them back as they were."""
    for index, (table, rows) in BEFORE.items():
        where = sa.text(rows)
        op.create_index(index, table, ["dealer_id"], sqlite_where=where, postgresql_where=where)
    for index, (table, *_) in MADE.items():
        op.drop_index(index, table_name=table)
