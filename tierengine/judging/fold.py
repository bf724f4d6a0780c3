"""The fold: one member's history in position order, judged step by step (judging.md, The fold).

Pure. The same fold serves recording, quotes, late events, preview, explain and the examples inside a policy file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules.judge import Inputs, Judged, StandingTiers
from rules.policy import Emission
from rules.vocabulary import KINDS, SUBMITTED
from tierengine.judging.budgets import Admit
from tierengine.judging.carry import Carry, changed, load
from tierengine.judging.decisions import (
    Emitted,
    FactSource,
    Folded,
    GrantDecision,
    Granted,
    Judgement,
    TierChanged,
)
from tierengine.judging.history import BOUNDARY, VERSION_START, Contribution, Position, Scalar, Step
from tierengine.judging.occasions import Occasion, told_apart
from tierengine.judging.regimes import Regime, Regimes
from tierengine.judging.reversals import freed, take_back, uncount
from tierengine.judging.standing import Moved
from tierengine.judging.trail import Trail

# Kinds that a later event of the same order may name: the tier right after such an event is kept in the carry, for
# rules that ask which tier the member had then.
NAMED_BY_ORDER = frozenset(
    target
    for kind in KINDS.values()
    if kind.by_order
    for name, targets in kind.names
    if name == "order"
    for target in targets
)


@dataclass(slots=True)
class _Fold:
    """The state of one run. `live`: event key → rule → the grant as last decided, for returns to take back from."""

    regimes: Regimes
    source: FactSource
    live: dict[str, dict[str, Granted]]
    emitted: set[tuple[str, str]]
    carry: Carry
    head: Position
    admit: Admit | None = None
    decisions: list[GrantDecision] = field(default_factory=list)
    changes: list[TierChanged] = field(default_factory=list)
    emissions: list[Emitted] = field(default_factory=list)
    checkpoints: list[tuple[Position, str]] = field(default_factory=list)
    last: Judgement | None = None
    trail: Trail | None = None

    def run(self, steps: Iterable[Step], until: Position | None) -> None:
        for step in steps:
            changes, checkpoints = len(self.changes), len(self.checkpoints)
            self._pass_time(step.position)
            self._checkpoint(step.position)
            self._step(step)
            self.head = step.position
            if self.trail is not None:
                self.trail.passed(self.head, self.carry, self.changes[changes:], self.checkpoints[checkpoints:])
        if until is not None:
            self._pass_time(until)

    # ---- time alone ----

    def _pass_time(self, upto: Position) -> None:
        """Evaluate every version start and boundary between the head and `upto`."""
        while True:
            start = self.regimes.next_start(self.head[0])
            end = self.carry.standing.until
            if start is None and (end is None or end > upto[0]):
                return  # nearly always
            points = []
            if start is not None:
                points.append((start, VERSION_START, ""))
            if end is not None:
                points.append((max(end, self.head[0]), BOUNDARY, ""))
            point = min(points, default=None)
            if point is None or point >= upto:
                return
            self._checkpoint(point)
            if point[1] == VERSION_START:
                self._start_version(point)
            else:
                self._end(point)
            self.head = max(self.head, point)

    def _start_version(self, point: Position) -> None:
        regime = self.regimes.at(point[0])
        before = self.carry.standing.tier
        self.carry, replaced = regime.ladder.at_version(self.carry, regime.version.id)
        inputs, judged = self._judge(regime, point)
        self._note(point, regime, replaced, judged, inputs, before)
        before = self.carry.standing.tier
        self.carry, moved = regime.ladder.at_point(self.carry, judged, point[0], returned=False)
        self._note(point, regime, moved, judged, inputs, before)

    def _end(self, point: Position) -> None:
        regime = self.regimes.of(self.carry.version)
        inputs, judged = self._judge(regime, point)
        before = self.carry.standing
        self.carry, moved = regime.ladder.at_boundary(self.carry, judged, point[0])
        self._note(point, regime, moved, judged, inputs, before.tier)

    # ---- events ----

    def _step(self, step: Step) -> None:
        instant = step.position[0]
        regime = self.regimes.of(self.carry.version)
        before = self.carry.standing.tier
        first = step.lines[0] if step.lines else None
        if first is not None and step.kind in _WORDS:
            self.carry, moved = regime.ladder.word(self.carry, step.kind, dict(first.fields), instant)
            if moved is not None:
                inputs, judged = self._judge(regime, step.position)
                self._note(step.position, regime, moved, judged, inputs, before)
        sold = [line for line in step.lines if line.qty > 0]
        # (Negative lines that are no return: those of the event itself, as when a consignment is moved out, and those
        # by which an acceptance ends the wait of its submission.)
        returned = [
            line
            for line in step.lines
            if line.qty < 0 and line.event_key != step.key and not line.kind.endswith(SUBMITTED)
        ]
        inputs, judged = self._judge(regime, step.position)
        standing = self.carry.standing.tier
        self.carry, moved = regime.ladder.at_point(self.carry, judged, instant, returned=bool(returned))
        self._note(step.position, regime, moved, judged, inputs, standing)
        if returned:
            self._return(step.position, returned)
        for occasion in _occasions(sold, instant):
            self._earn(regime, step.position, occasion, before, inputs, judged)

    def _earn(
        self, regime: Regime, position: Position, occasion: Occasion, before: str, inputs: Inputs, judged: Judged
    ) -> None:
        cluster = occasion.key.rpartition(":")[0]
        after = self.carry.standing.tier
        if occasion.kind in NAMED_BY_ORDER:  # also where no rule asks it yet: the next version may
            self.carry = replace(self.carry, orders=changed(self.carry.orders, cluster, after))
        rules = regime.version.rules
        if occasion.kind not in rules.kinds:
            return
        occasion = told_apart(occasion, inputs.attributes)
        tiers = StandingTiers(before, after, self.carry.orders.get(cluster))
        matched = rules.rewards(occasion.kind, occasion.fields, tiers, inputs, judged)
        if not matched:
            return
        firm = inputs.attributes.get("firm")
        self.carry, granted = regime.rewards.grant(
            self.carry,
            occasion,
            matched,
            regime.version.id,
            firm=firm if isinstance(firm, str) else "",
            admit=self.admit,
            reads=self.trail.read if self.trail is not None else None,
        )
        facts = rules.event_facts(occasion.kind)
        for one in granted:
            self.live.setdefault(one.event_key, {})[one.rule] = one
            basis = {
                "tiers": [before, after],
                "facts": {name: inputs.facts.get(name) for name in facts},
                "traits": sorted(judged.met),
                "granted": one.plain(),
            }
            self.decisions.append(GrantDecision(position, "grant", one, basis))
        for rule, places in matched.items():
            if rule in rules.policy.emissions:
                self._emit(regime, position, occasion, rule, places)

    def _emit(self, regime: Regime, position: Position, occasion: Occasion, rule: str, places: Sequence[int]) -> None:
        emission = regime.version.rules.policy.emissions[rule]
        line, fields = occasion.lines[places[0]], occasion.fields[places[0]]
        to = fields.get(emission.to)
        if not isinstance(to, str) or not to:
            return
        self.emitted.add((rule, occasion.key))
        self.emissions.append(
            Emitted(
                step=position,
                rule=rule,
                event_key=occasion.key,
                to=to,
                kind=emission.emits,
                line=f"emit:{rule}:{occasion.key}#0",
                at=occasion.instant,
                qty=1,
                amount=line.amount,
                fields=_carried(emission, line.fields),
            )
        )

    def _return(self, position: Position, lines: Sequence[Contribution]) -> None:
        """Take back what the returned lines earned, and what they made known to other members."""
        for key in dict.fromkeys(line.event_key for line in lines):
            mine = [line for line in lines if line.event_key == key]
            if self.trail is not None:
                self.trail.returned(key)
                self.trail.read(freed(self.carry, key, self.live.get(key, {}).values()))
            for rule, granted in list(self.live.get(key, {}).items()):
                # Amounts are judged again by the version that granted them, not by the one in force today.
                policy = self.regimes.of(granted.version_id).version.rules.policy
                self.carry, rest = take_back(policy, self.carry, granted, mine)
                if rest == granted:
                    continue
                self.live[key][rule] = rest
                basis: Mapping[str, object] = {"left": rest.left, "sold": rest.sold, "granted": rest.plain()}
                self.decisions.append(GrantDecision(position, "return", rest, basis))
            self.carry = uncount(self.carry, key, mine)
            if mine[0].kind in NAMED_BY_ORDER:
                self.carry = replace(self.carry, orders=changed(self.carry.orders, key.rpartition(":")[0], None))
            for rule in sorted(rule for rule, event_key in self.emitted if event_key == key):
                self._withdraw(rule, position, mine[0])

    def _withdraw(self, rule: str, position: Position, line: Contribution) -> None:
        """Take back what the returned line's event made known to another member, whatever the policy became since."""
        emission = self.regimes.emission(rule, line.at)
        receiver = line.fields.get(emission.to) if emission is not None else None
        if emission is None or not isinstance(receiver, str):
            return
        self.emitted.discard((rule, line.event_key))
        self.emissions.append(
            Emitted(
                step=position,
                rule=rule,
                event_key=position[2],
                to=receiver,
                kind=emission.emits,
                line=f"emit:{rule}:{line.event_key}#0",
                at=line.at,
                qty=-1,
                amount=line.amount,
                fields=_carried(emission, line.fields),
            )
        )

    # ---- parts ----

    def _judge(self, regime: Regime, position: Position) -> tuple[Inputs, Judged]:
        version = regime.version
        standing = self.carry.standing
        inputs = Inputs(
            self.source.facts(version, position, standing.since),
            self.source.attributes(position),
            self.source.attested(version, position),
            standing.tier,
        )
        judged = version.rules.judge(inputs)
        if self.trail is not None:
            self.trail.judged(version, position, standing.since)
        self.last = Judgement(position, version.id, standing.since, inputs, judged)
        return inputs, judged

    def _note(
        self,
        position: Position,
        regime: Regime,
        moved: Moved | None,
        judged: Judged,
        inputs: Inputs,
        previous: str,
    ) -> None:
        if moved is None:
            return
        standing = moved.standing
        self.changes.append(
            TierChanged(
                step=position,
                tier=standing.tier,
                previous=previous,
                since=standing.since,
                until=standing.until,
                state=standing.state,
                cause=moved.cause,
                version_id=regime.version.id,
                traits=tuple(trait for trait in regime.version.rules.policy.traits if trait in judged.met),
                basis={
                    "facts": {name: inputs.facts.get(name) for name in regime.version.rules.standing_facts},
                    "attributes": {name: inputs.attributes.get(name) for name in regime.version.rules.attributes},
                    "attested": sorted(inputs.attested),
                },
            )
        )

    def _checkpoint(self, point: Position) -> None:
        """Keep the carry at the end of each local month that had steps."""
        if self.head[0] and not self.regimes.zone.same_month(self.head[0], point[0]):
            self.checkpoints.append((self.head, self.carry.dump()))


