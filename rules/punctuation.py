"""What a Chinese keyboard types where YAML wants ASCII, found in the text before it is parsed.

A full-width colon after a key makes every YAML library blame the next line; a tab or a wide space in the indentation
gives errors nobody understands. Here such places are found, and a mended copy lets the reading go on, so that the
other problems of the file are reported too. Inside titles and notes the same characters are prose and stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rules.policy import Mark

_WIDE_SPACES = "\u3000\u00a0"
_DASHES = r"(?:- +)*"
# Every pattern takes time in proportion to the line: none has two runs that can share the same characters.
_BLOCK_TEXT = re.compile(r"(?:^ *|[:：-][ \t]+)[|>][+\-1-9]{0,2}\s*(?:#.*)?$")
_BLANKS = re.compile(rf"^[ \t{_WIDE_SPACES}]*")
_BEFORE = re.compile(rf"^ *{_DASHES}")
_WIDE_DASH = re.compile(r"^ *－")
_WIDE_HASH = re.compile(r"^ *＃")
_WIDE_COLON = re.compile(rf"^ *{_DASHES}[\w.\-]+ *：")
_WIDE_SPACE_AFTER = re.compile(rf"^ *{_DASHES}[\w.\-]+ *:[{_WIDE_SPACES}]")
_NO_SPACE_DASH = re.compile(r"^ *-(?=[^\W\d_]\w* *[:：](?: |$))")
_NO_SPACE_AFTER = re.compile(rf"^ *{_DASHES}[^\W\d]\w*:(?=[^\s:/])")


@dataclass(frozen=True, slots=True)
class Suspect:
    """One character that YAML does not take as the writer meant it. `begins` is the column of the word it spoils.

    `instead` is put in the place of so many characters (`length`) from the index `start` of the line.
    """

    code: str
    mark: Mark
    begins: int
    found: str
    instead: str
    start: int
    length: int = 1

    @property
    def indents(self) -> bool:
        """Whether it stands in the indentation, so that how deep the line was meant to stand is a guess."""
        return self.mark.column < self.begins


def suspects(lines: tuple[str, ...]) -> list[Suspect]:
    """List the places of `lines` that look mistyped; block texts (`|`, `>`) are prose and skipped."""
    found: list[Suspect] = []
    prose_deeper_than: int | None = None
    above, depth = "", 0  # the blanks and the depth of the line above, and whether it opens something
    opens = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        blanks = len(_match(_BLANKS, line))
        if prose_deeper_than is not None:
            if blanks > prose_deeper_than:
                continue
            prose_deeper_than = None
        if _BLOCK_TEXT.search(line):
            prose_deeper_than = blanks
        here = line[:blanks]
        if "\t" in here:
            # As deep as the line above, or one level deeper where that one opens something; tabs count from there.
            depth = depth + 2 * (blanks - len(above)) if "\t" in above else depth + 2 * opens
        else:
            depth = sum(1 if one == " " else 2 for one in here)
        above, opens = here, line.rstrip().endswith((":", "："))
        suspect = _of_line(line, number, blanks, max(0, depth))
        if suspect is not None:
            found.append(suspect)
    return found


def _of_line(line: str, number: int, blanks: int, depth: int) -> Suspect | None:
    for column, character in enumerate(line[:blanks]):
        if character != " ":
            code = "P107" if character == "\t" else "P108"
            return Suspect(code, Mark(number, column + 1), blanks + 1, character, " " * depth, 0, blanks)
    for pattern, code, instead in (
        (_WIDE_DASH, "P108", "- "),
        (_NO_SPACE_DASH, "P109", "- "),
        (_WIDE_HASH, "P108", "#"),
        (_WIDE_COLON, "P108", ": "),
        (_WIDE_SPACE_AFTER, "P108", " "),
        (_NO_SPACE_AFTER, "P109", ": "),
    ):
        match = pattern.match(line)
        if match:
            end = match.end()
            begins = len(_match(_BEFORE, line)) + 1
            return Suspect(code, Mark(number, end), begins, line[end - 1], instead, end - 1)
    return None


def _match(pattern: re.Pattern[str], line: str) -> str:
    match = pattern.match(line)
    return match.group() if match else ""


def mended(lines: tuple[str, ...], found: list[Suspect]) -> list[str]:
    """Return the lines with every suspect replaced, one at most in a line."""
    copy = list(lines)
    for suspect in found:
        row, end = suspect.mark.line - 1, suspect.start + suspect.length
        copy[row] = copy[row][: suspect.start] + suspect.instead + copy[row][end:]
    return copy


def moved_back(found: list[Suspect]) -> dict[int, list[tuple[int, int]]]:
    """Give by line the column after which a mended line is longer than the written one, and by how much."""
    return {
        suspect.mark.line: [(suspect.start + min(suspect.length, 1), len(suspect.instead) - suspect.length)]
        for suspect in found
        if len(suspect.instead) != suspect.length
    }
