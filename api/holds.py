"""POST /v1/holds and what ends them: credit in two phases, for tills that need it. Same order, same hold."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api import schemas
from api.answers import answered
from api.rights import Guarded
from api.service import Write, write_of
from tierengine.errors import Unknown
from tierengine.judging.clock import ANSWERED
from tierengine.recording.acts import CaptureHold, VoidHold
from tierengine.recording.items import Command
from tierengine.till.asked import read_capture, read_hold, read_void

router: Final = APIRouter(prefix="/v1/holds", tags=["holds"], route_class=Guarded)

Number = Annotated[int, Path(ge=1, le=1 << 62, description="The hold's id.")]
_OWNER: Final = (
    "SELECT m.code, h.cluster FROM hold h JOIN member m ON m.id = h.member_id WHERE h.id = ?1 AND h.dealer_id = ?2"
)


@router.post("", **schemas.write("HoldIn", "Hold credit for an order", "HeldFor"))
async def post_hold(request: Request) -> Response:
    """Tie up an amount of a wallet for an order until it is captured, voided, or its time is over.

    The same order and wallet give the same hold, whatever became of it; with another amount it is a conflict. It lasts
    as long as the policy says, or until an earlier `expires_at`, and then frees itself.
    """
    write = await write_of(request)
    service, caller = write.service, write.caller
    store = await service.store_of(caller, write.raw.get("store"))
    now = service.now()
    member, act = await service.read(
        write, lambda days: read_hold(write.raw, store=store, now_us=now, again=days == ANSWERED), 0
    )
    return answered(request, await service.record(Command(caller.dealer_id, (member,), act, write.once)))


@router.post("/{hold}/capture", **schemas.write("CaptureIn", "Capture all or part of a hold", "HeldFor"))
async def post_capture(request: Request, hold: Number) -> Response:
    """Take what is held, or part of it; what is left is freed or kept, as the policy says. Never more than is held."""
    write = await write_of(request)
    act = CaptureHold(hold, read_capture(write.raw))
    item = Command(write.caller.dealer_id, (await _owner(write, hold),), act, write.once)
    return answered(request, await write.service.record(item))


@router.post("/{hold}/void", **schemas.write("VoidIn", "Free a hold", "HeldFor"))
async def post_void(request: Request, hold: Number) -> Response:
    """Free what is left of a hold; one that lapsed already is free, and this says so."""
    write = await write_of(request)
    read_void(write.raw)
    item = Command(write.caller.dealer_id, (await _owner(write, hold),), VoidHold(hold), write.once)
    return answered(request, await write.service.record(item))


async def _owner(write: Write, hold: int) -> str:
    """Return whose hold it is; to another store or dealer it is not there."""
    caller = write.caller
    rows = await write.service.readers.ask(lambda link: link.ask(_OWNER, hold, caller.dealer_id).rows())
    if not rows or (caller.store and rows[0][1].split(":")[1] != caller.store):
        raise Unknown("unknown_hold", hold=hold)
    return str(rows[0][0])
