"""Webhooks and their deliveries: operational, of no account in the book."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Column, Index, Integer, UniqueConstraint
from sqlmodel import Field

from tierengine.store.tables.columns import BIG, Stored, big, document, identity, reference, string


class Webhook(Stored, table=True):
    """Who is told of what. Its secrets are made from the service's and stand nowhere."""

    __tablename__: ClassVar[str] = "webhook"
    __table_args__ = (Index("webhook_dealer", "dealer_id"),)
    id: int = identity()
    dealer_id: int = reference("dealer.id")
    url: str = string()
    types: list[str] = document()
    state: str = string()  # active, paused, removed
    seen: int = big()  # the last seal whose rows were put into deliveries
    looked_at: int = big()  # boundaries of tiers that passed until then were looked at
    created_at: int = big()


class WebhookSecret(Stored, table=True):
    """How long a secret of a webhook is signed with; None: until it is rotated. No row at all: number 0."""

    __tablename__: ClassVar[str] = "webhook_secret"
    webhook_id: int = reference("webhook.id", primary_key=True)
    number: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    dealer_id: int = big()
    until: int | None = big(nullable=True)


class WebhookStanding(Stored, table=True):
    """The tier that a webhook was told last of a member."""

    __tablename__: ClassVar[str] = "webhook_standing"
    webhook_id: int = reference("webhook.id", primary_key=True)
    member_id: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    dealer_id: int = big()
    tier: str = string()


class WebhookDelivery(Stored, table=True):
    """One message to one webhook. `id` is its place; of a member the next one waits until this one is over."""

    __tablename__: ClassVar[str] = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "message"),
        Index("webhook_delivery_due", "state", "due_at"),
        Index("webhook_delivery_state", "webhook_id", "state", "id", "due_at", "changed_at"),
        Index("webhook_delivery_member", "webhook_id", "member_id", "state", "id"),
    )
    id: int = identity()
    dealer_id: int = big()
    webhook_id: int = reference("webhook.id")
    member_id: int = big()
    message: str = string()
    type: str = string()
    body: dict[str, Any] = document()
    state: str = string()  # waiting, delivered, dead
    attempts: int = Field(sa_column=Column(Integer, nullable=False))
    due_at: int = big()
    last: str = string()  # status or kind of the last failure
    changed_at: int = big()
