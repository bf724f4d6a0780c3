"""`policy test`: the worked examples of a policy, what came out otherwise and why, and what no example exercises."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from rules.files import content
from rules.keys import KEYS
from rules.policy import Example, Policy
from rules.problems import as_dict
from tierengine.commands.policy_coverage import beside
from tierengine.commands.policy_file import File, readable
from tierengine.commands.screen import DONE, PROBLEMS, Screen, both, write_json

if TYPE_CHECKING:
    from tierengine.policies.coverage import Coverage
    from tierengine.policies.examples import Verdict
    from tierengine.policies.failures import Failure

app = typer.Typer()
_SHOWN: Final = 12


@app.command(
    "test",
    help=both(
        "核对示例：政策文件里的，和另外的示例文件里的；对不上的指出在哪一行、应得、实得、为什么，并列出没有示例用到的规则。",
        "Run the examples in a policy file and in files of their own: what fails, where and why, and what none covers.",
    ),
)
def run(
    context: typer.Context,
    file: File,
    examples: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[EXAMPLES]...",
            exists=True,
            dir_okay=False,
            readable=True,
            show_default=False,
            help=both(
                "示例文件：只有“示例”一段的 YAML。不写时，有同名的 .examples 文件就一起核对。",
                "Files of examples: YAML with `examples` alone. Unless given: NAME.examples.yaml, if there.",
            ),
        ),
    ] = None,
    min_coverage: Annotated[
        int,
        typer.Option(
            "--min-coverage",
            metavar="PERCENT",
            min=0,
            max=100,
            help=both(
                "示例至少要用到百分之几的规则，不到则退出码 1。", "Fail when the examples exercise less than this."
            ),
        ),
    ] = 0,
) -> int:
    """Run the examples; 1 when one fails, a file has errors, or too little is exercised."""
    # Loaded here: other commands need no engine.
    from rules.judge import Ruleset  # noqa: PLC0415
    from tierengine.policies.coverage import coverage  # noqa: PLC0415
    from tierengine.policies.examples import run_examples  # noqa: PLC0415

    screen: Screen = context.obj
    policy, _ = readable(screen, file)
    if not examples and beside(file).is_file():
        examples = [beside(file)]
    more = _read(screen, policy, examples or [])
    verdicts = run_examples(Ruleset(policy), (*policy.examples, *more))
    covered = coverage(policy, (verdict.used for verdict in verdicts))
    failed = sum(not verdict.passed for verdict in verdicts)
    short = covered.percent < min_coverage
    document: dict[str, Any] = {
        "file": str(file),
        "ok": not failed and not short,
        "passed": len(verdicts) - failed,
        "failed": failed,
        "coverage": {
            "percent": covered.percent,
            "required": min_coverage,
            "exercised": covered.exercised,
            "total": covered.total,
            "missing": [
                {"section": section, "id": name, "line": mark.line}
                for section, marks in covered.missing.items()
                for name, mark in marks.items()
            ],
        },
        "rules_without_example": [
            name for section in ("rewards", "prices") for name in covered.missing.get(section, ())
        ],
        "examples": [_plain(file, verdict) for verdict in verdicts],
    }

    def show() -> None:
        for verdict in verdicts:
            _show(screen, file, policy, verdict)
        _total(screen, len(verdicts), failed)
        _coverage(screen, file, covered, min_coverage)

    return screen.end(document, show, PROBLEMS if failed or short else DONE)


def _read(screen: Screen, policy: Policy, files: Sequence[Path]) -> list[Example]:
    """Return the examples of all the files, or show what is wrong with any of them and stop."""
    from rules.example_files import read_example_file  # noqa: PLC0415  as in `run`

    readings = [(path, read_example_file(content(path), str(path), policy)) for path in files]
    if any(reading.failed for _, reading in readings):
        problems = [(problem, reading) for _, reading in readings for problem in reading.problems]
        if screen.json:
            told = [as_dict(problem, reading.line(problem.mark)) for problem, reading in problems]
            write_json({"ok": False, "problems": told})
        else:
            for _, reading in readings:
                if reading.problems:
                    screen.err.print(reading.show(screen.lang, "short"), style="red", soft_wrap=True)
        raise typer.Exit(PROBLEMS)
    return [example for _, reading in readings for example in reading.examples]


def _plain(file: Path, verdict: Verdict) -> dict[str, Any]:
    example = verdict.example
    return {
        "title": example.title,
        "file": example.file or str(file),
        "line": example.mark.line,
        "passed": verdict.passed,
        "parked": list(verdict.parked),
        "wrong": [
            {
                "what": one.key,
                "line": one.mark.line,
                "column": one.mark.column,
                "expected": one.expected,
                "got": one.got,
                "unit": one.unit,
                "why": [
                    {
                        "rule": each.rule,
                        "file": str(file),
                        "line": each.mark.line,
                        "sentence": {"zh": each.text.zh, "en": each.text.en},
                    }
                    for each in one.why
                ],
            }
            for one in verdict.failures
        ],
    }


def _show(screen: Screen, file: Path, policy: Policy, verdict: Verdict) -> None:
    example = verdict.example
    own = example.file or str(file)
    if verdict.passed:
        screen.print(f"✓ {example.title}", f"✓ {example.title}", style="green")
        return
    line = f"✗ {example.title}  {own}:{example.mark.line}"
    screen.print(line, line, style="bold red")
    for one in verdict.failures:
        place = f"{own}:{one.mark.line}:{one.mark.column}"
        want, got = (_value(screen, policy, one, value) for value in (one.expected, one.got))
        screen.print(
            f"    {place}: {_key(one.key)}：应得 {want}，实得 {got}",
            f"    {place}: {one.key}: expected {want}, got {got}",
        )
        for each in one.why:
            where = f"{file}:{each.mark.line}"
            screen.print(
                f"        {each.text.zh}  [{_key(each.rule)} {where}]", f"        {each.text.en}  [{each.rule} {where}]"
            )
    for kind in verdict.parked:
        screen.print(f"    {kind}：它所指的事件不在示例里", f"    {kind}: the event it names is not in the example")


def _key(path: str) -> str:
    """Spell the first part of a path in Chinese: it is a key; the others are ids."""
    first, dot, rest = path.partition(".")
    return KEYS.get(first, first) + dot + rest


def _value(screen: Screen, policy: Policy, failure: Failure, value: object) -> str:
    from tierengine.amounts import amount  # noqa: PLC0415  brings babel, which only a failure needs

    if isinstance(value, list):
        return ", ".join(map(str, value)) or screen.say("无", "none")
    if value is None:
        return screen.say("没有", "nothing")
    if failure.unit and isinstance(value, int):
        return amount(value, policy.currency if failure.unit == "money" else failure.unit, screen.lang)
    return str(value)


def _total(screen: Screen, all_: int, failed: int) -> None:
    screen.print(
        f"{all_} 个示例，通过 {all_ - failed} 个。",
        f"{all_ - failed} of {all_} examples passed.",
        style="bold red" if failed else "bold green",
    )


def _coverage(screen: Screen, file: Path, covered: Coverage, least: int) -> None:
    style = "bold red" if covered.percent < least else "cyan"
    screen.print(
        f"示例用到了 {covered.total} 项里的 {covered.exercised} 项（{covered.percent}%）。",
        f"The examples exercise {covered.exercised} of {covered.total} ({covered.percent}%).",
        style=style,
    )
    if covered.percent < least:
        screen.print(f"要求至少 {least}%。", f"At least {least}% is required.", style="bold red")
    for section, marks in covered.missing.items():
        named = [f"{name}:{mark.line}" for name, mark in list(marks.items())[:_SHOWN]]
        more = f" … +{len(marks) - _SHOWN}" if len(marks) > _SHOWN else ""
        screen.print(
            f"  没有示例用到的{KEYS[section if section in KEYS else section[:-1]]}（{file}）：{', '.join(named)}{more}",
            f"  {section} that no example exercises ({file}): {', '.join(named)}{more}",
            style="yellow",
        )
