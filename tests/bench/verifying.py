"""`verify` of a large sealed book, on two connections, against reading its rows once on one of them.

The rows are made up and put in with COPY (SQLite: one prepared statement a table): every second entry grants 100 yuan
for an event, the next one uses 60 of them. They keep every invariant, so that verify has to look at all of them.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from tests.bench.processor import server_of, spent
from tests.bench.stage import analyze, copy, make
from tierengine.ledger.sealed import sealed_tables
from tierengine.ledger.sealing import seal
from tierengine.ledger.verify import verify
from tierengine.store.database import connect
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.store.rows import LISTED, Table
from tierengine.store.snapshots import reader, snapshot

AT = 1_780_000_000_000_000
WALLET = "parts_credit"
EACH = 100  # entries a member
GRANTED, USED = 10_000, 6_000
TABLES = {
    table.name: table
    for table in map(
        Table, ("event", "contribution", "decision", "account", "entry", "posting", "lot", "lot_use", "lot_state")
    )
}
_UNSEALED = Table("unsealed", made=("id",))


@dataclass(frozen=True)
class Measured:
    """One book: reading every sealed row once, and all of verify, each in seconds and in seconds of processors."""

    entries: int
    rows: int
    reading: float
    verifying: float
    reading_processor: float
    verifying_processor: float


def measure(url: str, entries: int, runs: int = 3) -> list[Measured]:
    """Make a book of so many entries, seal it, and measure in turn."""
    fill(url, entries)
    return measured(url, entries, runs)


def measured(url: str, entries: int, runs: int) -> list[Measured]:
    """Measure a book that is there, in turn."""
    found = []
    for _ in range(runs):
        link, beside = reader(url), reader(url)
        server = server_of(link)
        with snapshot(link), snapshot(beside):
            start = spent(server)
            rows, reading = _read(link)
            middle, began = spent(server), time.perf_counter()
            broken = verify(link, (), beside)
            verifying = time.perf_counter() - began
            end = spent(server)
        link.close()
        beside.close()
        if broken:
            raise RuntimeError(f"the made-up book is broken: {broken}")
        found.append(Measured(entries, rows, reading, verifying, middle - start, end - middle))
    return found


def _read(link: Link) -> tuple[int, float]:
    """Read every row of the sealed tables once, a table at a time, in pages; return how many, and the seconds."""
    began, count = time.perf_counter(), 0
    for name, table in sealed_tables().items():
        if "id" not in table.columns:
            continue
        columns, last = ", ".join(f'"{one}"' for one in table.columns), 0
        place = table.columns.index("id")
        while rows := link.ask(f"SELECT {columns} FROM {name} WHERE id > ?1 ORDER BY id LIMIT 20000", last).rows():
            count += len(rows)
            last = rows[-1][place]
    return count, time.perf_counter() - began


def fill(url: str, entries: int) -> None:
    """Make the book: members, accounts, entries with all that belongs to them, and the chain over it."""
    stage = make(url, max(entries // EACH, 1))
    link, ids = connect(url), Ids()
    ids.reserve(link, entries * 6 + stage.members + 1_000)
    number = itertools.count(ids.take())
    dealer, version = link.ask("SELECT dealer_id, id FROM policy_version").rows()[0]
    members = [row[0] for row in link.ask("SELECT id FROM member ORDER BY id").rows()]
    house = dict(link.ask("SELECT kind, id FROM account WHERE wallet = 'parts_credit'").rows())
    link.rollback()
    for first in range(0, len(members), 200):
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
        for member in members[first : first + 200]:
            _member(rows, dealer, member, version, house, number)
        link.begin()
        for name, made in rows.items():
            copy(link, TABLES[name], made)
        copy(link, _UNSEALED, _lists(dealer, rows))
        link.run("UPDATE ledger SET entry_no = ?1 WHERE member_id IN (?2*)", EACH, members[first : first + 200])
        link.commit()
    while transact(link, ids, lambda link, _: seal(link, AT, wait=True, most=20_000)):
        pass
    link.close()
    analyze(stage)


def _member(
    rows: dict[str, list[tuple[Any, ...]]],
    dealer: int,
    member: int,
    version: int,
    house: dict[str, int],
    number: Iterator[int],
) -> None:
    account = next(number)
    balance = (GRANTED - USED) * (EACH // 2)
    rows["account"].append((account, dealer, member, WALLET, "available", "CNY", balance))
    for place in range(0, EACH, 2):
        at, key = AT + place * 1_000_000, f"order:S01:{member}-{place}:parts_purchase"
        event, decision, grant, use, lot = (next(number) for _ in range(5))
        rows["event"].append(
            (event, dealer, member, None, key, 0, key, "parts_purchase", at, at, "till", "", '{"amount":1}', "h")
        )
        rows["contribution"].append(
            (next(number), dealer, member, event, "parts_purchase", key, at, at, 3, key, "parts_purchase", 1, 1, "{}")
        )
        rows["decision"].append(
            (decision, dealer, member, key, "r", version, at, 3, key, "grant", WALLET, GRANTED, 0, None, at, "{}")
        )
        told = (key, "r", GRANTED, key, decision, None, at)
        rows["entry"].append((grant, dealer, member, place + 1, "grant", WALLET, *told))
        rows["entry"].append(
            (use, dealer, member, place + 2, "use", WALLET, f"order:S01:U{use}", "", -USED, "till:x", None, None, at)
        )
        rows["posting"].append((next(number), dealer, member, grant, house["grants"], account, GRANTED))
        rows["posting"].append((next(number), dealer, member, use, account, house["uses"], USED))
        rows["lot"].append((lot, dealer, member, WALLET, grant, key, "r", GRANTED, 0, None))
        rows["lot_use"].append((next(number), dealer, member, lot, use, USED))
        rows["lot_state"].append((lot, dealer, member, GRANTED - USED))


def _lists(dealer: int, rows: dict[str, list[tuple[Any, ...]]]) -> Iterable[tuple[Any, ...]]:
    for name, made in rows.items():
        if TABLES[name].insert_only:
            for first in range(0, len(made), LISTED):
                refs = {name: [row[0] for row in made[first : first + LISTED]]}
                yield (dealer, orjson.dumps(refs).decode())
