"""The columns of the tables, of one type each on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import JSON
from sqlmodel import Field, SQLModel

BIG = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
DOC = JSON().with_variant(postgresql.JSONB(), "postgresql")
# Keys compare byte by byte on both databases.
BYTES = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


class Stored(SQLModel):
    """A table. Rows are never read into it, so what would check one is not built before somebody asks."""

    model_config = {"defer_build": True}


def identity() -> Any:
    return Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))


def reference(target: str, *, nullable: bool = False, primary_key: bool = False) -> Any:
    column: Column[int] = Column(BIG, ForeignKey(target), nullable=nullable, primary_key=primary_key)
    return Field(default=None if nullable else ..., sa_column=column)


def big(*, nullable: bool = False, default: int | None = None) -> Any:
    if default is not None:
        return Field(default=default, sa_column=Column(BIG, nullable=False, server_default=str(default)))
    return Field(default=None if nullable else ..., sa_column=Column(BIG, nullable=nullable))


def string(*, nullable: bool = False, default: str | None = None) -> Any:
    if default is not None:
        return Field(default=default, sa_column=Column(BYTES, nullable=False, server_default=default))
    return Field(default=None if nullable else ..., sa_column=Column(BYTES, nullable=nullable))


class _Either(ColumnElement[str]):
    """An expression that the two databases need in different words."""

    inherit_cache = False

    def __init__(self, sqlite: str, postgresql: str) -> None:
        self.words = {"sqlite": sqlite, "postgresql": postgresql}


@compiles(_Either)
def _in_words(element: _Either, compiler: Any, **_: object) -> str:
    return element.words["sqlite" if compiler.dialect.name == "sqlite" else "postgresql"]


def either(sqlite: str, postgresql: str) -> Any:
    """Return the expression of an index."""
    return _Either(sqlite, postgresql)


def open_index(table: str) -> Index:
    """Return the index of a member's rows of a cache in which something remains: all that is ever looked for in it."""
    there = Column("remaining") > 0
    return Index(f"{table}_open", "member_id", sqlite_where=there, postgresql_where=there)


def document(*, nullable: bool = False) -> Any:
    return Field(default=None if nullable else ..., sa_column=Column(DOC, nullable=nullable))
