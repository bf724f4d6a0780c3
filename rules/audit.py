"""The last look at finished engine rules, before the library sees them.

Beyond some of its limits the library does not refuse: 512 conditions behind one hang the compile, 256 rules that end in
one condition or 128 choices that do are read out of bounds at the first match. `rules.network` lays rules out so that
none of this can come about; here it is counted, as the library would count it, for every program.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rules.alternatives import at_most
from rules.pattern import MAX_FOLLOWERS, MAX_JUNCTIONS, MAX_PENDING, MAX_SAME_END

Literal: TypeAlias = dict[str, Any]
"""One condition as the library reads it: `{"a": 1}`, `{"$gte": {"a": 1}}`, or `{"$or": [conditions]}`."""


@dataclass(slots=True)
class _Condition:
    """A condition as the library holds it: equal ones behind one parent are one; the ends of choices never are."""

    followers: dict[str, _Condition] = field(default_factory=dict)
    together: set[str] = field(default_factory=set)
    junctions: list[_Condition] = field(default_factory=list)
    ends: int = 0
    pending: int = 0


def audit(rules: Iterable[tuple[str, Sequence[Literal]]]) -> tuple[int, int]:
    """Count the conditions of one handle's rules, each an owner and a path, and the library's deepest stack on them.

    Raises `EngineLimitExceeded` with the owner of the rule that goes too far.
    """
    root = _Condition()
    total = 0
    for owner, path in rules:
        here = root
        for literal in path:
            if "$or" in literal:
                junction = _Condition()
                for branch in literal["$or"]:
                    follower, new = _follow(here, branch, owner)
                    follower.junctions.append(junction)
                    at_most("choices that end in one condition", owner, len(follower.junctions), MAX_JUNCTIONS)
                    total += new
                here = junction
                total += 1
            else:
                here, new = _follow(here, literal, owner)
                total += new
        here.ends += 1
        at_most("rules with the same last condition", owner, here.ends, MAX_SAME_END)
    pending = _pending(root)
    at_most("conditions found and not yet followed", "program", pending, MAX_PENDING)
    return total, pending


def _follow(parent: _Condition, literal: Literal, owner: str) -> tuple[_Condition, int]:
    key = json.dumps(literal)
    if key in parent.followers:
        return parent.followers[key], 0
    at_most("conditions behind one condition", owner, len(parent.followers) + 1, MAX_FOLLOWERS)
    # Of the values of one column at most one holds; everything else may hold together.
    ((name, value),) = literal.items()
    parent.together.add(name if isinstance(value, int) else key)
    parent.followers[key] = _Condition()
    return parent.followers[key], 1


def _pending(condition: _Condition) -> int:
    # Remembered, because a junction is reached from every branch of its choice.
    if not condition.pending:
        below = [_pending(one) for one in (*condition.followers.values(), *condition.junctions)]
        together = len(condition.together) + len(condition.junctions)
        condition.pending = together - 1 + max(below) if below else 1
    return condition.pending
