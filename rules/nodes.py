"""What shape a node of a file has: a mapping with known keys, a mapping of the writer's own, a list, a single value.

Where it is another than was asked for, that is noted and a harmless one comes back, so that reading goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from rules import names, values
from rules.noting import Noting
from rules.policy import Mark
from rules.source import Entries, Items, Node, Scalar
from rules.suggestions import nearest
from rules.synonyms import said_for

MAX_ENTRIES: Final = 1_000
_MISTYPED: Final = re.compile(r"[，、：“”‘’「」『』【】［］｛｝＃；#]")
_INSTEAD: Final = {"、": ",", "【": "[", "】": "]"} | dict.fromkeys("“”‘’「」『』", '"')
_THOUSANDS: Final = re.compile(r"(?<![\d.])\d{1,3}(\d{3})*$")
_REST: Final = re.compile(r"\d{3}(?!\d)")
_ABSENT: Final = ("", "~", "null")
MAX_GUESSES: Final = 20
"""So many unknown keys of a file are read as what they were probably meant to be."""


class Form:
    """A mapping with known keys, each given in either tongue; `about` is its path in the file."""

    def __init__(self, mark: Mark, about: str, found: dict[str, tuple[Scalar, Node]]) -> None:
        self.mark = mark
        self.about = about
        self._found = found

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def get(self, key: str) -> Node | None:
        """Return what stands under `key`, or None."""
        entry = self._found.get(key)
        return entry[1] if entry else None

    def key(self, key: str) -> Scalar:
        """Return the key as written; it must be there."""
        return self._found[key][0]

    def path(self, key: str) -> str:
        """Return the path of `key`."""
        return f"{self.about}.{key}" if self.about else key

    def keys(self) -> tuple[str, ...]:
        """List the canonical keys that are there, in file order."""
        return tuple(self._found)


class Nodes(Noting):
    """Takes the nodes of one file apart."""

    def __init__(self) -> None:
        super().__init__()
        self._guesses = 0

    def shape(self, node: Node, about: str, wanted: str) -> None:
        """Note that a mapping, list or text was wanted; `wanted` is its English name."""
        zh = {"mapping": "一组键", "list": "列表", "text": "一个值"}
        found = "text" if isinstance(node, Scalar) else "list" if isinstance(node, Items) else "mapping"
        if isinstance(node, Scalar) and absent(node):
            self.note("P208", node, about=about)
        else:
            self.note("P204", node, found, (wanted,), about, (zh[wanted],))

    def form(self, node: Node | None, about: str, keys: tuple[str, ...], required: tuple[str, ...] = ()) -> Form:
        """Read a mapping with the given keys; what is unknown, twice or missing is noted."""
        if node is None:
            return Form(Mark(1, 1), about, {})
        if not isinstance(node, Entries):
            self.shape(node, about, "mapping")
            return Form(node.mark, about, {})
        found: dict[str, tuple[Scalar, Node]] = {}
        unknown: list[tuple[Scalar, Node]] = []
        for written, value in self.pairs(node):
            name = names.key(values.plain(written.text), keys)
            if name is None and written.plain and isinstance(value, Scalar) and value.plain and not value.text:
                self.note("P211", written, written.text, about=about)
            elif name is None:
                self.note("P201", written, written.text, keys, about, _keys_zh(about, keys))
                unknown.append((written, value))
            elif name in found:
                self.note("P202", written, written.text, about=str(found[name][0].mark.line))
            else:
                found[name] = (written, value)
        for written, value in unknown:
            meant = self._meant(written.text, tuple(key for key in keys if key not in found))
            if meant is not None:
                found[meant] = (written, value)
        for name in required:
            if name not in found:
                self.note("P203", node, allowed=(name,), about=about, allowed_zh=_keys_zh(about, (name,)))
        return Form(node.mark, about, found)

    def pairs(self, node: Entries) -> Iterator[tuple[Scalar, Node]]:
        """Go through a mapping; a number whose comma cut it in two, {金额: 20,000元}, is noted and read as a whole."""
        held: tuple[Scalar, Node] | None = None
        for written, value in node.pairs:
            before = held[1] if held else None
            if (
                held
                and isinstance(before, Scalar)
                and (before.plain and written.plain and isinstance(value, Scalar) and value.plain and not value.text)
                and _THOUSANDS.search(before.text)
                and _REST.match(written.text)
            ):
                whole = before.text + written.text
                self.note("P211", written, f"{before.text},{written.text}", meant=whole)
                held = (held[0], replace(before, text=whole))
                continue
            if held:
                yield held
            held = (written, value)
        if held:
            yield held

    def _meant(self, text: str, keys: tuple[str, ...]) -> str | None:
        """Return the key that a misspelt one was meant to be, so that what stands under it is read and not missed."""
        self._guesses += 1
        if self._guesses > MAX_GUESSES:
            return None
        return said_for(text, keys) or names.key(nearest(text, (*keys, *names.keys_zh(keys))), keys)

    def entries(self, node: Node | None, about: str) -> Iterator[tuple[Scalar, Node]]:
        """Go through a mapping whose keys the writer chooses; a key that comes twice is noted and left out."""
        if node is None:
            return
        if not isinstance(node, Entries):
            self.shape(node, about, "mapping")
            return
        seen: dict[str, Mark] = {}
        for written, value in self.pairs(node):
            name = values.plain(written.text)
            if name in seen:
                self.note("P202", written, written.text, about=str(seen[name].line))
            else:
                seen[name] = written.mark
                yield written, value

    def items(self, node: Node | None, about: str, most: int = MAX_ENTRIES) -> tuple[Node, ...]:
        """Read a list of at most so many items."""
        if node is None:
            return ()
        if isinstance(node, Items):
            if len(node.items) > most:
                self.note("P212", node.items[most], about=about, allowed=(str(most),))
            return node.items[:most]
        self.shape(node, about, "list")
        return ()

    def items_or_one(self, node: Node | None, about: str) -> tuple[Scalar, ...]:
        """Read a list of texts, or one text as a list of one."""
        if node is None:
            return ()
        found = []
        for item in node.items if isinstance(node, Items) else (node,):
            if not isinstance(item, Scalar):
                self.shape(item, about, "text")
            elif absent(item):
                self.note("P208", item, about=about)
            elif self.well_typed(item):
                found.append(item)
        return tuple(found)

    def scalar(self, node: Node | None, about: str) -> Scalar | None:
        """Read a single value that is there."""
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.shape(node, about, "text")
            return None
        if absent(node):
            self.note("P208", node, about=about)
            return None
        return node

    def well_typed(self, node: Scalar) -> bool:
        """Refuse full-width punctuation in a bare word, number or id: it is a typing error there, never prose."""
        match = _MISTYPED.search(node.text) if node.plain else None
        if match is None:
            return True
        found = match.group()
        if found == "#":
            self.note("P122", Mark(node.mark.line, node.mark.column + match.start()), node.text)
            return False
        instead = _INSTEAD.get(found, values.plain(found))
        place = Mark(node.mark.line, node.mark.column + match.start()) if match.start() < node.length else node.mark
        self.note("P108", place, found, (instead,))
        return False

    def one_of(self, form: Form, keys: tuple[str, ...]) -> str:
        """Return the one key of several that is there; none or two of them are noted ("" for none)."""
        there = [name for name in form.keys() if name in keys]  # noqa: SIM118
        if not there:
            self.note("P206", form.mark, allowed=keys, about=form.about, allowed_zh=_keys_zh(form.about, keys))
            return ""
        if len(there) > 1:
            second = form.key(there[1])
            self.note("P205", second, ", ".join(there), keys, form.about, _keys_zh(form.about, keys))
        return there[0]

    def without_effect(self, form: Form, *keys: str) -> None:
        """Note the keys that say nothing in the form they stand in."""
        for name in keys:
            if name in form:
                self.note("P210", form.key(name), form.key(name).text, about=form.about)


def _keys_zh(about: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Spell the keys of the mapping at a path in Chinese as they read there: `for` is 适用 in a price, else 期限."""
    from rules.paths import keys_zh  # noqa: PLC0415  the grammar is read by what reads files

    return keys_zh(about, keys)


def absent(node: Node) -> bool:
    """Tell whether a value was left empty."""
    return isinstance(node, Scalar) and (
        not node.text.strip() if not node.plain else node.text.strip().casefold() in _ABSENT
    )
