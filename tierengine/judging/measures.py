"""What a policy's facts measure: fields, filters, selections, measures; shared by both evaluators.

One evaluator is SQL (facts_sql.py), for members asked at one position each; the other (running.py) keeps aggregates
for one member asked at many. A property test holds both equal to a naive oracle. The meaning, with what judging.md
leaves open:

- A contribution counts in a fact as of P when it is known by P, its `at` is in the fact's window, its kind is among the
  fact's kinds, and the fact's filters hold.
- A line stands while its quantities, of what counts, sum above 0. `distinct` and `months_with` ask the same of each
  (line, value), and the first and last of each (line, instant): a corrected line stands with its new value only.
- `distinct` of money, quantity or days counts the different nets of standing lines.
- `sum` of money, quantity or days, and `quantity`, are over all that counts, standing or not, so that a return that
  names no sale lowers them. Other numbers (a score, hours, seats) describe their line, and what takes it back carries
  them unchanged: `sum`, `max` and `min` of them are over the standing (line, value).
- A filter on money, quantity or days asks what the line nets: a line of 1 500 of which 600 came back is one of 900. A
  filter on anything else asks each contribution; what takes back carries its line's other fields unchanged.
- A line has a number while the quantities of those of its contributions that carry it sum above 0 (quantity and amount
  it always has): what a correction no longer says is absent.
- A filter or measure of an absent field does not count. Fields have the types of the vocabulary.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from operator import attrgetter
from typing import Any, Final, Literal

from rules.policy import Filter, Window
from rules.vocabulary import FIELDS
from tierengine.judging.history import Contribution, Scalar

Values = dict[str, int | None]
Raw = Sequence[int | None]
Type = Literal["net", "number", "text"]
Of = Literal["all", "line", "value", "moment"]
Operand = int | str | tuple[int | str, ...]

QUANTITY: Final = "qty"
AMOUNT: Final = "amount"
KIND: Final = "kind"
STATUS: Final = "status"

_LINE_MEASURES: Final = ("count", "max", "min")


def type_of(name: str) -> Type:
    """Return how a field is read: as a number that a line nets, as any other number, or as text (ISO dates too)."""
    if name in (QUANTITY, AMOUNT):
        return "net"
    known = FIELDS.get(name)
    if known is None:
        return "text"
    if known.type == "money" or name == "days":
        return "net"
    return "number" if known.type in ("int", "bool") else "text"


@dataclass(frozen=True, slots=True)
class Check:
    """A filter, ready to be asked: its operand has the type of the field."""

    field: str
    type: Type
    op: str
    operand: Operand

    def holds(self, value: str | int) -> bool:
        """Whether the value passes. (An absent one never does: nobody asks for it.)"""
        return _COMPARE[self.op](value, self.operand)


_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "at_least": operator.ge,
    "more_than": operator.gt,
    "at_most": operator.le,
    "less_than": operator.lt,
    "is": operator.eq,
    "is_not": operator.ne,
    "in": lambda value, operand: value in operand,
    "not_in": lambda value, operand: value not in operand,
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which contributions count: by kind and by each one's own fields (`rows`), then by what a line nets (`nets`)."""

    kinds: tuple[str, ...]
    rows: tuple[Check, ...]
    nets: tuple[Check, ...]

    def taker(self) -> Callable[[Contribution], bool]:
        """Return what tells whether a contribution's own fields pass (its kind is the caller's to ask)."""
        ready = tuple((reader(one.field, one.type), _COMPARE[one.op], one.operand) for one in self.rows)
        if not ready:
            return lambda _: True
        if len(ready) == 1:
            only, passes, wanted = ready[0]
            return lambda contribution: (value := only(contribution)) is not None and bool(passes(value, wanted))

        def takes(contribution: Contribution) -> bool:
            for read, compare, operand in ready:
                value = read(contribution)
                if value is None or not compare(value, operand):
                    return False
            return True

        return takes

    def taken(self, contributions: Sequence[Contribution]) -> Sequence[Contribution]:
        """Return those that it takes, check by check."""
        for check in self.rows:
            passes, operand = _COMPARE[check.op], check.operand
            values = column_of(contributions, check.field, check.type)
            pairs = zip(contributions, values, strict=True)
            contributions = [one for one, value in pairs if value is not None and passes(value, operand)]
        return contributions


@dataclass(frozen=True, slots=True)
class Measure:
    """One number to be aggregated over a selection within a window; facts with equal measures share it.

    how   count, quantity, sum, max, min, distinct (months_with: of the field `month`), first, last (instants)
    """

    how: str
    field: str
    selection: Selection
    window: Window

    @property
    def may_be_absent(self) -> bool:
        """Whether there may be no such number: an extreme or an instant of nothing."""
        return self.how in ("max", "min", "first", "last")

    @property
    def of(self) -> Of:
        """What it is aggregated over: all contributions, lines, (line, value) or (line, instant)."""
        if self.how == "distinct":
            # What takes back says a number with the other sign: only the line knows what is left of it.
            return "line" if type_of(self.field) == "net" else "value"
        if self.field and type_of(self.field) == "number":
            return "value"
        if self.how in ("first", "last"):
            return "moment"
        return "line" if self.how in _LINE_MEASURES or self.selection.nets else "all"


@cache
def reader(name: str, type_: Type) -> Callable[[Contribution], Scalar]:
    """Return what reads a field as facts do: None when it is absent or of another type."""
    if name in (QUANTITY, AMOUNT, KIND):
        return attrgetter(name)
    if type_ == "text":

        def text(contribution: Contribution) -> Scalar:
            value = contribution.fields.get(name)
            return value if isinstance(value, str) else None

        return text
    return number_reader(name)


def column_of(contributions: Sequence[Contribution], name: str, type_: Type) -> Sequence[Any]:
    """Return what `reader` reads of each."""
    if name == QUANTITY:
        return [one.qty for one in contributions]
    if name == AMOUNT:
        return [one.amount for one in contributions]
    if name == KIND:
        values: list[Scalar] = [one.kind for one in contributions]
    else:
        values = [one.fields.get(name) for one in contributions]
    if type_ == "text":
        return [value if isinstance(value, str) else None for value in values]
    return [int(value) if isinstance(value, int) else None for value in values]


@cache
def number_reader(name: str) -> Callable[[Contribution], int | None]:
    """Return what reads a field's signed number, None when there is none."""
    if name in (QUANTITY, AMOUNT):
        return attrgetter(name)

    def number(contribution: Contribution) -> int | None:
        value = contribution.fields.get(name)
        return int(value) if isinstance(value, int) else None

    return number


def holds_all(checks: tuple[Check, ...], machine: Mapping[str, Scalar]) -> bool:
    """Whether a machine passes all the filters."""
    for check in checks:
        value = machine.get(check.field)
        if not isinstance(value, str if check.type == "text" else int) or not check.holds(value):
            return False
    return True


def check_of(filter_: Filter) -> Check:
    """Return a filter of the policy, ready to be asked. Raises ValueError for an operand of another type."""
    type_ = type_of(filter_.field)
    values = filter_.value if isinstance(filter_.value, tuple) else (filter_.value,)
    if type_ == "text":
        # Dates are ISO text in events and ordinal days in policies; as ISO text they keep their order.
        values = tuple(date.fromordinal(one).isoformat() if isinstance(one, int) else one for one in values)
    if any(isinstance(one, str) != (type_ == "text") for one in values):
        raise ValueError(f"field {filter_.field}: {filter_.value!r} is of another type")
    return Check(filter_.field, type_, filter_.op, values if filter_.op in ("in", "not_in") else values[0])
