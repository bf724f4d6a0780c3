"""What is said of one problem, in one tongue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from rules.catalogue import CATALOGUE
from rules.explanations import EXAMPLES
from rules.policy import Mark, Text
from rules.problems import Lang, Problem, Severity, width
from rules.reader import Reading

_NAMES_A_LINE: Final = ("P202", "P415")  # what they are about is the line of the first of two
_INVISIBLE: Final = {"\t": "⇥", "\ufeff": "\N{REPLACEMENT CHARACTER}"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """All there is to say of one problem in one tongue.

    `place` is where it is found in the failing piece; None when that is shown shortened.
    """

    code: str
    severity: Severity
    title: str
    sentence: str
    help: str
    fails: str
    mended: str
    encoding: str
    place: Mark | None

    def lines(self) -> list[str]:
        """Return the failing piece with a caret under the place."""
        lines = [_visible(line) for line in self.fails.rstrip("\n").split("\n")]
        if self.place is None:
            return lines
        at = min(self.place.line, len(lines))
        before = lines[at - 1][: self.place.column - 1]
        return [*lines[:at], " " * width(before) + "^", *lines[at:]]


def explain(code: str, lang: Lang) -> Explanation:
    """Explain a code of the catalogue; KeyError when there is none such."""
    entry, example = CATALOGUE[code], EXAMPLES[code]
    above = example.above.count("\n")
    found = example.told or _found(code, example.reading(lang))
    if code in _NAMES_A_LINE:
        found = replace(found, about=str(int(found.about) - above))
    return Explanation(
        code=code,
        severity=entry.severity,
        title=entry.title_zh if lang == "zh" else entry.title_en,
        sentence=found.message(lang),
        help=entry.help_zh if lang == "zh" else entry.help_en,
        fails=example.failing_piece(lang),
        mended=example.piece(lang),
        encoding=example.encoding,
        place=None if example.shown else Mark(found.mark.line - above, found.mark.column),
    )


def titles() -> dict[str, Text]:
    """List every code with its title."""
    return {code: Text(entry.title_zh, entry.title_en) for code, entry in CATALOGUE.items()}


def _found(code: str, reading: Reading) -> Problem:
    return next(problem for problem in reading.problems if problem.code == code)


def _visible(text: str) -> str:
    return "".join(_INVISIBLE.get(character, character) for character in text)
