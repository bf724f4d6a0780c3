import re

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests import layout_module
from tierengine.ledger.chain import check
from tierengine.ledger.sealed import read_refs
from tierengine.ledger.sealing import seal
from tierengine.store import database, migrating
from tierengine.store.ids import Ids, transact
from tierengine.store.rows import INSERT_ONLY
from tierengine.store.tables import METADATA

# Python's way to name an object by where it lies: different each time.
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


# Changed by the ledger's writer only, and rebuilt from what is insert only.
CACHES = {
    "ledger", "tier_change", "checkpoint", "account", "lot_state", "hold_state", "attribute", "machine", "parked",
    "budget_pot",
}  # fmt: skip
SINCE = {"audit", "erasure"}  # insert only, and younger than the seals
OPERATIONAL = {
    "dealer", "store", "member", "personal", "personal_index", "api_key", "policy_draft", "id_block", "unsealed",
    "staff", "staff_session",
    "webhook", "webhook_secret", "webhook_standing", "webhook_delivery",
}  # fmt: skip


@pytest.fixture
def book(book_url):
    made = migrating.engine(book_url)
    yield made
    made.dispose()


def filled(table):
    """A value for every column of `table`, good enough to be stored."""
    by_type = {sa.JSON: {}, sa.LargeBinary: b"x", sa.Boolean: False, sa.Integer: 1, sa.BigInteger: 1, sa.Text: "x"}
    return {
        column.name: next(value for type_, value in by_type.items() if isinstance(column.type, type_))
        for column in table.columns
    }


def stored(connection, name, done):
    table = METADATA.tables[name]
    for key in table.foreign_keys:
        if key.column.table.name not in done and key.column.table.name != name:
            stored(connection, key.column.table.name, done)
    if name not in done:
        values = filled(table) | ({"destination_id": 2} if name == "posting" else {})
        connection.execute(table.insert().values(**values))
        done.add(name)


INDEXES = {
    "sqlite": "SELECT tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
}


def described(connection):
    """All that the database says of its tables, in an order of our own; of the indexes their text."""
    inspector = sa.inspect(connection)
    ask = {
        "columns": inspector.get_columns,
        "key": lambda table: [inspector.get_pk_constraint(table)["constrained_columns"]],
        "references": inspector.get_foreign_keys,
        "uniques": inspector.get_unique_constraints,
        "checks": inspector.get_check_constraints,
    }
    indexes = {}
    for table, text in connection.execute(sa.text(INDEXES[connection.dialect.name])):
        if table != "alembic_version":
            indexes.setdefault((table, "indexes"), set()).add(" ".join(text.split()))
    return indexes | {
        (table, what): sorted(ADDRESS.sub("", str(item)) for item in question(table))
        for table in inspector.get_table_names()
        if table != "alembic_version"
        for what, question in ask.items()
    }


# (Of an index by an expression, SQLite's are not read by SQLAlchemy: their text is compared.)
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_migrations_make_exactly_the_tables_of_the_models(database_url):
    assert METADATA.tables
    book = migrating.engine(database_url)
    with book.begin() as connection:
        METADATA.create_all(connection)
        wanted = described(connection)
        METADATA.drop_all(connection)
    migrating.migrate(database_url)
    with book.connect() as connection:
        assert described(connection) == wanted
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA) == []
    book.dispose()


def test_the_layout_by_which_rows_are_written_is_that_of_the_tables():
    assert layout_module.MODULE.read_text(encoding="utf-8") == layout_module.made(), "run `make docs`"


def test_keys_sort_by_their_bytes(book):
    with book.begin() as connection:
        for number, code in enumerate(("b", "B", "ä", "a", "中", "_", "Z")):
            connection.execute(
                sa.text("INSERT INTO dealer (id, code, name) VALUES (:i, :c, '')"), {"i": number, "c": code}
            )
        found = list(connection.execute(sa.text("SELECT code FROM dealer ORDER BY code")).scalars())
    assert found == sorted(found, key=str.encode)


@pytest.mark.parametrize("name", [*INSERT_ONLY, "seal"])
def test_what_was_written_is_neither_changed_nor_removed(book, name):
    with book.begin() as connection:
        stored(connection, name, set())
    table = METADATA.tables[name]
    column = table.columns["recorded_at"] if "recorded_at" in table.columns else table.columns["dealer_id"]
    acts = [table.update().values({column: 7}), table.delete()]
    if book.dialect.name == "postgresql":
        acts.append(sa.text(f"TRUNCATE {name} CASCADE"))
    for statement in acts:
        with pytest.raises(sa.exc.DBAPIError, match="insert only"), book.begin() as connection:
            connection.execute(statement)
    with book.connect() as connection:
        assert connection.execute(sa.select(column)).scalar() == 1


def test_every_table_is_of_one_sort():
    assert set(METADATA.tables) == {*INSERT_ONLY, "seal"} | CACHES | OPERATIONAL
    assert not CACHES & OPERATIONAL


def test_what_was_written_before_there_were_seals_waits_for_one(database_url):
    before = [name for name in INSERT_ONLY if name not in SINCE]
    migrating.migrate(database_url, "0002")
    made = migrating.engine(database_url)
    with made.begin() as connection:
        done = set()
        for name in ("member", "store", *before):  # (events had references then)
            stored(connection, name, done)
    made.dispose()
    migrating.migrate(database_url)
    link = database.connect(database_url)
    refs = [ref for (text,) in link.ask("SELECT refs FROM unsealed ORDER BY id").rows() for ref in read_refs(text)]
    link.rollback()
    assert {table for table, _ in refs} == set(before)
    assert len(refs) == len(before)
    count = transact(link, Ids(), lambda link, _: seal(link, 1))
    assert count == len(refs)
    assert list(check(link)) == []
    link.rollback()
    link.close()


def test_replacing_a_row_is_a_deletion_too(sqlite_url):
    migrating.migrate(sqlite_url)
    link = database.connect(sqlite_url)
    link.run("INSERT INTO dealer (id, code, name) VALUES (1, 'd', '')")
    put = "INTO policy_version VALUES (1, 1, 1, ?1, 'h', 'a', 'r', 0, 0)"
    link.run(f"INSERT {put}", "first")
    with pytest.raises(Exception, match="insert only"):
        link.run(f"INSERT OR REPLACE {put}", "second")
    assert link.ask("SELECT text FROM policy_version").rows() == [("first",)]
    link.close()


def test_the_delivery_state_of_an_emission_may_change_but_nothing_else(book):
    with book.begin() as connection:
        stored(connection, "emission", set())
        connection.execute(sa.text("UPDATE emission SET applied = true"))
    with pytest.raises(sa.exc.DBAPIError, match="insert only"), book.begin() as connection:
        connection.execute(sa.text("UPDATE emission SET applied = false, kind = 'other'"))


def test_migrating_twice_changes_nothing(database_url):
    migrating.migrate(database_url)
    migrating.migrate(database_url)
    database.check_ready(database_url)


def test_the_newest_migration_is_the_one_that_this_program_needs():
    config = Config()
    config.set_main_option("script_location", "tierengine:migrations")
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [database.HEAD]
