"""What a request leaves beside its effect: the ids it took, and its answer under its key."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    Text,
)
from sqlmodel import Field

from tierengine.store.tables.columns import BIG, BYTES, Stored, big, string


class IdBlock(Stored, table=True):
    """Next free id; writers take blocks of ids in a short transaction of their own."""

    __tablename__: ClassVar[str] = "id_block"
    name: str = Field(sa_column=Column(Text, primary_key=True))
    next: int = big()


class Idempotency(Stored, table=True):
    """One key, one effect, one answer: inserted complete, in the transaction of the effect."""

    __tablename__: ClassVar[str] = "idempotency"
    dealer_id: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    scope: str = Field(sa_column=Column(BYTES, primary_key=True))  # the API key's id
    key: str = Field(sa_column=Column(BYTES, primary_key=True))
    request_hash: str = string()
    status: int = Field(sa_column=Column(Integer, nullable=False))
    answer: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    recorded_at: int = big()
