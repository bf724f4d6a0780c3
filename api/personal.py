"""…/person, …/export, …/erasure: what is personal of a member put right, handed out to himself, or destroyed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import forms, schemas, staff_shapes
from api.answers import answered, plain
from api.bodies import parse, read_bytes
from api.errors import request_id
from api.member_events import said_of
from api.members import Code, storable
from api.rights import EXPORTS, Guarded
from api.second import by_people
from api.service import caller_of, service_of, stamp, write_of
from tierengine.access.audit import Acting
from tierengine.access.second import two
from tierengine.errors import Denied, FormError, Malformed, unknown_fields
from tierengine.membership.consents import consents
from tierengine.membership.export import export
from tierengine.personal import records
from tierengine.personal.erasure import erase, erased_at, lock, member_id, plan
from tierengine.personal.records import Person
from tierengine.policies.wording import naming
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids

router: Final = APIRouter(prefix="/v1/members", tags=["personal data"], route_class=Guarded)


@router.post("/{code}/person", **schemas.write("PersonIn", "Put personal data right", "Registered"))
async def post_person(request: Request, code: Code) -> Response:
    """Replace name, phones, contact or note: what is named is replaced, "" or [] takes it away, the rest stays."""
    write = await write_of(request)
    storable("/code", code)
    form = forms.read(staff_shapes.PersonIn, write.raw)
    if errors := bad_texts(form.name or "", form.contact or "", form.note or "", form.phones or []):
        raise Malformed(errors)
    named = [name for name in records.FIELDS if getattr(form, name) is not None]
    if not named:
        raise Malformed([FormError("", "not_one_of", {"expected": ", ".join(records.FIELDS)})])
    person = Person((form.name or "").strip(), tuple(form.phones or ()), (form.contact or "").strip(), form.note or "")
    dealer, vault = write.caller.dealer_id, write.service.vault

    def act(link: Link, _: Ids) -> dict[str, Any]:
        number = member_id(link, dealer, code)
        lock(link, number)
        if erased_at(link, number) is None:
            records.change(link, vault, dealer, number, person, named)
        return {"member": code}

    return answered(request, await write.service.act(dealer, write.once, act))


@router.post("/{code}/consents", **schemas.write("ConsentIn", "A consent is given or withdrawn", "Booked"))
async def post_consent(request: Request, code: Code) -> Response:
    """Record a member's word on a purpose: an event like any other, `consent_changed`. His last word counts."""
    return await said_of(request, code, "consent_changed", staff_shapes.ConsentIn, signed=True)


@router.get("/{code}/consents", **schemas.read("What a member agreed to", "Consents"))
async def get_consents(request: Request, code: Code) -> Response:
    """Tell each purpose as it stands, and every word on it."""
    service, caller = service_of(request), caller_of(request)
    storable("/code", code)
    return plain(
        await service.readers.see(lambda link: consents(link, service.readers.programme(link, caller.dealer_id), code))
    )


@router.post("/{code}/export", **schemas.act("NothingIn", "Everything held on a member", "Export"))
async def post_export(request: Request, code: Code) -> Response:
    """Hand out all that is held on one member, with Chinese and English labels; that it was, is in the audit.

    The answer is kept nowhere, so this has no Idempotency-Key.
    """
    service, caller = service_of(request), caller_of(request)
    _of_the_dealer(request)
    storable("/code", code)
    _nothing(parse(await read_bytes(request)))
    vault, now = service.vault, service.now()
    told = await service.readers.see(lambda link: export(link, vault, caller.dealer_id, code, now))

    def note(link: Link, ids: Ids) -> None:
        by = Acting(link, ids, caller.dealer_id, now, caller.actor, request_id(request))
        by.note("member.export", f"member:{told['member']}")

    await asyncio.wrap_future(service.writer.perform(note))
    return plain(told, 201)


@router.get("/{code}/erasure", **schemas.read("What stands against an erasure", "ErasurePlan"))
async def get_erasure(request: Request, code: Code) -> Response:
    """Tell what erasing this member would give up, and what refuses it. Nothing is written."""
    service, caller = service_of(request), caller_of(request)
    _of_the_dealer(request)
    storable("/code", code)
    found = await service.readers.see(lambda link: plan(link, caller.dealer_id, code, service.now()))
    at = None if found.erased_at is None else stamp(found.erased_at)
    return plain(
        {"member": found.code, "erased_at": at, "holds": found.holds, "credit": found.credit, "debts": found.debts,
         "forfeit": found.forfeit}
    )  # fmt: skip


@router.post("/{code}/erasure", **schemas.seconded(schemas.write("ErasureIn", "Erase a member's data", "Erased")))
async def post_erasure(request: Request, code: Code) -> Response:
    """Destroy the key of a member's personal data: names, phones and free text are gone for ever, the book stays.

    It takes two people. Refused while a hold is open, and while he has credit or owes something unless `forfeit` says
    that it is given up.
    """
    write = await by_people(request, await write_of(request), EXPORTS)
    storable("/code", code)
    form = forms.read(staff_shapes.ErasureIn, write.raw)
    first, second = form.by or "", form.second or ""
    storable("/by", first)
    storable("/second", second)
    if not first:
        raise Malformed([FormError("/by", "missing")])
    two(first, second)
    dealer, service, actor = write.caller.dealer_id, write.service, write.caller.actor
    _of_the_dealer(request)
    vault, now = service.vault, service.now()
    once = write.once if write.once.by is None else replace(write.once, by=replace(write.once.by, second=second))

    def act(link: Link, ids: Ids) -> dict[str, Any]:
        by = Acting(link, ids, dealer, now, actor, request_id(request))
        with naming(by.link, by.dealer_id):
            done = erase(by, vault, code, first=first, second=second, forfeit=form.forfeit)
        return {"member": code, "erased_at": stamp(done.recorded_at)}

    return answered(request, await service.act(dealer, once, act))


def bad_texts(name: str, contact: str, note: str, phones: list[str]) -> list[FormError]:
    """Return what of personal data has characters that no database stores or no page shows."""
    texts = [("/name", name), ("/contact", contact), *((f"/phones/{at}", one) for at, one in enumerate(phones))]
    errors = [FormError(pointer, "bad_text") for pointer, text in texts if not text.isprintable()]
    if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in note):
        errors.append(FormError("/note", "bad_text"))
    return errors


def _nothing(raw: dict[str, Any]) -> None:
    if raw:
        raise Malformed(unknown_fields(list(raw)[:20], ()))


def _of_the_dealer(request: Request) -> None:
    """Refuse who belongs to one store: a member, and all that is known of him, is the whole dealer's."""
    if caller_of(request).store_id is not None:
        raise Denied("forbidden")
