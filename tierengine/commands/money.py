"""Amounts, days and instants as they are given on the command line, and as people read them there."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from babel.numbers import format_decimal, get_currency_precision

from rules.problems import Lang
from tierengine.amounts import LOCALES, POINTS
from tierengine.commands.failure import Stop
from tierengine.commands.screen import USAGE
from tierengine.importing import values
from tierengine.zone import SECOND, Zone, microseconds

_MOST: Final = 10**14


def count(number: int, lang: Lang) -> str:
    """Return a number with its thousands marked."""
    return format_decimal(number, locale=LOCALES[lang])


def percent(basis_points: int) -> str:
    """Return a share of 10 000 with one digit after the point."""
    return f"{basis_points / 100:.1f}"


def read_day(text: str) -> date:
    """Read a day given on the command line, as any keyboard writes it: 2026-11-20, 2026/11/20, 2026年11月20日."""
    try:
        return date.fromisoformat(values.day(text))
    except values.CellRefused:
        raise Stop(
            "bad_day",
            f"日期写作 2026-11-20 或 2026年11月20日，收到的是 {text!r}。",
            f"A day is written 2026-11-20, got {text!r}.",
            USAGE,
        ) from None


def read_amount(text: str, unit: str) -> int:
    """Read an amount given on the command line, money in major units; 0 is none."""
    digits = 0 if unit == POINTS else get_currency_precision(unit)
    try:
        number = values.decimal(text).scaleb(digits)
    except values.CellRefused:
        number = Decimal(0)
    if number != number.to_integral_value() or not number or abs(number) > _MOST:
        raise Stop("bad_amount", f"金额写作 100 或 100.50，收到 {text!r}。", f"An amount, got {text!r}.", USAGE)
    return int(number)


def instant(text: str, zone: Zone) -> int:
    """Read a time given on the command line: a day (its end), a wall time of the dealer's, or an RFC 3339 time."""
    try:
        with suppress(values.CellRefused):
            end = zone.end_of(date.fromisoformat(values.day(text)))
            return 0 if end is None else end - 1
        moment = datetime.fromisoformat(text)
        return zone.instant(moment) if moment.tzinfo is None else microseconds(moment)
    except (ValueError, OverflowError):
        raise Stop(
            "bad_time",
            f"时间写作 2026-11-20 或 2026-11-20T18:00，收到的是 {text!r}。",
            f"A time is written 2026-11-20 or 2026-11-20T18:00, got {text!r}.",
            USAGE,
        ) from None


def day(at: int, zone: Zone) -> str:
    """Return the local day of an instant."""
    return zone.local_date(at).isoformat()


def minute(at: int, zone: Zone) -> str:
    """Return an instant as the dealer's clock shows it, to the minute."""
    return zone.local(at - at % SECOND).isoformat(sep=" ", timespec="minutes")
