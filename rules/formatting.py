"""A policy file in the other tongue: every key, word, kind, field, attribute, unit and category, and nothing else.

The text is never written anew: each word is replaced where it stands, so comments, order, blank lines, quotes and
layout are those of the file. What a word means is known from the grammar (`rules.grammar`), since one spelling
can mean several things: 类别 is a key under `by_class` and a field in its `where`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from rules import names
from rules.conversion import converted
from rules.files import content
from rules.grammar import FORMS
from rules.grammar.shapes import Either, Form, Leaf, ListOf, MapOf, Ref, Shape, shape_of
from rules.problems import Lang, Problem, width
from rules.reader import Reading, read
from rules.source import Entries, Items, Node, Scalar, read_source
from rules.values import plain
from rules.vocabulary import ATTRIBUTES, FIELDS

_LINES: Final = re.compile(r"(\r\n|\r|\n)")
_COMMENT: Final = re.compile(r"(?<=\S)( +)#")
_CHINESE: Final = re.compile("[\u4e00-\u9fff]")
_BYTE_ORDER_MARK: Final = "\ufeff"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Formatted:
    """What became of a file. `text` is None when the file has errors: they are in `reading`, and nothing was done."""

    text: str | None
    reading: Reading
    lang: Lang
    changed: int = 0  # lines


@dataclass(frozen=True, slots=True)
class _Change:
    """One word of a line, at a column counted from 0, and what comes in its place."""

    line: int
    start: int
    end: int
    text: str


def formatted(content: str | bytes, filename: str, lang: Lang | None = None) -> Formatted:
    """Write a file in one tongue; without `lang` in the one that most of its keys are in already."""
    reading = read(content, filename)
    text = content if isinstance(content, str) else content.decode("utf-8", "replace")
    chosen: Lang = lang or tongue(text)
    if any(problem.severity == "error" for problem in reading.problems):
        return Formatted(None, reading, chosen)
    result = translated(text, chosen)
    before, after = _LINES.split(text)[::2], _LINES.split(result)[::2]
    return Formatted(result, reading, chosen, sum(old != new for old, new in zip(before, after, strict=True)))


def formatted_file(path: Path, lang: Lang | None = None) -> Formatted:
    """Write the file at a path in one tongue; the file itself stays as it is."""
    found = content(path)
    if isinstance(found, Problem):
        return Formatted(None, Reading(None, (found,)), lang or "zh")
    return formatted(found, str(path), lang)


def tongue(text: str) -> Lang:
    """Tell in which tongue most keys of a file are that have two."""
    root = read_source(text, "").root
    walk = _Walk("zh")
    walk.shape(Ref("policy"), root)
    chinese = sum(bool(_CHINESE.search(key.text)) for key in walk.keys)
    return "zh" if 2 * chinese >= len(walk.keys) else "en"


def translated(text: str, lang: Lang) -> str:
    """Write a text in one tongue, as far as it can be understood; what has no meaning stays as it is."""
    mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
    parts = _LINES.split(text.removeprefix(mark))
    lines, ends = parts[::2], [*parts[1::2], ""]
    walk = _Walk(lang)
    walk.shape(Ref("policy"), read_source("\n".join(lines), "").root)
    by_line: dict[int, list[_Change]] = {}
    for change in walk.changes(lines):
        by_line.setdefault(change.line, []).append(change)
    comments = trailing_comments(lines)
    written = []
    for number, line in enumerate(lines):
        shift = comments.get(number, len(line))
        new, rest = line[:shift], line[shift:]
        for change in sorted(by_line.get(number, ()), key=lambda one: -one.start):
            new = new[: change.start] + change.text + new[change.end :]
        written.append((new, rest))
    return mark + "".join(line + end for line, end in zip(_beside(lines, written, comments), ends, strict=True))


# ---- which words ---------------------------------------------------------------------------------------------------


class _Walk:
    """Goes through the nodes of a file with the grammar in hand, and notes each word that the other tongue spells."""

    def __init__(self, lang: Lang) -> None:
        self._lang: Lang = lang
        self._new: list[tuple[Scalar, str]] = []
        self.keys: list[Scalar] = []

    def changes(self, lines: list[str]) -> Iterator[_Change]:
        """Give the places that change; a word that is not written in one piece on one line stays."""
        for scalar, text in self._new:
            line = lines[scalar.mark.line - 1] if scalar.mark.line <= len(lines) else ""
            start = scalar.mark.column - 1
            piece = line[start : start + scalar.length]
            at = piece.find(scalar.text)
            if at >= 0 and scalar.text.strip():
                yield _Change(scalar.mark.line - 1, start + at, start + at + len(scalar.text), text)

    def shape(self, shape: Shape | None, node: Node | None) -> None:
        """Go through what stands at one place."""
        if shape is None or node is None:
            return
        if isinstance(shape, Ref):
            self.shape(FORMS[shape.form], node)
        elif isinstance(shape, Leaf):
            self._leaf(shape, node)
        elif isinstance(shape, ListOf):
            for item in node.items if isinstance(node, Items) else (node,):
                self.shape(shape.item, item)
        elif isinstance(shape, Either):
            by_node: dict[type, Shape | None] = {Scalar: shape.scalar, Items: shape.items, Entries: shape.mapping}
            self.shape(by_node[type(node)], node)
        elif isinstance(node, Entries):
            self._entries(shape, node)

    def _leaf(self, leaf: Leaf, node: Node) -> None:
        if isinstance(node, Scalar):
            self._put(node, converted(leaf, node.text, self._lang))

    def _put(self, node: Scalar, text: str) -> None:
        if text != node.text:
            self._new.append((node, text))

    def _entries(self, shape: MapOf | Form, node: Entries) -> None:
        if isinstance(shape, MapOf):
            for written, value in node.pairs:
                self._leaf(shape.key, written)
                self.shape(shape.value, value)
            return
        keys = tuple(shape.keys)
        found = [names.key(plain(written.text), keys) for written, _ in node.pairs]
        other = shape.instead[1] if shape.instead and shape.instead[0] in found else {}
        for (written, value), key in zip(node.pairs, found, strict=True):
            if key is not None:
                self.keys.append(written)
                self._put(written, shape.chinese(key) if self._lang == "zh" else key)
                self.shape(other.get(key, shape.keys[key]), value)
            elif shape.others is not None:
                source: Literal["attribute", "field"] = "attribute" if shape.others.source == "subject" else "field"
                table, chinese = _TABLES[source]
                name = names.canonical(plain(written.text), table, chinese)
                self._leaf(Leaf(source), written)
                # Any other name in a condition is a fact: a number.
                if name is not None or source == "attribute":
                    self.shape(shape_of(shape.others, name or ""), value)


_TABLES: Final[dict[str, tuple[Mapping[str, object], Mapping[str, str]]]] = {
    "attribute": (ATTRIBUTES, names.ATTRIBUTES_ZH),
    "field": (FIELDS, names.FIELDS_ZH),
}


# ---- comments at the ends of lines ---------------------------------------------------------------------------------


def trailing_comments(lines: list[str]) -> dict[int, int]:
    """Give by line where the blanks before its trailing comment begin; what is inside a text is no comment."""
    ends = [0] * len(lines)
    try:
        for event in yaml.parse("\n".join(lines), Loader=_Loader):
            if isinstance(event, yaml.ScalarEvent):
                first: Any = event.start_mark
                last: Any = event.end_mark
                for number in range(first.line, last.line):
                    ends[number] = len(lines[number])
                if last.line < len(lines):
                    ends[last.line] = max(ends[last.line], last.column)
    except yaml.YAMLError:
        return {}
    found = {}
    for number, line in enumerate(lines):
        match = _COMMENT.search(line, ends[number])
        if match and not line.lstrip().startswith("#"):
            found[number] = match.start()
    return found


def _beside(lines: list[str], written: list[tuple[str, str]], comments: dict[int, int]) -> list[str]:
    """Put the comments back: those that stood under one another still do, as far right of the longest line as before.

    Columns that were two stay two, so that the way back is the same way: when the n-th free gap was taken in the one
    tongue, the n-th free gap is taken in the other, where "free" leaves out the columns of the comments before.
    """
    columns: dict[int, list[int]] = {}
    for number, at in comments.items():
        columns.setdefault(width(lines[number][: lines[number].index("#", at)]), []).append(number)
    result = [new + rest for new, rest in written]
    moved: dict[int, int] = {}
    for column, numbers in columns.items():
        was = max(width(lines[number][: comments[number]]) for number in numbers)
        is_now = max(width(written[number][0]) for number in numbers)
        gap = column - was
        rank = gap - sum(0 < earlier - was < gap for earlier in moved)
        taken = {later - is_now for later in moved.values()}
        new_gap = 0
        while rank:
            new_gap += 1
            rank -= new_gap not in taken
        moved[column] = is_now + new_gap
        for number in numbers:
            new, rest = written[number]
            result[number] = new + " " * (moved[column] - width(new)) + rest.lstrip(" ")
    return result
