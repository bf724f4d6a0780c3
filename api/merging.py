"""POST …/merge and …/unmerge: two members on file are one customer, or are not."""

from __future__ import annotations

import hashlib
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import schemas
from api.answers import answered
from api.members import Code, storable
from api.rights import Guarded
from api.service import write_of
from tierengine.membership.merging import read_merge, read_unmerge

router: Final = APIRouter(prefix="/v1/members", tags=["members"], route_class=Guarded)


@router.post("/{code}/merge", **schemas.write("MergeIn", "Merge a member into another", "Booked"))
async def post_merge(request: Request, code: Code) -> Response:
    """Say that two members were always one: this one is folded into the other from the beginning of both.

    Whoever names him from now on is answered with the other, with `merged_into`. Nothing of either is moved.
    """
    write = await write_of(request)
    storable("/code", code)
    digest = hashlib.sha256(f"{write.once.scope}\n{write.once.key}".encode()).hexdigest()[:32]
    item = read_merge(
        write.raw, code, dealer=write.caller.dealer_id, now_us=write.service.now(), otherwise=digest,
        by=write.caller.login or write.caller.actor, once=write.once,
    )  # fmt: skip
    return answered(request, await write.service.record(item))


@router.post("/{code}/unmerge", **schemas.write("UnmergeIn", "Take a merge back", "Booked"))
async def post_unmerge(request: Request, code: Code) -> Response:
    """Cancel a member's merge: both are as if it had never been. What one spent of the other's stays spent."""
    write = await write_of(request)
    storable("/code", code)
    dealer = write.caller.dealer_id
    item = await write.service.readers.ask(
        lambda link: read_unmerge(link, write.raw, code, dealer=dealer, once=write.once)
    )
    return answered(request, await write.service.record(item))
