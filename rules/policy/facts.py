"""Facts: what is measured over a member's events, and in which window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rules.policy.conditions import Filter
from rules.policy.text import Mark, Text

How = Literal[
    "count",  # standing lines
    "quantity",  # sum of their net quantities
    "sum",  # sum of net `field`
    "max",  # over net `field` of standing lines
    "min",
    "distinct",  # distinct values of `field` over standing lines
    "months_with",  # local calendar months that hold a standing line
    "days_since_first",  # whole local days from the first standing line to the asked day
    "days_since_last",
    "years_since_first",  # whole local years from the first standing line to the asked day
    "years_since_last",
    "days_since",  # whole local days since the date attribute named by `field`; before it the number is negative
    "years_since",  # whole local years since that date
    "days_to_anniversary",  # whole local days to the next anniversary of that date: 0 on the day itself
    "months_to_anniversary",  # months to the calendar month of the next anniversary: 0 in all of that month
    "fleet",  # machines in the state `owned`, one per serial (or per registration without a serial)
    "ratio",  # `over` to `under` in basis points; absent when `under` <= 0 or has no value
]
Unit = Literal["count", "money", "points", "days", "months", "years", "percent", "hours"]
Span = Literal[
    "always", "rolling", "preceding", "this_year", "last_year", "this_quarter", "last_quarter", "this_month",
    "last_month", "since_tier",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open (from, P]. `rolling` and `preceding` use `months` or `days`; `preceding` is the window before that one.

    Months clamp from the anchor's local date; calendar spans are in the dealer's zone.
    """

    span: Span = "always"
    months: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class Fact:
    """An aggregate over one member's contributions (judging.md, Facts)."""

    id: str
    title: Text
    how: How
    unit: Unit
    kinds: tuple[str, ...] = ()
    field: str = ""
    where: tuple[Filter, ...] = ()
    window: Window = Window()
    over: Fact | None = None
    under: Fact | None = None
    mark: Mark = Mark(0, 0)
