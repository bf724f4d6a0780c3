"""What the fold makes of a member's history: its head, decisions, standings, and what goes to others."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from tierengine.store.tables.columns import BIG, BYTES, Stored, big, document, identity, reference, string

_IS_JOINED = text("joined_id IS NOT NULL")
_IS_DUE = text("NOT applied")


class Ledger(Stored, table=True):
    """One row a member: what is locked before anything of his is read or written, and the head of his history.

    `carry` is the fold's state after `head_*`; `entry_no` the number of his last entry. A cache but for the lock.
    `joined_id` is in whose history this one's is folded; who stands for merged members names himself, others nobody.
    """

    __tablename__: ClassVar[str] = "ledger"
    __table_args__ = (
        Index("ledger_boundary", "dealer_id", "boundary_at"),
        Index("ledger_joined", "joined_id", sqlite_where=_IS_JOINED, postgresql_where=_IS_JOINED),
    )
    member_id: int = reference("member.id", primary_key=True)
    dealer_id: int = reference("dealer.id")
    entry_no: int = big(default=0)
    head_at: int = big(default=0)
    head_class: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    head_key: str = string(default="")
    tier: str = string(default="")
    boundary_at: int | None = big(nullable=True)  # next instant at which time alone may move him
    carry: str = string(default="")  # canonical JSON
    joined_id: int | None = big(nullable=True)


class Decision(Stored, table=True):
    """What the fold decided of (granting event, rule) at one step; the highest id of the three is the one that stands.

    `wanted` is the net amount that should stand from this step on. `basis` holds the facts and carry values used.
    """

    __tablename__: ClassVar[str] = "decision"
    __table_args__ = (
        Index("decision_step", "member_id", "step_at"),
        Index("decision_grant", "dealer_id", "event_key"),
    )
    id: int = identity()
    dealer_id: int = big()
    member_id: int = big()
    event_key: str = string()
    rule: str = string()
    version_id: int = big()
    step_at: int = big()
    step_class: int = Field(sa_column=Column(Integer, nullable=False))
    step_key: str = string()
    kind: str = string()  # grant, return, withdrawn
    wallet: str = string()
    wanted: int = big()
    usable_from: int = big()
    expires_at: int | None = big(nullable=True)
    recorded_at: int = big()
    basis: dict[str, Any] = document()


class Emission(Stored, table=True):
    """A derived event for another member; the highest revision of (key) counts, `cancelled` withdraws it."""

    __tablename__: ClassVar[str] = "emission"
    __table_args__ = (
        UniqueConstraint("dealer_id", "key", "revision"),
        Index("emission_due", "to_member_id", sqlite_where=_IS_DUE, postgresql_where=_IS_DUE),
        Index("emission_giver", "member_id"),
    )
    id: int = identity()
    dealer_id: int = big()
    member_id: int = reference("member.id")  # the giver
    to_member_id: int = reference("member.id")
    key: str = string()
    revision: int = Field(sa_column=Column(Integer, nullable=False))
    event_key: str = string()
    rule: str = string()
    kind: str = string()
    occurred_at: int = big()
    cancelled: bool = False
    applied: bool = False  # delivery state: operational, the content above never changes
    body: dict[str, Any] = document()
    recorded_at: int = big()


class TierChange(Stored, table=True):
    """Tiers over time (a cache of the fold): one row for each change of standing with the traits that made it."""

    __tablename__: ClassVar[str] = "tier_change"
    __table_args__ = (Index("tier_change_member", "member_id", "at"),)
    id: int = identity()
    dealer_id: int = big()
    member_id: int = big()
    at: int = big()
    class_: int = Field(sa_column=Column("class", Integer, nullable=False))
    key: str = string()
    tier: str = string()
    previous: str = string()
    since: int = big()
    until: int | None = big(nullable=True)
    state: str = string()
    cause: str = string()  # promoted, renewed, grace, demoted, excluded, returned, confirmed, assigned, locked, …
    version_id: int = big()
    traits: list[str] = document()
    basis: dict[str, Any] = document()


class Checkpoint(Stored, table=True):
    """The carry at the end of a month of a member's history (a cache): where a late event starts folding again."""

    __tablename__: ClassVar[str] = "checkpoint"
    member_id: int = reference("member.id", primary_key=True)
    at: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    dealer_id: int = big()
    head_class: int = Field(sa_column=Column(Integer, nullable=False))
    head_key: str = string()
    carry: str = string()


class BudgetPot(Stored, table=True):
    """What a budget over several members has given in one period (a cache of the standing decisions' `budgets`).

    The row with the key "" is what a transaction locks before it reads any pot of the dealer.
    """

    __tablename__: ClassVar[str] = "budget_pot"
    __table_args__ = (CheckConstraint("used >= 0", name="budget_used_not_negative"),)
    dealer_id: int = reference("dealer.id", primary_key=True)
    key: str = Field(sa_column=Column(BYTES, primary_key=True))
    used: int = big()
