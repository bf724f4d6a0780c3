"""The shapes of what is sent and answered, for the OpenAPI document alone.

Bodies are read by tierengine's own readers, which know more than a schema can say, and answers are bytes before they
reach FastAPI: nothing here runs when a request is served.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.shape import Id, Said, Shape, When
from rules.vocabulary import CATEGORIES
from tierengine.judging.bounds import LINES_MOST, MONEY_MOST
from tierengine.till.orders import TOKEN_MOST

Fen = Annotated[int, Field(ge=0, le=MONEY_MOST, description="Fen.")]
Category = Annotated[str, Field(json_schema_extra={"enum": list(CATEGORIES)})]


class _In(Shape):
    model_config = ConfigDict(extra="forbid")


class LineIn(_In):
    """A line of an order; `list` is the whole line's list price."""

    item: Id
    category: Category
    qty: Annotated[int, Field(ge=1, le=10**6)] = 1
    list: Fen
    special: bool = False
    serial: Id | None = None
    brand: str | None = None
    margin: int | None = None


class OrderIn(_In):
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


class ReturnedLine(_In):
    """What came back; without `qty` all of it that is left."""

    item: Id | None = None
    category: Category | None = None
    qty: Annotated[int, Field(ge=1, le=10**6)] | None = None
    amount: Fen | None = None


class ReturnIn(_In):
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


class ClaimIn(_In):
    """A claim of an entitlement; without a time it is now."""

    occurred_at: When | None = None
    source_id: Id | None = None
    qty: Annotated[int, Field(ge=1, le=10**6)] = 1
    serial: Id | None = None
    store: Id | None = None
    staff: str | None = None
    note: str | None = None


class HoldIn(_In):
    """Credit to be held for an order. Without `expires_at` it lasts as long as the policy says."""

    member: Id
    order: Id
    wallet: Id
    amount: Annotated[int, Field(ge=1, le=MONEY_MOST)]
    expires_at: When | None = None
    store: Id | None = None


class CaptureIn(_In):
    """How much of a hold is taken; without `amount` all that is left."""

    amount: Annotated[int, Field(ge=1, le=MONEY_MOST)] | None = None


class VoidIn(_In):
    """Nothing: an empty object."""


class AdjustmentIn(_In):
    """A change of a balance by hand, above or below 0; above the policy's limit a `second` person is needed."""

    wallet: Id
    amount: Annotated[int, Field(ge=-MONEY_MOST, le=MONEY_MOST, json_schema_extra={"not": {"const": 0}})]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    by: Id
    second: Id | None = None
    last_day: Annotated[str, Field(json_schema_extra={"format": "date"})] | None = None
    source_id: Id | None = None


