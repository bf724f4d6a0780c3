"""Holds: parts of a wallet that are promised to an order."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    UniqueConstraint,
)
from sqlmodel import Field

from tierengine.store.tables.columns import Stored, big, identity, open_index, reference, string


class Hold(Stored, table=True):
    """A part of a wallet promised to an order until `expires_at`, its first instant of freedom."""

    __tablename__: ClassVar[str] = "hold"
    __table_args__ = (
        CheckConstraint("amount > 0", name="hold_amount_positive"),
        UniqueConstraint("dealer_id", "key"),
        Index("hold_order", "dealer_id", "cluster"),
    )
    id: int = identity()
    dealer_id: int = big()
    member_id: int = reference("member.id")
    key: str = string()
    wallet: str = string()
    cluster: str = string()  # the order's
    amount: int = big()
    entry_id: int = reference("entry.id")
    expires_at: int = big()
    recorded_at: int = big()


class HoldLot(Stored, table=True):
    """How much of which lot a hold ties up; captures take them in the order of `place`."""

    __tablename__: ClassVar[str] = "hold_lot"
    __table_args__ = (CheckConstraint("amount > 0", name="hold_lot_amount_positive"), Index("hold_lot_lot", "lot_id"))
    hold_id: int = reference("hold.id", primary_key=True)
    place: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    dealer_id: int = big()
    member_id: int = big()
    lot_id: int = reference("lot.id")
    amount: int = big()


class HoldEnd(Stored, table=True):
    """The one end of a hold: captured, voided or lapsed, and the last entry that it made."""

    __tablename__: ClassVar[str] = "hold_end"
    hold_id: int = reference("hold.id", primary_key=True)
    dealer_id: int = big()
    member_id: int = big()
    kind: str = string()
    entry_id: int = reference("entry.id")
    recorded_at: int = big()


class HoldState(Stored, table=True):
    """What of a hold is still tied up (a cache of its captures and its end)."""

    __tablename__: ClassVar[str] = "hold_state"
    __table_args__ = (
        CheckConstraint("remaining >= 0", name="hold_remaining_not_negative"),
        open_index("hold_state"),
    )
    hold_id: int = reference("hold.id", primary_key=True)
    dealer_id: int = big()
    member_id: int = big()
    remaining: int = big()
