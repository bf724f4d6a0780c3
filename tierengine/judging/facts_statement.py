"""The statement of a policy's facts: written once for each fact set and kind of database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import orjson

from rules.policy import Window
from tierengine.judging.facts import FactSet
from tierengine.judging.history import Position
from tierengine.judging.measures import AMOUNT, KIND, QUANTITY, Check, Measure, Selection, type_of
from tierengine.judging.sql_words import SAYS, Dialect
from tierengine.judging.states import STATE_KINDS

_EVER: Final = -(1 << 62)
_SIGNS: Final = {
    "at_least": ">=", "more_than": ">", "at_most": "<=", "less_than": "<", "is": "=", "is_not": "<>", "in": "IN",
    "not_in": "NOT IN",
}  # fmt: skip
_TEXTS: Final = 4
RAW_NUMBERS: Final = "at, known_at, known_class, qty, amount"
_ROW: Final = "kind, line, at, known_at, known_class, known_key, qty, amount, fields"


@dataclass(frozen=True, slots=True)
class Ask:
    """A member and the position as of which its facts are asked; `since` is when its standing tier began."""

    member_id: int
    position: Position
    since: int


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement of one fact set on one kind of database.

    parts     for each part, (place among the measures, column of the answer, value when the column is null)
    constants texts that the policy compares with
    earliest  groups of windows, of each of which the earliest beginning is given
    empty     the measures of a member of whom nothing counts
    """

    prepared: FactSet
    text: str
    constants: tuple[str, ...]
    earliest: tuple[tuple[int, ...], ...]
    parts: tuple[tuple[tuple[int, int, int | None], ...], ...]
    empty: tuple[int | None, ...]

    @property
    def raw_part(self) -> int:
        return len(self.parts)

    def parameters(self, asks: Sequence[Ask]) -> list[str]:
        asked: list[dict[str, int | str]] = []
        for number, ask in enumerate(asks):
            at, class_, key = ask.position
            row: dict[str, int | str] = {"n": number, "m": ask.member_id, "a": at, "c": class_, "k": key}
            bounds = self.prepared.bounds(at, ask.since)
            for index, (after, upto) in enumerate(bounds):
                row[f"f{index}"] = _EVER if after is None else after
                row[f"u{index}"] = upto
            for index, windows in enumerate(self.earliest):
                row[f"e{index}"] = min(row[f"f{window}"] for window in windows)
            asked.append(row)
        return [as_json(asked), *self.constants]


@lru_cache(maxsize=128)
def statement_of(prepared: FactSet, dialect: Dialect) -> Statement:
    return _Writer(prepared, dialect).statement()


