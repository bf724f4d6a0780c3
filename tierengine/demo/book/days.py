"""Days and hours of the demo book, all on the clock of Shanghai, which has not been changed since 1991."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import Final

SHANGHAI: Final = timezone(timedelta(hours=8))
START: Final = date(2025, 1, 1)
TODAY: Final = date(2026, 11, 20)
"""The last day of the book; its last event is recorded before the evening of this day."""


def at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Return a moment of a day."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=SHANGHAI)


def some_time(day: date, rng: Random, first: int = 8, last: int = 17) -> datetime:
    """Return a moment of a day during which people work."""
    return at(day, rng.randint(first, last), rng.randint(0, 59), rng.randint(0, 59))


def text(moment: datetime) -> str:
    """Return a moment as a source sends it."""
    return moment.isoformat(timespec="seconds")


def days_from(day: date, number: int) -> date:
    """Return the day so many days later."""
    return day + timedelta(days=number)


def between(rng: Random, first: date, last: date) -> date:
    """Return a day from `first` to `last`, both included."""
    return first + timedelta(days=rng.randint(0, max((last - first).days, 0)))


def anniversary(day: date, year: int) -> date:
    """Return the day and month in another year; 29 February is the 28th there."""
    return date(year, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


# ---- when what happened reaches the book -------------------------------------------------------------------------


def at_once(moment: datetime) -> datetime:
    """Return when a till's message arrives."""
    return moment + timedelta(seconds=4)


def that_night(moment: datetime) -> datetime:
    """Return when the nightly file of the ERP brings it: at 02:10."""
    night = at(moment.date() + timedelta(days=1), 2, 10)
    return night + timedelta(seconds=moment.minute)


def that_evening(moment: datetime) -> datetime:
    """Return when somebody types it in at the end of his day."""
    return max(at(moment.date(), 18, moment.minute, moment.second), moment + timedelta(minutes=5))


def on_friday(moment: datetime) -> datetime:
    """Return when somebody types in his week: Friday evening."""
    ahead = (4 - moment.weekday()) % 7
    friday = at(moment.date() + timedelta(days=ahead), 19, moment.minute, moment.second)
    return max(friday, moment + timedelta(minutes=5))


def on_monday(moment: datetime) -> datetime:
    """Return when the archivist goes through what came in: the next Monday morning."""
    ahead = (7 - moment.weekday()) % 7 or 7
    return at(moment.date() + timedelta(days=ahead), 9, moment.minute, moment.second)
