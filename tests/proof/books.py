"""Books that hold nothing but the table of contributions: in SQLite's memory, or in a schema on PostgreSQL."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy
from sqlalchemy.dialects import postgresql, sqlite

from tierengine.judging.history import Contribution
from tierengine.judging.sql_words import Dialect
from tierengine.store.tables.history import ContributionRow

if TYPE_CHECKING:
    import psycopg

COLUMNS = 14


class Book:
    """The contributions of members, for what is read by SQL. `url` "": SQLite, else that PostgreSQL database."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.dialect: Dialect = "postgresql" if url else "sqlite"
        self.connection: Any = _postgres(url) if url else sqlite3.connect(":memory:")
        self._mark = "%s" if url else "?"
        for statement in (
            sqlalchemy.schema.CreateTable(ContributionRow.__table__),
            *(sqlalchemy.schema.CreateIndex(index) for index in ContributionRow.__table__.indexes),
        ):
            compiled = statement.compile(dialect=postgresql.dialect() if url else sqlite.dialect())
            self.connection.execute(str(compiled))
        self.members = 0

    def member(self, rows: Sequence[Contribution]) -> int:
        """Store a history as a new member's."""
        self.members += 1
        with_fields = [
            (
                self.members * 1000 + place, 1, self.members, place, one.kind, one.line, one.at, *one.known,
                one.cause, one.qty, one.amount, json.dumps(one.fields),
            )
            for place, one in enumerate(rows)
        ]  # fmt: skip
        marks = ", ".join([self._mark] * COLUMNS)
        self.connection.cursor().executemany(f"INSERT INTO contribution VALUES ({marks})", with_fields)
        return self.members

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave it: what was in memory is gone."""
        self.connection.close()

    def forget(self) -> None:
        """Empty the book."""
        self.connection.execute("TRUNCATE contribution" if self.dialect == "postgresql" else "DELETE FROM contribution")


def _postgres(url: str) -> psycopg.Connection:
    """Open a connection whose tables are its own and go with it; nothing is waited for on the disk."""
    from tests.postgres import connect

    connection = connect(url)
    connection.autocommit = True
    schema = f"proof_{secrets.token_hex(6)}"
    connection.execute("SET synchronous_commit = off")
    connection.execute(f"CREATE SCHEMA {schema}")
    connection.execute(f"SET search_path = {schema}")
    return connection
