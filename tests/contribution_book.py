"""A database with the table of contributions and nothing else."""

import contextlib
import itertools
import json
import sqlite3
from dataclasses import dataclass

import psycopg
import pytest
import sqlalchemy

from tierengine.store.tables.history import ContributionRow


@dataclass
class Book:
    """A database with the table of contributions, through the driver itself."""

    connection: object
    cursor: object
    members: itertools.count

    def member(self, history) -> int:
        """Store a history as a new member's."""
        number = next(self.members)
        mark = "?" if isinstance(self.connection, sqlite3.Connection) else "%s"
        rows = [
            (
                number * 1000 + i,
                1,
                number,
                i,
                c.kind,
                c.line,
                c.at,
                *c.known,
                c.cause,
                c.qty,
                c.amount,
                json.dumps(c.fields),
            )
            for i, c in enumerate(history)
        ]
        self.cursor.executemany(f"INSERT INTO contribution VALUES ({', '.join([mark] * 14)})", rows)
        return number


@contextlib.contextmanager
def opened(database_url):
    engine = sqlalchemy.create_engine(database_url)
    ContributionRow.__table__.create(engine)
    engine.dispose()
    if database_url.startswith("sqlite"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(database_url.replace("postgresql+psycopg://", "postgresql://"))
    with contextlib.closing(connection):
        yield Book(connection, connection.cursor(), itertools.count(1))


@pytest.fixture
def book(database_url):
    with opened(database_url) as made:
        yield made


@pytest.fixture
def both(sqlite_url, postgres_url):
    """Books in both databases, for what takes longer to think of than to ask each of them."""
    with opened(sqlite_url) as one, opened(postgres_url) as other:
        yield one, other
