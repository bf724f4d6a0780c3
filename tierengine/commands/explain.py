"""`member explain`: how a member stood at any past instant, by what is known now or was known then, and why."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from tierengine.amounts import amount
from tierengine.commands.finding import WhoArgument, found
from tierengine.commands.money import instant
from tierengine.commands.opened import AtOption, DealerOption, reading
from tierengine.commands.screen import Screen, both
from tierengine.membership.asker import Asker
from tierengine.membership.past import DECISIONS_MOST
from tierengine.membership.past import explain as explained
from tierengine.recording.recorder import clock

EXPLAIN: Final = both(
    "当时的等级、特点和理由，以及至此的每一笔判定。", "The standing at a past instant, with reasons and decisions."
)


def show_explained(
    context: typer.Context,
    who: WhoArgument,
    at: AtOption = "",
    known_at: Annotated[
        str,
        typer.Option(metavar="DAY", help=both("按哪一天已知的记录（缺省：现在）。", "By what was on file then.")),
    ] = "",
    limit: Annotated[
        int, typer.Option(min=1, max=DECISIONS_MOST, help=both("最多列出几笔判定。", "How many decisions."))
    ] = 20,
    dealer: DealerOption = "",
) -> int:
    """Show how a member stood."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        code = found(opened, who)
        known = instant(known_at, opened.programme.zone) if known_at else clock()
        asker = Asker(lang=screen.lang)
        shown = explained(opened.link, opened.programme, code, opened.at(at), known, asker, limit=limit)
    return screen.end(shown, lambda: _show(screen, shown))


def _show(screen: Screen, shown: dict[str, Any]) -> None:
    standing = shown["standing"]
    screen.print(
        f"{shown['member']} 在 {shown['at'][:16]}：{standing['title']}（政策第 {shown['policy_version']} 版）",
        f"{shown['member']} at {shown['at'][:16]}: {standing['title']} (policy version {shown['policy_version']})",
        style="bold yellow",
    )
    screen.table(
        screen.say("特点", "Traits"),
        ["", screen.say("特点", "Trait"), screen.say("为什么", "Why")],
        [["✓" if one["met"] else "✗", one["title"], one["why"]] for one in shown["traits"]],
    )
    if shown["decisions"]:
        screen.table(
            screen.say("判定（新的在前）", "Decisions, newest first"),
            [
                screen.say("时间", "At"),
                screen.say("奖励", "Reward"),
                screen.say("应得", "Amount"),
                screen.say("事件", "Event"),
                screen.say("版", "Version"),
            ],
            [
                [
                    one["at"][:16],
                    one["title"],
                    amount(one["amount"], one["unit"], screen.lang),
                    one["event"] or "",
                    one["policy_version"],
                ]
                for one in shown["decisions"]
            ],
            right=(2,),
        )
