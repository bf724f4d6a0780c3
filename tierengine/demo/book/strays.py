"""What goes wrong on the way: slips that come before what they are about, and some whose other half never comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from tierengine.demo.book.days import at, at_once, text, that_night
from tierengine.demo.book.post import ARCHIVIST, STAFF, TILL, Delivery
from tierengine.zone import microseconds

HOUR = 3_600_000_000


def strays(said: Sequence[Delivery]) -> list[Delivery]:
    """Return what comes on top of the stories: early returns, and slips that wait for ever."""
    return [*_returned_before_it_is_known(said), *_never_explained()]


def _returned_before_it_is_known(said: Sequence[Delivery]) -> list[Delivery]:
    """Return at the counter what was sold from the van, whose slips are typed in two days later: it waits, parked."""
    vans = [one for one in said if one.raw["kind"] == "parts_purchase" and one.raw.get("channel") == "van"]
    found = []
    for number, one in enumerate(sorted(vans, key=lambda sale: sale.recorded_at)[3:60:9], start=1):
        lines = [{"item": line["item"], "qty": 1} for line in one.raw["lines"][:1]]
        early = replace(
            one,
            recorded_at=one.recorded_at - 24 * HOUR,
            raw={
                "kind": "sale_returned", "member": one.raw["member"], "occurred_at": _minutes_after(one, 90),
                "store": one.raw["store"], "order": one.raw["order"], "reason": "拿错了", "lines": lines,
                "source_id": f"TR{number:02d}",
            },
            uses={},
        )  # fmt: skip
        found.append(early)
    return found


def _minutes_after(one: Delivery, minutes: int) -> str:
    return text(datetime.fromisoformat(str(one.raw["occurred_at"])) + timedelta(minutes=minutes))


def _never_explained() -> list[Delivery]:
    """A mistyped order number and a slip that was thrown away: a person must look."""
    day = at(date(2026, 10, 21), 15, 20)
    back = {
        "kind": "sale_returned", "occurred_at": text(day), "store": "S02", "order": "P9999-99", "reason": "单号抄错",
        "source_id": "TR90", "lines": [{"item": "HF-7691", "qty": 1}],
    }  # fmt: skip
    accepted = {
        "kind": "submission_accepted", "occurred_at": text(day), "store": "S01", "accepts": f"{STAFF}:S9999-01",
        "accepted_by": "U90", "source_id": "A9999-01",
    }  # fmt: skip
    return [
        Delivery(microseconds(at_once(day)), TILL, back),
        Delivery(microseconds(that_night(day)), ARCHIVIST, accepted),
    ]
