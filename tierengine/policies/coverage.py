"""Which parts of a policy its examples exercise, and which none does.

A trait is exercised when somebody meets it, a tier when somebody stands in it, a list when somebody is on it, a price
when a line is priced by it, a reward when it is granted, one of its amounts (by class, by nth) when it is that amount
that was granted, an emission when it reaches somebody, an entitlement when it
is claimed or expected, a duty when it arises. Awards are ranked over all members and stand outside any example.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rules.policy import Amount, ByClass, Ladder, Mark, Policy, Reward, Rung
from tierengine.judging.decisions import Granted
from tierengine.membership.shortlist import lists_of
from tierengine.policies.cast import Cast, Part
from tierengine.policies.expected import duties_of
from tierengine.service.duties import level_of
from tierengine.zone import Zone

Used = frozenset[tuple[str, str]]
"""(section, id) of what an example exercised; what a service level holds is `level.id`."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a policy is exercised; `missing` are the rest by section, each with its place in the policy file."""

    total: int
    exercised: int
    missing: Mapping[str, Mapping[str, Mark]]

    @property
    def percent(self) -> int:
        """Whole percent, rounded down, so that 100 means all; a policy with nothing to exercise is covered."""
        return self.exercised * 100 // self.total if self.total else 100


def coverage(policy: Policy, used: Iterable[Used]) -> Coverage:
    """Compare what there is with what the examples exercised."""
    seen: set[tuple[str, str]] = set().union(*used)
    parts = _parts(policy)
    missing = {
        section: {name: mark for name, mark in marks.items() if (section, name) not in seen}
        for section, marks in parts.items()
    }
    total = sum(len(marks) for marks in parts.values())
    left = sum(len(marks) for marks in missing.values())
    return Coverage(total, total - left, {section: marks for section, marks in missing.items() if marks})


def used_by(policy: Policy, zone: Zone, cast: Cast, expect: Mapping[str, object], prices: Sequence[str]) -> Used:
    """Return what one example exercised. `prices` are the prices that its lines were priced by."""
    found = {("prices", rule) for rule in prices if rule}
    for part in cast.parts.values():
        found |= _member(policy, zone, part)
        level = level_of(policy, part.tier, part.segment)
        expected = expect.get("entitlements")
        have = {one.id for one in policy.levels[level].entitlements} if level in policy.levels else set()
        names = {str(one) for one in expected} if isinstance(expected, (list, dict)) else set()
        claimed = {str(line.fields.get("entitlement")) for line in part.lines if line.kind == "entitlement_claimed"}
        found |= {("entitlements", f"{level}.{name}") for name in (names | claimed) & have}
    return frozenset(found)


def _member(policy: Policy, zone: Zone, part: Part) -> set[tuple[str, str]]:
    changes = part.folded.changes
    return {
        *(("traits", trait) for trait in (*part.judged.met, *(name for one in changes for name in one.traits))),
        *(("tiers", tier) for tier in (part.tier, *(one.tier for one in changes))),
        *(("lists", one.list_id) for one in lists_of(policy, part.judged, part.tier)),
        *(("rewards", one.granted.rule) for one in part.folded.decisions if one.granted.judged),
        *(("amounts", name) for one in part.folded.decisions for name in _granted(policy, one.granted)),
        *(("emissions", one.rule) for one in part.folded.emissions),
        *(("duties", f"{one.level}.{one.duty}") for one in duties_of(policy, zone, part)),
    }


def _granted(policy: Policy, granted: Granted) -> Iterator[str]:
    """Yield the name of the amount that was granted."""
    reward = policy.rewards.get(granted.rule)
    if reward is None or not granted.judged:
        return
    mine = [one for one in _amounts(reward.amount, reward.id, "") if one.chosen == granted.chosen]
    repeating = [one for one in mine if one.rung is not None and one.rung.every and granted.nth % one.rung.every == 0]
    for one in [max(repeating, key=lambda each: each.rung.every if each.rung else 0)] if repeating else mine:
        if one.rung is None or one in repeating or _within(one.rung, granted.nth):
            yield one.name


def _within(rung: Rung, nth: int) -> bool:
    return not rung.every and rung.first <= nth and (rung.last is None or nth <= rung.last)


@dataclass(frozen=True, slots=True)
class _Amount:
    """One amount that a reward may give: by which class it is chosen, and on which rung it stands."""

    name: str
    chosen: str
    rung: Rung | None


def _amounts(amount: Amount, name: str, chosen: str) -> Iterator[_Amount]:
    if isinstance(amount, ByClass):
        for place, (class_, _, inner) in enumerate(amount.classes):
            yield from _amounts(inner, f"{name}.{class_}", f"{chosen}/{place}" if chosen else str(place))
        yield from _amounts(amount.otherwise, name, f"{chosen}/-" if chosen else "-")
    elif isinstance(amount, Ladder):
        for rung in amount.rungs:
            last = "+" if rung.last is None else "" if rung.last == rung.first else f"-{rung.last}"
            if rung.amount:
                yield _Amount(f"{name}.{f'every {rung.every}' if rung.every else f'{rung.first}{last}'}", chosen, rung)
    else:
        yield _Amount(name, chosen, None)


def _choices(reward: Reward) -> list[str]:
    """List the amounts of a reward that has several; one that has one is exercised when the reward is."""
    names = [one.name for one in _amounts(reward.amount, reward.id, "")]
    return names if len(names) > 1 else []


def _parts(policy: Policy) -> dict[str, dict[str, Mark]]:
    levels = policy.levels.values()
    return {
        "traits": {one.id: one.mark for one in policy.traits.values()},
        "tiers": {one.id: one.mark for one in policy.tiers},
        "lists": {one.id: one.mark for one in policy.lists.values()},
        "prices": {one.id: one.mark for one in policy.prices.values()},
        "emissions": {one.id: one.mark for one in policy.emissions.values()},
        "rewards": {one.id: one.mark for one in policy.rewards.values()},
        "amounts": {name: one.mark for one in policy.rewards.values() for name in _choices(one)},
        "entitlements": {f"{level.id}.{one.id}": one.mark for level in levels for one in level.entitlements},
        "duties": {f"{level.id}.{one.id}": one.mark for level in levels for one in level.duties},
    }
