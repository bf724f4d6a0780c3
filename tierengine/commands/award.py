"""`award plan` and `award issue`: the year-end list with its cut line, and each prize booked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from rules.policy import Award
from rules.policy.text import title
from rules.problems import Lang
from tierengine.amounts import amount
from tierengine.awarding import issuing, periods, plans
from tierengine.awarding.plans import Plan
from tierengine.awarding.ranking import tax_of
from tierengine.commands.acting import acting_at
from tierengine.commands.money import instant, minute, percent
from tierengine.commands.names import names_of
from tierengine.commands.opened import (
    AtOption,
    DealerOption,
    Opened,
    chosen,
    dealers,
    programme_of,
    reading,
    writing,
)
from tierengine.commands.screen import Screen, both
from tierengine.recording.recorder import clock
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact

app = typer.Typer(name="award", help=both("年度评选。", "The annual award."), no_args_is_help=True)

_PERIOD: Final = re.compile(r"((?:199|20\d|21\d)\d)(?:-Q([1-4])|-(0[1-9]|1[0-2]))?", re.IGNORECASE)


def _period(text: str) -> int:
    """Read 2026, 2026-Q3 or 2026-03 as periods.period_of numbers them."""
    match = _PERIOD.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} is not one of 2026, 2026-Q3, 2026-03")
    return int("".join(part or "" for part in match.groups()))


Year = Annotated[
    int,
    typer.Argument(
        metavar="YEAR", parser=_period, help=both("年份，或一季 2026-Q3、一月 2026-03。", "The year, quarter or month.")
    ),
]
AwardOption = Annotated[
    str | None,
    typer.Option("--award", metavar="ID", help=both("哪一项评选（只有一项时不用写）。", "Which award, if several.")),
]


@app.command(help=both("排出名单，标出预算线；什么也不记。", "Rank who is eligible; nothing is booked."))
def plan(
    context: typer.Context,
    year: Year,
    award: AwardOption = None,
    at: AtOption = "",
    dealer: DealerOption = "",
) -> int:
    """Show who would win."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        found = plans.plan(opened.link, opened.programme, award, year, opened.at(at))
        frozen = issuing.frozen_as_of(opened.link, opened.programme, found.award, year)
        since = None if frozen is None else minute(frozen, opened.programme.zone)
        names = names_of(opened.link, [one.candidate.member_id for one in found.ranked.placed], lang=screen.lang)

        def show_plan() -> None:
            show(screen, opened, found, names)
            if since is not None:
                screen.print(
                    f"名单已按截止 {since} 定下，发奖以它为准；上面是现在的排法。",
                    f"The list is frozen as of {since}, and prizes go by it; the above is how it would come out now.",
                )

        return screen.end({**document(opened, found), "frozen_as_of": since}, show_plan)


def document(opened: Opened, found: Plan) -> dict[str, Any]:
    """Return the list, for a program."""
    return {
        "award": found.award.id,
        "year": found.year,
        "as_of": minute(found.as_of, opened.programme.zone),
        "final": found.final,
        "eligible": len(found.ranked.placed),
        "winners": found.ranked.winners,
        "limited_by": found.ranked.limited_by,
        "prize": found.award.prize,
        "cost": found.cost,
        "tax": sum(tax_of(found.award, one.prize) for one in found.ranked.placed),
        "tax_borne_by": found.award.tax_borne_by if found.award.tax_bp else None,
        "budget": found.award.budget,
        "currency": opened.programme.currency,
        "places": [
            {
                "place": one.place,
                "member": one.candidate.code,
                "score_bp": one.score_bp,
                "parts_bp": dict(one.parts),
                "wins": one.wins,
                "group": one.group or None,
                "prize": one.prize,
                "tax": tax_of(found.award, one.prize),
                "decided_by": one.decided_by,
                "evidence": {name: one.candidate.facts.get(name) for name in one.parts},
            }
            for one in found.ranked.placed
        ],
    }


def show(screen: Screen, opened: Opened, found: Plan, names: dict[str, str], most: int = 0) -> None:
    """Print the list with its cut line; `most`: so many below the line (0: all)."""
    lang, unit = screen.lang, opened.programme.currency
    policy = found.version.rules.policy
    rows: list[list[object]] = []
    places = found.ranked.placed[: found.ranked.winners + most] if most else found.ranked.placed
    for number, one in enumerate(places, start=1):
        if number == found.ranked.winners + 1:
            rows.append([Text("──", style="red"), Text(_limit(screen, found), style="red")])
        facts = [_value(screen, policy.facts[name].unit, one.candidate.facts.get(name), unit) for name in one.parts]
        rows.append(
            [
                f"{one.group} {one.place}".strip(),
                f"{one.candidate.code} {names.get(one.candidate.code, '')}",
                percent(one.score_bp),
                *_prize(found.award, one.prize, unit, lang),
                *facts,
            ]
        )
    head = screen.say(
        f"{found.award.title.zh} {periods.named(found.year)}（截至 {minute(found.as_of, opened.programme.zone)}"
        f"{'' if found.final else '，年内预排'}）：{len(found.ranked.placed)} 位够格，{found.ranked.winners} 位入选，"
        f"奖品共 {amount(found.cost, unit, lang)}，预算 {amount(found.award.budget, unit, lang)}",
        f"{found.award.title.en} {periods.named(found.year)} (as of {minute(found.as_of, opened.programme.zone)}"
        f"{'' if found.final else ', provisional'}): {len(found.ranked.placed)} eligible, {found.ranked.winners} win, "
        f"prizes {amount(found.cost, unit, lang)} of a budget of {amount(found.award.budget, unit, lang)}",
    )
    weights = [
        f"{title(policy.facts[part.fact].title, part.fact).say(lang)} ({part.weight})" for part in found.award.score
    ]
    screen.table(
        head,
        [
            screen.say("名次", "Place"),
            screen.say("会员", "Member"),
            screen.say("得分", "Score"),
            *_prize_heads(screen, found.award),
            *weights,
        ],
        rows,
        right=(0, *range(2, 3 + len(_prize_heads(screen, found.award)) + len(weights))),
        unbroken=(1,),
    )


