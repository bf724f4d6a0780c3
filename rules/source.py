"""YAML text → nodes with positions, or problems with positions; never an exception, in bounded time.

The parser's events are read one by one and built into nodes here, without recursion: depth, anchors, aliases and the
number of nodes are checked before anything of the kind can grow. Every scalar stays the text that was written (YAML
itself would read `NO` as false, `00123` as 83 and `12:30:45` as 45045); the sections convert by what they expect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from rules.policy import Mark
from rules.problems import Problem
from rules.punctuation import Suspect, mended, moved_back, suspects
from rules.repairs import Failure, repair

MAX_BYTES: Final = 1 << 20
MAX_LINES: Final = 20_000
MAX_DEPTH: Final = 32
MAX_NODES: Final = 100_000
MAX_SUSPECTS: Final = 200
MAX_REPAIRS: Final = 20
MAX_REPAIRED: Final = 2 << 20
"""So many characters are read again, in all, after what stopped the parser was mended."""

_LINE_END = re.compile(r"\r\n|\r|\n")
# What YAML does not print, and the line breaks that editors and YAML count differently.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")  # how Windows editors mark it
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as written. `length` counts its characters on its first line; `plain` is without quotes or block."""

    text: str
    mark: Mark
    length: int
    plain: bool


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    mark: Mark
    length: int = 1


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping in file order; a key may come twice (reported by whoever reads it)."""

    pairs: tuple[tuple[Scalar, Node], ...]
    mark: Mark
    length: int = 1


Node = Scalar | Items | Entries


@dataclass(frozen=True, slots=True)
class Source:
    """A file taken apart: its lines for showing problems, its root node when there is one, and what is wrong."""

    file: str
    lines: tuple[str, ...]
    root: Node | None
    problems: tuple[Problem, ...]

    def line(self, number: int) -> str:
        """Return the line with this number (from 1), or nothing beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


def read_source(text: str | bytes, file: str) -> Source:
    """Take `text` apart; every problem that stands in the way of reading it as YAML is in the answer."""
    problems: list[Problem] = []
    decoded = _decoded(text, problems)
    if decoded is None:
        shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        lines = tuple(_LINE_END.split(shown[:MAX_BYTES].removeprefix("\ufeff")))
        return Source(file, lines, None, tuple(problems))
    lines = tuple(_LINE_END.split(decoded.removeprefix("\ufeff")))
    if len(lines) > MAX_LINES + 1:
        problems.append(Problem("P104", Mark(MAX_LINES + 1, 1), str(len(lines)), (f"{MAX_LINES}",)))
        return Source(file, lines, None, tuple(problems))
    clean = _without_forbidden(lines, problems)
    root = _parsed(clean, problems)
    return Source(file, lines, root, tuple(problems))


def _decoded(text: str | bytes, problems: list[Problem]) -> str | None:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        problems.append(Problem("P104", Mark(1, 1), str(size), (f"{MAX_BYTES}",)))
        return None
    if isinstance(text, str):
        return text
    if text[:2] in _UTF_16 or 4 * text.count(0, 0, 200) > len(text[:200]):
        problems.append(Problem("P102", Mark(1, 1), "UTF-16"))
        return None
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        before = _LINE_END.split(text[: error.start].decode("utf-8", "replace").removeprefix("\ufeff"))
        mark = Mark(len(before), len(before[-1]) + 1)
        shown = " ".join(f"{byte:02X}" for byte in text[error.start : error.end])
        problems.append(Problem("P102", mark, shown))
        return None


def _without_forbidden(lines: tuple[str, ...], problems: list[Problem]) -> tuple[str, ...]:
    clean = []
    for number, line in enumerate(lines, start=1):
        for match in _FORBIDDEN.finditer(line):
            if len(problems) >= MAX_SUSPECTS:
                break
            problems.append(Problem("P103", Mark(number, match.start() + 1), f"U+{ord(match.group()):04X}"))
        clean.append(_FORBIDDEN.sub("\ufffd", line))
    return tuple(clean)


