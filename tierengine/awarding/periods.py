"""The period of an award, as one number: 2026 a year, 20263 its third quarter, 202603 its March."""

from __future__ import annotations

from datetime import date
from typing import Final

from tierengine.zone import add_months

EXAMPLES: Final = {"year": "2026", "quarter": "2026-Q3", "month": "2026-03"}


def period_of(year: int) -> str:
    """Return what a number means: "year", "quarter" or "month"."""
    return {4: "year", 5: "quarter", 6: "month"}[len(str(year))]


def named(year: int) -> str:
    """Return how people write a period: 2026, 2026-Q3, 2026-03."""
    text = str(year)
    return {"year": text, "quarter": f"{text[:4]}-Q{text[4:]}", "month": f"{text[:4]}-{text[4:]}"}[period_of(year)]


def bounds(year: int) -> tuple[date, date]:
    """Return the first day of a period and the first day after it."""
    kind, text = period_of(year), str(year)
    if kind == "year":
        return date(year, 1, 1), date(year + 1, 1, 1)
    months = 3 if kind == "quarter" else 1
    first = date(int(text[:4]), (int(text[4:]) - 1) * months + 1, 1)
    return first, add_months(first, months)
