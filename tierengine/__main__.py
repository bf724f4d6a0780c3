"""The command line: `tierengine NOUN VERB`.

Exit codes: 0 done; 1 problems were found in what was given; 2 wrong usage; 3 already running, refused, or it could not
be done. Nobody is ever shown a traceback, unless he asks for it with --debug.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from tierengine.commands.failure import failed
from tierengine.commands.screen import USAGE, BadLanguage, Common, Screen, both, common, in_lang, prepare_streams

# Each noun's module is loaded when it is asked for: `policy check` needs no database, and no command needs them all.
COLLECT_AFTER: Final = 100_000
NOUNS: Final = (
    "demo", "serve", "migrate", "policy", "events", "member", "award", "duties", "ledger", "verify", "seal", "key",
    "staff", "store", "audit", "conformance", "webhook",
)  # fmt: skip
_HELP: Final = both(
    "会员等级与奖励：计划写在政策文件里，每个决定都说得出理由。",
    "Membership tiers and rewards: the programme is a policy file, and every decision is explained.",
)
_EPILOG: Final = both(
    "每个命令都可加 --json(标准输出只有一份 JSON)、--lang zh|en、--debug。"
    "退出码：0 完成；1 输入有问题；2 用法不对；3 已在运行或被拒绝。",
    "Every command takes --json (one JSON document on standard output), --lang zh|en and --debug. "
    "Exit codes: 0 done, 1 problems in the input, 2 wrong usage, 3 already running or refused.",
)


# What typer itself writes on a page of help.
_PAGE: Final = {
    "OPTIONS_PANEL_TITLE": both("选项", "Options"),
    "ARGUMENTS_PANEL_TITLE": both("参数", "Arguments"),
    "COMMANDS_PANEL_TITLE": both("命令", "Commands"),
    "DEFAULT_STRING": both("[默认: {}]", "[default: {}]"),
    "REQUIRED_LONG_STRING": both("[必填]", "[required]"),
}
_HELP_OPTION: Final = both("显示本页。", "Show this page.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # A command's objects live about as long as it does, and hardly any are in cycles: looking for those over and over
    # was a fifth of the time of an import. Who runs a command inside a process that goes on has his own back.
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, 20, 50)
    try:
        return _guarded(arguments)
    finally:
        gc.set_threshold(*before)


def _guarded(arguments: Sequence[str] | None) -> int:
    """Run one command, with a sentence for whatever goes wrong."""
    prepare_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options, rest = common(given, os.environ)
    except BadLanguage as problem:
        print(f"--lang: zh 或 en / zh or en, 不是 / not {str(problem)!r}", file=sys.stderr)
        return USAGE
    screen = Screen(options.lang, options.asked, options.json, options.debug)
    try:
        return _run(rest, options, screen)
    except BrokenPipeError:
        # Whoever read has seen enough, as in `tierengine duties due | head`.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  for what Python flushes at exit
        return 141
    except KeyboardInterrupt:
        screen.warn("已中断。", "Interrupted.")
        return 130
    except Exception as problem:  # noqa: BLE001  the one place that catches everything
        return failed(screen, problem)


def _run(words: list[str], options: Common, screen: Screen) -> int:
    if "--version" in words[:1]:
        return _version(screen)
    command = _command(words, options)
    code = command.main(words, prog_name="tierengine", standalone_mode=False, obj=screen)
    return code if isinstance(code, int) else 0


def _version(screen: Screen) -> int:
    from importlib.metadata import version

    found = version("tierengine")
    return screen.end({"tierengine": found}, lambda: screen.print(found, found))


def _command(words: Sequence[str], options: Common) -> Any:
    """Return the tree of commands, as much of it as these words ask for, in the reader's language."""
    import typer
    from typer.main import get_command

    app = typer.Typer(
        help=_HELP, epilog=_EPILOG, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )

    @app.callback()
    def tierengine() -> None:
        pass

    asked = next((word for word in words if not word.startswith("-")), "")
    for noun in (asked,) if asked in NOUNS else NOUNS:
        module = importlib.import_module(f"tierengine.commands.{noun}")
        app.add_typer(module.app)
    tree = get_command(app)
    _translate(tree, options, page=_shows_help(tree, words))
    return tree


def _shows_help(command: Any, words: Sequence[str]) -> bool:
    """Whether these words end in a page of help: because it is asked for, or because a verb is missing."""
    for word in words:
        command = getattr(command, "commands", {}).get(word, command)
    return "--help" in words or hasattr(command, "commands")


def _translate(command: Any, options: Common, *, page: bool) -> None:
    """Leave one language in every help text, and put the common options at the end of each page.

    What draws a `page` is a tenth of what most commands load, and left alone where none is shown.
    """
    import typer

    if page:
        from typer import rich_utils

        for name, written in _PAGE.items():
            setattr(rich_utils, name, in_lang(written, options.lang))
    waiting = [command]
    while waiting:
        one = waiting.pop()
        one.help = in_lang(one.help or "", options.lang)
        one.epilog = in_lang(_EPILOG, options.lang)
        for parameter in one.params:
            text = getattr(parameter, "help", None)
            if text:
                parameter.help = in_lang(text, options.lang)
        shown = one.get_help_option(typer.Context(one))
        if shown is not None:
            shown.help = in_lang(_HELP_OPTION, options.lang)
        waiting += getattr(one, "commands", {}).values()


if __name__ == "__main__":
    sys.exit(main())
