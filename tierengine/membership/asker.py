"""Who asks about a member, and how he is told of orders, of instants and of days."""

from __future__ import annotations

from dataclasses import dataclass

from tierengine.membership.known import Known
from tierengine.zone import moment


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. `store`: of other stores' orders no numbers are told; "" = the whole dealer."""

    store: str = ""
    lang: str = "zh"

    def key(self, event_key: str) -> str | None:
        """Return an event's key as this asker may see it; None: another store's order."""
        order = event_key.removeprefix("emit:").rpartition("order:")[2] if "order:" in event_key else ""
        if self.store and order and not order.startswith(f"{self.store}:"):
            return None
        return event_key


def when(known: Known, at: int | None) -> str | None:
    """Return an instant as RFC 3339 in the dealer's zone."""
    if at is None:
        return None
    return moment(at, known.programme.info).isoformat(timespec="seconds")


def last_day(known: Known, end: int | None) -> str | None:
    """Return the last valid local day of what ends at the instant `end`."""
    return None if end is None else known.programme.zone.local_date(end - 1).isoformat()
