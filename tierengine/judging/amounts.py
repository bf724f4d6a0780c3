"""Amounts of rewards: fixed, by class, on ladders, per so much of a base. Pure integer arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from rules.inputs import day_of, is_date
from rules.policy import Amount, ByClass, Filter, Fixed, Ladder, PerAmount, Rung
from tierengine.judging.history import Contribution, Scalar


def holds(test: Filter, value: Scalar) -> bool:
    """Tell whether a filter holds on a value; on an absent one none does."""
    if is_date(test.field):
        value = day_of(test.field, value)
    if value is None:
        return False
    want = test.value
    if test.op == "in":
        return isinstance(want, tuple) and value in want
    if test.op == "not_in":
        return isinstance(want, tuple) and value not in want
    if test.op == "is":
        return value == want
    if test.op == "is_not":
        return value != want
    if not isinstance(value, int) or not isinstance(want, int):
        return False
    return {
        "at_least": value >= want,
        "more_than": value > want,
        "at_most": value <= want,
        "less_than": value < want,
    }[test.op]


def plain_amount(amount: Amount, fields: Mapping[str, Scalar]) -> Fixed | PerAmount | Ladder:
    """Resolve an amount by class for an event with these fields."""
    return chosen_amount(amount, choose(amount, fields))


def choose(amount: Amount, fields: Mapping[str, Scalar]) -> str:
    """Return the place of the class of an event with these fields, such as "0" ("-": of none), "" without classes."""
    places: list[str] = []
    while isinstance(amount, ByClass):
        fitting = (
            place
            for place, (_, filters, _) in enumerate(amount.classes)
            if all(holds(test, fields.get(test.field)) for test in filters)
        )
        places.append(str(next(fitting, "-")))
        amount = _inner(amount, places[-1])
    return "/".join(places)


def chosen_amount(amount: Amount, chosen: str) -> Fixed | PerAmount | Ladder:
    """Return the amount that `choose` chose."""
    places = iter(chosen.split("/"))
    while isinstance(amount, ByClass):
        amount = _inner(amount, next(places))
    return amount


def _inner(amount: ByClass, place: str) -> Amount:
    return amount.otherwise if place == "-" else amount.classes[int(place)][2]


def base_field(amount: Fixed | PerAmount | Ladder) -> str:
    """Return the line field that makes the base of a per-amount reward, else ""."""
    return amount.base if isinstance(amount, PerAmount) else ""


def value_of(amount: Fixed | PerAmount | Ladder, nth: int, base: int) -> int:
    """Return what the `nth` occurrence with this base earns, before caps over several events."""
    if isinstance(amount, Fixed):
        return amount.amount
    if isinstance(amount, Ladder):
        return _rung(amount, nth)
    value = _per(amount, base - amount.above)
    return value if amount.cap is None else min(value, amount.cap)


def value_of_lines(amount: Fixed | PerAmount | Ladder, nth: int, bases: Sequence[int]) -> int:
    """Return what lines with these bases earn together: rounded once, or line by line where the policy says so."""
    if not per_line(amount):
        return value_of(amount, nth, sum(bases))
    value = sum(_per(amount, base) for base in bases)
    return value if amount.cap is None else min(value, amount.cap)


def per_line(amount: Fixed | PerAmount | Ladder) -> TypeGuard[PerAmount]:
    """Whether an amount is rounded for each line by itself."""
    return isinstance(amount, PerAmount) and amount.rounded_per == "line"


def _per(amount: PerAmount, base: int) -> int:
    if base <= 0:
        return 0
    if amount.rounding == "half_up":
        return (2 * base * amount.give + amount.each) // (2 * amount.each)
    if amount.proportional:
        return base * amount.give // amount.each
    return base // amount.each * amount.give


def _rung(ladder: Ladder, nth: int) -> int:
    every = max((rung for rung in ladder.rungs if rung.every and nth % rung.every == 0), default=None, key=_width)
    if every is not None:
        return every.amount
    for rung in ladder.rungs:
        if not rung.every and rung.first <= nth and (rung.last is None or nth <= rung.last):
            return rung.amount
    return 0


def _width(rung: Rung) -> int:
    return rung.every


def base_of(amount: Fixed | PerAmount | Ladder, line: Contribution) -> int:
    """Return what a line adds to the base of an amount."""
    paid = measure(line, "credit") if isinstance(amount, PerAmount) and amount.less_credit else 0
    return measure(line, base_field(amount)) - paid


def measure(line: Contribution, field: str) -> int:
    """Return a number of a line: its amount, or a numeric field."""
    if field in ("", "amount"):
        return line.amount
    value = line.fields.get(field)
    return value if isinstance(value, int) else 0
