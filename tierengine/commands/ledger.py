"""`ledger`: post what has ended, list what ends soon, put opening balances in, and change balances by hand."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Final

import typer

from tierengine.amounts import amount as shown_amount
from tierengine.commands.acting import noted, once_of
from tierengine.commands.books import EXPORT, LIABILITY, export, liability
from tierengine.commands.failure import Stop
from tierengine.commands.finding import found as member_of
from tierengine.commands.money import read_amount, read_day
from tierengine.commands.names import names_of
from tierengine.commands.opened import AtOption, DealerOption, Opened, reading, settings, title_of, wallet_of
from tierengine.commands.options import DataFile
from tierengine.commands.screen import DONE, PROBLEMS, REFUSED, Screen, both
from tierengine.errors import sentence
from tierengine.importing.files import FileRefused
from tierengine.importing.openings import Openings, commands, read_openings
from tierengine.ledger.lapses import ending, lapsed
from tierengine.recording.acts import Act, Adjust, Settle, Transfer
from tierengine.recording.items import Answer, Command
from tierengine.recording.recorder import clock
from tierengine.recording.writer import Writer
from tierengine.zone import DAY

app = typer.Typer(name="ledger", help=both("账目：到期、提醒、期初、调整、转让。", "The ledger."), no_args_is_help=True)
app.command(help=LIABILITY)(liability)
app.command(help=EXPORT)(export)

ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help=both("原因。", "Why."))]
ByOption = Annotated[str, typer.Option("--by", metavar="WHO", help=both("经办人。", "Who does it."))]
IdOption = Annotated[
    str,
    typer.Option(
        "--id",
        metavar="NUMBER",
        help=both("单号：同一单号只记一次。", "A number of its own: one number is booked once."),
    ),
]
WalletArgument = Annotated[
    str, typer.Argument(metavar="WALLET", show_default=False, help=both("钱包。", "The wallet."))
]
AmountArgument = Annotated[
    str,
    typer.Argument(metavar="AMOUNT", show_default=False, help=both("金额（元）或积分。", "Money in yuan, or points.")),
]
_SOON: Final = 366


@app.command(help=both("把已到期的记上账；不运行也不影响任何余额。", "Post what has ended; no balance waits for it."))
def sweep(context: typer.Context, dealer: DealerOption = "") -> int:
    """Post the ends of lapsed lots and holds: safe to run twice, late, or while tills sell."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        members = lapsed(opened.link, opened.dealer.id, clock())
        number = opened.dealer.id
    entries = sum(
        int(answer.body.get("entries", 0))
        for answer in _record([Command(number, (member,), Settle()) for member in members])
    )
    if members:
        noted(dealer, "ledger.sweep", "ledger", members=len(members), entries=entries)
    document = {"members": len(members), "entries": entries}
    return screen.end(
        document,
        lambda: screen.print(
            f"{len(members)} 位会员，记了 {entries} 笔到期。", f"{entries} ends posted for {len(members)} members."
        ),
    )


