"""A workbook taken back into its policy file: every bad cell at once, and a new text only when there is none.

The file's text is changed at the numbers and nowhere else. What the cells say must make a policy that can be read: the
reader's own problems are told at the cell that brought them.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any, Final

from rules.checking import check
from rules.conversion import words as word_in
from rules.numbers import Number, numbers_of, replaced
from rules.problems import Lang, Problem
from rules.reader import Reading
from tierengine.policies.cells import Bad
from tierengine.policies.sheets import Row, Table, tables_of
from tierengine.policies.workbook import ABOUT, FINGERPRINT, HEADING_ROW, LEADING, PLACE, fingerprint, neighbour

MAX_BYTES: Final = 20 << 20
MAX_UNPACKED: Final = 200 << 20
MAX_ROWS: Final = 10_000
MAX_COLUMNS: Final = 500
"""A sheet of the largest policy stays below both; a cell typed far outside would make every cell before it."""
_QUOTED: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_LANGS: Final[tuple[Lang, ...]] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Change:
    """One number that is another one now; `before` and `after` as they are written in the file."""

    sheet: str
    cell: str
    name: str
    line: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a workbook makes of its file. `text` is None when anything is wrong; `reading` is that of the new text."""

    text: str | None
    changes: tuple[Change, ...]
    problems: tuple[Bad, ...]
    reading: Reading


def take_back(content: bytes, filename: str, xlsx: bytes) -> TakenBack:
    """Put the numbers of a workbook into the text of the policy file that it was made from.

    The file must be one that can be read; `xlsx` may be anything.
    """
    text = content.decode("utf-8")
    problems: list[Bad] = []
    found: dict[str, tuple[Number, str, Bad]] = {}
    book = _opened(xlsx)
    if book is None:
        problems.append(Bad("", "", "not_a_workbook"))
    else:
        lang, made_of = _made_of(book)
        if made_of != fingerprint(content):
            problems.append(Bad(ABOUT[lang], "", "stale" if made_of else "no_fingerprint"))
        if made_of:
            for name, table in tables_of(numbers_of(text), lang).items():
                if name in book.sheetnames:
                    _Sheet(book[name], table, lang, problems, found).read()
                else:
                    problems.append(Bad(name, "", "missing_sheet"))
    new = replaced(text, ((number, written) for number, written, _ in found.values()))
    reading = check(new.encode(), filename)
    places = {number.mark: number.name for number in numbers_of(new).numbers}
    problems += [_of_file(problem, places, found) for problem in reading.problems if problem.severity == "error"]
    changes = tuple(
        Change(at.sheet, at.cell, number.name, number.mark.line, number.text, written)
        for number, written, at in sorted(found.values(), key=lambda one: (one[0].mark.line, one[0].mark.column))
    )
    return TakenBack(None if problems else new, changes, tuple(problems), reading)


def _of_file(problem: Problem, places: Mapping[Any, str], found: Mapping[str, tuple[Number, str, Bad]]) -> Bad:
    """Return a problem of the new text at the cell that brought it, or at the sheet of none."""
    change = found.get(places.get(problem.mark, ""))
    if change is None:
        on_line = [one for one in found.values() if one[0].mark.line == problem.mark.line]
        change = on_line[0] if len(on_line) == 1 else None
    sheet, cell = (change[2].sheet, change[2].cell) if change is not None else ("", "")
    return Bad(sheet, cell, "policy", found=change[1] if change is not None else problem.found, problem=problem)


def _opened(xlsx: bytes) -> Any:
    """Return the workbook, with formulas as they are written; None when it is none, or one that unpacks too large."""
    import openpyxl  # noqa: PLC0415  large, and needed by nothing else

    if len(xlsx) > MAX_BYTES:
        return None
    try:
        with zipfile.ZipFile(BytesIO(xlsx)) as packed:
            if sum(item.file_size for item in packed.infolist()) > MAX_UNPACKED:
                return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations that nobody reads here
            return openpyxl.load_workbook(BytesIO(xlsx))
    except Exception:  # noqa: BLE001  a broken file breaks openpyxl in any way it likes
        return None


def _made_of(book: Any) -> tuple[Lang, str]:
    """Return the tongue of the sheets and the fingerprint of the file they were made from, "" when there is none."""
    for lang in _LANGS:
        if ABOUT[lang] in book.sheetnames:
            for name, value in book[ABOUT[lang]].iter_rows(max_row=10, max_col=2, values_only=True):
                if name == FINGERPRINT[lang]:
                    return lang, str(value or "")
    return "zh", ""


