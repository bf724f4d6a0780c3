"""What a person is told when a command could not do its work: a sentence with a code, never a traceback."""

from __future__ import annotations

import errno
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tierengine.commands.screen import PROBLEMS, REFUSED, USAGE, Screen, write_json
from tierengine.commands.usage import in_chinese
from tierengine.errors import Malformed, TierengineError, Unknown
from tierengine.unseen import still

_SYSTEM: Final[Mapping[int, str]] = {
    errno.ENOENT: "没有这个文件。",
    errno.EACCES: "没有权限。",
    errno.EPERM: "没有权限。",
    errno.EISDIR: "是文件夹，不是文件。",
    errno.ENOTDIR: "其中有一段不是文件夹。",
    errno.EEXIST: "已经有这个文件。",
    errno.ENOSPC: "磁盘已满。",
    errno.EROFS: "磁盘只读。",
    errno.ENAMETOOLONG: "文件名太长。",
    errno.ECONNREFUSED: "连接被拒绝：对方没有在运行。",
    errno.EADDRINUSE: "地址已被占用：另一个程序在用这个端口。",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as it is shown: exit code, stable code, a sentence, and what is wrong with the single parts."""

    exit_code: int
    code: str
    message: str
    errors: tuple[dict[str, Any], ...] = ()
    help: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class Stop(Exception):
    """A command ends here, for a reason that is said in both tongues."""

    def __init__(self, code: str, zh: str, en: str, exit_code: int = REFUSED) -> None:
        self.code, self.zh, self.en, self.exit_code = code, zh, en, exit_code
        super().__init__(en)


def failed(screen: Screen, problem: Exception) -> int:
    """Show what went wrong and return the exit code."""
    if screen.debug:
        traceback.print_exception(problem, file=sys.stderr)
    failure = _described(screen, problem)
    if screen.json:
        error = {"code": failure.code, "message": failure.message, "errors": list(failure.errors), **failure.details}
        write_json({"error": error})
    else:
        screen.err.print(still(f"{failure.message} ({failure.code})"), style="red", soft_wrap=True)
        for one in failure.errors:
            screen.err.print(still(f"  {one['pointer']}: {one['message']} ({one['code']})"), soft_wrap=True)
        if failure.help:
            screen.err.print(failure.help, soft_wrap=True)
    return failure.exit_code


def _described(screen: Screen, problem: Exception) -> Failure:
    if isinstance(problem, Stop):
        return Failure(problem.exit_code, problem.code, screen.say(problem.zh, problem.en))
    if isinstance(problem, TierengineError):
        errors = problem.errors if isinstance(problem, Malformed) else ()
        return Failure(
            PROBLEMS if isinstance(problem, (Malformed, Unknown)) else REFUSED,
            problem.code,
            problem.say(screen.lang),
            tuple({"pointer": one.pointer, "code": one.code, "message": one.say(screen.lang)} for one in errors),
            details={"details": dict(problem.details)},
        )
    # By name: a command that needs no database and no typer must not load them to learn that they did not fail.
    name = type(problem).__name__
    if name == "WriterBusy":
        zh = "另一个进程正在写这本账（SQLite 同时只能有一个写入者）；请先停掉它，或者通过它的接口办理。"
        return Failure(REFUSED, "writer_busy", screen.say(zh, str(problem)))
    if name == "NotReady":
        return Failure(
            REFUSED,
            "not_ready",
            screen.say(str(getattr(problem, "zh", "")) or f"数据库还不能用。原话：{problem}", str(problem)),
        )
    if name == "SettingsRefused":
        return Failure(
            USAGE,
            "settings",
            screen.say("环境变量不能用。" + ";".join(getattr(problem, "zh", ())) + "。", f"Settings: {problem}"),
        )
    if name == "NoArgsIsHelpError":
        return Failure(
            USAGE, "usage", str(getattr(problem, "message", "")) or screen.say("请写明命令。", "Say which command.")
        )
    if getattr(problem, "exit_code", None) == USAGE:
        return _usage(screen, problem)
    if isinstance(problem, OSError):
        what = problem.strerror or str(problem)
        place = str(problem.filename or "")
        chinese = _SYSTEM.get(problem.errno or 0, what)
        return Failure(
            REFUSED, "system", screen.say(f"系统拒绝了：{place} {chinese}", f"The system refused: {place} {what}")
        )
    return _unexpected(screen, problem)


def _usage(screen: Screen, problem: Any) -> Failure:
    """Say in the reader's language what typer says in English only."""
    english = str(problem.format_message()).rstrip(".") + "."
    context = getattr(problem, "ctx", None)
    path = context.command_path if context is not None else "tierengine"
    return Failure(
        USAGE,
        "usage",
        screen.say(in_chinese(problem), english),
        help=screen.say(f"用法见 {path} --help", f"See {path} --help"),
    )


def _unexpected(screen: Screen, problem: Exception) -> Failure:
    # The report names places in the program and the sort of the failure, no values and no sentence, which quotes some:
    # a traceback of a book of members would be personal data in a file that people send around. --debug shows it all.
    from tierengine.logs import raised  # noqa: PLC0415  what writes a service's log is needed here alone

    text = raised((type(problem), problem, problem.__traceback__)) + "\n"
    with tempfile.NamedTemporaryFile(
        "w", prefix="tierengine-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as report:
        report.write(f"{' '.join(sys.argv[:3])}\n\n{text}")
    place = Path(report.name)
    return Failure(
        REFUSED,
        "unexpected",
        screen.say(
            f"出了意外，是程序的问题，不是您的。经过记在 {place}，请连同它一起告诉我们。",
            f"Something unexpected happened; this is our mistake, not yours. The report is {place}.",
        ),
        details={"report": str(place)},
    )
