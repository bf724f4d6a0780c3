"""Lists of members to work on: whom to court, and who lacks so many traits of a tier. Pure.

A list with `when` holds where its condition holds. A list `{of: tier, short: n}` holds for a member below that tier and
not excluded from it, who meets exactly n traits fewer than its condition asks; the traits that would help are named.
"""

from __future__ import annotations

from dataclasses import dataclass

from rules.judge import Judged
from rules.policy import AllOf, AnyOf, Condition, CountOf, MemberList, NoneOf, Policy, Test, Tier


@dataclass(frozen=True, slots=True)
class Listed:
    """A member's place on a list; `lacking` are the traits any `short` of which would do."""

    list_id: str
    lacking: tuple[str, ...] = ()


_ASKING = ("at_least", "more_than", "is")


def lists_of(policy: Policy, judged: Judged, tier_id: str) -> tuple[Listed, ...]:
    """Return the lists a member stands on, in file order."""
    found = []
    for one in policy.lists.values():
        if one.when is not None:
            if one.id in judged.lists:
                found.append(Listed(one.id))
            continue
        lacking = _short(policy, one, judged, tier_id)
        if lacking is not None:
            found.append(Listed(one.id, lacking))
    return tuple(found)


def needed_traits(tier: Tier) -> tuple[int, tuple[str, ...]] | None:
    """Return how many of which traits the tier's condition asks for (empty: any of all), None when it asks none."""
    return _needed(tier.when) if tier.when is not None else None


def _short(policy: Policy, one: MemberList, judged: Judged, tier_id: str) -> tuple[str, ...] | None:
    goal = policy.tier(one.of)
    if policy.tier(tier_id).rank >= goal.rank or judged.excluded[goal.rank]:
        return None
    needed = needed_traits(goal)
    if needed is None:
        return None
    count, of = needed
    traits = of or tuple(policy.traits)
    met = [trait for trait in traits if trait in judged.met]
    if len(met) != count - one.short:
        return None
    return tuple(trait for trait in traits if trait not in judged.met)


def _needed(condition: Condition) -> tuple[int, tuple[str, ...]] | None:
    if isinstance(condition, Test):
        subject, value = condition.subject, condition.value
        if subject.source != "traits" or not isinstance(value, int) or condition.op not in _ASKING:
            return None
        return (value + 1 if condition.op == "more_than" else value), subject.of
    if isinstance(condition, NoneOf):
        return None
    parts: tuple[Condition, ...] = ()
    if isinstance(condition, (AllOf, AnyOf, CountOf)):
        parts = condition.parts
    found = [needed for needed in map(_needed, parts) if needed is not None]
    if not found:
        return None
    return min(found) if isinstance(condition, AnyOf) else max(found)
