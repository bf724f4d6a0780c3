"""Every number of a policy file that people tune, with its name, its unit and where it stands; and putting in others.

The text is never written anew: a number is replaced where it stands, so comments, order and layout are those of the
file, and a comment at the end of the line stays in its column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from rules import names, values
from rules.conversion import converted, words
from rules.formatting import trailing_comments
from rules.grammar import FORMS
from rules.grammar.shapes import Either, Form, Leaf, LeafType, ListOf, MapOf, Ref, Shape, shape_of
from rules.nodes import absent
from rules.policy import Mark, Text
from rules.problems import width
from rules.source import Entries, Items, Node, Scalar, read_source
from rules.values import Refused, plain
from rules.vocabulary import ATTRIBUTES, FIELDS

_TYPES: Final[frozenset[LeafType]] = frozenset(("money", "amount", "percent", "paid", "quantity", "integer", "length"))
_LINES: Final = re.compile(r"(\r\n|\r|\n)")
_SPLIT: Final = re.compile(r"(?P<before>[^\d+-]*)(?P<number>[+-]?\d[\d,]*(?:\.\d+)?)(?P<after>\D.*)?", re.DOTALL)
_SPELLED: Final = re.compile(r"(?P<number>[零〇一二两三四五六七八九十百千万亿壹]+)(?P<after>.*)", re.DOTALL)
_COUNTED: Final = re.compile(r"\s*(minute|hour|day|week|month|year|point)s?")
_BYTE_ORDER_MARK: Final = "\ufeff"
_LABELS: Final = ("title",)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way to a number. `key` is canonical: a key, an id, a name of a field or fact, a rung, a place.

    what   "key" of the grammar, "id" of the file, "subject" of a test, "rung", or "place" in a list (from 1)
    zh     how the key is spelled in Chinese there
    """

    key: str
    what: Literal["key", "id", "subject", "rung", "place"]
    zh: str


@dataclass(frozen=True, slots=True)
class Number:
    """One number, or a word that may stand for one (无, 不限).

    value     None for a word; else as written, in the unit as written
    before, after   what is written around the number: ¥, 元, %, 折, 个月
    words     canonical words that may stand there instead
    """

    path: tuple[Step, ...]
    mark: Mark
    text: str
    value: Decimal | None
    before: str
    after: str
    type: LeafType
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the path as text: `rewards.ladder.by_class.small.nth.1`."""
        return ".".join(step.key for step in self.path)

    def written(self, value: Decimal) -> str:
        """Write another value as this one is written; the same value as it stands."""
        if value == self.value:
            return self.text
        digits = f"{value:f}"
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
        after = self.after
        if _COUNTED.fullmatch(after):
            after = after.removesuffix("s") + ("" if value == 1 else "s")
        return f"{self.before}{digits}{after}"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a file in file order, and the titles of what they belong to by path."""

    numbers: tuple[Number, ...]
    titles: Mapping[tuple[str, ...], Text]


def numbers_of(text: str) -> Numbers:
    """Find the numbers of a policy text that can be read; examples hold no policy and are left out."""
    walk = _Walk()
    root = read_source(text.removeprefix(_BYTE_ORDER_MARK), "").root
    lines = _LINES.split(text.removeprefix(_BYTE_ORDER_MARK))[::2]
    found = tuple(walk.numbers(FORMS["policy"], root, ()))
    return Numbers(tuple(one for one in found if _place(lines, one) is not None), walk.titles)


def replaced(text: str, new: Iterable[tuple[Number, str]]) -> str:
    """Put texts in the places of numbers; everything else stays, to the byte."""
    mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
    parts = _LINES.split(text.removeprefix(mark))
    lines = parts[::2]
    by_line: dict[int, list[tuple[int, int, str]]] = {}
    for number, written in new:
        place = _place(lines, number)
        if place is not None and written != number.text:
            start, end = place
            by_line.setdefault(number.mark.line - 1, []).append((start, end, written))
    comments = trailing_comments(lines) if by_line else {}
    for at, changes in by_line.items():
        shift = comments.get(at, len(lines[at]))
        line, rest = lines[at][:shift], lines[at][shift:]
        for start, end, written in sorted(changes, reverse=True):
            line = line[:start] + written + line[end:]
        if rest:
            gap = len(rest) - len(rest.lstrip(" "))
            wanted = gap - (width(line) - width(lines[at][:shift]))
            rest = " " * max(min(gap, 2), wanted) + rest.lstrip(" ")
        parts[2 * at] = line + rest
    return mark + "".join(parts)


def split(text: str) -> tuple[str, Decimal, str] | None:
    """Split `1000 元` into what stands before the number, the number, and what follows; None when there is no number.

    >>> split("95折")
    ('', Decimal('95'), '折')
    """
    clean = text.strip()
    # Full-width digits are digits; what is around them stays as it is written.
    ascii_ = "".join(plain(char) if char in "０１２３４５６７８９，．＋－" else char for char in clean)
    match = _SPLIT.fullmatch(ascii_)
    if match:
        return match["before"], Decimal(match["number"].replace(",", "")), match["after"] or ""
    if clean == "半年":
        return "", Decimal(6), " 个月"
    try:
        if clean.endswith("折"):
            return "", Decimal(values.share_paid(clean)) / 100, "折"
        spelled = _SPELLED.fullmatch(clean)
        if spelled:
            return "", Decimal(values.integer(spelled["number"])), f" {spelled['after'].strip()}".rstrip()
    except Refused:
        pass
    return None


