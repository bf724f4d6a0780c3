"""What type a value that was sent has, and how that is said: as JSON calls it, and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_NAMES: Final[Mapping[type, str]] = MappingProxyType(
    {bool: "true or false", int: "integer", float: "decimal", str: "text", list: "list", dict: "object"}
)
_ZH: Final[Mapping[str, str]] = MappingProxyType(
    {
        "true or false": "真假值（true、false）", "integer": "整数", "decimal": "小数", "text": "文本", "list": "列表",
        "object": "对象", "null": "空值", "object, max": '对象或 "max"', "another form": "另一种形式", "other": "别的",
    }
)  # fmt: skip


def type_name(value: object) -> str:
    """Return what a value is called, read from JSON or from a file."""
    return "null" if value is None else _NAMES.get(type(value), "other")


def in_chinese(name: int | str) -> str:
    """Return the name of a type in Chinese: one of those above, or `list of N`."""
    word = str(name)
    length = word.removeprefix("list of ")
    return f"含 {length} 项的列表" if length != word else _ZH.get(word, word)
