"""Stores: the places of sale to which the keys of tills belong."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import forms, schemas, staff_shapes
from api.answers import answered, plain
from api.rights import Guarded
from api.service import caller_of, service_of, write_of
from tierengine.errors import Denied
from tierengine.membership import stores
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids

router: Final = APIRouter(prefix="/v1/stores", tags=["stores"], route_class=Guarded)


@router.get("", **schemas.read("The stores", "Stores"))
async def get_stores(request: Request) -> Response:
    """List the dealer's stores by code; who belongs to one store sees that one."""
    service, caller = service_of(request), caller_of(request)
    found = await service.readers.ask(lambda link: stores.stores(link, caller.dealer_id))
    return plain({"stores": [one for one in found if caller.store in ("", one["store"])]})


@router.post("", **schemas.write("StoreIn", "Put a store on file", "StoreMade"))
async def post_store(request: Request) -> Response:
    """Put a place of sale on file under a code of the dealer's own; then tills get keys for it."""
    write = await write_of(request)
    if write.caller.store_id is not None:
        raise Denied("forbidden")
    form = forms.read(staff_shapes.StoreIn, write.raw)
    code, name = stores.read_store(form.store, form.name)
    dealer = write.caller.dealer_id

    def act(link: Link, ids: Ids) -> dict[str, Any]:
        stores.create_store(link, ids, dealer, code, name)
        return {"store": code, "name": name}

    return answered(request, await write.service.act(dealer, write.once, act))