_WORDS = frozenset(("promotion_confirmed", "tier_assigned", "tier_locked"))


def fold(  # noqa: PLR0913  where it begins, what it reads, and up to where
    regimes: Regimes,
    carry: str,
    start: Position | None,
    steps: Iterable[Step],
    source: FactSource,
    *,
    earlier: Mapping[str, Iterable[Granted]] | None = None,
    emitted: Iterable[tuple[str, str]] = (),
    until: Position | None = None,
    admit: Admit | None = None,
    trail: Trail | None = None,
) -> Folded:
    """Fold `steps`, in position order and all later than `start`, into `carry`.

    carry, start  the state after the step at `start`; "" and None at the beginning of a history
    source        the member's facts, asked at positions that never go back
    earlier       event key → grants that stand before `start`, of at least the events that returns in `steps` name
    emitted       (emission id, event key) of the emissions that stand before `start`
    admit         tells what budgets over several members admit; None: everything
    until         pass time up to this position after the last step (boundaries, version starts)
    trail         notes what is asked on the way, of `source`
    """
    state = load(carry) if carry else None
    head: Position = start if start is not None else (0, 0, "")
    if state is None:
        steps = list(steps)
        first = steps[0].position if steps else until
        # Nothing can move a member of whom nothing is known: versions that ended before his first event do not count.
        instant = first[0] if first is not None else 0
        regime = regimes.at(instant)
        state = regime.ladder.starting(regime.version.id)
        head = (instant, VERSION_START, "") if first is not None else head
    run = _Fold(
        regimes=regimes,
        source=source,
        live={key: {one.rule: one for one in grants} for key, grants in (earlier or {}).items()},
        emitted=set(emitted),
        carry=state,
        head=head,
        admit=admit,
        trail=trail,
    )
    run.run(steps, until)
    return Folded(
        carry=run.carry.dump(),
        head=run.head,
        tier=run.carry.standing.tier,
        boundary_at=run.carry.standing.until,
        decisions=tuple(run.decisions),
        changes=tuple(run.changes),
        emissions=tuple(run.emissions),
        checkpoints=tuple(run.checkpoints),
        last=run.last,
    )


def nothing_ends(regimes: Regimes, carry: Carry, start: Position, upto: Position) -> bool:
    """Whether time alone changes nothing from `start`, where the carry stands, to before `upto`."""
    if carry.version != regimes.at(start[0]).version.id:
        return False
    begins, ends = regimes.next_start(start[0]), carry.standing.until
    return (begins is None or (begins, VERSION_START, "") >= upto) and (
        ends is None or (max(ends, start[0]), BOUNDARY, "") >= upto
    )


def _carried(emission: Emission, fields: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {name: fields[name] for name in emission.carries if fields.get(name) is not None}


def _occasions(lines: Sequence[Contribution], instant: int) -> list[Occasion]:
    """Group positive lines by the event whose lines they are; a submission earns as itself when it is accepted."""
    groups: dict[tuple[str, str], list[Contribution]] = {}
    for line in lines:
        groups.setdefault((line.event_key, line.kind), []).append(line)
    return [
        Occasion(key, kind, instant, tuple(group), tuple(line.fields for line in group))
        for (key, kind), group in groups.items()
    ]
