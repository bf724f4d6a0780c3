"""Rewards that are never granted: another one of their exclusive group takes the key whenever they could."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from math import inf

from rules.conditions import unmarked
from rules.desk import Desk
from rules.policy import Amount, ByClass, Condition, Exclusive, Fixed, Ladder, PerAmount, Policy, Reward
from rules.vocabulary import KINDS


def shadowed(desk: Desk, policy: Policy) -> None:
    """Note each reward that always loses its exclusive group to one and the same other."""
    limited = {name for budget in policy.budgets.values() for name in budget.rewards}
    groups: dict[tuple[str, str, str], list[tuple[int, Reward, Exclusive]]] = {}
    for at, reward in enumerate(policy.rewards.values()):
        exclusive = reward.exclusive
        if exclusive is not None and exclusive.group:
            groups.setdefault((exclusive.group, exclusive.key, exclusive.compete), []).append((at, reward, exclusive))
    for (_, key, _), rivals in groups.items():
        # Who holds whenever anybody of the group may; the few of them are compared with all.
        always = [one for one in rivals if one[1].id not in limited and _unlimited(one[1])]
        for at, reward, mine in rivals:
            if not _has_key(key, reward.on):
                continue
            for place, other, its in always:
                first = (its.priority, place) < (mine.priority, at)
                if other is not reward and _wins(other, its, reward, mine, first=first) and _covers(other, reward, key):
                    desk.note("P518", reward.mark, reward.id, about=other.id)
                    break


def _has_key(key: str, kinds: Iterable[str]) -> bool:
    """Tell whether every such event may say what is the same. (The odd one that leaves it out competes with nobody.)"""
    return key in ("event", "beneficiary") or all(key in (*KINDS[one].fields, *KINDS[one].lines) for one in kinds)


def _unlimited(reward: Reward) -> bool:
    """Tell whether a reward holds on every day, for any sum, and as often as it is earned."""
    least = (reward.minimum_spend, reward.minimum_quantity)
    dates = (reward.valid_from, reward.valid_until)
    # Lanes are settled apart; what stands in none comes first.
    return least == (0, 0) and dates == (None, None) and not (reward.weekdays or reward.caps or reward.lane)


def _covers(wide: Reward, narrow: Reward, key: str) -> bool:
    """Tell whether whatever earns the narrow one earns the wide one, with the same lines or the same key."""
    tiers = not wide.for_tiers or (narrow.for_tiers and set(wide.for_tiers) >= set(narrow.for_tiers))
    levels = not wide.for_levels or (narrow.for_levels and set(wide.for_levels) >= set(narrow.for_levels))
    anybody = not wide.for_tiers and not wide.for_levels and wide.when is None
    # The key may be a field of the first line that matches: of other lines it may be another.
    same = _plain(wide.where) == _plain(narrow.where)
    lines = same or (wide.where is None and key in ("event", "beneficiary"))
    return bool(
        set(wide.on) >= set(narrow.on)
        and tiers
        and levels
        and lines
        and (anybody or wide.standing == narrow.standing)
        and (wide.when is None or _plain(wide.when) == _plain(narrow.when))
    )


def _wins(wide: Reward, its: Exclusive, narrow: Reward, mine: Exclusive, *, first: bool) -> bool:
    """Tell whether the one gives something whenever the other does and comes before it."""
    if _plain(wide.where) == _plain(narrow.where) and _more_of_the_same(wide.amount, narrow.amount):
        return first
    least, most = _least(wide.amount), _most(narrow.amount)
    if least <= 0:
        return False
    if its.compete == "by_priority" and its.priority != mine.priority:
        return its.priority < mine.priority
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
