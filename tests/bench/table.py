"""Rows of the table: what was done, what it took against its floor, the ratio with its spread, and the goal."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.bench.processor import server_of, spent
from tierengine.store.dialect import Link

Row = tuple[str, str, str, str]
Made = TypeVar("Made")


@dataclass(frozen=True)
class Took:
    """Seconds by the clock, and of processors (PostgreSQL's own with them)."""

    wall: float
    processor: float


def timed(link: Link, act: Callable[[], Made]) -> tuple[Took, Made]:
    """Run an act on the link's database and return what it took, and what it made."""
    server = server_of(link)
    computed, began = spent(server), time.perf_counter()
    made = act()
    return Took(time.perf_counter() - began, spent(server) - computed), made


def row(what: str, pairs: Sequence[tuple[Took, Took]], goal: str, more: str = "") -> Row:
    """Return the row of what was measured in turn, ours and its floor."""
    ours, floor = zip(*pairs, strict=True)
    wall = [one.wall / other.wall for one, other in pairs]
    processor = [one.processor / max(other.processor, 0.01) for one, other in pairs]
    said = []
    for side in (ours, floor):
        clock, computed = (statistics.median(getattr(one, name) for one in side) for name in ("wall", "processor"))
        said.append(f"{clock:.3g} s (processor {computed:.3g} s)")
    return (
        what,
        " against ".join(said) + (f"; {more}" if more else ""),
        f"{_spread(wall)} the time; {_spread(processor)} the processor time",
        goal,
    )


def _spread(ratios: Sequence[float]) -> str:
    middle = statistics.median(ratios)
    return f"{middle:.3g} × ({min(ratios):.3g} to {max(ratios):.3g})" if len(ratios) > 1 else f"{middle:.3g} ×"
