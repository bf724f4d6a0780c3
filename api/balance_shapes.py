"""What members hold: holds, changes by hand, wallets and statements."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.common_shapes import Closed
from api.shape import Id, Said, Shape, When
from tierengine.judging.bounds import MONEY_MOST


class HoldIn(Closed):
    """Credit to be held for an order. Without `expires_at` it lasts as long as the policy says."""

    member: Id
    order: Id
    wallet: Id
    amount: Annotated[int, Field(ge=1, le=MONEY_MOST)]
    expires_at: When | None = None
    store: Id | None = None


class CaptureIn(Closed):
    """How much of a hold is taken; without `amount` all that is left."""

    amount: Annotated[int, Field(ge=1, le=MONEY_MOST)] | None = None


class VoidIn(Closed):
    """Nothing: an empty object."""


class AdjustmentIn(Closed):
    """A change of a balance by hand, above or below 0; above the policy's limit a `second` person is needed."""

    wallet: Id
    amount: Annotated[int, Field(ge=-MONEY_MOST, le=MONEY_MOST, json_schema_extra={"not": {"const": 0}})]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    by: Id
    second: Id | None = None
    last_day: Annotated[str, Field(json_schema_extra={"format": "date"})] | None = None
    source_id: Id | None = None


class TransferIn(Closed):
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
