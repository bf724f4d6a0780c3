"""The section `facts`: what is measured over a member's events."""

from __future__ import annotations

from typing import Final, cast, get_args

from rules import names, values
from rules.conditions import CONDITION_WORDS, read_filters
from rules.desk import Desk
from rules.keys import WORDS
from rules.measures import unit_of_field
from rules.nodes import Form
from rules.policy import Fact, How, Mark, Span, Text, Unit, Window
from rules.source import Entries, Node, Scalar
from rules.vocabulary import ATTRIBUTES, FIELDS

HOWS: Final = get_args(How)
UNITS: Final = get_args(Unit)
SPANS: Final = ("this_year", "last_year", "this_quarter", "last_quarter", "this_month", "last_month", "since_tier")
_SINCE_EVENT: Final = ("days_since_first", "days_since_last", "years_since_first", "years_since_last")
_OVER_KINDS: Final = ("count", "quantity", "months_with", *_SINCE_EVENT)
_SINCE_DATE: Final = ("days_since", "years_since", "days_to_anniversary", "months_to_anniversary")
_WINDOWS: Final = ("within", "preceding", "in", "checked_within")
_KEYS: Final = (*HOWS, "to", "of", "field", "where", *_WINDOWS, "title", "unit")
_UNITS: Final[dict[str, Unit]] = {
    "count": "count", "quantity": "count", "distinct": "count", "months_with": "months", "days_since_first": "days",
    "days_since_last": "days", "years_since_first": "years", "years_since_last": "years", "days_since": "days",
    "years_since": "years", "days_to_anniversary": "days", "months_to_anniversary": "months",
    "fleet": "count", "ratio": "percent",
}  # fmt: skip
HORIZON_YEARS: Final = 40
"""No event is older (none may be dated before 1990), so a window that reaches further is a slip of the pen."""
MAX_RATIOS: Final = 4
"""How many ratios may stand inside one another."""
_NONE: Final = Fact("", Text("", ""), "count", "count")


