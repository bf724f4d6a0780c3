"""`policy diff`, `policy plan`, `policy rollback`: what a change of policy changes before it does, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tierengine.commands.options import Author, Dealer, EffectiveFrom, Reason
from tierengine.commands.policy_file import File
from tierengine.commands.screen import both

# What each command does is imported when it is asked for: `policy check` needs no database.
app = typer.Typer()

Side = Annotated[
    str,
    typer.Argument(
        metavar="A",
        show_default=False,
        help=both("政策文件，或已发布的版本号。", "A policy file, or a version's number."),
    ),
]


@app.command(
    help=both(
        "两份政策差在哪里，一处一句；只写一份时与正在执行的那版比。",
        "What differs between two policies, a sentence each; one alone is compared with the one in force.",
    )
)
def diff(
    context: typer.Context,
    one: Side,
    other: Annotated[str, typer.Argument(metavar="[B]", show_default=False)] = "",
    dealer: Dealer = "",
) -> int:
    """Compare two policies; layout, comments and the tongue of the keys are no difference."""
    from tierengine.commands.policy_diff import diff  # noqa: PLC0415

    return diff(context.obj, one, other, dealer)


@app.command(
    help=both(
        "试算：假如这份政策从某天起就在执行，谁升谁降、每条奖励多发少发多少。什么都不改。",
        "A back-test: had this policy ruled since a day, who would rise and fall, and what each reward would give.",
    )
)
def plan(
    context: typer.Context,
    file: File,
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="DAY",
            help=both("从哪天起算；缺省：一年前的今天。", "Since which day; default: a year ago."),
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            show_default=False,
            help=both(
                "把试算写进文件，发布时用 --plan 出示。", "Write the plan, to be shown when publishing (--plan)."
            ),
        ),
    ] = None,
    dealer: Dealer = "",
) -> int:
    """Say what would change, by the histories in the book; with `--out` keep it for who publishes."""
    from tierengine.commands.policy_plan import plan  # noqa: PLC0415

    return plan(context.obj, file, since, out, dealer)


@app.command(
    help=both(
        "退回：把以前一版的原文作为新的一版发布。", "Go back: publish the text of an earlier version as a new version."
    )
)
def rollback(
    context: typer.Context,
    version: Annotated[int, typer.Argument(min=1, max=10**9, metavar="VERSION", show_default=False)],
    effective_from: EffectiveFrom = "",
    author: Author = "",
    reason: Reason = "",
    dealer: Dealer = "",
) -> int:
    """Publish an earlier version's text again; what was judged in between stays as it was judged."""
    from tierengine.commands.policy_rollback import rollback  # noqa: PLC0415

    return rollback(context.obj, version, effective_from, author, reason, dealer)
