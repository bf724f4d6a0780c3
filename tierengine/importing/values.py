"""From what stands in a cell to what an observation holds. A cell is text, or a value that a spreadsheet has typed.

Nothing is guessed: a time without a zone, money without a currency or a unit, a day that may be read two ways are
refused, each with a code and a sentence. What is decided by form (ranges, lengths) is left to observations.py.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from rules.keys import WORDS
from rules.names import ATTRIBUTES_ZH, CATEGORIES_ZH, KINDS_ZH, canonical
from rules.policy import Text
from rules.vocabulary import ATTRIBUTES, CATEGORIES, FIELDS, KINDS, STATUSES
from tierengine.errors import sentence
from tierengine.importing.mapping import Mapping as Columns

NUMBER_MOST: Final = 40  # characters of a number

# code → sentence; {names} are filled from the problem's details. Other codes stand in tierengine.errors.
SENTENCES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        # the file as a whole
        "unknown_format": Text(
            "认不出文件类型；可以是 .csv、.tsv、.jsonl、.xlsx，前三种可以再压缩成 .gz。",
            "The kind of file is not known; it may be .csv, .tsv, .jsonl or .xlsx, the first three also with .gz.",
        ),
        "old_excel": Text("旧版 Excel 文件，请另存为 .xlsx。", "An old Excel file; save it as .xlsx."),
        "bad_encoding": Text(
            "既不是 UTF-8 也不是 GB18030 编码，从第 {byte} 个字节起读不懂。",
            "Neither UTF-8 nor GB18030 from byte {byte} on.",
        ),
        "broken_file": Text("文件损坏，从这里起读不下去。", "The file is damaged and cannot be read on from here."),
        "no_header": Text("第一行应是列名。", "The first row must name the columns."),
        "no_column": Text("没有列“{column}”；有：{known}。", "There is no column {column!r}; there are: {known}."),
        "column_twice": Text("列“{column}”有两个。", "There are two columns {column!r}."),
        "needs_kind": Text(
            "不知道每行是什么事件：用 --set kind=… 写明，或者要有列“事件”。",
            "What each row is must be said: --set kind=…, or a column for it.",
        ),
        "needs_time": Text(
            "缺少时间列：--map occurred_at=列名。", "A column for the time is needed: --map occurred_at=COLUMN."
        ),
        "needs_source_id": Text(
            "缺少来源单号列：--map source_id=列名。每行要有自己的单号；按内容推算的号不行，"
            "改过一个字的行会被当成新的再记一次。",
            "A column with each row's own number is needed: --map source_id=COLUMN. A number worked out from the row's "
            "content would not do: a row in which one character was mended would be booked a second time.",
        ),
        "needs_order": Text("缺少单号列：--map order=列名。", "A column for the order is needed: --map order=COLUMN."),
        "needs_unit": Text(
            "金额列没有写明单位：--set unit=元 或 unit=分。差一百倍的事不猜。",
            "What the money columns count is not said: --set unit=yuan or unit=fen. A factor of 100 is not guessed.",
        ),
        "bad_source": Text("来源不能叫“{name}”：不能含冒号，不能叫 order。", "A source cannot be called {name!r}."),
        # a row
        "broken_row": Text(
            "这一行读不懂（引号没有成对？）。", "This row cannot be read (a quote that is not closed?)."
        ),
        "row_too_long": Text("这一行太长，超过 {most} 个字符。", "This row is longer than {most} characters."),
        "wrong_columns": Text("应有 {expected} 列，这一行有 {got} 列。", "Expected {expected} columns, got {got}."),
        "not_json": Text("不是一行一个 JSON 对象。", "This is not one JSON object a line."),
        "key_twice": Text("同一个键出现两次。", "A key comes twice."),
        "spreadsheet_error": Text("单元格里是公式错误。", "The cell holds an error of its formula."),
        "no_zone": Text(
            "时间没有时区：写成 2026-03-01T10:00:00+08:00，或者用 --set timezone=Asia/Shanghai 写明。",
            "The time has no zone: write 2026-03-01T10:00:00+08:00, or say --set timezone=Asia/Shanghai.",
        ),
        "not_a_time": Text("不是时间；写作 2026-03-01 10:00:00。", "Not a time; it is written 2026-03-01 10:00:00."),
        "not_a_date": Text("不是日期；写作 2026-03-01。", "Not a date; it is written 2026-03-01."),
        "no_currency": Text(
            "金额没有币种：用 --set currency=CNY 写明。", "The money has no currency: say --set currency=CNY."
        ),
        "not_a_number": Text("不是数字。", "Not a number."),
        "fraction": Text("不能有小数：最小单位是 {smallest}。", "No fractions here: the smallest unit is {smallest}."),
        "not_yes_or_no": Text("应为 是 或 否。", "Expected yes or no."),
        "not_named": Text("取值对照里没有这个值。", "This value is not among those named for the column."),
        "opening_twice": Text(
            "同一会员、钱包和到期日在第 {line} 行已有。", "Line {line} has the same member, wallet and last day."
        ),
        "order_spoiled": Text(
            "这张单有不对的行，{rows} 行整单没有记。",
            "One line of this order is wrong: none of its {rows} is recorded.",
        ),
        "order_apart": Text(
            "单号 {order} 的行没有连在一起；请先按单号排序。",
            "The rows of order {order} do not stand together; sort the file by order.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Bad:
    """One thing wrong with a row or a file: where (column or field, "" = all of it), a stable code, and its values."""

    code: str
    where: str = ""
    details: Mapping[str, int | str] = field(default_factory=dict)

    def say(self, lang: str) -> str:
        """Return the sentence in `lang` ("zh" or "en")."""
        own = SENTENCES.get(self.code)
        return own.say(lang).format_map(self.details) if own else sentence(self.code, self.details, lang)


class CellRefused(ValueError):
    """A cell does not hold what its field takes."""

    def __init__(self, code: str, **details: int | str) -> None:
        self.code = code
        self.details = details
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Cells:
    """Reads the cells of one file by what its mapping says of times and money."""

    mapping: Columns
    zone: ZoneInfo | None
    digits: int

    @classmethod
    def of(cls, mapping: Columns) -> Cells:
        """Return the reader for a mapping."""
        zone = ZoneInfo(mapping.timezone) if mapping.timezone else None
        return cls(mapping, zone, get_currency_precision(mapping.currency) if mapping.currency else 2)

    def read(self, name: str, cell: object, unit: str = "", currency: object = None) -> object:
        """Return the value of a field; None for an empty cell. Raises CellRefused."""
        if isinstance(cell, str):
            cell = cell.strip()
        if cell is None or cell == "":
            return None
        if isinstance(cell, str) and cell in _ERRORS:
            raise CellRefused("spreadsheet_error")
        if name == "occurred_at":
            return self.instant(cell)
        if name in _NAMED:
            # What is a word of ours in either tongue; any other is refused by its form, not here.
            candidates, chinese = _NAMED[name]
            return canonical(_plain(cell), candidates, chinese) or _text(cell)
        if name == "revision":
            return whole(cell)
        type_ = FIELDS[name].type if name in FIELDS else "text"
        if type_ == "money":
            return self.money(cell, unit or self.mapping.unit, currency)
        read = _READERS.get(type_)
        return read(cell) if read is not None else _text(cell)

    def instant(self, cell: object) -> str:
        """Return a time as RFC 3339 with its zone."""
        moment = _moment(cell)
        if moment.tzinfo is None:
            if self.zone is None:
                raise CellRefused("no_zone")
            # A wall time that comes twice is the first of the two, as everywhere here.
            moment = moment.replace(tzinfo=self.zone, fold=0)
        offset = moment.utcoffset() or timedelta()
        if offset % timedelta(minutes=1):
            raise CellRefused("too_early")  # local mean times, before there were zones
        return moment.isoformat()

    def money(self, cell: object, unit: str, currency: object) -> int:
        """Return money in its smallest unit."""
        if not self.mapping.currency and not currency:
            raise CellRefused("no_currency")
        if not unit:
            if isinstance(cell, int) and not isinstance(cell, bool):
                return cell  # a JSON integer is in the smallest unit, as in the API
            raise CellRefused("needs_unit")
        number = decimal(cell)
        if unit == "yuan":
            number = number.scaleb(self.digits)
        if number != number.to_integral_value():
            raise CellRefused("fraction", smallest="0.01" if unit == "yuan" and self.digits == 2 else "1")
        return int(number)


# ---- numbers ----------------------------------------------------------------------------------------------------

_SIGNS: Final = re.compile(r"^[¥￥$€£]|元$|CNY$|USD$|RMB$")
# Thousands are marked or they are not: 1,234,567.89 but never 1,23.
_NUMBER: Final = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?", re.ASCII)


def decimal(cell: object) -> Decimal:
    """Return the number in a cell, exactly."""
    if isinstance(cell, (bool, datetime, date, time)):
        raise CellRefused("not_a_number")
    if isinstance(cell, int):
        return Decimal(cell)
    if isinstance(cell, float):
        if not math.isfinite(cell):
            raise CellRefused("not_a_number")
        # A spreadsheet stores 1234.56 as the nearest binary fraction; its shortest form is what was typed.
        return Decimal(repr(cell))
    text = unicodedata.normalize("NFKC", _text(cell)).replace(" ", "")
    text = _SIGNS.sub("", _SIGNS.sub("", text))
    if len(text) > NUMBER_MOST or not _NUMBER.fullmatch(text):
        raise CellRefused("not_a_number")
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise CellRefused("not_a_number") from None


def whole(cell: object) -> int:
    """Return the whole number in a cell; 5.0 is one, as spreadsheets have no others."""
    number = decimal(cell)
    if number != number.to_integral_value():
        raise CellRefused("fraction", smallest="1")
    return int(number)


_TRUE: Final = frozenset(("是", "有", "对", "yes", "y", "true", "t", "1", "√"))
_FALSE: Final = frozenset(("否", "无", "不", "no", "n", "false", "f", "0", "×"))


def yes_or_no(cell: object) -> bool:
    """Return the truth in a cell."""
    if isinstance(cell, bool):
        return cell
    text = _text(cell).lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise CellRefused("not_yes_or_no")


# ---- days and times ---------------------------------------------------------------------------------------------

_DAY: Final = re.compile(r"(\d{4})(?:[-/.年])(\d{1,2})(?:[-/.月])(\d{1,2})日?", re.ASCII)
_PLAIN_DAY: Final = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_CLOCK: Final = re.compile(
    r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE
)


def day(cell: object) -> str:
    """Return the date in a cell as ISO text. 03/04/2026 may be two days and is refused."""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    found = _day(unicodedata.normalize("NFKC", _text(cell)))
    if found is None or found[1]:
        raise CellRefused("not_a_date")
    return found[0].isoformat()


def _day(text: str) -> tuple[date, str] | None:
    """Return the day a text begins with, and what follows it."""
    match = _DAY.match(text) or _PLAIN_DAY.match(text)
    if match is None:
        return None
    try:
        return date(*(int(part) for part in match.groups())), text[match.end() :].strip()
    except ValueError:
        return None


def _moment(cell: object) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    found = _day(unicodedata.normalize("NFKC", _text(cell)))
    if found is None:
        raise CellRefused("not_a_time")
    start, rest = found
    if not rest:
        return datetime.combine(start, time())
    match = _CLOCK.fullmatch(rest.removeprefix("T").removeprefix("t").strip())
    if match is None:
        raise CellRefused("not_a_time")
    hour, minute, second, part, zone = match.groups()
    micro = int((part or "0").ljust(6, "0"))
    try:
        clock = time(int(hour), int(minute), int(second or 0), micro)
        text = "" if zone is None else "+00:00" if zone.upper() == "Z" else zone
        return datetime.fromisoformat(datetime.combine(start, clock).isoformat() + text)
    except ValueError:
        raise CellRefused("not_a_time") from None


# ---- text -------------------------------------------------------------------------------------------------------

_ERRORS: Final = frozenset(("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"))
_BETWEEN: Final = re.compile(r"[、，,;；|]")


def texts(cell: object) -> list[str]:
    """Return the words of a list."""
    if isinstance(cell, (list, tuple)):
        return [_text(part) for part in cell]
    return [part.strip() for part in _BETWEEN.split(_text(cell)) if part.strip()]


def _text(cell: object) -> str:
    """Return a cell as text; a spreadsheet's 1001.0 is the number 1001 that somebody typed."""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat()
    return str(cell).strip()


def _plain(cell: object) -> str:
    """Return a word in half-width letters."""
    return unicodedata.normalize("NFKC", _text(cell)).strip()


# field → the words that it takes, and their Chinese names
_NAMED: Final[Mapping[str, tuple[Iterable[str], Mapping[str, str]]]] = {
    "kind": (KINDS, KINDS_ZH),
    "category": (CATEGORIES, CATEGORIES_ZH),
    "status": (STATUSES, WORDS),
    "name": (ATTRIBUTES, ATTRIBUTES_ZH),  # of the attribute that changes
}

_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "int": whole,
    "bool": yes_or_no,
    "date": day,
    "texts": texts,
}
