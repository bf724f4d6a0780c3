"""Putting rows into tables: one statement a table however many rows, made from the layout alone.

Whoever serves or runs a command writes rows and never makes a table, so that neither SQLModel nor SQLAlchemy is loaded
for it: with their tables they would be a third of what a start takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import orjson

from tierengine.store.layout import LAYOUT

LISTED: Final = 500  # rows of one table in one list of `unsealed`
Row = tuple[Any, ...]

# What is written once and sealed. `emission.applied`, the state of its delivery, is no part of what is sealed.
INSERT_ONLY: Final = (
    "policy_version", "event", "event_conflict", "contribution", "decision", "emission", "entry", "posting", "lot",
    "lot_use", "command", "hold", "hold_lot", "hold_end", "idempotency", "award_run", "award_winner",
    "audit", "erasure",
)  # fmt: skip


class Column(NamedTuple):
    """A column: its name, PostgreSQL's word for its type, whether it is of the primary key, and whether it may be null.

    Of types there are bigint, integer, boolean, text, jsonb and bytea.
    """

    name: str
    type: str
    key: bool
    nullable: bool


def _laid_out() -> Iterator[tuple[str, tuple[Column, ...]]]:
    for table, listed in re.findall(r"(\w+) \(([^)]+)\)", LAYOUT):
        words = [column.split() for column in listed.split(",")]
        yield table, tuple(Column(name, kind, "key" in more, "null" in more) for name, kind, *more in words)


@cache
def tables() -> Mapping[str, tuple[Column, ...]]:
    """Return the columns of every table, in their order."""
    return MappingProxyType(dict(_laid_out()))


class Table:
    """How rows get into one table: one statement however many, given as tuples in the order of `columns`.

    JSON columns are given as JSON text, binary ones as bytes. With `key` the table is a cache or a state, and a row
    whose key is there overwrites it. PostgreSQL receives many rows as one JSON document, so one prepared statement
    serves any number of rows, and few with a statement a row; SQLite steps a prepared statement row by row, which
    costs it nothing.

    `made` names columns that the database fills in. Rows of an insert-only table are listed in `unsealed` by whoever
    writes them here, in the same statement: nobody can forget it.
    """

    __slots__ = ("_binary", "_dealer", "_docs", "_key", "columns", "insert_only", "name", "one", "postgresql", "sqlite")

    def __init__(self, name: str, key: tuple[str, ...] = (), made: tuple[str, ...] = ()) -> None:
        given = [column for column in tables()[name] if column.name not in made]
        self.name = name
        self.insert_only = name in INSERT_ONLY
        self.columns = tuple(column.name for column in given)
        self._docs = [at for at, column in enumerate(given) if column.type == "jsonb"]
        self._binary = [at for at, column in enumerate(given) if column.type == "bytea"]
        self._key = [at for at, column in enumerate(given) if column.key and column.name != "dealer_id"]
        self._dealer = self.columns.index("dealer_id") if "dealer_id" in self.columns else -1
        names = ", ".join(f'"{name}"' for name in self.columns)
        end = ""
        if key:
            others = [name for name in self.columns if name not in key]
            end = f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET " + ", ".join(
                f'"{c}" = excluded."{c}"' for c in others
            )
        types = ", ".join(f'"{column.name}" {column.type}' for column in given)
        self.sqlite = f"INSERT INTO {self.name} ({names}) VALUES ({', '.join('?' * len(self.columns))}){end}"
        places = ", ".join(f"${place}" for place in range(1, len(self.columns) + 1))
        self.one = f"INSERT INTO {self.name} ({names}) VALUES ({places}){end}"
        self.postgresql = (
            f"INSERT INTO {self.name} ({names}) SELECT {names} FROM json_to_recordset($1::json) AS given ({types}){end}"
        )

    def refs(self, rows: Sequence[Row]) -> Iterator[tuple[int, list[Any]]]:
        """Return what names each row in `unsealed`, by dealer."""
        dealers = {row[self._dealer] for row in rows}
        for dealer in sorted(dealers):
            mine = rows if len(dealers) == 1 else [row for row in rows if row[self._dealer] == dealer]
            if len(self._key) == 1:
                yield dealer, [row[self._key[0]] for row in mine]
            else:
                yield dealer, [[row[at] for at in self._key] for row in mine]

    def document(self, rows: Sequence[Row]) -> str:
        """Return `rows` as the JSON document that PostgreSQL takes apart."""
        if self._docs or self._binary:
            changed = []
            for row in rows:
                values = list(row)
                for at in self._docs:
                    values[at] = None if values[at] is None else orjson.Fragment(values[at])
                for at in self._binary:
                    values[at] = "\\x" + values[at].hex()
                changed.append(values)
            return orjson.dumps([dict(zip(self.columns, values, strict=True)) for values in changed]).decode()
        return orjson.dumps([dict(zip(self.columns, row, strict=True)) for row in rows]).decode()


_UNSEALED: Final = Table("unsealed", made=("id",))


def with_unsealed(parts: Sequence[tuple[Table, Sequence[Row]]]) -> list[tuple[Table, Sequence[Row]]]:
    """Return `parts` with the lists of what no seal covers yet: a row for hundreds, so it costs hardly anything."""
    listed: list[Row] = []
    found: dict[int, dict[str, list[Any]]] = {}
    for table, rows in parts:
        for first in range(0, len(rows) if table.insert_only else 0, LISTED):
            for dealer, refs in table.refs(rows[first : first + LISTED]):
                mine = found.setdefault(dealer, {})
                if table.name in mine:
                    listed.append((dealer, orjson.dumps(found.pop(dealer)).decode()))
                    mine = found.setdefault(dealer, {})
                mine[table.name] = refs
    listed += [(dealer, orjson.dumps(refs).decode()) for dealer, refs in found.items()]
    return [*parts, (_UNSEALED, listed)] if listed else list(parts)


@cache
def stored(into: tuple[Table, ...]) -> str:
    """Return one statement of PostgreSQL that inserts into several tables, each from a document of its own."""
    parts = [
        f"t{place} AS ({table.postgresql.replace('$1', f'${place}', 1)})" for place, table in enumerate(into, start=1)
    ]
    return f"WITH {', '.join(parts)} SELECT"
