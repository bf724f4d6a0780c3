"""What is known: published policies, events as their sources said them, and what they contribute."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import (
    Column,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from tierengine.store.tables.columns import BYTES, Stored, big, document, either, identity, reference, string
from tierengine.store.within import indexed, there

_IS_CARD = text("name = 'card_no'")
# The few events and lines that speak of machines: those are looked up by a referral or a serial number, and no other
# row pays for it.
_IS_PURCHASE = "kind = 'machine_purchase'"
# (With IN, SQLite would make a list of it for each row that is inserted.)
_MACHINE_KINDS = ("machine_disposed", "machine_purchase", "machine_registered", "purchase_settled")
_OF_MACHINES = " OR ".join(f"kind = '{kind}'" for kind in _MACHINE_KINDS)


def _by_text(index: str, rows: str, column: str, name: str, path: str) -> Index:
    """Return the index of a text in a document of some rows."""
    held = f"({path} ->> '{name}'::text)"  # as PostgreSQL tells it
    return Index(
        index,
        "dealer_id",
        either(indexed(column, name), held),
        sqlite_where=text(f"({rows}) AND {there(column, name)}"),
        postgresql_where=text(f"({rows}) AND {held} IS NOT NULL"),
    )


class Machine(Stored, table=True):
    """A machine by serial number; a cache of what events said of it last."""

    __tablename__: ClassVar[str] = "machine"
    dealer_id: int = reference("dealer.id", primary_key=True)
    serial: str = Field(sa_column=Column(BYTES, primary_key=True))
    member_id: int = reference("member.id")
    brand: str = string(default="")
    model: str = string(default="")
    machine_kind: str = string(default="")
    size: str = string(default="")
    from_us: bool = False
    delivered_on: str = string(default="")


class PolicyVersion(Stored, table=True):
    """A published policy: immutable, in force from `effective_from`."""

    __tablename__: ClassVar[str] = "policy_version"
    __table_args__ = (UniqueConstraint("dealer_id", "number"),)
    id: int = identity()
    dealer_id: int = reference("dealer.id")
    number: int = big()
    text: str = Field(sa_column=Column(Text, nullable=False))
    hash: str = string()
    author: str = string()
    reason: str = string()
    effective_from: int = big()
    published_at: int = big()


class Event(Stored, table=True):
    """What a source said, as it said it. The highest revision of a key counts."""

    __tablename__: ClassVar[str] = "event"
    __table_args__ = (
        UniqueConstraint("dealer_id", "key", "revision"),
        Index("event_cluster", "cluster", "dealer_id"),
        Index("event_member", "member_id", "occurred_at"),
        _by_text("event_referral", _IS_PURCHASE, "body", "referral", "(body -> 'fields'::text)"),
    )
    id: int = identity()
    dealer_id: int = big()
    member_id: int | None = big(nullable=True)
    store_id: int | None = big(nullable=True)
    key: str = string()
    revision: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    cluster: str = string()
    kind: str = string()
    occurred_at: int = big()
    recorded_at: int = big()
    source: str = string()
    source_id: str = string()
    body: dict[str, Any] = document()
    hash: str = string()


class EventConflict(Stored, table=True):
    """Equal key and revision, other content: kept for a person, never booked."""

    __tablename__: ClassVar[str] = "event_conflict"
    __table_args__ = (Index("event_conflict_key", "dealer_id", "key"),)
    id: int = identity()
    dealer_id: int = big()
    key: str = string()
    revision: int = Field(sa_column=Column(Integer, nullable=False))
    body: dict[str, Any] = document()
    hash: str = string()
    source: str = string()
    recorded_at: int = big()


class Parked(Stored, table=True):
    """An event whose named event is not here yet. A cache: the events tell it."""

    __tablename__: ClassVar[str] = "parked"
    event_id: int = reference("event.id", primary_key=True)
    dealer_id: int = big()
    waits_for: str = Field(sa_column=Column(BYTES, nullable=False, index=True))
    reason: str = string()


class ContributionRow(Stored, table=True):
    """history.Contribution as a row, with the same meaning. A corrected event's rows are negated, never removed."""

    __tablename__: ClassVar[str] = "contribution"
    __table_args__ = (
        Index("contribution_known", "member_id", "known_at"),
        Index("contribution_cause", "dealer_id", "known_key"),
        _by_text("contribution_serial", _OF_MACHINES, "fields", "serial", "fields"),
    )
    id: int = identity()
    dealer_id: int = big()
    member_id: int = big()
    event_id: int = big()
    kind: str = string()
    line: str = string()
    at: int = big()
    known_at: int = big()
    known_class: int = Field(sa_column=Column(Integer, nullable=False))
    known_key: str = string()
    cause: str = string()
    qty: int = big()
    amount: int = big()
    fields: dict[str, Any] = document()


class Attribute(Stored, table=True):
    """The last value of a dated attribute of a member (a cache; the contributions of class 2 tell its history)."""

    __tablename__: ClassVar[str] = "attribute"
    __table_args__ = (Index("attribute_card", "dealer_id", "value", sqlite_where=_IS_CARD, postgresql_where=_IS_CARD),)
    member_id: int = reference("member.id", primary_key=True)
    name: str = Field(sa_column=Column(BYTES, primary_key=True))
    dealer_id: int = big()
    value: str = string()
    changed_at: int = big()
