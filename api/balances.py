"""POST …/adjustments and …/transfers: credit changed by hand, with who did it and why."""

from __future__ import annotations

import hashlib
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import schemas
from api.answers import answered
from api.members import Code, storable
from api.rights import DESK, Guarded
from api.second import by_people
from api.service import Write, write_of
from tierengine.recording.items import Command
from tierengine.till.asked import read_adjustment, read_transfer

router: Final = APIRouter(prefix="/v1/members", tags=["members"], route_class=Guarded)


@router.post(
    "/{code}/adjustments", **schemas.seconded(schemas.write("AdjustmentIn", "Change a balance by hand", "Moved"))
)
async def post_adjustment(request: Request, code: Code) -> Response:
    """Add to or take from a wallet; above the policy's limit it takes a second person, who is not the first.

    Whoever is logged in is `by`; the second person shows a session of his own in `Second-Authorization`. A program
    names both.
    """
    write = await by_people(request, await write_of(request), DESK)
    storable("/code", code)
    programme = await write.service.readers.programme_of(write.caller.dealer_id)
    act = read_adjustment(write.raw, programme.zone, _digest(write))
    return answered(request, await write.service.record(Command(write.caller.dealer_id, (code,), act, write.once)))


@router.post("/{code}/transfers", **schemas.write("TransferIn", "Hand credit to an account of the firm", "Moved"))
async def post_transfer(request: Request, code: Code) -> Response:
    """Move credit to another account of the same firm, where the policy allows it; every part keeps its dates."""
    write = await by_people(request, await write_of(request), DESK)
    storable("/code", code)
    to, act = read_transfer(write.raw, _digest(write))
    return answered(request, await write.service.record(Command(write.caller.dealer_id, (code, to), act, write.once)))


def _digest(write: Write) -> str:
    """Return the number of a command that brings none: that of its idempotency key."""
    return hashlib.sha256(f"{write.once.scope}\n{write.once.key}".encode()).hexdigest()[:32]
