"""Dealers, stores, keys of the interface, and members with what is personal of them."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import (
    Column,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlmodel import Field

from tierengine.store.tables.columns import BYTES, Stored, big, identity, reference, string


class Dealer(Stored, table=True):
    """Runs the club; one policy line of its own."""

    __tablename__: ClassVar[str] = "dealer"
    id: int = identity()
    code: str = Field(sa_column=Column(BYTES, unique=True, nullable=False))
    name: str = string()
    timezone: str = string(default="Asia/Shanghai")
    currency: str = string(default="CNY")


class Store(Stored, table=True):
    """A place of sale. `source` is its class of source (till, erp, …), which bounds how far back it may date."""

    __tablename__: ClassVar[str] = "store"
    __table_args__ = (UniqueConstraint("dealer_id", "code"),)
    id: int = identity()
    dealer_id: int = reference("dealer.id")
    code: str = string()
    name: str = string()


class ApiKey(Stored, table=True):
    """A key of a store or batch; only an HMAC of it is kept."""

    __tablename__: ClassVar[str] = "api_key"
    id: int = identity()
    dealer_id: int = reference("dealer.id")
    store_id: int | None = reference("store.id", nullable=True)
    prefix: str = Field(sa_column=Column(BYTES, unique=True, nullable=False))
    digest: str = string()
    roles: str = string()  # with a space between them
    name: str = string(default="")  # what it is for, in the dealer's words
    created_at: int = big()
    expires_at: int | None = big(nullable=True)
    last_used_at: int | None = big(nullable=True)  # to the minute
    revoked_at: int | None = big(nullable=True)
    origin_id: int | None = big(nullable=True)  # the first of the keys of which this is the successor


class Member(Stored, table=True):
    """A customer on file, person or firm. Names and phones live apart, in `personal`."""

    __tablename__: ClassVar[str] = "member"
    __table_args__ = (UniqueConstraint("dealer_id", "code"),)
    id: int = identity()
    dealer_id: int = reference("dealer.id")
    code: str = string()
    form: str = string(default="person")
    created_at: int = big()


class Personal(Stored, table=True):
    """One field of a member's personal data, sealed under his key (tierengine/personal). The key stands elsewhere.

    field  name, phones, contact, note; `event:N` and `command:N`: the free text that came with that row
    """

    __tablename__: ClassVar[str] = "personal"
    member_id: int = reference("member.id", primary_key=True)
    field: str = Field(sa_column=Column(BYTES, primary_key=True))
    dealer_id: int = big()
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class PersonalIndex(Stored, table=True):
    """Look-up of a member by phone or name: keyed digests, of which nothing can be told without the key."""

    __tablename__: ClassVar[str] = "personal_index"
    __table_args__ = (Index("personal_index_member", "member_id"),)
    dealer_id: int = reference("dealer.id", primary_key=True)
    field: str = Field(sa_column=Column(BYTES, primary_key=True))
    digest: str = Field(sa_column=Column(BYTES, primary_key=True))
    member_id: int = reference("member.id", primary_key=True)


class Erasure(Stored, table=True):
    """A member whose personal data was erased: his key is destroyed, the book goes on without it. Insert only."""

    __tablename__: ClassVar[str] = "erasure"
    member_id: int = reference("member.id", primary_key=True)
    dealer_id: int = reference("dealer.id")
    recorded_at: int = big()
    actor: str = string()
