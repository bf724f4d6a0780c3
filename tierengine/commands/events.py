"""`events import`, `events parked`, `events conflicts`, `events report`: what happened, as files bring it."""

from __future__ import annotations

from typing import Final

import typer

from tierengine.commands import report as reports
from tierengine.commands.importing import import_
from tierengine.commands.money import minute
from tierengine.commands.opened import AtOption, DealerOption, reading
from tierengine.commands.screen import Screen, both

app = typer.Typer(name="events", help=both("事件：导入、待配对、报表。", "Events."), no_args_is_help=True)

app.command("import", help=both("导入文件：CSV、JSON Lines、XLSX(前两种可为 .gz)。", "Import a file."))(import_)

_PARKED: Final = (
    "SELECT e.key, e.kind, e.occurred_at, e.recorded_at, e.source, p.waits_for, p.reason FROM parked p "
    "JOIN event e ON e.id = p.event_id WHERE p.dealer_id = ?1 ORDER BY e.recorded_at, e.key"
)
_CONFLICTS: Final = (
    "SELECT c.key, c.revision, c.source, c.recorded_at, e.source FROM event_conflict c "
    "LEFT JOIN event e ON e.dealer_id = c.dealer_id AND e.key = c.key AND e.revision = c.revision "
    "WHERE c.dealer_id = ?1 ORDER BY c.recorded_at, c.key"
)
_REASONS: Final = {
    "not_here": ("它所指的还没有来", "what it names is not here yet"),
    "cancelled": ("它所指的已作废", "what it names was cancelled"),
    "wrong_kind": ("它所指的不是这一类", "what it names is of another kind"),
    "no_member": ("不知道是谁的", "nobody knows whose it is"),
}


@app.command(help=both("先到的：等它所指的那一条。", "What came before what it names, and waits."))
def parked(context: typer.Context, dealer: DealerOption = "") -> int:
    """List parked events."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        zone = opened.programme.zone
        rows = [
            {
                "event": key,
                "kind": kind,
                "occurred_at": minute(occurred_at, zone),
                "recorded_at": minute(recorded_at, zone),
                "source": source,
                "waits_for": waits_for,
                "reason": reason,
            }
            for key, kind, occurred_at, recorded_at, source, waits_for, reason in opened.link.ask(
                _PARKED, opened.dealer.id
            ).rows()
        ]
    headings = [
        screen.say("事件", "Event"),
        screen.say("发生", "Happened"),
        screen.say("等", "Waits for"),
        screen.say("为什么", "Why"),
    ]

    def show() -> None:
        screen.table(
            screen.say(f"待配对 {len(rows)} 条", f"{len(rows)} parked"),
            headings,
            [
                [row["event"], row["occurred_at"], row["waits_for"], screen.say(*_REASONS.get(row["reason"], ("", "")))]
                for row in rows
            ],
        )

    return screen.end({"parked": rows}, show)


@app.command(help=both("同一单号、内容不同的：没有记账，待人核对。", "Equal key, other content: not booked."))
def conflicts(context: typer.Context, dealer: DealerOption = "") -> int:
    """List conflicts."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        zone = opened.programme.zone
        rows = [
            {
                "event": key,
                "revision": revision,
                "source": source,
                "recorded_at": minute(recorded_at, zone),
                "booked_source": first,
            }
            for key, revision, source, recorded_at, first in opened.link.ask(_CONFLICTS, opened.dealer.id).rows()
        ]

    def show() -> None:
        screen.table(
            screen.say(f"内容冲突 {len(rows)} 条", f"{len(rows)} conflicts"),
            [
                screen.say("事件", "Event"),
                screen.say("来自", "From"),
                screen.say("收到", "Received"),
                screen.say("已记的来自", "Booked from"),
            ],
            [[row["event"], row["source"], row["recorded_at"], row["booked_source"] or "-"] for row in rows],
        )

    return screen.end({"conflicts": rows}, show)


@app.command(help=both("报表：各年等级、各项奖励、余额。", "Tiers per year, what each rule granted, balances."))
def report(context: typer.Context, at: AtOption = "", dealer: DealerOption = "") -> int:
    """Show what the book comes to."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        found = reports.report(opened.link, opened.programme, opened.at(at))
        return screen.end(reports.document(opened, found), lambda: reports.show(screen, opened, found))
