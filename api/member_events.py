"""What staff say of a member with a call of its own: recorded as an event like any other, one for each request."""

from __future__ import annotations

import hashlib

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api import forms
from api.answers import answered
from api.events import read_event
from api.members import storable
from api.service import stamp, write_of


async def said_of(request: Request, code: str, kind: str, shape: type[BaseModel], *, signed: bool = False) -> Response:
    """Record a body of this shape as an event of this kind, from now on unless it says when; answer what was booked.

    The event is numbered by the request's key, so that the same request is the same event. `signed` adds who is logged
    in, where somebody is.
    """
    write = await write_of(request)
    storable("/code", code)
    raw = {name: value for name, value in write.raw.items() if value is not None}
    forms.read(shape, raw)
    digest = hashlib.sha256(f"{write.once.scope}\n{write.once.key}".encode()).hexdigest()[:32]
    own = {"staff": write.caller.login} if signed and write.caller.login else {}
    said = {"occurred_at": stamp(write.service.now()), "source_id": f"{kind.partition('_')[0]}-{digest}", **raw, **own}
    said |= {"kind": kind, "member": code}
    programme = await write.service.readers.programme_of(write.caller.dealer_id)
    store = await write.service.store_of(write.caller, None)
    return answered(request, await write.service.record(await read_event(write, programme, said, store)))
