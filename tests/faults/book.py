"""Books for fault runs, the numbered orders that go into them, and the count of what the book says happened.

Write N is the same wherever and however often it is sent: its member, its instant, its amount and what it earns follow
from N alone. So the book can be held against the numbers that were sent, without a list of what was in each. One in
four is an order that earns points, one in sixteen pays part of it with credit; the others are contacts.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from tests import postgres
from tests.keys import new_key
from tierengine.judging.history import Observation
from tierengine.judging.observations import read_observation
from tierengine.ledger.verify import verify
from tierengine.membership.people import NewMember, create_dealer, create_members, create_store
from tierengine.policies.versions import publish
from tierengine.recording.items import Item, Observe, Once, Sale
from tierengine.recording.recorder import Recorder, clock
from tierengine.store.database import connect
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.store.migrating import migrate
from tierengine.store.snapshots import reader, snapshot

POLICY = (Path(__file__).parents[1] / "policies" / "faults.yaml").read_text(encoding="utf-8")
ZONE = ZoneInfo("Asia/Shanghai")
BLOCK = 1_000  # fen of an order's amount that earn one point
CREDIT = 100  # fen of credit that some orders pay with
MACHINE = "machine_purchase"
GIVEN = 100_000  # fen of credit that each member has from the start
DAYS = 20  # how long ago the orders begin
WITH_KEY = 8  # one in eight carries an idempotency key
BACK = 1 << 30
NUMBERS = count()


@dataclass(frozen=True)
class Book:
    """A book at `url`, with members who have credit, and the key of a till. `begin` in microseconds UTC."""

    url: str
    dealer: int
    key: str
    members: int
    begin: int

    @property
    def kind(self) -> str:
        return self.url.partition(":")[0].partition("+")[0]

    def member(self, number: int) -> str:
        return f"M{number % self.members:05d}"

    def instant(self, number: int) -> str:
        return (datetime.fromtimestamp(self.begin / 1e6, UTC) + timedelta(milliseconds=10 * number)).isoformat()

    def observation(self, raw: dict[str, Any], source: str = "till") -> Observation:
        return read_observation(
            raw, source=source, store="S1", now_us=clock() + 10**15, zone=ZONE, late_days=None, currency="CNY"
        )

    def raw(self, number: int) -> dict[str, Any]:
        """Return write N as a till would say it; BACK + N is the return of order N."""
        if number >= BACK:
            order = number - BACK
            said = {"kind": "sale_returned", "order": f"F{order}", "source_id": f"R{order}"}
            return {**said, "occurred_at": self.instant(order + 1_000)}
        said = {"occurred_at": self.instant(number), "member": self.member(number)}
        if not is_order(number):
            return {
                **said,
                "kind": "contact",
                "channel": "phone",
                "direction": "customer",
                "status": "accepted",
                "source_id": f"F{number}",
            }
        line = {"item": "filter", "category": "parts", "qty": 1, "amount": amount(number)}
        if pays_with_credit(number):
            line["credit"] = CREDIT
        return {**said, "kind": "parts_purchase", "order": f"F{number}", "lines": [line]}

    def item(self, number: int) -> Item:
        """Return write N as what a writer takes."""
        said = self.observation(self.raw(number))
        if pays_with_credit(number):
            return Sale(self.dealer, (said,), {"credit": CREDIT}, brief=True)
        once = Once("faults", f"F{number}", f"{number:064x}") if number % WITH_KEY == 0 else None
        return Observe(self.dealer, said, once, brief=True)


def is_order(number: int) -> bool:
    return number % 4 == 1


def pays_with_credit(number: int) -> bool:
    return number % 16 == 5


def amount(number: int) -> int:
    """Return what order N costs, in fen."""
    return BLOCK * (1 + number % 7) if is_order(number) else 0


def uses(number: int) -> int:
    """Return the credit that write N takes, in fen."""
    return CREDIT if pays_with_credit(number) else 0


def earns(number: int) -> int:
    """Return the points that write N brings, from the cash that was paid."""
    return max(0, amount(number) - uses(number)) // BLOCK


# ---- making ----------------------------------------------------------------------------------------------------


def fill(url: str, members: int, policy: str = POLICY) -> Book:
    """Migrate an empty database, publish the policy, and put members with credit on file."""
    migrate(url)
    link = connect(url)
    now = clock()
    ids = Ids()

    def found(link: Link, ids: Ids) -> tuple[int, str]:
        dealer = create_dealer(link, ids, "faults", "Faults")
        store = create_store(link, ids, dealer, "S1", "Store")
        publish(link, ids, dealer, policy, author="a", reason="r", effective_from=0, now=now)
        return dealer, new_key(link, ids, dealer, "pos", now, store)

    dealer, key = transact(link, ids, found)
    book = Book(url, dealer, key, members, now - DAYS * 86_400_000_000)
    new = [NewMember(book.member(number)) for number in range(members)]
    transact(link, ids, lambda link, ids: create_members(link, ids, dealer, new, now))
    recorder = Recorder(link)
    machines = [
        book.observation(
            {
                "kind": MACHINE,
                "occurred_at": book.instant(0),
                "member": code.code,
                "order": f"X{code.code}",
                "amount": 30_000_000,
                "serial": f"X-{code.code}",
                "used": False,
            }
        )
        for code in new
    ]
    for first in range(0, members, 500):
        recorder.record([Observe(dealer, one, brief=True) for one in machines[first : first + 500]])
    link.close()
    return book


@dataclass
class Shelf:
    """Makes fresh books quickly: one is filled for each kind of database, the others are copies of it."""

    folder: Path
    members: int
    base: str = ""  # of a PostgreSQL server; "": books are SQLite files
    policy: str = POLICY
    _first: Book | None = None

    @property
    def kind(self) -> str:
        return "postgresql" if self.base else "sqlite"

    @contextmanager
    def book(self) -> Iterator[Book]:
        """A fresh book for as long as the block lasts."""
        if self._first is None:
            self._first = fill(
                postgres.create(self.base) if self.base else f"sqlite:///{self.folder / f'first{next(NUMBERS)}.db'}",
                self.members,
                self.policy,
            )
        first = self._first
        if self.base:
            url = _copied(self.base, postgres.urlsplit(first.url).path.removeprefix("/"))
            yield Book(url, first.dealer, first.key, first.members, first.begin)
            with suppress(psycopg.OperationalError):  # its server may be dead by now
                postgres.drop(url)
            return
        path = self.folder / f"book{next(NUMBERS)}.db"
        with closing(sqlite3.connect(first.url.removeprefix("sqlite:///"))) as link:
            link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(first.url.removeprefix("sqlite:///"), path)
        yield Book(f"sqlite:///{path}", first.dealer, first.key, first.members, first.begin)
        for one in self.folder.glob(f"{path.name}*"):
            one.unlink()


def _copied(base: str, template: str) -> str:
    """Return the URL of a copy; by the log and not by files, which would wait for two checkpoints on a durable disk."""
    name = f"tierengine_fault_{next(NUMBERS)}"
    with postgres.connect(base) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    return postgres.database_of(base, name)


# ---- counting --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What a book says of the writes: how often each is there, and what of it is wrong, in a sentence each."""

    writes: Counter[int]
    wrong: tuple[str, ...] = ()
    doubled: frozenset[int] = frozenset()

    def lost(self, acknowledged: Collection[int]) -> set[int]:
        """Return which of these writes are not there."""
        return {number for number in acknowledged if number not in self.writes}


