"""How what a policy's facts measure becomes values: each policy's facts, prepared once."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from rules.pattern import MAX_INTEGER
from rules.policy import Fact, Filter, Policy, Test, Window
from rules.vocabulary import KINDS, STATUSES, SUBMITTED
from tierengine.judging.measures import STATUS, Check, Measure, Raw, Selection, Values, check_of, holds_all
from tierengine.judging.states import States
from tierengine.judging.windows import Plan
from tierengine.zone import Bounds, Windows, Zone, add_months, years_between


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
        self.nothing: Final[tuple[int | None, ...]] = tuple(None if one.may_be_absent else 0 for one in self.measures)
        self.groups: Final = self._groups()
        self.plans: Final = tuple(Plan(selection, groups) for selection, groups in self.groups)
        self.by_kind: Final[dict[str, list[int]]] = {}
        for place, (selection, _) in enumerate(self.groups):
            for kind in selection.kinds:
                self.by_kind.setdefault(kind, []).append(place)
        self._bounds = Windows(self.zone, self.windows)
        self.cuts: Final = _cuts(policy)
        self.opaque: set[int] = set()  # measures that ratios of ratios are made of
        self.ratios: Final = self._ratios()
        self._cuts_of: Final[dict[int, list[tuple[int, ...]]]] = {}
        for name, place in self._plain:
            self._cuts_of.setdefault(place, []).append(self.cuts.get(name, ()))

    def bounds(self, at: int, since: int) -> list[Bounds]:
        """Return the bounds of `windows` as asked at an instant."""
        return self._bounds.bounds(at, since)

    def cuts_of(self, place: int) -> Sequence[tuple[int, ...]]:
        """Return the thresholds of each fact that is the measure at a place."""
        return self._cuts_of.get(place, ())

    def ratio(self, name: str, raw: Raw) -> int | None:
        """Return a fact of `ratios` from what was measured."""
        over, under = self.ratios[name]
        return ratio(raw[over], raw[under], self._exact.get(name, frozenset()))

    def _ratios(self) -> dict[str, tuple[int, int]]:
        """Return the places of both sides of each fact that is a ratio of two measures."""
        found = {}
        for name, fact in self.policy.facts.items():
            if fact.how == "ratio" and fact.over is not None and fact.under is not None:
                over, under = self._reader(fact.over), self._reader(fact.under)
                if isinstance(over, int) and isinstance(under, int):
                    found[name] = over, under
                else:
                    self.opaque |= self._places(fact)
        return found

    def _places(self, fact: Fact) -> set[int]:
        """Return the places of all measures that a ratio is made of in the end."""
        if fact.over is not None and fact.under is not None:
            return self._places(fact.over) | self._places(fact.under)
        reader = self._reader(fact)
        return {reader} if isinstance(reader, int) else set()

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
        if fact.how in ("days_to_anniversary", "months_to_anniversary"):
            return lambda asked: asked.to_anniversary(fact.field, months=fact.how == "months_to_anniversary")
        if fact.how in ("days_since", "years_since"):
            return lambda asked: asked.since_date(fact.field, years=fact.how == "years_since")
        if fact.how == "fleet":
            checks = tuple(check_of(one) for one in fact.where)
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
        checks = tuple(check_of(one) for one in where)
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

    def to_anniversary(self, attribute: str, *, months: bool) -> int | None:
        day = self.states.attributes(self.at).get(attribute)
        if not isinstance(day, int):
            return None
        first, today = date.fromordinal(day), self.zone.local_date(self.at)
        if months:
            return (first.month - today.month) % 12
        # 29 February comes on the 28th of a common year, as for duties that fall on such a day.
        this, following = (add_months(first, 12 * (today.year + more - first.year)) for more in (0, 1))
        return ((this if this >= today else following) - today).days

    def _past(self, day: date, *, years: bool) -> int:
        today = self.zone.local_date(self.at)
        return years_between(day, today) if years else (today - day).days

    def fleet(self, checks: tuple[Check, ...], window: Window) -> int:
        if not self.states.any_fleet(self.at):
            return 0  # (without asking the calendar: most members own none)
        always = window.span == "always"
        bounds = None if always else self.zone.window(window, self.at, self.since)
        return self.states.owned(self.at, checks, holds_all, bounds)


_Reader = Callable[[_Asked], int | None]


def _as_reader(reader: int | _Reader) -> _Reader:
    if isinstance(reader, int):
        place = reader
        return lambda asked: asked.raw[place]
    return reader


def _counted(fact: Fact) -> tuple[tuple[str, ...], tuple[Filter, ...]]:
    """Return the kinds that a fact counts, and its filters but those on the status: of what is handed in those chose.

    A submission that waits counts under a kind of its own, so that nothing has to be said to leave it out.
    """
    checks = [check_of(one) for one in fact.where if one.field == STATUS]
    wanted = [one for one in STATUSES if all(check.holds(one) for check in checks)] if checks else ["accepted"]
    ends = {"accepted": "", "submitted": SUBMITTED}
    kinds = {
        kind + ends[status]
        for kind in fact.kinds
        for status in wanted
        if status == "accepted" or (kind in KINDS and KINDS[kind].submission)
    }
    return tuple(sorted(kinds)), tuple(one for one in fact.where if one.field != STATUS)


def _exact_thresholds(policy: Policy) -> dict[str, frozenset[int]]:
    """Return, for each fact, the whole numbers that are compared with otherwise than by `at_least` and `less_than`."""
    found: dict[str, set[int]] = {}
    for test in _tests(policy):
        if test.subject.source == "fact" and test.op not in ("at_least", "less_than"):
            operands = test.value if isinstance(test.value, tuple) else (test.value,)
            found.setdefault(test.subject.name, set()).update(one for one in operands if isinstance(one, int))
    return {name: frozenset(values) for name, values in found.items()}


def _cuts(policy: Policy) -> dict[str, tuple[int, ...]]:
    """Return, for each fact, the whole numbers at which a test of it turns: below one it is as far as above it not."""
    found: dict[str, set[int]] = {}
    for test in _tests(policy):
        if test.subject.source == "fact":
            operands = test.value if isinstance(test.value, tuple) else (test.value,)
            numbers = [one for one in operands if isinstance(one, int)]
            mine = found.setdefault(test.subject.name, set())
            if test.op not in ("more_than", "at_most"):
                mine.update(numbers)
            if test.op not in ("at_least", "less_than"):
                mine.update(one + 1 for one in numbers)
    return {name: tuple(sorted(values)) for name, values in found.items()}


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
