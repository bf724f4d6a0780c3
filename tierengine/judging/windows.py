"""One selection's contributions in order of time, and windows that move over them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from tierengine.judging.history import Contribution, Position
from tierengine.judging.measures import QUANTITY, Measure, Selection, column_of, number_reader, reader, type_of
from tierengine.judging.tallies import Columns, Row, Tally, tallies_of
from tierengine.zone import Bounds

MANY: Final = 16
"""More rows than these enter an empty window together."""
EVER: Final = -(1 << 62)
NEVER: Final = 1 << 62
_at: Final = itemgetter(1)


Group = tuple[int, Sequence[tuple[int, Measure]]]
"""The place of a window, and the measures taken within it with their places."""


class Plan:
    """How the contributions of one selection are read and what keeps its measures, worked out once for all members."""

    __slots__ = ("columns", "frames", "numbers", "selection", "takes", "values")

    def __init__(self, selection: Selection, groups: Sequence[Group]) -> None:
        self.selection = selection
        self.takes = selection.taker()
        measures = [one for _, group in groups for _, one in group]
        wanted = [one.field or QUANTITY for one in measures if one.of in ("all", "line") and one.how != "count"]
        numbers = tuple(dict.fromkeys([*wanted, *(check.field for check in selection.nets)]))
        values = tuple(dict.fromkeys(one.field for one in measures if one.of == "value"))
        self.columns = Columns(numbers, values, tuple(selection.nets))
        self.numbers = tuple(map(number_reader, numbers))
        self.values = tuple(reader(name, type_of(name)) for name in values)
        self.frames = tuple((window, tallies_of(self.columns, group)) for window, group in groups)


class Selected:
    """The contributions that one selection takes, in order of `at`, and the windows over them, measured in `raw`."""

    __slots__ = ("_numbers", "_plan", "_takes", "_values", "apart", "frames", "instants", "rows", "selection")

    def __init__(self, plan: Plan, raw: list[int | None]) -> None:
        self.instants: list[int] = []
        self.rows: list[Row] = []
        self.apart = 0  # how many rows became known at another instant than their own
        self._plan, self.selection, self._takes = plan, plan.selection, plan.takes
        self._numbers, self._values = plan.numbers, plan.values
        # (A frame holds the lists and not this object: in a cycle both would wait for the collector to be freed.)
        self.frames = [
            Frame(self.instants, self.rows, window, [kept(raw) for kept in tallies]) for window, tallies in plan.frames
        ]

    def enter(self, contribution: Contribution, bounds: Sequence[Bounds]) -> None:
        """Put the contribution in its place, and into every window that holds it: they are at `bounds`."""
        if not self._takes(contribution):
            return
        row = self._row(contribution)
        at, instants = row[1], self.instants
        if not instants or instants[-1] <= at:  # nearly always
            instants.append(at)
            self.rows.append(row)
        else:
            place = bisect_right(instants, at)
            instants.insert(place, at)
            self.rows.insert(place, row)
        self.apart += at != row[5][0]
        last = instants[-1] == at
        for frame in self.frames:
            frame.entered(row, *bounds[frame.window], last=last)

    def begin(self, contributions: Sequence[Contribution]) -> None:
        """Put all these in their places at once, in order of `known`, while nothing is here and no window was asked."""
        rows = self._rows(self.selection.taken(contributions))
        rows.sort(key=_at)  # (in its order, who came later stands behind)
        self._hold(rows)
        self.apart = sum([row[1] != row[5][0] for row in rows])

    def leave(self, contribution: Contribution, bounds: Sequence[Bounds]) -> None:
        """Undo `enter`, of the contribution that entered last among those that are left."""
        if not self._takes(contribution):
            return
        row = self._row(contribution)
        place = bisect_right(self.instants, row[1]) - 1
        while self.rows[place] != row:
            place -= 1
        del self.instants[place], self.rows[place]
        self.apart -= row[1] != row[5][0]
        for frame in self.frames:
            frame.left(row, *bounds[frame.window])

    def take(self, other: Selected, upto: Position) -> None:
        """Take the rows of the same selection that are known by a position, while no window is over these yet."""
        if other.apart:
            self._hold([row for row in other.rows if row[5] <= upto])
            self.apart = sum(row[1] != row[5][0] for row in self.rows)
            return
        before, after = (find(other.instants, upto[0]) for find in (bisect_left, bisect_right))
        self.rows[:] = other.rows[:before] + [row for row in other.rows[before:after] if row[5] <= upto]
        self.instants[:] = other.instants[: len(self.rows)]

    def _hold(self, rows: list[Row]) -> None:
        self.rows[:] = rows
        self.instants[:] = [row[1] for row in rows]

    def _rows(self, contributions: Sequence[Contribution]) -> list[Row]:
        """Return what `_row` returns of each, column by column."""
        named = self._plan.columns
        columns = [column_of(contributions, name, "net") for name in named.numbers]
        numbers = [tuple(one) for one in zip(*columns, strict=True)] if columns else [()] * len(contributions)
        columns = [column_of(contributions, name, type_of(name)) for name in named.values]
        values = [tuple(one) for one in zip(*columns, strict=True)] if columns else [()] * len(contributions)
        return [
            (one.line, one.at, one.qty, number, value, one.known)
            for one, number, value in zip(contributions, numbers, values, strict=True)
        ]

    def _row(self, contribution: Contribution) -> Row:
        numbers = tuple([read(contribution) for read in self._numbers]) if self._numbers else ()
        values = tuple([read(contribution) for read in self._values]) if self._values else ()
        return (contribution.line, contribution.at, contribution.qty, numbers, values, contribution.known)


class Frame:
    """One window over one selection: the rows from `low` to before `high` are in it.

    Nothing enters or leaves while its ends stay in [out, next_out) and [last_in, next_in).
    """

    __slots__ = ("_high", "_instants", "_low", "_rows", "_tallies", "last_in", "next_in", "next_out", "out", "window")

    def __init__(self, instants: list[int], rows: list[Row], window: int, tallies: list[Tally]) -> None:
        self.window = window
        self._instants, self._rows = instants, rows
        self._tallies = tallies
        self._low = self._high = 0
        self.out = self.next_out = self.last_in = self.next_in = EVER

    def entered(self, row: Row, after: int | None, upto: int, *, last: bool) -> None:
        """Account for a row that was just put among the selected, the last one or not; the window is (after, upto]."""
        at = row[1]
        outside = after is not None and at <= after
        if outside:
            self._low += 1
        if at <= upto:
            self._high += 1
            if not outside:
                for tally in self._tallies:
                    tally.change(row, 1)
                if last and self.next_in == NEVER:  # nearly always: it came behind all that was in
                    self.last_in = at
                    if self._high - self._low == 1:
                        self.next_out = at
                    return
        # Look ahead again when next asked.
        self.next_in = EVER

    def left(self, row: Row, after: int | None, upto: int) -> None:
        """Account for a row that was just taken from the selected, while the window is (after, upto]."""
        outside = after is not None and row[1] <= after
        if outside:
            self._low -= 1
        if row[1] <= upto:
            self._high -= 1
            if not outside:
                self._change(row, -1)
        self.next_in = EVER

    def move(self, after: int, upto: int) -> None:
        """Make this the window (after, upto]."""
        instants, rows = self._instants, self._rows
        low, high = self._low, self._high
        if low < high and (instants[high - 1] <= after or instants[low] > upto):
            # Nothing of the old window is in the new one: start again rather than pass over all that lies between.
            for place in range(low, high):
                self._change(rows[place], -1)
            high = low
        if low == high:
            low = high = bisect_right(instants, after)
            upper = bisect_right(instants, upto, low)
            if upper - low > MANY:
                entering, high = rows[low:upper], upper
                for tally in self._tallies:
                    tally.fill(entering)
        # First what comes in, then what goes: a line's quantities are never of a window that nobody asked for.
        while high < len(instants) and instants[high] <= upto:
            self._change(rows[high], 1)
            high += 1
        while low > 0 and instants[low - 1] > after:
            low -= 1
            self._change(rows[low], 1)
        while high > low and instants[high - 1] > upto:
            high -= 1
            self._change(rows[high], -1)
        while low < high and instants[low] <= after:
            self._change(rows[low], -1)
            low += 1
        self._low, self._high = low, high
        self._look_ahead()

    def _look_ahead(self) -> None:
        instants, low, high = self._instants, self._low, self._high
        self.out = instants[low - 1] if low else EVER
        self.next_out = instants[low] if low < len(instants) else NEVER
        self.last_in = instants[high - 1] if high else EVER
        self.next_in = instants[high] if high < len(instants) else NEVER

    def _change(self, row: Row, sign: int) -> None:
        for tally in self._tallies:
            tally.change(row, sign)
