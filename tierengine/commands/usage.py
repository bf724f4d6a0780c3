"""Wrong usage in Chinese: the parser of the command line says what is wrong in English only."""

from __future__ import annotations

import re
from typing import Any, Final

# What the parser says → how it is said here. Names, values and paths are taken over as they are.
_SAID: Final = tuple(
    (re.compile(pattern, re.DOTALL), chinese)
    for pattern, chinese in (
        (r"Got unexpected extra argument\(s\) \((.*)\)", r"多写了 \1；选项写作 --名称 值。"),
        (r"No such command '(.*?)'\. Did you mean (.*)\?", r"没有命令 \1，是不是 \2？"),
        (r"No such command '(.*?)'\.", r"没有命令 \1。"),
        (r"No such option: (\S+) \(Possible options: (.*?)(?:, --help)?\)", r"没有选项 \1，是不是 \2？"),
        (r"No such option: (\S+)", r"没有选项 \1。"),
        (r"Option '(.*?)' requires (?:an argument|\d+ arguments)\.", r"选项 \1 后面要写值。"),
        (r"Option '(.*?)' does not take a value\.", r"选项 \1 后面不写值。"),
        (r"Argument '(.*?)' takes (\d+) values\.", r"\1 要写 \2 个值。"),
        (r"Input should be a valid integer.*", "应为整数。"),
        (r"Input should be a valid number.*", "应为数字。"),
        (r"Input should be greater than or equal to (\S+)", r"应不小于 \1。"),
        (r"Input should be less than or equal to (\S+)", r"应不大于 \1。"),
        (r"Input should be greater than (\S+)", r"应大于 \1。"),
        (r"Input should be less than (\S+)", r"应小于 \1。"),
        (r"Input should be ('.*)", r"应为其中之一：\1。"),
        (r"(?:Value error, )?(.*?) is not one of (.*?)\.?", r"\1 不在其中，有：\2。"),
        (r"(?:file|directory|path) '(.*?)' does not exist\.", r"没有 \1。"),
        (r"(?:file|path) '(.*?)' is a directory\.", r"\1 是文件夹，不是文件。"),
        (r"(?:directory|path) '(.*?)' is a file\.", r"\1 是文件，不是文件夹。"),
        (r"(?:file|directory|path) '(.*?)' is not readable\.", r"\1 不能读：没有权限。"),
        (r"(?:file|directory|path) '(.*?)' is not writable\.", r"\1 不能写：没有权限。"),
        (r"Missing command\.", "请写明命令。"),
    )
)


def in_chinese(problem: Any) -> str:
    """Return what is wrong with how a command was called. `problem`: the parser's exception."""
    hint = getattr(problem, "param", None)
    what = hint.get_error_hint() if hint is not None else ""
    kind = type(problem).__name__
    if kind == "MissingParameter":
        return f"缺少参数 {what}。"
    # A value's own message tells what the whole one repeats in English.
    message = str(problem.message if kind == "BadParameter" else problem.format_message()).strip()
    chinese = next((found.expand(said) for pattern, said in _SAID if (found := pattern.fullmatch(message))), None)
    if kind == "BadParameter":
        return f"{what} 的值不对：{chinese or message}"
    return chinese or f"用法不对：{message}"
