"""What of a group is new: decided item by item in the order of arrival, on what is stored and on what came just before.

Equal key and content is a duplicate, equal key with other content a conflict, an idempotency key with another body a
mismatch. Nothing here touches the database, and what is refused leaves no trace under its event key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rules.vocabulary import CATEGORIES, KINDS
from tierengine.errors import Conflict, Unknown
from tierengine.judging.history import Observation
from tierengine.judging.observations import content_hash
from tierengine.judging.recorded import Recorded
from tierengine.recording.items import Answer, Item, Once, Sale, members_of, refusal, replay
from tierengine.recording.locked import Locked
from tierengine.recording.stored import Stored
from tierengine.store.ids import Ids

SOLD: Final = tuple(dict.fromkeys(kind for _, kind in CATEGORIES.values()))


@dataclass(slots=True)
class Taken:
    """What became of one item so far: an answer, or new events that are going to be recorded.

    answer   None while the item is going to be recorded; `later`: it is left to a later group
    fresh    new events; `known` keys of events that were there with equal content
    same_as  the place of the item in the group whose answer this one shares
    """

    answer: Answer | None = None
    later: bool = False
    fresh: list[Stored] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    same_as: int | None = None

    def says(self, status: str) -> bool:
        """Whether it is answered already, and so."""
        return self.answer is not None and self.answer.status == status


@dataclass(slots=True)
class Intake:
    """The group so far. `events` is what is stored and what is new, as later items of the group see it."""

    locked: Locked
    codes: Mapping[str, int]
    stores: Mapping[str, int]
    ids: Ids
    events: dict[str, dict[int, Stored]] = field(default_factory=dict)
    conflicts: dict[tuple[str, int, str], Observation] = field(default_factory=dict)
    seen: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)  # clusters of which something is there

    def __post_init__(self) -> None:
        self.events = {key: dict(revisions) for key, revisions in self.locked.events.items()}
        self._told = {one.cluster for revisions in self.events.values() for one in revisions.values()}

    def take(self, place: int, item: Item) -> Taken:
        """Decide on one item; what is new of it is visible to the next at once."""
        taken = self._once(place, item.once) or self._content(item)
        if item.once is not None and not taken.later and taken.same_as is None and not taken.says("mismatch"):
            self.seen.setdefault((item.once.scope, item.once.key), (item.once.request_hash, place))
        for event in taken.fresh:
            observation = event.recorded.observation
            self.events.setdefault(observation.key, {})[observation.revision] = event
            self._told.add(event.cluster)
        return taken

    def forget(self, taken: Taken) -> None:
        """Take back what was new: the item is refused after all, and its keys stay free."""
        for event in taken.fresh:
            observation = event.recorded.observation
            del self.events[observation.key][observation.revision]
            if not self.events[observation.key]:
                del self.events[observation.key]
        taken.fresh = []

    def _once(self, place: int, once: Once | None) -> Taken | None:
        if once is None:
            return None
        stored = self.locked.once.get((once.scope, once.key))
        if stored is not None:
            if once.same(stored[0]):
                return Taken(replay(stored[2]))
            return Taken(refusal("mismatch", Conflict("idempotency_mismatch")))
        seen = self.seen.get((once.scope, once.key))
        if seen is None or seen[1] == place:
            return None
        if seen[0] == once.request_hash:
            return Taken(same_as=seen[1])
        return Taken(refusal("mismatch", Conflict("idempotency_mismatch")))

    def _content(self, item: Item) -> Taken:
        taken = Taken()
        for member in sorted(members_of(item)):
            if member not in self.codes:
                return Taken(refusal("unknown", Unknown("unknown_member", member=member)))
            if not self.locked.has(self.codes[member]):
                return Taken(later=True)
        for observation in item.observations:
            digest = content_hash(observation)
            there = self.events.get(observation.key, {}).get(observation.revision)
            if there is None:
                taken.fresh.append(self._new(observation, digest))
            elif self._is_there(item, observation, digest, there):
                taken.known.append(observation.key)
            else:
                return self._conflict(item, observation, digest)
        if isinstance(item, Sale) and not item.late and self._has_other_lines(item):
            return self._conflict(item, item.observations[0], "")
        if not taken.fresh and item.observations:
            taken.answer = Answer("duplicate", "", {"status": "duplicate", "key": item.observations[0].key})
        return taken

    def _has_other_lines(self, item: Sale) -> bool:
        """Whether this source told the order before with lines of other kinds: that is other content."""
        first = item.observations[0]
        if first.cluster not in self._told:
            return False
        before = set()
        for kind in SOLD:
            there = self.events.get(f"{first.cluster}:{kind}", {}).get(0)
            if there is not None and there.recorded.observation.source == first.source:
                before.add(kind)
        return bool(before) and before != {said.kind for said in item.observations}

    def _is_there(self, item: Item, observation: Observation, digest: str, there: Stored) -> bool:
        """Whether what is stored says what is told now, under this or another code of the same member."""
        if there.hash == digest or self._says(item, observation, there):
            return True
        of_one = self._of_one(observation, there)
        return of_one is not None and self._says(item, of_one, there)

    def _says(self, item: Item, said: Observation, there: Stored) -> bool:
        stored = there.recorded.observation
        return content_hash(_plainly(said)) == content_hash(_plainly(stored)) or self._same_as_said(item, said, stored)

    def _same_as_said(self, item: Item, said: Observation, stored: Observation) -> bool:
        """Whether a till says the same order once more, of which the service worked out prices or credit for it then.

        What came of it then stands: since then the credit is spent, and the member may pay another price.
        """
        if not isinstance(item, Sale) or not item.left_open:
            return False
        one, other = (content_hash(_without(observation, item.left_open)) for observation in (said, stored))
        if one != other or not item.said_credit:
            return one == other
        there = [self.events.get(each.key, {}).get(each.revision) for each in item.observations]
        return _credit(item.observations) == _credit([each.recorded.observation for each in there if each is not None])

    def _of_one(self, said: Observation, stored: Stored) -> Observation | None:
        """Return what is said as of the member it was told of before, where both codes are one customer's; else None.

        The till knows the old card and the nightly file the new one: that is one order, told twice.
        """
        first = stored.recorded.observation.member
        if not self.locked.classes or stored.member_id is None or said.member in ("", first):
            return None
        one = self.locked.root(self.codes[said.member]) == self.locked.root(stored.member_id)
        return replace(said, member=first) if one else None

    def _conflict(self, item: Item, observation: Observation, digest: str) -> Taken:
        if isinstance(item, Sale) and not item.late:
            order = str(observation.fields.get("order", ""))
            return Taken(refusal("conflict", Conflict("order_conflict", order=order)))
        self.conflicts[observation.key, observation.revision, digest] = observation
        return Taken(refusal("conflict", Conflict("event_conflict", key=observation.key)))

    def _new(self, observation: Observation, digest: str) -> Stored:
        member_id = self.codes.get(observation.member) if observation.member else None
        number = self.ids.take()
        recorded = Recorded(observation, observation.member or None, number)
        return Stored(number, observation.cluster, digest, member_id, recorded)


def _credit(observations: Sequence[Observation]) -> int:
    """Return the credit, fen, that pays the lines of an order."""
    lines = [line for one in observations if isinstance(found := one.fields.get("lines"), tuple) for line in found]
    return sum(int(line.get("credit", 0)) for line in lines)


def _plainly(observation: Observation) -> Observation:
    """Return what is said without its defaults: that no credit was used, and that cash paid the rest.

    A till's sale says both, a nightly file often neither; what counts of the order is the same (resolution).
    """
    lines, amount = observation.fields.get("lines"), KINDS[observation.kind].amount
    if not isinstance(lines, tuple) or not amount:
        return observation
    return replace(observation, fields={**observation.fields, "lines": tuple(_line(line, amount) for line in lines)})


def _line(line: Mapping[str, Any], amount: str) -> dict[str, Any]:
    implied = {"credit": 0, "cash": line.get(amount, 0) - line.get("credit", 0)}
    return {name: value for name, value in line.items() if name not in implied or value != implied[name]}


def _without(observation: Observation, names: frozenset[str]) -> Observation:
    lines = observation.fields.get("lines")
    if not isinstance(lines, tuple):
        return observation
    kept = tuple({name: value for name, value in line.items() if name not in names} for line in lines)
    return replace(observation, fields={**observation.fields, "lines": kept})


def shared(answer: Answer) -> Answer:
    """Return the answer of the first of two equal requests, for the second."""
    return replace(answer, replayed=True)


def observations_of(items: Sequence[Item]) -> list[Observation]:
    """Return all that the items say."""
    return [observation for item in items for observation in item.observations]
