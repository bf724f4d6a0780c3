"""Texts → numbers, amounts, percentages, lengths of time and dates, as dealers write them in either tongue.

Nothing is guessed: an amount without a currency, a percentage without a sign and `95% off` are refused with the code
of a question. Full-width digits and signs are taken as their ASCII forms. Numbers stay exact; there are no floats.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

LIMIT: Final = 2**53
"""Largest magnitude of any number in a policy: exact in the engine and in every JSON reader."""

MAX_TEXT: Final = 80
CURRENCIES: Final[dict[str, tuple[str, ...]]] = {
    # All with two decimals: an amount is hundredths.
    "CNY": ("CNY", "RMB", "元", "人民币", "人民币元", "元人民币", "YUAN", "¥", "￥"),
    "HKD": ("HKD", "HK$", "港元", "港币"),
    "USD": ("USD", "US$", "$", "美元"),
    "EUR": ("EUR", "€", "欧元"),
}
_CURRENCY_OF: Final = {
    unicodedata.normalize("NFKC", name): code for code, names in CURRENCIES.items() for name in names
}
_TIMES: Final = {"": 1, "百": 100, "千": 1_000, "万": 10_000, "百万": 1_000_000, "千万": 10_000_000, "亿": 100_000_000}
_POINTS: Final = ("points", "point", "积分")

TimeUnit = Literal["minutes", "hours", "days", "weeks", "months", "years"]
_TIME_UNITS: Final[dict[str, TimeUnit]] = {
    "minute": "minutes", "minutes": "minutes", "min": "minutes", "mins": "minutes", "分钟": "minutes",
    "hour": "hours", "hours": "hours", "小时": "hours", "个小时": "hours", "钟头": "hours",
    "day": "days", "days": "days", "天": "days", "日": "days",
    "week": "weeks", "weeks": "weeks", "周": "weeks", "星期": "weeks", "个星期": "weeks",
    "month": "months", "months": "months", "个月": "months", "月": "months",
    "year": "years", "years": "years", "年": "years",
}  # fmt: skip
MINUTES_IN: Final[dict[TimeUnit, int]] = {"minutes": 1, "hours": 60, "days": 1440, "weeks": 10_080}
DAYS_IN: Final[dict[TimeUnit, int]] = {"days": 1, "weeks": 7}
MONTHS_IN: Final[dict[TimeUnit, int]] = {"months": 1, "years": 12}

_DIGITS: Final = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "壹": 1}
_TENS: Final = {"十": 10, "百": 100, "千": 1_000}
_CHINESE: Final = "".join(_DIGITS) + "十百千万亿"
_NUMBER: Final = r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_QUANTITY: Final = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<times>百万|千万|百|千|万|亿)?\s*(?P<unit>[^\d\s].*)?")
_SPELLED: Final = re.compile(rf"(?P<number>[{_CHINESE}]+)\s*(?P<unit>[^\d\s].*)?")
_ZHE: Final = re.compile(r"(\d+)(?:\.(\d+))?")
_NINE: Final = "[零〇一二三四五六七八九]"
_ZHE_SPELLED: Final = re.compile(rf"({_NINE})({_NINE})?|({_NINE})点({_NINE}+)")
_SHORTENED: Final = re.compile(r"[百千][一二两三四五六七八九]$")
_DISCOUNT: Final = re.compile(r"off|discount|优惠|减|折扣|让利|降", re.IGNORECASE)
_DATE: Final = re.compile(r"(\d{4})([-/.]|年)(\d{1,2})([-/.]|月)(\d{1,2})(日|号)?")
_CLOCK: Final = re.compile(r"[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2}))?(Z|[+-]\d{2}:\d{2})?")
_TRUE: Final = ("yes", "true", "是")
_FALSE: Final = ("no", "false", "否")


class Refused(Exception):
    """A text is not such a value: the problem's code, and what would be allowed. Caught where the place is known."""

    def __init__(self, code: str, *allowed: str, zh: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.allowed = allowed
        self.zh = zh


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time as written: never converted between units that have no fixed ratio."""

    count: int
    unit: TimeUnit


def plain(text: str) -> str:
    """Return a number, key or id in its plain form: full-width characters as ASCII, no blanks at the ends."""
    return unicodedata.normalize("NFKC", text).strip()


def _quantity(text: str, code: str) -> tuple[Decimal, str]:
    """Split `1.5万元` into a number and what follows it."""
    clean = plain(text)
    if len(clean) > MAX_TEXT:
        raise Refused("P302" if clean.replace(",", "").isdigit() else code, f"±{LIMIT}")
    match = _QUANTITY.fullmatch(clean)
    if match:
        number = Decimal(match["number"].replace(",", "")) * _TIMES[match["times"] or ""]
        return number, (match["unit"] or "").strip()
    match = _SPELLED.fullmatch(clean)
    if match:
        return Decimal(_spelled(match["number"], code)), (match["unit"] or "").strip()
    raise Refused(code)


def _spelled(text: str, code: str) -> int:
    """Read 一千五百 or 两万 (one to eight digits' worth); anything else is refused."""
    total = section = digit = 0
    if _SHORTENED.search(text):  # 一百三 is 130 when it is said and 103 when it is counted
        raise Refused(code)
    for char in text:
        if char in _DIGITS:
            if digit:
                raise Refused(code)
            digit = _DIGITS[char]
        elif char in _TENS:
            section += (digit or 1) * _TENS[char]
            digit = 0
        else:
            total = (total + section + digit) * (10_000 if char == "万" else 100_000_000)
            section = digit = 0
        if total > LIMIT:
            raise Refused("P302", f"±{LIMIT}")
    return total + section + digit


def _bounded(number: Decimal, low: int, high: int) -> int:
    if not low <= number <= high:
        raise Refused("P302", f"{low}-{high}" if low >= 0 else f"{low} … {high}")
    return int(number)


def integer(text: str, low: int = 0, high: int = LIMIT, units: tuple[str, ...] = ()) -> int:
    """Read a whole number; `units` are words that may follow it."""
    number, unit = _quantity(text, "P301")
    if number != number.to_integral_value() or (unit and unit.casefold() not in units):
        raise Refused("P301")
    return _bounded(number, low, high)


def money(text: str, currency: str, low: int = 0) -> int:
    """Read an amount in hundredths: `1000 CNY`, `CNY 1000`, `¥1000`, `1000元`, `2万元`."""
    clean = plain(text)
    before = ""
    for name in sorted(_CURRENCY_OF, key=len, reverse=True):
        if clean.upper().startswith(name) and len(clean) > len(name):
            before, clean = name, clean[len(name) :].strip()
            break
    number, unit = _quantity(clean, "P305")
    unit = unit or before
    if not unit:
        raise Refused("P303", currency)
    code = _CURRENCY_OF.get(unit.upper(), _CURRENCY_OF.get(unit))
    if unit.upper() == currency:
        code = currency
    if code is None:
        raise Refused("P317" if unit.casefold() in _POINTS else "P305", currency)
    if code != currency:
        raise Refused("P304", currency)
    cents = number * 100
    if cents != cents.to_integral_value():
        raise Refused("P306")
    return _bounded(cents, low, LIMIT)


def points(text: str, low: int = 0) -> int:
    """Read a number of points: `500`, `500 points`, `500积分`."""
    number, unit = _quantity(text, "P301")
    if unit and unit.casefold() not in _POINTS:
        raise Refused("P317", "points")
    if number != number.to_integral_value():
        raise Refused("P301")
    return _bounded(number, low, LIMIT)


def percent(text: str, low: int = 0, high: int = LIMIT) -> int:
    """Read a percentage in basis points: `130%` is 13 000."""
    clean = plain(text)
    if "%" in clean and _DISCOUNT.search(clean):
        raise Refused("P309")
    spelled = clean.startswith("百分之")
    number, unit = _quantity(clean.removeprefix("百分之"), "P307")
    if not unit and not spelled:
        raise Refused("P308")
    points_ = number * 100
    if (unit not in {"%", "percent"} and not spelled) or points_ != points_.to_integral_value():
        raise Refused("P307")
    return _bounded(points_, low, high)


def share_paid(text: str) -> int:
    """Read the share of the list price that is paid, in basis points: `95%`, `95折`, `9.5折`, `九五折`, `九折`."""
    clean = plain(text)
    if clean.startswith("打"):
        clean = clean.removeprefix("打").strip()
    share = _zhe(clean.removesuffix("折").strip()) if clean.endswith("折") else percent(clean)
    if not 0 < share <= 10_000:
        raise Refused("P507")
    return share


def _zhe(text: str) -> int:
    """`N 折`: one digit or a decimal is tenths, two digits are hundredths; 0, 10 and 100 折 are no discount."""
    spelled = _ZHE_SPELLED.fullmatch(text)
    if spelled:
        first, second, whole, part = spelled.groups()
        text = f"{whole}.{part}" if whole else f"{first}{second or ''}"
        text = "".join(char if char in ".0123456789" else str(_DIGITS[char]) for char in text)
    match = _ZHE.fullmatch(text)
    if match is None or len(text) > 5:
        raise Refused("P310")
    whole, part = match.groups()
    if len(whole) == 2 and not part and whole[0] != "0" and whole != "10":
        return int(whole) * 100
    share = Decimal(text) * 1000
    if len(whole) != 1 or not 0 < share < 10_000 or share != share.to_integral_value():
        raise Refused("P310")
    return int(share)


def length(text: str) -> Length:
    """Read a length of time: `12 months`, `90天`, `2小时`, `半年`."""
    clean = plain(text)
    if clean in ("半年", "half a year"):
        return Length(6, "months")
    number, unit = _quantity(clean, "P311")
    known = _TIME_UNITS.get(unit.casefold())
    if known is None or number != number.to_integral_value():
        raise Refused("P311")
    return Length(_bounded(number, 0, 1_000_000), known)


def day(text: str) -> date:
    """Read a date that exists, between 1900 and 2199."""
    match = _DATE.fullmatch(plain(text))
    if match is None:
        raise Refused("P313")
    return _date(match)


def _date(match: re.Match[str]) -> date:
    year, first, month, second, number, last = match.groups()
    if (first == "年") != (second == "月") or (first != "年" and (first != second or last)):
        raise Refused("P313")
    try:
        found = date(int(year), int(month), int(number))
    except ValueError as error:
        raise Refused("P313") from error
    if not 1900 <= found.year < 2200:
        raise Refused("P313")
    return found


def moment(text: str) -> str:
    """Read a date, or a date with a time, as ISO text; without an offset it is local to the dealer."""
    clean = plain(text)
    match = _DATE.match(clean)
    if match is None:
        raise Refused("P313")
    found = _date(match)
    rest = clean[match.end() :]
    if not rest:
        return found.isoformat()
    clock = _CLOCK.fullmatch(rest)
    if clock is None:
        raise Refused("P313")
    hour, minute, second, offset = clock.groups()
    written = f"{found.isoformat()}T{int(hour):02}:{minute}:{second or '00'}{(offset or '').replace('Z', '+00:00')}"
    try:
        return datetime.fromisoformat(written).isoformat()
    except ValueError as error:
        raise Refused("P313") from error


def yes_no(text: str) -> bool:
    """Read 是, 否, yes, no, true or false."""
    word = plain(text).casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Refused("P314", "yes", "no")
