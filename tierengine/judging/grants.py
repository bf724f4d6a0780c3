"""What the matched rewards of one policy version grant: lanes, dates and minimums, caps and budgets, exclusive groups.

Pure integer arithmetic on what the engine matched. No name of a tier or a reward is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from rules.policy import Budget, Cap, Fixed, Ladder, PerAmount, Period, Policy, Reward
from tierengine.judging.amounts import base_of, choose, chosen_amount, per_line, value_of_lines
from tierengine.judging.budgets import TIMES, Admit, Share
from tierengine.judging.carry import Carry, Counted, changed
from tierengine.judging.decisions import Granted
from tierengine.judging.history import Scalar
from tierengine.judging.occasions import Occasion
from tierengine.judging.offers import Offer, order_of, settled
from tierengine.zone import Zone, period_key


class Limit(NamedTuple):
    """What a reward of one member may give at most in one period: a cap, or a budget (its id). `times`: so many grants.

    window  the period, as zone.period_key says it, "" for ever and of one event
    """

    most: int
    used: int
    period: str
    window: str
    times: bool
    budget: str = ""


class Worth(NamedTuple):
    """What an event would earn by a reward before limits, and by what that was worked out; `bases` line by line."""

    value: int
    amount: Fixed | PerAmount | Ladder
    nth: int
    bases: tuple[int, ...]
    limits: tuple[Limit, ...]


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
        reads: Callable[[Iterable[str]], None] | None = None,
    ) -> tuple[Carry, list[Granted]]:
        """Return what the matched rewards grant, and the carry after it.

        matched  reward → places of its lines
        firm     the one that the member names, for caps over its accounts
        admit    tells what budgets over several members admit; None: they admit everything
        reads    is told what of the carry decides, as trail.Stretch says it
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
                offer = self._offer(carry, reward, occasion, places, day, version_id, firm, reads)
                if offer is not None:
                    offers.append(offer)
            for found in self._competed(settled(offers)):
                offer = self._admitted(found, occasion, firm, admit)
                granted.append(offer.granted)
                if offer.granted.judged:
                    carry = self._book(carry, offer)
                    counted.pop(offer.reward.id, None)
        if counted:
            carry = replace(carry, counted={**carry.counted, occasion.key: counted})
        return carry, granted

    def worth(self, carry: Carry, reward: Reward, occasion: Occasion, places: Sequence[int], firm: str = "") -> Worth:
        """Return what a reward that gave this event nothing would have been worth; `carry` is the one after it."""
        fields, day = occasion.fields[places[0]], self._day(reward, occasion, places[0])
        amount = chosen_amount(reward.amount, choose(reward.amount, fields))
        nth = carry.counts.get(self._counted(reward, day, occasion, places[0]), 0) + (reward.counting == "granted")
        bases = tuple(base_of(amount, occasion.lines[place]) for place in places)
        limits = [
            Limit(cap.limit, carry.caps.get(_cap_key(reward, cap, day, occasion), 0), cap.period,
                  _window(cap.period, day), cap.times)
            for cap in reward.caps
        ]  # fmt: skip
        shared = {key for key, _, crosses in self._budgets_of(reward, day, firm) if not crosses}
        limits += [one for key, one in self.pots(reward, day, firm, carry.caps).items() if key in shared]
        return Worth(value_of_lines(amount, nth, bases), amount, nth, bases, tuple(limits))

    def pots(self, reward: Reward, day: date, firm: str, used: Mapping[str, int]) -> dict[str, Limit]:
        """Return the budgets of a reward by their keys, given what of each was used."""
        keys = (key for key, _, _ in self._budgets_of(reward, day, firm))
        return {
            key: Limit(one.limit, used.get(key, 0), one.period, _window(one.period, day), one.times, one.id)
            for key, one in zip(keys, self._budgets.get(reward.id, ()), strict=True)
        }

    def day(self, reward: Reward, occasion: Occasion) -> date:
        """Return the local day by which an occurrence counts."""
        return self._day(reward, occasion, 0)

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
        return [min(offers, key=lambda one: order_of(one, one.reward.priority, by_value=by_value))]

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
        reads: Callable[[Iterable[str]], None] | None,
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
        taken = exclusive_key(reward, occasion, fields)
        laddered = isinstance(amount, Ladder)
        if reads is not None and (laddered or caps or taken):
            reads((*(f"c{key}" for key in caps), f"t{taken}", *((f"n{counted}",) if laddered else ())))
        room = min((left for key, left in rooms if not key.endswith(TIMES)), default=None)
        if room is not None:
            value = min(value, room)
        if value <= 0 or any(key.endswith(TIMES) and left <= 0 for key, left in rooms):
            return None
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
            nth=nth if laddered else 0,
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


def _window(period: Period, day: date) -> str:
    return "" if period in ("life", "event") else period_key(period, day)


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
