"""Whether an instant may be told of now, by who tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Final

from tierengine.errors import FormError
from tierengine.judging.bounds import AHEAD_US, EARLIEST_US
from tierengine.zone import moment

# In place of the days back: what has its answer already may be told again by any clock.
ANSWERED: Final = -1


@dataclass(frozen=True, slots=True)
class Clock:
    """Says whether an instant may be told of now, by a source that may go back so many days (None: any)."""

    now_us: int
    zone: tzinfo
    late_days: int | None

    def problem(self, instant: int) -> FormError | None:
        """Return what is wrong with the instant, if anything. Days back are the dealer's local days."""
        if instant > self.now_us + AHEAD_US and self.late_days != ANSWERED:
            return FormError("", "in_the_future")
        if instant < EARLIEST_US:
            return FormError("", "too_early")
        if self.late_days is not None and self.late_days != ANSWERED:
            days = (self._day(self.now_us) - self._day(instant)).days
            if days > self.late_days:
                return FormError("", "too_late", {"late_days": self.late_days})
        return None

    def _day(self, instant: int) -> date:
        return moment(instant, self.zone).date()
