"""What is recorded of a member, alone or many at once, and what it did."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.common_shapes import Closed
from api.shape import Id, Shape, When


class ClaimIn(Closed):
    """A claim of an entitlement; without a time it is now."""

    occurred_at: When | None = None
    source_id: Id | None = None
    qty: Annotated[int, Field(ge=1, le=10**6)] = 1
    serial: Id | None = None
    store: Id | None = None
    staff: str | None = None
    note: str | None = None


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
