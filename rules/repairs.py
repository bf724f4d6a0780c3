"""Where YAML stops, what the writer most likely meant: a bracket closed, a line moved, a text put in quotes.

The parser gives up at the first thing it does not understand, and often blames a later line. Here the line that is to
blame is found, and mended in a copy, so that the reading goes on and every other problem of the file is said too. A
failure that is none of these stays the parser's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rules.policy import Mark

_KEY: Final = re.compile(r"""^ *(?:- +)*(?:[^\s#'"\[{&*!|>%@`:][^:#]*|"[^"]*"|'[^']*') *:(?: +|$)""")
_DASHES: Final = re.compile(r"^ *(?:- +)*")
_OPEN: Final = {"{": "}", "[": "]"}
_WIDE_COLON: Final = re.compile(r"(?<=[{,])\s*[\w.\-]+ *：")
_WIDE_COMMA: Final = re.compile(r"[，、；](?=\s*[\w.\-]+ *[:：])")
_WIDE_OPEN: Final = re.compile(r"(?<=[:,\[{]) *([｛［【])")
_WIDE_CLOSE: Final = re.compile(r"[｝］】]")
_NARROW: Final = {
    "｛": "{",
    "［": "[",
    "【": "[",
    "｝": "}",
    "］": "]",
    "】": "]",
    "：": ": ",
    "，": ", ",
    "、": ", ",
    "；": ", ",
}
_SYMBOL: Final = re.compile(r"(?<=[:{,])( *)(>=|=>|<=|=<|>|<|=)( *:? *)([^\s,}#]*)")
SYMBOLS: Final = {
    ">=": "at_least", "=>": "at_least", "≥": "at_least", "<=": "at_most", "=<": "at_most", "≤": "at_most",
    ">": "more_than", "<": "less_than", "=": "is", "≠": "is_not",
}  # fmt: skip
_ZH: Final = {"at_least": "不低于", "at_most": "不高于", "more_than": "超过", "less_than": "少于", "is": "是"}


@dataclass(frozen=True, slots=True)
class Failure:
    """Where and why the parser stopped. `context` is where the thing it was reading began.

    `quoted` is where a quoted text began that went over several lines and ended just before the failure.
    """

    said: str
    place: Mark
    context: Mark | None = None
    quoted: Mark | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """What is wrong, at a place of the text as it is now, and the line as it is meant.

    `after` is the column behind which the new line is `longer` than the old one, by so many characters.
    """

    code: str
    mark: Mark
    found: str
    allowed: tuple[str, ...]
    text: str
    after: int
    longer: int
    line: int
    length: int = 1
    allowed_zh: tuple[str, ...] = ()


def repair(lines: Sequence[str], failure: Failure) -> Repair | None:
    """Find the mistake behind a failure; None when it is none of those that people at a Chinese keyboard make."""
    number = failure.place.line
    if not 0 < number <= len(lines):
        return _unclosed_quote(lines, failure)
    return (
        _full_width(lines, failure)
        or _comparison(lines[number - 1], number)
        or _unclosed_quote(lines, failure)
        or _unclosed_bracket(lines, failure)
        or _indentation(lines, failure)
        or _bare_text(lines[number - 1], number)
    )


def _put(line: int, text: str, at: int, old: str, new: str) -> tuple[str, int, int, int]:
    """Return the line with `new` in the place of `old` at an index, what is moved by it, and the line's number."""
    return text[:at] + new + text[at + len(old) :], at + len(old), len(new) - len(old), line


# ---- full-width signs, and signs for words ---------------------------------------------------------------------------


def _full_width(lines: Sequence[str], failure: Failure) -> Repair | None:
    # A bracket that was closed by a full-width sign is missed on a later line.
    numbers = {failure.place.line: None, failure.context.line if failure.context else failure.place.line: None}
    found = (_full_width_in(lines[number - 1], number) for number in numbers if number <= len(lines))
    return next((one for one in found if one is not None), None)


def _full_width_in(text: str, number: int) -> Repair | None:
    for pattern in (_WIDE_COLON, _WIDE_COMMA, _WIDE_OPEN, _WIDE_CLOSE):
        for match in pattern.finditer(text):
            at = match.start(1) if pattern is _WIDE_OPEN else match.end() - 1
            # Outside brackets the same signs are prose, and a comma is nothing to YAML.
            if pattern in (_WIDE_COLON, _WIDE_COMMA, _WIDE_CLOSE) and not _inside(text, at):
                continue
            found = text[at]
            instead = _NARROW[found]
            return Repair(
                "P108", Mark(number, at + 1), found, (instead.strip(),), *_put(number, text, at, found, instead)
            )
    return None


def _inside(text: str, at: int) -> bool:
    return sum(text.count(sign, 0, at) for sign in "{[｛［【") > sum(text.count(sign, 0, at) for sign in "}]｝］】")


def _comparison(text: str, number: int) -> Repair | None:
    match = _SYMBOL.search(text, 0, _end(text))
    if match is None:
        return None
    blanks, sign, colon, value = match.groups()
    at = match.start(2)
    word = SYMBOLS[sign]
    inside = ":" in colon
    operand = text[match.end(3) :].partition("}")[0].partition("#")[0].strip() if inside else value
    meant = f"{word}: {operand}" if inside else f"{{{word}: {operand}}}"
    meant_zh = meant.replace(word, _ZH.get(word, word))
    old = sign if inside else text[at : match.end()]
    new = word if inside else meant
    gap = "" if blanks else " "
    return Repair(
        "P323", Mark(number, at + 1), old, (meant,), *_put(number, text, at, old, gap + new), len(old), (meant_zh,)
    )


# ---- what was opened and never closed --------------------------------------------------------------------------------


def _unclosed_quote(lines: Sequence[str], failure: Failure) -> Repair | None:
    start = failure.quoted
    if "end of stream" in failure.said and failure.context is not None:
        start = failure.context
    if start is None or not 0 < start.line <= len(lines):
        return None
    text = lines[start.line - 1]
    quote = text[start.column - 1 : start.column]
    if quote not in ('"', "'"):
        return None
    end = _end(text, start.column)
    return Repair("P119", start, quote, (quote,), *_put(start.line, text, end, "", quote))


def _unclosed_bracket(lines: Sequence[str], failure: Failure) -> Repair | None:
    start = failure.context
    if start is None or not failure.said.startswith("did not find expected ',' or"):
        return None
    text = lines[start.line - 1]
    sign = text[start.column - 1 : start.column]
    if sign not in _OPEN:
        return None
    close = _OPEN[sign]
    if failure.place.line == start.line:
        at = failure.place.column - 1
        if text[at : at + 1] not in ("}", "]"):
            return None
        return Repair("P119", start, sign, (close,), *_put(start.line, text, at, "", close))
    end = _end(text)
    # What goes on over several lines says so at the end of its first one.
    if text[:end].rstrip()[-1:] in (",", "{", "["):
        return None
    return Repair("P119", start, sign, (close,), *_put(start.line, text, end, "", close))


def _end(text: str, begin: int = 0) -> int:
    """Return where the content of a line ends: before the blanks of its trailing comment."""
    quote = ""
    for at, character in enumerate(text):
        if at < begin:
            continue
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and text[at - 1 : at] in ("", " ", "{", "[", ",", ":") and begin == 0:
            quote = character
        elif character == "#" and text[at - 1 : at] in ("", " ", "\t"):
            return len(text[:at].rstrip())
    return len(text.rstrip())


# ---- lines that stand under nothing ----------------------------------------------------------------------------------


def _indentation(lines: Sequence[str], failure: Failure) -> Repair | None:
    number = failure.place.line
    text = lines[number - 1]
    indent = len(text) - len(text.lstrip(" "))
    item = text.lstrip().startswith("- ")
    if not (_KEY.match(text) or item):
        return None
    levels = list(_levels(lines, number, item=item))
    if not levels or indent in levels or failure.place.column - 1 < indent:
        return None
    # Of two levels as near, the deeper one: what comes next mostly goes on where the line above stood.
    meant = min(levels, key=lambda level: (abs(level - indent), -level))
    return Repair(
        "P120", Mark(number, 1), str(indent), (str(meant),),
        " " * meant + text.lstrip(" "), 0, meant - indent, number, max(1, indent),
    )  # fmt: skip


def _levels(lines: Sequence[str], number: int, *, item: bool) -> Iterator[int]:
    """Give the indentations at which a line may stand, from the nearest line above outwards."""
    least = 1 << 30
    nearest = True
    for above in range(number - 2, -1, -1):
        text = lines[above]
        indent = len(text) - len(text.lstrip(" "))
        if not text.strip() or text.lstrip().startswith("#") or indent >= least:
            continue
        dashes = _DASHES.match(text)
        columns = [indent]
        if dashes is not None and dashes.end() > indent:
            # `- key:` opens two levels: that of the list and that of the key.
            columns = [dashes.end(), indent]
        opens = text[: _end(text)].rstrip().endswith(":")
        if nearest and opens:
            yield columns[0] + 2
        for column in columns:
            is_item = column == indent and len(columns) > 1
            if column < least and (is_item == item or not nearest or opens):
                yield column
        nearest = False
        least = indent
        if indent == 0:
            return


# ---- texts that need quotes ------------------------------------------------------------------------------------------


def _bare_text(text: str, number: int) -> Repair | None:
    match = _KEY.match(text)
    if match is None:
        return None
    begin, end = match.end(), _end(text)
    value = text[begin:end]
    needs = value[:1] in ("%", "@", "`", "*", "&", "!", "|", ">", ",", "}", "]", "?", "-") or re.search(
        r":(?: |$)", value
    )
    if not value or value[0] in "\"'{[" or not needs:
        return None
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return Repair(
        "P121", Mark(number, begin + 1), value, (quoted,), *_put(number, text, begin, value, quoted), len(value)
    )