def _prize_heads(screen: Screen, award: Award) -> list[str]:
    """Return the columns of prizes that differ, and of their tax."""
    heads = [screen.say("奖品", "Prize")] if award.prizes or award.prize_share else []
    if award.tax_bp:
        heads.append(
            screen.say("个税", "Tax")
            + {"winner": screen.say("（得奖人付）", " (winner)"), "dealer": screen.say("（公司付）", " (dealer)")}[
                award.tax_borne_by
            ]
        )
    return heads


def _prize(award: Award, prize: int, unit: str, lang: Lang) -> list[str]:
    found = [amount(prize, unit, lang)] if award.prizes or award.prize_share else []
    return found + ([amount(tax_of(award, prize), unit, lang)] if award.tax_bp else [])


def _limit(screen: Screen, found: Plan) -> str:
    reasons = {
        "share": ("按比例到此为止", "the share ends here"),
        "at_least": ("至少这么多名额", "the least number of winners"),
        "at_most": ("名额上限", "the most winners"),
        "budget": ("预算到此为止", "the budget ends here"),
        "eligible": ("够格的都在上面", "all who are eligible"),
    }
    return screen.say(*reasons[found.ranked.limited_by])


def _value(screen: Screen, unit: str, value: int | None, currency: str) -> str:
    if value is None:
        return "-"
    return amount(value, currency, screen.lang, whole=True) if unit == "money" else str(value)


@app.command(help=both("定下名单并发放，每人只发一次；可以反复运行。", "Freeze the list and book each prize once."))
def issue(
    context: typer.Context,
    year: Year,
    award: AwardOption = None,
    closing: Annotated[
        str,
        typer.Option(metavar="DAY", help=both("年内提前结算的截止日。", "Close before the year ends.")),
    ] = "",
    dealer: DealerOption = "",
) -> int:
    """Book the prizes."""
    screen: Screen = context.obj
    with writing() as (link, ids):
        of = chosen(dealers(link), dealer)
        programme = programme_of(link, of)
        link.rollback()
        end = instant(closing, programme.zone) if closing else None

        def note(link: Link, ids: Ids, act: str, subject: str, told: Mapping[str, Any]) -> None:
            acting_at(link, ids, of).note(act, subject, **told)

        done = issuing.issue(partial(transact, link, ids), programme, award, year, clock(), end, note)
        names = names_of(link, codes=[one.code for one in done.winners], dealer_id=of.id, lang=screen.lang)
        link.rollback()
    unit = programme.currency
    issued = [one for one in done.winners if one.issued_now]
    head = f"{done.award_id} {periods.named(done.year)}"
    as_of = minute(done.as_of, programme.zone)
    rule = plans.the_award(programme, done.award_id, clock())
    document = {
        "award": done.award_id,
        "year": done.year,
        "as_of": as_of,
        "list_hash": done.list_hash,
        "frozen_now": done.frozen_now,
        "issued_now": len(issued),
        "total": sum(one.prize for one in done.winners),
        "tax_borne_by": rule.tax_borne_by if rule.tax_bp else None,
        "currency": unit,
        "winners": [
            {
                "place": one.place,
                "member": one.code,
                "score_bp": one.score_bp,
                "prize": one.prize,
                "tax": tax_of(rule, one.prize),
                "issued_now": one.issued_now,
            }
            for one in done.winners
        ],
    }

    def show_issued() -> None:
        screen.table(
            screen.say(
                f"{head}：本次发放 {len(issued)} 份，名单共 {len(done.winners)} 位",
                f"{head}: {len(issued)} prizes booked now, {len(done.winners)} winners in all",
            ),
            [screen.say("名次", "Place"), screen.say("会员", "Member"), screen.say("奖品", "Prize"), ""],
            [
                [
                    one.place,
                    f"{one.code} {names.get(one.code, '')}",
                    amount(one.prize, unit, screen.lang),
                    screen.say("本次发放", "booked now") if one.issued_now else screen.say("早已发放", "booked before"),
                ]
                for one in done.winners
            ],
            right=(0, 2),
        )
        screen.print(f"名单按截止 {as_of} 定下。", f"The list is frozen as of {as_of}.")

    return screen.end(document, show_issued)
