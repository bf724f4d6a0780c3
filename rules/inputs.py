"""What a judgement is given, and how it becomes the engine's rows.

Absence is encoded here and nowhere else, inside the value's own field. An absent number is one below all others; what
may be absent must be above it (2,800 milliards of yuan in debt). An absent text is the empty one, and so an empty text
counts as absent. Every test that would be true of these says that they must not be it, so that no test holds of an
absent value. A second field for the presence would say the same, but the engine asks alternatives one by one, and
`none` of nine tests on two fields each has 512 of them, on one field each it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter, itemgetter
from typing import Any, Final, Literal, TypeAlias

from rules.pattern import FactRefused, Field
from rules.policy import How, Mark, Policy, Scalar, Source, Subject, Test
from rules.vocabulary import FIELDS

Value: TypeAlias = int | str | None
Values: TypeAlias = Mapping[str, Value]
Row: TypeAlias = list[int | str]
Slot: TypeAlias = Literal["tier", "before", "after", "order"]
"""Which standing tier: the attribute of `Inputs` or of `StandingTiers` that holds it."""

# Not the lowest number there is: the engine checks the range of a row by its length as a vector, which many of those
# would make too long.
ABSENT: Final = -(2**48)
ABSENT_TEXT: Final = ""

NEVER_ABSENT: Final[frozenset[How]] = frozenset(("count", "quantity", "sum", "distinct", "months_with", "fleet"))
"""Of nothing these are 0; every other kind of fact has no value then."""

SECTIONS: Final[tuple[Source, ...]] = ("fact", "attribute", "trait", "traits", "tier", "field")
"""The order of a row: what is the same for all lines of an event first, the line's own values last."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is known of one member at one position.

    `facts` and `attributes` hold at least what the ruleset asks for; None is absent, and so is an attribute that is
    missing. `attested` are the traits with an attestation in force. `tier` is the standing tier for the conditions of
    lists, wallets and awards that read it; None: absent.
    """

    facts: Mapping[str, int | None]
    attributes: Values
    attested: frozenset[str] = frozenset()
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class StandingTiers:
    """Ids of the standing tier before and after an event, and right after the order that it names."""

    before: str | None
    after: str | None
    order: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What holds of a member at one position; the tuples are in rank order.

    met        ids of the traits that are met, by condition or attestation
    degrees    the degrees of traits that hold, each as `trait.degree`
    tiers      whether the tier's `when` holds and its `unless` does not; the lowest tier is everybody's
    when       whether `when` holds (without a condition: the lowest only)
    excluded   whether `unless` holds
    lists      ids of the lists the member is on
    suspended  ids of the wallets he may not use now
    barred     ids of the awards he cannot win
    """

    met: frozenset[str]
    tiers: tuple[bool, ...]
    when: tuple[bool, ...]
    excluded: tuple[bool, ...]
    lists: frozenset[str]
    suspended: frozenset[str]
    barred: frozenset[str]
    degrees: frozenset[str] = frozenset()

    @property
    def flags(self) -> frozenset[str]:
        """Return what a test on a trait may name: the traits that are met, and how far each goes."""
        return self.met | self.degrees if self.degrees else self.met


