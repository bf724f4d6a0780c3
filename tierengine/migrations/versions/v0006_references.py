"""Events and stored answers are written at every sale without the database looking up their dealer, member and store.

Each look-up also locked its row: that of the dealer, for every sale of his. `verify` looks for what they kept out.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_DROPPED = {"event": ("dealer", "member", "store"), "idempotency": ("dealer",)}


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table, named in _DROPPED.items():
            for other in named:
                op.drop_constraint(f"{table}_{other}_id_fkey", table, type_="foreignkey")
        return
    # SQLite's own way for what changes no stored row ("Making Other Kinds Of Table Schema Changes"): the text of the
    # table is edited in place, so the rows, indexes and triggers of an insert-only table stay as they are.
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for table, named in _DROPPED.items():
        text = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)
        ).scalar_one()
        for other in named:
            said = f", FOREIGN KEY({other}_id) REFERENCES {other} (id)"
            flat = " ".join(text.split())
            if said not in flat:
                raise RuntimeError(f"{table} has no {said!r}")
            text = flat.replace(said, "")
        connection.exec_driver_sql("UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?", (text, table))
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
