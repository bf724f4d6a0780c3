"""Decisions as they stand, and what a fold changes of them: what came out the same is not written again.

A decision that is gone is written as `withdrawn`; of what is changed, each pair's worth before and after is told.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter, itemgetter
from typing import Final

from tierengine.judging.budgets import most_admitted
from tierengine.judging.decisions import Folded, GrantDecision, Granted
from tierengine.judging.history import Contribution, Position, Step
from tierengine.recording.locked import Head
from tierengine.recording.memory import Remembered
from tierengine.store.dialect import doc
from tierengine.store.ids import Ids
from tierengine.store.rows import Row

Pair = tuple[str, str]  # (granting event's key, rule)
Place = tuple[Pair, Position]  # of a decision: about what, and at which step

_known: Final = attrgetter("known")


@dataclass(frozen=True, slots=True)
class Decided:
    """A stored decision: what stood, from which step on, for one pair. Of equal (pair, step) the highest id counts.

    member  under whom it is stored and booked: of merged members, whose event it was
    once    of all that ever stood there, what budgets over several members admitted most of; None: they were not asked
    """

    id: int
    member: int
    pair: Pair
    step: Position
    kind: str
    granted: Granted | None  # None: withdrawn
    once: Granted | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a pair was worth before and should be worth now, with the decision that says so."""

    pair: Pair
    before: Granted | None
    after: Granted | None
    decision: int | None
    member: int = 0


@dataclass(slots=True)
class Refolded:
    """What a fold of one member brought forth, compared with what stood.

    start       the position after which everything was folded again, but for what could be passed over
    late        whether that was before the head of the history
    ranges      what was folded again: later than the one, up to the other; empty: everything
    made        decisions to write: (id, decision) or (id, withdrawn one)
    owners      of merged members: under whom what stood of a pair is booked
    home        of merged members: whose an event is
    """

    head: Head
    start: Position
    late: bool
    steps: tuple[Step, ...]
    folded: Folded
    history: Remembered
    made: list[tuple[int, GrantDecision | Decided]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    ranges: list[tuple[Position, Position]] = field(default_factory=list)
    owners: dict[Pair, int] = field(default_factory=dict)
    home: Mapping[str, int] = field(default_factory=dict)

    def owner(self, pair: Pair) -> int:
        """Return under whom a pair is decided and booked: money stays with whom it was booked, also when merged."""
        if not self.home and not self.owners:
            return self.head.member_id
        return self.owners.get(pair) or self.home.get(pair[0]) or self.head.member_id

    def covers(self, position: Position) -> bool:
        """Whether what happened at a position was judged again."""
        if not self.ranges:
            return position > self.start
        place = bisect_left(self.ranges, position, key=itemgetter(1))
        return place < len(self.ranges) and self.ranges[place][0] < position

    def again(self, rows: Sequence[Contribution]) -> Iterator[Contribution]:
        """Yield the rows, given in order of `known`, that became known in what was judged again."""
        if not self.ranges:
            yield from rows[bisect_right(rows, self.start, key=_known) :]
        for start, end in self.ranges:
            yield from rows[bisect_right(rows, start, key=_known) : bisect_right(rows, end, key=_known)]


def standing_of(rows: Iterable[Row]) -> dict[Place, Decided]:
    """Return the decisions that stand, or were withdrawn last, by pair and step; rows come in order of their ids."""
    newest: dict[tuple[int, Place], Decided] = {}
    for number, member, event_key, rule, at, class_, key, kind, basis in rows:
        granted = None if kind == "withdrawn" else Granted.of(doc(basis)["granted"])
        pair, step = (event_key, rule), (at, class_, key)
        before = newest.get((member, (pair, step)))
        once = most_admitted(granted, before.once if before is not None else None)
        newest[member, (pair, step)] = Decided(number, member, pair, step, kind, granted, once)
    found: dict[Place, Decided] = {}
    for (_, place), one in newest.items():
        # (Of merged members two may have been told of one event; with one of them it does not stand any more.)
        other = found.get(place)
        if other is None:
            found[place] = one
        else:
            once = most_admitted(one.once, other.once)
            found[place] = replace(one if one.granted is not None else other, id=max(one.id, other.id), once=once)
    return found


def by_event(earlier: Mapping[Pair, Granted]) -> dict[str, list[Granted]]:
    found: dict[str, list[Granted]] = {}
    for (event_key, _), granted in earlier.items():
        found.setdefault(event_key, []).append(granted)
    return found


def compare(
    outcome: Refolded,
    old: Mapping[Place, Decided],
    earlier: Mapping[Pair, Granted],
    ids: Ids,
    outside: Mapping[Place, Granted] | None = None,
) -> None:
    """Note what is to be written, and what each pair is worth before and after.

    old      decisions of the steps that were folded again
    earlier  what pairs were worth before the first of these
    outside  decisions about the same pairs of steps between, which stand
    """
    if not (old or outcome.folded.decisions):
        return
    new = {((one.granted.event_key, one.granted.rule), one.step): one for one in outcome.folded.decisions}
    last_id: dict[Pair, int] = {}
    for place, decision in new.items():
        stood = old.get(place)
        if stood is None or stood.kind != decision.kind or not decision.granted.stands_as(stood.granted):
            number = ids.take() if stood is None else ids.above(stood.id)
            outcome.made.append((number, decision))
            last_id[place[0]] = number
        else:
            last_id[place[0]] = stood.id
    for place, stood in old.items():
        if place not in new and stood.granted is not None:
            number = ids.above(stood.id)
            outcome.made.append((number, stood))
            last_id.setdefault(place[0], number)
    outside = outside or {}
    was = last_of({**outside, **{place: stood.granted for place, stood in old.items()}}, earlier)
    will = last_of({**outside, **{place: one.granted for place, one in new.items()}}, earlier)
    for pair in dict.fromkeys((*(place[0] for place in new), *(place[0] for place in old))):
        before, after = was.get(pair), will.get(pair)
        if after is not None and after.stands_as(before):
            continue
        if before != after:
            outcome.changes.append(Change(pair, before, after, last_id.get(pair), outcome.owner(pair)))


def last_of(decided: Mapping[Place, Granted | None], earlier: Mapping[Pair, Granted]) -> dict[Pair, Granted]:
    """Return what each pair is worth after its last step."""
    found = dict(earlier)
    for (pair, _), granted in sorted(decided.items(), key=lambda item: item[0][1]):
        if granted is not None:
            found[pair] = granted
    return found
