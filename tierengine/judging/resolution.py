"""From observations to contributions: a pure function of what was said, whatever the order in which it came.

Of each key the highest revision counts, and a cancelled one gives nothing. What names another event waits, parked,
until that one is here. Every event that takes effect makes at least one contribution: that is its evaluation point.

A return, an acceptance or a withdrawal dated before what it is about takes the place just after that: the key of its
position is then the named event's key, `history.AFTER` and its own key (`cause_key` tells which event it was), so that
two of them still have two places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Literal

import orjson

from rules.vocabulary import FIELDS, KINDS, SUBMITTED, Kind
from tierengine.judging.history import AFTER, Contribution, Observation, Position, Scalar, Step
from tierengine.judging.observations import CANCELLED

Cancels = Callable[[int], bool]
Reason = Literal["not_here", "cancelled", "wrong_kind", "no_member"]

# What a return takes back in proportion. Other numbers (a flag, a year, days from referral to purchase) describe the
# line: a filter must find them on the negative row as it found them on the sale.
MEASURES = frozenset({name for name, item in FIELDS.items() if item.type == "money"} | {"qty", "days"})
# What a settled purchase takes from the purchase that it settles, whatever it says itself.
_FROM_PURCHASE = frozenset(KINDS["machine_purchase"].fields) - {"order", "amount", "margin", "month", "quarter"}
# What a step of a repair takes from its request: credit for a late arrival depends on it.
_FROM_REQUEST = frozenset({"serial", "severity", "distance_km", "down"})
_MINUTE = 60_000_000
_RETURNS = {"machine_returned": frozenset({"machine_purchase", "purchase_settled"}), "sale_returned": frozenset(KINDS)}
_NOT_COPIED = frozenset({"note", "source_id", "status"})
_PIECES = "#"  # among the measures of a piece, how many pieces it is: the name of no field
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An observation with the member it was recorded for (None: the event it names will tell)."""

    observation: Observation
    member: str | None
    event_id: int = 0

    @property
    def key(self) -> str:
        """The event's key."""
        return self.observation.key

    @property
    def kind(self) -> Kind:
        """The kind's line in the vocabulary."""
        return KINDS[self.observation.kind]

    @property
    def position(self) -> Position:
        """Its own place in the history of its member."""
        return (self.observation.occurred_at, self.kind.class_, self.key)