class Facts:
    """Reads the facts, each once; a ratio may name facts that stand below it, but never, in the end, itself."""

    def __init__(self, desk: Desk, node: Node | None) -> None:
        self._desk = desk
        self._nodes: dict[str, tuple[Scalar, Node]] = {}
        self._read: dict[str, Fact] = {}
        self._path: list[str] = []
        for name, written, value in desk.named(node, "facts"):
            taken = names.canonical(name, ATTRIBUTES, names.ATTRIBUTES_ZH) or name in CONDITION_WORDS
            if taken:
                desk.note("P209", written, written.text)
            desk.define("facts", name, written.mark, value)
            self._nodes[name] = (written, value)

    def read(self) -> dict[str, Fact]:
        """Read all facts, in file order."""
        for name in self._nodes:
            self._fact(name)
        return {name: self._read[name] for name in self._nodes if name in self._read}

    def _fact(self, name: str) -> Fact:
        if name in self._read:
            return self._read[name]
        written, node = self._nodes[name]
        self._path.append(name)
        fact = self._definition(name, written.mark, node, f"facts.{name}")
        self._path.pop()
        self._read[name] = fact
        self._desk.fact_units[name] = fact.unit
        return fact

    def _definition(self, name: str, mark: Mark, node: Node, about: str) -> Fact:
        desk = self._desk
        form = desk.form(node, about, _KEYS)
        if not isinstance(node, Entries):
            return _NONE
        how = cast("How", desk.one_of(form, HOWS) or "count")
        title = desk.text(form.get("title"), form.path("title"), name)
        if how == "ratio":
            desk.without_effect(form, "of", "field", "where", *_WINDOWS)
            over = self._side(form, "ratio", f"{name}.over")
            under = self._side(form, "to", f"{name}.under")
            unit = self._unit(form, "percent")
            return Fact(name, title, how, unit, over=over, under=under, mark=mark)
        desk.without_effect(form, "to")
        if how in _SINCE_DATE:
            desk.without_effect(form, "of", "field", "where", *_WINDOWS)
            field = self._attribute(form, how)
            return Fact(name, title, how, self._unit(form, _UNITS[how]), field=field, mark=mark)
        if how == "fleet":
            desk.without_effect(form, "of", "field", "within", "preceding", "in")
            desk.word(form.get("fleet"), form.path("fleet"), ("owned",), "owned")
            where = read_filters(desk, form.get("where"), form.path("where"), ("machine_registered",))
            return Fact(name, title, how, self._unit(form, "count"), where=where, window=self._window(form), mark=mark)
        kinds, field = self._kinds_and_field(form, how)
        where = read_filters(desk, form.get("where"), form.path("where"), kinds) if kinds else ()
        inferred = _UNITS.get(how) or (unit_of_field(field) if field else None) or "count"
        return Fact(name, title, how, self._unit(form, inferred), kinds, field, where, self._window(form), mark=mark)

    def _kinds_and_field(self, form: Form, how: How) -> tuple[tuple[str, ...], str]:
        desk = self._desk
        if how in _OVER_KINDS:
            desk.without_effect(form, "of", "field")
            return desk.kinds(form.get(how), form.path(how)), ""
        # `sum: amount, of: kinds`, or `sum: kinds, field: amount`.
        kinds_at, field_at = (how, "field") if "field" in form else ("of", how)
        if kinds_at == how:
            desk.without_effect(form, "of")
        if kinds_at not in form:
            desk.note("P203", form.mark, allowed=("of",), about=form.about, allowed_zh=names.keys_zh(("of",)))
            return (), ""
        kinds = desk.kinds(form.get(kinds_at), form.path(kinds_at))
        field = desk.field(form.get(field_at), form.path(field_at), kinds)
        type_ = FIELDS[field].type if field else ""
        if field and (type_ == "lines" if how == "distinct" else unit_of_field(field) is None):
            node = form.get(field_at)
            desk.note("P416", node or form.mark, field, about=f"{form.about}.{how}")
        return kinds, field

    def _attribute(self, form: Form, how: How) -> str:
        desk = self._desk
        found = desk.scalar(form.get(how), form.path(how))
        if found is None:
            return ""
        dates = tuple(item.id for item in ATTRIBUTES.values() if item.type == "date")
        name = names.canonical(values.plain(found.text), ATTRIBUTES, names.ATTRIBUTES_ZH)
        if name is None:
            desk.note("P411", found, found.text, dates, allowed_zh=names.spelled(dates, names.ATTRIBUTES_ZH))
        elif name not in dates:
            desk.note("P416", found, found.text, dates, form.path(how))
        return name or ""

    def _side(self, form: Form, key: str, name: str) -> Fact:
        """Read one side of a ratio: the id of a fact, or a fact written in place."""
        desk = self._desk
        node = form.get(key)
        if node is None:
            desk.note("P203", form.mark, allowed=(key,), about=form.about, allowed_zh=names.keys_zh((key,)))
            return _NONE
        if isinstance(node, Entries):
            return self._definition(name, node.mark, node, form.path(key))
        named = desk.reference("facts", node, form.path(key))
        if not named:
            return _NONE
        if named in self._path:
            circle = " → ".join((*self._path[self._path.index(named) :], named))
            desk.note("P414", node, circle)
            return _NONE
        # Both ways down are bounded: into facts not read yet, and into what was read before.
        found = self._fact(named) if len(self._path) <= MAX_RATIOS else None
        if found is None or _ratios(found) >= MAX_RATIOS:
            desk.note("P105", node, str(MAX_RATIOS + 1), (str(MAX_RATIOS),))
            return _NONE
        return found

    def _unit(self, form: Form, inferred: Unit) -> Unit:
        if "unit" not in form:
            return inferred
        node = form.get("unit")
        stated = cast("Unit", self._desk.word(node, form.path("unit"), UNITS, inferred))
        # Only a bare number may be called something else: days, hours, points.
        if stated != inferred and (inferred != "count" or stated in ("money", "percent")):
            self._desk.note(
                "P315", node or form.mark, stated, (inferred,), form.path("unit"), names.spelled((inferred,), WORDS)
            )
            return inferred
        return stated

    def _window(self, form: Form) -> Window:
        desk = self._desk
        there = tuple(name for name in _WINDOWS if name in form)
        if not there:
            return Window()
        if len(there) > 1:
            desk.one_of(form, _WINDOWS)
        key = there[0]
        node, path = form.get(key), form.path(key)
        if key == "in":
            return Window(cast("Span", desk.word(node, path, SPANS, "this_year")))
        length = desk.value(node, path, values.length, None)
        if length is None or node is None:
            return Window()
        span: Span = "preceding" if key == "preceding" else "rolling"
        # The one before reaches back twice as far.
        years = HORIZON_YEARS // 2 if span == "preceding" else HORIZON_YEARS
        if length.unit in values.MONTHS_IN:
            months = length.count * values.MONTHS_IN[length.unit]
            return Window(span, months=self._positive(months, node, path, years * 12))
        if length.unit in values.DAYS_IN:
            days = length.count * values.DAYS_IN[length.unit]
            return Window(span, days=self._positive(days, node, path, years * 365))
        units = (*values.DAYS_IN, *values.MONTHS_IN)
        desk.note("P312", node, getattr(node, "text", ""), units, path, names.spelled(units, names.LENGTHS_ZH))
        return Window()

    def _positive(self, number: int, node: Node, about: str, most: int) -> int:
        if not 1 <= number <= most:
            self._desk.note("P302", node, str(number), (f"1-{most}",), about)
        return number


def _ratios(fact: Fact | None) -> int:
    """Count how many ratios stand inside one another, at most a few."""
    return 0 if fact is None or fact.how != "ratio" else 1 + max(_ratios(fact.over), _ratios(fact.under))
