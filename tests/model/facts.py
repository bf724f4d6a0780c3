"""What the rows say of a member at a position: facts, attributes, attestations, conditions."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any

from rules import policy as ast
from tests.model.dates import day_of, days_later, instant, months_later, start_of, wall
from tests.model.rows import Position, Row, number

WORDS = ("promotion_confirmed", "tier_assigned", "tier_locked")


@lru_cache(maxsize=10_000)
def window(zone: str, asked: ast.Window, at: int, since: int) -> tuple[float, int]:
    """(from, upto]."""
    clock = wall(zone, at)

    def back(times: int) -> int:
        if asked.months:
            day = months_later(clock.date(), -asked.months * times)
        else:
            day = days_later(clock.date(), -asked.days * times)
        return instant(zone, datetime.combine(day, clock.time()))

    if asked.span == "always":
        return float("-inf"), at
    if asked.span == "since_tier":
        return min(since - 1, at), at
    if asked.span == "rolling":
        return back(1), at
    if asked.span == "preceding":
        return back(2), back(1)
    months = 12 if asked.span.endswith("year") else 3
    first = clock.date().replace(month=(clock.month - 1) // months * months + 1, day=1)
    if asked.span.startswith("this"):
        return start_of(zone, first) - 1, at
    return start_of(zone, months_later(first, -months)) - 1, start_of(zone, first) - 1


def fact(zone: str, asked: ast.Fact, rows: Sequence[Row], position: Position, since: int) -> Any:
    if asked.how == "ratio":
        over, under = (fact(zone, one, rows, position, since) for one in (asked.over, asked.under) if one is not None)
        return None if over is None or under is None or under <= 0 else Fraction(over * 10_000, under)
    start, upto = window(zone, asked.window, position[0], since if asked.window.span == "since_tier" else 0)
    chosen = [
        row
        for row in rows
        if row.kind in asked.kinds
        and row.known <= position
        and start < row.at <= upto
        and all(passes(one, row.fields) for one in asked.where)
    ]

    def stand(*identity: str) -> set[Any]:
        read = operator.attrgetter(*identity)
        return {read(row) for row in chosen if sum(one.qty for one in chosen if read(one) == read(row)) > 0}

    if asked.how == "count":
        return len(stand("line"))
    if asked.how == "quantity":
        return sum(row.qty for row in chosen)
    if asked.how == "sum":
        return sum(number(row, asked.field) for row in chosen)
    if asked.how in ("max", "min"):
        nets = [sum(number(row, asked.field) for row in chosen if row.line == line) for line in stand("line")]
        return (max if asked.how == "max" else min)(nets, default=None)
    if asked.how in ("distinct", "months_with"):
        name = "month" if asked.how == "months_with" else asked.field
        lines = stand("line")
        return len({row.fields[name] for row in chosen if row.line in lines and row.fields.get(name) is not None})
    days = [(day_of(zone, position[0]) - day_of(zone, at)).days for _, at in stand("line", "at")]
    return (max if asked.how == "days_since_first" else min)(days, default=None)


def words_of(rows: Sequence[Row], position: Position, kind: str) -> list[Row]:
    """What was said by then and is not taken back, in order of its date."""
    known = [row for row in rows if row.known <= position and row.at <= position[0] and row.kind == kind]
    standing = [row for row in known if sum(one.qty for one in known if one.line == row.line) > 0 and row.qty > 0]
    return sorted(standing, key=lambda row: (row.at, row.known))


def attributes(rows: Sequence[Row], position: Position) -> dict[str, Any]:
    found = {}
    for kind, source, name in (
        ("segment_set", "segment", "segment"),
        ("overdue_changed", "overdue_days", "overdue_days"),
        ("manager_assigned", "manager", "account_manager"),
    ):
        for row in words_of(rows, position, kind):
            found[name] = row.fields.get(source)
    return found


def attested(zone: str, policy: ast.Policy, rows: Sequence[Row], position: Position) -> set[str]:
    found = set()
    for row in words_of(rows, position, "attestation"):
        trait = policy.traits.get(row.fields["trait"])
        if trait is None or trait.attested is None or row.fields["stated_role"] not in trait.attested.by:
            continue
        manager = attributes([one for one in rows if one.at <= row.at], row.known).get("account_manager")
        if trait.attested.not_own_manager and manager == row.fields["stated_by"]:
            continue
        last = months_later(day_of(zone, row.at), trait.attested.valid_months)
        if row.fields.get("valid_until"):
            last = min(last, date.fromisoformat(row.fields["valid_until"]))
        if day_of(zone, position[0]) <= last:
            found.add(trait.id)
    return found


# ---- conditions --------------------------------------------------------------------------------------------------


def compare(value: Any, how: str, wanted: Any) -> bool:
    if value is None or value == "":
        return False
    if how in ("in", "not_in"):
        return (value in wanted) == (how == "in")
    asked = {"at_least": "ge", "more_than": "gt", "at_most": "le", "less_than": "lt", "is": "eq", "is_not": "ne"}[how]
    return bool(getattr(operator, asked)(value, wanted))


def passes(test: ast.Filter, fields: Mapping[str, Any]) -> bool:
    return compare(fields.get(test.field), test.op, test.value)


@dataclass(frozen=True)
class Seen:
    """All that conditions may read at one position."""

    facts: Mapping[str, Any]
    attributes: Mapping[str, Any]
    met: frozenset[str]
    tier: str | None


def holds(condition: ast.Condition | None, seen: Seen, line: Mapping[str, Any]) -> bool:
    match condition:
        case None:
            return True
        case ast.AllOf(parts):
            return all(holds(part, seen, line) for part in parts)
        case ast.AnyOf(parts):
            return any(holds(part, seen, line) for part in parts)
        case ast.NoneOf(parts):
            return not any(holds(part, seen, line) for part in parts)
        case ast.CountOf(least, parts):
            return sum(holds(part, seen, line) for part in parts) >= least
    value = {
        "fact": lambda name: seen.facts[name],
        "attribute": seen.attributes.get,
        "field": line.get,
        "trait": lambda name: int(name in seen.met),
        "traits": lambda _: len(seen.met & set(condition.subject.of) if condition.subject.of else seen.met),
        "tier": lambda _: seen.tier,
    }[condition.subject.source](condition.subject.name)
    return compare(value, condition.op, condition.value)
