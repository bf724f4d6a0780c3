"""When what lies in a wallet ends: by last local day, and whether the member is to be told by now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from tierengine.ledger.lots import Lot
from tierengine.zone import Zone


@dataclass(frozen=True, slots=True)
class Deadline:
    """`amount` of a wallet is valid to the end of `last_day` (None: for ever).

    notice   whether the earliest day of notice has come; `days` how many days are left, the last one counted
    """

    last_day: date | None
    amount: int
    notice: bool
    days: int | None


def deadlines(zone: Zone, lots: Iterable[Lot], notice_days: Iterable[int], now: int) -> list[Deadline]:
    """Return the deadlines of a wallet's lots, nearest first; their amounts sum to what remains in the lots."""
    by_day: dict[date | None, int] = {}
    for lot in lots:
        day = None if lot.expires_at is None else zone.local_date(lot.expires_at - 1)
        by_day[day] = by_day.get(day, 0) + lot.remaining
    today, earliest = zone.local_date(now), max(notice_days, default=0)
    return [
        Deadline(
            day,
            amount,
            notice=earliest > 0 and day is not None and today >= day - timedelta(days=earliest),
            days=None if day is None else (day - today).days + 1,
        )
        for day, amount in sorted(by_day.items(), key=lambda item: (item[0] is None, item[0] or date.max))
        if amount
    ]
