"""Whether a field or attribute has any value at all: 有 and 无, `present` and `none`."""

from __future__ import annotations

from typing import Final

from rules import names, values
from rules.policy import Operator, Scalar
from rules.source import Entries, Node
from rules.source import Scalar as Written

# What a value that is there passes, whatever it is; one that is absent passes nothing.
PRESENT: Final[dict[str, tuple[Operator, Scalar]]] = {"text": ("is_not", ""), "date": ("at_least", 1)}
_THERE: Final = {"有": True, "present": True, "无": False, "没有": False, "none": False}


def presence(node: Node) -> bool | None:
    """Tell whether `有`, `无`, or `{不是: 无}` is asked, that there is a value or none; None for any other test."""
    if isinstance(node, Written):
        return _THERE.get(values.plain(node.text)) if node.plain else None
    if isinstance(node, Entries) and len(node.pairs) == 1:
        written, operand = node.pairs[0]
        op = names.key(values.plain(written.text), ("is", "is_not"))
        there = presence(operand) if isinstance(operand, Written) else None
        return there if op == "is" or there is None else (not there if op == "is_not" else None)
    return None
