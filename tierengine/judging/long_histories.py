"""Long histories that this process has read, kept so that the next question of a member costs what is new since.

Only a shortcut, as the recorder's memory is: what is kept is used when it is exactly as many contributions as the
snapshot holds of him. They are only ever added, so that an equal number is an equal history.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from threading import Lock
from typing import Final

from tierengine.judging.decisions import Version
from tierengine.judging.history import Contribution, Position
from tierengine.judging.running import RunningFacts
from tierengine.zone import Zone

CONTRIBUTIONS: Final = 300_000
"""How many are kept of all members together, the least recently asked forgotten first."""
BACK: Final = 1_000
"""Who is asked as of so many contributions ago is read apart, and the others go on from where they are."""

Read = Callable[[int | None], list[Contribution]]
"""Returns the contributions of a member that became known at an instant or later (None: all), in order of `known`."""

_known: Final = attrgetter("known")


@dataclass(slots=True)
class _History:
    rows: list[Contribution]
    facts: RunningFacts
    lock: Lock = field(default_factory=Lock)


class LongHistories:
    """What is kept; shared between threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _History] = OrderedDict()
        self._contributions = 0
        self._lock = Lock()

    def __contains__(self, member: str) -> bool:
        return member in self._kept

    def of(self, zone: Zone, member: str, count: int, read: Read) -> _History:
        """Return the member's history of so many contributions, reading what is not known yet."""
        with self._lock:
            kept = self._kept.get(member)
        if kept is not None and self._brought_up(kept, count, read):
            return kept
        rows = read(None)
        made = _History(rows, RunningFacts(zone, rows))
        if len(rows) == count:
            self._keep(member, made)
        return made

    def _brought_up(self, kept: _History, count: int, read: Read) -> bool:
        """Add what is new since, where all of it comes behind; whether the history is then as long as it should be."""
        with kept.lock:
            rows = kept.rows
            if 0 < len(rows) < count:
                last = rows[-1].known
                fresh = [row for row in read(last[0]) if row.known > last]
                if len(rows) + len(fresh) == count:
                    rows.extend(fresh)
                    with self._lock:
                        self._contributions += len(fresh)
            return len(rows) == count

    def _keep(self, member: str, made: _History) -> None:
        with self._lock:
            before = self._kept.pop(member, None)
            self._contributions += len(made.rows) - (len(before.rows) if before else 0)
            self._kept[member] = made
            while self._contributions > CONTRIBUTIONS and len(self._kept) > 1:
                self._contributions -= len(self._kept.popitem(last=False)[1].rows)


@dataclass(frozen=True, slots=True)
class _Answer:
    version: Version
    position: Position
    since: int
    facts: Mapping[str, int | None]
    attributes: Mapping[str, int | str | None]
    attested: frozenset[str]


class LongFacts:
    """The facts of a member with a long history, at any positions. Implements decisions.FactSource."""

    def __init__(self, kept: LongHistories, zone: Zone, member: str, count: int, read: Read) -> None:
        self._kept = kept
        self._zone = zone
        self._member = member
        self._count = count
        self._read = read
        self._candidates: list[Contribution] = []
        self._history: _History | None = None
        self._last: _Answer | None = None

    def add(self, candidates: Iterable[Contribution]) -> None:
        """Count these as if they were stored; nobody else who asks about the member sees them."""
        self._candidates.extend(candidates)
        self._candidates.sort(key=_known)
        self._last = None

    def facts(self, version: Version, position: Position, since: int) -> Mapping[str, int | None]:
        """Return every fact as of the position."""
        return self._asked(version, position, since).facts

    def attributes(self, position: Position) -> Mapping[str, int | str | None]:
        """Return the dated attributes as of the position, whose facts were asked before."""
        if self._last is None or self._last.position != position:
            raise ValueError("facts are asked before attributes")
        return self._last.attributes

    def attested(self, version: Version, position: Position) -> frozenset[str]:
        """Return the traits that an attestation in force states on the policy's terms."""
        last = self._last
        if last is not None and (last.version, last.position) == (version, position):
            return last.attested
        return self._asked(version, position, 0).attested

    def _asked(self, version: Version, position: Position, since: int) -> _Answer:
        last = self._last
        if last is None or (last.version, last.position, last.since) != (version, position, since):
            history = self._history or self._kept.of(self._zone, self._member, self._count, self._read)
            with history.lock:
                if self._shared_elsewhere(history, position):
                    rows = sorted(history.rows, key=_known) if len(history.rows) == self._count else self._read(None)
                    history = _History(rows, RunningFacts(self._zone, rows))
                self._history = history
                self._last = self._answer(history, version, position, since)
        return self._last  # type: ignore[return-value]  # set just now

    def _shared_elsewhere(self, history: _History, position: Position) -> bool:
        """Whether others need this history as it is: it has grown since this snapshot, or is asked of long ago."""
        return len(history.rows) != self._count or history.facts.ahead_of(position) > BACK

    def _answer(self, history: _History, version: Version, position: Position, since: int) -> _Answer:
        facts, rows = history.facts, history.rows
        if facts.ahead_of(position):
            facts.retreat(position[0])
        first = self._candidates[0].known[0] if self._candidates else None
        if first is None or first > position[0]:
            return _answered(facts, version, position, since)
        left = facts.retreat(first)
        stored = rows[left:]
        rows[left:] = sorted((*stored, *self._candidates), key=_known)
        try:
            return _answered(facts, version, position, since)
        finally:
            facts.retreat(first)
            rows[left:] = stored


def _answered(facts: RunningFacts, version: Version, position: Position, since: int) -> _Answer:
    return _Answer(
        version,
        position,
        since,
        facts.facts(version, position, since),
        facts.attributes(position),
        facts.attested(version, position),
    )
