"""Amounts: how much a reward gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rules.policy.conditions import Filter


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed amount in the wallet's unit."""

    amount: int


@dataclass(frozen=True, slots=True)
class PerAmount:
    """`give` for every full `each` of the base, or in proportion (`give` × base ÷ `each`, rounded).

    rounding       "floor" of a reward that is not `proportional`: only full `each` count
    proportional   a percentage; half-up always is
    above          the base counts only beyond this
    less_credit    what wallets paid is taken off the base
    rounded_per    what is rounded: the sum of the order, or each of its lines
    """

    give: int
    each: int
    base: str  # line field: "cash", "amount", "list", …
    rounding: Literal["floor", "half_up"] = "floor"
    cap: int | None = None
    proportional: bool = False
    above: int = 0
    less_credit: bool = False
    rounded_per: Literal["line", "whole_order"] = "whole_order"


@dataclass(frozen=True, slots=True)
class Rung:
    """Occurrences `first` to `last` (inclusive; None: open end) earn `amount`; or every `every`-th one does."""

    first: int
    last: int | None
    amount: int
    every: int = 0


@dataclass(frozen=True, slots=True)
class Ladder:
    """By the how-manieth occurrence in the period; what no rung names earns nothing and is no occurrence.

    Of several `every` that hold the widest counts, before any other rung.
    """

    rungs: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class ByClass:
    """The amount of the first class whose filters all hold on the event; `otherwise` when none does."""

    classes: tuple[tuple[str, tuple[Filter, ...], Amount], ...]
    otherwise: Amount


Amount = Fixed | PerAmount | Ladder | ByClass
