"""Whether a late event leaves a stretch of steps, which was folded before it was told, as it is.

It does when three things hold: at every judgement of the stretch each test on a fact stays on the same side of its
threshold; the stretch reads nothing of the carry that has become different; and nothing in it is a return of an event
that was judged again. Where that is not certain the answer is no, and the stretch is folded again, which is always
right.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rules.pattern import MAX_INTEGER
from tierengine.judging.carry import Carry, Counted
from tierengine.judging.facts import FactSet, fact_set
from tierengine.judging.history import Contribution
from tierengine.judging.measures import QUANTITY, Measure, Selection, number_reader
from tierengine.judging.trail import Span, Stretch
from tierengine.zone import Bounds

SLACK: Final = 3 * 86_400_000_000
"""A window moves along with the instant asked, up to this much: months differ in length, and clocks are changed."""

_Table = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Apart:
    """How two carries of one position differ, in parts that concern only the steps that read them.

    counts, caps    key → what the new one has more (below 0: less)
    taken, counted  key → what stands there in the new one, None: nothing
    """

    counts: Mapping[str, int]
    caps: Mapping[str, int]
    taken: Mapping[str, str | None]
    counted: Mapping[str, dict[str, Counted] | None]

    @classmethod
    def of(cls, old: Carry, new: Carry) -> Apart | None:
        """Return how `new` differs from `old`; None: they differ in other parts as well."""
        counted = {key: new.counted.get(key) for key in _unlike(old.counted, new.counted)}
        counts = {key: new.counts.get(key, 0) - old.counts.get(key, 0) for key in _unlike(old.counts, new.counts)}
        caps = {key: new.caps.get(key, 0) - old.caps.get(key, 0) for key in _unlike(old.caps, new.caps)}
        taken = {key: new.taken.get(key) for key in _unlike(old.taken, new.taken)}
        rest = replace(new, counts=old.counts, caps=old.caps, taken=old.taken, counted=old.counted)
        return cls(counts, caps, taken, counted) if rest == old else None

    def keys(self) -> frozenset[str]:
        """Return what differs, in the form of `Stretch.reads`."""
        return frozenset(
            (*(f"n{key}" for key in self.counts), *(f"c{key}" for key in self.caps), *(f"t{key}" for key in self.taken))
        )

    def onto(self, carry: Carry) -> Carry:
        """Return a later carry, which was reached from the old one, as it is when reached from the new one."""
        if not (self.counts or self.caps or self.taken or self.counted):
            return carry
        counts, caps, taken, counted = dict(carry.counts), dict(carry.caps), dict(carry.taken), dict(carry.counted)
        for table, more in ((counts, self.counts), (caps, self.caps)):
            for key, number in more.items():
                table[key] = table.get(key, 0) + number
                if not table[key]:
                    del table[key]
        for key, rule in self.taken.items():
            if rule is None:
                taken.pop(key, None)
            else:
                taken[key] = rule
        for event, rules in self.counted.items():
            if rules is None:
                counted.pop(event, None)
            else:
                counted[event] = rules
        return replace(carry, counts=counts, caps=caps, taken=taken, counted=counted)


def _unlike(one: _Table, other: _Table) -> list[str]:
    if one == other:
        return []
    return [key for key in one.keys() | other.keys() if one.get(key) != other.get(key)]


@dataclass(slots=True)
class ToldLate:
    """What was told late: contributions of lines that nobody had told of, none of which takes anything back."""

    rows: Sequence[Contribution]
    _taken: dict[int, list[tuple[Contribution, int]]] = field(default_factory=dict)

    def over(self, stretch: Stretch, apart: Apart, judged: set[str]) -> Stretch | None:
        """Return a stretch later than all that was told as it is with it, or None: it must be folded again.

        apart   by what the carry differs where the stretch begins
        judged  keys of the events that were judged again
        """
        if stretch.version is None or not stretch.reads.isdisjoint(apart.keys()):
            return None
        if not (stretch.returned.isdisjoint(judged) and stretch.returned.isdisjoint(apart.counted)):
            return None
        changed = self._measured(stretch, fact_set(stretch.version.rules.policy))
        if changed is None:
            return None
        low, high, ratios = changed
        return replace(stretch, after=apart.onto(stretch.after), low=low, high=high, ratios=ratios)

    def _measured(
        self, stretch: Stretch, prepared: FactSet
    ) -> tuple[tuple[int | None, ...], tuple[int | None, ...], tuple[Span | None, ...]] | None:
        """Return least and greatest of every measure and ratio with what was told; None: some test may be met anew."""
        moves = self._moves(stretch, prepared)
        if not moves:
            return None if moves is None else (stretch.low, stretch.high, stretch.ratios)
        if not stretch.plain:
            return None  # what a change of the tier is told with are the facts themselves
        low, high, ratios = list(stretch.low), list(stretch.high), list(stretch.ratios)
        for place, (down, up) in moves.items():
            least, most = low[place], high[place]
            if least is None or most is None:
                return None
            low[place], high[place] = least + down, most + up
            spread = (min(least, least + down), max(most, most + up))
            if place in prepared.opaque or not all(_one_side(cuts, spread) for cuts in prepared.cuts_of(place)):
                return None
        for number, (name, (over, under)) in enumerate(prepared.ratios.items()):
            if over not in moves and under not in moves:
                continue
            before, least, most = stretch.ratios[number], stretch.low[under], stretch.high[under]
            if before is None or least is None or most is None:
                return None
            after = _shifted(before, (least, most), moves.get(over, (0, 0)), moves.get(under, (0, 0)))
            if after is None:
                return None
            if not _one_side(prepared.cuts.get(name, ()), (min(before[0], after[0]), max(before[1], after[1]))):
                return None
            ratios[number] = after
        return tuple(low), tuple(high), tuple(ratios)

    def _moves(self, stretch: Stretch, prepared: FactSet) -> dict[int, Span] | None:
        """Return by how much measures may have moved at the judgements of the stretch, least and most; None: unsure."""
        first, last = (prepared.bounds(at, stretch.since) for at in (stretch.first, stretch.last))
        moves: dict[int, Span] = {}
        for row, group in self._counting(prepared):
            selection, by_window = prepared.groups[group]
            for window, measures in by_window:
                whole = _in_window(row.at, stretch, first[window], last[window])
                if whole is None:
                    continue
                for place, measure in measures:
                    move = _move(row, selection, measure, stretch, place)
                    if move is None:
                        return None
                    if move != (0, 0):
                        down, up = move if whole else (min(move[0], 0), max(move[1], 0))
                        was = moves.get(place, (0, 0))
                        moves[place] = was[0] + down, was[1] + up
        return moves

    def _counting(self, prepared: FactSet) -> list[tuple[Contribution, int]]:
        """Return which row counts in which group of measures."""
        found = self._taken.get(id(prepared))
        if found is None:
            found = self._taken[id(prepared)] = [
                (row, group)
                for row in self.rows
                for group in prepared.by_kind.get(row.kind, ())
                if prepared.plans[group].takes(row)
            ]
        return found


def _in_window(at: int, stretch: Stretch, first: Bounds, last: Bounds) -> bool | None:
    """Tell whether a window holds an instant at every judgement of a stretch: True, False (maybe), or None (never)."""
    if (first[0] is not None and at <= first[0] - SLACK) or at > last[1] + SLACK:
        return None
    since = last[0] is None or at > last[0] + SLACK
    return since and at <= (first[1] if first[1] == stretch.first else first[1] - SLACK)


def _move(row: Contribution, selection: Selection, measure: Measure, stretch: Stretch, place: int) -> Span | None:
    """Return by how much a row that a window holds moves a measure, least and most; None: it cannot be told."""
    if measure.of == "all":
        amount = number_reader(measure.field or QUANTITY)(row) or 0
        return amount, amount
    if selection.nets or not stretch.plain:
        return None
    least, most = stretch.low[place], stretch.high[place]
    if measure.how in ("last", "first", "max", "min"):
        number = row.at if measure.of == "moment" else _number(row, measure)
        if measure.how in ("last", "max"):
            still = least is not None and (number is None or number <= least)
        else:
            still = most is not None and (number is None or number >= most)
        return (0, 0) if still else None
    if measure.how == "count":
        return 1, 1
    if measure.of == "value" and measure.how == "distinct":
        return 0, 1
    if measure.of == "value" and measure.how == "sum":
        described = _number(row, measure) or 0
        return described, described
    return None


def _number(row: Contribution, measure: Measure) -> int | None:
    """Return the number of a row that a measure is of."""
    return number_reader(measure.field)(row)


def _one_side(cuts: Sequence[int], span: Span) -> bool:
    """Whether no threshold lies between the ends of a span, nor what the engine may be asked."""
    return (
        span[0] >= -MAX_INTEGER
        and span[1] <= MAX_INTEGER
        and bisect_right(cuts, span[0]) == bisect_right(cuts, span[1])
    )


def _shifted(ratio: Span, under: Span, over_by: Span, under_by: Span) -> Span | None:
    """Return least and most of a ratio (basis points, up to one off) whose sides moved; None: the base may be gone."""
    if under[0] <= 0 or under[0] + under_by[0] <= 0:
        return None
    corners = [(base, base + move) for base in under for move in under_by]
    least = min(((ratio[0] - 1) * base + 10_000 * over_by[0]) // moved for base, moved in corners)
    most = max(-(-((ratio[1] + 1) * base + 10_000 * over_by[1]) // moved) for base, moved in corners)
    return least - 1, most + 1
