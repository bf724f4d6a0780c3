"""Prices: what matched lines cost, and the lanes in which prices and rewards compete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from rules.policy.conditions import Condition
from rules.policy.text import Mark, Text


@dataclass(frozen=True, slots=True)
class Lane:
    """A group of prices and rewards that compete: of one lane one price a line, one reward an event is given.

    compete  the best value for the member, or the lowest `priority`; ties by the other, then by the file. Lanes apply
             in file order after what stands in none: a price on what the lanes before left to pay, a reward on the
             caps and budgets that they left.
    """

    id: str
    title: Text
    compete: Literal["best", "by_priority"] = "best"
    mark: Mark = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class Free:
    """Of every full `each` pieces of a line `pieces` are not charged (买十送一: 1 of 11)."""

    each: int
    pieces: int


@dataclass(frozen=True, slots=True)
class Price:
    """What matched lines cost. Exactly one of:

    pay_bp  share of the price (九五折 = 9 500), rounded `rounding` per line, or per order with the remainders shared
    fixed   unit price in fen
    less    fen off the matching lines together (满减), once or for every full `less_each`, shared by largest remainder;
            or off every full `less_pieces` of each line
    free    pieces that are not charged

    Of the matching prices of a line in no lane the lowest wins, ties to the first in the file; lanes follow (`Lane`).
    A price never goes on a line that another one has which it or that one names in `not_with`.
    """

    id: str
    title: Text
    for_tiers: tuple[str, ...]
    where: Condition
    pay_bp: int | None
    fixed: int | None = None
    less: int | None = None
    less_each: int = 0  # fen; 0: once
    less_pieces: int = 0  # 0: it does not go by pieces
    free: Free | None = None
    rounding: Literal["half_up", "floor"] = "half_up"
    rounded_per: Literal["line", "whole_order"] = "line"
    for_levels: tuple[str, ...] = ()  # service levels that get it (empty: all)
    when: Condition | None = None  # of the member, as he stood before the order
    weekdays: tuple[int, ...] = ()  # 0 is Monday; empty: all
    lane: str = ""
    priority: int = 0  # low first
    not_with: tuple[str, ...] = ()
    beside: Condition | None = None  # some line of the order must match this
    minimum_order: int = 0  # fen, over the matching lines at list price
    minimum_quantity: int = 0  # pieces, over the matching lines
    maximum_quantity: int | None = None  # so many pieces of an order get it, in the order of its lines
    line_cap: int | None = None  # most fen taken off a line
    order_cap: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None  # last day, inclusive
    mark: Mark = Mark(0, 0)