def _place(lines: list[str], number: Number) -> tuple[int, int] | None:
    """Return where on its line the text of a number stands; None when it is not written there in one piece."""
    if not 0 < number.mark.line <= len(lines):
        return None
    start = lines[number.mark.line - 1].find(number.text, number.mark.column - 1)
    # After a quote at most.
    return (start, start + len(number.text)) if 0 <= start - (number.mark.column - 1) <= 1 else None


class _Walk:
    def __init__(self) -> None:
        self.titles: dict[tuple[str, ...], Text] = {}

    def numbers(self, shape: Shape | None, node: Node | None, path: tuple[Step, ...]) -> Iterator[Number]:
        if shape is None or node is None:
            return
        if isinstance(shape, Ref):
            yield from self.numbers(FORMS[shape.form], node, path)
        elif isinstance(shape, Leaf):
            if isinstance(node, Scalar) and shape.type in _TYPES and not absent(node):
                yield from _number(shape, node, path)
        elif isinstance(shape, ListOf):
            yield from self._items(shape, node, path)
        elif isinstance(shape, Either):
            by_node: dict[type, Shape | None] = {Scalar: shape.scalar, Items: shape.items, Entries: shape.mapping}
            yield from self.numbers(by_node[type(node)], node, path)
        elif isinstance(node, Entries):
            yield from self._map(shape, node, path) if isinstance(shape, MapOf) else self._form(shape, node, path)

    def _items(self, shape: ListOf, node: Node, path: tuple[Step, ...]) -> Iterator[Number]:
        if not isinstance(node, Items):
            yield from self.numbers(shape.item, node, path)
            return
        seen: set[str] = set()
        for at, item in enumerate(node.items, start=1):
            name = _own_name(item)
            if name and name in seen:
                name = f"{name}#{at}"  # two classes of one name
            seen.add(name)
            step = Step(name, "id", name) if name else Step(str(at), "place", str(at))
            yield from self.numbers(shape.item, item, (*path, step))

    def _map(self, shape: MapOf, node: Entries, path: tuple[Step, ...]) -> Iterator[Number]:
        for written, value in node.pairs:
            word = words(shape.key.words, written.text, "en")
            name = word or plain(converted(shape.key, written.text, "en"))
            chinese = words(shape.key.words, name, "zh") or name
            if shape.key.type == "rung":
                step = Step(name, "rung", chinese if word else f"第 {name} 次")
            else:
                step = Step(name, "key" if word else "id", chinese)
            yield from self.numbers(shape.value, value, (*path, step))

    def _form(self, shape: Form, node: Entries, path: tuple[Step, ...]) -> Iterator[Number]:
        keys = tuple(shape.keys)
        found = [names.key(plain(written.text), keys) for written, _ in node.pairs]
        other = shape.instead[1] if shape.instead and shape.instead[0] in found else {}
        for (written, value), key in zip(node.pairs, found, strict=True):
            if key == "examples" and not path:
                continue
            if key in _LABELS:
                self.titles[tuple(step.key for step in path)] = _title(value)
            elif key is not None:
                # In a condition, what is counted is tested like a fact.
                counted = shape.others is not None and key in ("traits", "tier")
                step = Step(key, "subject" if counted else "key", shape.chinese(key))
                yield from self.numbers(other.get(key, shape.keys[key]), value, (*path, step))
            elif shape.others is not None:
                table, chinese = (
                    (ATTRIBUTES, names.ATTRIBUTES_ZH) if shape.others.source == "subject" else (FIELDS, names.FIELDS_ZH)
                )
                name = names.canonical(plain(written.text), table, chinese) or plain(written.text)
                step = Step(name, "subject", chinese.get(name, name))
                yield from self.numbers(shape_of(shape.others, name), value, (*path, step))


def _number(leaf: Leaf, node: Scalar, path: tuple[Step, ...]) -> Iterator[Number]:
    if words(leaf.words, node.text, "en") is not None:
        yield Number(path, node.mark, node.text, None, "", "", leaf.type, leaf.words)
        return
    parts = split(node.text)
    if parts is not None:
        before, value, after = parts
        yield Number(path, node.mark, node.text, value, before, after, leaf.type, leaf.words)


def _own_name(item: Node) -> str:
    """Return the id or class of a mapping in a list, by which people know it."""
    if isinstance(item, Entries):
        for written, value in item.pairs:
            if names.key(plain(written.text), ("id", "class")) and isinstance(value, Scalar):
                return plain(value.text)
    return ""


def _title(node: Node) -> Text:
    if isinstance(node, Scalar):
        return Text(node.text.strip(), node.text.strip())
    if isinstance(node, Entries):
        texts = {names.key(plain(key.text), ("zh", "en")): value for key, value in node.pairs}
        zh, en = (found.text.strip() if isinstance(found := texts.get(name), Scalar) else "" for name in ("zh", "en"))
        return Text(zh or en, en or zh)
    return Text("", "")
