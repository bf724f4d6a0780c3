"""From rows to raw events: cells become fields, and the lines of one order become one event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rules.vocabulary import COMMON, FIELDS, KINDS, Kind
from tierengine.importing.files import FileRefused, Row
from tierengine.importing.mapping import ENVELOPE_ZH, Column, named_field
from tierengine.importing.mapping import Mapping as Columns
from tierengine.importing.values import Bad, CellRefused, Cells

Note = Callable[[int, Bad], None]


@dataclass(slots=True)
class Event:
    """One event of a file: `raw` as observations.read_observation takes it, and where in the file it came from.

    line_numbers  of an order, the line of each of its lines
    columns       field → column, to say where something is wrong
    """

    line: int
    raw: dict[str, Any]
    columns: Mapping[str, str]
    line_columns: Mapping[str, str] = field(default_factory=dict)
    line_numbers: list[int] = field(default_factory=list)
    rows: int = 1
    bad: bool = False

    def where(self, name: str) -> str:
        """Return the column of a field, or the field itself."""
        return self.columns.get(name, name)

    def place(self, pointer: str) -> tuple[int, str]:
        """Return the line and column that an error's pointer means."""
        parts = pointer.removeprefix("/").split("/")
        if parts[0] == "lines" and len(parts) > 1 and parts[1].isdigit() and self.line_numbers:
            name = parts[2] if len(parts) > 2 else "lines"
            return self.line_numbers[int(parts[1])], self.line_columns.get(name, name)
        return self.line, self.where(parts[0])


@dataclass(frozen=True, slots=True)
class Sheet:
    """How the rows of one file, or of one shape of JSON, are read."""

    cells: Cells
    fields: Mapping[str, Column]
    lines: Mapping[str, Column]
    constants: Mapping[str, Any]
    names: frozenset[str]
    unread: tuple[str, ...]
    table: bool

    @classmethod
    def of(cls, mapping: Columns, names: tuple[str, ...], *, table: bool) -> Sheet:
        """Return the sheet for columns of these names; raises FileRefused for what the file as a whole lacks."""
        fields, lines = dict(mapping.columns), dict(mapping.lines)
        if table:
            for column in (*fields.values(), *lines.values()):
                if column.name not in names:
                    known = ", ".join(names)
                    raise FileRefused(Bad("no_column", column.name, {"column": column.name, "known": known}), 1)
        taken = {column.name for column in (*fields.values(), *lines.values())}
        if not mapping.exact:
            for name in names:
                found = named_field(name)
                if found is not None and name not in taken and found not in {*fields, *lines, *mapping.constants}:
                    fields[found] = Column(name)
        kind = KINDS.get(mapping.kind)
        if kind is not None and kind.lines and not lines and "lines" not in fields:
            own = {*kind.fields, *COMMON, *ENVELOPE_ZH}
            lines = {name: fields.pop(name) for name in list(fields) if name in kind.lines and name not in own}
        if table:
            _whole(kind, mapping, fields, lines)
        cells = Cells.of(mapping)
        read = {column.name for column in (*fields.values(), *lines.values())}
        return cls(
            cells,
            fields,
            lines,
            _constants(cells, mapping),
            frozenset(names),
            tuple(name for name in names if name not in read),
            table,
        )

    def covers(self, row: Row) -> bool:
        """Whether a row has no keys but those this sheet was made for."""
        return row.cells.keys() <= self.names

    def event(self, row: Row, note: Note) -> Event:
        """Return the event of a row; `bad` when a cell could not be read, which has been noted."""
        event = Event(
            row.line,
            dict(self.constants),
            {name: column.name for name, column in self.fields.items()},
            {name: column.name for name, column in self.lines.items()},
        )
        if not self.table and not self.cells.mapping.exact:
            # An unknown key of JSON is refused, as everywhere: a misspelt one would be lost without a word.
            event.raw.update((name, row.cells[name]) for name in self.unread if name in row.cells)
        currency = row.cells.get(self.fields["currency"].name) if "currency" in self.fields else None
        self._fill(event, event.raw, self.fields, row, currency, note)
        if self.lines:
            line: dict[str, Any] = {}
            self._fill(event, line, self.lines, row, currency, note)
            event.raw["lines"] = [line]
            event.line_numbers = [row.line]
        if self.cells.mapping.currency:
            event.raw.setdefault("currency", self.cells.mapping.currency)
        return event

    def _fill(
        self,
        event: Event,
        into: dict[str, Any],
        columns: Mapping[str, Column],
        row: Row,
        currency: object,
        note: Note,
    ) -> None:
        for name, column in columns.items():
            try:
                value = self._value(name, column, row.cells.get(column.name), currency)
            except CellRefused as refused:
                note(row.line, Bad(refused.code, column.name, refused.details))
                event.bad = True
                continue
            if value is not None:
                into[name] = value

    def _value(self, name: str, column: Column, cell: object, currency: object) -> object:
        if column.values and cell not in (None, ""):
            meant = column.meaning(str(cell).strip())
            if meant is None:
                raise CellRefused("not_named")
            cell = meant
        if not self.table and not isinstance(cell, str):
            # A JSON value has its type already, but for money in a stated unit.
            money = name in FIELDS and FIELDS[name].type == "money"
            if not (money and (column.unit or self.cells.mapping.unit)):
                return cell
        return self.cells.read(name, cell, column.unit, currency)


