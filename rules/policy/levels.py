"""Service levels: what a member may claim, and what the dealer owes him."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rules.policy.conditions import Filter
from rules.policy.text import Mark, Text


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
