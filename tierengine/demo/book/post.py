"""How what happened reaches the book: by which source, how late, and more than once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from tierengine.demo.book.days import TODAY, at
from tierengine.zone import microseconds

# Who sends. Tills and the ERP are the policy's source classes with a limit; the others are typed in by staff.
TILL: Final = "till"
ERP: Final = "erp"
STAFF: Final = "staff"
ARCHIVIST: Final = "archivist"
DESK: Final = "desk"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message: `raw` as `observations.read_observation` takes it.

    recorded_at  when it arrives, microseconds UTC
    uses         wallet → fen of the order that are paid with it
    """

    recorded_at: int
    source: str
    raw: Mapping[str, Any]
    uses: Mapping[str, int] = field(default_factory=dict)


CLOSES: Final = microseconds(at(TODAY, 20))


def posted(said: Iterable[Delivery], rng: Random) -> tuple[Delivery, ...]:
    """Return everything that arrives by the end of the book, in order, with what comes twice."""
    first = sorted(said, key=_arrival)
    again = [copy for one in first for copy in _again(one, rng)]
    return tuple(sorted((one for one in (*first, *again) if one.recorded_at <= CLOSES), key=_arrival))


def _again(one: Delivery, rng: Random) -> list[Delivery]:
    if one.raw["kind"] != "parts_purchase" or one.source != TILL:
        return []
    chance = rng.random()
    if chance < 0.015:
        # The till heard no answer and asked again.
        return [replace(one, recorded_at=one.recorded_at + 20_000_000)]
    if chance < 0.30:
        # The nightly file of the ERP has the same sale.
        return [replace(one, source=ERP, recorded_at=_next_night(one.recorded_at), uses={})]
    if chance < 0.302:
        # The ERP has it with another amount: a person must look.
        raw = {**one.raw, "lines": [{**line, "amount": line["amount"] + 100} for line in one.raw["lines"]]}
        return [replace(one, source=ERP, recorded_at=_next_night(one.recorded_at), raw=raw, uses={})]
    return []


def _next_night(recorded_at: int) -> int:
    day = 86_400_000_000
    local = recorded_at + 8 * 3_600_000_000
    return local - local % day + day - 8 * 3_600_000_000 + 7_800_000_000


def _arrival(one: Delivery) -> tuple[int, str, str, str]:
    return (one.recorded_at, str(one.raw.get("member", "")), str(one.raw["kind"]), str(one.raw.get("source_id", "")))
