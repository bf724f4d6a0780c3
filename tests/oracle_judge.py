"""A second reading of the rules, evaluating a policy's conditions where they stand: no encoding, no engine, no phases.

It shares only the values of `rules.policy` and `rules.inputs` with what it checks.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from datetime import date

from rules import policy as ast
from rules.inputs import Inputs, Judged, StandingTiers
from rules.vocabulary import FIELDS

Value = int | str | None

_ORDERED = {
    "at_least": operator.ge,
    "more_than": operator.gt,
    "at_most": operator.le,
    "less_than": operator.lt,
    "is": operator.eq,
    "is_not": operator.ne,
}


def holds(
    condition: ast.Condition | None,
    inputs: Inputs,
    met: frozenset[str],
    traits: int,
    line: Mapping[str, Value],
    tier: str | None,
    more: int = 0,
) -> bool:
    """Say whether a condition holds; `traits` is how many the policy has. None holds always.

    `more` traits are taken to be met where a number of them is asked for, except under `none`.
    """
    match condition:
        case None:
            return True
        case ast.AllOf(parts):
            return all(holds(part, inputs, met, traits, line, tier, more) for part in parts)
        case ast.AnyOf(parts):
            return any(holds(part, inputs, met, traits, line, tier, more) for part in parts)
        case ast.NoneOf(parts):
            return not any(holds(part, inputs, met, traits, line, tier) for part in parts)
        case ast.CountOf(least, parts):
            return [holds(part, inputs, met, traits, line, tier, more) for part in parts].count(True) >= least
        case ast.Test(subject, op, required):
            value = _value(subject, inputs, met, line, tier)
            if value is None or value == "":
                return False
            if more and subject.source == "traits" and op in ("at_least", "more_than", "is"):
                value += more
            if isinstance(value, str) and _is_date(subject) and not isinstance(required, str):
                value = date.fromisoformat(value).toordinal()
            if op == "in":
                return any(value == one for one in required)
            if op == "not_in":
                return all(value != one for one in required)
            return _ORDERED[op](value, required)


def _value(
    subject: ast.Subject, inputs: Inputs, met: frozenset[str], line: Mapping[str, Value], tier: str | None
) -> Value:
    return {
        "fact": lambda: inputs.facts[subject.name],
        "attribute": lambda: inputs.attributes.get(subject.name),
        "field": lambda: line.get(subject.name),
        "trait": lambda: 1 if subject.name in met else 0,
        # (How far a trait goes is told as `trait.degree`; it is no trait of its own.)
        "traits": lambda: sum(1 for trait in met if (trait in subject.of if subject.of else "." not in trait)),
        "tier": lambda: tier,
    }[subject.source]()


def _is_date(subject: ast.Subject) -> bool:
    return subject.source == "field" and subject.name in FIELDS and FIELDS[subject.name].type == "date"


def judge(policy: ast.Policy, inputs: Inputs) -> Judged:
    count = len(policy.traits)
    met = frozenset(
        trait.id
        for trait in policy.traits.values()
        if (trait.when is not None and holds(trait.when, inputs, frozenset(), count, {}, None))
        or (trait.attested is not None and trait.id in inputs.attested)
    )

    degrees = frozenset(
        f"{trait.id}.{degree.id}"
        for trait in policy.traits.values()
        for degree in trait.degrees
        if holds(degree.when, inputs, frozenset(), count, {}, None)
        or (trait.attested is not None and f"{trait.id}.{degree.id}" in inputs.attested)
    )

    def now(condition: ast.Condition | None, more: int = 0) -> bool:
        return condition is not None and holds(condition, inputs, met | degrees, count, {}, inputs.tier, more)

    ladder = sorted(policy.tiers, key=lambda tier: tier.rank)
    when = tuple(now(tier.when) or (tier is ladder[0] and tier.when is None) for tier in ladder)
    excluded = tuple(now(tier.unless) for tier in ladder)
    return Judged(
        met=met,
        degrees=degrees,
        tiers=tuple(tier is ladder[0] or (when[i] and not excluded[i]) for i, tier in enumerate(ladder)),
        when=when,
        excluded=excluded,
        lists=frozenset(item.id for item in policy.lists.values() if _listed(policy, item, met, now)),
        suspended=frozenset(item.id for item in policy.wallets.values() if now(item.suspended_when)),
        barred=frozenset(item.id for item in policy.awards.values() if now(item.unless)),
    )


def _listed(policy: ast.Policy, item: ast.MemberList, met: frozenset[str], now) -> bool:
    if item.when is not None:
        return now(item.when)
    # Who is N traits short would have the tier if he had N traits more, and would not if he had one fewer than that.
    (tier,) = [tier for tier in policy.tiers if tier.id == item.of]
    return now(tier.when, item.short) and not now(tier.when, item.short - 1) and not now(tier.unless)


def _his(policy: ast.Policy, item: object, tier: str | None, inputs: Inputs) -> bool:
    """Say whether an item is for who stands so: in one of its tiers, and on one of its service levels."""
    tiers, levels = getattr(item, "for_tiers", ()), getattr(item, "for_levels", ())
    if tiers and tier not in tiers:
        return False
    if not levels:
        return True
    segment = inputs.attributes.get("segment")
    if tier is None:  # his level is known only if it is the same story with every tier
        every = [_level(policy, one.id, segment) in levels for one in policy.tiers]
        return segment in policy.segments and all(every)
    return _level(policy, tier, segment) in levels


def _level(policy: ast.Policy, tier: str, segment: Value) -> str:
    """The higher of the levels that the tier and the segment give."""
    named = [one.level for one in policy.tiers if one.id == tier]
    named += [policy.segments[segment]] if segment in policy.segments else []
    known = [level for level in policy.levels.values() if level.id in named]
    return max(known, key=lambda level: level.rank).id if known else ""


def rewards(
    policy: ast.Policy,
    kind: str,
    lines: Sequence[Mapping[str, Value]],
    tiers: StandingTiers,
    inputs: Inputs,
    met: frozenset[str],
) -> dict[str, tuple[int, ...]]:
    result = {}
    for item in (*policy.emissions.values(), *policy.rewards.values()):
        if kind not in item.on:
            continue
        tier = getattr(tiers, getattr(item, "standing", "after"))
        earned = _his(policy, item, tier, inputs)
        matched = tuple(
            index
            for index, line in enumerate(lines)
            if earned
            and holds(item.where, inputs, met, len(policy.traits), line, tier)
            and holds(item.when, inputs, met, len(policy.traits), line, tier)
        )
        if matched:
            result[item.id] = matched
    return result


def prices(
    policy: ast.Policy, lines: Sequence[Mapping[str, Value]], tier: str | None, inputs: Inputs, met: frozenset[str]
) -> list[tuple[str, ...]]:
    return [
        tuple(
            price.id
            for price in policy.prices.values()
            if _his(policy, price, tier, inputs)
            and holds(price.where, inputs, met, len(policy.traits), line, tier)
            and holds(price.when, inputs, met, len(policy.traits), line, tier)
        )
        + tuple(
            f"beside:{price.id}"
            for price in policy.prices.values()
            if price.beside is not None and holds(price.beside, inputs, met, len(policy.traits), line, tier)
        )
        for line in lines
    ]
