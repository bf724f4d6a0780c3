"""What a command shows: tables and sentences in Chinese or English, or one JSON document and nothing else.

Options every command takes (`--lang`, `--json`, `--debug`) are read here, before the command line is taken apart, so
that they may stand anywhere and the help text itself is in the reader's language.
"""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rules.problems import Lang
from tierengine.unseen import still

DONE: Final = 0
PROBLEMS: Final = 1
USAGE: Final = 2
REFUSED: Final = 3

# Wide enough for a table of Chinese sentences when the output goes to a file, where Rich would fall back to 80.
HEADING: Final = 12  # cells of a heading before it folds over a column of numbers
FILE_WIDTH: Final = 132
_SPLIT: Final = "\x1f"
_NUMBER: Final = re.compile(r"(--[a-z-]+[=\uff1d])?[+\-\uff0b\uff0d]?[0-9\uff10-\uff19]+")


def both(zh: str, en: str) -> str:
    """Return one help text in both tongues, for where typer wants a text: `in_lang` takes one of them."""
    return f"{zh}{_SPLIT}{en}"


def in_lang(text: str, lang: Lang) -> str:
    """Return the part of `both` that is in `lang`; any other text is returned as it is."""
    zh, split, en = text.partition(_SPLIT)
    return (zh if lang == "zh" else en) if split else text


@dataclass(frozen=True, slots=True)
class Common:
    """The options every command takes. `asked`: the language was asked for, not guessed from the machine's locale."""

    lang: Lang
    asked: bool
    json: bool
    debug: bool


class BadLanguage(ValueError):
    """There are two languages, and this is none of them."""


def common(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[Common, list[str]]:
    """Take the common options out of the command line; what comes after `--` stays as it is.

    Whole numbers may be full-width.
    """
    rest: list[str] = []
    asked: str | None = None
    flags = {"--json": False, "--debug": False}
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in flags:
            flags[word] = True
        elif word == "--lang":
            asked = next(words, "")
        elif word.startswith("--lang="):
            asked = word.partition("=")[2]
        else:
            rest.append(_half_width(word))
    if asked == "mixed" and rest[:2] == ["policy", "schema"]:
        # Of keys there is a third choice, of sentences there is none.
        rest, asked = [*rest, "--keys", "mixed"], None
    wanted = asked if asked is not None else environ.get("TIERENGINE_LANG", "")
    lang = _lang(wanted) if wanted or asked is not None else _of_locale(environ)
    return Common(lang, bool(wanted), flags["--json"], flags["--debug"]), rest


def _half_width(word: str) -> str:
    """Return a whole number as its option takes it, also where a Chinese keyboard wrote it; other words as they are."""
    return word if word.isascii() or not _NUMBER.fullmatch(word) else unicodedata.normalize("NFKC", word)


def _lang(wanted: str) -> Lang:
    if wanted.lower().startswith("zh"):
        return "zh"
    if wanted.lower().startswith("en"):
        return "en"
    raise BadLanguage(wanted)


def _of_locale(environ: Mapping[str, str]) -> Lang:
    name = next((environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(key)), "")
    return "zh" if name.lower().startswith("zh") else "en"


@dataclass(slots=True)
class Screen:
    """Standard output and standard error in one language. In JSON mode people's text is not printed at all."""

    lang: Lang = "zh"
    asked: bool = False
    json: bool = False
    debug: bool = False
    out: Console = field(default_factory=lambda: _console(sys.stdout))
    err: Console = field(default_factory=lambda: _console(sys.stderr))

    def say(self, zh: str, en: str) -> str:
        """Return the sentence in the reader's language."""
        return zh if self.lang == "zh" else en

    def print(self, zh: str, en: str, style: str = "") -> None:
        """Print a sentence, unless the output is for a program."""
        if not self.json:
            self.out.print(Text(still(self.say(zh, en)), style=style), soft_wrap=True)

    def warn(self, zh: str, en: str, style: str = "yellow") -> None:
        """Print a sentence on standard error."""
        self.err.print(Text(still(self.say(zh, en)), style=style), soft_wrap=True)

    def table(
        self,
        title: str,
        headings: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        right: Iterable[int] = (),
        unbroken: Iterable[int] = (),
    ) -> None:
        """Print a table; the columns numbered in `right` hold numbers.

        Numbers, and what stands in the columns `unbroken`, are not broken over two lines where there is room.
        """
        if self.json:
            return
        shown = Table(
            title=title or None,
            title_justify="left",
            title_style="bold",
            header_style="bold",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
        )
        cells = [[cell if isinstance(cell, Text) else Text(still(str(cell))) for cell in row] for row in rows]
        numbers = frozenset(right)
        widest = {
            place: max((row[place].cell_len for row in cells if place < len(row)), default=1)
            for place in (*numbers, *unbroken)
        }
        fits = sum(widest.values()) + 3 * len(headings) < self.out.width * 3 // 4
        for place, heading in enumerate(headings):
            least = widest.get(place) if fits else None
            side: Literal["right", "left"] = "right" if place in numbers else "left"
            # A long heading over short numbers folds first: what stands in the column is not what gives way.
            most = max(widest[place], HEADING) if place in numbers else None
            shown.add_column(heading, justify=side, overflow="fold", min_width=least, max_width=most)
        for row in cells:
            shown.add_row(*row)
        self.out.print(shown)

    def end(self, document: Mapping[str, Any], show: Callable[[], None], code: int = DONE) -> int:
        """Give the answer: the document to a program, or what `show` prints to a person; return the exit code."""
        if self.json:
            write_json(document)
        else:
            show()
        return code


def write_json(document: Mapping[str, Any]) -> None:
    """Write the one JSON document of a command to standard output."""
    plain = "utf" not in (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    sys.stdout.write(json.dumps(document, ensure_ascii=plain, indent=2, default=str) + "\n")
    sys.stdout.flush()


def prepare_streams() -> None:
    """Let nothing that is printed fail on an encoding: a file name may hold bytes that are no text."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _console(stream: Any) -> Console:
    # Markup and emoji codes would be read out of customers' names; what is bold is said with a style.
    wide = None if stream.isatty() or "COLUMNS" in os.environ else FILE_WIDTH
    return Console(file=stream, width=wide, markup=False, emoji=False, highlight=False, soft_wrap=False)
