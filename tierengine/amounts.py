"""Amounts as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from babel.numbers import format_currency, format_decimal, get_currency_precision

POINTS: Final = "points"
LOCALES: Final[Mapping[str, str]] = {"zh": "zh_CN", "en": "en_US"}


def amount(minor: int, unit: str, lang: str, *, whole: bool = False) -> str:
    """Return an amount in its unit: money with its sign, points with their word; `whole`: without its cents."""
    if unit == POINTS:
        number = format_decimal(minor, locale=LOCALES[lang])
        return f"{number} 分" if lang == "zh" else f"{number} points"
    major = Decimal(minor).scaleb(-get_currency_precision(unit))
    if whole:
        major = major.to_integral_value()
        return format_currency(major, unit, "¤#,##0", locale=LOCALES[lang], currency_digits=False)
    return format_currency(major, unit, locale=LOCALES[lang])
