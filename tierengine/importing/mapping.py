"""What the columns of a file mean: from a small YAML file, from options, or from the columns' own names.

The grammar, in English or Chinese, mixed as one likes:

kind: machine_purchase        # what each row is; or a column (below)
source: auctions              # who says it; event numbers are unique within a source. Left out: csv, jsonl or xlsx
store: S01                    # the store of every row; or a column
timezone: Asia/Shanghai       # for times written without a zone; without it such rows are refused
currency: CNY                 # for money written without one; without it such rows are refused
unit: yuan                    # yuan | fen | minor: what a number in a money column counts
create_members: yes           # put customers on file that are not there yet
columns: {field: column}      # or field: {column: NAME, values: {written: meant}, unit: fen}
lines: {field: column}        # of an order: each row is a line, rows of one order stand together
constants: {field: value}     # the same in every row
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping as Given
from dataclasses import dataclass, field, replace
from typing import Final

from rules.names import FIELDS_ZH, KINDS_ZH, canonical
from rules.policy import Mark
from rules.problems import Problem
from rules.source import Entries, Node, read_source
from rules.source import Scalar as Written
from rules.values import CURRENCIES
from rules.vocabulary import FIELDS, KINDS

ENVELOPE_ZH: Final[Given[str, str]] = {
    "kind": "事件", "member": "会员", "occurred_at": "时间", "revision": "版本", "store": "门店", "currency": "币种",
}  # fmt: skip
SETTINGS_ZH: Final[Given[str, str]] = {
    "kind": "事件", "source": "来源", "store": "门店", "timezone": "时区", "currency": "币种", "unit": "单位",
    "create_members": "建档", "columns": "列", "lines": "明细", "constants": "固定值",
}  # fmt: skip
_COLUMN_ZH: Final[Given[str, str]] = {"column": "列", "values": "取值", "unit": "单位"}
UNITS: Final[Given[str, str]] = {
    "yuan": "yuan", "fen": "minor", "minor": "minor", "major": "yuan", "元": "yuan", "分": "minor",
}  # fmt: skip
_YES: Final[Given[str, bool]] = {"yes": True, "no": False, "true": True, "false": False, "是": True, "否": False}
# What a setting sets rather than a field of the event.
_SETTINGS: Final = frozenset(("source", "timezone", "unit", "create_members"))


@dataclass(frozen=True, slots=True)
class Column:
    """Where a field stands in a row. `values`: what is written → what is meant; `unit` "" = the file's."""

    name: str
    values: tuple[tuple[str, str], ...] = ()
    unit: str = ""

    def meaning(self, text: str) -> str | None:
        """Return what a written value means; None when it is none of those that were named."""
        return dict(self.values).get(text) if self.values else text


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a file's columns mean. `exact`: read these columns only; else all whose name is a field's name too."""

    source: str = ""
    timezone: str = ""
    currency: str = ""
    unit: str = ""
    create_members: bool = False
    columns: Given[str, Column] = field(default_factory=dict)
    lines: Given[str, Column] = field(default_factory=dict)
    constants: Given[str, str] = field(default_factory=dict)
    exact: bool = False

    @property
    def kind(self) -> str:
        """Return the kind of every row, "" when a column tells it."""
        return self.constants.get("kind", "")


class MappingRefused(ValueError):
    """A mapping file or option that cannot be followed. `problems` have places in the file; options have none."""

    def __init__(self, problems: tuple[Problem, ...], lines: tuple[str, ...]) -> None:
        self.problems = problems
        self.lines = lines
        super().__init__(f"{len(problems)} problems")

    def line(self, mark: Mark) -> str:
        """Return the source line of a place."""
        return self.lines[mark.line - 1] if 0 < mark.line <= len(self.lines) else ""


def named_field(text: str) -> str | None:
    """Return the field of an event, or of its envelope, that a word names in either tongue."""
    text = text.strip()
    return canonical(text, ENVELOPE_ZH, ENVELOPE_ZH) or canonical(text, FIELDS, FIELDS_ZH)


def read_mapping(text: str | bytes, file: str) -> Mapping:
    """Read a mapping file; raise MappingRefused with every problem of it."""
    source = read_source(text, file)
    reader = _Reader(list(source.problems))
    mapping = Mapping(exact=True)
    if isinstance(source.root, Entries):
        mapping = reader.mapping(source.root)
    elif not reader.problems:
        reader.note("P116" if source.root is None else "P204", source.root, "text", ("mapping",))
    if reader.problems:
        raise MappingRefused(tuple(replace(problem, file=file) for problem in reader.problems), source.lines)
    return mapping


def with_options(mapping: Mapping, maps: Given[str, str], sets: Given[str, str]) -> Mapping:
    """Return the mapping with `--map field=column` and `--set name=value` on top; MappingRefused where one is wrong."""
    reader = _Reader([])
    columns, constants = dict(mapping.columns), dict(mapping.constants)
    for name, column in maps.items():
        found = named_field(name)
        if found is None:
            reader.note("P402", None, name, (*ENVELOPE_ZH, *FIELDS))
        else:
            columns[found] = Column(column)
            constants.pop(found, None)
    settings: dict[str, str] = {}
    for name, value in sets.items():
        setting = canonical(name, SETTINGS_ZH, SETTINGS_ZH)
        found = named_field(name)
        if setting in _SETTINGS or setting == "currency":
            settings[str(setting)] = value
        elif found is None:
            reader.note("P402", None, name, (*ENVELOPE_ZH, *FIELDS))
        else:
            constants[found] = value
            columns.pop(found, None)
    changed = replace(
        mapping,
        columns=columns,
        constants=constants,
        source=settings.get("source", mapping.source),
        timezone=reader.timezone(settings.get("timezone", mapping.timezone), None),
        currency=reader.currency(settings.get("currency", mapping.currency), None),
        unit=reader.unit(settings["unit"], None) if "unit" in settings else mapping.unit,
        create_members=reader.yes(settings["create_members"], None)
        if "create_members" in settings
        else mapping.create_members,
    )
    if "kind" in sets:
        constants["kind"] = reader.kind(sets["kind"], None)
    if reader.problems:
        raise MappingRefused(tuple(reader.problems), ())
    return changed


@dataclass(slots=True)
class _Reader:
    """Takes values out of nodes and notes what is wrong; a value of an option has no node."""

    problems: list[Problem]

    def note(
        self, code: str, node: Node | None, found: str = "", allowed: tuple[str, ...] = (), zh: tuple[str, ...] = ()
    ) -> None:
        mark = node.mark if node is not None else Mark(1, 1)
        length = node.length if node is not None else 1
        self.problems.append(Problem(code, mark, found, allowed, allowed_zh=zh, length=length))

    def mapping(self, root: Entries) -> Mapping:
        found = self.keys(root, SETTINGS_ZH)
        constants = self.constants(found.get("constants"))
        for name in ("kind", "store"):
            if name in found:
                constants[name] = self.text(found[name])
        if constants.get("kind"):
            constants["kind"] = self.kind(constants["kind"], found.get("kind", root))
        return Mapping(
            source=self.text(found.get("source")),
            timezone=self.timezone(self.text(found.get("timezone")), found.get("timezone")),
            currency=self.currency(self.text(found.get("currency")), found.get("currency")),
            unit=self.unit(self.text(found["unit"]), found["unit"]) if "unit" in found else "",
            create_members="create_members" in found
            and self.yes(self.text(found["create_members"]), found["create_members"]),
            columns=self.columns(found.get("columns")),
            lines=self.columns(found.get("lines")),
            constants=constants,
            exact=True,
        )

    def keys(self, node: Node, known: Given[str, str]) -> dict[str, Node]:
        if not isinstance(node, Entries):
            self.note("P204", node, "text", ("mapping",), ("一组键",))
            return {}
        found: dict[str, Node] = {}
        for key, value in node.pairs:
            name = canonical(key.text.strip(), known, known)
            if name is None:
                self.note("P201", key, key.text, tuple(known), tuple(known.values()))
            elif name in found:
                self.note("P202", key, key.text)
            else:
                found[name] = value
        return found

    def fields(self, node: Node | None) -> dict[str, tuple[Written, Node]]:
        if node is None:
            return {}
        if not isinstance(node, Entries):
            self.note("P204", node, "text", ("mapping",), ("一组键",))
            return {}
        found: dict[str, tuple[Written, Node]] = {}
        for key, value in node.pairs:
            name = named_field(key.text)
            if name is None:
                self.note("P402", key, key.text, (*ENVELOPE_ZH, *FIELDS))
            elif name in found:
                self.note("P202", key, key.text)
            else:
                found[name] = (key, value)
        return found

    def columns(self, node: Node | None) -> dict[str, Column]:
        return {name: self.column(value) for name, (_, value) in self.fields(node).items()}

    def column(self, node: Node) -> Column:
        if not isinstance(node, Entries):
            return Column(self.text(node))
        found = self.keys(node, _COLUMN_ZH)
        values: tuple[tuple[str, str], ...] = ()
        if isinstance(pairs := found.get("values"), Entries):
            values = tuple((written.text, self.text(meant)) for written, meant in pairs.pairs)
        if "column" not in found:
            self.note("P203", node, "column", ("column",), ("列",))
        unit = self.unit(self.text(found["unit"]), found["unit"]) if "unit" in found else ""
        return Column(self.text(found.get("column")), values, unit)

    def constants(self, node: Node | None) -> dict[str, str]:
        return {name: self.text(value) for name, (_, value) in self.fields(node).items()}

    def text(self, node: Node | None) -> str:
        if node is None:
            return ""
        if not isinstance(node, Written):
            self.note("P204", node, "list", ("text",), ("一个值",))
            return ""
        return node.text.strip()

    def kind(self, text: str, node: Node | None) -> str:
        found = canonical(text, KINDS, KINDS_ZH)
        if found is None:
            self.note("P401", node, text, tuple(KINDS), tuple(KINDS_ZH.values()))
        return found or ""

    def timezone(self, text: str, node: Node | None) -> str:
        try:
            return zoneinfo.ZoneInfo(text).key if text else ""
        except (OSError, ValueError, KeyError):
            self.note("P318", node, text)
            return ""

    def currency(self, text: str, node: Node | None) -> str:
        if not text:
            return ""
        for code, spellings in CURRENCIES.items():
            if text.upper() == code or text in spellings:
                return code
        self.note("P319", node, text, tuple(CURRENCIES))
        return ""

    def unit(self, text: str, node: Node | None) -> str:
        found = UNITS.get(text)
        if found is None:
            self.note("P315", node, text, ("yuan", "fen", "minor"), ("元", "分", "minor"))
        return found or ""

    def yes(self, text: str, node: Node | None) -> bool:
        found = _YES.get(text.lower())
        if found is None:
            self.note("P314", node, text)
        return bool(found)
