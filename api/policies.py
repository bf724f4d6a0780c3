"""Policies over HTTP: what rules and ruled, drafts with their tags, and publication by a second person."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import forms, schemas, staff_shapes
from api.answers import answered, plain
from api.bodies import parse, read_bytes
from api.errors import Problem
from api.instants import instant, told
from api.rights import Guarded
from api.service import caller_of, service_of, write_of
from rules.checking import check
from rules.judge import Ruleset
from rules.problems import as_dict
from tierengine.errors import FormError, Malformed, Unknown
from tierengine.policies import drafts
from tierengine.policies.coverage import coverage
from tierengine.policies.drafts import Draft, Publication
from tierengine.policies.examination import PolicyRefused, examined
from tierengine.policies.examples import run_examples
from tierengine.recording.items import Once
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.store.rows import Row

router: Final = APIRouter(prefix="/v1", tags=["policies"], route_class=Guarded)
PAGE_MOST: Final = 100
BODY_MOST: Final = 2 << 20
Named = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$", description="The draft's name.")]
_HEADS: Final = (
    "SELECT number, effective_from, published_at, author, reason, hash FROM policy_version "
    "WHERE dealer_id = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3"
)
_VERSION: Final = (
    "SELECT number, effective_from, published_at, author, reason, hash, text FROM policy_version "
    "WHERE dealer_id = ?1 AND number = ?2"
)
_IN_FORCE: Final = (
    "SELECT number FROM policy_version WHERE dealer_id = ?1 AND effective_from <= ?2 "
    "ORDER BY effective_from DESC, number DESC LIMIT 1"
)


# ---- what is published -------------------------------------------------------------------------------------------


@router.get("/policies", **schemas.read("Published policies, newest first", "Versions"))
async def get_policies(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=PAGE_MOST)] = 20,
    cursor: Annotated[int | None, Query(ge=1, le=1 << 62)] = None,
) -> Response:
    """List every version with its author, its reason and from when on it rules."""
    service, caller = service_of(request), caller_of(request)
    now = service.now()

    def heads(link: Link) -> dict[str, Any]:
        rows = link.ask(_HEADS, caller.dealer_id, cursor or 1 << 62, limit + 1).rows()
        rules = _ruling(link, caller.dealer_id, now)
        return {
            "versions": [_head(row, rules, now) for row in rows[:limit]],
            "next": rows[limit - 1][0] if len(rows) > limit else None,
        }

    return plain(await service.readers.see(heads))


@router.get("/policies/{version}", **schemas.read("A published policy", "Version"))
async def get_policy(request: Request, version: Annotated[int, Path(ge=1, le=1 << 62)]) -> Response:
    """Tell a version with its text, just as it was published."""
    service, caller = service_of(request), caller_of(request)
    now = service.now()

    def one(link: Link) -> dict[str, Any]:
        rows = link.ask(_VERSION, caller.dealer_id, version).rows()
        if not rows:
            raise Unknown("unknown_version", version=version)
        return {**_head(rows[0], _ruling(link, caller.dealer_id, now), now), "text": rows[0][6]}

    return plain(await service.readers.see(one))


def _ruling(link: Link, dealer: int, now: int) -> int:
    rows = link.ask(_IN_FORCE, dealer, now).rows()
    return int(rows[0][0]) if rows else 0


def _head(row: Row, ruling: int, now: int) -> dict[str, Any]:
    number, effective_from, published_at, author, reason, digest, *_ = row
    return {
        "version": number,
        "state": "in_force" if number == ruling else "coming" if effective_from > now else "past",
        "effective_from": told(effective_from),
        "published_at": told(published_at),
        "author": author,
        "reason": reason,
        "hash": digest,
    }


# ---- looking at a text -------------------------------------------------------------------------------------------


@router.post("/policies:check", **schemas.read_body("PolicyIn", "Every problem of a policy", "Checked"))
async def post_check(request: Request) -> Response:
    """Say everything that is wrong with a text, with line and column. Nothing is written."""
    form = forms.read(staff_shapes.PolicyIn, parse(await read_bytes(request, BODY_MOST)))
    return plain(await asyncio.to_thread(_checked, form.text))


def _checked(text: str) -> dict[str, Any]:
    reading = check(text, "policy")
    problems = [as_dict(problem, reading.line(problem.mark)) for problem in reading.problems]
    errors = sum(problem["severity"] == "error" for problem in problems)
    return {"ok": not errors, "errors": errors, "warnings": len(problems) - errors, "problems": problems}


@router.post("/policies:test", **schemas.read_body("PolicyIn", "Run a policy's examples", "Tested"))
async def post_test(request: Request) -> Response:
    """Run the examples in a text: what fails, and where. A text with errors is refused. Nothing is written."""
    form = forms.read(staff_shapes.PolicyIn, parse(await read_bytes(request, BODY_MOST)))
    return plain(await asyncio.to_thread(_tested, form.text))


def _tested(text: str) -> dict[str, Any]:
    reading = check(text, "policy")
    if reading.policy is None:
        raise Malformed([FormError("/text", "not_a_policy", {"count": _errors(reading.problems)})])
    verdicts = run_examples(Ruleset(reading.policy))
    failed = sum(not one.passed for one in verdicts)
    return {
        "ok": not failed,
        "passed": len(verdicts) - failed,
        "failed": failed,
        "coverage": coverage(reading.policy, (one.used for one in verdicts)).percent,
        "examples": [
            {
                "title": one.example.title,
                "line": one.example.mark.line,
                "passed": one.passed,
                "parked": list(one.parked),
                "wrong": [
                    {"what": each.key, "line": each.mark.line, "expected": each.expected, "got": each.got}
                    for each in one.failures
                ],
            }
            for one in verdicts
        ],
    }


def _errors(problems: Any) -> int:
    return sum(problem.severity == "error" for problem in problems)


# ---- drafts ------------------------------------------------------------------------------------------------------


@router.get("/policy-drafts", **schemas.read("All drafts", "Drafts"))
async def get_drafts(request: Request) -> Response:
    """List what is being written, without the texts."""
    service, caller = service_of(request), caller_of(request)
    found = await service.readers.ask(lambda link: drafts.drafts(link, caller.dealer_id))
    return plain({"drafts": [_plain(one) for one in found]})


@router.get("/policy-drafts/{name}", **schemas.read("A draft", "Draft", tagged=True))
async def get_draft(request: Request, name: Named) -> Response:
    """Tell a draft with its text; its ETag is what a change of it must name."""
    service, caller = service_of(request), caller_of(request)
    found = await service.readers.ask(lambda link: drafts.draft(link, caller.dealer_id, name))
    answer = plain({**_plain(found), "text": found.text})
    answer.headers["etag"] = f'"{found.tag}"'
    return answer


@router.put("/policy-drafts/{name}", **schemas.write("PolicyIn", "Write a draft", "DraftTag", tagged=True))
async def put_draft(request: Request, name: Named) -> Response:
    """Make a draft (`If-None-Match: *`) or put another text in its place (`If-Match`). It need not be right yet."""
    seen = _seen(request, new=True)
    write = await write_of(request, most=BODY_MOST)
    form = forms.read(staff_shapes.PolicyIn, write.raw)
    service, caller = write.service, write.caller
    _storable(form.text)

    def act(link: Link, _: Ids) -> dict[str, Any]:
        made = drafts.write(link, caller.dealer_id, name, form.text, seen=seen, author=caller.actor, now=service.now())
        return {"name": name, "revision": made.revision, "etag": f'"{made.tag}"'}

    answer = await service.act(caller.dealer_id, _with(write.once, seen), act)
    sent = answered(request, answer)
    if answer.number < 400:
        sent.headers["etag"] = str(answer.body["etag"])
    return sent


@router.delete("/policy-drafts/{name}", **schemas.removal("Drop a draft", "DraftTag"))
async def delete_draft(request: Request, name: Named) -> Response:
    """Drop a draft that is no longer wanted."""
    seen = _seen(request)
    write = await write_of(request, body=False)

    def act(link: Link, _: Ids) -> dict[str, Any]:
        drafts.drop(link, write.caller.dealer_id, name, seen=seen)
        return {"name": name}

    return answered(request, await write.service.act(write.caller.dealer_id, _with(write.once, seen), act))


@router.post(
    "/policy-drafts/{name}/publish",
    **schemas.write("PublishIn", "Publish a draft", "Published", tagged=True),
)
async def post_publish(request: Request, name: Named) -> Response:
    """Publish a draft that somebody else wrote: it is checked, compiled, its examples run, and then it is a version."""
    seen = _seen(request)
    write = await write_of(request)
    form = forms.read(staff_shapes.PublishIn, write.raw)
    service, caller = write.service, write.caller
    begins = None if form.effective_from is None else instant("/effective_from", form.effective_from)
    once = _with(write.once, seen)
    if (before := await service.answer_of(caller.dealer_id, once)) is not None:
        return answered(request, before)  # the draft is gone since
    found = await service.readers.ask(lambda link: drafts.draft(link, caller.dealer_id, name))
    try:
        # Before anything is locked: it takes part of a second, for which no till should wait.
        await asyncio.to_thread(examined, found.text)
    except PolicyRefused as refused:
        count = _errors(refused.reading.problems)
        raise Malformed([FormError("/text", "not_a_policy", {"count": count})]) from refused

    def act(link: Link, ids: Ids) -> dict[str, Any]:
        wish = Publication(seen, caller.actor, form.reason, begins, service.now())
        made = drafts.publish(link, ids, caller.dealer_id, name, wish)
        return {**made, "effective_from": told(made["effective_from"])}

    return answered(request, await service.act(caller.dealer_id, once, act))


def _plain(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "revision": draft.revision,
        "etag": f'"{draft.tag}"',
        "hash": draft.hash,
        "author": draft.author,
        "updated_at": told(draft.updated_at),
    }


def _seen(request: Request, *, new: bool = False) -> str:
    """Return the tag of the state that the caller saw, "" for a draft that is not there."""
    match = request.headers.get("if-match")
    if match is not None:
        return match.strip().removeprefix("W/").strip('"')
    if new and request.headers.get("if-none-match", "").strip() == "*":
        return ""
    raise Problem("precondition_missing")


def _with(once: Once, seen: str) -> Once:
    """Return a key whose request also says what its caller saw."""
    return replace(once, request_hash=f"{once.request_hash}:{seen}")


def _storable(text: str) -> None:
    if "\0" in text or (not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)):
        raise Malformed([FormError("/text", "bad_text")])
