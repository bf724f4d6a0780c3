"""A policy file as the commands take it: its argument, its problems as a document, and its policy or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rules.policy import Policy
from rules.problems import as_dict
from rules.reader import Reading, read
from tierengine.commands.screen import PROBLEMS, Screen, both, write_json

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


def document(file: Path, reading: Reading, refusal: str) -> dict[str, Any]:
    """Return the problems of a file for a program."""
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


def uncompilable(policy: Policy | None) -> str:
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


def readable(screen: Screen, file: Path) -> Policy:
    """Return the policy of a file, or show what is wrong with it and stop."""
    reading = read(file.read_bytes(), str(file))
    refusal = uncompilable(reading.policy)
    if reading.policy is not None and not refusal:
        return reading.policy
    if screen.json:
        write_json(document(file, reading, refusal))
    else:
        screen.err.print(reading.show(screen.lang, "short") or refusal, style="red", soft_wrap=True)
    raise typer.Exit(PROBLEMS)
