"""POST /v1/events: anything that happened to a member; and claims of what his service level entitles him to."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import schemas
from api.answers import answered
from api.keys import STAFF_KINDS, late_days_of, source_of
from api.rights import Guarded
from api.service import Write, stamp, write_of
from tierengine.errors import Denied, Malformed, unknown_fields
from tierengine.judging.history import Observation
from tierengine.judging.observations import read_observation
from tierengine.membership.known import contributions_of
from tierengine.policies.versions import Programme
from tierengine.recording.items import Claim, Item, Observe
from tierengine.service.entitlements import CLAIMED, claim_check

_TILLS: Final = frozenset(("pos",))
# The fields of shapes.ClaimIn, which a test holds equal.
OF_CLAIM: Final = frozenset(("occurred_at", "source_id", "qty", "serial", "store", "staff", "note"))
router: Final = APIRouter(prefix="/v1", tags=["events"], route_class=Guarded)


@router.post("/events", **schemas.write("EventIn", "Record what happened to a member", "Booked", parked=True))
async def post_event(request: Request) -> Response:
    """One observation: a contact, a tip, an attestation, a repair, a settled purchase, a change of attribute, …

    What it names need not be here yet: it is then stored and answered 202, and counts when the other one arrives.
    """
    write = await write_of(request)
    programme = await write.service.readers.programme_of(write.caller.dealer_id)
    store = await write.service.store_of(write.caller, write.raw.get("store"))
    item = await read_event(write, programme, write.raw, store)
    return answered(request, await write.service.record(item))


@router.post(
    "/members/{code}/entitlements/{entitlement}/claims",
    **schemas.write("ClaimIn", "Claim an entitlement", "Booked"),
)
async def post_claim(request: Request, code: str, entitlement: str) -> Response:
    """Claim what the member's service level gives; above the quota it is refused with the next date."""
    write = await write_of(request)
    raw = write.raw
    errors = unknown_fields(raw, OF_CLAIM)
    if errors:
        raise Malformed(errors)
    digest = hashlib.sha256(f"{write.once.scope}\n{write.once.key}".encode()).hexdigest()[:32]
    said: dict[str, Any] = {
        "occurred_at": stamp(write.service.now()),
        # A claim without a number of its own is known by its idempotency key.
        "source_id": f"claim-{digest}",
        **{name: value for name, value in raw.items() if value is not None},
        "kind": CLAIMED,
        "member": code,
        "entitlement": entitlement,
    }
    programme = await write.service.readers.programme_of(write.caller.dealer_id)
    observation = await observe(write, programme, said)
    return answered(request, await write.service.record(_item(write, programme, observation)))


async def observe(write: Write, programme: Programme, raw: dict[str, Any]) -> Observation:
    """Return the observation that a caller's words are, or raise Malformed."""
    store = await write.service.store_of(write.caller, raw.get("store"))
    late_days = late_days_of(write.caller, programme, write.service.now())
    return await write.service.read(write, lambda days: observed(write, programme, raw, store, days), late_days)


async def read_event(write: Write, programme: Programme, raw: dict[str, Any], store: str) -> Item:
    """Return what is recorded for an event; one whose key has its answer may have become too old since."""
    late_days = late_days_of(write.caller, programme, write.service.now())
    return await write.service.read(write, lambda days: event_item(write, programme, raw, store, days), late_days)


def event_item(write: Write, programme: Programme, raw: dict[str, Any], store: str, late_days: int | None) -> Item:
    """Return what is recorded for an event as the caller tells it; Denied for a word that is not his to give."""
    if write.caller.roles <= _TILLS and str(raw.get("kind")) in STAFF_KINDS:
        raise Denied("forbidden")
    return _item(write, programme, observed(write, programme, raw, store, late_days))


def observed(write: Write, programme: Programme, raw: dict[str, Any], store: str, late_days: int | None) -> Observation:
    """Return the observation that a caller's words are; `store` is the one for which he speaks, "" for many."""
    caller, now = write.caller, write.service.now()
    return read_observation(
        raw,
        source=source_of(caller),
        store=store,
        now_us=now,
        zone=programme.info,
        late_days=late_days,
        currency=programme.currency,
    )


def _item(write: Write, programme: Programme, observation: Observation) -> Item:
    if observation.kind == CLAIMED:
        # Asked in the writer's thread under the member's lock: what is committed then is all that came before.
        readers = write.service.readers
        check = claim_check(
            observation,
            programme.zone,
            lambda members: readers.here(lambda link: contributions_of(link, members, (CLAIMED,))),
        )
        return Claim(write.caller.dealer_id, observation, check, write.once)
    return Observe(write.caller.dealer_id, observation, write.once)
