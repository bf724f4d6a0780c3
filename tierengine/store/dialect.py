"""One SQL text for both databases, on raw cursors: no ORM and no statement built per row on the path of a sale.

SQL here is written in SQLite's numbered style: `?1` is a value, `?1*` a list (`member_id IN (?1*)`). SQLite receives a
list as one JSON text and opens it with json_each; PostgreSQL receives an array (`= ANY($1)`). Either way the text is
the same however long the list, so that both databases keep the statement prepared. Texts are translated once.

On PostgreSQL `ask` only queues inside `with link.pipeline():`, and the whole block is one round trip.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, Literal, Protocol

import orjson
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.json import set_json_loads
from psycopg.types.numeric import Int8Dumper

from tierengine.store.rows import Row, Table, stored, with_unsealed
from tierengine.store.wire import Wire

DatabaseKind = Literal["sqlite", "postgresql"]
# So few rows are quicker sent one by one, in one round trip, than as documents that PostgreSQL must take apart.
FEW_ROWS: Final = 8

_OR: Final = "\n-- or, on PostgreSQL:\n"
_LIST = re.compile(r"\bIN \(\?(\d+)\*\)")
_VALUE = re.compile(r"\?(\d+)")
_PLACED = re.compile(r"\$(\d+)")
# SQLite locks the whole file by BEGIN IMMEDIATE and has no word for a row.
_LOCK = re.compile(r"\s+FOR (NO KEY )?UPDATE( OF \w+)?( SKIP LOCKED)?\b")


def either(sqlite: str, postgresql: str) -> str:
    """Return one text for a statement that the two databases need in different words."""
    return sqlite + _OR + postgresql


@cache
def translate(sql: str, kind: DatabaseKind) -> tuple[str, frozenset[int]]:
    """Return the text as the driver of `kind` takes it, and which parameters (from 0) are lists."""
    first, _, second = sql.partition(_OR)
    sql = second if second and kind == "postgresql" else first
    lists = frozenset(int(found) - 1 for found in _LIST.findall(sql))
    if kind == "sqlite":
        return _LOCK.sub("", _LIST.sub(r"IN (SELECT value FROM json_each(?\1))", sql)), lists
    return _VALUE.sub(r"$\1", _LIST.sub(r"= ANY(?\1)", sql)), lists


@cache
def _gathered(texts: tuple[str, ...]) -> str:
    """Return one statement of PostgreSQL that answers several: each part is one JSON value, a list of rows."""
    parts, before = [], 0
    for sql in texts:
        text = translate(sql, "postgresql")[0]
        shifted = _PLACED.sub(lambda found, shift=before: f"${int(found[1]) + shift}", text)  # type: ignore[misc]
        before += max((int(number) for number in _PLACED.findall(text)), default=0)
        parts.append(f"(SELECT json_agg(part) FROM ({shifted}) AS part)")
    return "SELECT " + ", ".join(parts)


def binary(value: Any) -> bytes:
    """Return the content of a binary column, also where it came inside JSON."""
    return bytes.fromhex(value[2:]) if isinstance(value, str) else bytes(value)


def doc(value: Any) -> Any:
    """Return the content of a JSON column: SQLite hands it over as text, PostgreSQL as values."""
    return orjson.loads(value) if isinstance(value, (str, bytes)) else value


class Answer(Protocol):
    """What was asked and will be known when it is read."""

    def rows(self) -> list[Row]:
        """Return all rows; inside a pipeline this waits for the server."""
        ...


class _Known:
    """An answer that is already here."""

    __slots__ = ("_rows",)

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def rows(self) -> list[Row]:
        return self._rows


Gathered = Callable[[], list[list[Row]]]
"""Returns the rows of each query that was asked; inside a pipeline this waits for the server."""


class Link(Protocol):
    """One connection to the book, used by one thread at a time. Nothing is committed but by `commit`."""

    kind: DatabaseKind

    def begin(self) -> None:
        """Start a transaction that may write (SQLite: BEGIN IMMEDIATE)."""
        ...

    def commit(self) -> None:
        """Make everything since `begin` durable; inside a pipeline, by its end."""
        ...

    def rollback(self) -> None:
        """Undo everything since `begin`; harmless when nothing was begun or the connection is gone."""
        ...

    def ask(self, sql: str, *values: Any) -> Answer:
        """Run a query; inside a pipeline, queue it."""
        ...

    def run(self, sql: str, *values: Any) -> None:
        """Run a statement whose rows nobody reads."""
        ...

    def gather(self, *asked: tuple[str, tuple[Any, ...]]) -> Gathered:
        """Ask several queries as of one moment: on PostgreSQL they are one statement; inside a pipeline, queue it.

        Each is (text, its values); its columns must have different names, and binary ones are read with `binary`.
        """
        ...

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert all `rows` (or overwrite, when the table is a cache) with one statement."""
        ...

    def store(self, parts: Sequence[tuple[Table, Sequence[Row]]]) -> None:
        """Write rows of several tables, in the order of their references; many, on PostgreSQL, with one statement."""
        ...

    def pipeline(self) -> Any:
        """Return a context in which statements are sent together."""
        ...

    def cursor(self) -> Any:
        """Return a cursor of the driver, for statements that are made for one database."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class SqliteLink:
    """A connection to the file. `isolation_level` is None: transactions begin where this class says, nowhere else."""

    kind: DatabaseKind = "sqlite"

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw

    def begin(self) -> None:
        self.raw.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.raw.execute("COMMIT")

    def rollback(self) -> None:
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")

    def ask(self, sql: str, *values: Any) -> Answer:
        text, lists = translate(sql, "sqlite")
        given = (
            [orjson.dumps(value).decode() if at in lists else value for at, value in enumerate(values)]
            if lists
            else values
        )
        return _Known(self.raw.execute(text, given).fetchall())

    def run(self, sql: str, *values: Any) -> None:
        self.ask(sql, *values)

    def gather(self, *asked: tuple[str, tuple[Any, ...]]) -> Gathered:
        found = [self.ask(sql, *values).rows() for sql, values in asked]
        return lambda: found

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        self.store([(table, rows)])

    def store(self, parts: Sequence[tuple[Table, Sequence[Row]]]) -> None:
        for table, rows in with_unsealed(parts):
            if rows:
                self.raw.executemany(table.sqlite, rows)

    @contextmanager
    def pipeline(self) -> Iterator[None]:
        yield

    def cursor(self) -> Any:
        return self.raw.cursor()

    def close(self) -> None:
        self.raw.close()


class _Together:
    """The statements of a block, sent together at its end; blocks inside it are parts of it. A generator costs more."""

    __slots__ = ("_wire", "depth")

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self.depth == 1:
                self._wire.send()
        finally:
            self.depth -= 1
            if not self.depth:
                self._wire.forget()


class PostgresLink:
    """A psycopg connection with the server's own `$1`, every statement prepared at once, and integers always int8.

    One type for all integers matters: psycopg would choose by magnitude, and each choice would be a statement apart.
    """

    kind: DatabaseKind = "postgresql"

    def __init__(self, raw: psycopg.Connection[Row]) -> None:
        self.raw = raw
        raw.prepare_threshold = 0
        raw.prepared_max = 1_000
        raw.adapters.register_dumper(int, Int8Dumper)
        set_json_loads(orjson.loads, raw)
        self._wire = Wire(raw)
        self._together = _Together(self._wire)

    def begin(self) -> None:
        # BEGIN is sent with the first statement: it costs no round trip of its own.
        pass

    def commit(self) -> None:
        if self._together.depth or self.raw.pgconn.transaction_status != TransactionStatus.IDLE:
            self.run("COMMIT")

    def rollback(self) -> None:
        self._wire.forget()
        if self.raw.closed or self.raw.pgconn.transaction_status == TransactionStatus.IDLE:
            return
        # psycopg's own rollback() also forgets every statement it prepared, though the server keeps them.
        try:
            self.run("ROLLBACK")
        except psycopg.Error:
            self.raw.rollback()

    def ask(self, sql: str, *values: Any) -> Answer:
        return self._ask(translate(sql, "postgresql")[0], values)

    def run(self, sql: str, *values: Any) -> None:
        self.ask(sql, *values)

    def gather(self, *asked: tuple[str, tuple[Any, ...]]) -> Gathered:
        found = self._ask(_gathered(tuple(sql for sql, _ in asked)), [value for _, values in asked for value in values])
        return lambda: [[tuple(row.values()) for row in part or ()] for part in found.rows()[0]]

    def write(self, table: Table, rows: Sequence[Row]) -> None:
        self.store([(table, rows)])

    def store(self, parts: Sequence[tuple[Table, Sequence[Row]]]) -> None:
        full = [(table, rows) for table, rows in with_unsealed(parts) if rows]
        if sum(len(rows) for _, rows in full) <= FEW_ROWS:
            with self.pipeline():
                for table, rows in full:
                    for row in rows:
                        self._wire.put(table.one, row)
        elif full:
            documents = [table.document(rows) for table, rows in full]
            self._ask(stored(tuple(table for table, _ in full)), documents)

    def pipeline(self) -> Any:
        return self._together

    def cursor(self) -> Any:
        return self.raw.cursor()

    def close(self) -> None:
        self.raw.close()

    def _ask(self, text: str, values: Sequence[Any]) -> Answer:
        reply = self._wire.ask(text, values)
        if not self._together.depth:
            self._wire.send()
        return reply
