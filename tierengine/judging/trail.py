"""What a fold asked on its way through a long history, stretch by stretch.

So a late event need not fold all that follows again: stretches that it cannot change are leapt over (passing.py). A
trail is kept in memory only, and is used only while it ends with the very carry that is stored.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tierengine.judging.carry import Carry
from tierengine.judging.decisions import TierChanged, Version
from tierengine.judging.facts import fact_set
from tierengine.judging.history import Position
from tierengine.judging.running import RunningFacts

STRETCH: Final = 32
"""The most steps of a stretch."""
LONG: Final = 256
"""A history of fewer contributions has no trail: to fold it again is as quick."""

Span = tuple[int, int]
Checkpoint = tuple[Position, str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive steps of a fold, with the time that passed before each: what they asked, and what came of them.

    end, after   the last step, and the carry after it
    version      by which all was judged, with one start of the tier (`since`); None: by more than one
    first, last  instants of its first and last judgement
    low, high    least and greatest of each measure at any judgement, None: it was absent at one
    ratios       the same of the facts that are ratios; None: one was absent
    reads        what of the carry decided an amount: "n" and a key of counts, "c" of caps, "t" of taken
    returned     events that something came back of
    """

    end: Position
    after: Carry
    steps: int
    version: Version | None
    since: int
    first: int
    last: int
    low: tuple[int | None, ...]
    high: tuple[int | None, ...]
    ratios: tuple[Span | None, ...]
    reads: frozenset[str]
    returned: frozenset[str]
    changes: tuple[TierChanged, ...]
    checkpoints: tuple[Checkpoint, ...]

    @property
    def plain(self) -> bool:
        """Whether nothing but facts may make a difference to it: one version, no change of the tier."""
        return self.version is not None and not self.changes


