"""What a member's history carries from one decision to the next (judging.md, The fold).

Everything here depends on this member's earlier decisions: the standing, rungs, cap use, exclusive keys, nominations.
Aggregates of observations are facts and never stand here. A carry is replaced, never changed, and has one canonical
JSON form, so that two equal histories end in equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

import orjson

from rules.policy import State

T = TypeVar("T")

_VERSION = '"version":'


@dataclass(frozen=True, slots=True)
class Standing:
    """The tier held. `until` is the first instant after its validity (None: without end), in microseconds UTC.

    `anchor` is the ordinal of the local day from which validity is counted, `months` how long all its terms since then
    are together: the end is computed from the anchor each time, so that month ends do not drift.
    """

    tier: str
    since: int
    until: int | None = None
    state: State = "valid"
    anchor: int = 0
    months: int = 0

    @property
    def anchor_date(self) -> date:
        """Return the local day from which validity is counted."""
        return date.fromordinal(self.anchor)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A standing that a promotion replaced, and the instant of that promotion."""

    standing: Standing
    at: int


@dataclass(frozen=True, slots=True)
class Counted:
    """An event that a rule counts though it granted nothing for it: the key it counts under, and what is left of it."""

    key: str
    lines: tuple[str, ...]
    left: int


@dataclass(frozen=True, slots=True)
class Carry:
    """The state of the fold after one step.

    replaced   what each promotion since the last fall replaced, the first one first: a return may undo the last ones
    nominated  tier → instant at which a nomination opened that waits for a person
    confirmed  tier → instant of a confirmation not yet used
    floors     tier that a person assigned → first instant after that; None: without end
    counts     "rule|period" → occurrences that count
    counted    event key → rule → what counts there besides grants, so that a return can free it
    caps       "rule|cap|period" → amount granted under that cap
    taken      "group|value" → rule that used this exclusive key up
    orders     cluster of an order → tier right after it
    """

    standing: Standing
    version: int
    replaced: tuple[Replaced, ...] = ()
    nominated: dict[str, int] = field(default_factory=dict)
    confirmed: dict[str, int] = field(default_factory=dict)
    floors: dict[str, int | None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    counted: dict[str, dict[str, Counted]] = field(default_factory=dict)
    caps: dict[str, int] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)

    def dump(self) -> str:
        """Return the canonical JSON text."""
        return orjson.dumps(self, option=orjson.OPT_SORT_KEYS).decode()

    def stands(self, standing: Standing) -> Carry:
        """Return the carry with another standing."""
        return replace(self, standing=standing)


@lru_cache(maxsize=4_096)
def load(text: str) -> Carry:
    """Read what `Carry.dump` wrote. Nothing changes a carry, so one that was read may be shared."""
    raw: dict[str, Any] = orjson.loads(text)
    replaced = tuple(Replaced(Standing(**one["standing"]), one["at"]) for one in raw.pop("replaced"))
    counted = {
        event: {rule: Counted(one["key"], tuple(one["lines"]), one["left"]) for rule, one in rules.items()}
        for event, rules in raw.pop("counted").items()
    }
    return Carry(standing=Standing(**raw.pop("standing")), replaced=replaced, counted=counted, **raw)


def version_of(text: str) -> int:
    """Return the version that a carry was last judged by, without reading all of it: it comes after the standing."""
    start = text.index(_VERSION) + len(_VERSION)
    return int(text[start : text.index(",", start)])


def changed(table: dict[str, T], key: str, value: T | None) -> dict[str, T]:
    """Return a copy of `table` with one key set, or removed when `value` is None."""
    copy = dict(table)
    if value is None:
        copy.pop(key, None)
    else:
        copy[key] = value
    return copy
