"""Offline allowances: signed slips that a till verifies by itself while its line is down, and those revoked."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import schemas
from api.answers import answered, plain
from api.rights import Guarded, by_name
from api.service import caller_of, service_of, write_of
from tierengine.judging.history import LAST
from tierengine.membership.known import read_member
from tierengine.membership.stand import stand
from tierengine.policies.versions import Programme
from tierengine.recording.acts import EndSlip, IssueSlip
from tierengine.recording.items import Command
from tierengine.recording.slips import LASTS_MOST
from tierengine.store.dialect import Link
from tierengine.store.snapshots import snapshot
from tierengine.till import slips
from tierengine.till.signing import REVOKED
from tierengine.zone import SECOND

# Asked by whoever verifies a slip; a public key is for everybody.
public: Final = APIRouter(tags=["offline"], generate_unique_id_function=by_name)
router: Final = APIRouter(prefix="/v1/offline-allowances", tags=["offline"], route_class=Guarded)

PAGE: Final = 1_000
Limit = Annotated[int, Query(ge=1, le=10_000, description="Most ids on a page.")]
Cursor = Annotated[
    str, Query(max_length=slips.ID_MOST, pattern="^[0-9a-f-]*$", description="`next` of the page before.")
]
Slip = Annotated[str, Path(min_length=1, max_length=slips.ID_MOST, description="The slip's id (`jti`).")]


@router.post("", **schemas.write("SlipIn", "Give a till a slip to go by without the line", "SlipMade"))
async def post_slip(request: Request) -> Response:
    """Sign a slip: the member's tier, the prices a till can work out, and the credit he may use until it ends.

    It is a JWT (EdDSA); the published keys verify it. A sale made with it is sent later with `slip`, and is booked as
    charged, judged by the policy in force when it happened, and never refused.
    """
    write = await write_of(request)
    service, caller = write.service, write.caller
    store = await service.store_of(caller, write.raw.get("store"))
    member, store, till = slips.read_request(write.raw, store, caller.scope)
    programme, now = await service.readers.programme_of(caller.dealer_id), service.now()
    act = await service.readers.ask(lambda link: _slip(link, programme, member, (store, till), now))
    answer = await service.record(Command(caller.dealer_id, (member,), act, write.once))
    if answer.number >= 400:
        return answered(request, answer)
    token = slips.signed(service.signer, caller.dealer_id, answer.body["slip"])
    return answered(request, answer, {"token": token})


@router.post("/{slip}/revoke", **schemas.write("SlipEndIn", "Revoke a slip", "SlipEnded"))
async def post_slip_end(request: Request, slip: Slip) -> Response:
    """End a slip before its time: what is sold with it from now on is not covered."""
    write = await write_of(request)
    service, caller = write.service, write.caller
    reason = slips.read_end(write.raw)
    owner = await service.readers.ask(lambda link: slips.owner_of(link, caller.dealer_id, caller.store, slip))
    return answered(
        request, await service.record(Command(caller.dealer_id, (owner,), EndSlip(slip, reason), write.once))
    )


@router.get("/revoked", **schemas.read("The slips that were revoked, signed", "SlipsRevoked"))
async def get_revoked(request: Request, cursor: Cursor = "", limit: Limit = PAGE) -> Response:
    """Return the revoked slips that are not over yet, page by page, each as a JWT too.

    `next` is the `cursor` of the following page, null on the last. The token says both, so that no page can be left out
    unseen: a till takes a list for the whole when it begins without a cursor and ends without a next one.
    """
    service, caller = service_of(request), caller_of(request)
    now = service.now()
    found = await service.readers.ask(
        lambda link: slips.revoked(link, caller.dealer_id, now - LASTS_MOST, cursor, limit + 1)
    )
    page = found[:limit]
    told: dict[str, Any] = {"revoked": page, "next": page[-1] if len(found) > limit else None}
    said = {"iss": f"tierengine:{caller.dealer_id}", "iat": now // SECOND, "cursor": cursor, **told}
    return plain({**told, "token": service.signer.slip(said, REVOKED)})


@public.get("/.well-known/jwks.json", summary="The keys that verify slips (JWK Set)")
async def get_slip_keys(request: Request) -> Response:
    """Return the public keys, the newest first. A key is published as long as what it signed is good."""
    return plain(service_of(request).signer.keys())


def _slip(link: Link, programme: Programme, member: str, where: tuple[str, str], now: int) -> IssueSlip:
    with snapshot(link):
        known = read_member(link, programme, member)
        position = max((now, LAST, ""), known.head)
        return slips.slip_for(stand(known, position, known.source()), *where, now, programme.zone)
