"""Rewards that are never granted: another one of their exclusive group takes the key whenever they could."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf
from typing import Final

from rules.conditions import unmarked
from rules.desk import Desk
from rules.policy import Amount, ByClass, Condition, Exclusive, Fixed, Ladder, PerAmount, Policy, Reward
from rules.vocabulary import KINDS

FEW: Final = 20
"""So many of those that ask the same are compared with each, the strongest: a long file must be read quickly."""

_WHOLE: Final = ("event", "beneficiary")  # keys that are the same for all lines of an event


def shadowed(desk: Desk, policy: Policy) -> None:
    """Note each reward that always loses its exclusive group to one and the same other."""
    limited = {name for budget in policy.budgets.values() for name in budget.rewards}
    groups: dict[tuple[str, str, str], list[_Rival]] = {}
    for at, reward in enumerate(policy.rewards.values()):
        own = reward.exclusive
        if own is not None and own.group:
            rival = _Rival(at, reward, own, _plain(reward.where), _plain(reward.when))
            groups.setdefault((own.group, own.key, own.compete), []).append(rival)
    for (_, key, compete), rivals in groups.items():
        # Who holds whenever anybody of the group may, by what they ask; the likeliest to win come first.
        always: dict[tuple[Condition | None, Condition | None], list[_Rival]] = {}
        for one in sorted(rivals, key=lambda each: each.strength(compete)):
            if one.reward.id not in limited and _unlimited(one.reward):
                always.setdefault((one.where, one.when), []).append(one)
        for mine in rivals:
            if not _has_key(key, mine.reward.on):
                continue
            # The key may be a field of the first line that matches: of other lines it may be another.
            lines = {mine.where, None} if key in _WHOLE else {mine.where}
            wider = [
                one for where in lines for when in {mine.when, None} for one in always.get((where, when), ())[:FEW]
            ]
            winner = next((one for one in wider if one is not mine and _wins(one, mine) and _covers(one, mine)), None)
            if winner is not None:
                desk.note("P518", mine.reward.mark, mine.reward.id, about=winner.reward.id)


@dataclass(frozen=True, slots=True)
class _Rival:
    """A reward of a group, its place in the file, and what it asks without the places of that."""

    at: int
    reward: Reward
    exclusive: Exclusive
    where: Condition | None
    when: Condition | None

    @property
    def place(self) -> tuple[int, int]:
        """Return what decides between two that give as much: the lower comes first."""
        return self.exclusive.priority, self.at

    def strength(self, compete: str) -> tuple[float, float, int]:
        """Return an order in which the likeliest winner comes first."""
        value = -_least(self.reward.amount)
        return (*((value, self.exclusive.priority) if compete == "best" else (self.exclusive.priority, value)), self.at)


def _has_key(key: str, kinds: Iterable[str]) -> bool:
    """Tell whether every such event may say what is the same. (The odd one that leaves it out competes with nobody.)"""
    return key in _WHOLE or all(key in (*KINDS[one].fields, *KINDS[one].lines) for one in kinds)


def _unlimited(reward: Reward) -> bool:
    """Tell whether a reward holds on every day, for any sum, and as often as it is earned."""
    least = (reward.minimum_spend, reward.minimum_quantity)
    dates = (reward.valid_from, reward.valid_until)
    # Lanes are settled apart; what stands in none comes first.
    return least == (0, 0) and dates == (None, None) and not (reward.weekdays or reward.caps or reward.lane)


def _covers(wide: _Rival, narrow: _Rival) -> bool:
    """Tell whether whoever earns the narrow one by an event earns the wide one by it; the conditions do not differ."""
    one, other = wide.reward, narrow.reward
    tiers = not one.for_tiers or (other.for_tiers and set(one.for_tiers) >= set(other.for_tiers))
    levels = not one.for_levels or (other.for_levels and set(one.for_levels) >= set(other.for_levels))
    anybody = not one.for_tiers and not one.for_levels and one.when is None
    return bool(set(one.on) >= set(other.on) and tiers and levels and (anybody or one.standing == other.standing))


def _wins(wide: _Rival, narrow: _Rival) -> bool:
    """Tell whether the one gives something whenever the other does and comes before it."""
    first = wide.place < narrow.place
    if wide.where == narrow.where and _more_of_the_same(wide.reward.amount, narrow.reward.amount):
        return first
    least, most = _least(wide.reward.amount), _most(narrow.reward.amount)
    if least <= 0:
        return False
    if wide.exclusive.compete == "by_priority" and wide.exclusive.priority != narrow.exclusive.priority:
        return wide.exclusive.priority < narrow.exclusive.priority
    return least > most or (least == most and first)


def _more_of_the_same(wide: Amount, narrow: Amount) -> bool:
    """Tell whether both give by the same base, in the same steps, the one never less."""
    if not (isinstance(wide, PerAmount) and isinstance(narrow, PerAmount)) or wide.cap is not None:
        return False
    return wide.give >= narrow.give and wide == replace(narrow, give=wide.give, cap=None)


def _least(amount: Amount) -> float:
    """Return what is given at least, whatever the event and however many there were; 0 when that is not known."""
    match amount:
        case Fixed():
            return amount.amount
        case ByClass():
            return min(map(_least, (amount.otherwise, *(one for _, _, one in amount.classes))))
        case Ladder(rungs) if rungs and not any(rung.every for rung in rungs):
            gapless = rungs[0].first == 1 and all(one.last == other.first - 1 for one, other in pairwise(rungs))
            return min(rung.amount for rung in rungs) if gapless and rungs[-1].last is None else 0
        case _:
            return 0


def _most(amount: Amount) -> float:
    match amount:
        case Fixed():
            return amount.amount
        case ByClass():
            return max(map(_most, (amount.otherwise, *(one for _, _, one in amount.classes))))
        case Ladder(rungs):
            return max((rung.amount for rung in rungs), default=0)
        case _:
            return inf if amount.cap is None else amount.cap


def _plain(condition: Condition | None) -> Condition | None:
    return None if condition is None else unmarked(condition)
