"""`policy export` and `policy import`: the numbers of a policy file in Excel, and back into the file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from tierengine.commands.failure import Stop
from tierengine.commands.policy_file import File, readable
from tierengine.commands.policy_tools import replace_file
from tierengine.commands.screen import DONE, PROBLEMS, REFUSED, USAGE, Screen, both

app = typer.Typer()
_SHOWN: Final = 200


@app.command(
    "export",
    help=both(
        "把政策文件里的数导出成 Excel：门槛、奖励金额、折扣、额度、期限，一段一张表；改完用 policy import 收回。",
        "Write the numbers of a policy file to Excel, one sheet a section; `policy import` takes them back.",
    ),
)
def export(
    context: typer.Context,
    file: File,
    to: Annotated[
        Path, typer.Option("--to", metavar="X.xlsx", show_default=False, help=both("写到哪里。", "Where to write it."))
    ],
    force: Annotated[
        bool, typer.Option("--force", help=both("已有的文件也盖掉。", "Also over a file that is there."))
    ] = False,
) -> int:
    """Write the workbook; a file that is there may hold somebody's changes, and stays."""
    from tierengine.policies.workbook import workbook  # noqa: PLC0415  brings openpyxl

    screen: Screen = context.obj
    readable(screen, file)
    if to.suffix.lower() != ".xlsx":
        raise Stop("not_xlsx", "--to 要以 .xlsx 结尾。", "--to must end in .xlsx.", USAGE)
    if to.exists() and not force:
        raise Stop(
            "file_exists",
            f"{to} 已经有了，没有动它；要盖掉请加 --force。",
            f"{to} is there; --force writes over it.",
            REFUSED,
        )
    replace_file(to, workbook(file.read_bytes(), file.name, screen.lang))
    return screen.end(
        {"file": str(file), "written": str(to)},
        lambda: screen.print(
            f"已导出到 {to}。改好存盘后：tierengine policy import {to} {file}",
            f"Written to {to}. When it is changed and saved: tierengine policy import {to} {file}",
            style="bold green",
        ),
    )


@app.command(
    "import",
    help=both(
        "把改过的 Excel 收回政策文件：只有数会变，注释和排版不动；有一格不对就什么都不写。"
        "不写 --write 或 --to 时只看会改什么。",
        "Take a changed workbook back: only numbers change; one bad cell and nothing is written. "
        "Without --write or --to it shows what would change.",
    ),
)
def import_(
    context: typer.Context,
    book: Annotated[
        Path,
        typer.Argument(
            metavar="X.xlsx",
            exists=True,
            dir_okay=False,
            readable=True,
            show_default=False,
            help=both("policy export 导出、改过的工作簿。", "The workbook that `policy export` wrote, changed."),
        ),
    ],
    file: File,
    write: Annotated[bool, typer.Option("--write", help=both("写回政策文件。", "Write the policy file."))] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="NEW.yaml", show_default=False, help=both("写成另一个文件。", "Write another file.")
        ),
    ] = None,
) -> int:
    """Show or write what changes; 1 when a cell is bad, 3 when the new file is there already."""
    from tierengine.policies.takeback import take_back  # noqa: PLC0415  brings openpyxl

    screen: Screen = context.obj
    if write and to is not None:
        raise Stop("write_or_to", "--write 和 --to 只能写一个。", "Say either --write or --to.", USAGE)
    if to is not None and to.exists():
        raise Stop("file_exists", f"{to} 已经有了，没有动它。", f"{to} is there already; nothing was written.", REFUSED)
    readable(screen, file)
    taken = take_back(file.read_bytes(), str(file), book.read_bytes())
    problems: list[dict[str, Any]] = [
        {
            "sheet": bad.sheet,
            "cell": bad.cell,
            "code": bad.code if bad.problem is None else bad.problem.code,
            "message": {"zh": bad.message("zh"), "en": bad.message("en")},
            "found": bad.found,
        }
        for bad in taken.problems
    ]
    place = file if write else to
    written = place is not None and not problems and (bool(taken.changes) or to is not None)
    if written and place is not None and taken.text is not None:
        replace_file(place, taken.text.encode("utf-8"))
    document: dict[str, Any] = {
        "file": str(file),
        "workbook": str(book),
        "ok": not problems,
        "changes": [
            {
                "sheet": one.sheet,
                "cell": one.cell,
                "name": one.name,
                "line": one.line,
                "from": one.before,
                "to": one.after,
            }
            for one in taken.changes
        ],
        "problems": problems,
        "written": str(place) if written else None,
    }

    def show() -> None:
        for one in problems:
            at = "!".join(part for part in (one["sheet"], one["cell"]) if part) or str(book)
            screen.out.print(Text(f"{at}: {one['message'][screen.lang]}", style="red"), soft_wrap=True)
        if problems:
            screen.print(
                f"{len(problems)} 处不对，什么都没有写。",
                f"{len(problems)} problems; nothing was written.",
                style="bold red",
            )
            return
        for change in taken.changes[:_SHOWN]:
            line = (
                f"{change.sheet}!{change.cell}  {change.name}: {change.before} → {change.after}  ({file}:{change.line})"
            )
            screen.print(line, line)
        count = len(taken.changes)
        if written:
            screen.print(
                f"改了 {count} 个数，已写入 {place}。", f"{count} numbers changed in {place}.", style="bold green"
            )
        elif count and place is None:
            screen.print(
                f"会改 {count} 个数；加 --write 写回，或 --to 写成另一个文件。",
                f"{count} numbers would change; --write writes the file, --to another one.",
                style="cyan",
            )
        else:
            screen.print("没有变化。", "Nothing changes.", style="cyan")

    return screen.end(document, show, PROBLEMS if problems else DONE)
