"""What a policy's facts measure, and how what was measured becomes values: shared by both evaluators.

One evaluator is SQL (facts_sql.py), for members asked at one position each; the other, here, keeps running aggregates
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

import dataclasses
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from rules.pattern import MAX_INTEGER
from rules.policy import Fact, Filter, Policy, Test, Window
from rules.vocabulary import FIELDS, KINDS, STATUSES, SUBMITTED
from tierengine.judging.decisions import Version
from tierengine.judging.history import Contribution, Position, Scalar
from tierengine.judging.states import States
from tierengine.zone import Bounds, Windows, Zone, years_between

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

    def holds(self, value: Scalar) -> bool:
        """Whether the value passes; an absent one never does."""
        return value is not None and _COMPARE[self.op](value, self.operand)


_COMPARE: Final[dict[str, Callable[[object, object], bool]]] = {
    "at_least": lambda value, operand: value >= operand,  # type: ignore[operator]
    "more_than": lambda value, operand: value > operand,  # type: ignore[operator]
    "at_most": lambda value, operand: value <= operand,  # type: ignore[operator]
    "less_than": lambda value, operand: value < operand,  # type: ignore[operator]
    "is": lambda value, operand: value == operand,
    "is_not": lambda value, operand: value != operand,
    "in": lambda value, operand: value in operand,  # type: ignore[operator]
    "not_in": lambda value, operand: value not in operand,  # type: ignore[operator]
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which contributions count: by kind and by each one's own fields (`rows`), then by what a line nets (`nets`)."""

    kinds: tuple[str, ...]
    rows: tuple[Check, ...]
    nets: tuple[Check, ...]

    def takes(self, contribution: Contribution) -> bool:
        """Whether the contribution's own fields pass (its kind is the caller's to ask)."""
        return all(check.holds(value_of(contribution, check.field, check.type)) for check in self.rows)


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


def value_of(contribution: Contribution, name: str, type_: Type) -> Scalar:
    """Return a field as facts read it, or None when it is absent or of another type."""
    if name == QUANTITY:
        return contribution.qty
    if name == AMOUNT:
        return contribution.amount
    value = contribution.kind if name == KIND else contribution.fields.get(name)
    if type_ == "text":
        return value if isinstance(value, str) else None
    return int(value) if isinstance(value, int) else None


def number_of(contribution: Contribution, name: str) -> int | None:
    """Return a field's signed number, or None when there is none."""
    value = value_of(contribution, name, "net")
    return value if isinstance(value, int) else None


