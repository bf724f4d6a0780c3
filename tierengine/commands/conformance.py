"""`conformance`: plays what a till gets into against a sandbox, and says what came out otherwise than promised."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tierengine.commands.failure import Stop
from tierengine.commands.screen import DONE, PROBLEMS, USAGE, Screen, both
from tierengine.conformance.sandbox import Failed, Sandbox, Skipped
from tierengine.conformance.situations import SITUATIONS

HELP = both(
    "对沙箱走一遍收银台会遇到的情形（断线、重发、退货两次、时钟不准等）。",
    "Play what a till gets into against a sandbox: lost replies, duplicates, returns twice, wrong clocks.",
)


app = typer.Typer()


@app.command(help=HELP)
def conformance(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help=both("沙箱地址。", "Where the sandbox is."))],
    key: Annotated[
        str,
        typer.Option(
            envvar="TIERENGINE_KEY",
            metavar="te_…",
            help=both("收银密钥（会真的记账）。", "A till's key; it will book."),
        ),
    ],
    member: Annotated[str, typer.Option(metavar="ID", help=both("用哪位会员。", "Which member to sell to."))],
    store: Annotated[
        str, typer.Option(metavar="CODE", help=both("密钥属全公司时写明门店。", "The store, for a key of the dealer."))
    ] = "",
    desk_key: Annotated[
        str,
        typer.Option(
            envvar="TIERENGINE_DESK_KEY",
            metavar="te_…",
            help=both(
                "sales_manager 的密钥：会员没有额度时先给一点。",
                "A sales manager's key, to give a member credit who has none.",
            ),
        ),
    ] = "",
    only: Annotated[str, typer.Option(metavar="NAME", help=both("只走这一种。", "This one only."))] = "",
) -> int:
    """Play the situations; 1 when one came out otherwise."""
    screen: Screen = context.obj
    box = Sandbox(url.rstrip("/"), key, member, store, desk_key)
    names = [one.id for one in SITUATIONS]
    if only and only not in names:
        raise Stop(
            "unknown_situation",
            f"没有情形 {only}；有：{'、'.join(names)}",
            f"There is no situation {only}; there are: {', '.join(names)}",
            USAGE,
        )
    results: list[dict[str, Any]] = []
    for one in SITUATIONS:
        if only and one.id != only:
            continue
        outcome, why = "passed", ""
        try:
            one.play(box)
        except Skipped as skipped:
            outcome, why = "skipped", skipped.text.say(screen.lang)
        except Failed as failed:
            outcome, why = "failed", failed.text.say(screen.lang)
        except (KeyError, IndexError, TypeError) as odd:
            outcome, why = "failed", screen.say(f"回答是另一种形式：{odd!r}", f"the answer has another shape: {odd!r}")
        results.append(
            {"id": one.id, "title": {"zh": one.title.zh, "en": one.title.en}, "outcome": outcome, "why": why}
        )
    failed_ = sum(one["outcome"] == "failed" for one in results)
    passed = sum(one["outcome"] == "passed" for one in results)
    skipped_ = len(results) - passed - failed_
    document = {
        "url": box.url,
        "ok": not failed_,
        "passed": passed,
        "failed": failed_,
        "skipped": skipped_,
        "situations": results,
    }

    def show() -> None:
        marks = {"passed": ("✓", "green"), "skipped": ("–", "yellow"), "failed": ("✗", "red")}
        for one in results:
            mark, style = marks[one["outcome"]]
            more = f": {one['why']}" if one["why"] else ""
            screen.print(f"{mark} {one['title']['zh']}{more}", f"{mark} {one['title']['en']}{more}", style=style)
        zh, en = (f",{skipped_} 种跳过", f", {skipped_} skipped") if skipped_ else ("", "")
        screen.print(
            f"{len(results)} 种情形，{passed} 种如约，{failed_} 种不符{zh}。",
            f"{len(results)} situations: {passed} as promised, {failed_} not{en}.",
            style="bold red" if failed_ else "bold green",
        )

    return screen.end(document, show, PROBLEMS if failed_ else DONE)
