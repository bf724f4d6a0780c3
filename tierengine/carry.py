"""What a member's history carries from one decision to the next (judging.md, The fold).

Everything here depends on this member's earlier decisions: the standing, rungs, cap use, exclusive keys, nominations.
Aggregates of observations are facts and never stand here. A carry is replaced, never changed, and has one canonical
JSON form, so that two equal histories end in equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

import orjson

from tierengine.decisions import State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """The tier held. `until` is the first instant after its validity (None: without end), in microseconds UTC.

    `anchor` is the ordinal of the local day from which validity is counted, `terms` how many `keep` periods run from
    there: the end is computed from the anchor each time, so that month ends do not drift.
    """

    tier: str
    since: int
    until: int | None = None
    state: State = "valid"
    anchor: int = 0
    terms: int = 0

    @property
    def anchor_date(self) -> date:
        """Return the local day from which validity is counted."""
        return date.fromordinal(self.anchor)


@dataclass(frozen=True, slots=True)
class Carry:
    """The state of the fold after one step.

    fallback   the standing that a promotion replaced, while a return may still undo it; with `promoted_at`
    nominated  tier → instant at which a nomination opened that waits for a person
    confirmed  tier → instant of a confirmation not yet used
    counts     "rule|period" → occurrences that count
    caps       "rule|cap|period" → amount granted under that cap
    taken      "group|value" → rule that used this exclusive key up
    orders     cluster of an order → tier right after it
    """

    standing: Standing
    version: int
    fallback: Standing | None = None
    promoted_at: int | None = None
    nominated: dict[str, int] = field(default_factory=dict)
    confirmed: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    caps: dict[str, int] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)

    def dump(self) -> str:
        """Return the canonical JSON text."""
        return orjson.dumps(self, option=orjson.OPT_SORT_KEYS).decode()

    def stands(self, standing: Standing) -> Carry:
        """Return the carry with another standing."""
        return replace(self, standing=standing)


def load(text: str) -> Carry:
    """Read what `Carry.dump` wrote."""
    raw: dict[str, Any] = orjson.loads(text)
    fallback = raw.pop("fallback")
    return Carry(
        standing=Standing(**raw.pop("standing")),
        fallback=Standing(**fallback) if fallback else None,
        **raw,
    )


def changed(table: dict[str, T], key: str, value: T | None) -> dict[str, T]:
    """Return a copy of `table` with one key set, or removed when `value` is None."""
    copy = dict(table)
    if value is None:
        copy.pop(key, None)
    else:
        copy[key] = value
    return copy
