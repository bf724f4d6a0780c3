"""Awards: who wins, by what score, and what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rules.policy.amounts import Rung
from rules.policy.conditions import Condition
from rules.policy.text import Mark, Text


@dataclass(frozen=True, slots=True)
class Score:
    """One part of a score: the member's rank share in `fact` among the eligible, times `weight`."""

    fact: str
    weight: int


@dataclass(frozen=True, slots=True)
class Tie:
    """One step of the tie order: a fact or attribute, and which end comes first."""

    source: Literal["fact", "attribute"]
    name: str
    first: Literal["highest", "lowest"]


@dataclass(frozen=True, slots=True)
class PrizeShare:
    """A prize in proportion: `share_bp` of the winner's `fact`, floored to multiples of `block`, at most `cap`."""

    share_bp: int
    fact: str
    cap: int | None = None
    block: int = 1


@dataclass(frozen=True, slots=True)
class Award:
    """An award. Winners: `share_bp` of the eligible, within `at_least` and `at_most` and the budget.

    period      what it is given for; `months_in_tier` are months of it
    per         member attribute by whose values each group has its own list and number of winners ("": all together);
                the budget is one, spent on the first places of all groups, then the second ones
    prizes      prize by place, `prize_share` in proportion; without either everybody gets `prize`
    tax_bp      tax on the prize, paid by the winner out of it, or by the dealer on top (grossed up)
    """

    id: str
    title: Text
    tiers: tuple[str, ...]  # standing on the last day of the year
    months_in_tier: int  # at least so many whole months of the year in those tiers
    unless: Condition | None
    score: tuple[Score, ...]
    ties: tuple[Tie, ...]
    share_bp: int
    at_least: int
    at_most: int
    prize: int  # fen each
    budget: int  # fen
    wallet: str = ""  # "" = goods: a liability account, no wallet credit
    mark: Mark = Mark(0, 0)
    period: Literal["year", "quarter", "month"] = "year"
    per: str = ""
    prizes: tuple[Rung, ...] = ()
    prize_share: PrizeShare | None = None
    tax_bp: int = 0
    tax_borne_by: Literal["winner", "dealer"] = "winner"
