"""The model's calendar."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000


@lru_cache(maxsize=100_000)
def wall(zone: str, at: int) -> datetime:
    return (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def day_of(zone: str, at: int) -> date:
    return wall(zone, at).date()


def instant(zone: str, clock: datetime) -> int:
    return (clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=100_000)
def start_of(zone: str, day: date) -> int:
    """The first instant that is on this day, looked for by quarters of an hour."""
    guess = (datetime(day.year, day.month, day.day, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    return next(at for at in range(guess - DAY, guess + DAY, DAY // 96) if day_of(zone, at) == day)


def months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days_later(day: date, days: int) -> date:
    return day + timedelta(days=days)


def period_of(period: str, day: date, event: str) -> str:
    return {
        "life": "life",
        "year": f"{day.year}",
        "quarter": f"{day.year}Q{(day.month + 2) // 3}",
        "month": f"{day.year}-{day.month}",
        "day": f"{day}",
        "event": event,
    }[period]
