"""`policy explain`, `policy fmt` and `policy schema`: what helps the writer of a policy file while he writes it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from rules.catalogue import CATALOGUE
from rules.problems import Lang, as_dict, render
from tierengine.commands.failure import Stop
from tierengine.commands.policy_file import File
from tierengine.commands.screen import DONE, PROBLEMS, USAGE, Screen, both, write_json

app = typer.Typer()


class Tongue(StrEnum):
    """The language of keys and words; `mixed` takes both."""

    zh = "zh"
    en = "en"
    mixed = "mixed"


@app.command(
    help=both(
        "说明一个问题编号：什么意思，怎么改，各举一例。不写编号时列出全部。",
        "Explain a problem's code: what it means, how to mend it, with an example. Without a code: list all.",
    )
)
def explain(
    context: typer.Context,
    code: Annotated[
        str,
        typer.Argument(metavar="[CODE]", show_default=False, help=both("问题编号，如 P303。", "The code, as in P303.")),
    ] = "",
) -> int:
    """Explain one code, or list all of them."""
    screen: Screen = context.obj
    if not code:
        return _catalogue(screen)
    wanted = code.strip().upper()
    if wanted not in CATALOGUE:
        raise Stop(
            "unknown_code",
            f"没有 {code} 这个问题编号；全部编号见 tierengine policy explain",
            f"There is no code {code}; `tierengine policy explain` lists them all",
            PROBLEMS,
        )
    return screen.end(_explained(wanted), lambda: _explain(screen, wanted))


def _catalogue(screen: Screen) -> int:
    document = {
        "codes": [
            {"code": code, "severity": entry.severity, "title": {"zh": entry.title_zh, "en": entry.title_en}}
            for code, entry in CATALOGUE.items()
        ]
    }

    def show() -> None:
        for code, entry in CATALOGUE.items():
            screen.print(
                f"{code}  {'错误' if entry.severity == 'error' else '提醒'}  {entry.title_zh}",
                f"{code}  {entry.severity:<7}  {entry.title_en}",
            )

    return screen.end(document, show)


def _explained(code: str) -> dict[str, Any]:
    from rules.explanations.explanation import explain as explained  # noqa: PLC0415  the examples are made when one is asked for

    langs: tuple[Lang, ...] = ("zh", "en")
    by_lang = {lang: explained(code, lang) for lang in langs}
    return {
        "code": code,
        "severity": CATALOGUE[code].severity,
        **{part: {lang: getattr(one, part) for lang, one in by_lang.items()} for part in ("title", "sentence", "help")},
        "example": {
            lang: {
                "fails": one.fails,
                "line": one.place.line if one.place else None,
                "column": one.place.column if one.place else None,
                "encoding": one.encoding,
                "mended": one.mended,
            }
            for lang, one in by_lang.items()
        },
    }


def _explain(screen: Screen, code: str) -> None:
    from rules.explanations.explanation import explain as explained  # noqa: PLC0415

    found = explained(code, screen.lang)
    severity = screen.say("错误", "error") if found.severity == "error" else screen.say("提醒", "warning")
    style = "bold red" if found.severity == "error" else "bold yellow"
    screen.out.print(Text(f"{code} {found.title} ({severity})", style=style), soft_wrap=True)
    screen.out.print()
    screen.out.print(Text(found.sentence), soft_wrap=True)
    screen.print(f"怎么改: {found.help}", f"Help: {found.help}")
    saved = "" if found.encoding == "utf-8" else f" ({found.encoding.upper()})"
    for heading, lines in (
        (screen.say(f"这样写不行{saved}:", f"This fails{saved}:"), found.lines()),
        (screen.say("这样写可以：", "This is right:"), found.mended.rstrip("\n").split("\n")),
    ):
        screen.out.print()
        screen.out.print(Text(heading, style="bold"))
        for line in lines:
            screen.out.print(Text(f"    {line}"), soft_wrap=True)


@app.command(
    help=both(
        "把政策文件里的关键字、事件、字段、单位换成中文（--lang zh）或英文（--lang en）；注释、顺序、排版不变。"
        "不写 --lang 时按文件里多数关键字的语言。",
        "Write keys, events, fields and units of a policy file in Chinese (--lang zh) or English (--lang en); "
        "comments, order and layout stay. Without --lang: in the language of most of its keys.",
    )
)
def fmt(
    context: typer.Context,
    file: File,
    check: Annotated[
        bool,
        typer.Option("--check", help=both("只看要不要改：要改则退出码 1。", "Only tell whether it would change.")),
    ] = False,
    write: Annotated[
        bool,
        typer.Option("--write", help=both("写回文件；缺省打印出来。", "Write the file; the default is to print it.")),
    ] = False,
) -> int:
    """Convert a policy file; one with errors is left alone."""
    from rules.formatting import Formatted, formatted_file  # noqa: PLC0415  `explain` needs no YAML

    screen: Screen = context.obj
    if check and write:
        raise Stop("check_or_write", "--check 和 --write 只能写一个。", "Say either --check or --write.", USAGE)
    found: Formatted = formatted_file(file, screen.lang if screen.asked else None)
    document: dict[str, Any] = {
        "file": str(file),
        "lang": found.lang,
        "ok": found.text is not None,
        "changed_lines": found.changed,
    }
    if found.text is None:
        errors = [problem for problem in found.reading.problems if problem.severity == "error"]
        document["problems"] = [as_dict(problem, found.reading.line(problem.mark)) for problem in errors]
        for problem in errors if not screen.json else ():
            shown = render(problem, found.reading.line(problem.mark), screen.lang)
            screen.err.print(Text(f"{shown}\n"), soft_wrap=True)
        return screen.end(document, lambda: _left_alone(screen, len(errors)), PROBLEMS)
    if check:
        return screen.end(document, lambda: _changed(screen, found.changed), PROBLEMS if found.changed else DONE)
    if write:
        if found.changed:
            replace_file(file, found.text.encode("utf-8"))
        return screen.end({**document, "written": found.changed > 0}, lambda: _changed(screen, found.changed))
    return screen.end({**document, "text": found.text}, lambda: _put(found.text or ""))


def _left_alone(screen: Screen, errors: int) -> None:
    screen.warn(
        f"文件有 {errors} 个错误，没有改动。", f"The file has {errors} errors; nothing was changed.", "bold red"
    )


def _changed(screen: Screen, lines: int) -> None:
    screen.print(
        f"{lines} 行有变化。" if lines else "没有变化。", f"{lines} lines change." if lines else "Nothing changes."
    )


def _put(text: str) -> None:
    # Not through Rich: the text is a file. Where it goes into one it is UTF-8, whatever the terminal's encoding.
    if sys.stdout.isatty() or not hasattr(sys.stdout, "buffer"):
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.flush()


def _umask() -> int:
    """Return the mask of new files, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def replace_file(file: Path, content: bytes) -> None:
    """Put the new content in the file's place all at once: who reads the file sees the old one or the new one."""
    place = file.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        if place.exists():
            shutil.copymode(place, new)
        else:
            new.chmod(0o666 & ~_umask())
        new.replace(place)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


@app.command(
    help=both(
        "打印 JSON Schema(draft-07)，供编辑器补全和提示；--lang zh|en 只用一种语言，--lang mixed(缺省)两种都认。",
        "Print the JSON Schema (draft-07) for editors; --lang zh|en for one language, --lang mixed (default) for both.",
    )
)
def schema(
    context: typer.Context,
    keys: Annotated[
        Tongue | None,
        typer.Option("--keys", show_default=False, help=both("同 --lang。", "The same as --lang.")),
    ] = None,
) -> int:
    """Print the schema; `--lang` says which one as long as `--keys`, of older habit, does not."""
    from rules.schema import policy_schema  # noqa: PLC0415  made when it is asked for

    screen: Screen = context.obj
    write_json(policy_schema(keys.value if keys else screen.lang if screen.asked else "mixed"))
    return DONE
