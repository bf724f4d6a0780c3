"""The chain of seals over what is insert only."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import (
    Column,
    LargeBinary,
)
from sqlmodel import Field

from tierengine.store.tables.columns import BIG, Stored, big, reference, string


class Unsealed(Stored, table=True):
    """What one transaction inserted and no seal covers yet; the sealer moves it. A transaction has one row, not many.

    `refs` is canonical JSON: table → the rows' keys (the id, or the list of key columns where there is none).
    """

    __tablename__: ClassVar[str] = "unsealed"
    id: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    dealer_id: int = big()
    refs: str = string()


class Seal(Stored, table=True):
    """A link of a dealer's hash chain: which rows, the SHA-256 of each, and one over these and the link before.

    refs     as in Unsealed
    digests  32 bytes a row, in the order of `refs`
    hash     hexadecimal; ledger/chain.py says of what
    """

    __tablename__: ClassVar[str] = "seal"
    dealer_id: int = reference("dealer.id", primary_key=True)
    number: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    sealed_at: int = big()
    refs: str = string()
    digests: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: str = string()
