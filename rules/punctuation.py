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
_WIDE_DASH = re.compile(r"^ *－")
_WIDE_HASH = re.compile(r"^ *＃")
_WIDE_COLON = re.compile(rf"^ *{_DASHES}[\w.\-]+ *：")
_WIDE_SPACE_AFTER = re.compile(rf"^ *{_DASHES}[\w.\-]+ *:[{_WIDE_SPACES}]")
_IN_BRACKETS = re.compile(r"(?<=[{,])\s*[\w.\-]+ *：")
_NO_SPACE_AFTER = re.compile(rf"^ *{_DASHES}[^\W\d]\w*:(?=[^\s:/])")


@dataclass(frozen=True, slots=True)
class Suspect:
    """One character that YAML does not take as the writer meant it. `begins` is the column of the word it spoils."""

    code: str
    mark: Mark
    begins: int
    found: str
    instead: str


def suspects(lines: tuple[str, ...]) -> list[Suspect]:
    """List the places of `lines` that look mistyped; block texts (`|`, `>`) are prose and skipped."""
    found: list[Suspect] = []
    prose_deeper_than: int | None = None
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
        suspect = _of_line(line, number, blanks)
        if suspect is not None:
            found.append(suspect)
    return found


def _of_line(line: str, number: int, blanks: int) -> Suspect | None:
    for column, character in enumerate(line[:blanks]):
        if character == "\t":
            return Suspect("P107", Mark(number, column + 1), blanks + 1, "\t", "  ")
        if character != " ":
            return Suspect("P108", Mark(number, column + 1), column + 1, character, "  ")
    for pattern, code, instead in (
        (_WIDE_DASH, "P108", "- "),
        (_WIDE_HASH, "P108", "#"),
        (_WIDE_COLON, "P108", ": "),
        (_WIDE_SPACE_AFTER, "P108", " "),
        (_NO_SPACE_AFTER, "P109", ": "),
    ):
        match = pattern.match(line)
        if match:
            end = match.end()
            begins = len(_match(re.compile(rf"^ *{_DASHES}"), line)) + 1
            return Suspect(code, Mark(number, end), begins, line[end - 1], instead)
    return None


def _match(pattern: re.Pattern[str], line: str) -> str:
    match = pattern.match(line)
    return match.group() if match else ""


def in_brackets(lines: tuple[str, ...], number: int) -> list[Suspect]:
    """List the first full-width colon after a key in `{ }` on this line: asked for only when the line is no YAML."""
    match = _IN_BRACKETS.search(lines[number - 1]) if 0 < number <= len(lines) else None
    if match is None:
        return []
    return [Suspect("P108", Mark(number, match.end()), match.start() + 1, "：", ": ")]


def mended(lines: tuple[str, ...], found: list[Suspect]) -> str:
    """Return the text with every suspect replaced, one at most in a line."""
    copy = list(lines)
    for suspect in found:
        row, at = suspect.mark.line - 1, suspect.mark.column - 1
        copy[row] = copy[row][:at] + suspect.instead + copy[row][at + 1 :]
    return "\n".join(copy)


def moved_back(found: list[Suspect]) -> dict[int, tuple[int, int]]:
    """Give by line the column after which a mended line is longer than the written one, and by how much."""
    return {
        suspect.mark.line: (suspect.mark.column, len(suspect.instead) - 1)
        for suspect in found
        if len(suspect.instead) > 1
    }
