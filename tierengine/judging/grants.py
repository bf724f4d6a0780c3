"""Amounts of rewards: ladders, classes, per amount, caps, exclusive groups; and what a return leaves of a grant.

Pure integer arithmetic on what the engine matched. No name of a tier or a reward is known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, TypeGuard

from rules.inputs import day_of, is_date
from rules.policy import Amount, Budget, ByClass, Cap, Filter, Fixed, Ladder, PerAmount, Policy, Reward, Rung
from rules.vocabulary import FIELDS
from tierengine.judging.budgets import TIMES, Admit, Share
from tierengine.judging.carry import Carry, Counted, changed
from tierengine.judging.decisions import Granted
from tierengine.judging.history import Contribution, Scalar
from tierengine.judging.states import linked_name
from tierengine.zone import Zone, period_key

_OTHERS: Final = tuple(field.id for field in FIELDS.values() if field.type == "member")  # whom an event names


@dataclass(frozen=True, slots=True)
class Occasion:
    """One event that may earn: its key, kind, instant, and its lines with the event's fields merged in."""

    key: str
    kind: str
    instant: int
    lines: tuple[Contribution, ...]
    fields: tuple[Mapping[str, Scalar], ...]


def told_apart(occasion: Occasion, attributes: Mapping[str, Scalar]) -> Occasion:
    """Return the occasion with what the member's links say of those whom it names: a referrer who is his wife.

    Judged here and not where the event is resolved, because a link is a dated word of its own that may come late.
    """
    fields = tuple(_related(line, attributes) for line in occasion.fields)
    return replace(occasion, fields=fields) if fields != occasion.fields else occasion


