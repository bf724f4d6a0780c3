"""GET /v1/members…: a member with every why, his wallets, his statement; and the look-up by phone, card or machine."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator
from starlette.responses import Response

from api import schemas
from api.answers import plain
from api.instants import Instant, microseconds
from api.rights import Guarded
from api.service import asker_of, caller_of, plain_code, service_of
from tierengine.errors import FormError, Malformed
from tierengine.membership.activity import STATEMENT_MOST, statement
from tierengine.membership.past import DECISIONS_MOST, explain
from tierengine.membership.people import SEALED
from tierengine.membership.people import find_members as find
from tierengine.membership.statements import MOST, Period
from tierengine.membership.statements import statement as period_statement
from tierengine.membership.view import view
from tierengine.membership.wallets import balance
from tierengine.store.dialect import Link

router: Final = APIRouter(prefix="/v1/members", tags=["members"], route_class=Guarded)

Code = Annotated[str, Path(min_length=1, max_length=100, description="The member's code."), AfterValidator(plain_code)]
Sought = Annotated[str | None, Query(min_length=1, max_length=100)]


@router.get("", **schemas.read("Find members by phone, name, card or machine", "Found"))
async def find_members(
    request: Request, phone: Sought = None, name: Sought = None, card_no: Sought = None, serial: Sought = None
) -> Response:
    """Find members by exactly one of them. Codes are told, never names or phones."""
    service = service_of(request)
    caller = caller_of(request)
    given = {"phone": phone, "name": name, "card_no": card_no, "serial": serial}
    asked = [(by, value) for by, value in given.items() if value]
    if len(asked) != 1:
        raise Malformed([FormError("", "not_one_of", {"expected": "phone, name, card_no, serial"})])
    by, value = asked[0]
    storable(f"/{by}", value)
    vault = service.vault if by in SEALED else None
    found = await service.readers.ask(lambda link: find(link, caller.dealer_id, by, value, vault))
    return plain({"members": [{"member": code} for _, code in found]})


@router.get("/{code}", **schemas.read("A member with every why and why not", "Member"))
async def get_member(request: Request, code: Code, lang: schemas.Lang | None = None) -> Response:
    """Tell a member as of now, each trait, price and reward with the reason, and what the next tier takes."""
    service = service_of(request)
    caller = caller_of(request)
    storable("/code", code)
    asker, now = asker_of(request, caller, lang), service.now()
    return plain(
        await service.readers.see(
            lambda link: view(link, service.readers.programme(link, caller.dealer_id), code, now, asker)
        )
    )


@router.get("/{code}/balance", **schemas.read("A member's wallets with their lots", "Balance"))
async def get_balance(request: Request, code: Code, lang: schemas.Lang | None = None) -> Response:
    """Tell what a member has, lot by lot with its last day; the lots sum to what is available and held."""
    service = service_of(request)
    caller = caller_of(request)
    storable("/code", code)
    asker, now = asker_of(request, caller, lang), service.now()
    return plain(
        await service.readers.see(
            lambda link: balance(link, service.readers.programme(link, caller.dealer_id), code, now, asker)
        )
    )


@router.get("/{code}/ledger", **schemas.read("A member's statement, newest first", "Statement"))
async def get_ledger(
    request: Request,
    code: Code,
    limit: Annotated[int, Query(ge=1, le=STATEMENT_MOST)] = 50,
    cursor: Annotated[int | None, Query(ge=1, le=1 << 62)] = None,
) -> Response:
    """Tell the lines of a member's statement; `next` is the cursor of the following page."""
    service = service_of(request)
    caller = caller_of(request)
    storable("/code", code)
    asker, now = asker_of(request, caller), service.now()
    return plain(
        await service.readers.see(
            lambda link: statement(
                link,
                service.readers.programme(link, caller.dealer_id),
                code,
                now,
                asker,
                before=cursor,
                limit=limit,
            )
        )
    )


@router.get("/{code}/explain", **schemas.read("A member as of any past instant, and why", "Explained"))
async def get_explain(
    request: Request,
    code: Code,
    at: Instant = None,
    known_at: Instant = None,
    limit: Annotated[int, Query(ge=1, le=DECISIONS_MOST)] = 50,
    cursor: Annotated[int | None, Query(ge=1, le=1 << 62)] = None,
    lang: schemas.Lang | None = None,
) -> Response:
    """Tell how he stood at an instant, by what is known now or was known at `known_at`, and what was decided up to it.

    The decisions are those that were stored, with the facts they used; `next` is the cursor of the following page.
    """
    service, caller = service_of(request), caller_of(request)
    storable("/code", code)
    asker, now = asker_of(request, caller, lang), service.now()
    then, by = (
        now if one is None else microseconds(f"/{name}", one) for name, one in (("at", at), ("known_at", known_at))
    )
    return plain(
        await service.readers.see(
            lambda link: explain(
                link,
                service.readers.programme(link, caller.dealer_id),
                code,
                then,
                by,
                asker,
                before=cursor,
                limit=limit,
            )
        )
    )


def storable(pointer: str, text: str) -> None:
    """Refuse what no database holds, before one is asked for it."""
    if not text.isprintable():
        raise Malformed([FormError(pointer, "bad_text")])


@router.get("/{code}/statement", **schemas.read("A member's statement of a period", "PeriodStatement"))
async def get_statement(
    request: Request,
    code: Code,
    first: Annotated[date | None, Query(alias="from", description="First local day; none: from the beginning.")] = None,
    last: Annotated[date | None, Query(alias="to", description="Last local day; none: today.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    cursor: Annotated[int, Query(ge=0, le=1 << 62, description="`next` of the page before.")] = 0,
) -> Response:
    """Tell what he had when the period began, every change in order, and what he had when it ended.

    Opening and lines, over all pages, sum to the closing; what lapsed stands at its moment, posted or not.
    """
    service = service_of(request)
    caller = caller_of(request)
    storable("/code", code)
    asker, now = asker_of(request, caller), service.now()

    def told(link: Link) -> dict[str, Any]:
        programme = service.readers.programme(link, caller.dealer_id)
        period = Period.of(programme, first, last, now)
        return period_statement(link, programme, code, period, asker, after=cursor, limit=limit)

    return plain(await service.readers.see(told))