class _Writer:
    """Writes the statement of a fact set."""

    def __init__(self, prepared: FactSet, dialect: Dialect) -> None:
        self._prepared = prepared
        self._say = SAYS[dialect]
        self._named: dict[str, int] = {}  # text that the policy compares with → its parameter
        self._columns: dict[str, str] = {}  # SQL of a field → its name in `seen`
        self._earliest: dict[tuple[int, ...], int] = {}
        self._flags: dict[str, str] = {}  # SQL of a condition → its name in `counted`

    def statement(self) -> Statement:
        measures = self._prepared.measures
        groups: dict[tuple[str, str], list[int]] = {}
        for place, measure in enumerate(measures):
            groups.setdefault((measure.of, measure.field if measure.of == "value" else ""), []).append(place)
        selects: list[list[str]] = []
        sources: list[str] = []
        parts: list[tuple[tuple[int, int, int | None], ...]] = []
        for (of, field), places in groups.items():
            columns, source = self._part(of, field, [measures[place] for place in places])
            selects.append(columns)
            sources.append(source)
            parts.append(tuple((place, 2 + index, _default(measures[place])) for index, place in enumerate(places)))
        width = max((len(columns) for columns in selects), default=0)
        width = max(width, len(RAW_NUMBERS.split(",")))
        null = f"CAST(NULL AS {self._say.big})"
        texts = ["CAST(NULL AS text)"] * _TEXTS
        answers: list[str] = []
        for number, (columns, source) in enumerate(zip(selects, sources, strict=True)):
            row = ", ".join([*columns, *[null] * (width - len(columns)), *texts])
            answers.append(f"SELECT {number}, n, {row} FROM {source} GROUP BY n")
        answers.append(self._raw(len(parts), width, null))
        # The tables come last and stand first: they hold what the parts asked for.
        text = f"WITH {', '.join(self._tables())} " + " UNION ALL ".join(answers)
        empty = tuple(_default(measure) for measure in measures)
        return Statement(self._prepared, text, tuple(self._named), tuple(self._earliest), tuple(parts), empty)

    def _tables(self) -> list[str]:
        """Return the asked, what is stored of them, what is seen in it (fields read once), and what counts where.

        Of the stored rows only those are taken that may count in any window, or are states. Two relations are kept
        apart from their use by MATERIALIZED, so that no field is read and no test made more than once a row.
        """
        say = self._say
        kinds, earliest = self._wanted()
        asked = {"n": "int", "m": "bigint", "a": "bigint", "c": "int", "k": "text"}
        asked |= {f"{end}{index}": "bigint" for index in range(len(self._prepared.windows)) for end in "fu"}
        asked |= {f"e{index}": "bigint" for index in range(len(self._earliest))}
        tables = [f"asked AS MATERIALIZED ({say.relation(asked)})"]
        known = f"member_id = m AND known_at <= a AND (known_at, known_class, known_key) <= (a, c, {say.key})"
        tables.append(
            f"stored AS MATERIALIZED (SELECT n, {_ROW} FROM asked CROSS JOIN contribution"
            f" WHERE {known} AND (kind IN ({_quoted(STATE_KINDS)}){earliest}))"
        )
        if not self._flags:
            return tables
        fields = "".join(f", {sql} AS {name}" for sql, name in self._columns.items())
        tables.append(
            f"seen AS MATERIALIZED (SELECT n, kind, line, at, qty, amount{fields} FROM stored WHERE kind IN ({kinds}))"
        )
        used = "".join(f", {name}" for name in self._columns.values())
        flags = ", ".join(f"{sql} AS {name}" for sql, name in self._flags.items())
        tables.append(
            f"counted AS MATERIALIZED (SELECT seen.n AS n, line, at, kind, qty, amount{used}, {flags}"
            " FROM seen JOIN asked ON asked.n = seen.n)"
        )
        return tables

    def _wanted(self) -> tuple[str, str]:
        """Return the kinds that are counted, and for groups of them the tests that spare rows before every window."""
        windows: dict[str, set[Window]] = {}
        for measure in self._prepared.measures:
            for kind in measure.selection.kinds:
                windows.setdefault(kind, set()).add(measure.window)
        groups: dict[tuple[int, ...], list[str]] = {}
        for kind, several in windows.items():
            ever = any(one.span == "always" for one in several)
            group = () if ever else tuple(sorted(self._prepared.windows.index(one) for one in several))
            groups.setdefault(group, []).append(kind)
        tests = ""
        for group, kinds in groups.items():
            tests += f" OR kind IN ({_quoted(kinds)})"
            if group:
                tests += f" AND at > e{self._earliest.setdefault(group, len(self._earliest))}"
        return _quoted(windows), tests

    def _raw(self, part: int, width: int, null: str) -> str:
        """Return the query of the rows that states.py evaluates."""
        numbers = [RAW_NUMBERS, *[null] * (width - RAW_NUMBERS.count(",") - 1)]
        return (
            f"SELECT {part}, n, {', '.join(numbers)}, kind, line, known_key, {self._say.fields}"
            f" FROM stored WHERE kind IN ({_quoted(STATE_KINDS)})"
        )

    def _part(self, of: str, field: str, measures: list[Measure]) -> tuple[list[str], str]:
        """Return the columns of one part of the answer and what they are selected from."""
        if of == "all":
            return [
                f"CAST(SUM({self._value(one.field or QUANTITY)}) FILTER (WHERE {self._flag(one)}) AS {self._say.big})"
                for one in measures
            ], "counted"
        flags = dict.fromkeys(self._flag(one) for one in measures)
        inner = {f"SUM(qty) FILTER (WHERE {flag})": f"q{flag}" for flag in flags}
        columns = [self._of_units(one, inner) for one in measures]
        unit = {"line": "line", "moment": "line, at"}.get(of)
        where = " OR ".join(flags)
        if unit is None:
            value = self._value(field)
            unit = f"line, {value}"
            where = f"{value} IS NOT NULL AND ({where})"
        picked = ", ".join(f"{sql} AS {name}" for sql, name in inner.items())
        return columns, f"(SELECT n, {unit}, {picked} FROM counted WHERE {where} GROUP BY n, {unit}) AS units"

    def _of_units(self, measure: Measure, inner: dict[str, str]) -> str:
        """Return the SQL of a measure over units, and add what it needs of each unit to `inner`."""
        flag = self._flag(measure)
        tests = [f"q{flag} > 0"] if measure.of == "value" or measure.how not in ("sum", "quantity") else []
        tests += [self._test(self._net(check.field, flag, inner), check) for check in measure.selection.nets]
        only = f"FILTER (WHERE {' AND '.join(tests)})"
        if measure.how == "count":
            return f"COUNT(*) {only}"
        if measure.how == "distinct":
            whole = measure.of == "line"
            what = self._net(measure.field, flag, inner) if whole else self._value(measure.field)
            return f"COUNT(DISTINCT {what}) {only}"
        if measure.how in ("first", "last"):
            return f"{'MIN' if measure.how == 'first' else 'MAX'}(at) {only}"
        if measure.of == "value":
            return f"CAST({measure.how.upper()}({self._value(measure.field)}) {only} AS {self._say.big})"
        if measure.how in ("sum", "quantity"):
            # All of a passing line adds up, whether its number is still there or not.
            total = self._total(measure.field or QUANTITY, flag, inner)
            return f"CAST(SUM({total}) {only} AS {self._say.big})"
        net = self._net(measure.field, flag, inner)
        return f"CAST({measure.how.upper()}({net}) {only} AS {self._say.big})"

    def _total(self, field: str, flag: str, inner: dict[str, str]) -> str:
        """Return the name of the sum of a unit's numbers."""
        number = self._value(field)
        name = f"q{flag}" if field == QUANTITY else f"{number}{flag}"
        return inner.setdefault(f"SUM({number}) FILTER (WHERE {flag})", name)

    def _net(self, field: str, flag: str, inner: dict[str, str]) -> str:
        """Return the name of a unit's net number, null unless the number is there."""
        if field in (QUANTITY, AMOUNT):
            return self._total(field, flag, inner)
        number = self._value(field)
        there = f"SUM(qty) FILTER (WHERE {flag} AND {number} IS NOT NULL) > 0"
        return inner.setdefault(f"CASE WHEN {there} THEN SUM({number}) FILTER (WHERE {flag}) END", f"n{number}{flag}")

    def _flag(self, measure: Measure) -> str:
        """Return the name of the column that says whether a row is among those that the measure counts."""
        selection, window = measure.selection, self._prepared.windows.index(measure.window)
        tests = [f"kind IN ({_quoted(selection.kinds)})", *self._tests(selection)]
        if measure.window.span != "always":
            tests.append(f"at > f{window}")
        tests.append(f"at <= u{window}")
        return self._flags.setdefault(f"({' AND '.join(tests)})", f"g{len(self._flags)}")

    def _tests(self, selection: Selection) -> Iterable[str]:
        for check in selection.rows:
            yield self._test(self._value(check.field), check)

    def _test(self, value: str, check: Check) -> str:
        if not isinstance(check.operand, tuple):
            return f"{value} {_SIGNS[check.op]} {self._constant(check.operand)}"
        if not check.operand:  # SQL knows no empty list.
            return f"{value} IS NULL AND {value} IS NOT NULL" if check.op == "in" else f"{value} IS NOT NULL"
        return f"{value} {_SIGNS[check.op]} ({', '.join(self._constant(one) for one in check.operand)})"

    def _constant(self, value: int | str) -> str:
        if isinstance(value, int):
            return str(int(value))
        return f"{self._say.mark}{self._named.setdefault(value, 2 + len(self._named))}"

    def _value(self, field: str) -> str:
        """Return the column of a field."""
        if field in (KIND, QUANTITY, AMOUNT):
            return field
        return self._column(self._say.field(_name(field), type_of(field)))

    def _column(self, sql: str) -> str:
        return self._columns.setdefault(sql, f"x{len(self._columns)}")


def _default(measure: Measure) -> int | None:
    return None if measure.how in ("max", "min", "first", "last") else 0


def _name(field: str) -> str:
    if not (field.isascii() and field.isidentifier()):
        raise ValueError(f"{field!r} is no name of a field")
    return field


def _quoted(kinds: Iterable[str]) -> str:
    return ", ".join(f"'{_name(kind)}'" for kind in sorted(kinds)) or "NULL"


def as_json(value: object) -> str:
    return orjson.dumps(value).decode()