def _whole(kind: Kind | None, mapping: Columns, fields: Mapping[str, Column], lines: Mapping[str, Column]) -> None:
    """Refuse a table that lacks a column which every row needs."""
    given = {*fields, *mapping.constants}
    if "kind" not in given:
        raise FileRefused(Bad("needs_kind"), 1)
    if "occurred_at" not in given:
        raise FileRefused(Bad("needs_time"), 1)
    if kind is not None:
        if kind.by_order and "order" not in given:
            raise FileRefused(Bad("needs_order"), 1)
        if not kind.by_order and "source_id" not in given:
            raise FileRefused(Bad("needs_source_id"), 1)
    for name, column in (*fields.items(), *lines.items()):
        if name in FIELDS and FIELDS[name].type == "money" and not (column.unit or mapping.unit):
            raise FileRefused(Bad("needs_unit", column.name), 1)


def _constants(cells: Cells, mapping: Columns) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in mapping.constants.items():
        try:
            value = cells.read(name, text, mapping.unit)
        except CellRefused as refused:
            raise FileRefused(Bad(refused.code, name, refused.details)) from None
        if value is not None:
            found[name] = value
    return found


# ---- orders -----------------------------------------------------------------------------------------------------


def events(rows: Iterable[Row], sheet_of: Callable[[Row], Sheet], note: Note) -> Iterator[Event]:
    """Return the events of a file. Rows of one order that stand together are one; a bad row spoils its whole order."""
    waiting: Event | None = None
    seen: set[tuple[object, object]] = set()
    for row in rows:
        if row.bad is not None:
            note(row.line, row.bad)
            yield Event(row.line, {}, {}, bad=True)
            continue
        sheet = sheet_of(row)
        event = sheet.event(row, note)
        if not sheet.lines:
            yield event
            continue
        if waiting is not None and _order(waiting) == _order(event):
            _join(waiting, event)
            continue
        if waiting is not None:
            yield _done(waiting, note)
        waiting = event
        key = _order(event)
        if key[1] is not None and key in seen:
            note(row.line, Bad("order_apart", event.where("order"), {"order": str(key[1])}))
            event.bad = True
        seen.add(key)
    if waiting is not None:
        yield _done(waiting, note)


def _order(event: Event) -> tuple[object, object]:
    return event.raw.get("store"), event.raw.get("order")


def _join(first: Event, more: Event) -> None:
    first.raw["lines"] += more.raw["lines"]
    first.line_numbers += more.line_numbers
    first.rows += more.rows
    first.bad = first.bad or more.bad


def _done(event: Event, note: Note) -> Event:
    if event.bad and event.rows > 1:
        note(event.line, Bad("order_spoiled", event.where("order"), {"rows": event.rows}))
    return event
