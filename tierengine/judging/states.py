"""What holds of a member at a position rather than adds up: attributes, machines owned, attestations in force.

All three are replayed from contributions: a line that no longer stands never was, and of a corrected line its last word
counts. Both evaluators of facts (facts.py, facts_sql.py) use this code; databases only hand over the rows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Generic, TypeVar

from rules.policy import Attested, Policy
from rules.vocabulary import ATTRIBUTES, KINDS, Attribute
from tierengine.judging.history import ATTRIBUTE, Contribution, Position, Scalar
from tierengine.zone import Bounds, Zone, add_months

ATTRIBUTE_KINDS: Final = frozenset(kind.id for kind in KINDS.values() if kind.class_ == ATTRIBUTE)
FLEET_KINDS: Final = frozenset(("machine_registered", "machine_purchase", "machine_disposed"))
LINK_KINDS: Final = frozenset(("link_set", "link_ended"))
ATTESTATION: Final = "attestation"
STATE_KINDS: Final = ATTRIBUTE_KINDS | FLEET_KINDS | {ATTESTATION}

Attributes = dict[str, int | str | None]

_SET_BY: Final[dict[str, tuple[Attribute, ...]]] = {
    kind: tuple(item for item in ATTRIBUTES.values() if item.set_by[0] == kind) for kind in ATTRIBUTE_KINDS
}
_FOREVER: Final = 1 << 62

_State = TypeVar("_State")
_Checks = TypeVar("_Checks", bound=Hashable)


def linked_name(member: object) -> str:
    """Return under which name the attributes hold how another member is linked to this one; no policy can name it."""
    return f"linked:{member}"


@dataclass(slots=True)
class Machine:
    """A machine that the member owns: what was last said of it, and the day (as instants) on which it was last seen."""

    fields: dict[str, Scalar] = field(default_factory=dict)
    seen_from: int = -_FOREVER
    seen_upto: int = -_FOREVER


class States:
    """One member's states, as of positions that never go back, from contributions entered in order of `known`."""

    __slots__ = ("_attestations", "_attributes", "_counted", "_counted_changes", "_fleet", "_managers", "_zone")

    def __init__(self, zone: Zone, contributions: Iterable[Contribution] = ()) -> None:
        self._zone = zone
        self._attributes: _Replay[Attributes] = _Replay(zone, dict, _set_attribute)
        self._fleet: _Replay[dict[str, Machine]] = _Replay(zone, dict, _move_machine)
        self._attestations: _Replay[dict[str, Contribution]] = _Replay(zone, dict, _state_trait)
        self._managers: list[Contribution] = []
        self._counted: dict[Hashable, tuple[list[int], list[int]]] = {}
        self._counted_changes = 0
        for contribution in contributions:
            self.enter(contribution)

    def enter(self, contribution: Contribution) -> None:
        """Take in what has become known; contributions of other kinds change nothing."""
        kind = contribution.kind
        if kind in ATTRIBUTE_KINDS:
            self._attributes.enter(contribution)
            if kind == "manager_assigned":
                self._managers.append(contribution)
        elif kind in FLEET_KINDS:
            self._fleet.enter(contribution)
        elif kind == ATTESTATION:
            self._attestations.enter(contribution)

    def any_fleet(self, at: int) -> bool:
        """Whether any machine is owned at the instant."""
        return bool(self._fleet.as_of(at))

    def attributes(self, at: int) -> Attributes:
        """Return the attributes as of the instant: text, whole numbers, and dates as ordinal days."""
        return self._attributes.as_of(at)

    def owned(
        self, at: int, checks: _Checks, holds: Callable[[_Checks, Mapping[str, Scalar]], bool], bounds: Bounds | None
    ) -> int:
        """Return how many machines that pass `checks` are owned, and seen on a day that (from, upto] touches."""
        machines = self._fleet.as_of(at)
        if self._fleet.changes != self._counted_changes:
            self._counted.clear()
            self._counted_changes = self._fleet.changes
        days = self._counted.get(checks)
        if days is None:
            passing = [machine for machine in machines.values() if holds(checks, machine.fields)]
            days = sorted(one.seen_from for one in passing), sorted(one.seen_upto for one in passing)
            self._counted[checks] = days
        starts, ends = days
        if bounds is None:
            return len(starts)
        after, upto = bounds
        # Those seen later than the window are among those not seen before it.
        later = len(starts) - bisect_right(starts, upto)
        return len(ends) - (0 if after is None else bisect_right(ends, after)) - later

    def attested(self, policy: Policy, at: int) -> frozenset[str]:
        """Return the traits that an attestation in force states on the policy's terms."""
        in_force = self._attestations.as_of(at)
        if not in_force:
            return frozenset()
        found: set[str] = set()
        today = self._zone.local_date(at)
        for said in in_force.values():
            trait = policy.traits.get(str(said.fields.get("trait")))
            if trait is None or trait.attested is None or (trait.id in found and not trait.degrees):
                continue
            if self._allowed(trait.attested, said) and today <= self._last_day(trait.attested, said):
                found.add(trait.id)
                if trait.degrees:
                    stated = f"{trait.id}.{said.fields.get('degree')}"
                    found.add(stated if stated in trait.names() else trait.names()[1])
        return frozenset(found)

    def _last_day(self, terms: Attested, said: Contribution) -> date:
        ours = add_months(self._zone.local_date(said.at), terms.valid_months)
        theirs = _as_date(said.fields.get("valid_until"))
        return ours if theirs is None else min(ours, theirs)

    def _allowed(self, terms: Attested, said: Contribution) -> bool:
        words = said.fields
        stater = words.get("stated_by")
        if words.get("stated_role") not in terms.by:
            return False
        if terms.countersigned_by:
            second = words.get("countersigned_by")
            if words.get("countersigned_role") not in terms.countersigned_by or not second or second == stater:
                return False
        return not (terms.not_own_manager and stater == self._manager_as_of(said.known, said.at))

    def _manager_as_of(self, known: Position, at: int) -> Scalar:
        lines = _standing(row for row in self._managers if row.known <= known and row.at <= at)
        return lines[-1].fields.get("manager") if lines else None


