"""A policy file as the commands take it: its argument, its problems as a document, and its policy or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rules.checking import check
from rules.files import content
from rules.policy import Policy
from rules.problems import Problem, as_dict
from rules.reader import Reading
from tierengine.commands.screen import PROBLEMS, Screen, both, write_json

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        exists=True,
        readable=True,
        show_default=False,
        help=both("政策文件（YAML）。", "The policy file (YAML)."),
    ),
]


def document(file: Path, reading: Reading) -> dict[str, Any]:
    """Return the problems of a file for a program."""
    problems = [as_dict(problem, reading.line(problem.mark)) for problem in reading.problems]
    errors = sum(problem["severity"] == "error" for problem in problems)
    return {
        "file": str(file),
        "ok": errors == 0,
        "errors": errors,
        "warnings": len(problems) - errors,
        "problems": problems,
    }


def readable(screen: Screen, file: Path) -> tuple[Policy, str]:
    """Return the policy of a file and the text it was read from, or show what is wrong with it and stop."""
    found = content(file)
    reading = Reading(None, (found,)) if isinstance(found, Problem) else check(found, str(file))
    if reading.policy is not None and isinstance(found, bytes):
        return reading.policy, found.decode("utf-8-sig")
    if screen.json:
        write_json(document(file, reading))
    else:
        screen.err.print(reading.show(screen.lang, "short"), style="red", soft_wrap=True)
    raise typer.Exit(PROBLEMS)
