"""A dealer's local calendar: days, months, windows, ends of validity.

Instants are integer microseconds UTC. All date arithmetic of the system is here, in Python: databases disagree (one
month before 31 March is 3 March on SQLite, 28 February on PostgreSQL) and are given finished bounds.

A local day begins at its first 00:00; where the clocks skip 00:00, with the first instant that there is. A wall time
that comes twice is the first of the two; one that is skipped is as much later as the clocks went forward.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rules.policy import Expiry, Period, Window

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND
DAY: Final = 86_400 * SECOND

Bounds = tuple[int | None, int]
"""A half-open window (from, upto] of instants; from None: since ever."""

_MONTHS: Final = {"year": 12, "quarter": 3, "month": 1}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Zone:
    """The calendar of one IANA time zone, such as Asia/Shanghai; a value: equal names are equal zones."""

    name: str
    _info: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            info = ZoneInfo(self.name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
            raise ValueError(f"{self.name!r} is not a known time zone, such as Asia/Shanghai") from problem
        object.__setattr__(self, "_info", info)

    def local(self, at: int) -> datetime:
        """Return the local date and time of an instant, to the microsecond."""
        return _local(self._info, at // SECOND).replace(microsecond=at % SECOND)

    def local_date(self, at: int) -> date:
        """Return the local date of an instant."""
        return _local_date(self._info, at // SECOND)

    def start_of(self, day: date) -> int:
        """Return the first instant of a local day."""
        return _span_of(self._info, day)[0]

    def instant(self, wall: datetime) -> int:
        """Return the instant of a wall time without zone, to the microsecond."""
        return microseconds(wall.replace(tzinfo=self._info, fold=0))

    def end_of(self, day: date) -> int | None:
        """Return the first instant after a local day; None after the last day of the calendar: never."""
        return None if day == date.max else self.start_of(day_after(day))

    def window(self, window: Window, at: int, since: int) -> Bounds:
        """Return the bounds of a fact's window as asked at the instant `at`; `since`: when the standing tier began.

        (from, upto]: the instant `from` is outside, `upto` inside. A calendar span that begins at 00:00 therefore has
        the microsecond before as its `from`.
        """
        span = window.span
        if span == "always":
            return None, at
        if span == "since_tier":
            return min(since - 1, at), at
        if span == "rolling":
            return self._earlier(at, window, 1), at
        if span == "preceding":
            upto = self._earlier(at, window, 1)
            # Before the calendar began there is nothing; the window is empty, not endless.
            return self._earlier(at, window, 2), at - DAY * 4_000_000 if upto is None else upto
        today = self.local_date(at)
        months = _MONTHS[span.removeprefix("this_").removeprefix("last_")]
        first = today.replace(month=(today.month - 1) // months * months + 1, day=1)
        if span.startswith("this"):
            return self.start_of(first) - 1, at
        return self.start_of(add_months(first, -months)) - 1, self.start_of(first) - 1

    def _earlier(self, at: int, window: Window, times: int) -> int | None:
        """Return the same wall time `times` window lengths earlier, counted in one go; None: before the year 1."""
        info = self._info
        day = _local_date(info, at // SECOND)
        target = _day_before(day, window, times)
        if target is None:
            return None
        start, plain = _span_of(info, day)
        to_start, to_plain = _span_of(info, target)
        if plain and to_plain and at - start < DAY:
            return to_start + at - start
        return self.instant(datetime.combine(target, self.local(at).time()))

    def month_key(self, at: int) -> str:
        """Return the local calendar month of an instant, such as 2026-03."""
        return self.local_date(at).isoformat()[:7]

    def same_month(self, one: int, other: int) -> bool:
        """Whether two instants lie in one local calendar month."""
        first, second = self.local_date(one), self.local_date(other)
        return first.month == second.month and first.year == second.year

    def quarter_key(self, at: int) -> str:
        """Return the local calendar quarter of an instant, such as 2026-Q1."""
        return period_key("quarter", self.local_date(at))

    def expiry(self, expiry: Expiry | None, start: int) -> int | None:
        """Return the first instant after the last valid local day of what starts at `start`; None: it never ends."""
        return None if expiry is None else _expiry(self, expiry, self.local_date(start))


class Windows:
    """The bounds of several windows asked again and again: those of the local day asked last are remembered.

    On a day without a change of the clocks each bound is fixed or moves along with the instant asked. Days that are
    not like that, or whose bounds fall on such days, are worked out each time.
    """

    __slots__ = ("_day", "_windows", "_zone")

    def __init__(self, zone: Zone, windows: tuple[Window, ...]) -> None:
        self._zone = zone
        self._windows = windows
        # Start and end of the day, and for each window (from, moves, upto, moves); replaced as a whole.
        self._day: tuple[int, int, list[tuple[int | None, int, int, int]]] = (0, 0, [])

    def bounds(self, at: int, since: int) -> list[Bounds]:
        """Return Zone.window of each."""
        start, end, day = self._day
        if not start <= at < end:
            today = self._zone.local_date(at)
            start = self._zone.start_of(today)
            end = start + DAY
            # (An instant may lie after the end of its local day, where the clocks go back over midnight.)
            found = self._linear(today, start) if at < end and _plain(self._zone, today) else None
            if found is None:
                return [self._zone.window(window, at, since) for window in self._windows]
            day = found
            self._day = start, end, day
        past = at - start
        return [
            (
                min(since - 1, at) if moves < 0 else after if after is None else after + past * moves,
                upto + past * with_it,
            )
            for after, moves, upto, with_it in day
        ]

    def _linear(self, day: date, start: int) -> list[tuple[int | None, int, int, int]] | None:
        """Return the bounds of a plain day; None when the wall clock changes on it or on a day that they fall on."""
        zone = self._zone
        found: list[tuple[int | None, int, int, int]] = []
        for window in self._windows:
            if window.span == "since_tier":
                found.append((None, -1, start, 1))
            elif window.span in ("rolling", "preceding"):
                near, far = _day_before(day, window, 1), _day_before(day, window, 2)
                if near is None or far is None or not (_plain(zone, near) and _plain(zone, far)):
                    return None
                if window.span == "rolling":
                    found.append((zone.start_of(near), 1, start, 1))
                else:
                    found.append((zone.start_of(far), 1, zone.start_of(near), 1))
            else:
                after, upto = zone.window(window, start, 0)
                found.append((after, 0, upto, int(not window.span.startswith("last"))))
        return found


def _plain(zone: Zone, day: date) -> bool:
    return _span_of(zone._info, day)[1]  # noqa: SLF001 - of this module


def _day_before(day: date, window: Window, times: int) -> date | None:
    """Return the day `times` window lengths earlier, counted in one go; None: before the year 1."""
    try:
        if window.months:
            return _shifted(day, -window.months * times)
        return day - timedelta(days=window.days * times)
    except OverflowError:
        return None


def microseconds(moment: datetime) -> int:
    """Return the instant of a moment with its zone."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(at: int, zone: tzinfo = UTC) -> datetime:
    """Return an instant as a moment in a zone, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone)


def day_after(day: date) -> date:
    """Return the next day."""
    return day + _ONE_DAY


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later (earlier: negative), or the last day of a month that is too short.

    What lies outside the calendar is its first or last day.
    """
    try:
        return _shifted(day, months)
    except OverflowError:
        return date.min if months < 0 else date.max


