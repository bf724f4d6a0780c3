"""What a policy says, as plain frozen values.

`rules.reader` builds a `Policy` from YAML nodes, `rules.compiler` turns one into engine patterns, and everything
above reads it. Nothing here computes. Units: money is integer minor units (fen), percentages are basis points
(95 % = 9 500), durations say their unit in the name, dates are `datetime.date`, text is compared for equality only.

This is the one door: outside, its parts are named as `rules.policy.Reward`, in whichever file they stand.
"""

from __future__ import annotations

from rules.policy.amounts import Amount, ByClass, Fixed, Ladder, PerAmount, Rung
from rules.policy.awards import Award, PrizeShare, Score, Tie
from rules.policy.conditions import (
    AllOf,
    AnyOf,
    Condition,
    CountOf,
    Filter,
    NoneOf,
    Operator,
    Scalar,
    Source,
    Subject,
    Test,
)
from rules.policy.examples import Example, Plain, State
from rules.policy.facts import Fact, How, Span, Unit, Window
from rules.policy.levels import Duty, Entitlement, Level, Turn
from rules.policy.prices import Free, Lane, Price
from rules.policy.programme import Policy
from rules.policy.rewards import Budget, Cap, Emission, Exclusive, Period, Reward
from rules.policy.text import Mark, Text
from rules.policy.tiers import Attested, Degree, Keep, MemberList, Tier, Trait
from rules.policy.wallets import Expiry, Wallet

__all__ = [
    "AllOf",
    "Amount",
    "AnyOf",
    "Attested",
    "Award",
    "Budget",
    "ByClass",
    "Cap",
    "Condition",
    "CountOf",
    "Degree",
    "Duty",
    "Emission",
    "Entitlement",
    "Example",
    "Exclusive",
    "Expiry",
    "Fact",
    "Filter",
    "Fixed",
    "Free",
    "How",
    "Keep",
    "Ladder",
    "Lane",
    "Level",
    "Mark",
    "MemberList",
    "NoneOf",
    "Operator",
    "PerAmount",
    "Period",
    "Plain",
    "Policy",
    "Price",
    "PrizeShare",
    "Reward",
    "Rung",
    "Scalar",
    "Score",
    "Source",
    "Span",
    "State",
    "Subject",
    "Test",
    "Text",
    "Tie",
    "Tier",
    "Trait",
    "Turn",
    "Unit",
    "Wallet",
    "Window",
]