class FactSet:
    """All facts of one policy, prepared: the measures to take, and how they become values. Immutable."""

    def __init__(self, policy: Policy) -> None:
        self.policy: Final = policy
        self.zone: Final = Zone(policy.timezone)
        self._exact = _exact_thresholds(policy)
        self._measures: dict[Measure, int] = {}
        self._plain: list[tuple[str, int]] = []
        self._others: list[tuple[str, _Reader]] = []
        for name, fact in policy.facts.items():
            reader = self._reader(fact)
            if isinstance(reader, int):
                self._plain.append((name, reader))
            else:
                self._others.append((name, reader))
        self.measures: Final = tuple(self._measures)
        self.windows: Final = tuple(dict.fromkeys(measure.window for measure in self.measures))
        self.nothing: Final[tuple[int | None, ...]] = tuple(None if _may_be_absent(one) else 0 for one in self.measures)
        self.groups: Final = self._groups()
        self.by_kind: Final[dict[str, list[int]]] = {}
        for place, (selection, _) in enumerate(self.groups):
            for kind in selection.kinds:
                self.by_kind.setdefault(kind, []).append(place)
        self._bounds = Windows(self.zone, self.windows)

    def bounds(self, at: int, since: int) -> list[Bounds]:
        """Return the bounds of `windows` as asked at an instant."""
        return self._bounds.bounds(at, since)

    def values(self, raw: Raw, states: States, at: int, since: int) -> Values:
        """Return every fact from what was measured (in the order of `measures`)."""
        found: Values = {name: raw[index] for name, index in self._plain}
        if self._others:
            asked = _Asked(self.zone, raw, states, at, since)
            for name, reader in self._others:
                found[name] = reader(asked)
        return found

    def _groups(self) -> list[tuple[Selection, list[tuple[int, list[tuple[int, Measure]]]]]]:
        """Return each selection with its windows (by their places), and with each its measures and their places."""
        found: dict[Selection, dict[Window, list[tuple[int, Measure]]]] = {}
        for place, measure in enumerate(self.measures):
            found.setdefault(measure.selection, {}).setdefault(measure.window, []).append((place, measure))
        return [
            (selection, [(self.windows.index(window), group) for window, group in by_window.items()])
            for selection, by_window in found.items()
        ]

    def _reader(self, fact: Fact) -> int | _Reader:
        """Return the place of the fact's one measure, or a function that makes its value."""
        if fact.how == "ratio":
            return self._ratio(fact)
        if fact.how in ("days_since", "years_since"):
            return lambda asked: asked.since_date(fact.field, years=fact.how == "years_since")
        if fact.how == "fleet":
            checks = tuple(_check(one) for one in fact.where)
            return lambda asked: asked.fleet(checks, fact.window)
        if "_since_" in fact.how:
            unit, _, end = fact.how.split("_")
            place = self._measure(fact, end, "")
            return lambda asked: asked.since_event(place, years=unit == "years")
        if fact.how == "months_with":
            return self._measure(fact, "distinct", "month")
        return self._measure(fact, fact.how, fact.field)

    def _measure(self, fact: Fact, how: str, field: str) -> int:
        kinds, where = _counted(fact)
        checks = tuple(_check(one) for one in where)
        rows = tuple(check for check in checks if check.type != "net")
        nets = tuple(check for check in checks if check.type == "net")
        selection = Selection(kinds, rows, nets)
        measure = Measure(how, "" if how in ("count", "quantity") else field, selection, fact.window)
        return self._measures.setdefault(measure, len(self._measures))

    def _ratio(self, fact: Fact) -> _Reader:
        if fact.over is None or fact.under is None:
            raise ValueError(f"fact {fact.id}: a ratio needs both its sides")
        over, under = _as_reader(self._reader(fact.over)), _as_reader(self._reader(fact.under))
        exact = self._exact.get(fact.id, frozenset())
        return lambda asked: ratio(over(asked), under(asked), exact)


def ratio(over: int | None, under: int | None, exact: frozenset[int]) -> int | None:
    """Return `over` to `under` in basis points, rounded so that the policy's comparisons are exact; base ≤ 0: None.

    Rounded down, `at_least T` and `less_than T` are what cross-multiplication gives for whole T. `more_than T`,
    `at_most T` and `is T` are not: 130.005 % is more than 130 %. `exact` holds the T of such comparisons; between T and
    T + 1 the value is therefore T + 1. (Only a policy that asks `more_than T` and also `at_least T + 1`, a hundredth of
    a percent apart, could tell the difference: no whole number lies between the two.)
    """
    if over is None or under is None or under <= 0:
        return None
    points, rest = divmod(over * 10_000, under)
    if rest and points in exact:
        points += 1
    return max(-MAX_INTEGER, min(MAX_INTEGER, points))


def fact_set(policy: Policy) -> FactSet:
    """Return the policy's facts, prepared once; the last few policies are kept."""
    found = _PREPARED.get(id(policy))
    # The id of a policy that is gone may come again; the prepared set holds its own policy, so the ids of these do not.
    if found is None:
        found = _PREPARED[id(policy)] = FactSet(policy)
        if len(_PREPARED) > _KEPT:
            _PREPARED.popitem(last=False)
    return found


_KEPT: Final = 64
_PREPARED: Final[OrderedDict[int, FactSet]] = OrderedDict()


