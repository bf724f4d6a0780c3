"""Traits and tiers: who a member is, and how long he stays so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rules.policy.conditions import Condition
from rules.policy.text import Mark, Text


@dataclass(frozen=True, slots=True)
class Attested:
    """Who may state a trait, who signs with him, and for how many months it holds."""

    by: tuple[str, ...]
    countersigned_by: tuple[str, ...]
    not_own_manager: bool
    valid_months: int


@dataclass(frozen=True, slots=True)
class Degree:
    """How far a trait goes: `trait.degree` is what a test names; the highest whose condition holds is the member's."""

    id: str
    title: Text
    when: Condition
    mark: Mark = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class Trait:
    """Met when the condition holds or an attestation is in force, whichever of the two it allows.

    One with degrees, lowest first, is met when any of them holds; an attestation states one of them, or the lowest.
    """

    id: str
    title: Text
    when: Condition | None
    attested: Attested | None
    mark: Mark = Mark(0, 0)
    degrees: tuple[Degree, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return what tests may name: the trait, and each of its degrees as `trait.degree`, lowest first."""
        return (self.id, *(f"{self.id}.{degree.id}" for degree in self.degrees))


@dataclass(frozen=True, slots=True)
class Keep:
    """How long a tier is kept: `months` from its start, then `grace_days`, then one tier down or what the facts say.

    `to` rounds the end up to that of its calendar month or year; then `months` may be 0: to the end of this one.
    """

    months: int
    grace_days: int
    then: Literal["one_down", "as_facts_say"]
    to: Literal["day", "month", "year"] = "day"


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of the ladder of tiers; `rank` counts from 0 (lowest). The lowest has no condition."""

    id: str
    title: Text
    rank: int
    level: str
    when: Condition | None
    unless: Condition | None
    keep: Keep | None
    promotion: Literal["automatic", "confirmed"] = "automatic"
    confirm_within_days: int = 90
    returns_undo_days: int = 30
    replaces: tuple[str, ...] = ()
    mark: Mark = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class MemberList:
    """A list of members to work on: those for whom `when` holds, or those `short` traits below tier `of`."""

    id: str
    title: Text
    when: Condition | None
    of: str = ""
    short: int = 0
    mark: Mark = Mark(0, 0)
