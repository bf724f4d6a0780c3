"""POST /v1/quotes, POST /v1/sales, POST /v1/sales/{order}/returns: what a till asks and says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, get_args

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import schemas
from api.answers import answered, plain
from api.bodies import parse, read_bytes
from api.events import observe
from api.keys import late_days_of, source_of
from api.parameters import chosen, one_of
from api.receipts import WIDTH, printed, width_of
from api.rights import Guarded
from api.service import asker_of, caller_of, plain_code, service_of, stamp, write_of
from tierengine.access.callers import Caller
from tierengine.errors import FormError, Malformed
from tierengine.judging.pricing import PricedLine
from tierengine.policies.versions import Programme
from tierengine.recording.items import Observe
from tierengine.recording.takings import totals
from tierengine.till.orders import Order, read_order
from tierengine.till.prices import as_asked
from tierengine.till.promises import promised
from tierengine.till.quotes import charge, quote
from tierengine.till.receipts import of_return, of_sale
from tierengine.till.sales import booked_lines, sale
from tierengine.till.slips import Shown, shown

router: Final = APIRouter(prefix="/v1", tags=["sales"], route_class=Guarded)
_WIDE: Final = (WIDTH,)
_EXPLAIN: Final = one_of("explain", ("none", "rules"), default="rules")
_LANG: Final = one_of("lang", get_args(schemas.Lang))


@router.post(
    "/quotes",
    **schemas.read_body("QuoteIn", "What an order costs and earns", "Quote", more=(_EXPLAIN, _LANG, WIDTH)),
)
async def post_quote(request: Request) -> Response:
    """Price an order, say what credit may pay and what it would earn, with every reason. Nothing is written."""
    explain, lang = chosen(request, _EXPLAIN) or "rules", chosen(request, _LANG)
    across = width_of(request)
    service = service_of(request)
    caller = caller_of(request)
    raw = parse(await read_bytes(request))
    service.limits.touch(caller.dealer_id, raw.get("member"))
    programme = await service.readers.programme_of(caller.dealer_id)
    now = service.now()
    said = {"order": "quote", "occurred_at": stamp(now), **raw}
    store = await service.store_of(caller, raw.get("store"))
    order = _order(caller, programme, said, store, now, late_days_of(caller, programme, now))
    asker = asker_of(request, caller, lang)
    found = await service.readers.ask(
        lambda link: quote(
            link, programme, order, now, asker, explain=explain == "rules", signer=service.signer, across=across
        )
    )
    return plain(found)


@router.post("/sales", **schemas.write("OrderIn", "Record a sale", "Sold", more=_WIDE))
async def post_sale(request: Request) -> Response:
    """Record an order: prices checked, credit used, event judged and rewards granted in one transaction.

    With `prices` the till says what it charged: if the rules now say otherwise, the sale is refused (`price_changed`)
    with the new lines, unless the token of a `quote` still holds those prices. An order older than fifteen minutes has
    happened: it is booked as charged, with the difference told. So is one sold with a good offline `slip`, however
    short ago.
    """
    across = width_of(request)
    write = await write_of(request)
    service, caller = write.service, write.caller
    programme = await service.readers.programme_of(caller.dealer_id)
    now = service.now()
    store = await service.store_of(caller, write.raw.get("store"))
    order = await service.read(
        write, lambda days: _order(caller, programme, write.raw, store, now, days), late_days_of(caller, programme, now)
    )
    held = promised(service.signer, caller.dealer_id, order, now)
    order = held or order
    slip = None
    if order.slip:
        at = order.drafts[0].store
        slip = await service.readers.ask(lambda link: shown(service.signer, link, caller.dealer_id, order, at))
    happened = slip is not None and slip.state == "good"
    late = happened or order.late(now)
    if order.charged is None or order.credit == "max" or late:
        # The till asks what it costs; or the difference is to be told. Under the lock it is worked out again.
        charged = await service.readers.ask(lambda link: charge(link, programme, order, now))
        lines, uses, ruled = charged.lines, charged.uses, charged.ruled
    else:
        lines, uses = as_asked(programme.line.at(now).rules.policy, order)
        ruled = lines
    item = sale(
        caller.dealer_id, order, lines, uses, now=now, once=write.once, promised=held is not None, happened=happened,
        tell=lambda said: _told(order, booked_lines(order, said), ruled if late else None, slip),
    )  # fmt: skip
    answer = await service.record(item)
    policy = programme.line.at(order.occurred_at).rules.policy
    return answered(request, answer, printed(answer, partial(of_sale, policy), across))


@router.post(
    "/sales/{order}/returns",
    **schemas.write("ReturnIn", "Take back a sale or part of it", "Returned", parked=True, more=_WIDE),
)
async def post_return(request: Request, order: str) -> Response:
    """Take back lines of a sale, or all of it. A return whose sale is not here yet is stored and answered 202."""
    across = width_of(request)
    write = await write_of(request)
    raw = {name: value for name, value in write.raw.items() if value is not None}
    order, named = plain_code(order), raw.get("order", order)
    if not isinstance(named, str) or plain_code(named) != order:
        raise Malformed([FormError("/order", "not_one_of", {"expected": order})])
    kind = raw.get("kind", "sale_returned")
    if kind not in ("sale_returned", "machine_returned"):
        raise Malformed([FormError("/kind", "not_one_of", {"expected": "sale_returned, machine_returned"})])
    programme = await write.service.readers.programme_of(write.caller.dealer_id)
    observation = await observe(write, programme, {**raw, "kind": kind, "order": order})
    item = Observe(write.caller.dealer_id, observation, write.once, refusable=True)
    answer = await write.service.record(item)
    policy = programme.line.at(observation.occurred_at).rules.policy
    return answered(request, answer, printed(answer, partial(of_return, policy, order), across))


def _order(
    caller: Caller, programme: Programme, raw: dict[str, Any], store: str, now: int, late_days: int | None
) -> Order:
    return read_order(
        raw,
        source=source_of(caller),
        store=store,
        now_us=now,
        zone=programme.info,
        late_days=late_days,
        currency=programme.currency,
    )


def _told(
    order: Order, booked: Sequence[Mapping[str, Any]], ruled: Sequence[PricedLine] | None, slip: Shown | None
) -> dict[str, Any]:
    """Return what a sale's answer says besides what it did: its lines, where a late one differs, what its slip is."""
    told: dict[str, Any] = {"order": order.order, "lines": booked, "total": totals(booked), "late": ruled is not None}
    if ruled is not None:
        told["price_differs"] = [
            {"line": place, "charged": line["amount"], "ruled": rule.amount}
            for place, (line, rule) in enumerate(zip(booked, ruled, strict=True))
            if line["amount"] != rule.amount
        ]
    if slip is not None:
        told["slip"] = {"id": slip.id, "state": slip.state}
    return told
