"""A member as of a position. Boundaries that time alone passed since his last event are passed too, by the fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rules.judge import Inputs, Judged
from rules.policy import Policy
from tierengine.judging.carry import Carry, load
from tierengine.judging.decisions import FactSource, Folded, Version
from tierengine.judging.fold import fold
from tierengine.judging.history import Contribution, Position, Step
from tierengine.judging.netting import steps
from tierengine.judging.occasions import Occasion
from tierengine.judging.regimes import Regime
from tierengine.membership.known import Known

# ---- judging -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Stand:
    """A member as of a position: his carry with all boundaries passed, and what he is judged on.

    asked  reads what a version judges him on, only while nothing later was asked of his facts
    """

    regime: Regime
    carry: Carry
    text: str
    head: Position
    asked: Callable[[Version], Inputs]
    _inputs: Inputs | None = None
    _judged: Judged | None = None
    _suspended: frozenset[str] | None = None

    @property
    def inputs(self) -> Inputs:
        """Return what he is judged on."""
        if self._inputs is None:
            self._inputs = self.asked(self.regime.version)
        return self._inputs

    @property
    def judged(self) -> Judged:
        """Return what holds of him."""
        if self._judged is None:
            self._judged = self.regime.version.rules.judge(self.inputs)
        return self._judged

    @property
    def suspended(self) -> frozenset[str]:
        """Return the wallets that he may not use."""
        if self._suspended is None:
            self._suspended = self.regime.suspended(self.asked)
        return self._suspended

    @property
    def tier(self) -> str:
        """Return the id of the standing tier."""
        return self.carry.standing.tier

    @property
    def policy(self) -> Policy:
        """Return the policy in force."""
        return self.regime.version.rules.policy


def stand(known: Known, position: Position, source: FactSource, *, judging: bool = True) -> Stand:
    """Return the member as of `position`; what he did later is left out.

    judging  judge him now; else when that is asked for, before `source` is asked of any later position
    """
    regimes = known.programme.regimes
    if known.unmoved(position):
        found = _standing(known, known.carry, known.head, position, source)
    else:
        if known.head <= position and not known.missed:
            carry, start = known.carry, known.head
            since_then: tuple[Step, ...] = ()
        else:
            carry, start = "", (0, 0, "")
            since_then = tuple(step for step in steps(known.history) if step.position <= position)
        folded = fold(regimes, carry, start if carry else None, since_then, source, until=position)
        found = _standing(known, folded.carry, folded.head, position, source)
    return _at_once(found) if judging else found


def judged_at(known: Known, carry: str, head: Position, position: Position, source: FactSource) -> Stand:
    """Judge a member with this carry as of `position`."""
    return _at_once(_standing(known, carry, head, position, source))


def _at_once(found: Stand) -> Stand:
    _ = found.judged
    return found


def _standing(known: Known, carry: str, head: Position, position: Position, source: FactSource) -> Stand:
    loaded = load(carry)
    regime = known.programme.regimes.of(loaded.version)

    def asked(version: Version) -> Inputs:
        return Inputs(
            source.facts(version, position, loaded.standing.since),
            source.attributes(position),
            source.attested(version, position),
            loaded.standing.tier,
        )

    return Stand(regime, loaded, carry, head, asked)


def judged_after(known: Known, folded: Folded, position: Position, source: FactSource) -> Stand:
    """Judge a member after a fold, as of `position`; where the fold's last judgement was of this, it is that one."""
    loaded, last = load(folded.carry), folded.last
    asked = (position, loaded.version, loaded.standing.since, loaded.standing.tier)
    if last is None or (last.position, last.version, last.since, last.inputs.tier) != asked:
        return judged_at(known, folded.carry, folded.head, position, source)
    regime = known.programme.regimes.of(loaded.version)
    return Stand(regime, loaded, folded.carry, folded.head, lambda _: last.inputs, last.inputs, last.judged)


def occasions_of(step: Step) -> tuple[Occasion, ...]:
    """Return the events whose lines a step is about: of a return, those that it takes back."""
    groups: dict[tuple[str, str], list[Contribution]] = {}
    for line in step.lines:
        groups.setdefault((line.event_key, line.kind), []).append(line)
    return tuple(
        Occasion(key, kind, step.position[0], tuple(group), tuple(line.fields for line in group))
        for (key, kind), group in groups.items()
    )