class TransferIn(_In):
    """Credit handed to another account of the same firm."""

    to: Id
    wallet: Id
    amount: Annotated[int, Field(ge=1, le=MONEY_MOST)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    by: Id
    source_id: Id | None = None


class Hold(Shape):
    """A hold as it stands now."""

    id: int
    order: str
    wallet: str
    unit: str
    amount: int
    captured: int
    remaining: int
    state: Literal["held", "captured", "voided", "lapsed"]
    expires_at: str


class HeldFor(Shape):
    """What became of a hold, and the member's balances after it."""

    status: Literal["recorded", "duplicate"]
    hold: Hold
    member: str
    balances: dict[str, dict[str, Any]]


class Moved(Shape):
    """What a change by hand did, and the member's balances after it."""

    status: Literal["recorded", "duplicate"]
    key: str
    member: str
    to: str | None = None
    wallet: str | None = None
    amount: int | None = None
    balances: dict[str, dict[str, Any]]


class Survivor(Shape):
    """What an un-merge did to the member who stood for both until then."""

    member: str
    tier: dict[str, str]
    adjusted: list[dict[str, Any]] = []
    balances: dict[str, dict[str, Any]] = {}


class Booked(Shape):
    """What was recorded, and everything that it did."""

    status: Literal["recorded", "duplicate", "parked"]
    key: str
    member: str | None = None
    merged_into: str | None = None
    tier: dict[str, str] | None = None
    tier_changes: list[dict[str, Any]] = []
    grants: list[dict[str, Any]] = []
    adjusted: list[dict[str, Any]] = []
    credit_used: dict[str, int] = {}
    balances: dict[str, dict[str, Any]] = {}
    waits_for: list[str] | None = None
    flags: list[dict[str, str]] | None = None
    receipt: dict[str, list[str]] | None = None
    keys: list[str] | None = None
    survivor: Survivor | None = None


class Result(Shape):
    """What became of one event of a batch: status and body of the answer that it alone would have had."""

    status: int
    body: dict[str, Any]


class Batch(Shape):
    """How many events of a batch became what, and the results in the order of the events."""

    recorded: int
    duplicate: int
    parked: int
    problem: int
    results: list[Result]


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


class QuoteLine(SoldLine):
    """A line as it would be charged; `rule` is the price that applies."""

    rule: str | None


class Why(Shape):
    """Why or why not: a code, a sentence, and the test that decided."""

    code: str
    why: Said
    condition: dict[str, Any] | None = None


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


class Lot(Shape):
    """What one grant put in."""

    amount: int
    remaining: int
    held: int
    rule: str | None
    event: str | None
    usable_from: str
    last_day: str | None


class Deadline(Shape):
    """What ends on a day (null: never). `notice`: the policy's days of notice have begun."""

    last_day: str | None
    amount: int
    notice: bool


class OpenHold(Shape):
    """A hold that has not ended; of another store's no order is told."""

    id: int
    order: str | None
    amount: int
    remaining: int
    expires_at: str


class Wallet(Shape):
    """A wallet: lots and deadlines each sum to `available` + `held`; `usable` may be spent now."""

    wallet: str
    title: Said
    unit: str
    available: int
    usable: int
    held: int
    debt: int
    suspended: bool
    lots: list[Lot]
    deadlines: list[Deadline]
    holds: list[OpenHold]


class Trait(Why):
    """A trait, met or not, with every test of its condition; `degree`: how far it goes, where it has degrees."""

    id: str
    title: Said
    met: bool
    degree: str | None
    attestable: bool
    conditions: list[dict[str, Any]]


class Right(Shape):
    """An entitlement with what is left of it in this period."""

    id: str
    title: Said
    note: Said | None
    quota: int | None
    period: str
    per_machine: bool
    used: int
    remaining: int | None
    next_on: str | None


class Member(Shape):
    """A member as of now."""

    member: str
    merged_into: str | None = None
    merged: list[str] = []
    form: str
    as_of: str
    programme: Said
    policy_version: int
    standing: dict[str, Any]
    next_tier: dict[str, Any] | None
    traits: list[Trait]
    lists: list[dict[str, Any]]
    wallets: list[Wallet]
    tier_history: list[dict[str, Any]]
    last_event: dict[str, Any] | None
    entitlements: list[Right]


class Decided(Shape):
    """A decision as it was stored. `basis`: the facts and the history it was made on; null: another store's order."""

    id: int
    event: str | None
    caused_by: str | None
    rule: str
    title: Said
    policy_version: int
    kind: Literal["grant", "return", "withdrawn"]
    wallet: str
    unit: str
    amount: int
    usable_from: str
    last_day: str | None
    at: str
    recorded_at: str
    basis: dict[str, Any] | None


class Explained(Shape):
    """A member as of an instant, by what was known at another; `next` is the cursor of further decisions."""

    member: str
    merged_into: str | None = None
    merged: list[str] = []
    at: str
    known_at: str
    policy_version: int
    standing: dict[str, Any]
    next_tier: dict[str, Any] | None
    traits: list[Trait]
    lists: list[dict[str, Any]]
    tier_history: list[dict[str, Any]]
    decisions: list[Decided]
    next: int | None


class Balance(Shape):
    """A member's wallets."""

    member: str
    merged_into: str | None = None
    merged: list[str] = []
    as_of: str
    wallets: list[Wallet]


class StatementLine(Shape):
    """One entry, as changes of what is available, held and owed."""

    number: int | None
    kind: str
    wallet: str
    unit: str
    available: int
    held: int
    debt: int
    event: str | None
    rule: str | None
    recorded_at: str


class Statement(Shape):
    """A page of a member's statement; `next` is the cursor of the next one."""

    member: str
    lines: list[StatementLine]
    next: int | None


class Amounts(Shape):
    """What is available, tied up by holds, and owed by the member, in minor units."""

    available: int
    held: int
    debt: int


class PeriodWallet(Shape):
    """A wallet when the period began and when it ended."""

    wallet: str
    unit: str
    opening: Amounts
    closing: Amounts


class PeriodLine(Shape):
    """One change, at the instant of its effect; `number` null: it has lapsed and waits to be posted."""

    number: int | None
    at: str
    kind: str
    wallet: str
    unit: str
    available: int
    held: int
    debt: int
    balance: int
    event: str | None
    rule: str | None
    recorded_at: str | None


class PeriodStatement(Shape):
    """A page of a statement; opening and closing are those of the whole period. Oldest line first."""

    model_config = ConfigDict(populate_by_name=True)
    member: str
    from_: str | None = Field(alias="from")
    to: str
    wallets: list[PeriodWallet]
    lines: list[PeriodLine]
    next: int | None


class Found(Shape):
    """The members found, by their codes."""

    members: list[dict[str, str]]


class ProblemDetail(Shape):
    """RFC 9457. `code` is stable; `retryable` tells whether the same request may be sent again."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    retryable: bool
    details: dict[str, int | str] | None = None
    errors: list[dict[str, str]] | None = None
