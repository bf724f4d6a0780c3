"""The floor of a sale over HTTP: the same framework and request model, two raw statements, one commit, no rules.

And the floor of a quote: an endpoint that does nothing with the same request model.
"""

from __future__ import annotations

import os
import threading
from typing import Annotated

import psycopg
from fastapi import FastAPI
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


def create_app() -> FastAPI:
    """Return the bare service."""
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

    @app.post("/quotes")
    def quote(order: Order) -> dict[str, object]:
        return {"order": order.order}

    return app


def prepare(url: str, members: list[str]) -> None:
    """Make the two tables of the floor."""
    with psycopg.connect("postgresql://" + url.partition("://")[2]) as connection:
        connection.execute(
            "CREATE TABLE bare_sale (store text, number text, member text, amount bigint, PRIMARY KEY (store, number))"
        )
        connection.execute("CREATE TABLE bare_balance (member text PRIMARY KEY, balance bigint NOT NULL)")
        with connection.cursor().copy("COPY bare_balance FROM STDIN") as copy:
            for member in members:
                copy.write_row((member, 0))
