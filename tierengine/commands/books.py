"""`ledger liability`, `ledger export`: what the house owes its members, and the whole book for an accountant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tierengine.amounts import amount
from tierengine.commands import beancount, sheet
from tierengine.commands.failure import Stop
from tierengine.commands.money import day
from tierengine.commands.opened import AtOption, DealerOption, Opened, reading, title_of
from tierengine.commands.screen import DONE, PROBLEMS, USAGE, Screen, both
from tierengine.ledger.journal import Account, Move, accounts, moves
from tierengine.ledger.liability import Key, Liability
from tierengine.ledger.liability import liability as owed
from tierengine.recording.recorder import clock

LIABILITY: Final = both("到某一天为止欠会员多少。", "What the house owed its members at the end of a day.")
EXPORT: Final = both("导出整本账：Beancount 或 CSV。", "The whole book as Beancount text or CSV.")
_HEADINGS: Final = (
    "posting", "entry", "number", "recorded_at", "day", "member", "kind", "wallet", "unit", "source", "destination",
    "amount", "event", "rule", "cause",
)  # fmt: skip

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help=both("写到文件（缺省：标准输出）。", "A file (default: standard output).")
    ),
]


def liability(context: typer.Context, at: AtOption = "", dealer: DealerOption = "") -> int:
    """Show the liability by wallet, month of expiry and rule, counted from lots and from entries."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        found = owed(opened.link, opened.dealer.id, min(opened.at(at), clock()))
    shown = document(opened, found)
    return screen.end(shown, lambda: _show(screen, opened, shown), DONE if found.equal else PROBLEMS)


def document(opened: Opened, found: Liability) -> dict[str, Any]:
    """Return the liability, for a program; months are those of the last valid day."""
    unit = opened.programme.unit
    return {
        "dealer": opened.dealer.code,
        "at": day(found.at, opened.programme.zone),
        "equal": found.equal,
        "wallets": [
            {"wallet": wallet, "unit": unit(wallet), "owed": total, "debts": found.debts.get(wallet, 0)}
            for wallet, total in found.wallets().items()
        ],
        "rows": _by_month(opened, found.lots),
        "from_entries": _by_month(opened, found.entries),
    }


def _by_month(opened: Opened, parts: dict[Key, int]) -> list[dict[str, Any]]:
    sums: Counter[tuple[str, str, str]] = Counter()
    for (wallet, rule, end), part in parts.items():
        month = "" if end is None else day(end - 1, opened.programme.zone)[:7]
        sums[wallet, month, rule] += part
    return [
        {
            "wallet": wallet,
            "unit": opened.programme.unit(wallet),
            "last_month": month or None,
            "rule": rule or None,
            "owed": total,
        }
        for (wallet, month, rule), total in sorted(sums.items(), key=lambda one: (one[0][0], one[0][1] or "~", one[0]))
        if total
    ]


def _show(screen: Screen, opened: Opened, shown: dict[str, Any]) -> None:
    lang = screen.lang
    screen.table(
        screen.say(f"到 {shown['at']} 止欠会员", f"Owed to members at the end of {shown['at']}"),
        [
            screen.say("钱包", "Wallet"),
            screen.say("最后月份", "Last month"),
            screen.say("规则", "Rule"),
            screen.say("金额", "Owed"),
        ],
        [
            [
                title_of(opened, one["wallet"], screen),
                one["last_month"] or screen.say("长期", "never"),
                one["rule"] or "-",
                amount(one["owed"], one["unit"], lang),
            ]
            for one in shown["rows"]
        ],
        right=(3,),
    )
    for one in shown["wallets"]:
        total, debts = amount(one["owed"], one["unit"], lang), amount(one["debts"], one["unit"], lang)
        screen.print(
            f"{title_of(opened, one['wallet'], screen)} 合计 {total}" + (f"，会员欠 {debts}" if one["debts"] else ""),
            f"{title_of(opened, one['wallet'], screen)}: {total} in all"
            + (f", owed by members {debts}" if one["debts"] else ""),
            style="bold",
        )
    if not shown["equal"]:
        screen.print(
            "✗ 按批次与按记账算出的不同：运行 tierengine verify。", "✗ Lots and entries disagree: run verify.", "red"
        )


def export(
    context: typer.Context,
    form: Annotated[
        str, typer.Option("--format", metavar="beancount|csv", help=both("格式。", "The form."))
    ] = "beancount",
    out: OutOption = None,
    dealer: DealerOption = "",
) -> int:
    """Write every posting, and for Beancount each member's balance as an assertion."""
    screen: Screen = context.obj
    if form not in ("beancount", "csv"):
        raise Stop("bad_format", f"格式是 beancount 或 csv，不是 {form!r}。", f"beancount or csv, not {form!r}.", USAGE)
    if screen.json and out is None:
        raise Stop("out_missing", "用 --json 时请写明 --out FILE。", "With --json, name --out FILE.", USAGE)
    with reading(dealer) as opened:
        known = accounts(opened.link, opened.dealer.id)
        told = moves(opened.link, opened.dealer.id)
        if form == "csv":
            count = sheet.write(out, _HEADINGS, _rows(opened, known, told))
        else:
            count = _beancount(opened, known, told, out)
    if out is None:
        return DONE
    return screen.end(
        {"file": str(out), "format": form, "postings": count},
        lambda: screen.print(f"{count} 条分录已写入 {out}", f"{count} postings written to {out}", style="green"),
    )


def _beancount(opened: Opened, known: dict[int, Account], told: Iterator[Move], out: Path | None) -> int:
    count = 0

    def counted() -> Iterator[Move]:
        nonlocal count
        for move in told:
            count += 1
            yield move

    programme = opened.programme
    text = beancount.journal(
        programme, opened.dealer.name or opened.dealer.code, known, counted(), programme.zone.local_date(clock())
    )
    if out is None:
        for piece in text:
            typer.echo(piece, nl=False)
    else:
        with out.open("w", encoding="utf-8") as file:
            file.writelines(text)
    return count


def _rows(opened: Opened, known: dict[int, Account], told: Iterator[Move]) -> Iterator[list[object]]:
    zone = opened.programme.zone
    for one in told:
        source, destination = known[one.source], known[one.destination]
        yield [
            one.posting, one.entry, one.number, zone.local(one.recorded_at).isoformat(sep=" "),
            day(one.recorded_at, zone), one.member, one.kind, source.wallet, source.unit, source.kind,
            destination.kind, beancount.number(one.amount, source.unit), one.event_key, one.rule, one.cause,
        ]  # fmt: skip
