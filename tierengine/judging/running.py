"""One member's facts at positions that go on: each contribution enters once, each window only moves.

Whoever must go back (for a late event, or after what was only tried) says so, and pays for what he passes over.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final

from tierengine.judging.decisions import Version
from tierengine.judging.facts import FactSet, fact_set
from tierengine.judging.history import Contribution, Position
from tierengine.judging.measures import Raw
from tierengine.judging.states import STATE_KINDS, States
from tierengine.judging.windows import EVER, Frame, Selected
from tierengine.zone import Bounds, Zone

_known: Final = attrgetter("known")
TOGETHER: Final = 4
"""So many contributions or more are taken in together where nothing was asked before."""
FEW: Final = 8  # contributions that enter windows which were moved before; many more enter empty ones together


class RunningFacts:
    """One member's facts, asked at later and later positions: each contribution enters once, each window only moves on.

    `contributions` are those that stand (netting.net), in order of `known`; the `at` of one that was told late may lie
    anywhere. A policy version that is first asked in mid-history takes in what has become known so far. Implements
    decisions.FactSource.
    """

    def __init__(self, zone: Zone, contributions: Sequence[Contribution]) -> None:
        self._zone = zone
        self._contributions = contributions
        self._states = States(zone)
        self._known = 0
        self._stated: list[int] = []  # which of the contributions entered the states
        self._aggregates: dict[int, _Aggregates] = {}
        self._position: Position = (EVER, 0, "")

    def facts(self, version: Version, position: Position, since: int) -> Mapping[str, int | None]:
        """Return every fact as of the position, which is not before one that was asked; `since`: start of the tier."""
        self._advance(position)
        prepared = fact_set(version.rules.policy)
        aggregates = self._aggregates.get(id(prepared))
        if aggregates is None:
            aggregates = self._aggregates[id(prepared)] = _Aggregates(prepared)
        raw = aggregates.measured(self._contributions, self._known, position[0], since)
        return prepared.values(raw, self._states, position[0], since)

    def attributes(self, position: Position) -> Mapping[str, int | str | None]:
        """Return the dated attributes as of the position."""
        self._advance(position)
        return dict(self._states.attributes(position[0]))

    def attested(self, version: Version, position: Position) -> frozenset[str]:
        """Return the traits that an attestation in force states on the policy's terms."""
        self._advance(position)
        return self._states.attested(version.rules.policy, position[0])

    def measured(self, version: Version) -> tuple[int | None, ...]:
        """Return what was measured for `version` when its facts were asked last, in the order of its measures."""
        return tuple(self._aggregates[id(fact_set(version.rules.policy))].raw)

    def insert(self, fresh: Sequence[Contribution]) -> bool:
        """Take in what became known before the position asked last, in its place, without going back for it.

        The contributions, a list, have them then as well. Of kinds that states are made of nothing can be taken in like
        this: False, and nothing has changed.
        """
        rows = self._contributions
        if any(row.kind in STATE_KINDS for row in fresh) or not isinstance(rows, list):
            return False
        for row in fresh:
            place = bisect_right(rows, row.known, key=_known)
            rows.insert(place, row)
            if place < self._known:
                self._known += 1
                for aggregates in self._aggregates.values():
                    aggregates.insert(row, place)
                for index in range(bisect_left(self._stated, place), len(self._stated)):
                    self._stated[index] += 1
        return True

    def fork(self, start: Position, contributions: Sequence[Contribution] | None = None) -> RunningFacts:
        """Return other facts of the same history, to be asked from `start` on; this object stays where it is.

        contributions  the history as far as the fork may see it, the same as this one's up to `start`
        """
        made = RunningFacts(self._zone, self._contributions if contributions is None else contributions)
        known = bisect_right(made._contributions, start, key=_known)
        made._known = min(known, self._known)
        made._stated = self._stated[: bisect_left(self._stated, made._known)]
        made._states = States(self._zone, [self._contributions[index] for index in made._stated])
        for number, aggregates in self._aggregates.items():
            made._aggregates[number] = aggregates.fork(start, made._known)
        return made

    def ahead_of(self, position: Position) -> int:
        """Return how many contributions became known after `position` and are in, plus one where it was passed."""
        if position >= self._position:
            return 0
        return 1 + self._known - bisect_left(self._contributions, position, hi=self._known, key=_known)

    def retreat(self, instant: int) -> int:
        """Go back to before all that became known at `instant` or later; return how many contributions are left in.

        Those that are out again may be changed until the facts are asked next.
        """
        left = bisect_left(self._contributions, (instant,), key=_known)
        for aggregates in self._aggregates.values():
            aggregates.leave(self._contributions, left)
        self._known = min(self._known, left)
        # What was said in advance comes into force without entering: states are played again, and are few.
        del self._stated[bisect_left(self._stated, left) :]
        self._states = States(self._zone, [self._contributions[index] for index in self._stated])
        self._position = min(self._position, (instant, -1, ""))
        return left

    def _advance(self, position: Position) -> None:
        if position < self._position:
            raise ValueError(f"facts were asked at {self._position} and then, earlier, at {position}")
        self._position = position
        contributions, known = self._contributions, self._known
        while known < len(contributions) and contributions[known].known <= position:
            if contributions[known].kind in STATE_KINDS:
                self._states.enter(contributions[known])
                self._stated.append(known)
            known += 1
        self._known = known


