"""`policy diff`: what differs between two policies, files or published versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from rules.comparison import Difference, differences
from tierengine.commands.failure import Stop
from tierengine.commands.opened import Opened, reading
from tierengine.commands.policy_file import readable
from tierengine.commands.screen import PROBLEMS, USAGE, Screen
from tierengine.recording.recorder import clock

_DIGITS: Final = 9  # a longer number is the name of a file
_TEXT: Final = "SELECT text FROM policy_version WHERE dealer_id = ?1 AND number = ?2"


def diff(screen: Screen, one: str, other: str, dealer: str) -> int:
    """Compare two policies, or one with what is in force, value by value."""
    if other and not _is_number(one) and not _is_number(other):
        sides = _text(screen, one), _text(screen, other)
    else:
        with reading(dealer) as book:
            sides = (
                (_side(screen, book, one), _side(screen, book, other)) if other
                else (in_force(book)[1], _side(screen, book, one))
            )  # fmt: skip
    found = differences(*sides, screen.lang)
    return screen.end({"differences": [plain(each) for each in found]}, lambda: show_differences(screen, found))


def _side(screen: Screen, book: Opened, side: str) -> str:
    return published(book, int(side)) if _is_number(side) else _text(screen, side)


def _is_number(side: str) -> bool:
    return side.isdecimal() and len(side) <= _DIGITS


def _text(screen: Screen, name: str) -> str:
    file = Path(name)
    if not file.is_file():
        raise Stop("no_file", f"没有文件 {name}。", f"There is no file {name}.", USAGE)
    return readable(screen, file)[1]


def published(book: Opened, number: int) -> str:
    """Return the text of a version, as it was published."""
    rows = book.link.ask(_TEXT, book.dealer.id, number).rows()
    if not rows:
        raise Stop("unknown_version", f"没有第 {number} 版政策。", f"There is no version {number}.", PROBLEMS)
    return str(rows[0][0])


def in_force(book: Opened) -> tuple[int, str]:
    """Return the number and the text of the version that rules now."""
    number = book.programme.line.at(clock()).number
    return number, published(book, number)


def plain(one: Difference) -> dict[str, Any]:
    """Return a difference for a program."""
    return {"path": list(one.path), "title": one.title, "before": one.before, "after": one.after}


def show_differences(screen: Screen, found: list[Difference]) -> None:
    """Print a sentence a difference."""
    if not found:
        screen.print("两份政策没有差别。", "The two policies say the same.")
    for one in found:
        named = f"「{one.title}」" if one.title and screen.lang == "zh" else f" ({one.title})" if one.title else ""
        place = f"{' › '.join(one.path[:2])}{named}{''.join(f' › {part}' for part in one.path[2:])}"
        if one.before is None:
            screen.print(f"增加  {place}: {one.after}", f"added    {place}: {one.after}", "green")
        elif one.after is None:
            screen.print(f"去掉  {place}: {one.before}", f"removed  {place}: {one.before}", "red")
        else:
            screen.print(f"改动  {place}: {one.before} → {one.after}", f"changed  {place}: {one.before} → {one.after}")
