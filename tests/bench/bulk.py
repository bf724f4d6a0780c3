"""What a batch books against putting the very same rows into the very same tables, by COPY or one prepared statement.

The rows are those that the batches left, table by table, each in one piece and one transaction: a copy of the book as
it was before takes them, with its keys, indexes and triggers. Rows that a batch changed, and seals, are left out of
the floor, which makes it quicker.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import time
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg

from tests import postgres
from tests.bench.stage import Stage, now_text, service
from tierengine.store.database import connect, sqlite_path
from tierengine.store.tables import METADATA

OURS = "api.app:serving"
EVENTS = 1_000
# The service's own, and what follows a batch by itself.
_NOT = {"seal", "unsealed", "id_block", "api_key", "alembic_version"}


@dataclass(frozen=True)
class Bulk:
    """Seconds for each batch of `EVENTS` events, but the first; rows of all batches, and seconds for these rows."""

    batches: list[float]
    rows: int
    floor: float

    @property
    def ratio(self) -> float:
        """Return how many times as quick as the floor."""
        return self.floor / (len(self.batches) + 1) / statistics.median(self.batches)


def before(url: str, base: str = "") -> str:
    """Return a copy of a book to which nobody is connected."""
    if not base:
        path = sqlite_path(url)
        with closing(sqlite3.connect(path)) as book:  # (a copy of the file would lack what its log still holds)
            book.execute("VACUUM INTO ?", (f"{path}.before",))
        return f"sqlite:///{path}.before"
    return postgres.create(base, url.partition("?")[0].rpartition("/")[2])


def enroll(stage: Stage) -> None:
    """Let every customer buy a machine, by which he becomes a member: what he buys from now on earns points."""
    with service(OURS, {"TIERENGINE_DATABASE_URL": stage.url}) as port:
        for first in range(0, stage.members, EVENTS):
            some = range(first, min(first + EVENTS, stage.members))
            _sent(port, stage, f"enroll-{first}", [_machine(stage, number) for number in some])


def batches(stage: Stage, copied: str, count: int, events: int = EVENTS) -> Bulk:
    """Send so many batches of sales settled elsewhere, and put their rows into the copy."""
    took = []
    with service(OURS, {"TIERENGINE_DATABASE_URL": stage.url}) as port:
        for turn in range(count):
            some = [_event(stage, turn * events + number) for number in range(events)]
            took.append(_sent(port, stage, f"bulk-{turn}", some))
    rows, seconds = floor(stage.url, copied)
    return Bulk(took[1:], rows, seconds)


def _sent(port: int, stage: Stage, key: str, events: list[dict[str, Any]]) -> float:
    """Send one batch, see that all of it is recorded, and return the seconds it took."""
    body = json.dumps({"events": events})
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/events:batch", body.encode(), method="POST",
        headers={"Authorization": f"Bearer {stage.key}", "Content-Type": "application/json", "Idempotency-Key": key},
    )  # fmt: skip
    begun = time.perf_counter()
    with urllib.request.urlopen(asked, timeout=600) as answer:  # noqa: S310
        told = json.load(answer)
    took = time.perf_counter() - begun
    wrong = [one for one in told["results"] if one["status"] not in (200, 201)]
    if wrong:
        raise RuntimeError(f"batch {key}: {wrong[0]}")
    return took


def _machine(stage: Stage, number: int) -> dict[str, Any]:
    return {
        "kind": "machine_purchase", "member": stage.member(number), "order": f"MB{number}", "serial": f"SN{number}",
        "size": "medium", "amount": 86_000_000, "occurred_at": now_text(-3_600_000),
    }  # fmt: skip


def _event(stage: Stage, number: int) -> dict[str, Any]:
    return {
        "kind": "parts_purchase", "member": stage.member(number * 7919), "order": f"B{number}",
        "occurred_at": now_text(number % 1_000),
        "lines": [
            {"item": "FILTER-01", "category": "parts", "qty": 2, "amount": 36_000},
            {"item": "OIL-15W40", "category": "lubricant", "qty": 1, "amount": 58_000},
        ],
    }  # fmt: skip


def floor(after: str, copied: str) -> tuple[int, float]:
    """Put the rows that `after` has more than `copied` into the latter; return how many, and the seconds it took."""
    return _copied(after, copied) if after.startswith("postgresql") else _inserted(after, copied)


def _copied(after: str, copied: str) -> tuple[int, float]:
    held: list[tuple[str, list[bytes]]] = []
    rows = 0
    with _raw(after) as source, _raw(copied) as target:
        for name in _grown(source, target):
            many, few = (_lines(one, name) for one in (source, target))
            held.append((name, [line for line in many if line not in few]))
            rows += len(held[-1][1])
        begun = time.perf_counter()
        for name, found in held:
            with target.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN".encode()) as into:
                for one in found:
                    into.write(one)
        target.commit()
        return rows, time.perf_counter() - begun


def _lines(link: psycopg.Connection[Any], table: str) -> dict[bytes, None]:
    """Return a table's rows as COPY writes them, in their order."""
    with link.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT".encode()) as out:
        return dict.fromkeys(bytes(one) for one in out)


def _inserted(after: str, copied: str) -> tuple[int, float]:
    source, target = (connect(url).cursor() for url in (after, copied))
    held = []
    for name in _grown(source, target):
        many, few = (one.execute(f"SELECT * FROM {name}").fetchall() for one in (source, target))
        known = set(few)
        found = [row for row in many if row not in known]
        held.append((f"INSERT INTO {name} VALUES ({', '.join('?' * len(found[0]))})", found))
    begun = time.perf_counter()
    target.execute("BEGIN IMMEDIATE")
    for sql, found in held:
        target.executemany(sql, found)
    target.execute("COMMIT")
    seconds = time.perf_counter() - begun
    for one in (source, target):
        one.connection.close()
    return sum(len(found) for _, found in held), seconds


def _grown(source: Any, target: Any) -> list[str]:
    """Return the tables that have more rows in the one than in the other, parents first."""
    found = []
    for table in METADATA.sorted_tables:
        many, few = (one.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0] for one in (source, target))
        if many > few and table.name not in _NOT:
            found.append(table.name)
    return found


def _raw(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect("postgresql://" + url.partition("://")[2])
