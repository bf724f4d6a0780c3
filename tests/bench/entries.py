"""A book of very many ledger entries, put in by SQL in minutes: what growth of the book itself is measured on.

One member's history is recorded: three purchases that earn him points, credit by hand five times, a sale that uses it
and earns some more. It comes to ten entries. Every other member gets a copy of each of his rows, with numbers, keys and
codes of his own. While they go in, the secondary indexes are away and references are not checked; every index,
constraint and trigger is in place, and the tables are vacuumed, before anybody asks. (The copies are under no seal:
nobody verifies this book.)
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlmodel import SQLModel

from tests import postgres
from tests.bench.crowd import vacuum
from tests.bench.growth import Counter
from tests.bench.stage import Stage, analyze, make
from tierengine.judging.observations import read_observation
from tierengine.recording.acts import Adjust
from tierengine.recording.items import Command, Observe
from tierengine.recording.recorder import clock
from tierengine.store.database import connect, sqlite_path
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.zone import DAY, SECOND

EACH = 10
BYTES = 4_000  # that an entry takes on disk with all that belongs to it, at the most
TAG = "B1000000000"  # begins what the one member's orders are called; his copies' begin with other numbers
PURCHASES, CREDITS = 3, 5
_NOT_COPIED = {"member", "ledger"}  # they are there
Columns = dict[str, str]  # column → SQL of its value for the n-th copy


def fill(url: str, entries: int) -> Stage:
    """Make the book. Raises where the disk has no room for it."""
    free = shutil.disk_usage(sqlite_path(url).parent if url.startswith("sqlite") else tempfile.gettempdir()).free
    if free < entries * BYTES:
        raise RuntimeError(f"{entries:,} entries take up to {entries * BYTES:,} bytes, {free:,} are free")
    stage = make(url, max(entries // EACH, 1))
    _record(stage)
    link, ids = connect(url), Ids()
    least, most = link.ask("SELECT min(id), max(id) FROM member").rows()[0]
    found, ledger = _rows_of(link, least), _ledger(link, least)
    link.rollback()
    if most - least + 1 != stage.members:
        raise RuntimeError("the members' ids are not in one piece")
    ids.reserve(link, stage.members * sum(len(rows) for _, rows in found))
    copies = _Copies(link.kind, stage, least, ids.take(), found)
    with _unhindered(url, link, tuple(table.name for table, _ in found)):
        for table, rows in found:
            for row in rows:
                _run(link, copies.insert(table, row))
        _run(link, copies.ledgers(ledger))
    link.close()
    link = connect(url)
    vacuum(link)
    link.close()
    analyze(stage)
    return stage


def _record(stage: Stage) -> None:
    """Record what the first member did."""
    counter, member = Counter(stage, tag=TAG), stage.member(0)
    try:
        counter._recorded([_machine(counter, member)])
        for number in range(PURCHASES):
            counter.told(member, (70 - number * 20) * DAY)
        for number in range(CREDITS):
            given = Adjust(f"{TAG}A{number}", "parts_credit", 10_000, "", "bench")
            counter._recorded([Command(counter.dealer, (member,), given)])
        counter.sold(member)
        (entries,) = counter.recorder.link.ask("SELECT count(*) FROM entry").rows()[0]
        counter.recorder.link.rollback()
    finally:
        counter.close()
    if entries != EACH:
        raise RuntimeError(f"{entries} entries, not {EACH}, came of what one member did")


def _machine(counter: Counter, member: str) -> Observe:
    """Return the purchase of a machine that makes him a member, and so earn points from then on."""
    raw = {"kind": "machine_purchase", "member": member, "order": f"{TAG}M", "serial": f"{TAG}M", "size": "medium"}
    at = datetime.fromtimestamp((clock() - 80 * DAY) / SECOND, UTC).isoformat()
    return Observe(
        counter.dealer, read_observation({**raw, "occurred_at": at, "amount": 86_000_000}, **counter._form())
    )


def _rows_of(link: Link, member: int) -> list[tuple[sa.Table, list[dict[str, Any]]]]:
    """Return all that the book has of a member, table by table, parents first."""
    found = []
    for table in SQLModel.metadata.sorted_tables:
        if "member_id" in table.columns and table.name not in _NOT_COPIED:
            names = [column.name for column in table.columns]
            listed = ", ".join(f'"{name}"' for name in names)
            rows = link.ask(f"SELECT {listed} FROM {table.name} WHERE member_id = ?1", member).rows()
            found += [(table, [dict(zip(names, row, strict=True)) for row in rows])] if rows else []
    return found


def _ledger(link: Link, member: int) -> tuple[sa.Table, dict[str, Any]]:
    table = SQLModel.metadata.tables["ledger"]
    names = [one.name for one in table.columns if one.name not in ("member_id", "dealer_id", "joined_id")]
    row = link.ask(f"SELECT {', '.join(names)} FROM ledger WHERE member_id = ?1", member).rows()[0]
    return table, dict(zip(names, row, strict=True))


class _Copies:
    """Statements that put in the copies of a row: one for each member but the first."""

    def __init__(
        self, kind: str, stage: Stage, member: int, first: int, found: list[tuple[sa.Table, list[dict[str, Any]]]]
    ) -> None:
        self._kind, self._code, self._member, self._members = kind, stage.member(0), member, stage.members
        ids = [row["id"] for table, rows in found for row in rows if "id" in row]
        # Each row's copies have a stretch of ids of their own.
        self._first = {one: first + place * stage.members for place, one in enumerate(ids)}

    def insert(self, table: sa.Table, row: dict[str, Any]) -> str:
        columns = {name: self._value(table.columns[name], value, "n") for name, value in row.items()}
        names = ", ".join(f'"{name}"' for name in columns)
        into, values = f"INSERT INTO {table.name} ({names})", ", ".join(columns.values())
        most = self._members - 1
        if self._kind == "sqlite":
            up = f"WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < {most})"
            return f"{into} {up} SELECT {values} FROM up WHERE n <= {most}"
        return f"{into} SELECT {values} FROM generate_series(1::bigint, {most}) AS up (n)"

    def ledgers(self, told: tuple[sa.Table, dict[str, Any]]) -> str:
        table, row = told
        place = f"(member_id - {self._member})"
        sets = ", ".join(f"{name} = {self._value(table.columns[name], value, place)}" for name, value in row.items())
        return f"UPDATE ledger SET {sets} WHERE member_id > {self._member}"

    def _value(self, column: sa.Column[Any], value: Any, n: str) -> str:
        if value is None:
            return "NULL"
        if column.name == "member_id":
            return f"{self._member} + {n}"
        if isinstance(value, int):
            if value in self._first and (column.name == "id" or column.name.endswith("_id")):
                return f"{self._first[value]} + {n}"
            return str(value)  # (True is PostgreSQL's word too)
        if isinstance(column.type, sa.JSON):
            text = self._text(value if isinstance(value, str) else orjson.dumps(value).decode(), n)
            return text if self._kind == "sqlite" else f"({text})::jsonb"
        return self._text(str(value), n)

    def _text(self, value: str, n: str) -> str:
        text = "'" + value.replace("'", "''") + "'"
        text = text.replace(TAG, f"' || 'B' || (1000000000 + {n}) || '")
        return text.replace(self._code, f"' || 'M' || substr(CAST(10000000 + {n} AS text), 2) || '")


@contextmanager
def _unhindered(url: str, link: Link, tables: tuple[str, ...]) -> Iterator[None]:
    """Take the secondary indexes of these tables away, and make them again at the end, as they were."""
    before, after = (_of_sqlite if link.kind == "sqlite" else _of_postgresql)(link, tables)
    _seldom_checkpoint(url, "SET max_wal_size = '8GB'")
    for sql in before:
        _run(link, sql)
    yield
    for sql in after:
        _run(link, sql)
    _seldom_checkpoint(url, "RESET max_wal_size")


def _seldom_checkpoint(url: str, how: str) -> None:
    if url.startswith("postgresql"):
        with postgres.connect(url) as admin:
            admin.execute(f"ALTER SYSTEM {how}".encode())
            admin.execute("SELECT pg_reload_conf()")


def _run(link: Link, sql: str) -> None:
    """Run a statement that is sent once, as the driver does; what the link had prepared is gone then."""
    raw: Any = link.raw  # type: ignore[attr-defined]
    raw.execute(sql)
    if link.kind == "postgresql":
        raw.commit()


def _of_sqlite(link: Link, tables: tuple[str, ...]) -> tuple[list[str], list[str]]:
    raw: Any = link.raw  # type: ignore[attr-defined]
    found = raw.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
        f"AND tbl_name IN ({_listed(tables)})"
    ).fetchall()
    # Nothing of this book is worth a journal before it is done.
    before = ["foreign_keys = OFF", "journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"]
    after = ["journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"]
    return (
        [*(f"PRAGMA {one}" for one in before), *(f"DROP INDEX {name}" for name, _ in found)],
        [*(sql for _, sql in found), *(f"PRAGMA {one}" for one in after)],
    )


def _of_postgresql(link: Link, tables: tuple[str, ...]) -> tuple[list[str], list[str]]:
    raw: Any = link.raw  # type: ignore[attr-defined]
    unique = raw.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        f"WHERE contype = 'u' AND conrelid::regclass::text IN ({_listed(tables)})"
    ).fetchall()
    plain = raw.execute(
        f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({_listed(tables)}) "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint)"
    ).fetchall()
    return (
        [
            *(f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name, _ in unique),
            *(f"DROP INDEX {name}" for name, _ in plain),
            "SET session_replication_role = replica",
            "SET maintenance_work_mem = '1GB'",
        ],
        [
            *(definition for _, definition in plain),
            *(f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}" for table, name, text in unique),
            "RESET session_replication_role",
        ],
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{one}'" for one in names)
