"""What goes into a fold and what comes out of it, as plain values.

Units: instants in microseconds UTC, amounts in the wallet's unit (fen or points).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from rules.judge import Inputs, Judged, Ruleset
from rules.policy import State
from tierengine.judging.history import Position, Scalar


@dataclass(frozen=True, slots=True)
class Version:
    """One published policy version, compiled. It rules from `effective_from`; the first one rules before it too."""

    id: int
    number: int
    effective_from: int
    rules: Ruleset


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """All versions of one dealer, in order of `effective_from`; never empty."""

    versions: tuple[Version, ...]

    def at(self, instant: int) -> Version:
        """Return the version in force at `instant`."""
        chosen = self.versions[0]
        for version in self.versions[1:]:
            if version.effective_from > instant:
                break
            chosen = version
        return chosen

    def cancels(self, instant: int) -> bool:
        """Tell whether the policy in force at `instant` treats the return of a whole order as if it had never been."""
        return self.at(instant).rules.policy.returned_as == "cancelled"


class FactSource(Protocol):
    """One member's facts, asked at positions that never go back: in memory (running.py) or by SQL (facts_sql.py)."""

    def facts(self, version: Version, position: Position, since: int) -> Mapping[str, int | None]:
        """Return every fact of `version` as of `position`, the event there included; `since`: start of the tier."""
        ...

    def attributes(self, position: Position) -> Mapping[str, int | str | None]:
        """Return the dated attributes as of `position`, that position included."""
        ...

    def attested(self, version: Version, position: Position) -> frozenset[str]:
        """Return the traits with an attestation in force as of `position` that the policy's terms allow."""
        ...


@dataclass(frozen=True, slots=True)
class Granted:
    """What one rule granted for one event: enough to take it back, whole or in part, and to judge the amount again.

    judged     amount at the grant itself; `wanted` what should stand now
    nth        which occurrence of the period a ladder judged it as, 0: no ladder asked; `counted` the key it counts
               under, "" = not
    chosen     which class of an amount by class it was judged by (grants.choose)
    caps       keys of the caps that it uses; `room` what the tightest of them left, None without caps
    taken      key of the exclusive group that it used up, "" = none
    lines      the lines it was granted for, with their amount and quantity when sold and what is left of both
    budgets    keys of the pots over several members that it draws on; `admitted` what they let it have
    base       value of the base that a per-amount reward was judged on, and what is left of it
    left_bases what is left of it line by line, of an amount that is rounded per line; else empty
    """

    event_key: str
    rule: str
    wallet: str
    judged: int
    wanted: int
    usable_from: int
    expires_at: int | None
    version_id: int
    nth: int = 1
    counted: str = ""
    caps: tuple[str, ...] = ()
    room: int | None = None
    taken: str = ""
    lines: tuple[str, ...] = ()
    sold: int = 0
    left: int = 0
    quantity: int = 0
    left_quantity: int = 0
    base: int = 0
    left_base: int = 0
    left_bases: tuple[int, ...] = ()
    chosen: str = ""
    budgets: tuple[str, ...] = ()
    admitted: int | None = None

    def stands_as(self, stored: Granted | None) -> bool:
        """Whether a stored decision says this (before the occurrence was told that no ladder had asked for)."""
        return self == stored or (stored is not None and not self.nth and self == replace(stored, nth=0))

    def plain(self) -> dict[str, object]:
        """Return the JSON form, which `Granted.of` reads."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Granted:
        """Read what `plain` wrote."""
        lists = {name: tuple(raw.get(name, ())) for name in ("caps", "lines", "budgets", "left_bases")}
        return cls(**{**raw, **lists})


@dataclass(frozen=True, slots=True)
class GrantDecision:
    """At `step`, `granted.wanted` should stand for (granted.event_key, granted.rule).

    `basis` holds the facts and carry values used; judging them again by the same version gives the same amount.
    """

    step: Position
    kind: Literal["grant", "return"]
    granted: Granted
    basis: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class TierChanged:
    """A change of standing at `step` and what made it."""

    step: Position
    tier: str
    previous: str
    since: int
    until: int | None
    state: State
    cause: str
    version_id: int
    traits: tuple[str, ...]
    basis: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Emitted:
    """A derived event that should reach another member: one (rule, source event key) wants at most one.

    It becomes a contribution of the receiver: `line` at `at`, known from `step`. When the giver's event is taken back,
    a second one follows with the same line and negated numbers, so that the receiver's fold sees a return.
    """

    step: Position
    rule: str
    event_key: str  # the giver's event that this follows from: the sale's, or the return's
    to: str  # member code
    kind: str
    line: str
    at: int
    qty: int
    amount: int
    fields: Mapping[str, Scalar]

    @property
    def source_key(self) -> str:
        """Key of the event that it was emitted for, also where a return takes it back."""
        return self.line.removeprefix(f"emit:{self.rule}:").removesuffix("#0")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a member was judged on at a position: by which version, with which standing, and what came of it."""

    position: Position
    version: int
    since: int
    inputs: Inputs
    judged: Judged


@dataclass(frozen=True, slots=True)
class Folded:
    """The end of a fold: the carry after the last step (canonical JSON), and all that the steps decided.

    `last` is the judgement made last, which nobody needs to make again.
    """

    carry: str
    head: Position
    tier: str
    boundary_at: int | None
    decisions: tuple[GrantDecision, ...]
    changes: tuple[TierChanged, ...]
    emissions: tuple[Emitted, ...]
    checkpoints: tuple[tuple[Position, str], ...]
    last: Judgement | None = None

    def stands(self) -> dict[tuple[str, str], Granted]:
        """Return what stands of each (event key, rule) that it decided."""
        return {(one.granted.event_key, one.granted.rule): one.granted for one in self.decisions}
