"""Policies that are being written."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import Column, Text
from sqlmodel import Field

from tierengine.store.tables.columns import BYTES, Stored, big, reference, string


class PolicyDraft(Stored, table=True):
    """A policy text that rules nothing yet. `revision` rises with every change; `author` is who made the last one."""

    __tablename__: ClassVar[str] = "policy_draft"
    dealer_id: int = reference("dealer.id", primary_key=True)
    name: str = Field(sa_column=Column(BYTES, primary_key=True))
    revision: int = big()
    text: str = Field(sa_column=Column(Text, nullable=False))
    hash: str = string()
    author: str = string()
    updated_at: int = big()