@dataclass(slots=True)
class _Asked:
    """One position asked, with what was measured for it."""

    zone: Zone
    raw: Raw
    states: States
    at: int
    since: int

    def since_event(self, place: int, *, years: bool) -> int | None:
        instant = self.raw[place]
        return None if instant is None else self._past(self.zone.local_date(instant), years=years)

    def since_date(self, attribute: str, *, years: bool) -> int | None:
        day = self.states.attributes(self.at).get(attribute)
        return self._past(date.fromordinal(day), years=years) if isinstance(day, int) else None

    def _past(self, day: date, *, years: bool) -> int:
        today = self.zone.local_date(self.at)
        return years_between(day, today) if years else (today - day).days

    def fleet(self, checks: tuple[Check, ...], window: Window) -> int:
        always = window.span == "always"
        bounds = None if always else self.zone.window(window, self.at, self.since)
        return self.states.owned(self.at, checks, _holds, bounds)


_Reader = Callable[[_Asked], int | None]


def _as_reader(reader: int | _Reader) -> _Reader:
    if isinstance(reader, int):
        place = reader
        return lambda asked: asked.raw[place]
    return reader


def _holds(checks: tuple[Check, ...], machine: Mapping[str, Scalar]) -> bool:
    for check in checks:
        value = machine.get(check.field)
        if not isinstance(value, str if check.type == "text" else int) or not check.holds(value):
            return False
    return True


def _counted(fact: Fact) -> tuple[tuple[str, ...], tuple[Filter, ...]]:
    """Return the kinds that a fact counts, and its filters but those on the status: of what is handed in those chose.

    A submission that waits counts under a kind of its own, so that nothing has to be said to leave it out.
    """
    checks = [_check(one) for one in fact.where if one.field == STATUS]
    wanted = [one for one in STATUSES if all(check.holds(one) for check in checks)] if checks else ["accepted"]
    ends = {"accepted": "", "submitted": SUBMITTED}
    kinds = {
        kind + ends[status]
        for kind in fact.kinds
        for status in wanted
        if status == "accepted" or (kind in KINDS and KINDS[kind].submission)
    }
    return tuple(sorted(kinds)), tuple(one for one in fact.where if one.field != STATUS)


def _check(filter_: Filter) -> Check:
    type_ = type_of(filter_.field)
    values = filter_.value if isinstance(filter_.value, tuple) else (filter_.value,)
    if type_ == "text":
        # Dates are ISO text in events and ordinal days in policies; as ISO text they keep their order.
        values = tuple(date.fromordinal(one).isoformat() if isinstance(one, int) else one for one in values)
    if any(isinstance(one, str) != (type_ == "text") for one in values):
        raise ValueError(f"field {filter_.field}: {filter_.value!r} is of another type")
    return Check(filter_.field, type_, filter_.op, values if filter_.op in ("in", "not_in") else values[0])


def _exact_thresholds(policy: Policy) -> dict[str, frozenset[int]]:
    """Return, for each fact, the whole numbers that are compared with otherwise than by `at_least` and `less_than`."""
    found: dict[str, set[int]] = {}
    for test in _tests(policy):
        if test.subject.source == "fact" and test.op not in ("at_least", "less_than"):
            operands = test.value if isinstance(test.value, tuple) else (test.value,)
            found.setdefault(test.subject.name, set()).update(one for one in operands if isinstance(one, int))
    return {name: frozenset(values) for name, values in found.items()}


def _tests(value: object) -> Iterator[Test]:
    """Yield every test in a policy, wherever conditions stand in it."""
    if isinstance(value, Test):
        yield value
        return
    parts: Iterable[object] = ()
    if dataclasses.is_dataclass(value):
        parts = (getattr(value, field.name) for field in dataclasses.fields(value))
    elif isinstance(value, Mapping):
        parts = value.values()
    elif isinstance(value, tuple):
        parts = value
    for part in parts:
        yield from _tests(part)


# ---- running aggregates ------------------------------------------------------------------------------------------

_Row = tuple[str, int, int, tuple[int | None, ...], tuple[Scalar, ...]]
"""A contribution as one selection reads it: line, at, qty, the numbers and the values that its measures need."""

_NetChecks = tuple[tuple[int, Check], ...]

_EVER: Final = -(1 << 62)
_NEVER: Final = 1 << 62