class _Aggregates:
    """The measures of one fact set over the contributions entered so far.

    What is measured of a kind is set up when the first contribution of that kind enters: most members have few kinds.
    """

    def __init__(self, prepared: FactSet) -> None:
        self.prepared = prepared
        self._entered = 0
        self.raw: list[int | None] = list(prepared.nothing)
        self._by_kind: dict[str, list[Selected]] = {}
        self._made: dict[int, Selected] = {}
        self._frames: list[Frame] = []
        self._bounds: list[Bounds] = [(EVER, EVER)] * len(prepared.windows)
        self._new = True  # nothing was asked or taken in yet

    def _of_kind(self, kind: str) -> list[Selected]:
        found = self._by_kind.get(kind)
        if found is None:
            found = self._by_kind[kind] = [self._selected(one) for one in self.prepared.by_kind.get(kind, ())]
        return found

    def _selected(self, place: int) -> Selected:
        selected = self._made.get(place)
        if selected is None:
            selected = self._made[place] = Selected(self.prepared.plans[place], self.raw)
            self._frames += selected.frames
        return selected

    def insert(self, contribution: Contribution, place: int) -> None:
        """Take in one that stands at `place` among those that entered."""
        if place < self._entered:
            self._entered += 1
            for selected in self._of_kind(contribution.kind):
                selected.enter(contribution, self._bounds)

    def _begin(self, contributions: Sequence[Contribution]) -> None:
        """Take in the first ones, a whole history as like as not, selection by selection."""
        by_kind: dict[str, list[Contribution]] = {}
        for contribution in contributions:
            by_kind.setdefault(contribution.kind, []).append(contribution)
        for kind in by_kind:
            self._of_kind(kind)
        for selected in self._made.values():
            kinds = by_kind.keys() & selected.selection.kinds
            if len(kinds) == 1:
                selected.begin(by_kind[next(iter(kinds))])
            else:
                selected.begin([one for one in contributions if one.kind in kinds])

    def fork(self, start: Position, known: int) -> _Aggregates:
        """Return the measures of the first `known` contributions, none of which is later than `start`."""
        made = _Aggregates(self.prepared)
        made._new = False
        made._entered = min(known, self._entered)
        for kind in self._by_kind:
            made._of_kind(kind)
        for place, selected in made._made.items():
            selected.take(self._made[place], start)
        return made

    def leave(self, contributions: Sequence[Contribution], left: int) -> None:
        """Take out what entered after so many contributions, the last one first."""
        for index in range(self._entered - 1, left - 1, -1):
            contribution = contributions[index]
            for selected in self._of_kind(contribution.kind):
                selected.leave(contribution, self._bounds)
        self._entered = min(self._entered, left)

    def measured(self, contributions: Sequence[Contribution], known: int, at: int, since: int) -> Raw:
        """Take in the contributions up to the number `known`, and return all measures as of an instant."""
        bounds = self.prepared.bounds(at, since)
        few = known - self._entered <= FEW
        if self._new and known >= TOGETHER:
            self._begin(contributions[:known])
            few = False
        else:
            if few:
                self._move(bounds)
            for index in range(self._entered, known):
                contribution = contributions[index]
                for selected in self._of_kind(contribution.kind):
                    selected.enter(contribution, self._bounds)
        self._new, self._entered = False, known
        if not few:
            self._move(bounds)
        return self.raw

    def _move(self, bounds: list[Bounds]) -> None:
        self._bounds = bounds
        for frame in self._frames:
            after, upto = bounds[frame.window]
            if after is None:
                after = EVER
            # Most windows move a little and nothing passes their edges.
            if not (frame.out <= after < frame.next_out and frame.last_in <= upto < frame.next_in):
                frame.move(after, upto)
