"""The staff, their sessions, and the audit of what they did."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Column, Index
from sqlmodel import Field

from tierengine.store.tables.columns import BYTES, Stored, big, document, identity, reference, string


class Staff(Stored, table=True):
    """A login of the dealer's staff; of the password only its argon2id hash. Disabled, never deleted."""

    __tablename__: ClassVar[str] = "staff"
    id: int = identity()
    dealer_id: int = reference("dealer.id")
    store_id: int | None = reference("store.id", nullable=True)
    login: str = Field(sa_column=Column(BYTES, unique=True, nullable=False))
    name: str = string(default="")
    digest: str = string()
    roles: str = string()
    created_at: int = big()
    disabled_at: int | None = big(nullable=True)
    failures: int = big(default=0)  # log-ins that failed one after another
    failed_at: int | None = big(nullable=True)


class StaffSession(Stored, table=True):
    """Somebody who is logged in; only an HMAC of what he presents is kept. Over when idle, or at `expires_at`."""

    __tablename__: ClassVar[str] = "staff_session"
    prefix: str = Field(sa_column=Column(BYTES, primary_key=True))
    staff_id: int = reference("staff.id")
    dealer_id: int = big()
    digest: str = string()
    created_at: int = big()
    seen_at: int = big()
    expires_at: int = big()
    ended_at: int | None = big(nullable=True)


class Audit(Stored, table=True):
    """One act of the staff: who, what, about what, under which request. Insert only, sealed; no personal data."""

    __tablename__: ClassVar[str] = "audit"
    __table_args__ = (
        Index("audit_recorded", "dealer_id", "recorded_at"),
        Index("audit_actor", "dealer_id", "actor", "recorded_at"),
        Index("audit_subject", "dealer_id", "subject", "recorded_at"),
    )
    id: int = identity()
    dealer_id: int = reference("dealer.id")
    recorded_at: int = big()
    actor: str = string()  # staff:LOGIN, key:PREFIX, command:USER
    act: str = string()
    subject: str = string()
    request: str = string(default="")
    body: dict[str, Any] = document()
