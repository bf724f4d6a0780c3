"""`policy check`, `policy test` and `policy publish`: a policy file before it rules, and from when it does."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from rules.policy import Policy
from rules.problems import as_dict, render
from rules.reader import Reading, read
from tierengine.commands.policy_tools import register
from tierengine.commands.screen import DONE, PROBLEMS, Screen, both, write_json

if TYPE_CHECKING:
    from tierengine.policies.examples import Verdict

app = typer.Typer(
    name="policy",
    help=both("政策文件:检查、核对示例、发布。", "Policy files: check, test, publish."),
    no_args_is_help=True,
)
register(app)  # explain, fmt, schema

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


@app.command(help=both("核对文件里的示例。", "Run the examples inside a policy file."))
def test(context: typer.Context, file: File) -> int:
    """Run the examples; 1 when one fails or the file has errors."""
    from rules.judge import Ruleset  # noqa: PLC0415  as in _uncompilable
    from tierengine.policies.examples import run_examples  # noqa: PLC0415

    screen: Screen = context.obj
    policy = _readable(screen, file)
    verdicts = run_examples(Ruleset(policy))
    failed = [verdict for verdict in verdicts if not verdict.passed]
    exercised = frozenset().union(*(verdict.rules for verdict in verdicts))
    unused = [rule for rule in (*policy.rewards, *policy.prices) if rule not in exercised]
    document = {
        "file": str(file),
        "ok": not failed,
        "passed": len(verdicts) - len(failed),
        "failed": len(failed),
        "rules_without_example": unused,
        "examples": [
            {
                "title": verdict.example.title,
                "line": verdict.example.mark.line,
                "passed": verdict.passed,
                "parked": list(verdict.parked),
                "wrong": [{"what": what, "expected": wanted, "got": got} for what, wanted, got in verdict.wrong],
            }
            for verdict in verdicts
        ],
    }
    return screen.end(document, lambda: _show_verdicts(screen, file, verdicts, unused), PROBLEMS if failed else DONE)


def _readable(screen: Screen, file: Path) -> Policy:
    """Return the policy of a file, or show what is wrong with it and stop."""
    reading = read(file.read_bytes(), str(file))
    refusal = _uncompilable(reading.policy)
    if reading.policy is not None and not refusal:
        return reading.policy
    if screen.json:
        write_json(_document(file, reading, refusal))
    else:
        screen.err.print(reading.show(screen.lang, "short") or refusal, style="red", soft_wrap=True)
    raise typer.Exit(PROBLEMS)


def _show_verdicts(screen: Screen, file: Path, verdicts: Sequence[Verdict], unused: Sequence[str]) -> None:
    for verdict in verdicts:
        place = f"{file}:{verdict.example.mark.line}"
        if verdict.passed:
            screen.print(f"✓ {verdict.example.title}", f"✓ {verdict.example.title}", style="green")
            continue
        screen.print(f"✗ {verdict.example.title}  {place}", f"✗ {verdict.example.title}  {place}", style="bold red")
        for what, wanted, got in verdict.wrong:
            screen.print(f"    {what}:应得 {wanted},实得 {got}", f"    {what}: expected {wanted}, got {got}")
        for kind in verdict.parked:
            screen.print(f"    {kind}:它所指的事件不在示例里", f"    {kind}: the event it names is not in the example")
    passed = sum(verdict.passed for verdict in verdicts)
    screen.print(
        f"{len(verdicts)} 个示例,通过 {passed} 个。",
        f"{passed} of {len(verdicts)} examples passed.",
        style="bold green" if passed == len(verdicts) else "bold red",
    )
    if unused:
        names = ", ".join(unused)
        screen.print(f"没有示例用到:{names}", f"No example exercises: {names}", style="yellow")


@app.command(help=both("发布政策:从某一天起生效。", "Publish a policy: it rules from a date."))
def publish(
    context: typer.Context,
    file: File,
    effective_from: Annotated[
        str,
        typer.Option(
            "--effective-from",
            metavar="DAY",
            help=both("从哪天零点(或哪一刻)起生效;缺省:第一版立即,以后一分钟后。", "Rules from; default: in a minute."),
        ),
    ] = "",
    author: Annotated[str, typer.Option(help=both("谁发布;缺省:当前用户。", "Who; default: this user."))] = "",
    reason: Annotated[str, typer.Option(help=both("为什么。", "Why."))] = "",
    dealer: Annotated[
        str,
        typer.Option(metavar="CODE", help=both("代理商编号;新账缺省用计划的编号。", "Dealer; new: the programme.")),
    ] = "",
) -> int:
    """Publish a policy; the first one in an empty book also puts its dealer on file."""
    # What follows needs the database, which the other commands of policies do not.
    from tierengine.commands.publishing import publish_file  # noqa: PLC0415

    screen: Screen = context.obj
    policy = _readable(screen, file)
    done = publish_file(
        file, policy, dealer=dealer, author=author or getpass.getuser(), reason=reason, effective_from=effective_from
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
            f"已发布 {done.dealer} 第 {done.number} 版政策,从 {done.effective_from} 起生效。",
            f"Published version {done.number} for {done.dealer}; it rules from {done.effective_from}.",
            style="bold green",
        ),
    )
