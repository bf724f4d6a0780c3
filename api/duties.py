"""Duties over HTTP: what is owed to members and not done, and that it was done."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import forms, schemas, staff_shapes
from api.answers import answered, plain
from api.events import read_event
from api.instants import told
from api.members import storable
from api.rights import Guarded
from api.service import asker_of, caller_of, service_of, stamp, write_of
from rules.policy import Text
from rules.policy.text import title
from tierengine.membership.reasons import said
from tierengine.service.duties import MINUTE
from tierengine.service.dutybook import MemberDuty, read_duties
from tierengine.service.owners import owner_of
from tierengine.store.dialect import Link

router: Final = APIRouter(prefix="/v1/duties", tags=["duties"], route_class=Guarded)
PAGE_MOST: Final = 500
Sought = Annotated[str | None, Query(min_length=1, max_length=100)]


@router.get("", **schemas.read("What is owed to members", "Duties"))
async def get_duties(
    request: Request,
    member: Sought = None,
    owner: Annotated[str | None, Query(min_length=1, max_length=100, description="A manager or a role.")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MOST)] = 50,
    cursor: Annotated[int, Query(ge=0, le=1 << 62, description="`next` of the page before.")] = 0,
    lang: schemas.Lang | None = None,
) -> Response:
    """List what is open or late, the longest due first, for all members or one, of all who owe or one."""
    service, caller = service_of(request), caller_of(request)
    asker, now = asker_of(request, caller, lang), service.now()
    for name, value in (("member", member), ("owner", owner)):
        storable(f"/{name}", value or "")

    def waiting(link: Link) -> dict[str, Any]:
        programme = service.readers.programme(link, caller.dealer_id)
        book = read_duties(link, programme, now, codes=None if member is None else [member])
        found = [
            one
            for one in book.duties
            if one.owed.status(now) in ("open", "late") and (owner is None or owner_of(one) == owner)
        ]
        found.sort(key=lambda one: (one.owed.due_at, one.member, one.owed.duty, one.owed.cause))
        return {
            "as_of": told(now),
            "duties": [_duty(one, now, asker.lang) for one in found[cursor : cursor + limit]],
            "next": cursor + limit if cursor + limit < len(found) else None,
        }

    return plain(await service.readers.see(waiting))


@router.post("/done", **schemas.write("DoneIn", "A duty was done", "Booked", parked=True))
async def post_done(request: Request) -> Response:
    """Record that a duty was done: an event like any other, `duty_done`."""
    write = await write_of(request)
    raw = {name: value for name, value in write.raw.items() if value is not None}
    forms.read(staff_shapes.DoneIn, raw)
    digest = hashlib.sha256(f"{write.once.scope}\n{write.once.key}".encode()).hexdigest()[:32]
    said_ = {"occurred_at": stamp(write.service.now()), "source_id": f"done-{digest}", **raw, "kind": "duty_done"}
    programme = await write.service.readers.programme_of(write.caller.dealer_id)
    store = await write.service.store_of(write.caller, None)
    return answered(request, await write.service.record(await read_event(write, programme, said_, store)))


def _duty(one: MemberDuty, now: int, lang: str) -> dict[str, Any]:
    owed = one.owed
    return {
        "member": one.member,
        "duty": owed.duty,
        "title": said(title(Text(owed.title_zh, owed.title_en), owed.duty), lang),
        "owner": owner_of(one),
        "role": owed.owner,
        "manager": one.manager or None,
        "level": owed.level,
        "cause": owed.cause,
        "due": told(owed.due_at),
        "status": owed.status(now),
        "late_minutes": max(0, (now - owed.due_at) // MINUTE),
        "escalate_to": owed.escalate_to or None,
        "escalate_at": None if owed.escalate_at is None else told(owed.escalate_at),
    }
