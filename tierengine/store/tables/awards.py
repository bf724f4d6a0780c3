"""Runs of the year-end award."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import (
    Column,
    Integer,
    UniqueConstraint,
)
from sqlmodel import Field

from tierengine.store.tables.columns import Stored, big, document, identity, reference, string


class AwardRun(Stored, table=True):
    """A frozen list of winners for one award and year, bound to one policy version."""

    __tablename__: ClassVar[str] = "award_run"
    __table_args__ = (UniqueConstraint("dealer_id", "award", "year"),)
    id: int = identity()
    dealer_id: int = reference("dealer.id")
    award: str = string()
    year: int = Field(sa_column=Column(Integer, nullable=False))
    version_id: int = reference("policy_version.id")
    as_of: int = big()
    list_hash: str = string()
    planned_at: int = big()
    plan: dict[str, Any] = document()


class AwardWinner(Stored, table=True):
    """One winner of a run; `entry` with the same cause key tells whether the prize was issued."""

    __tablename__: ClassVar[str] = "award_winner"
    run_id: int = reference("award_run.id", primary_key=True)
    member_id: int = reference("member.id", primary_key=True)
    dealer_id: int = big()
    place: int = Field(sa_column=Column(Integer, nullable=False))
    score: int = big()
    prize: int = big()
