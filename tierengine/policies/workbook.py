"""A workbook of a policy's numbers: one sheet a part, units in the cells, what may be changed and what not.

A number is a number in its cell: the unit is the cell's format (`1,000 元`), so that a clerk types 1200 and no more.
The first sheet says how it is used and of which version of which file it was made.
"""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import Any, Final

from rules.numbers import Number, numbers_of
from rules.problems import Lang, width
from tierengine.policies.sheets import Row, Table, tables_of

ABOUT: Final = {"zh": "说明", "en": "about"}
PLACE: Final = {"zh": "位置（勿改）", "en": "place (do not change)"}
LEADING: Final = {"zh": ("编号", "名称", "项目"), "en": ("id", "title", "about")}
FINGERPRINT: Final = {"zh": "文件指纹", "en": "fingerprint of the file"}
FILE: Final = {"zh": "政策文件", "en": "policy file"}
HEADING_ROW: Final = 1
_WIDEST: Final = 44
_HELP: Final = {
    "zh": (
        "白底的格子可以改，灰底的不能改。",
        "只写数，单位已经在格子里：要 1200 元就写 1200；要九五折就写 95；要 20% 就写 20。",
        "原来写“无”“不限”的，可以照样写这两个词。不要用公式，不要合并单元格，不要删行。行的先后可以变。",
        "改完存盘，再运行：tierengine policy import 这个文件 政策文件",
        "有一格不对，就什么都不会改，并告诉您是哪一张表的哪一格。",
        "政策文件在导出之后又改过的，请重新导出。",
    ),
    "en": (
        "White cells may be changed, grey ones not.",
        "Type the number alone, its unit is in the cell: 1200 for 1200 CNY, 95 for 95%, 20 for 20%.",
        "Where `none` or `unlimited` stood you may type such a word. No formulas, no merged cells, no rows taken out.",
        "Save it and run: tierengine policy import THIS_FILE POLICY_FILE",
        "One bad cell and nothing changes; each is named by sheet and cell.",
        "When the policy file changed after the export, export it again.",
    ),
}


def fingerprint(content: bytes) -> str:
    """Return what tells one version of a file from another."""
    return hashlib.sha256(content).hexdigest()


def workbook(content: bytes, filename: str, lang: Lang) -> bytes:
    """Return the XLSX of a policy file, which must be one that can be read."""
    import openpyxl  # noqa: PLC0415  large, and needed by nothing else

    book: Any = openpyxl.Workbook()
    _about(book.active, content, filename, lang)
    for name, table in tables_of(numbers_of(content.decode("utf-8")), lang).items():
        _fill(book.create_sheet(name), table, lang)
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _about(sheet: Any, content: bytes, filename: str, lang: Lang) -> None:
    sheet.title = ABOUT[lang]
    sheet.append([FILE[lang], filename])
    sheet.append([FINGERPRINT[lang], fingerprint(content)])
    for sentence in _HELP[lang]:
        sheet.append([sentence])
    sheet.column_dimensions["A"].width = 24
    sheet.protection.sheet = True


def _fill(sheet: Any, table: Table, lang: Lang) -> None:
    from openpyxl.styles import Font, PatternFill, Protection  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    grey, bold, open_ = PatternFill("solid", fgColor="FFE7E6E6"), Font(bold=True), Protection(locked=False)
    headings = [*LEADING[lang], *table.columns, PLACE[lang]]
    sheet.append(headings)
    widths = [width(heading) for heading in headings]
    rows = list(table.rows.values())
    for row in rows:
        _row(sheet, row, table.columns)
    for cells in sheet.iter_rows(min_row=HEADING_ROW, max_row=sheet.max_row, max_col=len(headings)):
        for at, cell in enumerate(cells):
            if cell.row == HEADING_ROW:
                cell.font = bold
                cell.fill = grey
                continue
            widths[at] = max(widths[at], width(str(cell.value or "")) + 6)
            row = rows[cell.row - HEADING_ROW - 1]
            number = row.cells.get(headings[at]) if at >= len(LEADING[lang]) else None
            if number is None:
                cell.fill = grey
            else:
                cell.protection = open_
                cell.number_format = _format(number, row)
    for at, wide in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = min(wide + 2, _WIDEST)
    sheet.freeze_panes = sheet.cell(HEADING_ROW + 1, len(LEADING[lang]) + 1)
    sheet.protection.sheet = True
    sheet.protection.formatColumns = False


def _row(sheet: Any, row: Row, columns: list[str]) -> None:
    values: list[object] = [row.id, row.title, row.about]
    for column in columns:
        number = row.cells.get(column)
        values.append(None if number is None else _value(number))
    place = sheet.max_row + 1
    for at, value in enumerate([*values, row.place], start=1):
        if value is None:
            continue
        cell = sheet.cell(place, at, value)
        if isinstance(value, str):
            cell.data_type = "s"  # a title may begin with "=": it is no formula


def _value(number: Number) -> int | float | str:
    if number.value is None:
        return number.text.strip()
    whole = number.value == number.value.to_integral_value()
    return int(number.value) if whole else float(number.value)


def _format(number: Number, row: Row) -> str:
    """Return the format that shows a number with what is written around it; a word takes that of its neighbours."""
    model = number if number.value is not None else neighbour(number, row)
    if model is None or not (model.before or model.after):
        return "General"
    before, after = (part.replace('"', '""') for part in (model.before, model.after))
    return (f'"{before}"' if before else "") + "General" + (f'"{after}"' if after else "")


def neighbour(number: Number, row: Row) -> Number | None:
    """Return a number beside a word that is of its type: a number in the word's place would be written like it."""
    return next((one for one in row.cells.values() if one.value is not None and one.type == number.type), None)