@app.command(help=both("快到期的：按政策的提醒天数列出。", "What ends within the days of notice of the policy."))
def notices(
    context: typer.Context,
    at: AtOption = "",
    today: Annotated[
        bool, typer.Option("--today", help=both("只列今天该提醒的。", "Only what is to be told on this very day."))
    ] = False,
    dealer: DealerOption = "",
) -> int:
    """List whose credit ends soon, the nearest first."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        found = due_notices(opened, opened.at(at), only_today=today)
        names = names_of(
            opened.link, codes=[one["member"] for one in found], dealer_id=opened.dealer.id, lang=screen.lang
        )
    headings = [
        screen.say("会员", "Member"),
        screen.say("姓名", "Name"),
        screen.say("钱包", "Wallet"),
        screen.say("金额", "Amount"),
        screen.say("到期日", "Last day"),
        screen.say("提醒日", "Notice"),
    ]

    def show() -> None:
        screen.table(
            screen.say(f"快到期 {len(found)} 笔", f"{len(found)} ending soon"),
            headings,
            [
                [
                    one["member"],
                    names.get(one["member"], ""),
                    one["wallet"],
                    shown_amount(one["amount"], one["unit"], screen.lang),
                    one["last_day"],
                    one["notice_on"],
                ]
                for one in found
            ],
            right=(3,),
        )

    return screen.end({"notices": found}, show)


def due_notices(opened: Opened, now: int, *, only_today: bool) -> list[dict[str, Any]]:
    """Return what ends within the days of notice; `notice_on` is the last of its days of notice that has come."""
    programme = opened.programme
    wallets = programme.line.at(now).rules.policy.wallets
    today = programme.zone.local_date(now)
    sums: dict[tuple[date, str, str], int] = {}
    for _, code, wallet, remaining, expires_at in ending(opened.link, opened.dealer.id, now, now + _SOON * DAY):
        key = (programme.zone.local_date(expires_at - 1), code, wallet)
        sums[key] = sums.get(key, 0) + remaining
    found = []
    for (last_day, code, wallet), amount in sums.items():
        rule = wallets.get(wallet)
        days = [last_day - timedelta(days=days) for days in (rule.notice_days if rule is not None else ())]
        come = max((one for one in days if one <= today), default=None)
        if come is not None and (come == today or not only_today):
            found.append(
                {
                    "member": code,
                    "wallet": wallet,
                    "unit": programme.unit(wallet),
                    "amount": amount,
                    "last_day": last_day.isoformat(),
                    "notice_on": come.isoformat(),
                    "days_left": (last_day - today).days + 1,
                }
            )
    return found


@app.command("open", help=both("导入期初余额（CSV、XLSX）。", "Put opening balances in, from CSV or XLSX."))
def open_(
    context: typer.Context,
    file: DataFile,
    preview: Annotated[
        bool, typer.Option("--preview", help=both("只看，不记账。", "Show what it would do; record nothing."))
    ] = False,
    by: ByOption = "",
    dealer: DealerOption = "",
) -> int:
    """Read a file of opening balances; nothing is recorded while one row is wrong."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        programme = opened.programme
        try:
            found = read_openings(file, opened.link, programme, clock())
        except FileRefused as refused:
            where = f"{file}:{refused.line}" if refused.line else str(file)
            raise Stop(
                refused.bad.code, f"{where}: {refused.bad.say('zh')}", f"{where}: {refused.bad.say('en')}", PROBLEMS
            ) from None
    answers: list[Answer] = []
    if not preview and not found.problems:
        answers = _record(commands(programme, found.rows, by))
        counted = Counter(answer.status for answer in answers)
        noted(dealer, "ledger.open", "ledger", statuses=counted, wallets=found.totals())
    wrong = [(one.line, answer) for one, answer in zip(found.rows, answers, strict=False) if answer.number >= 400]
    document = {
        "file": str(file),
        "preview": preview,
        "wallets": found.totals(),
        "recorded": sum(answer.status == "recorded" for answer in answers),
        "duplicates": sum(answer.status == "duplicate" for answer in answers),
        "problems": [
            *(
                {"line": one.line, "code": one.bad.code, "where": one.bad.where, "zh": one.bad.say("zh"),
                 "en": one.bad.say("en")}
                for one in found.problems
            ),
            *(
                {"line": line, "code": answer.code, "where": "", "zh": _said(answer, "zh"), "en": _said(answer, "en")}
                for line, answer in wrong
            ),
        ],
    }  # fmt: skip

    def show() -> None:
        for one in document["problems"]:  # type: ignore[attr-defined]
            screen.out.print(f"{file}:{one['line']}: {one[screen.lang]} ({one['code']})", soft_wrap=True)
        _show_totals(screen, found, programme)
        if preview:
            screen.print("只是预览，没有记账。", "A preview only; nothing was recorded.", style="yellow")
        elif found.problems:
            screen.print("有不对的行，一行也没有记。", "Rows are wrong; none was recorded.", style="bold red")
        else:
            screen.print(
                f"记了 {document['recorded']} 笔，已有 {document['duplicates']} 笔。",
                f"{document['recorded']} recorded, {document['duplicates']} were here already.",
            )

    return screen.end(document, show, PROBLEMS if document["problems"] else DONE)


def _show_totals(screen: Screen, found: Openings, programme: Any) -> None:
    lang = screen.lang
    screen.table(
        screen.say("期初余额", "Opening balances"),
        [
            screen.say("钱包", "Wallet"),
            screen.say("会员数", "Members"),
            screen.say("行数", "Rows"),
            screen.say("合计", "Sum"),
            screen.say("其中未入账", "Of it new"),
        ],
        [
            [
                wallet,
                told["members"],
                told["rows"],
                shown_amount(told["amount"], programme.unit(wallet), lang),
                shown_amount(told["new"], programme.unit(wallet), lang),
            ]
            for wallet, told in found.totals().items()
        ],
        right=(1, 2, 3, 4),
    )


