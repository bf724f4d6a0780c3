"""What a policy defines and never uses: mostly a misspelt name elsewhere, so worth a warning."""

from __future__ import annotations

from rules.desk import Desk
from rules.policy import Policy


def unused(desk: Desk, policy: Policy) -> None:
    """Note every fact, trait, wallet and level that no rule reads, and every emission nobody receives."""
    sections = ["facts", "wallets", "levels", "lanes"]
    if not desk.all_traits_counted:
        sections.append("traits")
    for section in sections:
        for name, mark in desk.defined[section].items():
            if (section, name) not in desk.used:
                desk.note("P413", mark, name, about=section)
    received = {kind for reward in policy.rewards.values() for kind in reward.on}
    received |= {kind for fact in policy.facts.values() for kind in fact.kinds}
    for emission in policy.emissions.values():
        if emission.emits and emission.emits not in received:
            desk.note("P413", emission.mark, emission.id, about="emissions")
