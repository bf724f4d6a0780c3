"""`policy check` and `policy publish`: a policy file before it rules, and from when it does."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from rules.files import check_file
from rules.problems import render
from rules.reader import Reading
from tierengine.commands import policy_changes, policy_drafts, policy_examples, policy_sheets, policy_tools
from tierengine.commands.options import Author, EffectiveFrom, Reason
from tierengine.commands.policy_coverage import with_coverage
from tierengine.commands.policy_file import File, document, readable
from tierengine.commands.screen import DONE, PROBLEMS, Screen, both, write_json

app = typer.Typer(
    name="policy",
    help=both("政策文件：检查、核对示例、发布。", "Policy files: check, test, publish."),
    no_args_is_help=True,
)
app.add_typer(policy_tools.app)  # explain, fmt, schema
app.add_typer(policy_examples.app)  # test
app.add_typer(policy_sheets.app)  # export, import
app.add_typer(policy_changes.app)  # diff, plan, rollback
app.add_typer(policy_drafts.versions_app)  # list, show, draft …


class Format(StrEnum):
    """How problems are shown: with the source line, one line each, or for a program."""

    full = "full"
    short = "short"
    json = "json"


@app.command(help=both("检查政策文件，一次列出所有问题。", "Check a policy file; every problem at once."))
def check(
    context: typer.Context,
    file: File,
    shape: Annotated[
        Format,
        typer.Option(
            "--format", help=both("short 每个问题一行:文件:行:列: 编号 说明。", "short: FILE:LINE:COL: CODE message.")
        ),
    ] = Format.full,
) -> int:
    """Show every problem of a file; 1 when there is an error, warnings alone are no failure."""
    screen: Screen = context.obj
    # The day at Greenwich: what is over there is over in China too.
    reading, tried = with_coverage(file, check_file(file, datetime.now(UTC).date()))
    errors = sum(problem.severity == "error" for problem in reading.problems)
    code = PROBLEMS if errors else DONE
    if screen.json or shape is Format.json:
        write_json(document(file, reading) | {"examples_run": tried})
        return code
    for problem in reading.problems:
        style = "" if shape is Format.short else "red" if problem.severity == "error" else "yellow"
        text = render(problem, reading.line(problem.mark), screen.lang, "short" if shape is Format.short else "full")
        screen.out.print(_shown(text, style), soft_wrap=True)
        if shape is Format.full:
            screen.out.print()
    if shape is Format.full:
        _summary(screen, reading, errors)
    if not tried:
        # On standard error, so that a tool that reads one line a problem finds nothing else there.
        screen.warn(
            "示例太多，检查时没有核对，也没有看哪些规则没有示例；请用 tierengine policy test 核对。",
            "Too many examples for a check to run, and rules without one were not looked for: "
            "`tierengine policy test` does both.",
        )
    return code


def _shown(text: str, style: str) -> Text:
    """Colour the first line only: it says what is wrong, the others where and what to do."""
    first, _, rest = text.partition("\n")
    shown = Text(first, style=style)
    return shown.append(f"\n{rest}", style="") if rest else shown


def _summary(screen: Screen, reading: Reading, errors: int) -> None:
    warnings = len(reading.problems) - errors
    policy = reading.policy
    if errors or policy is None:
        screen.print(
            f"{errors} 个错误，{warnings} 个提醒。这份文件不能发布，正在执行的政策不受影响。",
            f"{errors} errors, {warnings} warnings. This file cannot be published; the policy in force is untouched.",
            style="bold red",
        )
        return
    screen.print(
        f"没有错误，{warnings} 个提醒。{policy.title.zh}：{len(policy.tiers)} 个等级、{len(policy.traits)} 个特点、"
        f"{len(policy.rewards)} 条奖励、{len(policy.prices)} 条价格、{len(policy.examples)} 个示例。",
        f"No errors, {warnings} warnings. {policy.title.en}: {len(policy.tiers)} tiers, {len(policy.traits)} traits, "
        f"{len(policy.rewards)} rewards, {len(policy.prices)} prices, {len(policy.examples)} examples.",
        style="bold green",
    )


@app.command(help=both("发布政策：从某一天起生效。", "Publish a policy: it rules from a date."))
def publish(
    context: typer.Context,
    file: File,
    effective_from: EffectiveFrom = "",
    author: Author = "",
    reason: Reason = "",
    plan: Annotated[
        Path | None,
        typer.Option(
            show_default=False,
            help=both(
                "出示 policy plan 的试算：过期的、文件改过的、自己做的都不能发布。",
                "The plan of `policy plan`: a stale one, of another text, or one's own is refused.",
            ),
        ),
    ] = None,
    dealer: Annotated[
        str,
        typer.Option(metavar="CODE", help=both("代理商编号；新账缺省用计划的编号。", "Dealer; new: the programme.")),
    ] = "",
) -> int:
    """Publish a policy; the first one in an empty book also puts its dealer on file."""
    # What follows needs the database, which the other commands of policies do not.
    from tierengine.commands.policy_plan import held  # noqa: PLC0415
    from tierengine.commands.publishing import publish_text  # noqa: PLC0415

    screen: Screen = context.obj
    policy, text = readable(screen, file)
    if plan is not None:
        held(plan, text, author=author or getpass.getuser(), dealer=dealer)
    done = publish_text(
        text, policy, dealer=dealer, author=author or getpass.getuser(), reason=reason, effective_from=effective_from
    )
    return screen.end(
        {
            "dealer": done.dealer,
            "dealer_created": done.created,
            "version": done.number,
            "effective_from": done.effective_from,
            "author": done.author,
            "reason": reason,
        },
        lambda: screen.print(
            f"已发布 {done.dealer} 第 {done.number} 版政策，从 {done.effective_from} 起生效。",
            f"Published version {done.number} for {done.dealer}; it rules from {done.effective_from}.",
            style="bold green",
        ),
    )
