"""The floor of a sale over HTTP: the same framework and request model, two raw statements, one commit, no rules.

The same on SQLite, on one connection, and of a redeem: a guarded UPDATE, and its commit. The floor of a quote is an
endpoint that does nothing with the same request model.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from typing import Annotated

import psycopg
from fastapi import FastAPI, Response
from pydantic import BaseModel, ConfigDict, Field

_LOCAL = threading.local()


class Line(BaseModel):
    """A line of the order."""

    model_config = ConfigDict(strict=True, extra="forbid")
    item: Annotated[str, Field(max_length=100)]
    category: Annotated[str, Field(max_length=100)]
    qty: Annotated[int, Field(ge=1, le=10**6)]
    list: Annotated[int, Field(ge=0, le=10**13)]


class Order(BaseModel):
    """An order as the till sends it."""

    model_config = ConfigDict(strict=True, extra="forbid")
    member: Annotated[str, Field(max_length=100)]
    store: Annotated[str, Field(max_length=100)] | None = None
    order: Annotated[str, Field(max_length=100)]
    occurred_at: Annotated[str, Field(max_length=40)]
    lines: Annotated[list[Line], Field(min_length=1, max_length=200)]


def _connection() -> psycopg.Connection[tuple[object, ...]]:
    connection: psycopg.Connection[tuple[object, ...]] | None = getattr(_LOCAL, "connection", None)
    if connection is None:
        connection = psycopg.connect("postgresql://" + os.environ["BENCH_URL"].partition("://")[2])
        connection.prepare_threshold = 0
        _LOCAL.connection = connection
    return connection


class Redeem(BaseModel):
    """An amount to take from a member, if he has it."""

    model_config = ConfigDict(strict=True, extra="forbid")
    member: Annotated[str, Field(max_length=100)]
    amount: Annotated[int, Field(ge=1, le=10**13)]


def create_app() -> FastAPI:
    """Return the bare service."""
    return _embedded() if os.environ["BENCH_URL"].startswith("sqlite") else _served()


def _embedded() -> FastAPI:
    app = FastAPI()
    one, turn = sqlite3.connect(_file(), check_same_thread=False, isolation_level=None), threading.Lock()
    one.execute("PRAGMA synchronous = FULL")

    @app.post("/sales")
    def sale(order: Order) -> dict[str, object]:
        total = sum(line.list for line in order.lines)
        with turn:
            one.execute("BEGIN IMMEDIATE")
            one.execute(
                "INSERT INTO bare_sale (store, number, member, amount) VALUES (?, ?, ?, ?)",
                (order.store or "", order.order, order.member, total),
            )
            one.execute("UPDATE bare_balance SET balance = balance + ? WHERE member = ?", (total, order.member))
            one.execute("COMMIT")
        return {"order": order.order, "amount": total}

    return app


def _served() -> FastAPI:
    app = FastAPI()

    @app.post("/sales")
    def sale(order: Order) -> dict[str, object]:
        connection = _connection()
        total = sum(line.list for line in order.lines)
        connection.execute(
            "INSERT INTO bare_sale (store, number, member, amount) VALUES (%s, %s, %s, %s)",
            (order.store or "", order.order, order.member, total),
        )
        connection.execute("UPDATE bare_balance SET balance = balance + %s WHERE member = %s", (total, order.member))
        connection.commit()
        return {"order": order.order, "amount": total}

    @app.post("/redeems")
    def redeem(asked: Redeem, response: Response) -> dict[str, object]:
        connection = _connection()
        found = connection.execute(
            "UPDATE bare_balance SET balance = balance - %s WHERE member = %s AND balance >= %s",
            (asked.amount, asked.member, asked.amount),
        )
        connection.commit()
        if not found.rowcount:
            response.status_code = 409
        return {"taken": asked.amount * found.rowcount}

    @app.post("/quotes")
    def quote(order: Order) -> dict[str, object]:
        return {"order": order.order}

    return app


_TABLES = (
    "CREATE TABLE bare_sale (store text, number text, member text, amount bigint, PRIMARY KEY (store, number))",
    "CREATE TABLE bare_balance (member text PRIMARY KEY, balance bigint NOT NULL)",
)


def prepare(url: str, members: list[str]) -> None:
    """Make the two tables of the floor."""
    if url.startswith("sqlite"):
        embedded = sqlite3.connect(url.partition("://")[2])
        for text in _TABLES:
            embedded.execute(text)
        embedded.executemany("INSERT INTO bare_balance VALUES (?, 0)", [(member,) for member in members])
        embedded.commit()
        embedded.close()
        return
    with psycopg.connect("postgresql://" + url.partition("://")[2]) as connection:
        for text in _TABLES:
            connection.execute(text)
        with connection.cursor().copy("COPY bare_balance FROM STDIN") as copy:
            for member in members:
                copy.write_row((member, 0))


def _file() -> str:
    return os.environ["BENCH_URL"].partition("://")[2]
