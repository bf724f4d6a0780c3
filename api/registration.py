"""POST /v1/members and …/attributes: a customer put on file, and what rules read of him."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import forms, schemas, staff_shapes
from api.answers import answered
from api.member_events import said_of
from api.members import Code
from api.personal import bad_texts
from api.rights import Guarded
from api.service import write_of
from tierengine.errors import FormError, Malformed
from tierengine.judging.values import Values, is_personal
from tierengine.membership.people import NewMember, create_members
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids

router: Final = APIRouter(prefix="/v1/members", tags=["members"], route_class=Guarded)


@router.post("", **schemas.write("MemberIn", "Put a customer on file", "Registered"))
async def post_member(request: Request) -> Response:
    """Put a customer on file under a code of the dealer's own. What is personal is stored apart, sealed."""
    write = await write_of(request)
    form = forms.read(staff_shapes.MemberIn, write.raw)
    values = Values({}, "")
    code = values.identifier("/member", form.member)
    errors = list(values.errors)
    if code is None and not errors:
        errors.append(FormError("/member", "missing"))
    if code is not None and is_personal(code):
        errors.append(FormError("/member", "personal_data"))  # it stands in the book for ever
    errors += bad_texts(form.name, form.contact, form.note, form.phones)
    if errors or code is None:
        raise Malformed(errors)
    service, dealer, now = write.service, write.caller.dealer_id, write.service.now()
    new = NewMember(code, form.name.strip(), tuple(form.phones), form.form, form.note.strip(), form.contact.strip())
    vault = service.vault if new.person else None

    def act(link: Link, ids: Ids) -> dict[str, Any]:
        create_members(link, ids, dealer, [new], now, vault)
        return {"member": code}

    return answered(request, await service.act(dealer, write.once, act))


@router.post("/{code}/attributes", **schemas.write("AttributeIn", "Change an attribute", "Booked"))
async def post_attribute(request: Request, code: Code) -> Response:
    """Change what rules read of a member, from an instant on: an event like any other, `attribute_changed`."""
    return await said_of(request, code, "attribute_changed", staff_shapes.AttributeIn)
