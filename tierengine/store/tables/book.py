"""The book: accounts, entries and their postings, lots and their uses, and the commands of people."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    Index,
    UniqueConstraint,
)

from tierengine.store.tables.columns import Stored, big, document, identity, open_index, reference, string


class Account(Stored, table=True):
    """An account. A member has `available`, `held` and `debt` a wallet, with a stored balance; a house account none."""

    __tablename__: ClassVar[str] = "account"
    __table_args__ = (
        UniqueConstraint("dealer_id", "member_id", "wallet", "kind"),
        CheckConstraint("balance IS NULL OR balance >= 0", name="account_balance_not_negative"),
    )
    id: int = identity()
    dealer_id: int = big()
    member_id: int | None = reference("member.id", nullable=True)
    wallet: str = string()
    kind: str = string()  # member: available, held, debt; house: grants, uses, expired, forgiven, awards
    unit: str = string()  # CNY or points
    balance: int | None = big(nullable=True)


class Entry(Stored, table=True):
    """One business act: grant, use, hold, capture, return, expire, transfer, … Numbered a member, gapless.

    A grant's entries cite (event_key, rule); `delta` is the signed change of what that pair is worth to the member.
    """

    __tablename__: ClassVar[str] = "entry"
    __table_args__ = (
        UniqueConstraint("member_id", "number"),
        Index("entry_event", "dealer_id", "event_key"),
        Index("entry_recorded", "dealer_id", "recorded_at"),
    )
    id: int = identity()
    dealer_id: int = big()
    member_id: int = reference("member.id")
    number: int = big()
    kind: str = string()
    wallet: str = string()
    event_key: str = string(default="")  # grants: the granting event; uses and returns: the order's event
    rule: str = string(default="")
    delta: int = big()
    cause_key: str = string(default="")  # the observation, command or run whose recording posted this entry
    decision_id: int | None = big(nullable=True)
    reverses_id: int | None = big(nullable=True)
    recorded_at: int = big()


class Posting(Stored, table=True):
    """Source account, destination account, positive amount: an entry cannot be written unbalanced."""

    __tablename__: ClassVar[str] = "posting"
    __table_args__ = (
        CheckConstraint("amount > 0", name="posting_amount_positive"),
        CheckConstraint("source_id <> destination_id", name="posting_moves"),
        Index("posting_source", "source_id"),
        Index("posting_destination", "destination_id"),
        Index("posting_entry", "entry_id"),
    )
    id: int = identity()
    dealer_id: int = big()
    member_id: int = big()
    entry_id: int = reference("entry.id")
    source_id: int = big()
    destination_id: int = big()
    amount: int = big()


class Lot(Stored, table=True):
    """What one grant put in. Usable from `usable_from`; gone at `expires_at`, the first instant after its last day."""

    __tablename__: ClassVar[str] = "lot"
    __table_args__ = (
        CheckConstraint("amount > 0", name="lot_amount_positive"),
        Index("lot_member", "member_id", "wallet"),
    )
    id: int = identity()
    dealer_id: int = big()
    member_id: int = big()
    wallet: str = string()
    entry_id: int = reference("entry.id")
    event_key: str = string()
    rule: str = string()
    amount: int = big()
    usable_from: int = big()
    expires_at: int | None = big(nullable=True)


class LotUse(Stored, table=True):
    """How much of which lot an entry took (positive) or put back (negative)."""

    __tablename__: ClassVar[str] = "lot_use"
    __table_args__ = (
        CheckConstraint("amount <> 0", name="lot_use_moves"),
        Index("lot_use_lot", "lot_id"),
        Index("lot_use_entry", "entry_id"),
    )
    id: int = identity()
    dealer_id: int = big()
    member_id: int = big()
    lot_id: int = reference("lot.id")
    entry_id: int = big()
    amount: int = big()


class LotState(Stored, table=True):
    """What remains of a lot (a cache of its uses)."""

    __tablename__: ClassVar[str] = "lot_state"
    __table_args__ = (
        CheckConstraint("remaining >= 0", name="lot_remaining_not_negative"),
        open_index("lot_state"),
    )
    lot_id: int = reference("lot.id", primary_key=True)
    dealer_id: int = big()
    member_id: int = big()
    remaining: int = big()


class CommandRow(Stored, table=True):
    """What the state was asked for and allowed: a hold, a transfer, an adjustment, an opening balance. Insert only.

    One key, one command: equal content again is the same, other content a conflict. `body` says who asked and why.
    """

    __tablename__: ClassVar[str] = "command"
    __table_args__ = (UniqueConstraint("dealer_id", "key"),)
    id: int = identity()
    dealer_id: int = big()
    member_id: int = reference("member.id")
    key: str = string()
    kind: str = string()  # hold, transfer, adjust, open
    hash: str = string()
    body: dict[str, Any] = document()
    recorded_at: int = big()