@dataclass(frozen=True, slots=True)
class Column:
    """Where one subject stands in a row, and whether it may be absent. `ranks` gives a tier's number."""

    subject: Subject
    field: Field
    maybe: bool
    ranks: Mapping[str | None, int] | None = None

    @property
    def few(self) -> bool:
        """Whether it has few values: a tier, a flag, a word; not a measure, an amount or a count."""
        source, name = self.subject.source, self.subject.name
        flag = source == "field" and name in FIELDS and FIELDS[name].type == "bool"
        return source in ("tier", "trait") or flag or (source == "field" and self.field.kind == "text")

    @property
    def place(self) -> tuple[int, bool, str]:
        """Sort by section, in it what is never absent first and texts last: each kind is read in one go."""
        return SECTIONS.index(self.subject.source), self.maybe, self.field.kind


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a phase in the order of `place`, and behind them one field per counted group of conditions."""

    columns: tuple[Column, ...]
    counts: tuple[Field, ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        return (*(column.field for column in self.columns), *self.counts)

    def names(self, source: Source) -> tuple[str, ...]:
        """Return the names of what the columns of this source read, in order."""
        return tuple(column.subject.name for column in self.columns if column.subject.source == source)


# ---- columns -----------------------------------------------------------------------------------------------------


class PolicyNotCompilable(ValueError):
    """A condition asks for what its place cannot give; the policy reader should have said so. `mark` is the place."""

    def __init__(self, rule: str, message: str, mark: Mark | None = None) -> None:
        where = f" (line {mark.line}, column {mark.column})" if mark and mark.line else ""
        super().__init__(f"{rule}{where}: {message}")
        self.rule = rule
        self.reason = message
        self.mark = mark


def subject_key(subject: Subject, tier: Slot) -> Subject:
    """Return what two tests on one column share: the slot of a tier, and counted traits whatever their order."""
    if subject.source == "tier":
        return Subject("tier", tier)
    return replace(subject, of=tuple(sorted(set(subject.of)))) if subject.of else subject


def column(policy: Policy, subject: Subject, tests: list[Test]) -> Column:
    """Find what a column holds; raises PolicyNotCompilable where a test asks for something else."""
    # The engine gives its fields short names of its own; these are read by people, in its messages and golden files.
    name = ".".join(part for part in (subject.source, subject.name, "+".join(subject.of)) if part)
    text = Column(subject, Field(name, "text"), maybe=True)
    number = Column(subject, Field(name, "int"), maybe=True)
    asks_text = any(isinstance(value, str) for test in tests for value in values_of(test))
    match subject.source:
        case "tier":
            _check(name, tests, [tier.id for tier in policy.tiers])
            return replace(number, ranks={None: ABSENT, **{tier.id: tier.rank for tier in policy.tiers}})
        case "attribute" | "field":
            _check(name, tests, [] if asks_text else None)
            return text if asks_text else number
        case "fact" if subject.name in policy.facts:
            _check(name, tests, None)
            return replace(number, maybe=policy.facts[subject.name].how not in NEVER_ABSENT)
        case "trait" if any(subject.name in trait.names() for trait in policy.traits.values()):
            _check(name, tests, None)
            return replace(number, maybe=False)
        case "traits" if set(subject.of) <= policy.traits.keys():
            _check(name, tests, None)
            if not subject.of and any(trait.degrees for trait in policy.traits.values()):
                # Of all that is met only the traits are counted, not how far each goes.
                subject = replace(subject, of=tuple(policy.traits))
            return replace(number, subject=subject, maybe=False)
        case _:
            raise PolicyNotCompilable(name, "is not in the policy", tests[0].mark)


def _check(name: str, tests: list[Test], texts: list[str] | None) -> None:
    """Refuse tests that compare otherwise than with numbers (None), with text (empty list), or with these texts."""
    for test in tests:
        if isinstance(test.value, tuple) != (test.op in ("in", "not_in")):
            raise PolicyNotCompilable(name, f"{test.op} does not take {test.value!r}", test.mark)
        if test.value == ():
            raise PolicyNotCompilable(name, f"{test.op} takes at least one value", test.mark)
        if texts is not None and test.op not in ("is", "is_not", "in", "not_in"):
            raise PolicyNotCompilable(name, "text is compared for equality only", test.mark)
        for value in values_of(test):
            if isinstance(value, str) != (texts is not None):
                raise PolicyNotCompilable(name, f"is not compared with {value!r}", test.mark)
            if texts and value not in texts:
                raise PolicyNotCompilable(name, f"{value!r} is not in the policy", test.mark)
            if value == ABSENT_TEXT and test.op == "is_not":
                continue  # any value at all
            if value == ABSENT_TEXT or (isinstance(value, int) and value <= ABSENT):
                raise PolicyNotCompilable(name, f"{value!r} is kept for what has no value", test.mark)


def values_of(test: Test) -> tuple[Scalar, ...]:
    return test.value if isinstance(test.value, tuple) else (test.value,)


# ---- rows --------------------------------------------------------------------------------------------------------


class Rows:
    """Builds the rows of one phase. All that can be is prepared here, because every judgement pays for the rest."""

    __slots__ = ("_dates", "_flags", "_line", "_maybe", "_numbers", "_sure", "_tallies", "_texts", "_tiers")

    def __init__(self, layout: Layout) -> None:
        by_source: dict[Source, list[Column]] = {source: [] for source in SECTIONS}
        for made in layout.columns:
            by_source[made.subject.source].append(made)
        facts = by_source["fact"]
        self._sure = _picker(tuple(made.subject.name for made in facts if not made.maybe))
        self._maybe = tuple(made.subject.name for made in facts if made.maybe)
        self._numbers, self._texts = _by_kind(by_source["attribute"])
        self._flags = layout.names("trait")
        self._tallies = tuple(frozenset(made.subject.of) for made in by_source["traits"])
        self._tiers = tuple((attrgetter(made.subject.name), made.ranks or {}) for made in by_source["tier"])
        self._line = _by_kind(by_source["field"])
        self._dates = tuple(name for name in self._line[0] if is_date(name))

    def member(self, inputs: Inputs, met: frozenset[str], tiers: Inputs | StandingTiers) -> Row:
        """Return the part of the row that is the same for every line; `tiers` holds the tier of each slot."""
        try:
            row: Row = [*self._sure(inputs.facts)]
        except KeyError as missing:
            raise FactRefused(f"fact {missing.args[0]} is never absent, and was not given") from None
        if self._maybe:
            _add_numbers(row, self._maybe, inputs.facts)
        if self._numbers:
            _add_numbers(row, self._numbers, inputs.attributes)
        if self._texts:
            _add_texts(row, self._texts, inputs.attributes)
        # Of these there are none or one or two: a list made for `extend` would cost more than the appending.
        for trait in self._flags:
            row.append(1 if trait in met else 0)
        for traits in self._tallies:
            row.append(len(met & traits) if traits else len(met))
        for slot, ranks in self._tiers:
            tier = slot(tiers)
            if tier not in ranks:
                raise FactRefused(f"tier {tier!r} is not in the policy")
            row.append(ranks[tier])
        return row

    def line(self, values: Values) -> Row:
        """Return the part of the row that one line adds."""
        row: Row = []
        numbers, texts = self._line
        if self._dates:
            values = {**values, **{name: day_of(name, values.get(name)) for name in self._dates}}
        _add_numbers(row, numbers, values)
        _add_texts(row, texts, values)
        return row


def is_date(name: str) -> bool:
    """Tell whether a field is a date: ISO text in events, ordinal days in policies."""
    return name in FIELDS and FIELDS[name].type == "date"


def day_of(name: str, value: Value) -> Value:
    """Return a date's ordinal day, so that days have an order; what is no text stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value).toordinal()
    except ValueError:
        raise FactRefused(f"{name} is {value!r}, expected a date such as 2026-01-31") from None