@dataclass(slots=True)
class _Open:
    """The stretch that is being walked."""

    version: Version | None = None
    since: int = 0
    first: int = 0
    last: int = 0
    steps: int = 0
    mixed: bool = False
    measured: list[tuple[int | None, ...]] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)
    changes: tuple[TierChanged, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()

    def takes(self, other: _Open) -> bool:
        """Whether the steps of another may be told together with these."""
        return (
            self.steps + other.steps <= STRETCH
            and not (self.mixed or other.mixed or self.changes or other.changes)
            and (self.version, self.since) == (other.version, other.since)
        )

    def add(self, other: _Open) -> None:
        self.last = other.last
        self.steps += other.steps
        self.measured += other.measured
        self.reads |= other.reads
        self.returned |= other.returned
        self.checkpoints += other.checkpoints


class Trail:
    """The stretches of a fold from `start` on, where the carry was `carry` ("" and BEGINNING: from nothing)."""

    def __init__(self, start: Position, carry: str, facts: RunningFacts) -> None:
        self.start: Final = start
        self.carry: Final = carry
        self.facts = facts
        self.text = carry
        self._stretches: list[Stretch] = []
        self._end = start
        self._after: Carry | None = None
        self._open: _Open | None = None
        self._step = _Open()

    # ---- while it is folded ----

    def judged(self, version: Version, position: Position, since: int) -> None:
        """Note a judgement, whose facts were asked just now."""
        step = self._step
        if not step.measured:
            step.version, step.since, step.first = version, since, position[0]
        elif (step.version, step.since) != (version, since):
            step.mixed = True
        step.last = position[0]
        step.measured.append(self.facts.measured(version))

    def read(self, keys: Iterable[str]) -> None:
        """Note what of the carry decided."""
        self._step.reads.update(keys)

    def returned(self, event_key: str) -> None:
        """Note that something came back of an event."""
        self._step.returned.add(event_key)

    def passed(
        self, head: Position, carry: Carry, changes: Sequence[TierChanged], checkpoints: Sequence[Checkpoint]
    ) -> None:
        """End a step; `changes` and `checkpoints` are what it brought, and the time before it."""
        step, self._step = self._step, _Open()
        step.steps, step.changes, step.checkpoints = 1, tuple(changes), tuple(checkpoints)
        if self._open is not None and self._open.takes(step):
            self._open.add(step)
        else:
            self._seal()
            self._open = step
        self._end, self._after = head, carry

    # ---- when it is asked ----

    @property
    def end(self) -> Position:
        """The last step."""
        return self._end

    def stretches(self) -> list[Stretch]:
        """Return all stretches; what follows begins another."""
        self._seal()
        return self._stretches

    def place(self, position: Position) -> int:
        """Return the place of the stretch that holds a position, or of none: behind the last."""
        return bisect_left(self.stretches(), position, key=_end)

    def before(self, place: int) -> tuple[Position, str]:
        """Return where the stretch at a place begins, and the carry there."""
        if not place:
            return self.start, self.carry
        last = self.stretches()[place - 1]
        return last.end, last.after.dump()

    def cut(self, place: int, facts: RunningFacts) -> None:
        """Forget what follows from a place on: it is about to be folded again, of these facts."""
        self._end, text = self.before(place)
        del self.stretches()[place:]
        self._after = self._stretches[-1].after if place else None
        self.text, self.facts = text, facts

    def replace(self, place: int, stretches: Iterable[Stretch], text: str) -> None:
        """Have these follow from a place on; the last one ends with the carry `text`."""
        self._seal()
        del self._stretches[place:]
        for one in stretches:
            if self._stretches and (both := _joined(self._stretches[-1], one)) is not None:
                self._stretches[-1] = both
            else:
                self._stretches.append(one)
        if self._stretches:
            self._end, self._after = self._stretches[-1].end, self._stretches[-1].after
        self.text = text

    def _seal(self) -> None:
        found, after = self._open, self._after
        self._open = None
        if found is None or after is None:
            return
        version = None if found.mixed else found.version
        low: tuple[int | None, ...] = ()
        high: tuple[int | None, ...] = ()
        ratios: tuple[Span | None, ...] = ()
        if version is not None and not found.changes:
            prepared = fact_set(version.rules.policy)
            columns = tuple(zip(*found.measured, strict=True))
            low, high = tuple(map(_least, columns)), tuple(map(_most, columns))
            ratios = tuple(_span([prepared.ratio(name, raw) for raw in found.measured]) for name in prepared.ratios)
        made = Stretch(
            self._end, after, found.steps, version, found.since, found.first, found.last, low, high, ratios,
            frozenset(found.reads), frozenset(found.returned), found.changes, found.checkpoints,
        )  # fmt: skip
        both = _joined(self._stretches[-1], made) if self._stretches else None
        if both is not None:
            self._stretches[-1] = both
        else:
            self._stretches.append(made)


def _end(stretch: Stretch) -> Position:
    return stretch.end


def _joined(one: Stretch, other: Stretch) -> Stretch | None:
    """Return two stretches as one, where they are short and alike."""
    if not (one.plain and other.plain and one.steps + other.steps <= STRETCH):
        return None
    if (one.version, one.since) != (other.version, other.since):
        return None
    return replace(
        other,
        steps=one.steps + other.steps,
        first=one.first,
        low=tuple(map(_lower, one.low, other.low)),
        high=tuple(map(_higher, one.high, other.high)),
        ratios=tuple(
            None if mine is None or its is None else (min(mine[0], its[0]), max(mine[1], its[1]))
            for mine, its in zip(one.ratios, other.ratios, strict=True)
        ),
        reads=one.reads | other.reads,
        returned=one.returned | other.returned,
        checkpoints=one.checkpoints + other.checkpoints,
    )


def _lower(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else min(one, other)


def _higher(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _least(values: tuple[int | None, ...]) -> int | None:
    return None if None in values else min(values)  # type: ignore[type-var]


def _most(values: tuple[int | None, ...]) -> int | None:
    return None if None in values else max(values)  # type: ignore[type-var]


def _span(values: Sequence[int | None]) -> Span | None:
    found = [value for value in values if value is not None]
    return (min(found), max(found)) if len(found) == len(values) else None
