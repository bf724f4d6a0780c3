"""The whole of a policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rules.policy.awards import Award
from rules.policy.examples import Example
from rules.policy.facts import Fact
from rules.policy.levels import Level
from rules.policy.prices import Lane, Price
from rules.policy.rewards import Budget, Emission, Reward
from rules.policy.text import Text
from rules.policy.tiers import MemberList, Tier, Trait
from rules.policy.wallets import Wallet


@dataclass(frozen=True, slots=True)
class Policy:
    """One dealer's programme. Everything is keyed by its id in file order."""

    programme: str
    title: Text
    currency: str
    timezone: str
    facts: dict[str, Fact]
    traits: dict[str, Trait]
    tiers: tuple[Tier, ...]
    lists: dict[str, MemberList] = field(default_factory=dict)
    segments: dict[str, str] = field(default_factory=dict)  # segment → level id
    levels: dict[str, Level] = field(default_factory=dict)
    wallets: dict[str, Wallet] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    prices: dict[str, Price] = field(default_factory=dict)
    budgets: dict[str, Budget] = field(default_factory=dict)
    emissions: dict[str, Emission] = field(default_factory=dict)
    rewards: dict[str, Reward] = field(default_factory=dict)
    awards: dict[str, Award] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    returned_as: Literal["return", "cancelled"] = "return"  # what the return of a whole order is
    late_days: dict[str, int] = field(default_factory=dict)  # source class → how far back it may date, days
    manager_limit: int = 10  # members of the highest tier a manager; above: a warning
    price_token_minutes: int = 15
    offline_slip_minutes: int = 24 * 60

    def tier(self, tier_id: str) -> Tier:
        """Return the tier with this id; KeyError when the policy has none."""
        for tier in self.tiers:
            if tier.id == tier_id:
                return tier
        raise KeyError(tier_id)
