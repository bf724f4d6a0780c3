"""Logging in and out over HTTP. A token is shown once; only an HMAC of it is kept, and no answer under any key."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import access_shapes as shapes
from api import forms, schemas
from api.answers import plain
from api.bodies import parse, read_bytes
from api.errors import Problem, request_id
from api.rights import Guarded, by_name
from api.service import Service, caller_of, service_of, stamp
from tierengine.access import passwords, sessions
from tierengine.access.audit import Acting
from tierengine.access.sessions import Known, Opened
from tierengine.access.staff import login_of
from tierengine.errors import Denied, Malformed, Refused
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.zone import SECOND

router: Final = APIRouter(prefix="/v1/sessions", tags=["sessions"], generate_unique_id_function=by_name)
mine: Final = APIRouter(prefix="/v1/sessions/current", tags=["sessions"], route_class=Guarded)


@router.post("", **schemas.act("SessionIn", "Log in", "Session", open_=True))
async def post_session(request: Request) -> Response:
    """Open a session with login and password; a wrong one tells neither which of them is wrong nor which there are.

    After five failures a login waits, longer each time; an address may try only so often.
    """
    service = service_of(request)
    wanted = forms.read(shapes.SessionIn, parse(await read_bytes(request)))
    try:
        login = login_of(wanted.login)
    except Malformed:
        raise Denied("log_in_failed") from None
    service.limits.knock(request, login)
    found = await service.readers.ask(lambda link: sessions.known(link, login, service.now()))
    wait = found.wait_until - service.now()
    if wait > 0:
        raise Problem("too_many_log_ins", seconds=wait // SECOND + 1)
    async with service.limits.hashing:
        good = await asyncio.to_thread(passwords.matches, found.digest, wanted.password)
        due = good and passwords.outdated(found.digest)
        rehash = await asyncio.to_thread(passwords.hashed, wanted.password) if due else ""
    if not good or not found.number:
        if found.number:
            await _perform(service, request, found, login, None, "")
        raise Denied("log_in_failed")
    opened = await _perform(service, request, found, login, service.settings.session_hours * 3_600 * SECOND, rehash)
    assert opened is not None  # noqa: S101
    service.limits.came_in(request, login)
    told = {
        "token": opened.token, "login": login, "roles": opened.roles, "store": found.store or None,
        "expires_at": stamp(opened.expires_at), "idle_minutes": service.settings.session_idle_minutes,
    }  # fmt: skip
    return plain(told, 201)


@mine.get("", **schemas.read("Who I am", "Myself"))
async def get_session(request: Request) -> Response:
    """Tell whose key or session this is and what it may."""
    caller = caller_of(request)
    ends = caller.expires_at
    return plain(
        {
            "actor": caller.actor,
            "roles": sorted(caller.roles),
            "store": caller.store or None,
            "expires_at": None if ends is None else stamp(ends),
        }
    )


@mine.delete("", status_code=204, **schemas.end("Log out"))
async def delete_session(request: Request) -> Response:
    """End this session, here at once and in every process within two seconds. A key is not ended so: 409."""
    service, caller = service_of(request), caller_of(request)
    if not caller.login:
        raise Refused("not_a_session")

    def act(link: Link, ids: Ids) -> None:
        by = Acting(link, ids, caller.dealer_id, service.now(), caller.actor, request_id(request))
        sessions.close_session(by, caller.prefix)

    await asyncio.wrap_future(service.writer.perform(act))
    service.keys.forget(request)
    return Response(status_code=204)


async def _perform(
    service: Service, request: Request, found: Known, login: str, lasts: int | None, rehash: str
) -> Opened | None:
    def act(link: Link, ids: Ids) -> Opened | None:
        by = Acting(link, ids, found.dealer_id, service.now(), f"staff:{login}", request_id(request))
        if lasts is None:
            sessions.failed(by, found)
            return None
        return sessions.open_session(by, service.keys.secret, found, lasts=lasts, rehash=rehash)

    return await asyncio.wrap_future(service.writer.perform(act))
