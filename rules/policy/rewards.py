"""Rewards, what bounds them, and what reaches other members."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from rules.policy.amounts import Amount
from rules.policy.conditions import Condition
from rules.policy.text import Mark, Text
from rules.policy.wallets import Expiry


@dataclass(frozen=True, slots=True)
class Budget:
    """What several rewards may give together in a period, at most: `limit` in their wallet's unit, or so many grants.

    scope  "member": each member by himself; "firm": the accounts that name one firm; "programme": everybody. The last
           two are served in the order of recording, and what was admitted is never raised by judging again.
    """

    id: str
    title: Text
    scope: Literal["member", "firm", "programme"]
    period: Literal["life", "year", "quarter", "month", "day"]
    limit: int
    rewards: tuple[str, ...]
    times: bool = False
    mark: Mark = Mark(0, 0)


Period = Literal["life", "year", "quarter", "month", "day", "event"]


@dataclass(frozen=True, slots=True)
class Exclusive:
    """At most one reward of `group` per value of the event field `key`: the highest amount, ties by `priority`.

    A reward that lost has not occurred: no rung, no cap use.

    key      a field, "event" (once for each event) or "beneficiary" (once for each member)
    compete  the highest amount first, or the lowest `priority` first
    """

    group: str
    key: str
    priority: int  # low first
    compete: Literal["best", "by_priority"] = "best"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` (wallet's unit, or grants where `times`) a period and member."""

    period: Period
    limit: int
    times: bool = False


@dataclass(frozen=True, slots=True)
class Reward:
    """What an event earns its member.

    on            event kinds
    where         condition on fields of the event's lines: lines that match make the base; none: no occurrence
    when          condition on facts, attributes and traits as of the event, or None
    for_tiers     standing tiers that earn it (empty: all)
    standing      the standing asked: before or after this event, or right after the order that this event names
    period        in which `nth` and `counted` run; `counted_on`: "" = the event's own date, else a date field
    counting      "granted": only own standing grants are counted; "all": matching events too
    count_by      field by whose value occurrences are counted apart ("": all together)
    settle_days   the lot is usable from this many days after the event
    returns       what a return leaves: pro rata of the value left, or the decision judged again
    return_frees  whether a return gives rung, cap and exclusive key back
    """

    id: str
    title: Text
    on: tuple[str, ...]
    wallet: str
    amount: Amount
    where: Condition | None = None
    when: Condition | None = None
    for_tiers: tuple[str, ...] = ()
    standing: Literal["before", "after", "order"] = "after"
    period: Period = "life"
    counted_on: str = ""
    counting: Literal["granted", "all"] = "granted"
    count_by: str = ""
    for_levels: tuple[str, ...] = ()  # service levels that earn it (empty: all)
    lane: str = ""
    priority: int = 0  # inside the lane, low first
    exclusive: Exclusive | None = None
    caps: tuple[Cap, ...] = ()
    settle_days: int = 0
    expires: Expiry | None = None  # None: the wallet's
    valid_from: date | None = None
    valid_until: date | None = None
    weekdays: tuple[int, ...] = ()  # 0 = Monday; empty: every day
    minimum_spend: int = 0  # fen of `amount` over the matching lines
    minimum_quantity: int = 0  # pieces over the matching lines
    returns: Literal["pro_rata", "rejudge"] = "pro_rata"
    return_frees: bool = True
    mark: Mark = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class Emission:
    """A derived event for another member (a referral reaching the referrer), judged in the giver's fold.

    `to` is the event field that holds the receiver's member code, `emits` the kind received, `carries` the fields
    copied, `giver` the field that receives the giver's code.
    """

    id: str
    title: Text
    on: tuple[str, ...]
    to: str
    emits: str
    carries: tuple[str, ...]
    giver: str
    where: Condition | None = None
    when: Condition | None = None
    mark: Mark = Mark(0, 0)
