"""`policy check`, `policy test` and `policy publish`: a policy file before it rules, and from when it does."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from rules.policy import Policy
from rules.problems import as_dict, render
from rules.reader import Reading, read
from tierengine.commands.screen import DONE, PROBLEMS, Screen, both, write_json

app = typer.Typer(name="policy", help=both("政策文件:检查、核对示例、发布。", "Policy files: check, test, publish."))

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        readable=True,
        show_default=False,
        help=both("政策文件(YAML)。", "The policy file (YAML)."),
    ),
]


class Format(StrEnum):
    """How problems are shown: with the source line, one line each, or for a program."""

    full = "full"
    short = "short"
    json = "json"


@app.command(help=both("检查政策文件,一次列出所有问题。", "Check a policy file; every problem at once."))
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
    reading = read(file.read_bytes(), str(file))
    refusal = _uncompilable(reading.policy)
    errors = sum(problem.severity == "error" for problem in reading.problems) + bool(refusal)
    code = PROBLEMS if errors else DONE
    if screen.json or shape is Format.json:
        write_json(_document(file, reading, refusal))
        return code
    for problem in reading.problems:
        style = "" if shape is Format.short else "red" if problem.severity == "error" else "yellow"
        text = render(problem, reading.line(problem.mark), screen.lang, "short" if shape is Format.short else "full")
        screen.out.print(_shown(text, style), soft_wrap=True)
        if shape is Format.full:
            screen.out.print()
    if refusal:
        screen.out.print(Text(f"{file}:1:1: P000 {refusal}", style="red"), soft_wrap=True)
    if shape is Format.full:
        _summary(screen, reading, errors)
    return code


def _document(file: Path, reading: Reading, refusal: str) -> dict[str, Any]:
    problems = [as_dict(problem, reading.line(problem.mark)) for problem in reading.problems]
    if refusal:
        problems.append({"code": "P000", "severity": "error", "line": 1, "column": 1, "message": {"en": refusal}})
    errors = sum(problem["severity"] == "error" for problem in problems)
    return {
        "file": str(file),
        "ok": errors == 0,
        "errors": errors,
        "warnings": len(problems) - errors,
        "problems": problems,
    }


def _shown(text: str, style: str) -> Text:
    """Colour the first line only: it says what is wrong, the others where and what to do."""
    first, _, rest = text.partition("\n")
    shown = Text(first, style=style)
    return shown.append(f"\n{rest}", style="") if rest else shown


def _uncompilable(policy: Policy | None) -> str:
    """Return why the engine cannot hold a policy that reads well; "" when it can."""
    if policy is None:
        return ""
    # Loaded here: a file with problems is shown without the engine, which is compiled C.
    from rules.inputs import PolicyNotCompilable  # noqa: PLC0415
    from rules.judge import Ruleset  # noqa: PLC0415
    from rules.pattern import EngineLimitExceeded  # noqa: PLC0415

    try:
        Ruleset(policy)
    except (PolicyNotCompilable, EngineLimitExceeded) as problem:
        return str(problem)
    return ""


def _summary(screen: Screen, reading: Reading, errors: int) -> None:
    warnings = len(reading.problems) - errors
    policy = reading.policy
    if errors or policy is None:
        screen.print(
            f"{errors} 个错误,{warnings} 个提醒。这份文件不能发布,正在执行的政策不受影响。",
            f"{errors} errors, {warnings} warnings. This file cannot be published; the policy in force is untouched.",
            style="bold red",
        )
        return
    screen.print(
        f"没有错误,{warnings} 个提醒。{policy.title.zh}:{len(policy.tiers)} 个等级、{len(policy.traits)} 个特点、"
        f"{len(policy.rewards)} 条奖励、{len(policy.prices)} 条价格、{len(policy.examples)} 个示例。",
        f"No errors, {warnings} warnings. {policy.title.en}: {len(policy.tiers)} tiers, {len(policy.traits)} traits, "
        f"{len(policy.rewards)} rewards, {len(policy.prices)} prices, {len(policy.examples)} examples.",
        style="bold green",
    )