def years_between(start: date, end: date) -> int:
    """Return the whole years from `start` to `end`; the year of 29 February is full on 28 February."""
    years = end.year - start.year
    return years - (add_months(start, 12 * years) > end)


def period_key(period: Period, day: date) -> str:
    """Return the key of the period that holds a local day: life, 2026, 2026-Q1, 2026-03 or 2026-03-05."""
    if period == "life":
        return "life"
    if period == "year":
        return f"{day.year:04d}"
    if period == "quarter":
        return f"{day.year:04d}-Q{(day.month + 2) // 3}"
    if period == "month":
        return day.isoformat()[:7]
    if period == "day":
        return day.isoformat()
    raise ValueError("an event is a period by itself, whose key is the event's")


def _shifted(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        raise OverflowError("outside the calendar")
    if day.day <= 28:
        return date(year, month + 1, day.day)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@lru_cache(maxsize=1024)
def _expiry(zone: Zone, expiry: Expiry, day: date) -> int | None:
    """Return the first instant after the last valid day of what starts on a local day."""
    try:
        last = _shifted(day, expiry.months + 12 * expiry.years) + timedelta(days=expiry.days)
    except OverflowError:
        return None
    if expiry.to == "month":
        last = last.replace(day=monthrange(last.year, last.month)[1])
    elif expiry.to == "year":
        last = last.replace(month=12, day=31)
    return zone.end_of(last)


@lru_cache(maxsize=4096)
def _local(info: ZoneInfo, second: int) -> datetime:
    return datetime.fromtimestamp(second, info).replace(tzinfo=None, fold=0)


@lru_cache(maxsize=4096)
def _local_date(info: ZoneInfo, second: int) -> date:
    return datetime.fromtimestamp(second, info).date()


@lru_cache(maxsize=16_384)
def _span_of(info: ZoneInfo, day: date) -> tuple[int, bool]:
    """Return the first instant of a local day, and whether its wall clock then runs for 24 hours without a change."""
    start = _first_instant(info, day)
    if day == date.max:
        return start, False
    midnight = datetime(day.year, day.month, day.day, tzinfo=info)
    steady = midnight.utcoffset() == (midnight + _ONE_DAY).utcoffset()
    return start, steady and _first_instant(info, day + _ONE_DAY) - start == DAY


def _first_instant(info: ZoneInfo, day: date) -> int:
    # Of a 00:00 that comes twice this is the first. Of one that is skipped it is as much later as the clocks went
    # forward, which is right when they did so at 00:00 sharp; else the change itself is the first instant of the day.
    start = (datetime(day.year, day.month, day.day, tzinfo=info) - _EPOCH) // _MICROSECOND
    if day == date.min or _local_date(info, (start - 1) // SECOND) < day:
        return start
    before, after = start // SECOND - 86_400, start // SECOND
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if _local_date(info, middle) >= day else (middle, after)
    return after * SECOND