class RunningFacts:
    """One member's facts at positions that never go back: each contribution enters once, each window only moves.

    `contributions` are those that stand (resolution.net), in order of `known`; the `at` of one that was told late may
    lie anywhere. A policy version that is asked for the first time in mid-history takes in what has become known so
    far. Implements decisions.FactSource.
    """

    def __init__(self, zone: Zone, contributions: Sequence[Contribution]) -> None:
        self._contributions = contributions
        self._states = States(zone)
        self._known = 0
        self._aggregates: dict[int, _Aggregates] = {}
        self._position: Position = (_EVER, 0, "")

    def facts(self, version: Version, position: Position, since: int) -> Mapping[str, int | None]:
        """Return every fact as of the position, which is not before one that was asked; `since`: start of the tier."""
        self._advance(position)
        prepared = fact_set(version.rules.policy)
        aggregates = self._aggregates.get(id(prepared))
        if aggregates is None:
            aggregates = self._aggregates[id(prepared)] = _Aggregates(prepared)
        raw = aggregates.measured(self._contributions, self._known, position[0], since)
        return prepared.values(raw, self._states, position[0], since)

    def attributes(self, position: Position) -> Mapping[str, int | str | None]:
        """Return the dated attributes as of the position."""
        self._advance(position)
        return dict(self._states.attributes(position[0]))

    def attested(self, version: Version, position: Position) -> frozenset[str]:
        """Return the traits that an attestation in force states on the policy's terms."""
        self._advance(position)
        return self._states.attested(version.rules.policy, position[0])

    def _advance(self, position: Position) -> None:
        if position < self._position:
            raise ValueError(f"facts were asked at {self._position} and then, earlier, at {position}")
        self._position = position
        contributions, known = self._contributions, self._known
        while known < len(contributions) and contributions[known].known <= position:
            self._states.enter(contributions[known])
            known += 1
        self._known = known


class _Aggregates:
    """The measures of one fact set over the contributions entered so far.

    What is measured of a kind is set up when the first contribution of that kind enters: most members have few kinds.
    """

    def __init__(self, prepared: FactSet) -> None:
        self.prepared = prepared
        self._entered = 0
        self._raw: list[int | None] = list(prepared.nothing)
        self._by_kind: dict[str, list[_Selected]] = {}
        self._made: dict[int, _Selected] = {}
        self._frames: list[_Frame] = []
        self._bounds: list[Bounds] = [(_EVER, _EVER)] * len(prepared.windows)

    def _of_kind(self, kind: str) -> list[_Selected]:
        found = self._by_kind.get(kind)
        if found is None:
            found = self._by_kind[kind] = [self._selected(one) for one in self.prepared.by_kind.get(kind, ())]
        return found

    def _selected(self, place: int) -> _Selected:
        selected = self._made.get(place)
        if selected is None:
            selection, groups = self.prepared.groups[place]
            selected = self._made[place] = _Selected(selection, [one for _, group in groups for _, one in group])
            for window, group in groups:
                frame = _Frame(selected, window, _tallies(selected, group, self._raw))
                selected.frames.append(frame)
                self._frames.append(frame)
        return selected

    def measured(self, contributions: Sequence[Contribution], known: int, at: int, since: int) -> Raw:
        """Take in the contributions up to the number `known`, and return all measures as of an instant."""
        for index in range(self._entered, known):
            contribution = contributions[index]
            for selected in self._of_kind(contribution.kind):
                selected.enter(contribution, self._bounds)
        self._entered = known
        self._bounds = bounds = self.prepared.bounds(at, since)
        for frame in self._frames:
            after, upto = bounds[frame.window]
            if after is None:
                after = _EVER
            # Most windows move a little and nothing passes their edges.
            if not (frame.out <= after < frame.next_out and frame.last_in <= upto < frame.next_in):
                frame.move(after, upto)
        return self._raw


