"""The shapes of offline slips, for the OpenAPI document; what a slip's token says is `SlipClaims`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.shape import Id, Shape


class SlipIn(Shape):
    """Whom a slip is for, and which till: those that share a key name themselves; a dealer's key names the store."""

    model_config = ConfigDict(extra="forbid")
    member: Id
    store: Id | None = None
    till: Annotated[Id | None, Field(description="The till's own name; its next slip replaces this one.")] = None


class SlipEndIn(Shape):
    """Why a slip is revoked."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class SlipLine(Shape):
    """Lines that a price goes on."""

    category: str
    special: bool


class SlipPrice(Shape):
    """A price a till can work out: `pay_bp` ten-thousandths of the list price are paid, of these lines.

    Minimums are over all lines of an order that it goes on, at list price; `line_cap` is the most fen taken off a line.
    Of several the lowest wins, ties to the first. It is given from second `begins` (UTC) to before second `ends`: the
    days `from` and `until`, both inclusive, in the dealer's zone.
    """

    rule: str
    title: dict[str, str]
    pay_bp: int
    rounding: Literal["half_up", "floor"]
    minimum_order: int
    minimum_quantity: int
    line_cap: int | None
    from_: Annotated[str | None, Field(alias="from")]
    until: str | None
    begins: int | None = None
    ends: int | None = None
    lines: list[SlipLine]


class SlipCredit(Shape):
    """What of a wallet may be used until the slip ends, and for what. `worth`: so many points are so many fen."""

    wallet: str
    title: dict[str, str]
    unit: str
    amount: int
    worth: dict[str, int] | None
    pays_for: list[str]
    max_share_bp: int
    share_of: Literal["line", "whole_order"]
    block: int
    minimum: int
    minimum_order: int
    not_with: list[str]


class Slip(Shape):
    """A slip as it was recorded."""

    id: str
    member: str
    store: str
    till: str
    issued_at: str
    expires_at: str
    issued_us: int
    expires_us: int
    tier: str
    policy_version: int
    prices: list[SlipPrice]
    credit: list[SlipCredit]


class SlipMade(Shape):
    """A slip; `token` is what the till keeps (JWT, EdDSA; iss, sub = member, aud = store, jti, iat, nbf, exp)."""

    token: str
    status: Literal["recorded", "duplicate"]
    slip: Slip
    member: str
    balances: dict[str, dict[str, Any]]


class SlipEnded(Shape):
    """A slip that was revoked."""

    status: Literal["recorded", "duplicate"]
    id: str
    revoked_at: str | None = None
    member: str
    balances: dict[str, dict[str, Any]]


class SlipsRevoked(Shape):
    """A page of the ids of the slips that were revoked and would still be good; `token` says the same, signed.

    `next` is the cursor of the following page, null on the last.
    """

    revoked: list[str]
    next: str | None
    token: str
