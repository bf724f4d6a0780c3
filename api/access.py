"""Keys and logins over HTTP, for admins: list, make, rotate, revoke; and the audit, for auditors.

What is made here is shown once, so no answer of these calls is kept under an Idempotency-Key: a made key whose reply
was lost is revoked and made again. All acts are in the audit, in the transaction that does them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import access_shapes as shapes
from api import forms, schemas
from api.answers import plain
from api.bodies import parse, read_bytes
from api.errors import request_id
from api.rights import Guarded
from api.service import caller_of, service_of, stamp
from tierengine.access import audit, keys, passwords, staff
from tierengine.access.audit import Acting
from tierengine.errors import Denied, FormError, Malformed, Unknown
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.zone import DAY, HOUR

router: Final = APIRouter(prefix="/v1", tags=["access"], route_class=Guarded)

Done = TypeVar("Done")
Prefix = Annotated[str, Path(pattern="^[0-9a-f]{12}$", description="The twelve digits after te_.")]
Login = Annotated[str, Path(min_length=1, max_length=100)]
_STORE: Final = "SELECT id FROM store WHERE dealer_id = ?1 AND code = ?2"


@router.get("/keys", **schemas.read("The dealer's API keys", "KeyList"))
async def list_keys(request: Request) -> Response:
    """List every key with its state and last use (to the minute). Nothing listed opens anything."""
    service, caller = service_of(request), _of_the_dealer(request)
    found = await service.readers.ask(lambda link: keys.every(link, caller.dealer_id))
    now = service.now()
    listed = [
        {
            "prefix": one.prefix, "name": one.name, "roles": one.roles, "store": one.store or None,
            "state": one.state(now), "created_at": stamp(one.created_at), "expires_at": _moment(one.expires_at),
            "last_used_at": _moment(one.last_used_at), "revoked_at": _moment(one.revoked_at),
        }
        for one in found
    ]  # fmt: skip
    return plain({"keys": listed})


@router.post("/keys", **schemas.act("KeyIn", "Make an API key", "MadeKey"))
async def post_key(request: Request) -> Response:
    """Make a key for a store or a batch. It is shown in this answer and never again; only an HMAC of it is kept."""
    wanted = await _body(request, shapes.KeyIn)
    if "pos" in wanted.roles and wanted.store is None:
        raise Malformed([FormError("/store", "missing")])
    secret = service_of(request).keys.secret

    def act(by: Acting) -> keys.Made:
        ends = None if wanted.days is None else by.now + wanted.days * DAY
        store = _store(by, wanted.store)
        return keys.create(by, secret, wanted.roles, store_id=store, name=wanted.name, expires_at=ends)

    made = await _act(request, act)
    return plain({"key": made.key, "prefix": made.prefix}, 201)


@router.post("/keys/{prefix}/rotate", **schemas.act("RotateIn", "Replace a key without an interruption", "MadeKey"))
async def post_rotation(request: Request, prefix: Prefix) -> Response:
    """Make a key with the same rights. The old one stays valid beside it for `keep_hours`, or until it is revoked."""
    wanted = await _body(request, shapes.RotateIn)
    secret = service_of(request).keys.secret
    made = await _act(request, lambda by: keys.rotate(by, secret, prefix, keep=wanted.keep_hours * HOUR))
    return plain({"key": made.key, "prefix": made.prefix}, 201)


@router.post("/keys/{prefix}/revoke", **schemas.act("NothingIn", "Revoke a key", "Done", status=200))
async def post_revocation(request: Request, prefix: Prefix) -> Response:
    """End a key; every process refuses it within two seconds."""
    await _body(request, shapes.NothingIn)
    await _act(request, lambda by: keys.revoke(by, prefix))
    return plain({"status": "done"})


@router.get("/staff", **schemas.read("The dealer's logins", "StaffList"))
async def list_staff(request: Request) -> Response:
    """List every login, disabled ones too."""
    service, caller = service_of(request), _of_the_dealer(request)
    found = await service.readers.ask(lambda link: staff.every(link, caller.dealer_id))
    listed = [
        {
            "login": one.login, "name": one.name, "roles": one.roles, "store": one.store or None,
            "created_at": stamp(one.created_at), "disabled_at": _moment(one.disabled_at),
        }
        for one in found
    ]  # fmt: skip
    return plain({"staff": listed})


@router.post("/staff", **schemas.act("StaffIn", "Put a login on file", "Done"))
async def post_staff(request: Request) -> Response:
    """Add somebody of the staff. The first admin is made at the command line: `tierengine staff bootstrap`."""
    wanted = await _body(request, shapes.StaffIn)
    login = staff.login_of(wanted.login)
    digest = await asyncio.to_thread(passwords.hashed, wanted.password, login)

    def act(by: Acting) -> None:
        staff.add(by, login, digest, wanted.roles, name=wanted.name, store_id=_store(by, wanted.store))

    await _act(request, act)
    return plain({"status": "done"}, 201)


@router.post("/staff/{login}/password", **schemas.act("PasswordIn", "Give another password", "Done", status=200))
async def post_password(request: Request, login: Login) -> Response:
    """Give a login another password; sessions opened with the old one are over."""
    wanted, name = await _body(request, shapes.PasswordIn), staff.login_of(login)
    digest = await asyncio.to_thread(passwords.hashed, wanted.password, name)
    await _act(request, lambda by: staff.change_password(by, name, digest))
    return plain({"status": "done"})


@router.post("/staff/{login}/disable", **schemas.act("NothingIn", "Disable a login", "Done", status=200))
async def post_disabling(request: Request, login: Login) -> Response:
    """End a login and its sessions; every process refuses them within two seconds. The last admin stays."""
    await _body(request, shapes.NothingIn)
    name = staff.login_of(login)
    await _act(request, lambda by: staff.disable(by, name))
    return plain({"status": "done"})


@router.get("/audit", **schemas.read("What the staff did, newest first", "AuditPage"))
async def get_audit(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=audit.MOST)] = 50,
    cursor: Annotated[str | None, Query(max_length=40, description="`next` of the page before.")] = None,
    actor: Annotated[str, Query(max_length=100, description="staff:LOGIN, key:PREFIX or command:USER.")] = "",
    subject: Annotated[str, Query(max_length=200, description="What it was about, as member:CODE.")] = "",
) -> Response:
    """Tell the acts of the staff; they are insert only, and sealed into the same chain as the ledger."""
    service, caller = service_of(request), _of_the_dealer(request)
    before = audit.LAST if cursor is None else audit.read_cursor(cursor)
    if before is None:
        raise Malformed([FormError("/cursor", "bad_text")])
    for pointer, text in (("/actor", actor), ("/subject", subject)):
        if not text.isprintable():
            raise Malformed([FormError(pointer, "bad_text")])
    found = await service.readers.ask(
        lambda link: audit.page(link, caller.dealer_id, before=before, actor=actor, subject=subject, limit=limit + 1)
    )
    lines = [
        {
            "id": one.number, "at": stamp(one.recorded_at), "actor": one.actor, "act": one.act, "subject": one.subject,
            "request_id": one.request or None, "body": one.body,
        }
        for one in found[:limit]
    ]  # fmt: skip
    return plain({"lines": lines, "next": found[limit - 1].cursor if len(found) > limit else None})


def _of_the_dealer(request: Request) -> Any:
    """Return who asks, unless he belongs to one store: keys, logins and the audit are the whole dealer's."""
    caller = caller_of(request)
    if caller.store_id is not None:
        raise Denied("forbidden")
    return caller


async def _body(request: Request, shape: type[forms.Shape]) -> forms.Shape:
    _of_the_dealer(request)
    return forms.read(shape, parse(await read_bytes(request)))


async def _act(request: Request, act: Callable[[Acting], Done]) -> Done:
    """Do an act in a transaction of its own, as who asks."""
    service, caller = service_of(request), caller_of(request)

    def done(link: Link, ids: Ids) -> Done:
        return act(Acting(link, ids, caller.dealer_id, service.now(), caller.actor, request_id(request)))

    return await asyncio.wrap_future(service.writer.perform(done))


def _store(by: Acting, code: str | None) -> int | None:
    if code is None:
        return None
    rows = by.link.ask(_STORE, by.dealer_id, code).rows() if code.isprintable() else []
    if not rows:
        raise Unknown("unknown_store", store=code[:100] if code.isprintable() else "")
    return int(rows[0][0])


def _moment(at: int | None) -> str | None:
    return None if at is None else stamp(at)