# (What is taken away is an amount below 0, and no option.)
@app.command(
    context_settings={"ignore_unknown_options": True},
    help=both("人工调整一位会员的余额。", "Change a member's balance by hand."),
)
def adjust(  # noqa: PLR0913, PLR0917 - each is an option of the command
    context: typer.Context,
    member: Annotated[str, typer.Argument(metavar="ID", show_default=False, help=both("会员。", "The member."))],
    wallet: WalletArgument,
    amount: AmountArgument,
    reason: ReasonOption,
    by: ByOption,
    second: Annotated[
        str, typer.Option("--second", metavar="WHO", help=both("复核人（超过政策起点时）。", "A second person."))
    ] = "",
    last_day: Annotated[
        str, typer.Option("--last-day", metavar="DAY", help=both("到期日（缺省按政策）。", "The last day."))
    ] = "",
    number: IdOption = "",
    dealer: DealerOption = "",
) -> int:
    """Add to a wallet, or take from it with an amount below 0."""
    with reading(dealer) as opened:
        code, key = member_of(opened, member), f"adjust:{number or uuid.uuid4().hex}"
        ends = opened.programme.zone.end_of(read_day(last_day)) if last_day else None
        wallet = wallet_of(opened, wallet)
        act = Adjust(key, wallet, read_amount(amount, opened.programme.unit(wallet)), reason, by, second, ends)
        act_of = once_of("POST /v1/members/{code}/adjustments", f"member:{code}")
        command = Command(opened.dealer.id, (code,), act, once=act_of)
        titles = _titles(opened, context.obj)
    return _by_hand(context.obj, command, act, titles)


@app.command(help=both("把余额转给同一单位的另一个账户。", "Hand credit to another account of the same firm."))
def transfer(  # noqa: PLR0913, PLR0917 - each is an option of the command
    context: typer.Context,
    giver: Annotated[str, typer.Argument(metavar="FROM", show_default=False, help=both("转出会员。", "From whom."))],
    receiver: Annotated[str, typer.Argument(metavar="TO", show_default=False, help=both("转入会员。", "To whom."))],
    wallet: WalletArgument,
    amount: AmountArgument,
    reason: ReasonOption,
    by: ByOption,
    number: IdOption = "",
    dealer: DealerOption = "",
) -> int:
    """Move credit within a firm; every part keeps its dates."""
    with reading(dealer) as opened:
        codes = (member_of(opened, giver), member_of(opened, receiver))
        key = f"transfer:{number or uuid.uuid4().hex}"
        wallet = wallet_of(opened, wallet)
        act = Transfer(key, wallet, read_amount(amount, opened.programme.unit(wallet)), reason, by)
        act_of = once_of("POST /v1/members/{code}/transfers", f"member:{codes[0]}")
        command = Command(opened.dealer.id, codes, act, once=act_of)
        titles = _titles(opened, context.obj)
    return _by_hand(context.obj, command, act, titles)


def _titles(opened: Opened, screen: Screen) -> dict[str, str]:
    wallets = opened.programme.line.at(clock()).rules.policy.wallets
    return {name: title_of(opened, name, screen) for name in wallets}


def _by_hand(screen: Screen, command: Command, act: Act, titles: dict[str, str]) -> int:
    answer = _record([command])[0]
    if answer.number >= 400:
        raise Stop(answer.code, _said(answer, "zh"), _said(answer, "en"), REFUSED)
    body = answer.body

    def show() -> None:
        screen.print(
            "已记账。" if answer.status == "recorded" else "以前已经记过，没有再记。",
            "Recorded." if answer.status == "recorded" else "It was here already; nothing changed.",
        )
        for name, has in body["balances"].items():
            unit = has["unit"]
            has_it, owes = (shown_amount(has[what], unit, screen.lang) for what in ("available", "debt"))
            title = titles.get(name, name)
            screen.print(f"{title} {has_it}，欠 {owes}", f"{title} {has_it}, owes {owes}")

    return screen.end({"kind": act.kind, **body}, show)


def _record(items: Sequence[Command]) -> list[Answer]:
    if not items:
        return []
    wanted = settings()
    with Writer(wanted.database_url, wanted) as writer:
        return writer.record(items)


def _said(answer: Answer, lang: str) -> str:
    return sentence(answer.code or "refused", answer.body.get("details", {}), lang)
