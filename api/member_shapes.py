"""How a member stands and why, now and at any time."""

from __future__ import annotations

from typing import Any, Literal

from api.balance_shapes import Wallet
from api.common_shapes import Why
from api.shape import Said, Shape


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


class Found(Shape):
    """The members found, by their codes."""

    members: list[dict[str, str]]
