"""`member consents`, `export`, `erase`, `rekey`: what one member agreed to; all that is held on him, or destroyed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import orjson
import typer

from tierengine.access.audit import Acting
from tierengine.amounts import amount as shown_amount
from tierengine.commands.acting import acting
from tierengine.commands.failure import Stop
from tierengine.commands.money import minute
from tierengine.commands.opened import DealerOption, reading, settings, title_of
from tierengine.commands.screen import USAGE, Screen, both
from tierengine.membership.consents import consents
from tierengine.membership.export import export
from tierengine.personal.erasure import Erased, erase
from tierengine.personal.erasure import plan as standing_against
from tierengine.personal.vault import Vault
from tierengine.policies.wording import naming
from tierengine.recording.recorder import clock
from tierengine.zone import Zone

_ZONE: Final = "SELECT timezone FROM dealer WHERE id = ?1"
CodeArgument = Annotated[str, typer.Argument(metavar="ID", help=both("会员编号。", "The member's code."))]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help=both("写进这个文件。", "Write it into this file."))
]
ForfeitOption = Annotated[
    bool,
    typer.Option(
        "--forfeit",
        help=both("客户放弃余额，所欠也不再追收。", "He gives up what is left; what he owes is not collected."),
    ),
]

SecondOption = Annotated[
    str, typer.Option("--second", metavar="WHO", help=both("复核人，不能是自己。", "A second person, not yourself."))
]
PlanOption = Annotated[
    bool, typer.Option("--plan", help=both("只看有什么妨碍，不注销。", "Only look what stands against it."))
]

EXPORT: Final = both("导出一位会员的全部资料，中英文标注。", "Everything held on one member, labelled in both tongues.")
ERASE: Final = both(
    "注销：销毁个人信息的密钥，不可恢复；账目不动。", "Destroy the key of a member's personal data, for ever."
)
REKEY: Final = both(
    "换了服务器密钥之后：把个人信息的密钥重新包一遍。", "After a change of the server's secret: wrap all keys anew."
)


CONSENTS: Final = both("一位会员同意或撤回过什么。", "What a member agreed to, or withdrew.")


def show_consents(context: typer.Context, who: CodeArgument, dealer: DealerOption = "") -> int:
    """List the consents; `member consent` records a word, and files bring them as events `consent_changed`."""
    screen: Screen = context.obj
    with reading(dealer) as opened:
        told = consents(opened.link, opened.programme, who)
    rows = [
        (one["at"][:16], one["purpose"], screen.say(*(("同意", "given") if one["given"] else ("撤回", "withdrawn"))),
         one["text_version"] or "", one["staff"] or "")
        for one in told["words"]
    ]  # fmt: skip
    heads = [
        screen.say(zh, en)
        for zh, en in (
            ("时间", "At"), ("用途", "Purpose"), ("同意", "Consent"), ("文本版本", "Text"), ("经办人", "Told by"),
        )
    ]  # fmt: skip
    return screen.end(told, lambda: screen.table(screen.say("同意记录", "Consents"), heads, rows))


def show_export(context: typer.Context, who: CodeArgument, out: OutOption = None, dealer: DealerOption = "") -> int:
    """Hand out all that is held; that it was, is in the audit."""
    screen: Screen = context.obj
    vault = Vault.of(settings())

    def act(by: Acting) -> dict[str, object]:
        told = export(by.link, vault, by.dealer_id, who, by.now)
        by.note("member.export", f"member:{told['member']}")
        return told

    try:
        _, told = acting(dealer, act)
    finally:
        vault.close()
    text = orjson.dumps(told, option=orjson.OPT_INDENT_2)
    if out is None:
        return screen.end(told, lambda: screen.out.print(text.decode(), markup=False, highlight=False, soft_wrap=True))
    out.touch(mode=0o600)
    out.write_bytes(text + b"\n")
    return screen.end({"member": who, "file": str(out)}, lambda: screen.print(f"已写入 {out}", f"Written to {out}"))


def run_erase(
    context: typer.Context,
    who: CodeArgument,
    second: SecondOption = "",
    plan: PlanOption = False,
    forfeit: ForfeitOption = False,
    dealer: DealerOption = "",
) -> int:
    """Erase a member; --plan shows what stands against it, and changes nothing."""
    screen: Screen = context.obj
    if plan:
        return _show_plan(screen, who, dealer)
    if not second.strip():
        raise Stop(
            "second_missing",
            "注销不可恢复，要两个人：用 --second 写明复核人；先看看用 --plan。",
            "Erasing cannot be undone and takes two people: name the second with --second; --plan only looks.",
            USAGE,
        )
    vault = Vault.of(settings())

    def act(by: Acting) -> tuple[Erased, Zone]:
        with naming(by.link, by.dealer_id):
            done = erase(by, vault, who, second=second, forfeit=forfeit)
        by.note("member.erase", f"member:{done.code}", again=done.again, forfeit=forfeit, second=second)
        return done, Zone(str(by.link.ask(_ZONE, by.dealer_id).rows()[0][0]))

    try:
        _, (done, zone) = acting(dealer, act)
    finally:
        vault.close()
    at = minute(done.recorded_at, zone)
    document = {"member": done.code, "erased_at": at, "again": done.again}
    return screen.end(
        document,
        lambda: screen.print(
            f"{done.code} 已注销（{at}），姓名、电话、文字不可恢复。",
            f"{done.code} is erased ({at}): name, phones and free text are gone for ever.",
        ),
    )


def _show_plan(screen: Screen, who: str, dealer: str) -> int:
    with reading(dealer) as opened:
        found = standing_against(opened.link, opened.dealer.id, who, clock())

        def amount_in(wallets: dict[str, int], name: str) -> str:
            return shown_amount(wallets.get(name, 0), opened.programme.unit(name), screen.lang)

        wallets = [
            (title_of(opened, name, screen), amount_in(found.credit, name), amount_in(found.debts, name))
            for name in sorted({*found.credit, *found.debts})
        ]
    document = {
        "member": found.code,
        "erased": found.erased_at is not None,
        "holds": found.holds,
        "credit": found.credit,
        "debts": found.debts,
        "forfeit": found.forfeit,
    }

    def show() -> None:
        for title, credit, debt in wallets:
            screen.print(f"{title}：可用 {credit}，欠 {debt}", f"{title}: {credit} left, {debt} owed")
        if found.erased_at is not None:
            screen.print("已经注销。", "Erased already.")
        elif found.holds:
            screen.print(
                f"有 {found.holds} 笔预占没有结束，不能注销。", f"{found.holds} holds are open: it would be refused."
            )
        elif found.forfeit:
            screen.print("要写 --forfeit：余额放弃，不再追收。", "It takes --forfeit: what is left is given up.")
        else:
            screen.print("可以注销。", "It may be done.")

    return screen.end(document, show)


def run_rekey(context: typer.Context) -> int:
    """Wrap every key under the present secret; afterwards TIERENGINE_SECRET_BEFORE is no longer needed for them."""
    screen: Screen = context.obj
    vault = Vault.of(settings())
    try:
        count = vault.rewrap()
    finally:
        vault.close()
    return screen.end(
        {"keys": count}, lambda: screen.print(f"重新包好 {count} 把密钥。", f"{count} keys wrapped anew.")
    )