def _by_kind(columns: list[Column]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the numbers, and of the texts that stand behind them."""
    number, text = (tuple(made.subject.name for made in columns if made.field.kind == kind) for kind in ("int", "text"))
    return number, text


def _add_numbers(row: Row, names: tuple[str, ...], values: Mapping[str, Any]) -> None:
    """Append the numbers with absence filled in. Truth values, which the engine does not take, become 0 and 1 by `+`.

    So high a number that the library would lose digits the engine refuses by name.
    """
    get = values.get
    for name in names:
        value = get(name)
        if value is None:
            row.append(ABSENT)
        elif not isinstance(value, int) or value <= ABSENT:
            raise FactRefused(f"{name} is {value!r}, expected a whole number above {ABSENT}")
        else:
            row.append(+value)


def _add_texts(row: Row, names: tuple[str, ...], values: Values) -> None:
    """Append the texts with absence filled in; what is no text the engine refuses by name."""
    get = values.get
    for name in names:
        value = get(name)
        row.append(ABSENT_TEXT if value is None else value)


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[int, ...]]:
    """Return what reads all `names` at C speed. `itemgetter` of one name gives no tuple, and of none does not exist.

    None, which these facts never are, comes through and is refused by the engine under the fact's name.
    """
    return itemgetter(*names) if len(names) > 1 else lambda facts: tuple([facts[name] for name in names])
