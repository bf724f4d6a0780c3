"""`member statement`: every change of a member's wallets in a period, with what he had before and after it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from rules.problems import Lang
from tierengine.amounts import amount
from tierengine.commands import sheet
from tierengine.commands.beancount import ACTS, number
from tierengine.commands.finding import WhoArgument, found
from tierengine.commands.money import read_day
from tierengine.commands.opened import DealerOption, Opened, reading, title_of
from tierengine.commands.screen import DONE, Screen, both
from tierengine.membership.asker import Asker
from tierengine.membership.statements import MOST, Period, statement
from tierengine.recording.recorder import clock

_HEADINGS: Final = (
    "number", "at", "kind", "wallet", "unit", "available", "held", "debt", "balance", "event", "rule", "recorded_at",
)  # fmt: skip


STATEMENT: Final = both("对账单：期初、每一笔、期末。", "A statement: opening, every line, closing.")


def show_statement(
    context: typer.Context,
    who: WhoArgument,
    begin: Annotated[
        str, typer.Option("--from", metavar="DAY", help=both("从哪一天（缺省：开头）。", "First day (default: all)."))
    ] = "",
    end: Annotated[
        str, typer.Option("--to", metavar="DAY", help=both("到哪一天（缺省：今天）。", "Last day (default: today)."))
    ] = "",
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help=both("另存为 CSV。", "Write the lines as CSV."))
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST, metavar="N", help=both("一页多少行（缺省：全部）。", "Lines of a page (default: all).")
        ),
    ] = None,
    after: Annotated[
        int,
        typer.Option(min=0, metavar="NO", help=both("从这个序号之后接着看。", "Go on after the line of this number.")),
    ] = 0,
    dealer: DealerOption = "",
) -> int:
    """Show a member's statement, or a page of it."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        code = found(opened, who)
        begun, ended = (read_day(text) if text else None for text in (begin, end))
        shown = read(opened, code, begun, ended, after=after, limit=limit)
        titles = {one["wallet"]: title_of(opened, one["wallet"], screen) for one in shown["wallets"]}
    if csv is not None:
        sheet.write(csv, _HEADINGS, _rows(shown))
    return screen.end(shown, lambda: _show(screen, shown, titles), DONE)


def read(
    opened: Opened, code: str, begin: date | None, end: date | None, *, after: int = 0, limit: int | None = None
) -> dict[str, Any]:
    """Return a page of a statement, without a limit all pages as one; `next` is where the following one goes on."""
    now = clock()
    period = Period.of(opened.programme, begin, end, now)
    lines: list[dict[str, Any]] = []
    while True:
        page = statement(opened.link, opened.programme, code, period, Asker(), after=after, limit=limit or MOST)
        lines += page["lines"]
        if limit is not None or page["next"] is None:
            return page | {"lines": lines}
        after = page["next"]


def _rows(shown: dict[str, Any]) -> list[list[object]]:
    return [
        [
            number(line[name], line["unit"]) if name in ("available", "held", "debt", "balance") else line[name]
            for name in _HEADINGS
        ]
        for line in shown["lines"]
    ]


def _show(screen: Screen, shown: dict[str, Any], titles: dict[str, str]) -> None:
    lang, say = screen.lang, screen.say
    begin = shown["from"] or say("开头", "the beginning")
    screen.table(
        say(f"{shown['member']} 对账单，{begin} 至 {shown['to']}", f"{shown['member']}, {begin} to {shown['to']}"),
        [
            say("日期", "Day"),
            say("序号", "No."),
            say("事由", "What"),
            say("钱包", "Wallet"),
            say("变动", "Change"),
            say("余额", "Left"),
        ],
        [
            *(_end(say("期初", "opening"), wallet, titles, "opening", lang) for wallet in shown["wallets"]),
            *(_shown(screen, line, titles) for line in shown["lines"]),
            *(_end(say("期末", "closing"), wallet, titles, "closing", lang) for wallet in shown["wallets"]),
        ],
        right=(1, 4, 5),
    )
    if shown["next"] is not None:
        screen.print(
            f"还有下文：加 --after {shown['next']} 接着看。",
            f"There is more: go on with --after {shown['next']}.",
            "yellow",
        )


def _end(word: str, wallet: dict[str, Any], titles: dict[str, str], which: str, lang: Lang) -> list[object]:
    return ["", "", word, titles[wallet["wallet"]], "", amount(wallet[which]["available"], wallet["unit"], lang)]


def _shown(screen: Screen, line: dict[str, Any], titles: dict[str, str]) -> list[object]:
    lang, unit, change = screen.lang, line["unit"], line["available"]
    beside = [
        screen.say(f"{zh} {amount(line[name], unit, lang)}", f"{name} {amount(line[name], unit, lang)}")
        for name, zh in (("held", "冻结"), ("debt", "欠"))
        if line[name]
    ]
    moved = ("+" if change > 0 else "") + amount(change, unit, lang)
    what = screen.say(ACTS.get(line["kind"], line["kind"]), line["kind"])
    return [
        line["at"][:10],
        line["number"] or "-",
        what,
        titles[line["wallet"]],
        screen.say(",", ", ").join([moved, *beside]),
        amount(line["balance"], unit, lang),
    ]
