"""What differs between two policies, value by value, in one tongue; layout, comments and the order of keys do not.

Both texts are written in the same tongue first, so that 次数 and `count` are no difference. An element of a list that
has an id is found by it; lists of maps that are as long as one another are compared place by place ("[2]"), any other
list is one value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rules.formatting import translated
from rules.problems import Lang
from rules.source import Entries, Items, Node, Scalar, read_source

_IDS: Final = ("id", "编号")
_TITLES: Final = ("title", "名称")
_EXAMPLES: Final = ("examples", "示例")
_TONGUES: Final = {"zh": ("zh", "中文"), "en": ("en", "英文")}


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs. `path`: its keys from the file's root; `title`: that of the item it belongs to, or "".

    before, after   as written, lists and maps in flow style; None: not there
    """

    path: tuple[str, ...]
    title: str
    before: str | None
    after: str | None

    @property
    def section(self) -> str:
        """The section of the file that it is in, or the key at the root."""
        return self.path[0]


def differences(before: str, after: str, lang: Lang) -> list[Difference]:
    """Return what differs between two policy texts without errors, in the order of the newer one; examples aside."""
    roots = [read_source(translated(text, lang), "").root for text in (before, after)]
    one, other = (node if isinstance(node, Entries) else None for node in roots)
    if one is None or other is None:
        return []
    titles = _titles(one, lang) | _titles(other, lang)
    return [
        Difference(path, titles.get(path[:2], ""), was, will)
        for path, was, will in _compare((), one, other)
        if path[0] not in _EXAMPLES
    ]


def _compare(
    path: tuple[str, ...], before: Node | None, after: Node | None
) -> Iterator[tuple[tuple[str, ...], str | None, str | None]]:
    old, new = _parts(before), _parts(after)
    if old is None and new is None:
        old, new = _places(before), _places(after)
        if old is not None and new is not None and len(old) != len(new):
            old = new = None
    if old is not None and new is not None:
        for name in dict.fromkeys((*new, *old)):
            yield from _compare((*path, name), old.get(name), new.get(name))
        return
    was, will = (None if node is None else _flow(node) for node in (before, after))
    if was != will:
        yield path, was, will


def _parts(node: Node | None) -> dict[str, Node] | None:
    """Return what a node is compared by: keys, or ids of a list's elements; None: it is one value."""
    if isinstance(node, Entries):
        return {key.text: value for key, value in node.pairs}
    if isinstance(node, Items) and node.items:
        named = {_id(item): item for item in node.items}
        if "" not in named and len(named) == len(node.items):
            return dict(named)
    return None


def _places(node: Node | None) -> dict[str, Node] | None:
    """Return the elements of a list of maps by their places."""
    if not isinstance(node, Items) or not all(isinstance(item, Entries) for item in node.items):
        return None
    return {f"[{place}]": item for place, item in enumerate(node.items, 1)}


def _id(item: Node) -> str:
    if not isinstance(item, Entries):
        return ""
    return next((value.text for key, value in item.pairs if key.text in _IDS and isinstance(value, Scalar)), "")


def _flow(node: Node) -> str:
    """Return a node on one line, whatever its layout was."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Items):
        return f"[{', '.join(map(_flow, node.items))}]"
    return f"{{{', '.join(f'{key.text}: {_flow(value)}' for key, value in node.pairs)}}}"


def _titles(root: Entries, lang: Lang) -> dict[tuple[str, ...], str]:
    """Return the titles of the items of each section, by section and id."""
    found: dict[tuple[str, ...], str] = {}
    for section, node in root.pairs:
        for name, item in (_parts(node) or {}).items():
            title = _of(item, _TITLES)
            inner = _of(title, _TONGUES[lang]) or _of(title, _TONGUES["zh"])
            text = inner if inner is not None else title
            if isinstance(text, Scalar):
                found[section.text, name] = text.text
    return found


def _of(node: Node | None, names: tuple[str, ...]) -> Node | None:
    if not isinstance(node, Entries):
        return None
    return next((value for key, value in node.pairs if key.text in names), None)
