"""A member as of a position. Boundaries that time alone passed since his last event are passed too, by the fold."""

from __future__ import annotations

from dataclasses import dataclass

from rules.judge import Inputs, Judged
from rules.policy import Policy
from tierengine.judging.carry import Carry, load
from tierengine.judging.decisions import FactSource, Folded
from tierengine.judging.fold import Lane, fold
from tierengine.judging.history import Contribution, Position, Step
from tierengine.judging.netting import steps
from tierengine.judging.occasions import Occasion
from tierengine.membership.known import Known

# ---- judging -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stand:
    """A member as of a position: his carry with all boundaries passed, and what he is judged on."""

    lane: Lane
    carry: Carry
    text: str
    head: Position
    inputs: Inputs
    judged: Judged

    @property
    def tier(self) -> str:
        """Return the id of the standing tier."""
        return self.carry.standing.tier

    @property
    def policy(self) -> Policy:
        """Return the policy in force."""
        return self.lane.version.rules.policy


def stand(known: Known, position: Position, source: FactSource) -> Stand:
    """Return the member as of `position`; what he did later is left out."""
    lanes = known.programme.lanes
    if known.unmoved(position):
        return judged_at(known, known.carry, known.head, position, source)
    if known.head <= position and not known.missed:
        carry, start = known.carry, known.head
        since_then: tuple[Step, ...] = ()
    else:
        carry, start = "", (0, 0, "")
        since_then = tuple(step for step in steps(known.history) if step.position <= position)
    folded = fold(lanes, carry, start if carry else None, since_then, source, until=position)
    return judged_at(known, folded.carry, folded.head, position, source)


def judged_at(known: Known, carry: str, head: Position, position: Position, source: FactSource) -> Stand:
    """Judge a member with this carry as of `position`."""
    loaded = load(carry)
    lane = known.programme.lanes.of(loaded.version)
    version = lane.version
    inputs = Inputs(
        source.facts(version, position, loaded.standing.since),
        source.attributes(position),
        source.attested(version, position),
        loaded.standing.tier,
    )
    return Stand(lane, loaded, carry, head, inputs, version.rules.judge(inputs))


def judged_after(known: Known, folded: Folded, position: Position, source: FactSource) -> Stand:
    """Judge a member after a fold, as of `position`; where the fold's last judgement was of this, it is that one."""
    loaded, last = load(folded.carry), folded.last
    asked = (position, loaded.version, loaded.standing.since, loaded.standing.tier)
    if last is None or (last.position, last.version, last.since, last.inputs.tier) != asked:
        return judged_at(known, folded.carry, folded.head, position, source)
    lane = known.programme.lanes.of(loaded.version)
    return Stand(lane, loaded, folded.carry, folded.head, last.inputs, last.judged)


def occasions_of(step: Step) -> tuple[Occasion, ...]:
    """Return the events whose lines a step is about: of a return, those that it takes back."""
    groups: dict[tuple[str, str], list[Contribution]] = {}
    for line in step.lines:
        groups.setdefault((line.event_key, line.kind), []).append(line)
    return tuple(
        Occasion(key, kind, step.position[0], tuple(group), tuple(line.fields for line in group))
        for (key, kind), group in groups.items()
    )
