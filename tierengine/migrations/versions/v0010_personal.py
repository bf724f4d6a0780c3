"""Personal data sealed under a key per member, what it is found by, and who was erased; the plain text goes."""

from __future__ import annotations

from dataclasses import replace

import orjson
import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql, sqlite

from tierengine.personal.records import digits, known, plain_name
from tierengine.personal.vault import Vault
from tierengine.settings import Settings

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
BYTES = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
DOC = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
PIECE = 1_000


def upgrade() -> None:
    """Make the tables, move what is there into them, and drop those it came from."""
    personal = op.create_table(
        "personal",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("field", BYTES, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("member_id", "field"),
    )
    index = op.create_table(
        "personal_index",
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("field", BYTES, nullable=False),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealer.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("dealer_id", "field", "digest", "member_id"),
    )
    op.create_index("personal_index_member", "personal_index", ["member_id"])
    op.create_table(
        "erasure",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("dealer_id", BIG, nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.Column("actor", BYTES, nullable=False),
        sa.ForeignKeyConstraint(["dealer_id"], ["dealer.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("member_id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER erasure_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON erasure "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    else:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER erasure_refuses_{act.lower()} BEFORE {act} ON erasure "
                f"BEGIN SELECT RAISE(ABORT, 'erasure is insert only: {act} refused'); END"
            )
    move(personal, index)
    op.drop_table("member_phone")
    op.drop_table("member_person")


def move(personal: sa.Table, index: sa.Table) -> None:
    """Seal what stands in plain text. Who has nothing personal on file gets no key."""
    book = op.get_bind()
    old = sa.table(
        "member_person", *map(sa.column, ("member_id", "dealer_id", "name", "note")), sa.column("phones", DOC)
    )
    rows = book.execute(sa.select(*old.columns).order_by(old.c.member_id)).all()
    rows = [row for row in rows if row.name or row.note or row.phones]
    if not rows:
        return
    attributes = context.config.attributes
    # What was written stays in the file's free pages and in its log until it is written anew (store/migrating.py).
    attributes["rewrite"] = True
    vault = Vault.of(replace(Settings.read(), database_url=attributes["url"]))
    for first in range(0, len(rows), PIECE):
        sealed: list[dict[str, object]] = []
        found: dict[tuple[int, str, str, int], None] = {}
        piece = rows[first : first + PIECE]
        for dealer in sorted({row.dealer_id for row in piece}):
            mine = [row for row in piece if row.dealer_id == dealer]
            keys = vault.keys_made(dealer, [row.member_id for row in mine])
            for row in mine:
                phones = known(row.phones)
                texts = {"name": row.name, "phones": orjson.dumps(phones).decode() if phones else "", "note": row.note}
                sealed += [
                    {"member_id": row.member_id, "field": field, "dealer_id": dealer,
                     "sealed": keys.seal(row.member_id, field, text)}
                    for field, text in texts.items() if text
                ]  # fmt: skip
                for field, text in (("name", plain_name(row.name)), *(("phone", digits(one)) for one in phones)):
                    if text:
                        found[dealer, field, vault.digest(dealer, field, text), row.member_id] = None
        book.execute(personal.insert(), sealed)
        if found:
            names = ("dealer_id", "field", "digest", "member_id")
            book.execute(index.insert(), [dict(zip(names, one, strict=True)) for one in found])
    vault.close()