class _Selected:
    """The contributions that one selection takes, in order of `at`."""

    def __init__(self, selection: Selection, measures: Iterable[Measure]) -> None:
        self.selection = selection
        self.instants: list[int] = []
        self.rows: list[_Row] = []
        self.frames: list[_Frame] = []
        measures = tuple(measures)
        numbers = [one.field or QUANTITY for one in measures if one.of in ("all", "line") and one.how != "count"]
        self.numbers = tuple(dict.fromkeys([*numbers, *(check.field for check in selection.nets)]))
        self.values = tuple(dict.fromkeys(one.field for one in measures if one.of == "value"))
        self._types = tuple((name, type_of(name)) for name in self.values)

    def enter(self, contribution: Contribution, bounds: Sequence[Bounds]) -> None:
        """Put the contribution in its place, and into every window that holds it: they are at `bounds`."""
        if not self.selection.takes(contribution):
            return
        at = contribution.at
        numbers = tuple([number_of(contribution, name) for name in self.numbers])
        values = tuple([value_of(contribution, name, type_) for name, type_ in self._types])
        row = (contribution.line, at, contribution.qty, numbers, values)
        place = bisect_right(self.instants, at)
        self.instants.insert(place, at)
        self.rows.insert(place, row)
        for frame in self.frames:
            frame.entered(row, *bounds[frame.window])


class _Frame:
    """One window over one selection: the rows from `low` to before `high` are in it.

    Nothing enters or leaves while its ends stay in [out, next_out) and [last_in, next_in).
    """

    __slots__ = ("_high", "_low", "_selected", "_tallies", "last_in", "next_in", "next_out", "out", "window")

    def __init__(self, selected: _Selected, window: int, tallies: list[_Tally]) -> None:
        self.window = window
        self._selected = selected
        self._tallies = tallies
        self._low = self._high = 0
        self.out = self.next_out = self.last_in = self.next_in = _EVER

    def entered(self, row: _Row, after: int | None, upto: int) -> None:
        """Account for a row that was just put among the selected, while the window is (after, upto]."""
        outside = after is not None and row[1] <= after
        if outside:
            self._low += 1
        if row[1] <= upto:
            self._high += 1
            if not outside:
                self._change(row, 1)
        # Look ahead again when next asked.
        self.next_in = _EVER

    def move(self, after: int, upto: int) -> None:
        """Make this the window (after, upto]."""
        instants, rows = self._selected.instants, self._selected.rows
        low, high = self._low, self._high
        if low < high and (instants[high - 1] <= after or instants[low] > upto):
            # Nothing of the old window is in the new one: start again rather than pass over all that lies between.
            for place in range(low, high):
                self._change(rows[place], -1)
            high = low
        if low == high:
            low = high = bisect_right(instants, after)
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
        instants, low, high = self._selected.instants, self._low, self._high
        self.out = instants[low - 1] if low else _EVER
        self.next_out = instants[low] if low < len(instants) else _NEVER
        self.last_in = instants[high - 1] if high else _EVER
        self.next_in = instants[high] if high < len(instants) else _NEVER

    def _change(self, row: _Row, sign: int) -> None:
        for tally in self._tallies:
            tally.change(row, sign)


def _may_be_absent(measure: Measure) -> bool:
    return measure.how in ("max", "min", "first", "last")


def _tallies(selected: _Selected, group: list[tuple[int, Measure]], raw: list[int | None]) -> list[_Tally]:
    """Return what keeps the measures of one window: their values are `raw` at their places."""
    found: list[_Tally] = []
    sums = [(place, one) for place, one in group if one.of == "all"]
    if sums:
        found.append(_Sums(raw, tuple((place, selected.numbers.index(one.field or QUANTITY)) for place, one in sums)))
    checks = tuple((selected.numbers.index(check.field), check) for check in selected.selection.nets)
    lines = [(place, one) for place, one in group if one.of == "line"]
    if lines:
        simple = all(one.how == "count" for _, one in lines)
        found.append(_Count(raw, checks, lines[0][0]) if simple else _Lines(raw, selected, lines))
    for place, one in group:
        if one.of == "value":
            index = selected.values.index(one.field)
            kind = _Distinct if one.how == "distinct" else _Described
            found.append(kind(raw, checks, place, index, one.how))
    moments = {one.how: place for place, one in group if one.of == "moment"}
    if moments:
        found.append(_Moments(raw, checks, moments.get("first"), moments.get("last")))
    return found


class _Tally:
    """Keeps measures while rows enter (sign 1) and leave (sign -1) a window."""

    __slots__ = ("raw",)

    def __init__(self, raw: list[int | None]) -> None:
        self.raw = raw

    def change(self, row: _Row, sign: int) -> None:
        raise NotImplementedError

    def add(self, place: int, number: int) -> None:
        self.raw[place] = (self.raw[place] or 0) + number


