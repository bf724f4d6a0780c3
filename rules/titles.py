"""The titles that a file gives to what it defines: who writes 金卡 where an id belongs is told that it is `gold`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rules import names
from rules.source import Entries, Node, Scalar
from rules.values import plain

_LEAST: Final = 2  # a single character stands in many titles
_MOST: Final = 64


def titles_of(node: Node | None) -> tuple[str, ...]:
    """Return the titles of an entry as they are written, in either tongue."""
    return tuple(_folded(found.text) for found in _titles(node, ("title",)))


def _titles(node: Node | None, keys: tuple[str, ...]) -> Iterator[Scalar]:
    for written, value in node.pairs if isinstance(node, Entries) else ():
        if names.key(plain(written.text), keys):
            if isinstance(value, Scalar):
                yield value
            else:
                yield from _titles(value, ("zh", "en"))


def titled(text: str, titles: Mapping[str, tuple[str, ...]]) -> str:
    """Return the id that has this title, or the only one whose title has it as a part; "" when none, or several, do."""
    word = _folded(text)
    if not _LEAST <= len(word) <= _MOST:
        return ""
    whole = [name for name, given in titles.items() if word in given]
    found = whole or [name for name, given in titles.items() if any(word in title for title in given)]
    return found[0] if len(found) == 1 else ""


def _folded(text: str) -> str:
    return plain(text).casefold()