def counted(book: Book, *, invariants: bool = True) -> Found:
    """Count a book: writes, what they contributed, points, credit, and every invariant of `verify`."""
    link, beside = reader(book.url), reader(book.url)
    try:
        with snapshot(link), snapshot(beside):
            return _read(link, beside, invariants=invariants)
    finally:
        link.close()
        beside.close()


def _read(link: Link, beside: Link, *, invariants: bool) -> Found:
    writes = Counter(_number(row[0]) for row in link.ask("SELECT key FROM event WHERE kind <> ?1", MACHINE).rows())
    doubled = {number for number, times in writes.items() if times != 1}
    wrong = []
    lines = _sums(
        link,
        "SELECT e.key, 1 FROM contribution c JOIN event e ON e.id = c.event_id WHERE e.kind <> ?1",
        MACHINE,
    )
    points = _sums(link, "SELECT event_key, delta FROM entry WHERE rule = ?1", "parts_points")
    credit = _sums(link, "SELECT event_key, delta FROM entry WHERE kind = ?1", "use")
    for number in writes:
        wanted = (1, earns(number), -uses(number))
        there = (lines.pop(number, 0), points.pop(number, 0), credit.pop(number, 0))
        if there != wanted:
            wrong.append(f"write F{number}: (lines, points, credit) are {there}, expected {wanted}")
            if any(abs(one) > abs(other) for one, other in zip(there, wanted, strict=True)):
                doubled.add(number)
    wrong += [f"write F{number} has effects and no event" for number in {*lines, *points, *credit}]
    if invariants:
        wrong += [f"{one.invariant.code}: {one.count}, {one.rows[:1]}" for one in verify(link, beside=beside)]
    return Found(writes, tuple(wrong), frozenset(doubled))


def _number(text: str) -> int:
    for part in text.split(":"):
        if part[:1] == "F" and part[1:].isdigit():
            return int(part[1:])
    return -1


def _sums(link: Link, sql: str, *values: str) -> dict[int, int]:
    found: Counter[int] = Counter()
    for key, change in link.ask(sql, *values).rows():
        found[_number(key)] += int(change)
    return dict(found)
