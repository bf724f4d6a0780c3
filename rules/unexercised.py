"""What to say of the rules that no example of a policy exercises; which they are, knows who runs the examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rules.policy import Mark
from rules.problems import Problem, in_order

MAX_SAID: Final = 100
"""So many rules are named, the first of the file; how much is exercised stands in every sentence."""

_INSIDE: Final = ("entitlements", "duties")  # of a level; an id of theirs is `level.id`


def unexercised(missing: Mapping[str, Mapping[str, Mark]], exercised: int, total: int) -> tuple[Problem, ...]:
    """Return a warning for each rule of `missing`, which holds ids and places by section.

    exercised, total  how many rules there are, and how many of them an example exercises
    """
    covered = f"{exercised}/{total} ({exercised * 100 // total if total else 100}%)"
    unearned = missing.get("rewards", {}).values()
    found = (
        Problem("P525", mark, covered, about=_path(section, name))
        for section, marks in missing.items()
        for name, mark in marks.items()
        # Of a reward that is never granted it need not be said that none of its amounts is.
        if section != "amounts" or mark not in unearned
    )
    return in_order(found)[:MAX_SAID]


def without_examples(total: int) -> tuple[Problem, ...]:
    """Return the one warning for a policy with `total` rules and no example; none when it has no rule either."""
    return (Problem("P526", Mark(1, 1), str(total)),) if total else ()


def _path(section: str, name: str) -> str:
    if section in _INSIDE:
        level, _, own = name.partition(".")
        return f"levels.{level}.{section}.{own}"
    return f"{'rewards' if section == 'amounts' else section}.{name}"
