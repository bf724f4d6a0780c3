"""Webhooks: who is told of what, the deliveries, and their replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import schemas
from api.answers import answered, plain
from api.rights import Guarded
from api.service import Write, caller_of, service_of, write_of
from tierengine.errors import FormError, Malformed, unknown_fields
from tierengine.recording.items import Answer
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.webhooks import endpoints, outbox, rotation
from tierengine.webhooks.endpoints import Endpoint
from tierengine.webhooks.messages import lowest_of

router: Final = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=Guarded)
Number = Annotated[int, Path(ge=1, le=1 << 62, description="The webhook's id.")]


@router.post("", **schemas.write("WebhookIn", "Tell an address of what happens", "WithSecret"))
async def post_webhook(request: Request) -> Response:
    """Add a webhook (Standard Webhooks). The same address again is the same webhook, with its secret once more.

    With other types, or with `all` for one that is there already, it is refused: 409 `webhook_differs`.
    It is told what is recorded from now on; with `all`, everything since the beginning.
    """
    write = await write_of(request)
    settings = write.service.settings
    url, types, everything = endpoints.read_request(write.raw, inside=bool(settings.webhooks_inside))
    programme = await write.service.readers.programme_of(write.caller.dealer_id)

    def act(link: Link, ids: Ids) -> dict[str, Any]:
        now = write.service.now()
        lowest = lowest_of(programme, now)
        made = endpoints.add(link, ids, write.caller.dealer_id, url, types, now, lowest=lowest, from_start=everything)
        return _with_secrets(made, rotation.in_force(link, [made.id], now)[made.id])

    return _secret_shown(request, write, await write.service.act(write.caller.dealer_id, write.once, act))


@router.get("", **schemas.read("The webhooks", "Webhooks"))
async def get_webhooks(request: Request) -> Response:
    """Tell the dealer's webhooks, and until when each secret is signed with; no secret itself."""
    service, caller = service_of(request), caller_of(request)

    def read(link: Link) -> list[dict[str, Any]]:
        found = endpoints.endpoints(link, caller.dealer_id)
        signing = rotation.in_force(link, [one.id for one in found], service.now())
        return [{**one.plain(), "secrets": [each.plain() for each in signing[one.id]]} for one in found]

    return plain({"webhooks": await service.readers.ask(read)})


@router.post("/{webhook}/state", **schemas.write("WebhookStateIn", "Pause, resume or remove a webhook", "WebhookNow"))
async def post_webhook_state(request: Request, webhook: Number) -> Response:
    """Pause a webhook (what it is to be told waits), resume it, or remove it."""
    write = await write_of(request)
    state = _one_of(write.raw, "state", ("active", "paused", "removed"))

    def act(link: Link, _: Ids) -> dict[str, Any]:
        found = endpoints.endpoint(link, write.caller.dealer_id, webhook)
        endpoints.turn(link, found.id, state)
        return {"webhook": {**found.plain(), "state": state}}

    await _there(write, webhook)
    return answered(request, await write.service.act(write.caller.dealer_id, write.once, act))


@router.post("/{webhook}/rotate", **schemas.write("RotateSecretIn", "Give a webhook another secret", "WithSecret"))
async def post_webhook_rotation(request: Request, webhook: Number) -> Response:
    """Give a webhook another secret. For `keep_hours` messages carry a signature by each; 0: the old ones end now."""
    write = await write_of(request)
    keep = rotation.read_keep(write.raw)
    await _there(write, webhook)

    def act(link: Link, _: Ids) -> dict[str, Any]:
        found = endpoints.endpoint(link, write.caller.dealer_id, webhook)
        return _with_secrets(found, rotation.rotate(link, found.dealer_id, found.id, write.service.now(), keep))

    return _secret_shown(request, write, await write.service.act(write.caller.dealer_id, write.once, act))


@router.get("/{webhook}/deliveries", **schemas.read("What a webhook was told, or is to be", "Deliveries"))
async def get_deliveries(
    request: Request,
    webhook: Number,
    state: Literal["waiting", "delivered", "dead"] | None = None,
    limit: Annotated[int, Query(ge=1, le=outbox.PAGE_MOST)] = 50,
    cursor: Annotated[int, Query(ge=0, le=1 << 62)] = 0,
) -> Response:
    """Tell deliveries in their order; `state=dead` are those that were given up."""
    service, caller = service_of(request), caller_of(request)

    def read(link: Link) -> list[dict[str, Any]]:
        found = endpoints.endpoint(link, caller.dealer_id, webhook)
        return outbox.page(link, found, state or "", cursor, limit)

    rows = await service.readers.ask(read)
    return plain({"deliveries": rows, "next": rows[-1]["id"] if len(rows) == limit else None})


@router.post("/{webhook}/replay", **schemas.write("ReplayIn", "Send again", "Replayed"))
async def post_replay(request: Request, webhook: Number) -> Response:
    """Send again what was given up (`dead`), or what was delivered already: of a range of deliveries, in order.

    Of very many the first ones; `next` is the `since` of the rest. What is no longer kept is refused: 409 `not_kept`.
    """
    write = await write_of(request)
    settings = write.service.settings
    state = _one_of(write.raw, "state", ("dead", "delivered"))
    since, until = (_place(write.raw, name, unsaid) for name, unsaid in (("since", 0), ("until", outbox.ALL)))
    await _there(write, webhook)

    def act(link: Link, _: Ids) -> dict[str, Any]:
        found = endpoints.endpoint(link, write.caller.dealer_id, webhook)
        again, further = outbox.replay(
            link, found, state, write.service.now(), days=outbox.days_of(settings, state), since=since, until=until
        )
        return {"again": again, "next": further}

    return answered(request, await write.service.act(write.caller.dealer_id, write.once, act))


def _with_secrets(found: Endpoint, signing: Sequence[rotation.Signing]) -> dict[str, Any]:
    return {"webhook": found.plain(), "secrets": [one.plain() for one in signing]}


def _secret_shown(request: Request, write: Write, answer: Answer) -> Response:
    """Answer with the secret that this write made or met. It is never stored, not even for a key that repeats."""
    if answer.number >= 400:
        return answered(request, answer)
    (newest, *_) = answer.body.get("secrets") or [{"number": 0}]  # (an answer of before they could be rotated)
    secret = rotation.secret_of(write.service.secret, answer.body["webhook"]["id"], newest["number"])
    return answered(request, answer, {"secret": secret})


async def _there(write: Write, webhook: int) -> Endpoint:
    return await write.service.readers.ask(lambda link: endpoints.endpoint(link, write.caller.dealer_id, webhook))


def _place(raw: dict[str, Any], name: str, unsaid: int) -> int:
    found = raw.get(name, unsaid)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= outbox.ALL:
        raise Malformed([FormError(f"/{name}", "out_of_range", {"least": 0, "most": outbox.ALL})])
    return found


def _one_of(raw: dict[str, Any], name: str, known: tuple[str, ...]) -> str:
    more = ("since", "until") if name == "state" and "dead" in known else ()
    errors = unknown_fields(raw, (name, *more))
    said = raw.get(name)
    if said not in known:
        errors.append(FormError(f"/{name}", "not_one_of", {"expected": ", ".join(known)}))
    if errors:
        raise Malformed(errors)
    return str(said)
