"""The shapes of webhooks, for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.shape import Shape
from tierengine.webhooks.address import URL_MOST
from tierengine.webhooks.rotation import KEEP_HOURS, KEEP_HOURS_MOST

Type = Literal["credit.changed", "tier.changed"]


class _In(Shape):
    model_config = ConfigDict(extra="forbid")


class WebhookIn(_In):
    """Where to tell of what. `all`: also what was recorded before."""

    url: Annotated[str, Field(max_length=URL_MOST, json_schema_extra={"format": "uri"})]
    types: Annotated[list[Type], Field(min_length=1)] = ["credit.changed", "tier.changed"]
    all: bool = False


class WebhookStateIn(_In):
    """What becomes of a webhook."""

    state: Literal["active", "paused", "removed"]


class RotateSecretIn(_In):
    """For how long messages are signed with the old secrets too; 0: they end now."""

    keep_hours: Annotated[int, Field(ge=0, le=KEEP_HOURS_MOST)] = KEEP_HOURS


class ReplayIn(_In):
    """What is sent again: the dead or the delivered, from delivery `since` to delivery `until`, both with it."""

    state: Literal["dead", "delivered"]
    since: Annotated[int, Field(ge=0, le=1 << 62)] = 0
    until: Annotated[int, Field(ge=0, le=1 << 62)] = 1 << 62


class Webhook(Shape):
    """One webhook."""

    id: int
    url: str
    types: list[Type]
    state: Literal["active", "paused", "removed"]


class Signing(Shape):
    """One secret of a webhook: messages carry its signature until then; null: until it is rotated."""

    number: int
    until: str | None


class WithSecret(Shape):
    """A webhook and the secret (`whsec_…`) by which its receiver verifies what it is told; the newest comes first."""

    secret: str
    status: Literal["recorded", "duplicate"]
    webhook: Webhook
    secrets: list[Signing]


class Listed(Webhook):
    """A webhook with what its messages are signed with, the newest first."""

    secrets: list[Signing]


class WebhookNow(Shape):
    """A webhook as it is now."""

    status: Literal["recorded", "duplicate"]
    webhook: Webhook


class Webhooks(Shape):
    """The webhooks of a dealer."""

    webhooks: list[Listed]


class Delivery(Shape):
    """One message: `message` is its `webhook-id` for ever; `last` why it failed last."""

    id: int
    message: str
    type: Type
    body: dict[str, Any]
    state: Literal["waiting", "delivered", "dead"]
    attempts: int
    due_at: str
    last: str
    changed_at: str


class Deliveries(Shape):
    """A page of deliveries; `next` is the cursor of the following one."""

    deliveries: list[Delivery]
    next: int | None


class Replayed(Shape):
    """How many are sent again; `next` is the `since` of the rest, null: there is none."""

    status: Literal["recorded", "duplicate"]
    again: int
    next: int | None = None
