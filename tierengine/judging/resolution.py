"""From observations to contributions: a pure function of what was said, whatever the order in which it came.

Of each key the highest revision counts, and a cancelled one gives nothing. What names another event waits, parked,
until that one is here. Every event that takes effect makes at least one contribution: that is its evaluation point.

A return, an acceptance or a withdrawal dated before what it is about takes the place just after that: the key of its
position is then the named event's key, `history.AFTER` and its own key (`cause_key` tells which event it was), so that
two of them still have two places.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from operator import attrgetter

from rules.vocabulary import KINDS, SUBMITTED, Kind
from tierengine.judging.history import Contribution, Observation, Position, Scalar
from tierengine.judging.netting import mirror, whole
from tierengine.judging.recorded import Cancels, Flag, Recorded, Resolved, Waits, after, kinds_named
from tierengine.judging.returns import RETURNS, Returns
from tierengine.judging.values import CANCELLED
from tierengine.zone import moment

# What a settled purchase takes from the purchase that it settles, whatever it says itself.
_FROM_PURCHASE = frozenset(KINDS["machine_purchase"].fields) - {"order", "amount", "margin", "month", "quarter"}
# What a step of a repair takes from its request: credit for a late arrival depends on it.
_FROM_REQUEST = frozenset({"serial", "severity", "distance_km", "down"})
_MINUTE = 60_000_000
_NOT_COPIED = frozenset({"note", "source_id", "status"})


def outside_keys(observation: Observation) -> tuple[str, ...]:
    """Return the keys of events outside its cluster that the observation needs (`resolve` takes them in `outside`)."""
    referral = observation.fields.get("referral") if observation.kind == "machine_purchase" else None
    return (referral,) if isinstance(referral, str) else ()


def resolve(
    events: Sequence[Recorded],
    outside: Mapping[str, Recorded],
    zone: tzinfo,
    *,
    clusters: Collection[str] | None = None,
    cancels: Cancels | None = None,
) -> Resolved:
    """Return what the events contribute.

    events    every revision of every key of the clusters (also revisions that stand in another cluster: a cancellation,
              a correction that names another order)
    outside   the highest revision of each event that `outside_keys` asks for
    cancels   tells whether the policy in force at an instant treats the return of a whole order as if it had never been
    clusters  the ones to answer for; None: all that the highest revisions stand in
    """
    highest: dict[str, Recorded] = {}
    for event in events:
        known = highest.get(event.key)
        if known is None or event.observation.revision > known.observation.revision:
            highest[event.key] = event
    cancelled = {key for key, event in highest.items() if event.observation.kind == CANCELLED}
    standing = {
        key: highest[key]
        for key in sorted(highest.keys() - cancelled)
        if clusters is None or highest[key].observation.cluster in clusters
    }
    resolution = _Resolution(standing, cancelled, outside, zone, cancels)
    resolution.run()
    given = {key: tuple(resolution.given.get(key, ())) for key in (*standing, *sorted(cancelled))}
    return Resolved(given, resolution.parked, tuple(resolution.flags))


@dataclass(slots=True)
class _Resolution:
    """One run over the standing events: first what stands by itself, then what names it."""

    standing: Mapping[str, Recorded]
    cancelled: Collection[str]
    outside: Mapping[str, Recorded]
    zone: tzinfo
    cancels: Cancels | None = None
    given: dict[str, list[tuple[str, Contribution]]] = field(default_factory=dict)
    parked: dict[str, Waits] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)

    def run(self) -> None:
        alone = [event for event in self.standing.values() if event.observation.kind in _ALONE]
        for event in sorted(alone, key=_position) if len(alone) > 1 else alone:
            self._stands(event)
        if len(alone) == len(self.standing):
            return  # nearly always: what follows names something
        for event in self._events(lambda kind: kind.id in ("purchase_settled", "repair_step", "complaint_step")):
            self._about(event)
        for event in self._events(lambda kind: kind.id == "submission_accepted"):
            self._accept(event)
        for event in self._events(lambda kind: kind.id == "attestation_withdrawn"):
            self._withdraw(event)
        returned = self._events(lambda kind: kind.id in RETURNS)
        returns = Returns(self.standing, self.cancelled, self.given, self.parked, self.flags)
        for event in returned:
            returns.take_back(event)
        if self.cancels is not None:
            returns.cancel(returned, self.cancels)

    def _events(self, wanted: _Wanted) -> list[Recorded]:
        """Return the standing events of the wanted kinds in the order of their positions."""
        return sorted((event for event in self.standing.values() if wanted(event.kind)), key=_position)

    # ---- what stands by itself

    def _stands(self, event: Recorded) -> None:
        said = event.observation
        if event.member is None:
            self.parked[event.key] = Waits(event.key, "no_member")
            return
        if said.kind == "machine_purchase":
            enriched = self._deal(event)
            if enriched is not None:
                self._give(event, event.member, self._lines(event, event.position, enriched))
        elif not event.kind.submission:
            self._give(event, event.member, self._lines(event, event.position, {}))
        else:
            self._handed_in(event, event.member)

    def _handed_in(self, event: Recorded, member: str) -> None:
        """Give a submission: as itself once somebody other than its receiver has accepted it, until then as waiting."""
        said = event.observation.fields
        accepted = said.get("status") == "accepted"
        if accepted and self._own_acceptance(event, said.get("accepted_by")):
            self.flags.append(Flag(event.key, "accepted_by_receiver"))
            accepted = False
        if accepted:
            self._give(event, member, self._lines(event, event.position, {}))
            return
        # Whether it proved true is for who accepts it to say.
        unsaid: dict[str, Scalar] = {"proved": 0} if "proved" in said else {}
        lines = self._lines(event, event.position, unsaid)
        self._give(event, member, [replace(line, kind=line.kind + SUBMITTED) for line in lines])

    def _deal(self, event: Recorded) -> dict[str, Scalar] | None:
        """Return the fields that the engine adds to a purchase; None: it is parked until its referral is here."""
        said = event.observation
        enriched: dict[str, Scalar] = {"delivered_on": self._day(said.occurred_at).isoformat()}
        for key in outside_keys(said):
            referral = self.outside.get(key)
            if referral is None:
                self.parked[event.key] = Waits(key, "not_here")
                return None
            if referral.observation.kind == CANCELLED:
                self.flags.append(Flag(event.key, "referral_cancelled"))
                continue
            if referral.observation.kind != "referral_registered":
                self.parked[event.key] = Waits(key, "wrong_kind")
                return None
            registered = referral.observation.occurred_at
            enriched["referral_days"] = (self._day(said.occurred_at) - self._day(registered)).days
            if registered > said.occurred_at:
                self.flags.append(Flag(event.key, "referral_after_purchase"))
            else:
                enriched["referrer"] = referral.member
                enriched["related"] = int(referral.member == event.member)
                if enriched["related"]:
                    enriched["related_by"] = "self"
        return enriched

    # ---- what names another event

    def _about(self, event: Recorded) -> None:
        """Give a settlement or a step once the event that it names is here, with what it takes over from that event."""
        name, kinds = event.kind.names[0]
        key = f"{event.observation.cluster}:{kinds[0]}" if name == "order" else str(event.observation.fields[name])
        named = self._named(event, key, kinds)
        if named is None:
            return
        extra: dict[str, Scalar] = {}
        if event.observation.kind == "purchase_settled":
            bought = self.given[key][0][1]
            extra = {name: value for name, value in bought.fields.items() if name in _FROM_PURCHASE}
            if "amount" not in event.observation.fields:
                extra["amount"] = bought.amount
        elif event.observation.kind == "repair_step":
            asked = self.given[key][0][1]
            extra = {name: value for name, value in asked.fields.items() if name in _FROM_REQUEST}
            extra["minutes"] = max(event.observation.occurred_at - asked.at, 0) // _MINUTE
        self._give(event, self._member(event, named), self._lines(event, event.position, extra))

    def _accept(self, event: Recorded) -> None:
        said = event.observation.fields
        named = self._named(event, str(said["accepts"]), kinds_named(event))
        if named is None:
            return
        member = self._member(event, named)
        if self._own_acceptance(named, said["accepted_by"]):
            self.flags.append(Flag(event.key, "accepted_by_receiver"))
        elif any(line.event_key == named.key and line.kind == named.kind.id for _, line in self._all_given()):
            self.flags.append(Flag(event.key, "already_accepted"))
        else:
            # Whether a tip proved true is for who accepts it to say, never for who hands it in.
            told: dict[str, Scalar] = {"accepted_by": str(said["accepted_by"]), "proved": whole(said.get("proved"))}
            extra = {name: value for name, value in told.items() if name in named.kind.fields}
            known, cause = after(event, named), event.observation.kind
            # It waits no more: what it counted as until now is taken off.
            waited = [mirror(line) for _, line in self.given.get(named.key, ())]
            lines = [*self._lines(named, known, extra), *waited]
            self._give(event, member, [replace(line, known=known, cause=cause) for line in lines])

    def _withdraw(self, event: Recorded) -> None:
        named = self._named(event, str(event.observation.fields["attestation"]), kinds_named(event))
        if named is None:
            return
        member = self._member(event, named)
        stated = [line for _, line in self.given[named.key]]
        if any(line.event_key == named.key and line.qty < 0 for _, line in self._all_given()):
            self.flags.append(Flag(event.key, "already_withdrawn"))
            return
        known, cause = after(event, named), event.observation.kind
        self._give(event, member, [replace(mirror(line), known=known, cause=cause) for line in stated])

    def _named(self, event: Recorded, key: str, kinds: Collection[str]) -> Recorded | None:
        """Return the named event when it is here and counts (a submission: may be accepted); else park this one."""
        named = self.standing.get(key)
        if named is None:
            self.parked[event.key] = Waits(key, "cancelled" if key in self.cancelled else "not_here")
        elif named.kind.id not in kinds:
            self.parked[event.key] = Waits(key, "wrong_kind")
        elif key in self.parked:
            self.parked[event.key] = self.parked[key]
        else:
            return named
        return None

    def _member(self, event: Recorded, named: Recorded) -> str:
        """Return whose event it is: the named event's member. Another one that this event says is flagged."""
        member = self.given[named.key][0][0] if named.key in self.given else str(named.member)
        if event.member not in (None, member):
            self.flags.append(Flag(event.key, "other_member"))
        return member

    @staticmethod
    def _own_acceptance(submission: Recorded, accepted_by: object) -> bool:
        staff = submission.observation.fields.get("staff")
        return staff is not None and staff == accepted_by

    # ---- lines

    def _lines(self, event: Recorded, known: Position, extra: Mapping[str, Scalar]) -> list[Contribution]:
        """Return one contribution a line; `extra` are fields that the engine adds."""
        said, kind = event.observation, event.kind
        day = self._day(said.occurred_at)
        shared: dict[str, Scalar] = {
            "month": f"{day.year:04d}-{day.month:02d}",
            "quarter": f"{day.year:04d}Q{(day.month + 2) // 3}",
            **_scalars(said.fields),
            **extra,
        }
        lines = said.fields.get("lines") if kind.lines else None
        made = []
        for number, line in enumerate(lines if isinstance(lines, tuple) else ({},)):
            fields = shared | _scalars(line)
            amount = whole(fields.get(kind.amount)) if kind.amount else 0
            if kind.amount:
                credit = whole(fields.setdefault("credit", 0))
                fields.setdefault("cash", amount - credit)
                fields.setdefault("list", amount)
            qty = whole(fields.get("qty", 1))
            made.append(
                Contribution(kind.id, f"{event.key}#{number}", said.occurred_at, known, kind.id, qty, amount, fields)
            )
        return made

    def _give(self, event: Recorded, member: str, lines: Iterable[Contribution]) -> None:
        self.given[event.key] = [(member, line) for line in lines]

    def _all_given(self) -> Iterator[tuple[str, Contribution]]:
        for given in self.given.values():
            yield from given

    def _day(self, instant: int) -> date:
        return moment(instant, self.zone).date()


_Wanted = Callable[[Kind], bool]


_position = attrgetter("position")

# Events of these kinds take effect whatever else is here; of a referral the purchase tells by itself.
_ALONE = frozenset(kind.id for kind in KINDS.values() if not any(name != "referral" for name, _ in kind.names))


def _scalars(fields: Mapping[str, object]) -> dict[str, Scalar]:
    """Return what a contribution keeps of an event's or a line's fields: numbers and text, never lists or notes."""
    return {
        name: int(value) if value is True or value is False else value
        for name, value in fields.items()
        if isinstance(value, (int, str)) and name not in _NOT_COPIED
    }