class _Sums(_Tally):
    """Sums over all that counts."""

    __slots__ = ("_sums",)

    def __init__(self, raw: list[int | None], sums: tuple[tuple[int, int], ...]) -> None:
        super().__init__(raw)
        self._sums = sums

    def change(self, row: _Row, sign: int) -> None:
        for place, index in self._sums:
            number = row[3][index]
            if number is not None:
                self.add(place, sign * number)


class _Standing(_Tally):
    """Units (lines, or lines with a value) that stand while their quantities sum above 0 and what they net passes.

    `checks` are (index of a number, filter on its net). Where there are any, a unit is
    [rows, quantity, then for each: above 0 while the number is there, and its total].
    """

    __slots__ = ("_checks", "_quantities", "_units")

    def __init__(self, raw: list[int | None], checks: _NetChecks) -> None:
        super().__init__(raw)
        self._checks = checks
        self._quantities: dict[object, int] = {}
        self._units: dict[object, list[int]] = {}

    def turned(self, unit: object, row: _Row, sign: int) -> int:
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

    def _netted(self, unit: object, row: _Row, sign: int) -> int:
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

    def __init__(self, raw: list[int | None], checks: _NetChecks, place: int) -> None:
        super().__init__(raw, checks)
        self._place = place

    def change(self, row: _Row, sign: int) -> None:
        turned = self.turned(row[0], row, sign)
        if turned:
            self.add(self._place, turned)


class _Distinct(_Standing):
    """How many values the standing (line, value) have."""

    __slots__ = ("_index", "_place", "_times")

    def __init__(self, raw: list[int | None], checks: _NetChecks, place: int, index: int, _: str) -> None:
        super().__init__(raw, checks)
        self._place = place
        self._index = index
        self._times: dict[Scalar, int] = {}

    def change(self, row: _Row, sign: int) -> None:
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


class _Described(_Standing):
    """The sum, greatest or least of the numbers that describe standing lines."""

    __slots__ = ("_how", "_index", "_numbers", "_place")

    def __init__(self, raw: list[int | None], checks: _NetChecks, place: int, index: int, how: str) -> None:
        super().__init__(raw, checks)
        self._place = place
        self._index = index
        self._how = how
        self._numbers: list[int] = []

    def change(self, row: _Row, sign: int) -> None:
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

    def __init__(self, raw: list[int | None], checks: _NetChecks, first: int | None, last: int | None) -> None:
        super().__init__(raw, checks)
        self._first = first
        self._last = last
        self._instants: list[int] = []

    def change(self, row: _Row, sign: int) -> None:
        turned = self.turned((row[0], row[1]), row, sign)
        if not turned:
            return
        _put(self._instants, row[1], turned)
        if self._first is not None:
            self.raw[self._first] = self._instants[0] if self._instants else None
        if self._last is not None:
            self.raw[self._last] = self._instants[-1] if self._instants else None


class _Lines(_Tally):
    """Measures of lines by what each nets: counts, sums, extremes, where some lines may fail a filter.

    A line is [rows, quantity, then for each number: above 0 while it is there, and its total].
    """

    __slots__ = ("_checks", "_counts", "_different", "_extremes", "_lines", "_names", "_sums")

    def __init__(self, raw: list[int | None], selected: _Selected, group: list[tuple[int, Measure]]) -> None:
        super().__init__(raw)
        self._names = selected.numbers
        self._lines: dict[str, list[int]] = {}
        offset = {name: 2 + 2 * index for index, name in enumerate(selected.numbers)}
        self._checks = tuple((offset[check.field], check) for check in selected.selection.nets)
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

    def change(self, row: _Row, sign: int) -> None:
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


def _presence(name: str, row: _Row) -> int:
    """Return what a row that carries a number adds to its being there."""
    return 1 if name in (QUANTITY, AMOUNT) else row[2]


def _put(numbers: list[int], number: int, sign: int) -> None:
    """Put a number into a sorted list, or take it out."""
    if sign > 0:
        insort(numbers, number)
    else:
        del numbers[bisect_left(numbers, number)]