class _Sheet:
    """One sheet beside the table that the file makes."""

    def __init__(
        self,
        sheet: Any,
        table: Table,
        lang: Lang,
        problems: list[Bad],
        found: dict[str, tuple[Number, str, Bad]],
    ) -> None:
        self._sheet, self._table, self._lang = sheet, table, lang
        self._problems, self._found = problems, found
        self._merged: set[str] = set()

    def read(self) -> None:
        """Take the changed numbers, or note what is wrong with the cells."""
        if self._sheet.max_row > MAX_ROWS or self._sheet.max_column > MAX_COLUMNS:
            self._note(self._sheet.dimensions.rpartition(":")[2], "far_outside")
            return
        for area in self._sheet.merged_cells.ranges:
            self._note(area.start_cell.coordinate, "merged", str(area))
            self._merged |= {self._sheet.cell(row, column).coordinate for row, column in area.cells}
        columns = self._columns()
        at_place = columns.get(PLACE[self._lang])
        if at_place is None:
            return
        seen: set[str] = set()
        for cells in self._sheet.iter_rows(min_row=HEADING_ROW + 1):
            if all(cell.value in (None, "") for cell in cells):
                continue
            place = str(cells[at_place - 1].value or "").strip()
            row = self._table.rows.get(place)
            if row is None:
                self._note(cells[at_place - 1].coordinate, "unknown_row", place)
            elif place in seen:
                self._note(cells[at_place - 1].coordinate, "row_twice", place)
            else:
                seen.add(place)
                self._row(row, cells, columns)
        for place in self._table.rows:
            if place not in seen:
                self._note("", "missing_row", place)

    def _columns(self) -> dict[str, int]:
        """Return heading → number of its column; a heading that is missing or comes twice is noted."""
        found: dict[str, int] = {}
        wanted = (*LEADING[self._lang], *self._table.columns, PLACE[self._lang])
        for cell in next(self._sheet.iter_rows(min_row=HEADING_ROW, max_row=HEADING_ROW), ()):
            name = str(cell.value or "").strip()
            if name in found:
                self._note(cell.coordinate, "column_twice", name)
            elif name in wanted:
                found[name] = cell.column
            elif name:
                self._note(cell.coordinate, "unknown_column", name)
        for name in wanted:
            if name not in found:
                self._note("", "missing_column", name)
        return found

    def _row(self, row: Row, cells: Any, columns: Mapping[str, int]) -> None:
        for name, value in zip(LEADING[self._lang], (row.id, row.title, row.about), strict=True):
            cell = cells[columns[name] - 1] if name in columns else None
            if cell is not None and str(cell.value or "").split() != value.split():
                self._note(cell.coordinate, "read_only", str(cell.value or ""), value)
        for name in self._table.columns:
            if name not in columns:
                continue
            cell = cells[columns[name] - 1]
            number = row.cells.get(name)
            if cell.coordinate in self._merged:
                continue
            if number is not None:
                self._cell(row, number, cell)
            elif cell.value not in (None, ""):
                self._note(cell.coordinate, "nothing_there", str(cell.value))

    def _cell(self, row: Row, number: Number, cell: Any) -> None:
        written = self._written(row, number, cell)
        if isinstance(written, Bad):
            self._problems.append(written)
        elif written != number.text:
            self._found[number.name] = (number, written, Bad(self._sheet.title, cell.coordinate, ""))

    def _written(self, row: Row, number: Number, cell: Any) -> str | Bad:
        """Return what the cell makes of the number's text, or what is wrong with it."""
        code = _no_value(cell)
        if not code and isinstance(cell.value, str):
            word = self._word(number, cell.value)
            if word:
                return word
            code = "text" if any(map(str.isdigit, cell.value)) else "not_a_number"
        model = number if number.value is not None else neighbour(number, row)
        if not code and model is None and number.type != "integer":
            code = "no_unit"
        if code:
            return self._bad(number, cell, code)
        value = cell.value
        amount = Decimal(f"{value:.15g}") if isinstance(value, float) else Decimal(value)
        percent = "%" in _QUOTED.sub("", cell.number_format or "")
        of_percent = model is not None and ("%" in model.after or "％" in model.after or "百分之" in model.before)
        if percent and of_percent:
            amount = amount * 100
        elif percent:
            code = "percent"
        elif (of_percent or number.type == "paid") and 0 < amount < 1 and (number.value or 1) >= 1:
            code = "fraction"
        if not code and amount < min(0, number.value or 0):
            code = "negative"
        if code:
            return self._bad(number, cell, code)
        return f"{amount:f}" if model is None else model.written(amount)

    def _bad(self, number: Number, cell: Any, code: str) -> Bad:
        found = "" if cell.value is None else str(cell.value)
        unit = f"{number.before}…{number.after}" if number.before else number.after.strip()
        return Bad(self._sheet.title, cell.coordinate, code, found, number.text.strip(), unit)

    @staticmethod
    def _word(number: Number, value: str) -> str:
        """Return the word that is written, as it is written, when it may stand there."""
        if value.strip() == number.text.strip() and number.value is None:
            return number.text
        return value.strip() if word_in(number.words, value.strip(), "en") is not None else ""

    def _note(self, cell: str, code: str, found: str = "", expected: str = "") -> None:
        self._problems.append(Bad(self._sheet.title, cell, code, found, expected))


def _no_value(cell: Any) -> str:
    """Return why a cell holds neither a number nor a text; "" when it holds one."""
    value = cell.value
    if cell.data_type in ("f", "e"):
        return "formula" if cell.data_type == "f" else "error_value"
    if value is None or value == "":
        return "empty"
    if isinstance(value, bool):
        return "not_a_number"
    return "a_date" if isinstance(value, (date, datetime, time, timedelta)) else ""
