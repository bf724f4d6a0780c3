"""Wallets: kinds of value, what each pays for and how long it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rules.policy.conditions import Condition
from rules.policy.text import Mark, Text


@dataclass(frozen=True, slots=True)
class Expiry:
    """Last valid local day of a lot: `months` and `days` after its start, then to the end of that month or year.

    `years` = 1 with `to="year"` is the end of the next calendar year.
    """

    months: int = 0
    years: int = 0
    to: Literal["day", "month", "year"] = "day"
    days: int = 0


@dataclass(frozen=True, slots=True)
class Wallet:
    """A kind of value. `pays_for` names line categories; `max_share_bp` is the share of such a line it may pay.

    hold_minutes         how long a hold lasts at most, and unless said otherwise
    hold_partial         what a capture of part of a hold does with the rest
    return_grace_days    what comes back is good for so many days at least; 0: it keeps its old expiry
    transfer             whether the accounts of one firm may hand it to one another
    second_person_above  an adjustment above this needs a second person; None: none does
    hold_above           a capture above what is held is refused, or takes the rest of what is available
    returned_to          what comes back goes to the lot that it came from, or is a new one with a term of its own
    offline              most of it that slips may let a member use at tills whose line is down; 0: none
    share_of             what that share is of: each such line, or the whole order
    minimum_order        fen that the lines it may pay must come to
    not_with             prices whose lines it does not pay
    """

    id: str
    title: Text
    unit: Literal["money", "points"]
    pays_for: tuple[str, ...]
    expires: Expiry | None
    notice_days: tuple[int, ...] = ()
    max_share_bp: int = 10_000
    share_of: Literal["line", "whole_order"] = "line"
    block: int = 1
    minimum: int = 0
    minimum_order: int = 0
    not_with: tuple[str, ...] = ()
    clawback: Literal["debt", "forgive", "refuse"] = "debt"
    suspended_when: Condition | None = None
    point_value: tuple[int, int] | None = None  # (fen, points): what points are worth
    hold_minutes: int = 30
    hold_partial: Literal["free", "keep"] = "free"
    hold_above: Literal["refuse", "take"] = "refuse"
    return_grace_days: int = 0
    returned_to: Literal["old_lot", "new_lot"] = "old_lot"
    transfer: Literal["none", "linked"] = "none"
    second_person_above: int | None = None
    offline: int = 0
    mark: Mark = Mark(0, 0)
