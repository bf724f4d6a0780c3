"""A book of very many ledger entries, put in by SQL in minutes: what growth of the book itself is measured on.

Every member has ten entries: five grants of 100 yuan, of each of which 60 were used, with the events, contributions,
decisions, postings, lots and uses that belong to them. While rows go in, the secondary indexes are away and references
are not checked; every index, constraint and trigger is in place, and the tables are vacuumed, before anybody asks.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench.crowd import vacuum
from tests.bench.stage import Stage, analyze, make
from tierengine.recording.recorder import clock
from tierengine.store.database import connect, sqlite_path
from tierengine.store.dialect import Link, either
from tierengine.store.ids import Ids
from tierengine.zone import DAY

EACH = 10
PAIRS = EACH // 2
GRANTED, USED = 10_000, 6_000
BYTES = 2_500  # that an entry takes on disk with all that belongs to it, at the most
_FIELDS = '{"category": "parts", "cash": 36000, "item": "FILTER-01", "list": 36000}'


def fill(url: str, entries: int) -> Stage:
    """Make the book. Raises where the disk has no room for it."""
    free = shutil.disk_usage(sqlite_path(url).parent if url.startswith("sqlite") else tempfile.gettempdir()).free
    if free < entries * BYTES:
        raise RuntimeError(f"{entries:,} entries take up to {entries * BYTES:,} bytes, {free:,} are free")
    stage = make(url, max(entries // EACH, 1))
    link = connect(url)
    ids = Ids()
    ids.reserve(link, stage.members * EACH * 10)
    first, now = ids.take(), clock()
    dealer, version = link.ask("SELECT dealer_id, id FROM policy_version").rows()[0]
    least, most = link.ask("SELECT min(id), max(id) FROM member").rows()[0]
    house = dict(link.ask("SELECT kind, id FROM account WHERE wallet = 'parts_credit' AND member_id IS NULL").rows())
    link.rollback()
    if most - least + 1 != stage.members:
        raise RuntimeError("the members' ids are not in one piece")
    rows = _rows(stage.members * PAIRS, least, first, dealer, version, house, now)
    with _unhindered(link, tuple(dict.fromkeys(table for table, *_ in rows))):
        for table, count, columns in rows:
            link.begin()
            link.run(_insert(table, count, columns))
            link.commit()
        link.begin()
        link.run("UPDATE ledger SET entry_no = ?1", EACH)
        link.commit()
    vacuum(link)
    link.close()
    analyze(stage)
    return stage


Columns = dict[str, str]  # column → SQL of its value for the n-th grant and its use


def _rows(
    pairs: int, members: int, first: int, dealer: int, version: int, house: dict[str, int], now: int
) -> list[tuple[str, int, Columns]]:
    event, contribution, decision, lot, lot_use, account, entry, posting = (
        first + pairs * 2 * number for number in range(8)
    )
    mine = {"dealer_id": str(dealer), "member_id": f"{members} + n / {PAIRS}"}
    cluster = "'order:S01:B' || (1000000000 + n)"
    key = f"{cluster} || ':parts_purchase'"
    at = f"{now - 310 * DAY} + (n % {PAIRS}) * {60 * DAY} + n / {PAIRS} % 1000"
    place = {"known_at": at, "known_class": "3", "known_key": key}
    number = f"(n % {PAIRS}) * 2"
    credit = {"wallet": "'parts_credit'"}
    known: Columns = {"event_key": key, "rule": "'r'"}
    balance = f"{entry} + n * 2"
    return [
        ("account", pairs // PAIRS, {
            "id": f"{account} + n", "dealer_id": str(dealer), "member_id": f"{members} + n", **credit,
            "kind": "'available'", "unit": "'CNY'", "balance": str((GRANTED - USED) * PAIRS),
        }),
        ("event", pairs, {
            "id": f"{event} + n", **mine, "key": key, "revision": "0", "cluster": cluster, "kind": "'parts_purchase'",
            "occurred_at": at, "recorded_at": at, "source": "'till'", "source_id": "''",
            "body": """'{"amount": 36000, "lines": []}'""", "hash": "'h'",
        }),
        ("contribution", pairs, {
            "id": f"{contribution} + n", **mine, "event_id": f"{event} + n", "kind": "'parts_purchase'",
            "line": f"{key} || '#0'", "at": at, **place, "cause": "'parts_purchase'", "qty": "1", "amount": "36000",
            "fields": f"'{_FIELDS}'",
        }),
        ("decision", pairs, {
            "id": f"{decision} + n", **mine, **known, "version_id": str(version), "step_at": at, "step_class": "3",
            "step_key": key, "kind": "'grant'", **credit, "wanted": str(GRANTED), "usable_from": "0",
            "recorded_at": at, "basis": "'{}'",
        }),
        ("entry", pairs, {
            "id": balance, **mine, "number": f"{number} + 1", "kind": "'grant'", **credit, **known,
            "delta": str(GRANTED), "cause_key": key, "decision_id": f"{decision} + n", "recorded_at": at,
        }),
        ("entry", pairs, {
            "id": f"{balance} + 1", **mine, "number": f"{number} + 2", "kind": "'use'", **credit,
            "event_key": "'order:S01:U' || (1000000000 + n)", "rule": "''", "delta": str(-USED),
            "cause_key": "'till:x'", "recorded_at": at,
        }),
        ("posting", pairs, {
            "id": f"{posting} + n * 2", **mine, "entry_id": balance, "source_id": str(house["grants"]),
            "destination_id": f"{account} + n / {PAIRS}", "amount": str(GRANTED),
        }),
        ("posting", pairs, {
            "id": f"{posting} + n * 2 + 1", **mine, "entry_id": f"{balance} + 1",
            "source_id": f"{account} + n / {PAIRS}", "destination_id": str(house["uses"]), "amount": str(USED),
        }),
        ("lot", pairs, {
            "id": f"{lot} + n", **mine, **credit, "entry_id": balance, **known, "amount": str(GRANTED),
            "usable_from": "0",
        }),
        ("lot_use", pairs, {
            "id": f"{lot_use} + n", **mine, "lot_id": f"{lot} + n", "entry_id": f"{balance} + 1", "amount": str(USED),
        }),
        ("lot_state", pairs, {"lot_id": f"{lot} + n", **mine, "remaining": str(GRANTED - USED)}),
    ]  # fmt: skip


def _insert(table: str, count: int, columns: Columns) -> str:
    into, values = f"INSERT INTO {table} ({', '.join(columns)})", ", ".join(columns.values())
    return either(
        f"{into} WITH RECURSIVE up (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM up WHERE n < {count - 1}) "
        f"SELECT {values} FROM up",
        f"{into} SELECT {values} FROM generate_series(0::bigint, {count - 1}) AS up (n)",
    )


@contextmanager
def _unhindered(link: Link, tables: tuple[str, ...]) -> Iterator[None]:
    """Take the secondary indexes of these tables away, and make them again at the end, as they were."""
    raw: Any = link.raw  # type: ignore[attr-defined]
    before, after = (_of_sqlite if link.kind == "sqlite" else _of_postgresql)(raw, tables)
    for sql in before:
        raw.execute(sql)
    if link.kind == "postgresql":
        raw.commit()
    yield
    for sql in after:
        raw.execute(sql)
    if link.kind == "postgresql":
        raw.commit()


def _of_sqlite(raw: Any, tables: tuple[str, ...]) -> tuple[list[str], list[str]]:
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


def _of_postgresql(raw: Any, tables: tuple[str, ...]) -> tuple[list[str], list[str]]:
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
