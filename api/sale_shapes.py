"""What a till sends and is answered: quotes, sales, returns."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.common_shapes import Category, Closed, Fen, Why
from api.event_shapes import Booked
from api.shape import Id, Said, Shape, When
from tierengine.judging.bounds import LINES_MOST
from tierengine.till.orders import TOKEN_MOST


class LineIn(Closed):
    """A line of an order; `list` is the whole line's list price."""

    item: Id
    category: Category
    qty: Annotated[int, Field(ge=1, le=10**6)] = 1
    list: Fen
    special: bool = False
    serial: Id | None = None
    brand: str | None = None
    margin: int | None = None


class OrderIn(Closed):
    """An order of a till. `credit` "max" uses what may be used; `prices` is what was charged, line by line."""

    member: Id
    order: Id
    occurred_at: When
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=LINES_MOST)]
    credit: dict[str, Fen] | Literal["max"] = Field(default_factory=dict)
    prices: list[Fen] | None = None
    quote: Annotated[str, Field(max_length=TOKEN_MOST, description="A quote's `token`.")] | None = None
    slip: Annotated[str, Field(max_length=TOKEN_MOST, description="The offline slip it was sold with.")] | None = None
    store: Id | None = None
    currency: str | None = None
    channel: str | None = None
    staff: str | None = None
    note: str | None = None


class QuoteIn(OrderIn):
    """The same order before it has a number or a time."""

    order: Id = "quote"
    occurred_at: When | None = None  # type: ignore[assignment]  # a quote is about now


class ReturnedLine(Closed):
    """What came back; without `qty` all of it that is left."""

    item: Id | None = None
    category: Category | None = None
    qty: Annotated[int, Field(ge=1, le=10**6)] | None = None
    amount: Fen | None = None


class ReturnIn(Closed):
    """A return. Without `lines` the whole order comes back. `source_id` is the return's own number."""

    source_id: Id
    occurred_at: When
    reason: str | None = None
    lines: list[ReturnedLine] | None = None
    kind: Literal["sale_returned", "machine_returned"] = "sale_returned"
    serial: Id | None = None
    member: Id | None = None
    store: Id | None = None
    order: Id | None = None
    staff: str | None = None
    note: str | None = None


class SoldLine(Shape):
    """A line as it was booked; amount = credit + cash."""

    item: str
    category: str
    qty: int
    list: Fen
    amount: Fen
    credit: Fen
    cash: Fen


class Sold(Booked):
    """A sale that was recorded. `price_differs`: where a late one was charged otherwise than the rules say."""

    order: str
    lines: list[SoldLine]
    total: dict[str, int]
    late: bool
    price_differs: list[dict[str, int]] | None = None
    slip: dict[str, str] | None = None


class Returned(Booked):
    """A return and what it gives back. `total.cash` is to be handed to the customer; credit goes to his wallet."""

    lines: list[SoldLine] = []
    total: dict[str, int] = {}
    credit_returned: dict[str, int] = {}


class QuoteLine(SoldLine):
    """A line as it would be charged; `rule` is the price that applies."""

    rule: str | None


class PriceWhy(Why):
    """A price and a line of the order."""

    line: int
    rule: str
    title: Said
    applied: bool


class RewardWhy(Why):
    """A reward and what it gives."""

    rule: str
    title: Said
    wallet: str
    unit: str
    amount: int


class Quote(Shape):
    """What the order costs and earns, with nothing written."""

    member: str
    merged_into: str | None = None
    merged: list[str] = []
    as_of: str
    policy_version: int
    tier: dict[str, str]
    lines: list[QuoteLine]
    total: dict[str, int]
    credit: list[dict[str, Any]]
    earns: list[dict[str, Any]]
    receipt: dict[str, list[str]]
    next_tier: dict[str, Any] | None = None
    token: str | None = None
    prices_until: str | None = None
    prices: list[PriceWhy] | None = None
    rewards: list[RewardWhy] | None = None
