"""What a policy says, as plain frozen values.

`rules.reader` builds a `Policy` from YAML nodes, `rules.compiler` turns one into engine patterns, and everything
above reads it. Nothing here computes. Units: money is integer minor units (fen), percentages are basis points
(95 % = 9 500), durations say their unit in the name, dates are `datetime.date`, text is compared for equality only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Operator = Literal["at_least", "more_than", "at_most", "less_than", "is", "is_not", "in", "not_in"]
Scalar = int | str
Source = Literal["fact", "attribute", "field", "traits", "trait", "tier"]


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence shown to people, in Chinese and in English (English falls back to Chinese)."""

    zh: str
    en: str

    def say(self, lang: str) -> str:
        """Return the sentence in `lang` ("zh" or "en")."""
        return self.en if lang == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something stands in its file; line and column count from 1."""

    line: int
    column: int


# ---- conditions -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """What a test reads.

    source   name                      value
    fact     id under `facts`          int in the fact's unit, absent when it has no value
    attribute member attribute id      as of the asked position (text, int, bool as 0/1, date as ordinal day)
    field    field of event or line    rewards, prices and emissions only
    traits   ""                        how many of `of` (empty: of all traits) are met
    trait    trait id, or trait.degree 1 when met, else 0
    tier     ""                        id of the standing tier
    """

    source: Source
    name: str = ""
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison. `value` is a tuple for `in` and `not_in`, one scalar otherwise. Booleans are 0 and 1."""

    subject: Subject
    op: Operator
    value: Scalar | tuple[Scalar, ...]
    mark: Mark = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds (no parts: true)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds (no parts: false)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """No part holds; a test on an absent value does not hold, so `none` of it is true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class CountOf:
    """At least `least` of the parts hold."""

    least: int
    parts: tuple[Condition, ...]


Condition = Test | AllOf | AnyOf | NoneOf | CountOf


# ---- facts ------------------------------------------------------------------------------------------------------

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
class Filter:
    """A test on a field of an event line. `value` is a tuple for `in` and `not_in`. Booleans are 0 and 1."""

    field: str
    op: Operator
    value: Scalar | tuple[Scalar, ...]


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


# ---- traits and tiers -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attested:
    """Who may state a trait, who signs with him, and for how many months it holds."""

    by: tuple[str, ...]
    countersigned_by: tuple[str, ...]
    not_own_manager: bool
    valid_months: int


@dataclass(frozen=True, slots=True)
class Degree:
    """How far a trait goes: `trait.degree` is what a test names; the highest whose condition holds is the member's."""

    id: str
    title: Text
    when: Condition
    mark: Mark = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class Trait:
    """Met when the condition holds or an attestation is in force, whichever of the two it allows.

    One with degrees, lowest first, is met when any of them holds; an attestation states one of them, or the lowest.
    """

    id: str
    title: Text
    when: Condition | None
    attested: Attested | None
    mark: Mark = Mark(0, 0)
    degrees: tuple[Degree, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return what tests may name: the trait, and each of its degrees as `trait.degree`, lowest first."""
        return (self.id, *(f"{self.id}.{degree.id}" for degree in self.degrees))


@dataclass(frozen=True, slots=True)
class Keep:
    """How long a tier is kept: `months` from its start, then `grace_days`, then one tier down or what the facts say.

    `to` rounds the end up to that of its calendar month or year; then `months` may be 0: to the end of this one.
    """

    months: int
    grace_days: int
    then: Literal["one_down", "as_facts_say"]
    to: Literal["day", "month", "year"] = "day"


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of the ladder of tiers; `rank` counts from 0 (lowest). The lowest has no condition."""

    id: str
    title: Text
    rank: int
    level: str
    when: Condition | None
    unless: Condition | None
    keep: Keep | None
    promotion: Literal["automatic", "confirmed"] = "automatic"
    confirm_within_days: int = 90
    returns_undo_days: int = 30
    replaces: tuple[str, ...] = ()
    mark: Mark = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class MemberList:
    """A list of members to work on: those for whom `when` holds, or those `short` traits below tier `of`."""

    id: str
    title: Text
    when: Condition | None
    of: str = ""
    short: int = 0
    mark: Mark = Mark(0, 0)


# ---- wallets, prices, rewards -----------------------------------------------------------------------------------


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
    share_of       what that share is of: each such line, or the whole order
    minimum_order  fen that the lines it may pay must come to
    not_with       prices whose lines it does not pay
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
    point_value: tuple[int, int] | None = None  # (fen, points) for what points are exchanged against
    hold_minutes: int = 30
    hold_partial: Literal["free", "keep"] = "free"
    return_grace_days: int = 0
    transfer: Literal["none", "linked"] = "none"
    second_person_above: int | None = None
    mark: Mark = Mark(0, 0)


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
    less    fen off the matching lines together (满减), once or for every full `less_each`; shared by largest remainder
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
    free: Free | None = None
    rounding: Literal["half_up", "floor"] = "half_up"
    rounded_per: Literal["line", "whole_order"] = "line"
    for_levels: tuple[str, ...] = ()  # service levels that get it (empty: all)
    lane: str = ""
    priority: int = 0  # low first
    not_with: tuple[str, ...] = ()
    beside: Condition | None = None  # some line of the order must match this
    minimum_order: int = 0  # fen, over the matching lines at list price
    minimum_quantity: int = 0  # pieces, over the matching lines
    line_cap: int | None = None  # most fen taken off a line
    order_cap: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None  # last day, inclusive
    mark: Mark = Mark(0, 0)


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
    """

    give: int
    each: int
    base: str  # line field: "cash", "amount", "list", …
    rounding: Literal["floor", "half_up"] = "floor"
    cap: int | None = None
    proportional: bool = False
    above: int = 0
    less_credit: bool = False


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


Amount = Fixed | PerAmount | Ladder | ByClass
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


# ---- service levels ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a member may claim. `quota` None: without limit. `per_machine`: times machines owned."""

    id: str
    title: Text
    quota: int | None
    period: Literal["life", "year", "quarter", "month"] = "year"
    per_machine: bool = False
    note: Text = Text("", "")
    mark: Mark = Mark(0, 0)


Turn = Literal["promoted", "renewed", "lapsing", "grace", "demoted", "locked", "assigned"]


@dataclass(frozen=True, slots=True)
class Duty:
    """What the dealer owes a member of this level.

    Exactly one trigger: `on` (event kinds, filtered by `where`), `every_months` or `every_days`, `on_date` (a date
    attribute, each year), or `on_standing` (what happens to the member's tier; `lapsing`: `ahead_days` before its
    validity ends). Due `within_minutes` of it, round the clock; written in days or weeks (`whole_days`), to the end of
    the local day. A date may be prepared for `ahead_days` before. Done by the first later event of `done_by` (kind and
    filters), or by a `duty_done` event that names this duty; `matching` are fields that trigger and doing must share
    (serial, request). `escalate_to` hears of it `escalate_minutes` after it was due.
    """

    id: str
    title: Text
    owner: str  # a role: account_manager, service_manager, customer_centre, leader, …
    within_minutes: int
    whole_days: bool = False
    on: tuple[str, ...] = ()
    where: tuple[Filter, ...] = ()
    every_months: int = 0
    every_days: int = 0
    on_date: str = ""
    on_standing: tuple[Turn, ...] = ()
    ahead_days: int = 0
    done_by: tuple[tuple[str, tuple[Filter, ...]], ...] = ()
    matching: tuple[str, ...] = ()
    escalate_to: str = ""
    escalate_minutes: int = 0
    mark: Mark = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class Level:
    """A service level: entitlements, duties, and the terms printed on the comparison page."""

    id: str
    title: Text
    rank: int
    entitlements: tuple[Entitlement, ...]
    duties: tuple[Duty, ...]
    terms: tuple[tuple[Text, Text], ...] = ()
    mark: Mark = Mark(0, 0)


# ---- award ------------------------------------------------------------------------------------------------------


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


# ---- examples and the whole -------------------------------------------------------------------------------------

State = Literal["valid", "grace", "locked", "assigned"]  # of a standing
Plain = None | bool | int | str | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True, slots=True)
class Example:
    """A worked case in the file: `given` events in order, `expect` what must come out (canonical English keys).

    `places` tells where each expectation stands: its key (`tier`), or key and id (`grants.welcome_gift`) → mark.
    """

    title: str
    given: tuple[dict[str, Plain], ...]
    expect: dict[str, Plain]
    mark: Mark = Mark(0, 0)
    places: Mapping[str, Mark] = field(default_factory=dict)
    file: str = ""  # "" = the policy's own file


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

    def tier(self, tier_id: str) -> Tier:
        """Return the tier with this id; KeyError when the policy has none."""
        for tier in self.tiers:
            if tier.id == tier_id:
                return tier
        raise KeyError(tier_id)