class _Replay(Generic[_State]):
    """Contributions played onto a state in order of (at, known); replayed only when one comes out of that order."""

    __slots__ = ("_apply", "_beyond", "_last", "_lines", "_make", "_rows", "_stale", "_state", "_zone", "changes")

    def __init__(
        self, zone: Zone, make: Callable[[], _State], apply: Callable[[Zone, _State, Contribution], None]
    ) -> None:
        # (No method of who holds this: the two would hold each other, and wait for the collector to be freed.)
        self._zone = zone
        self._make = make
        self._apply = apply
        self._rows: list[Contribution] = []
        self._lines: set[str] = set()
        self._last: tuple[int, Position] = (-_FOREVER, (-_FOREVER, 0, ""))
        self._state = make()
        self._stale = False
        self._beyond = False
        self.changes = 0

    def enter(self, row: Contribution) -> None:
        self._rows.append(row)
        place = (row.at, row.known)
        # Known by now, so dated by now unless it was said in advance.
        in_order = row.qty > 0 and row.line not in self._lines and place >= self._last and row.at <= row.known[0]
        self._lines.add(row.line)
        if in_order and not self._stale:
            self._apply(self._zone, self._state, row)
            self._last = place
            self.changes += 1
        else:
            self._stale = True

    def as_of(self, at: int) -> _State:
        if self._stale or self._beyond:
            self._beyond = any(row.at > at for row in self._rows)
            self._state = self._make()
            lines = _standing(row for row in self._rows if row.at <= at)
            for row in lines:
                self._apply(self._zone, self._state, row)
            self._last = max(((row.at, row.known) for row in self._rows), default=self._last)
            self._stale = False
            self.changes += 1
        return self._state


def _standing(rows: Iterable[Contribution]) -> list[Contribution]:
    """Return the last positive contribution of each line whose quantities sum above 0, in order of (at, known)."""
    net: dict[str, int] = {}
    last: dict[str, Contribution] = {}
    for row in rows:
        net[row.line] = net.get(row.line, 0) + row.qty
        if row.qty > 0:
            last[row.line] = row
    standing = [row for line, row in last.items() if net[line] > 0]
    standing.sort(key=lambda row: (row.at, row.known))
    return standing


def _set_attribute(zone: Zone, values: Attributes, said: Contribution) -> None:
    if said.kind in LINK_KINDS:
        name = linked_name(said.fields.get("linked"))
        if said.kind == "link_set":
            relation = said.fields.get("relation")
            values[name] = relation if isinstance(relation, str) else None
        else:
            values.pop(name, None)
        return
    for attribute in _SET_BY[said.kind]:
        name = attribute.set_by[1]
        if not name:
            values[attribute.id] = zone.local_date(said.at).toordinal()
        elif said.kind != "attribute_changed" or said.fields.get("name") == attribute.id:
            values[attribute.id] = _typed(attribute, said.fields.get(name))


def _move_machine(zone: Zone, machines: dict[str, Machine], said: Contribution) -> None:
    key = str(said.fields.get("serial") or said.line)
    if said.kind == "machine_disposed" or said.fields.get("tenure", "owned") != "owned":
        machines.pop(key, None)
        return
    machine = machines.setdefault(key, Machine())
    machine.fields.update({name: value for name, value in said.fields.items() if value is not None})
    day = _as_date(said.fields.get("checked_at" if said.kind == "machine_registered" else "delivered_on"))
    if day is None:
        start = end = said.at
    else:
        start, end = zone.start_of(day), (zone.end_of(day) or _FOREVER) - 1
    if end >= machine.seen_upto:
        machine.seen_from, machine.seen_upto = start, end


def _state_trait(_: Zone, attestations: dict[str, Contribution], said: Contribution) -> None:
    attestations[said.line] = said


def _typed(attribute: Attribute, value: Scalar) -> int | str | None:
    if attribute.type == "date":
        day = _as_date(value)
        return None if day is None else day.toordinal()
    if attribute.type in ("int", "bool", "money"):
        return int(value) if isinstance(value, int) else None
    return value if isinstance(value, str) else None


def _as_date(value: Scalar) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