def _parsed(lines: tuple[str, ...], problems: list[Problem]) -> Node | None:
    builder = _Builder(lines)
    root = builder.build("\n".join(lines))
    found = suspects(lines)
    if not builder.failed:
        found = builder.spoiled(found)
    found = found[:MAX_SUSPECTS]
    current = list(lines)
    moved: dict[int, list[tuple[int, int]]] = {}
    if found:
        problems.extend(Problem(suspect.code, suspect.mark, suspect.found, (_meant(suspect),)) for suspect in found)
        moved = moved_back(found)
        current = mended(lines, found)
        builder = _Builder(lines, moved)
        root = builder.build("\n".join(current))
    guessed = frozenset(suspect.mark.line for suspect in found if suspect.indents)
    builder, root, mistakes = _repaired(lines, current, moved, builder, root)
    # A tab or a wide blank may stand for any number of blanks: what the copy says of the structure is a guess then.
    problems.extend(one for one in mistakes if not (one.code == "P120" and one.mark.line in guessed))
    problems.extend(one for one in builder.problems if not (guessed and one.code == "P101"))
    return root


def _meant(suspect: Suspect) -> str:
    plain = suspect.instead.strip()
    return f"{plain}␣" if suspect.code == "P109" else plain or "␣"


def _repaired(
    lines: tuple[str, ...],
    current: list[str],
    moved: dict[int, list[tuple[int, int]]],
    builder: _Builder,
    root: Node | None,
) -> tuple[_Builder, Node | None, list[Problem]]:
    """Mend in a copy what stopped the parser, one thing after another, and list what was mended."""
    size = sum(map(len, lines)) + len(lines)
    seen: set[tuple[int, str]] = set()
    mistakes: list[Problem] = []
    for _ in range(min(MAX_REPAIRS, 1 + MAX_REPAIRED // size)):
        one = repair(current, builder.failure) if builder.failure is not None else None
        if one is None or (one.line, one.text) in seen:
            break
        seen.add((one.line, one.text))
        place = builder.moved_back(one.mark)
        mistakes.append(Problem(one.code, place, one.found, one.allowed, "", one.allowed_zh, one.length))
        current[one.line - 1] = one.text
        moved.setdefault(one.line, []).append((one.after, one.longer))
        builder = _Builder(lines, moved)
        root = builder.build("\n".join(current))
    return builder, root, mistakes


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being built."""

    mapping: bool
    mark: Mark
    children: list[Node] = field(default_factory=list)


class _Builder:
    """Builds nodes from the parser's events and notes what a policy file may not hold."""

    def __init__(self, lines: tuple[str, ...], moved: dict[int, list[tuple[int, int]]] | None = None) -> None:
        self._lines = lines
        self.problems: list[Problem] = []
        self.failed = False
        self.failure: Failure | None = None
        self._quoted: Any = None  # the last quoted text that went over several lines
        self._moved = moved or {}
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._documents = 0
        self._nodes = 0
        self._plain_at: set[tuple[int, int]] = set()
        self._inside: dict[int, int] = {}  # line inside a text over several lines → the first line of that text
        self._takes: Final[dict[type, Callable[[Any], bool]]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceEndEvent: self._end,
            yaml.MappingEndEvent: self._end,
        }

    def build(self, text: str) -> Node | None:
        """Return the root node; None when the text is no YAML, or is refused as a whole."""
        try:
            for event in _events(text):
                if not self._take(event):
                    self.failed = True
                    return None
        except yaml.MarkedYAMLError as error:
            self.failed = True
            place = error.problem_mark or error.context_mark
            if place is not None and error.context_mark is not None and place.index >= len(text.rstrip()):
                place = error.context_mark  # a quote or bracket never closed: where it was opened
            mark = self._mark(place) if place is not None else Mark(1, 1)
            said = str(error.problem or error.context or "")
            self.problems.append(Problem("P101", mark, said))
            self.failure = Failure(said, *self._places(error))
            return None
        except yaml.YAMLError as error:  # the reader's own errors carry no mark
            self.failed = True
            self.problems.append(Problem("P101", Mark(1, 1), str(error).split("\n", 1)[0]))
            return None
        return self._root

    def _places(self, error: Any) -> tuple[Mark, Mark | None, Mark | None]:
        """Give the places of a failure in the text as it is being read: its own, its context's, an open quote's."""
        at = error.problem_mark or error.context_mark
        here = Mark(at.line + 1, at.column + 1) if at is not None else Mark(1, 1)
        context = error.context_mark
        began = Mark(context.line + 1, context.column + 1) if context is not None else None
        quoted = self._quoted
        if quoted is None or at is None or not quoted.end_mark.line <= at.line <= quoted.end_mark.line + 1:
            return here, began, None
        return here, began, Mark(quoted.start_mark.line + 1, quoted.start_mark.column + 1)

    def spoiled(self, found: list[Suspect]) -> list[Suspect]:
        """Keep the suspects that stand where YAML saw structure or began a bare word, not those inside a text."""
        kept: list[Suspect] = []
        lines: set[int] = set()
        for suspect in found:
            line = suspect.mark.line
            first = self._inside.get(line)
            # A bare text that began with a suspect is no text: its later lines are as wrong as its first.
            if first in lines if first is not None else self._spoils(suspect):
                kept.append(suspect)
                lines.add(line if first is None else first)
        return kept

    def _spoils(self, suspect: Suspect) -> bool:
        return suspect.indents or (suspect.mark.line, suspect.begins) in self._plain_at

    def _mark(self, place: Any) -> Mark:
        line, column = place.line + 1, place.column + 1
        if line > len(self._lines):  # the parser sees a line end at the end of the file also where there is none
            return Mark(len(self._lines), len(self._lines[-1]) + 1)
        return self.moved_back(Mark(line, column)) if line in self._moved else Mark(line, column)

    def moved_back(self, mark: Mark) -> Mark:
        """Return where a place of the mended text stands in the text as it was written."""
        column = mark.column
        for after, longer in reversed(self._moved.get(mark.line, ())):
            if longer and column > after:
                column = max(after, column - longer, 1)
        return Mark(mark.line, column)

    def _note(self, code: str, event: Any, found: str = "", allowed: tuple[str, ...] = ()) -> None:
        self.problems.append(Problem(code, self._mark(event.start_mark), found, allowed))

    def _take(self, event: Any) -> bool:
        kind = type(event)
        if kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                self._note("P114", event)
        take = self._takes.get(kind) if self._documents == 1 else None
        return take(event) if take is not None else True

    def _count(self, event: Any) -> bool:
        if event.anchor:
            self._note("P110", event, f"&{event.anchor}")
        if event.tag:
            self._note("P112", event, str(event.tag))
        return self._one_more(event)

    def _one_more(self, event: Any) -> bool:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._note("P106", event, "", (str(MAX_NODES),))
            return False
        return True

    def _scalar(self, event: Any) -> bool:
        mark = self._mark(event.start_mark)
        first, last = event.start_mark.line + 1, event.end_mark.line + 1
        plain = event.style is None or event.style == ""
        length = 1
        if plain:
            self._plain_at.add((first, mark.column))
        if first == last:
            length = max(1, event.end_mark.column - event.start_mark.column)
        else:
            if event.style in ("'", '"'):
                self._quoted = event
            # A block text ends at the start of the line after it.
            end = last if event.end_mark.column else last - 1
            self._inside.update(dict.fromkeys(range(first + 1, end + 1), first))
        self._add(Scalar(event.value, mark, length, plain))
        return self._count(event)

    def _alias(self, event: Any) -> bool:
        self._note("P111", event, f"*{event.anchor}")
        self._add(Scalar("", self._mark(event.start_mark), 1 + len(event.anchor), plain=False))
        return self._one_more(event)

    def _start(self, event: Any) -> bool:
        if len(self._open) >= MAX_DEPTH:
            self._note("P105", event, str(len(self._open) + 1), (str(MAX_DEPTH),))
            return False
        self._open.append(_Open(isinstance(event, yaml.MappingStartEvent), self._mark(event.start_mark)))
        return self._count(event)

    def _end(self, _event: Any) -> bool:
        done = self._open.pop()
        if done.mapping:
            self._add(Entries(tuple(self._pairs(done.children)), done.mark))
        else:
            self._add(Items(tuple(done.children), done.mark))
        return True

    def _pairs(self, children: list[Node]) -> Iterator[tuple[Scalar, Node]]:
        for key, value in zip(children[::2], children[1::2], strict=False):
            if not isinstance(key, Scalar):
                self.problems.append(Problem("P115", key.mark))
            elif key.plain and key.text == "<<":
                self.problems.append(Problem("P113", key.mark, "<<", (), length=2))
            elif key.plain and "：" in key.text and isinstance(value, Scalar) and not value.text:
                yield self._split(key)
            else:
                yield key, value

    def _split(self, key: Scalar) -> tuple[Scalar, Scalar]:
        """Read `{名称：金卡}` as it was meant, and say what is wrong with it."""
        name, _, text = key.text.partition("：")
        colon = Mark(key.mark.line, key.mark.column + len(name))
        self.problems.append(Problem("P108", colon, "：", (":",)))
        value = Scalar(text.strip(), Mark(colon.line, colon.column + 1), max(1, len(text)), plain=True)
        return Scalar(name.strip(), key.mark, len(name), plain=True), value

    def _add(self, node: Node) -> None:
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._root = node


def _events(text: str) -> Iterator[Any]:
    loader = _Loader(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()
