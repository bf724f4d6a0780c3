"""The annual award over HTTP: who would win, and each prize booked once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import forms, schemas, staff_shapes
from api.answers import answered, plain
from api.errors import request_id
from api.instants import instant, told
from api.rights import Guarded
from api.service import asker_of, caller_of, service_of, write_of
from rules.policy.text import title
from tierengine.access.audit import Acting
from tierengine.awarding import issuing, periods, plans
from tierengine.awarding.issuing import Issued
from tierengine.awarding.plans import Plan
from tierengine.awarding.ranking import tax_of
from tierengine.errors import FormError, Malformed
from tierengine.membership.reasons import said
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids

router: Final = APIRouter(prefix="/v1/awards", tags=["awards"], route_class=Guarded)
PLACES_MOST: Final = 1_000
AwardId = Annotated[str, Path(min_length=1, max_length=100, description="The award's id in the policy.")]
Period = Annotated[
    str,
    Query(
        pattern=r"^(199\d|20\d\d|21\d\d)(-Q[1-4]|-(0[1-9]|1[0-2]))?$",
        description="A year 2026, a quarter 2026-Q3 or a month 2026-03, as the award is given.",
    ),
]


@router.get("/{award}/plan", **schemas.read("Who would win", "AwardPlan"))
async def get_plan(
    request: Request,
    award: AwardId,
    period: Period,
    limit: Annotated[int, Query(ge=1, le=PLACES_MOST)] = 100,
    cursor: Annotated[int, Query(ge=0, le=1 << 62, description="`next` of the page before.")] = 0,
    lang: schemas.Lang | None = None,
) -> Response:
    """Rank who is eligible as of now, with the evidence, the cut line and what set it. Nothing is booked."""
    service, caller = service_of(request), caller_of(request)
    asker, now = asker_of(request, caller, lang), service.now()

    def planned(link: Link) -> dict[str, Any]:
        programme = service.readers.programme(link, caller.dealer_id)
        found = plans.plan(link, programme, award, _number(period), now)
        return _plan(programme, found, asker.lang, cursor, limit)

    return plain(await service.readers.see(planned))


@router.post("/{award}/issue", **schemas.write("IssueIn", "Give the prizes", "Issued"))
async def post_issue(request: Request, award: AwardId) -> Response:
    """Freeze the list and book each prize once; called again, whatever is not booked yet.

    Before the period is over `closing` must say as of when. A frozen list keeps its own: another is refused.
    """
    write = await write_of(request)
    form = forms.read(staff_shapes.IssueIn, write.raw)
    service, dealer = write.service, write.caller.dealer_id
    number, now = _number(form.period), service.now()
    closing = None if form.closing is None else instant("/closing", form.closing)
    if (before := await service.answer_of(dealer, write.once)) is not None:
        return answered(request, before)
    programme = await service.readers.programme_of(dealer)

    actor, asked_by = write.caller.actor, request_id(request)

    def note(link: Link, ids: Ids, act: str, subject: str, body: Mapping[str, Any]) -> None:
        Acting(link, ids, dealer, service.now(), actor, asked_by).note(act, subject, **body)

    def issue() -> Issued:
        return issuing.issue(
            lambda act: service.writer.perform(act).result(), programme, award, number, now, closing, note
        )

    done = await asyncio.to_thread(issue)
    # The prizes are booked, whatever becomes of this answer; the key is only given it to say again.
    body = _issued(programme, done)
    return answered(request, await service.act(dealer, write.once, lambda _, __: body))


def _number(period: str) -> int:
    """Return a period as periods.period_of numbers them."""
    if not period.isascii():
        raise Malformed([FormError("/period", "bad_text")])
    return int(period.replace("-", "").replace("Q", ""))


def _plan(programme: Programme, found: Plan, lang: str, cursor: int, limit: int) -> dict[str, Any]:
    placed = found.ranked.placed
    return {
        "award": found.award.id,
        "title": said(title(found.award.title, found.award.id), lang),
        "period": periods.named(found.year),
        "as_of": told(found.as_of),
        "final": found.final,
        "eligible": len(placed),
        "winners": found.ranked.winners,
        "limited_by": found.ranked.limited_by,
        "cost": found.cost,
        "budget": found.award.budget,
        "currency": programme.currency,
        "places": [
            {
                "place": one.place,
                "member": one.candidate.code,
                "group": one.group or None,
                "score_bp": one.score_bp,
                "parts_bp": dict(one.parts),
                "wins": one.wins,
                "prize": one.prize,
                "tax": tax_of(found.award, one.prize),
                "decided_by": one.decided_by,
                "evidence": {name: one.candidate.facts.get(name) for name in one.parts},
            }
            for one in placed[cursor : cursor + limit]
        ],
        "next": cursor + limit if cursor + limit < len(placed) else None,
    }


def _issued(programme: Programme, done: Issued) -> dict[str, Any]:
    return {
        "award": done.award_id,
        "period": periods.named(done.year),
        "as_of": told(done.as_of),
        "list_hash": done.list_hash,
        "frozen_now": done.frozen_now,
        "issued_now": sum(one.issued_now for one in done.winners),
        "total": sum(one.prize for one in done.winners),
        "currency": programme.currency,
        "winners": [
            {
                "place": one.place,
                "member": one.code,
                "score_bp": one.score_bp,
                "prize": one.prize,
                "issued_now": one.issued_now,
            }
            for one in done.winners
        ],
    }
