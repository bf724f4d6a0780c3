"""What of a policy a question about a member asks: rules and facts that the answer cannot depend on are left out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from rules.compiler import tests_of
from rules.judge import Ruleset
from rules.policy import Condition, Policy, Subject


def narrowed(
    policy: Policy, *, awards: Collection[str] = (), wallets: Collection[str] = (), facts: Collection[str] = ()
) -> Ruleset:
    """Return rules that judge who is barred from `awards` and which of `wallets` are suspended, and nothing else.

    They find of these what all of the policy's rules find. The traits are judged where a condition names one.

    facts  ids of the facts that are asked besides those that the conditions read
    """
    asked = _subjects(
        *(policy.awards[name].unless for name in awards), *(policy.wallets[name].suspended_when for name in wallets)
    )
    traits = policy.traits if any(one.source in ("trait", "traits") for one in asked) else {}
    ways = [way for one in traits.values() for way in (one.when, *(degree.when for degree in one.degrees))]
    read = {one.name for one in (*asked, *_subjects(*ways)) if one.source == "fact"}.union(facts)
    few = replace(
        policy,
        facts={name: fact for name, fact in policy.facts.items() if name in read},
        traits=traits,
        tiers=tuple(replace(tier, when=None, unless=None) for tier in policy.tiers),
        wallets={
            name: wallet if name in wallets else replace(wallet, suspended_when=None)
            for name, wallet in policy.wallets.items()
        },
        awards={name: award for name, award in policy.awards.items() if name in awards},
        lists={},
        prices={},
        budgets={},
        emissions={},
        rewards={},
    )
    return Ruleset(few)


def _subjects(*conditions: Condition | None) -> list[Subject]:
    """Return what these conditions test."""
    return [test.subject for one in conditions if one is not None for test in tests_of(one)]
