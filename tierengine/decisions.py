"""What goes into a fold and what comes out of it, as plain values.

Units: instants in microseconds UTC, amounts in the wallet's unit (fen or points).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from rules.judge import Ruleset
from tierengine.history import Position, Scalar

State = Literal["valid", "grace", "locked", "assigned"]


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


class FactSource(Protocol):
    """One member's facts, asked at positions that never go back (facts.py has the two evaluators)."""

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
    """What one rule granted for one event, as the carry must know it to take it back.

    `judged` is the amount at the grant itself, `wanted` what should stand now. `period` is the period key in which it
    counts as an occurrence, "" when it does not; `exclusive` the (group, value) it used up.
    """

    event_key: str
    rule: str
    judged: int
    wanted: int
    period: str
    exclusive: tuple[str, str] | None
    wallet: str
    usable_from: int
    expires_at: int | None
    version_id: int
    sold: int  # amount of the lines it was granted for, fen
    quantity: int


@dataclass(frozen=True, slots=True)
class GrantDecision:
    """At `step`, `granted.wanted` should stand for (granted.event_key, granted.rule)."""

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
    """A derived event that should reach another member: one (rule, source event key) wants at most one."""

    step: Position
    rule: str
    event_key: str
    to: str  # member code
    kind: str
    occurred_at: int
    line: str
    qty: int
    amount: int
    fields: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Folded:
    """The end of a fold: the carry after the last step (canonical JSON), and all that the steps decided."""

    carry: str
    head: Position
    tier: str
    boundary_at: int | None
    decisions: tuple[GrantDecision, ...]
    changes: tuple[TierChanged, ...]
    emissions: tuple[Emitted, ...]
    checkpoints: tuple[tuple[Position, str], ...]


@dataclass(frozen=True, slots=True)
class Suffix:
    """What a fold starts from: the carry before `steps`, and the grants that returns among them may touch."""

    carry: str  # "" at the beginning of a history
    steps: Sequence[object]
    earlier: Mapping[str, tuple[Granted, ...]] = field(default_factory=dict)