def _related(fields: Mapping[str, Scalar], attributes: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    for name in _OTHERS:
        other = fields.get(name)
        relation = attributes.get(linked_name(other)) if other else None
        if relation:
            return {**fields, "related": 1, "related_by": fields.get("related_by") or relation}
    return fields


@dataclass(frozen=True, slots=True)
class Offer:
    """What a matched reward would grant, before exclusive groups are settled."""

    reward: Reward
    granted: Granted
    order: int  # place in the file


def holds(test: Filter, value: Scalar) -> bool:
    """Tell whether a filter holds on a value; on an absent one none does."""
    if is_date(test.field):
        value = day_of(test.field, value)
    if value is None:
        return False
    want = test.value
    if test.op == "in":
        return isinstance(want, tuple) and value in want
    if test.op == "not_in":
        return isinstance(want, tuple) and value not in want
    if test.op == "is":
        return value == want
    if test.op == "is_not":
        return value != want
    if not isinstance(value, int) or not isinstance(want, int):
        return False
    return {
        "at_least": value >= want,
        "more_than": value > want,
        "at_most": value <= want,
        "less_than": value < want,
    }[test.op]


def plain_amount(amount: Amount, fields: Mapping[str, Scalar]) -> Fixed | PerAmount | Ladder:
    """Resolve an amount by class for an event with these fields."""
    return chosen_amount(amount, choose(amount, fields))


def choose(amount: Amount, fields: Mapping[str, Scalar]) -> str:
    """Return the place of the class of an event with these fields, such as "0" ("-": of none), "" without classes."""
    places: list[str] = []
    while isinstance(amount, ByClass):
        fitting = (
            place
            for place, (_, filters, _) in enumerate(amount.classes)
            if all(holds(test, fields.get(test.field)) for test in filters)
        )
        places.append(str(next(fitting, "-")))
        amount = _inner(amount, places[-1])
    return "/".join(places)


def chosen_amount(amount: Amount, chosen: str) -> Fixed | PerAmount | Ladder:
    """Return the amount that `choose` chose."""
    places = iter(chosen.split("/"))
    while isinstance(amount, ByClass):
        amount = _inner(amount, next(places))
    return amount


def _inner(amount: ByClass, place: str) -> Amount:
    return amount.otherwise if place == "-" else amount.classes[int(place)][2]


def base_field(amount: Fixed | PerAmount | Ladder) -> str:
    """Return the line field that makes the base of a per-amount reward, else ""."""
    return amount.base if isinstance(amount, PerAmount) else ""


def value_of(amount: Fixed | PerAmount | Ladder, nth: int, base: int) -> int:
    """Return what the `nth` occurrence with this base earns, before caps over several events."""
    if isinstance(amount, Fixed):
        return amount.amount
    if isinstance(amount, Ladder):
        return _rung(amount, nth)
    value = _per(amount, base - amount.above)
    return value if amount.cap is None else min(value, amount.cap)


def value_of_lines(amount: Fixed | PerAmount | Ladder, nth: int, bases: Sequence[int]) -> int:
    """Return what lines with these bases earn together: rounded once, or line by line where the policy says so."""
    if not per_line(amount):
        return value_of(amount, nth, sum(bases))
    value = sum(_per(amount, base) for base in bases)
    return value if amount.cap is None else min(value, amount.cap)


def per_line(amount: Fixed | PerAmount | Ladder) -> TypeGuard[PerAmount]:
    """Whether an amount is rounded for each line by itself."""
    return isinstance(amount, PerAmount) and amount.rounded_per == "line"


def _per(amount: PerAmount, base: int) -> int:
    if base <= 0:
        return 0
    if amount.rounding == "half_up":
        return (2 * base * amount.give + amount.each) // (2 * amount.each)
    if amount.proportional:
        return base * amount.give // amount.each
    return base // amount.each * amount.give


def _rung(ladder: Ladder, nth: int) -> int:
    every = max((rung for rung in ladder.rungs if rung.every and nth % rung.every == 0), default=None, key=_width)
    if every is not None:
        return every.amount
    for rung in ladder.rungs:
        if not rung.every and rung.first <= nth and (rung.last is None or nth <= rung.last):
            return rung.amount
    return 0


def _width(rung: Rung) -> int:
    return rung.every


def base_of(amount: Fixed | PerAmount | Ladder, line: Contribution) -> int:
    """Return what a line adds to the base of an amount."""
    paid = measure(line, "credit") if isinstance(amount, PerAmount) and amount.less_credit else 0
    return measure(line, base_field(amount)) - paid


def measure(line: Contribution, field: str) -> int:
    """Return a number of a line: its amount, or a numeric field."""
    if field in ("", "amount"):
        return line.amount
    value = line.fields.get(field)
    return value if isinstance(value, int) else 0


class Rewards:
    """The rewards of one policy version in one time zone."""

    __slots__ = ("_budgets", "_lanes", "_order", "_policy", "_zone")

    def __init__(self, policy: Policy, zone: Zone) -> None:
        self._policy = policy
        self._zone = zone
        self._order = {rule: place for place, rule in enumerate(policy.rewards)}
        self._budgets: dict[str, list[Budget]] = {}
        for budget in policy.budgets.values():
            for rule in budget.rewards:
                self._budgets.setdefault(rule, []).append(budget)
        self._lanes = {lane: place for place, lane in enumerate(("", *policy.lanes))}

    def grant(
        self,
        carry: Carry,
        occasion: Occasion,
        matched: Mapping[str, Sequence[int]],
        version_id: int,
        *,
        firm: str = "",
        admit: Admit | None = None,
    ) -> tuple[Carry, list[Granted]]:
        """Return what the matched rewards grant, and the carry after it.

        matched  reward → places of its lines
        firm     the one that the member names, for caps over its accounts
        admit    tells what budgets over several members admit; None: they admit everything
        """
        counted: dict[str, Counted] = {}
        granted: list[Granted] = []
        for lane in self._in_lanes(matched):
            offers: list[Offer] = []
            for reward, places in lane:
                day = self._day(reward, occasion, places[0])
                if reward.counting == "all" and self._open(reward, occasion, places):
                    key = self._counted(reward, day, occasion, places[0])
                    carry = replace(carry, counts=changed(carry.counts, key, carry.counts.get(key, 0) + 1))
                    if reward.return_frees:
                        lines = [occasion.lines[place] for place in places]
                        quantity = sum(line.qty for line in lines)
                        counted[reward.id] = Counted(key, tuple(line.line for line in lines), quantity)
                offer = self._offer(carry, reward, occasion, places, day, version_id, firm)
                if offer is not None:
                    offers.append(offer)
            for found in self._competed(_settled(offers)):
                offer = self._admitted(found, occasion, firm, admit)
                granted.append(offer.granted)
                if offer.granted.judged:
                    carry = self._book(carry, offer)
                    counted.pop(offer.reward.id, None)
        if counted:
            carry = replace(carry, counted={**carry.counted, occasion.key: counted})
        return carry, granted

    def _in_lanes(self, matched: Mapping[str, Sequence[int]]) -> list[list[tuple[Reward, Sequence[int]]]]:
        """Return the matched rewards lane by lane: first those in none, then each lane in the order of the file."""
        lanes: dict[str, list[tuple[Reward, Sequence[int]]]] = {}
        for rule, places in matched.items():
            reward = self._policy.rewards.get(rule)
            if reward is not None and places:
                lanes.setdefault(reward.lane, []).append((reward, places))
        return [lanes[lane] for lane in sorted(lanes, key=lambda lane: self._lanes.get(lane, 0))]

    def _competed(self, offers: list[Offer]) -> list[Offer]:
        """Keep the one offer that its lane gives; offers in no lane do not compete."""
        lane = self._policy.lanes.get(offers[0].reward.lane) if offers else None
        if lane is None:
            return offers
        by_value = lane.compete == "best"
        return [min(offers, key=lambda one: _order_of(one, one.reward.priority, by_value=by_value))]

    def _counted(self, reward: Reward, day: date, occasion: Occasion, place: int) -> str:
        """Return the key under which occurrences are counted."""
        by = f"|{occasion.fields[place].get(reward.count_by)}" if reward.count_by else ""
        return f"{reward.id}|{self._period(reward, day, occasion)}{by}"

    def _day(self, reward: Reward, occasion: Occasion, place: int) -> date:
        """Return the local day by which the occurrence counts."""
        value = occasion.fields[place].get(reward.counted_on) if reward.counted_on else None
        return date.fromisoformat(value) if isinstance(value, str) else self._zone.local_date(occasion.instant)

    def _period(self, reward: Reward, day: date, occasion: Occasion) -> str:
        return occasion.key if reward.period == "event" else period_key(reward.period, day)

    def _open(self, reward: Reward, occasion: Occasion, places: Sequence[int]) -> bool:
        """Tell whether the event is inside the reward's dates and weekdays and above its minimum."""
        today = self._zone.local_date(occasion.instant)
        if reward.valid_from is not None and today < reward.valid_from:
            return False
        if reward.valid_until is not None and today > reward.valid_until:
            return False
        if reward.weekdays and today.weekday() not in reward.weekdays:
            return False
        lines = [occasion.lines[place] for place in places]
        return (
            sum(line.amount for line in lines) >= reward.minimum_spend
            and sum(line.qty for line in lines) >= reward.minimum_quantity
        )

    def _offer(
        self,
        carry: Carry,
        reward: Reward,
        occasion: Occasion,
        places: Sequence[int],
        day: date,
        version_id: int,
        firm: str,
    ) -> Offer | None:
        if not self._open(reward, occasion, places):
            return None
        fields = occasion.fields[places[0]]
        lines = [occasion.lines[place] for place in places]
        counted = self._counted(reward, day, occasion, places[0])
        nth = carry.counts.get(counted, 0) + (1 if reward.counting == "granted" else 0)
        chosen = choose(reward.amount, fields)
        amount = chosen_amount(reward.amount, chosen)
        bases = tuple([base_of(amount, line) for line in lines])
        base, value = sum(bases), value_of_lines(amount, nth, bases)
        limits = [(_cap_key(reward, cap, day, occasion), cap.limit) for cap in reward.caps]
        limits += [(key, limit) for key, limit, crosses in self._budgets_of(reward, day, firm) if not crosses]
        rooms = [(key, limit - carry.caps.get(key, 0)) for key, limit in limits]
        caps = tuple(key for key, _ in rooms)
        room = min((left for key, left in rooms if not key.endswith(TIMES)), default=None)
        if room is not None:
            value = min(value, room)
        if value <= 0 or any(key.endswith(TIMES) and left <= 0 for key, left in rooms):
            return None
        taken = exclusive_key(reward, occasion, fields)
        if taken and taken in carry.taken:
            return None
        usable = occasion.instant
        if reward.settle_days:
            usable = self._zone.start_of(self._zone.local_date(occasion.instant) + timedelta(days=reward.settle_days))
        expiry = reward.expires or self._policy.wallets[reward.wallet].expires
        sold = sum(line.amount for line in lines)
        quantity = sum(line.qty for line in lines)
        granted = Granted(
            event_key=occasion.key,
            rule=reward.id,
            wallet=reward.wallet,
            judged=value,
            wanted=value,
            usable_from=usable,
            expires_at=self._zone.expiry(expiry, occasion.instant),
            version_id=version_id,
            nth=nth,
            counted=counted,
            caps=caps,
            room=room,
            taken=taken,
            lines=tuple(line.line for line in lines),
            sold=sold,
            left=sold,
            quantity=quantity,
            left_quantity=quantity,
            base=base,
            left_base=base,
            left_bases=bases if per_line(amount) else (),
            chosen=chosen,
        )
        return Offer(reward, granted, self._order[reward.id])

    def _budgets_of(self, reward: Reward, day: date, firm: str) -> list[tuple[str, int, bool]]:
        """Return key and limit of each budget of a reward, and whether others draw on it too."""
        found = []
        for budget in self._budgets.get(reward.id, ()):
            # Who names no firm is one by himself.
            crosses = budget.scope == "programme" or (budget.scope == "firm" and bool(firm))
            whose = firm if budget.scope == "firm" else ""
            key = f"={budget.id}|{whose}|{period_key(budget.period, day)}{TIMES if budget.times else ''}"
            found.append((key, budget.limit, crosses))
        return found

    def _admitted(self, offer: Offer, occasion: Occasion, firm: str, admit: Admit | None) -> Offer:
        """Return the offer as far as the budgets admit it; of one that they refuse the decision is kept, at 0."""
        reward, granted = offer.reward, offer.granted
        if reward.id not in self._budgets:
            return offer
        place = next(place for place, line in enumerate(occasion.lines) if line.line == granted.lines[0])
        day = self._day(reward, occasion, place)
        shares = [Share(key, limit) for key, limit, crosses in self._budgets_of(reward, day, firm) if crosses]
        if not shares:
            return offer
        value = granted.judged if admit is None else admit((granted.event_key, reward.id), shares, granted.judged)
        keys = tuple(one.key for one in shares)
        granted = replace(granted, judged=value, wanted=value, budgets=keys, admitted=value)
        if value:
            room = value if granted.room is None else min(granted.room, value)
            return replace(offer, granted=replace(granted, room=room))
        return replace(offer, granted=replace(granted, counted="", caps=(), taken="", room=0))

    def _book(self, carry: Carry, offer: Offer) -> Carry:
        granted = offer.granted
        counts, caps, taken = carry.counts, carry.caps, carry.taken
        if offer.reward.counting == "granted":
            counts = changed(counts, granted.counted, counts.get(granted.counted, 0) + 1)
        for key in granted.caps:
            caps = changed(caps, key, caps.get(key, 0) + (1 if key.endswith(TIMES) else granted.judged))
        if granted.taken:
            taken = changed(taken, granted.taken, granted.rule)
        return replace(carry, counts=counts, caps=caps, taken=taken)

    # ---- returns ----

    def take_back(self, carry: Carry, granted: Granted, lines: Sequence[Contribution]) -> tuple[Carry, Granted]:
        """Return what a return of these (negative) lines leaves of a grant, and the carry after it.

        Pro rata of the value left, floored (of the quantity, where nothing was paid); or the amount judged again on
        what is left, with the same carry and class. A whole return leaves nothing, frees its rung, its cap and its key.
        """
        mine = [line for line in lines if line.line in granted.lines]
        if not mine:
            return carry, granted
        reward = self._policy.rewards.get(granted.rule)
        left = max(granted.left + sum(line.amount for line in mine), 0)
        left_quantity = max(granted.left_quantity + sum(line.qty for line in mine), 0)
        left_base, left_bases = granted.left_base, granted.left_bases
        wanted = 0
        if left_quantity:
            amount = chosen_amount(reward.amount, granted.chosen) if reward is not None else None
            if amount is not None:
                left_base = max(granted.left_base + sum(base_of(amount, line) for line in mine), 0)
                left_bases = tuple(
                    max(left + sum(base_of(amount, line) for line in mine if line.line == name), 0)
                    for name, left in zip(granted.lines, left_bases, strict=False)
                )
            if reward is not None and amount is not None and reward.returns == "rejudge":
                enough = left >= reward.minimum_spend and left_quantity >= reward.minimum_quantity
                wanted = value_of_lines(amount, granted.nth, left_bases or (left_base,)) if enough else 0
                wanted = wanted if granted.room is None else min(wanted, granted.room)
            elif granted.sold > 0:
                wanted = granted.judged * left // granted.sold
            else:
                wanted = granted.judged * left_quantity // granted.quantity
        wanted = min(wanted, granted.wanted)  # a return never gives more
        whole = left_quantity == 0
        frees = reward is None or reward.return_frees
        counts, caps, taken = carry.counts, carry.caps, carry.taken
        for key in granted.caps if frees else ():
            less = (1 if whole and granted.counted else 0) if key.endswith(TIMES) else granted.wanted - wanted
            caps = changed(caps, key, max(caps.get(key, 0) - less, 0) or None)
        counted, key = granted.counted, granted.taken
        if whole:
            if counted and frees:
                counts = changed(counts, counted, max(counts.get(counted, 0) - 1, 0) or None)
            if key and frees and taken.get(key) == granted.rule:
                taken = changed(taken, key, None)
            counted, key = "", ""
        rest = replace(
            granted,
            wanted=wanted,
            counted=counted,
            taken=key,
            left=left,
            left_quantity=left_quantity,
            left_base=left_base,
            left_bases=left_bases,
        )
        return replace(carry, counts=counts, caps=caps, taken=taken), rest


def uncount(carry: Carry, event_key: str, lines: Sequence[Contribution]) -> Carry:
    """Return the carry after a return of these (negative) lines of an event that rules count without a grant."""
    rules = carry.counted.get(event_key)
    if rules is None:
        return carry
    counts, left = carry.counts, {}
    for rule, one in rules.items():
        rest = one.left + sum(line.qty for line in lines if line.line in one.lines)
        if rest > 0:
            left[rule] = replace(one, left=rest)
        else:
            counts = changed(counts, one.key, max(counts.get(one.key, 0) - 1, 0) or None)
    return replace(carry, counts=counts, counted=changed(carry.counted, event_key, left or None))


def _settled(offers: Sequence[Offer]) -> list[Offer]:
    """Keep one offer a used-up key: the highest, then the lowest priority number, then the first in the file."""
    best: dict[str, Offer] = {}
    for offer in offers:
        key = offer.granted.taken
        rival = best.get(key) if key else None
        if rival is None or _rank(offer) < _rank(rival):
            best[key or f"|{offer.reward.id}"] = offer
    return sorted(best.values(), key=lambda offer: offer.order)


def _rank(offer: Offer) -> tuple[int, int, int]:
    exclusive = offer.reward.exclusive
    if exclusive is None:
        return _order_of(offer, 0, by_value=True)
    return _order_of(offer, exclusive.priority, by_value=exclusive.compete == "best")


def _order_of(offer: Offer, priority: int, *, by_value: bool) -> tuple[int, int, int]:
    value = -offer.granted.judged
    return (value, priority, offer.order) if by_value else (priority, value, offer.order)


def _cap_key(reward: Reward, cap: Cap, day: date, occasion: Occasion) -> str:
    period = occasion.key if cap.period == "event" else period_key(cap.period, day)
    return f"{reward.id}|{cap.period}|{period}{TIMES if cap.times else ''}"


def exclusive_key(reward: Reward, occasion: Occasion, fields: Mapping[str, Scalar]) -> str:
    """Return the key that the reward would use up in its group, "" where nothing says what is the same."""
    if reward.exclusive is None:
        return ""
    name = reward.exclusive.key
    value = occasion.key if name == "event" else "" if name == "beneficiary" else fields.get(name)
    return "" if value is None else f"{reward.exclusive.group}|{value}"
