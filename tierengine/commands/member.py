"""`member show`: one member as he stands, and why. (The other verbs stand in files of their own.)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer
from rich.text import Text

from tierengine.amounts import amount
from tierengine.commands.explain import EXPLAIN, show_explained
from tierengine.commands.finding import WhoArgument, found
from tierengine.commands.member_file import (
    ATTRIBUTE,
    CONSENT,
    CORRECT,
    REGISTER,
    run_attribute,
    run_consent,
    run_correct,
    run_register,
)
from tierengine.commands.merging import MERGE, UNMERGE, run_merge, run_unmerge
from tierengine.commands.names import names_of
from tierengine.commands.opened import AtOption, DealerOption, reading
from tierengine.commands.personal import (
    CONSENTS,
    ERASE,
    EXPORT,
    REKEY,
    run_erase,
    run_rekey,
    show_consents,
    show_export,
)
from tierengine.commands.screen import Screen, both
from tierengine.commands.statement import STATEMENT, show_statement
from tierengine.membership.asker import Asker
from tierengine.membership.view import view

app = typer.Typer(name="member", help=both("会员。", "Members."), no_args_is_help=True)
app.command("statement", help=STATEMENT)(show_statement)
app.command("explain", help=EXPLAIN)(show_explained)
app.command("consents", help=CONSENTS)(show_consents)
app.command("export", help=EXPORT)(show_export)
app.command("erase", help=ERASE)(run_erase)
app.command("rekey", help=REKEY)(run_rekey)
app.command("register", help=REGISTER)(run_register)
app.command("correct", help=CORRECT)(run_correct)
app.command("consent", help=CONSENT)(run_consent)
app.command("attribute", help=ATTRIBUTE)(run_attribute)
app.command("merge", help=MERGE)(run_merge)
app.command("unmerge", help=UNMERGE)(run_unmerge)
LOTS = 6


@app.command(help=both("看一位会员：等级、特点和理由、钱包。", "One member: tier, traits with reasons, wallets."))
def show(
    context: typer.Context,
    who: WhoArgument,
    at: AtOption = "",
    dealer: DealerOption = "",
) -> int:
    """Show a member."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        code = found(opened, who)
        shown = view(opened.link, opened.programme, code, opened.at(at), Asker(lang=screen.lang))
        name = names_of(opened.link, codes=[code], dealer_id=opened.dealer.id, lang=screen.lang).get(code, "")
    return screen.end(shown, lambda: _show(screen, shown, name))


def _show(screen: Screen, shown: Mapping[str, Any], name: str) -> None:
    standing = shown["standing"]
    level = standing["level"]
    until = screen.say(f"，有效到 {standing['until']}", f", until {standing['until']}") if standing["until"] else ""
    state = {
        "valid": ("", ""),
        "grace": ("，宽限期内", ", in grace"),
        "locked": ("，已冻结", ", locked"),
        "assigned": ("，指定等级", ", assigned"),
    }
    since = f" {standing['since'][:10]}" if standing["since"] else ""
    head = Text(f"{shown['member']} {name}  ", style="bold")
    head.append(str(standing["title"]) + since + (screen.say(" 起", "") if since else ""), style="bold yellow")
    head.append(until + screen.say(*state[standing["state"]]))
    if level:
        head.append(screen.say(f"；服务级别：{level['title']}", f"; service level: {level['title']}"))
    screen.out.print(head, soft_wrap=True)
    _traits(screen, shown["traits"])
    _next(screen, shown["next_tier"])
    for one in shown["lists"]:
        screen.print(f"名单：{one['title']}", f"List: {one['title']}", style="cyan")
    _wallets(screen, shown["wallets"])
    _history(screen, shown["tier_history"])


def _traits(screen: Screen, traits: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        [Text("✓", style="green") if one["met"] else Text("✗", style="red"), one["title"], one["why"]] for one in traits
    ]
    met = sum(bool(one["met"]) for one in traits)
    screen.table(
        screen.say(f"特点：满足 {met} 项，共 {len(traits)} 项", f"Traits: {met} of {len(traits)} met"),
        ["", screen.say("特点", "Trait"), screen.say("为什么", "Why")],
        rows,
    )


def _next(screen: Screen, above: Mapping[str, Any] | None) -> None:
    if above is None:
        return
    if above["excluded"]:
        screen.print(f"不能升 {above['title']}：在排除之列。", f"Excluded from {above['title']}.", style="yellow")
        return
    lacking = [one["sentence"] for one in above["missing"]]
    traits = above["traits"]
    if traits is not None and traits["short"]:
        lacking.append(screen.say(f"还差 {traits['short']} 个特点", f"{traits['short']} traits short"))
    if lacking:
        text = screen.say("、", "; ").join(dict.fromkeys(lacking))
        screen.print(f"离 {above['title']}：{text}", f"To reach {above['title']}: {text}", style="yellow")


def _wallets(screen: Screen, wallets: Sequence[Mapping[str, Any]]) -> None:
    lang = screen.lang
    rows: list[list[object]] = []
    for one in wallets:
        unit, lots = one["unit"], one["lots"]
        usable, owed = amount(one["usable"], unit, lang), amount(one["debt"], unit, lang)
        suspended = screen.say("(暂停使用)", " (suspended)") if one["suspended"] else ""
        tied = amount(one["held"], unit, lang)
        held = screen.say(f"，预占 {tied}", f", held {tied}") if one["held"] else ""
        debt = screen.say(f"，欠 {owed}", f", owes {owed}") if one["debt"] else ""
        rows.append(
            [
                Text(f"{one['title']}{suspended}", style="bold"),
                Text(amount(one["available"] + one["held"], unit, lang), style="bold"),
                screen.say(f"可用 {usable}", f"usable {usable}") + held + debt,
            ]
        )
        for lot in lots[:LOTS]:
            first, last = lot["usable_from"][:10], lot["last_day"] or "-"
            when = screen.say(f"{first} 起可用，到 {last}", f"from {first} to {last}")
            if lot["held"]:
                when += screen.say(
                    f"，预占 {amount(lot['held'], unit, lang)}", f", held {amount(lot['held'], unit, lang)}"
                )
            rows.append([f"  {lot['rule'] or ''}", amount(lot["remaining"], unit, lang), when])
        if len(lots) > LOTS:
            rows.append(["  …", "", screen.say(f"还有 {len(lots) - LOTS} 批", f"{len(lots) - LOTS} more lots")])
    if rows:
        headings = [screen.say("钱包、批次", "Wallet, lot"), screen.say("余额", "Balance"), ""]
        screen.table(screen.say("钱包", "Wallets"), headings, rows, right=(1,))


_CAUSES = {
    "promoted": "升级",
    "renewed": "续期",
    "grace": "进入宽限",
    "demoted": "降级",
    "excluded": "不再够格",
    "returned": "退货撤回",
    "confirmed": "经确认升级",
    "assigned": "指定",
    "locked": "冻结",
}


def _history(screen: Screen, changes: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        [
            one["at"][:10],
            f"{one['previous'] or '-'} → {one['tier']}",
            screen.say(_CAUSES.get(one["cause"], one["cause"]), one["cause"]),
            one["until"] or "-",
            screen.say("、", ", ").join(one["traits"]),
        ]
        for one in changes
    ]
    if rows:
        screen.table(
            screen.say("等级变动", "Changes of tier"),
            [
                screen.say("日期", "Day"),
                screen.say("等级", "Tier"),
                screen.say("原因", "Cause"),
                screen.say("有效到", "Until"),
                screen.say("当时的特点", "Traits then"),
            ],
            rows,
        )