@dataclass(frozen=True, slots=True)
class Waits:
    """What a parked event waits for: an event key, or an order's cluster key."""

    key: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a person should look at; `key` is the event's. It changes nothing by itself.

    beyond_sold              a return of more than was left of the sale
    other_member             it names another member than the event it is about
    serial_differs           a machine came back under another serial number than it was sold under
    accepted_by_receiver     who received a submission accepted it himself: not counted
    already_accepted, already_withdrawn   the first one counts
    referral_cancelled, referral_after_purchase   the purchase counts, without a referrer
    """

    key: str
    code: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """What stands. `contributions` has every key that was asked for, with () where it gives nothing.

    The key is that of the event that made them known (a return's own), not of the line they are about.
    """

    contributions: Mapping[str, tuple[tuple[str, Contribution], ...]]
    parked: Mapping[str, Waits]
    flags: tuple[Flag, ...]


def outside_keys(observation: Observation) -> tuple[str, ...]:
    """Return the keys of events outside its cluster that the observation needs (`resolve` takes them in `outside`)."""
    referral = observation.fields.get("referral") if observation.kind == "machine_purchase" else None
    return (referral,) if isinstance(referral, str) else ()


def cause_key(position: Position) -> str:
    """Return the key of the event that stands at a position, also where it took the place just after another one."""
    return position[2].rpartition(AFTER)[2]


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
class _Left:
    """What is left of a line of a sale."""

    member: str
    sold: Contribution
    qty: int
    measures: dict[str, int]


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
        for event in self._events(lambda kind: not any(name != "referral" for name, _ in kind.names)):
            self._stands(event)
        for event in self._events(lambda kind: kind.id in ("purchase_settled", "repair_step", "complaint_step")):
            self._about(event)
        for event in self._events(lambda kind: kind.id == "submission_accepted"):
            self._accept(event)
        for event in self._events(lambda kind: kind.id == "attestation_withdrawn"):
            self._withdraw(event)
        left: dict[str, _Left] = {}
        for event in self._events(lambda kind: kind.id in _RETURNS):
            self._take_back(event, left)
        self._cancel(left)

    def _events(self, wanted: _Wanted) -> list[Recorded]:
        """Return the standing events of the wanted kinds in the order of their positions."""
        return sorted((event for event in self.standing.values() if wanted(event.kind)), key=lambda e: e.position)

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
        """A submission waits, and counts as that, until another than who received it has accepted it."""
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
        """Return what the engine knows of a purchase besides its words; None: parked until its referral is here."""
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
        """A settlement or a step: it counts by itself once the event that it names is here."""
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
        named = self._named(event, str(said["accepts"]), _kinds_named(event))
        if named is None:
            return
        member = self._member(event, named)
        if self._own_acceptance(named, said["accepted_by"]):
            self.flags.append(Flag(event.key, "accepted_by_receiver"))
        elif any(line.event_key == named.key and line.kind == named.kind.id for _, line in self._all_given()):
            self.flags.append(Flag(event.key, "already_accepted"))
        else:
            # Whether a tip proved true is for who accepts it to say, never for who hands it in.
            told: dict[str, Scalar] = {"accepted_by": str(said["accepted_by"]), "proved": _whole(said.get("proved"))}
            extra = {name: value for name, value in told.items() if name in named.kind.fields}
            known, cause = _after(event, named), event.observation.kind
            # It waits no more: what it counted as until now is taken off.
            waited = [_mirror(line) for _, line in self.given.get(named.key, ())]
            lines = [*self._lines(named, known, extra), *waited]
            self._give(event, member, [replace(line, known=known, cause=cause) for line in lines])

    def _withdraw(self, event: Recorded) -> None:
        named = self._named(event, str(event.observation.fields["attestation"]), _kinds_named(event))
        if named is None:
            return
        member = self._member(event, named)
        stated = [line for _, line in self.given[named.key]]
        if any(line.event_key == named.key and line.qty < 0 for _, line in self._all_given()):
            self.flags.append(Flag(event.key, "already_withdrawn"))
            return
        known, cause = _after(event, named), event.observation.kind
        self._give(event, member, [replace(_mirror(line), known=known, cause=cause) for line in stated])

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
        """Whose it is: the named event's member, whatever this one says."""
        member = self.given[named.key][0][0] if named.key in self.given else str(named.member)
        if event.member not in (None, member):
            self.flags.append(Flag(event.key, "other_member"))
        return member

    @staticmethod
    def _own_acceptance(submission: Recorded, accepted_by: object) -> bool:
        staff = submission.observation.fields.get("staff")
        return staff is not None and staff == accepted_by

    # ---- returns

    def _take_back(self, event: Recorded, left: dict[str, _Left]) -> None:
        said = event.observation
        named_kinds, kinds = _kinds_named(event), _RETURNS[said.kind]
        keys = [f"{said.cluster}:{kind}" for kind in sorted(KINDS) if kind in kinds and KINDS[kind].by_order]
        sold = [key for key in keys if key in self.given]
        if not any(self.standing[key].kind.id in named_kinds for key in sold):
            self.parked[event.key] = self._no_sale(event, keys)
            return
        lines = []
        for member, line in (given for key in sold for given in self.given[key]):
            lines.append(left.setdefault(line.line, _Left(member, line, line.qty, _measures(line))))
        self._compare(event, lines)
        taken: dict[str, Counter[str]] = {}
        wanted = said.fields.get("lines") or ({},)
        for asked in wanted if isinstance(wanted, tuple) else ():
            if not self._take(asked, lines, taken):
                self.flags.append(Flag(event.key, "beyond_sold"))
        for name, measures in taken.items():
            sale = left[name]
            known = _after(event, self.standing[sale.sold.event_key])
            back = _negative(sale.sold, measures, known, said.kind)
            self.given.setdefault(event.key, []).append((sale.member, back))

    def _cancel(self, left: Mapping[str, _Left]) -> None:
        """Move what takes back a whole order to just after it was sold, where such a return is a cancellation.

        Whatever comes later then finds the order gone, and nothing was ever decided on it in between.
        """
        if self.cancels is None:
            return
        open_ = {line.sold.event_key.rpartition(":")[0] for line in left.values() if line.qty > 0}
        back: dict[str, list[Recorded]] = {}
        for event in self._events(lambda kind: kind.id in _RETURNS):
            if event.key in self.given:
                back.setdefault(event.observation.cluster, []).append(event)
        for cluster, events in back.items():
            if cluster in open_ or not self.cancels(max(event.position for event in events)[0]):
                continue
            for event in events:
                self.given[event.key] = [
                    (member, replace(line, known=_just_after(event, self.standing[line.event_key])))
                    for member, line in self.given[event.key]
                ]

    def _compare(self, event: Recorded, lines: Sequence[_Left]) -> None:
        """Flag a return that says another member or serial number than its sale; the order's number is what counts."""
        serial = event.observation.fields.get("serial")
        if serial is not None and all(line.sold.fields.get("serial") not in (None, serial) for line in lines):
            self.flags.append(Flag(event.key, "serial_differs"))
        if event.member is not None and any(event.member != line.member for line in lines):
            self.flags.append(Flag(event.key, "other_member"))

    @staticmethod
    def _take(asked: Mapping[str, Scalar], lines: list[_Left], taken: dict[str, Counter[str]]) -> bool:
        """Take what one line of a return asks for; False when not all of it was left to take."""
        where = [(name, asked[name]) for name in ("item", "category") if name in asked]
        matching = [line for line in lines if line.qty > 0 and all(line.sold.fields.get(k) == v for k, v in where)]
        there = sum(line.qty for line in matching)
        qty = asked.get("qty", there)
        wanted = _whole(qty)
        short, todo, stated = wanted > there or not there, min(wanted, there), asked.get("amount")
        for line in matching:
            if not todo:
                break
            part = min(todo, line.qty)
            # A stated amount is spread over the pieces by quantity; the last one takes what is left of it.
            money = None if not isinstance(stated, int) else stated * part // todo
            stated = None if money is None or not isinstance(stated, int) else stated - money
            todo -= part
            piece = _piece(line, part, money)
            mine = taken.setdefault(line.sold.line, Counter())
            mine.update({**piece, _PIECES: part})
            for name, value in piece.items():
                line.measures[name] -= value
            line.qty -= part
        return not short

    def _no_sale(self, event: Recorded, keys: Sequence[str]) -> Waits:
        """Say what a return waits for: what its sale waits for, or the sale."""
        waiting = [self.parked[key] for key in keys if key in self.parked]
        if waiting:
            return waiting[0]
        cluster, kinds = event.observation.cluster, _kinds_named(event)
        key = f"{cluster}:{kinds[0]}" if len(kinds) == 1 else cluster
        gone = any(f"{cluster}:{kind}" in self.cancelled for kind in kinds)
        return Waits(key, "cancelled" if gone else "not_here")

    # ---- lines

    def _lines(self, event: Recorded, known: Position, extra: Mapping[str, Scalar]) -> list[Contribution]:
        """Return one contribution a line; `extra` is what the engine knows of the event besides its words."""
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
            amount = _whole(fields.get(kind.amount)) if kind.amount else 0
            if kind.amount:
                credit = _whole(fields.setdefault("credit", 0))
                fields.setdefault("cash", amount - credit)
                fields.setdefault("list", amount)
            qty = _whole(fields.get("qty", 1))
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
        return (_EPOCH + timedelta(microseconds=instant)).astimezone(self.zone).date()


def difference(stored: Sequence[Contribution], wanted: Sequence[Contribution]) -> tuple[Contribution, ...]:
    """Return the rows to insert so that what is stored nets to what is wanted; nothing is ever edited.

    A retraction is the row that it takes back with quantity, amount and measures negated, so that whoever sums the raw
    rows is right too, and all else the same: also `known`, for what was never so was not so at any position.
    """
    have, want = _balance(stored), _balance(wanted)
    rows = []
    for key in sorted(have.keys() | want.keys()):
        example = (want.get(key) or have[key])[0]
        change = want.get(key, (example, 0))[1] - have.get(key, (example, 0))[1]
        rows += [example if change > 0 else _mirror(example)] * abs(change)
    return tuple(rows)


def net(rows: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Return the rows that stand: each retraction takes one row that it mirrors with it."""
    groups: dict[tuple[str, Position], list[Contribution]] = {}
    for row in rows:
        groups.setdefault((row.line, row.known), []).append(row)
    stand = []
    for group in groups.values():
        if len(group) == 1:  # nearly always: nothing was ever corrected
            stand += group
            continue
        for _, (example, count) in sorted(_balance(group).items()):
            stand += [example if count > 0 else _mirror(example)] * abs(count)
    return tuple(stand)


def steps(rows: Iterable[Contribution]) -> tuple[Step, ...]:
    """Return the evaluation points of the rows of one member, in order."""
    standing = sorted(net(rows), key=lambda row: (row.known, row.line))
    return tuple(
        Step(position, lines[0].cause, lines)
        for position, group in groupby(standing, key=lambda row: row.known)
        for lines in (tuple(group),)
    )


_Wanted = Callable[[Kind], bool]
_Row = tuple[Position, str, int, str, str, bytes, int, int]


def _balance(rows: Iterable[Contribution]) -> dict[_Row, tuple[Contribution, int]]:
    """Count each distinct row less its mirror images, oriented so that a row and its mirror fall together."""
    counts: Counter[_Row] = Counter()
    examples: dict[_Row, Contribution] = {}
    for row in rows:
        upright = max(row, _mirror(row), key=lambda one: (one.qty, one.amount))
        fields = orjson.dumps(upright.fields, option=orjson.OPT_SORT_KEYS)
        key = (row.known, row.line, row.at, row.kind, row.cause, fields, upright.qty, upright.amount)
        examples[key] = upright
        counts[key] += 1 if (row.qty, row.amount) == (upright.qty, upright.amount) else -1
    return {key: (examples[key], count) for key, count in counts.items() if count}


def _mirror(row: Contribution) -> Contribution:
    fields = {name: -_whole(value) if name in MEASURES else value for name, value in row.fields.items()}
    return replace(row, qty=-row.qty, amount=-row.amount, fields=fields)


def _after(event: Recorded, named: Recorded) -> Position:
    """Return the event's position, but never one before what it is about."""
    if event.position > named.position:
        return event.position
    return _just_after(event, named)


def _just_after(event: Recorded, named: Recorded) -> Position:
    """Return the place that follows the named event's own at once."""
    instant, class_, key = named.position
    return (instant, class_, f"{key}{AFTER}{event.key}")


def _kinds_named(event: Recorded) -> tuple[str, ...]:
    return event.kind.names[0][1]


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _scalars(fields: Mapping[str, object]) -> dict[str, Scalar]:
    """Return what a contribution keeps of an event's or a line's fields: numbers and text, never lists or notes."""
    return {
        name: int(value) if isinstance(value, bool) else value
        for name, value in fields.items()
        if isinstance(value, (int, str)) and name not in _NOT_COPIED
    }


def _measures(line: Contribution) -> dict[str, int]:
    return {name: value for name, value in line.fields.items() if name in MEASURES and isinstance(value, int)}


def _piece(line: _Left, part: int, stated: int | None) -> dict[str, int]:
    """Return what `part` of the quantity takes of each measure: floored shares, and the last piece all that is left."""
    if part == line.qty:
        return dict(line.measures)
    sold, left = line.sold, line.measures
    piece = {name: _whole(sold.fields[name]) * part // sold.qty for name in left}
    if stated is not None:
        piece["amount"] = stated
    piece = {name: min(value, left[name]) for name, value in piece.items()}
    if left["cash"] + left["credit"] == left["amount"]:  # what came back was paid by the one or by the other
        piece["cash"] = min(max(piece["amount"] - piece["credit"], 0), left["cash"])
        piece["credit"] = piece["amount"] - piece["cash"]
    return piece


def _negative(sold: Contribution, measures: Mapping[str, int], known: Position, cause: str) -> Contribution:
    """Return the row that takes the measures off a line of a sale, counted at the sale's own date."""
    fields = {**sold.fields, **{name: -value for name, value in measures.items() if name in sold.fields}}
    return replace(sold, known=known, cause=cause, fields=fields, qty=-measures[_PIECES], amount=-measures["amount"])
