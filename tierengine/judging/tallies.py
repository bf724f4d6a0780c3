"""What keeps a measure while contributions enter a window and leave it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tierengine.judging.history import Position, Scalar
from tierengine.judging.measures import AMOUNT, QUANTITY, Check, Measure

Row = tuple[str, int, int, tuple[int | None, ...], tuple[Scalar, ...], Position]
"""A contribution as one selection reads it: line, at, qty, the numbers and values that its measures need, and known."""

NetChecks = tuple[tuple[int, Check], ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """What the rows of one selection hold besides line, instant and quantity.

    numbers  names of the fields whose numbers are read
    values   names of the fields whose values are told apart
    nets     tests on a line's net numbers, each of one of `numbers`
    """

    numbers: tuple[str, ...]
    values: tuple[str, ...]
    nets: tuple[Check, ...]


Kept = Callable[[list[int | None]], "Tally"]
"""Makes a tally that keeps its measures in a list, at their places."""


def tallies_of(columns: Columns, group: Sequence[tuple[int, Measure]]) -> tuple[Kept, ...]:
    """Return what makes the tallies that keep the measures of one window, given with their places."""
    found: list[Kept] = []
    sums = [(place, one) for place, one in group if one.of == "all"]
    if sums:
        places = tuple((place, columns.numbers.index(one.field or QUANTITY)) for place, one in sums)
        found.append(partial(_Sums, sums=places))
    checks = tuple((columns.numbers.index(check.field), check) for check in columns.nets)
    lines = [(place, one) for place, one in group if one.of == "line"]
    if lines and all(one.how == "count" for _, one in lines):
        found.append(partial(_Count, checks=checks, place=lines[0][0]))
    elif lines:
        found.append(partial(_Lines, columns=columns, group=lines))
    for place, one in group:
        if one.of == "value":
            index = columns.values.index(one.field)
            if one.how == "distinct":
                found.append(partial(_Distinct, checks=checks, place=place, index=index))
            else:
                found.append(partial(_Described, checks=checks, place=place, index=index, how=one.how))
    moments = {one.how: place for place, one in group if one.of == "moment"}
    if moments:
        found.append(partial(_Moments, checks=checks, first=moments.get("first"), last=moments.get("last")))
    return tuple(found)


class Tally(ABC):
    """Keeps measures while rows enter (sign 1) and leave (sign -1) a window."""

    __slots__ = ("raw",)

    def __init__(self, raw: list[int | None]) -> None:
        self.raw = raw

    @abstractmethod
    def change(self, row: Row, sign: int) -> None:
        """Account for a row that enters (sign 1) or leaves (sign -1)."""

    def fill(self, rows: Sequence[Row]) -> None:
        """Account for rows that enter an empty window."""
        for row in rows:
            self.change(row, 1)

    def add(self, place: int, number: int) -> None:
        """Add to the measure at `place`."""
        self.raw[place] = (self.raw[place] or 0) + number


class _Sums(Tally):
    """Sums over all that counts."""

    __slots__ = ("_sums",)

    def __init__(self, raw: list[int | None], sums: tuple[tuple[int, int], ...]) -> None:
        super().__init__(raw)
        self._sums = sums

    def change(self, row: Row, sign: int) -> None:
        raw, numbers = self.raw, row[3]
        for place, index in self._sums:
            number = numbers[index]
            if number:
                raw[place] = (raw[place] or 0) + sign * number

    def fill(self, rows: Sequence[Row]) -> None:
        for place, index in self._sums:
            self.add(place, sum(number for row in rows if (number := row[3][index]) is not None))


class _Standing(Tally):
    """Units (lines, or lines with a value) that stand while their quantities sum above 0 and what they net passes.

    `checks` are (index of a number, filter on its net). Where there are any, a unit is
    [rows, quantity, then for each: above 0 while the number is there, and its total].
    """

    __slots__ = ("_checks", "_quantities", "_units")

    def __init__(self, raw: list[int | None], checks: NetChecks) -> None:
        super().__init__(raw)
        self._checks = checks
        self._quantities: dict[object, int] = {}
        self._units: dict[object, list[int]] = {}

    def turned(self, unit: object, row: Row, sign: int) -> int:
        """Add a row to a unit or take it away; return 1 when the unit came to stand, -1 when it fell, else 0."""
        if self._checks:
            return self._netted(unit, row, sign)
        before = self._quantities.get(unit, 0)
        after = before + sign * row[2]
        if after:
            self._quantities[unit] = after
        elif before:
            del self._quantities[unit]
        return (after > 0) - (before > 0)

    def stand(self, units: Iterable[tuple[object, int]]) -> list[Any]:
        """Take in (unit, quantity), while nothing is in the window and nothing is checked; return what stands."""
        quantities = self._quantities
        for unit, quantity in units:
            quantities[unit] = quantities.get(unit, 0) + quantity
        for unit in [unit for unit, quantity in quantities.items() if not quantity]:
            del quantities[unit]
        return [unit for unit, quantity in quantities.items() if quantity > 0]

    def _netted(self, unit: object, row: Row, sign: int) -> int:
        net = self._units.setdefault(unit, [0, 0] + [0, 0] * len(self._checks))
        before = self._stands(net)
        net[0] += sign
        net[1] += sign * row[2]
        for place, (index, check) in enumerate(self._checks, 1):
            number = row[3][index]
            if number is not None:
                net[2 * place] += sign * _presence(check.field, row)
                net[2 * place + 1] += sign * number
        if not net[0]:
            del self._units[unit]
        return self._stands(net) - before

    def _stands(self, net: list[int]) -> bool:
        return net[1] > 0 and all(
            net[2 * place] > 0 and check.holds(net[2 * place + 1]) for place, (_, check) in enumerate(self._checks, 1)
        )


class _Count(_Standing):
    """How many lines stand."""

    __slots__ = ("_place",)

    def __init__(self, raw: list[int | None], checks: NetChecks, place: int) -> None:
        super().__init__(raw, checks)
        self._place = place

    def change(self, row: Row, sign: int) -> None:
        turned = self.turned(row[0], row, sign)
        if turned:
            self.add(self._place, turned)

    def fill(self, rows: Sequence[Row]) -> None:
        if self._checks:
            super().fill(rows)
            return
        self.add(self._place, len(self.stand((row[0], row[2]) for row in rows)))


class _Distinct(_Standing):
    """How many values the standing (line, value) have."""

    __slots__ = ("_index", "_place", "_times")

    def __init__(self, raw: list[int | None], checks: NetChecks, place: int, index: int) -> None:
        super().__init__(raw, checks)
        self._place = place
        self._index = index
        self._times: dict[Scalar, int] = {}

    def change(self, row: Row, sign: int) -> None:
        value = row[4][self._index]
        if value is None:
            return
        turned = self.turned((row[0], value), row, sign)
        if not turned:
            return
        times = self._times.get(value, 0) + turned
        if times:
            self._times[value] = times
        else:
            del self._times[value]
        if (times, turned) in ((1, 1), (0, -1)):
            self.add(self._place, turned)

    def fill(self, rows: Sequence[Row]) -> None:
        if self._checks:
            super().fill(rows)
            return
        index = self._index
        units = (((row[0], value), row[2]) for row in rows if (value := row[4][index]) is not None)
        self._times = dict(Counter(value for _, value in self.stand(units)))
        self.add(self._place, len(self._times))


class _Described(_Standing):
    """The sum, greatest or least of the numbers that describe standing lines."""

    __slots__ = ("_how", "_index", "_numbers", "_place")

    def __init__(self, raw: list[int | None], checks: NetChecks, place: int, index: int, how: str) -> None:
        super().__init__(raw, checks)
        self._place = place
        self._index = index
        self._how = how
        self._numbers: list[int] = []

    def change(self, row: Row, sign: int) -> None:
        number = row[4][self._index]
        if not isinstance(number, int):
            return
        turned = self.turned((row[0], number), row, sign)
        if not turned:
            return
        if self._how == "sum":
            self.add(self._place, turned * number)
            return
        _put(self._numbers, number, turned)
        end = -1 if self._how == "max" else 0
        self.raw[self._place] = self._numbers[end] if self._numbers else None


class _Moments(_Standing):
    """The first and the last instant of a standing (line, instant)."""

    __slots__ = ("_first", "_instants", "_last")

    def __init__(self, raw: list[int | None], checks: NetChecks, first: int | None, last: int | None) -> None:
        super().__init__(raw, checks)
        self._first = first
        self._last = last
        self._instants: list[int] = []

    def change(self, row: Row, sign: int) -> None:
        turned = self.turned((row[0], row[1]), row, sign)
        if not turned:
            return
        _put(self._instants, row[1], turned)
        self._tell()

    def fill(self, rows: Sequence[Row]) -> None:
        if self._checks:
            super().fill(rows)
            return
        self._instants = sorted(instant for _, instant in self.stand(((row[0], row[1]), row[2]) for row in rows))
        self._tell()

    def _tell(self) -> None:
        if self._first is not None:
            self.raw[self._first] = self._instants[0] if self._instants else None
        if self._last is not None:
            self.raw[self._last] = self._instants[-1] if self._instants else None


class _Lines(Tally):
    """Measures of lines by what each nets: counts, sums, extremes, where some lines may fail a filter.

    A line is [rows, quantity, then for each number: above 0 while it is there, and its total].
    """

    __slots__ = ("_checks", "_counts", "_different", "_extremes", "_lines", "_names", "_sums")

    def __init__(self, raw: list[int | None], columns: Columns, group: Sequence[tuple[int, Measure]]) -> None:
        super().__init__(raw)
        self._names = columns.numbers
        self._lines: dict[str, list[int]] = {}
        offset = {name: 2 + 2 * index for index, name in enumerate(columns.numbers)}
        self._checks = tuple((offset[check.field], check) for check in columns.nets)
        self._counts = tuple(place for place, one in group if one.how == "count")
        self._sums = tuple(
            (place, offset[one.field or QUANTITY]) for place, one in group if one.how in ("sum", "quantity")
        )
        self._extremes: tuple[tuple[int, int, int, list[int]], ...] = tuple(
            (place, offset[one.field], -1 if one.how == "max" else 0, [])
            for place, one in group
            if one.how in ("max", "min")
        )
        self._different: tuple[tuple[int, int, dict[int, int]], ...] = tuple(
            (place, offset[one.field], {}) for place, one in group if one.how == "distinct"
        )

    def change(self, row: Row, sign: int) -> None:
        line = self._lines.get(row[0])
        if line is None:
            line = self._lines[row[0]] = [0, 0] + [0, 0] * len(self._names)
        else:
            self._effect(line, -1)
        line[0] += sign
        line[1] += sign * row[2]
        for index, number in enumerate(row[3]):
            if number is not None:
                line[2 + 2 * index] += sign * _presence(self._names[index], row)
                line[3 + 2 * index] += sign * number
        if line[0]:
            self._effect(line, 1)
        else:
            del self._lines[row[0]]
        for place, _, end, numbers in self._extremes:
            self.raw[place] = numbers[end] if numbers else None
        for place, _, times in self._different:
            self.raw[place] = len(times)

    def _effect(self, line: list[int], sign: int) -> None:
        for offset, check in self._checks:
            if line[offset] <= 0 or not check.holds(line[offset + 1]):
                return
        for place, offset in self._sums:
            self.add(place, sign * line[offset + 1])
        if line[1] <= 0:
            return
        for place in self._counts:
            self.add(place, sign)
        for _, offset, _, numbers in self._extremes:
            if line[offset] > 0:
                _put(numbers, line[offset + 1], sign)
        for _, offset, times in self._different:
            if line[offset] > 0:
                number = line[offset + 1]
                times[number] = times.get(number, 0) + sign
                if not times[number]:
                    del times[number]


def _presence(name: str, row: Row) -> int:
    """Return what a row that carries a number adds to its being there."""
    return 1 if name in (QUANTITY, AMOUNT) else row[2]


def _put(numbers: list[int], number: int, sign: int) -> None:
    """Put a number into a sorted list, or take it out."""
    if sign > 0:
        insort(numbers, number)
    else:
        del numbers[bisect_left(numbers, number)]
