"""POST /v1/events:batch: many events at once, for what a file or a queue brings; each has an answer of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from threading import Lock
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from api import schemas
from api.answers import JSON, answered
from api.errors import ours
from api.events import event_item
from api.keys import late_days_of
from api.rights import Guarded
from api.service import Write, write_of
from tierengine.errors import FormError, Malformed, TierengineError, Unavailable, unknown_fields
from tierengine.judging.clock import ANSWERED
from tierengine.policies.versions import Programme
from tierengine.recording.items import Answer, Item, Once
from tierengine.typed import type_name

router: Final = APIRouter(prefix="/v1", tags=["events"], route_class=Guarded)
EVENTS_MOST: Final = 1_000
BODY_MOST: Final = 4 << 20


@router.post("/events:batch", **schemas.batch("BatchIn", "Record up to 1,000 events", "Batch"))
async def post_batch(request: Request) -> Response:
    """Record events in their order; what is wrong with one is told in its place and does not touch the others.

    Each result has the status and the body that the event alone would have been answered with. Sent again under the
    same key, what was recorded is answered with the same bytes, and what could not be (503, an unknown member) is
    tried again.
    """
    write = await write_of(request, most=BODY_MOST)
    said = _events(write.raw)
    programme = await write.service.readers.programme_of(write.caller.dealer_id)
    once = write.once
    # The whole body has the key, so that another body is refused as a whole; each event has a part of the key.
    claimed = await write.service.act(write.caller.dealer_id, once, lambda _, __: {"events": len(said)})
    if claimed.status == "mismatch":
        return answered(request, claimed)
    items = await _read(write, programme, said, late_days_of(write.caller, programme, write.service.now()))
    if claimed.replayed:
        items = await _out_of_time(write, programme, said, items)
    async with write.service.alone(once):
        sound = [one for one in items if not isinstance(one, Exception)]
        recorded = iter(await _all_of(write.service.writer.submit_all(sound, "bulk")))
    answers = [None if isinstance(one, Exception) else next(recorded) for one in items]
    return await asyncio.to_thread(_told, request, items, answers)


def _events(raw: dict[str, Any]) -> list[Any]:
    errors = unknown_fields(raw, ("events",))
    said = raw.get("events")
    if said is None:
        errors.append(FormError("/events", "missing"))
    elif not isinstance(said, list):
        errors.append(FormError("/events", "wrong_type", {"expected": "list", "got": type_name(said)}))
    elif not 1 <= len(said) <= EVENTS_MOST:
        errors.append(FormError("/events", "out_of_range", {"least": 1, "most": EVENTS_MOST}))
    if errors or not isinstance(said, list):
        raise Malformed(errors)
    return said


async def _read(
    write: Write, programme: Programme, said: Sequence[Any], late_days: int | None
) -> list[Item | TierengineError]:
    """Return the item that each event is, or what is wrong with it."""
    stores = {one["store"] for one in said if isinstance(one, dict) and isinstance(one.get("store"), str)}
    speaks = {name: await _store_of(write, name) for name in [None, *sorted(stores)]}

    def read() -> list[Item | TierengineError]:
        return [_item(write, programme, speaks, (place, one), late_days) for place, one in enumerate(said)]

    # A thousand take tens of milliseconds, for which no till should wait.
    return await asyncio.to_thread(read)


async def _out_of_time(
    write: Write, programme: Programme, said: Sequence[Any], items: Sequence[Item | TierengineError]
) -> list[Item | TierengineError]:
    """Return the items with those read again that had their answer before they became too old, or lay ahead."""
    found = list(items)
    again = {
        place
        for place, one in enumerate(items)
        if isinstance(one, Malformed)
        and await write.service.answer_of(write.caller.dealer_id, _part(write.once, place)) is not None
    }
    if again:
        read = await _read(write, programme, said, ANSWERED)
        for place in again:
            found[place] = read[place]
    return found


def _part(once: Once, place: int) -> Once:
    """Return the key of one event of a batch."""
    return replace(once, key=f"{once.key}\n{place}")


async def _store_of(write: Write, name: str | None) -> str | TierengineError:
    try:
        return await write.service.store_of(write.caller, name)
    except TierengineError as problem:
        return problem


def _item(
    write: Write,
    programme: Programme,
    speaks: Mapping[str | None, str | TierengineError],
    told: tuple[int, Any],
    late_days: int | None,
) -> Item | TierengineError:
    place, raw = told
    try:
        if not isinstance(raw, dict):
            raise Malformed([FormError("", "wrong_type", {"expected": "object", "got": type_name(raw)})])
        named = raw.get("store")
        store = speaks[named if isinstance(named, str) else None]
        if isinstance(store, TierengineError):
            raise store
        part = replace(write, once=_part(write.once, place))
        return event_item(part, programme, raw, store, late_days)
    except TierengineError as problem:
        return problem


async def _all_of(futures: Sequence[Future[Answer]]) -> list[Answer]:
    """Return the answers once all are there. To wake the loop for each would keep the tills' requests waiting."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    left, lock = len(futures), Lock()

    def end() -> None:
        if not done.done():  # (the client left)
            done.set_result(None)

    def came(_: Future[Answer]) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = not left
        if last and not loop.is_closed():
            loop.call_soon_threadsafe(end)

    for one in futures:
        one.add_done_callback(came)
    if futures:
        await done
    return [one.result() for one in futures]


def _told(request: Request, items: Sequence[Item | TierengineError], answers: Sequence[Answer | None]) -> Response:
    results: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    for item, answer in zip(items, answers, strict=True):
        if answer is not None and answer.number < 400:
            counts[answer.status] += 1
            results.append({"status": answer.number, "body": orjson.Fragment(answer.encoded())})
            continue
        if isinstance(item, TierengineError) or answer is None:
            sent = ours(request, item if isinstance(item, TierengineError) else Unavailable("busy"))
        else:
            sent = answered(request, answer)
        results.append({"status": sent.status_code, "body": orjson.Fragment(bytes(sent.body))})
    told = {name: counts[name] for name in ("recorded", "duplicate", "parked")}
    body = {**told, "problem": len(results) - sum(told.values()), "results": results}
    again = {"idempotent-replayed": "true"} if all(one is not None and one.replayed for one in answers) else {}
    return Response(orjson.dumps(body), 200, again, JSON)
