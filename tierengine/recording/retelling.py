"""What is told late of a long history: the stretches that it may change are folded again, the others passed over.

The outcome is that of `refolding.refold`, which folds all that follows: carry, changes of the tier, checkpoints and
what is booked are the same (judging/passing.py says why), and what was decided in a stretch passed over stands.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Final

from tierengine.judging.budgets import Pots, once_admitted
from tierengine.judging.carry import Carry, load
from tierengine.judging.decisions import Emitted, Folded, GrantDecision, Granted, TierChanged
from tierengine.judging.fold import fold
from tierengine.judging.history import Contribution, Position, Step
from tierengine.judging.netting import net, steps
from tierengine.judging.passing import Apart, ToldLate
from tierengine.judging.running import RunningFacts
from tierengine.judging.trail import Checkpoint, Stretch, Trail
from tierengine.recording import lookups
from tierengine.recording.decided import Decided, Place, Refolded, by_event, compare, last_of, standing_of
from tierengine.recording.memory import Remembered
from tierengine.recording.refolding import Source, emissions_at

_known: Final = attrgetter("known")
_SAME: Final = Apart({}, {}, {}, {})


def retold(source: Source, fresh: Sequence[Contribution], pots: Pots) -> Refolded | None:
    """Return what the fresh rows change of a history, folding only what they may change; None: fold all that follows.

    None as well where they are not told late, or the process does not know on what the history was judged.
    """
    known, trail = source.known, source.trail()
    if known is None or trail is None or not _are_new(known.rows, fresh):
        return None
    first = min(row.known for row in fresh)
    head = source.head
    if not trail.start < first < head.position or source.programme.regimes.missed(head.carry, head.position):
        return None
    if not known.facts.insert(fresh):
        return None
    return _Retelling(source, known, trail, pots, sorted(fresh, key=_known)).run()


def _are_new(rows: Sequence[Contribution], fresh: Sequence[Contribution]) -> bool:
    """Whether the fresh rows are of lines that nobody told of yet, and take nothing back."""
    lines = {row.line for row in fresh}
    if len(lines) < len(fresh) or any(row.qty <= 0 for row in fresh):
        return False
    return lines.isdisjoint([row.line for row in rows])


@dataclass(slots=True)
class _Retelling:
    """One pass over the trail. `outside` is what stands, of what was folded again, by decisions elsewhere."""

    source: Source
    known: Remembered
    trail: Trail
    pots: Pots
    fresh: Sequence[Contribution]
    old: dict[Place, Decided] = field(default_factory=dict)
    outside: dict[Place, Granted] = field(default_factory=dict)
    folds: list[Folded] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    ranges: list[tuple[Position, Position]] = field(default_factory=list)
    judged: set[str] = field(default_factory=set)
    emitted: set[tuple[str, str]] = field(default_factory=set)
    facts: RunningFacts | None = None
    stretches: list[Stretch] = field(default_factory=list)
    changes: list[TierChanged] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)

    def run(self) -> Refolded:
        before, first = self.trail.stretches(), self.trail.place(self.fresh[0].known)
        start, text = self.trail.before(first)
        begin, carry = start, load(text) if text else None
        apart: Apart | None = _SAME
        told, waiting = ToldLate(()), [row.known for row in self.fresh]
        for stretch in before[first:]:
            due = bisect_right(waiting, stretch.end)
            over = None if due or apart is None or carry is None else told.over(stretch, apart, self.judged)
            if over is None or apart is None:
                carry = self._again(begin, carry, stretch.end)
                apart = Apart.of(stretch.after, carry)
            else:
                self._pass(stretch, over, apart)
                carry = over.after
            if due:
                del waiting[:due]
                told = ToldLate(self.fresh[: len(self.fresh) - len(waiting)])
            begin = stretch.end
        if waiting:
            carry = self._again(begin, carry, waiting[-1])
            begin = waiting[-1]
        if carry is None:
            raise ValueError("a trail without a step")
        return self._outcome(start, first, begin, carry)

    # ---- one stretch

    def _pass(self, stretch: Stretch, over: Stretch, apart: Apart) -> None:
        self.facts = None
        kept = tuple((at, apart.onto(load(text)).dump()) for at, text in stretch.checkpoints)
        self.stretches.append(replace(over, checkpoints=kept))
        self.changes += stretch.changes
        self.checkpoints += kept

    def _again(self, start: Position, carry: Carry | None, end: Position) -> Carry:
        """Fold what lies between again; return the carry there."""
        rows, source = self.known.rows, self.source
        from_, upto = (bisect_right(rows, place, key=_known) for place in (start, end))
        suffix = steps(net(rows[from_:upto]))
        if self.facts is None:
            self.facts = self.known.facts.fork(start)
        old = standing_of(lookups.decisions_between(source.link, source.head.member_id, start, end))
        named = {line.event_key for step in suffix for line in step.lines if line.qty < 0}
        self._look_outside(start, named | {pair[0] for pair, _ in old})
        self.old |= old
        self.pots.prior |= last_of({place: one.granted for place, one in old.items()}, {})
        self.pots.once = {**self.pots.once, **once_admitted((one.pair, one.once) for one in old.values())}
        emitted = {one for one in emissions_at(source, start, suffix, rows) if one[1] not in self.judged}
        text = carry.dump() if carry is not None else ""
        trail = Trail(start, text, self.facts)
        folded = fold(
            source.programme.regimes,
            text,
            start if text else None,
            suffix,
            self.facts,
            earlier=by_event(last_of(self._decided(named, start), {})) if named else None,
            emitted=emitted | {one for one in self.emitted if one[1] in named},
            admit=self.pots.admit,
            trail=trail,
        )
        self.folds.append(folded)
        self.steps += suffix
        self.ranges.append((start, end))
        self.judged |= {line.event_key for step in suffix for line in step.lines}
        self._emitted(folded.emissions)
        self.stretches += trail.stretches()
        self.changes += folded.changes
        self.checkpoints += folded.checkpoints
        return load(folded.carry)

    def _look_outside(self, start: Position, events: set[str]) -> None:
        """Read what stands at `start` of these events by decisions that are not judged again."""
        source = self.source
        rows = lookups.decisions_of(source.link, source.programme.dealer_id, source.members, events)
        for place, one in standing_of(rows).items():
            within = any(begin < one.step <= end for begin, end in self.ranges)
            if one.granted is not None and one.step <= start and not within:
                self.outside[place] = one.granted

    def _decided(self, events: set[str], start: Position) -> dict[Place, Granted | None]:
        """Return what was decided about events up to `start`: outside, and so far again."""
        found: dict[Place, Granted | None] = {
            place: one for place, one in self.outside.items() if place[0][0] in events and place[1] <= start
        }
        for one in self._decisions():
            if one.granted.event_key in events:
                found[(one.granted.event_key, one.granted.rule), one.step] = one.granted
        return found

    def _decisions(self) -> Iterable[GrantDecision]:
        return (one for folded in self.folds for one in folded.decisions)

    def _emitted(self, emissions: Iterable[Emitted]) -> None:
        for sent in emissions:
            pair = (sent.rule, sent.line.removeprefix(f"emit:{sent.rule}:").removesuffix("#0"))
            (self.emitted.add if sent.qty > 0 else self.emitted.discard)(pair)

    # ---- all of them

    def _outcome(self, start: Position, first: int, end: Position, carry: Carry) -> Refolded:
        standing, text = carry.standing, carry.dump()
        history, head = self.known, max(end, self.source.head.position)
        folded = Folded(
            carry=text,
            head=head,
            tier=standing.tier,
            boundary_at=standing.until,
            decisions=tuple(self._decisions()),
            changes=tuple(self.changes),
            emissions=tuple(one for each in self.folds for one in each.emissions),
            checkpoints=tuple(self.checkpoints),
        )
        self.trail.replace(first, self.stretches, text)
        self.trail.facts = history.facts
        history.asked = max(head, history.rows[-1].known, history.asked)
        outcome = Refolded(self.source.head, start, True, tuple(self.steps), folded, history, ranges=self.ranges)
        compare(outcome, self.old, {}, self.source.ids, self.outside)
        self.pots.settle(outcome.changes)
        return outcome
