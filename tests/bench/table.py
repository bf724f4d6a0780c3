"""Rows of the table: what was done, what it took against its floor, the ratio with its spread, and the goal."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests import postgres
from tests.bench.processor import server_of, spent
from tests.bench.stage import Load
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


def compared(title: str, ours: list[Load], floor: list[Load], goal: str) -> Row:
    ratios = [one.rate / other.rate for one, other in zip(ours, floor, strict=True)]
    rate, bare = (statistics.median(run.rate for run in runs) for runs in (ours, floor))
    return (
        title,
        f"{rate:,.0f}/s against {bare:,.0f}/s; {percentiles(ours)} against {percentiles(floor)}",
        f"{statistics.median(ratios):.2f} × ({min(ratios):.2f} to {max(ratios):.2f})",
        goal,
    )


def percentiles(runs: Sequence[Load]) -> str:
    p50, p95, p99 = (statistics.median(getattr(run, name) for run in runs) for name in ("p50", "p95", "p99"))
    return f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms"


def databases() -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yield each kind of database with its server's URL and what makes an empty one there."""
    numbers = itertools.count()
    with tempfile.TemporaryDirectory() as name:
        yield "SQLite", "", lambda: f"sqlite:///{name}/{next(numbers)}.db"
    with postgres.private_server() as base:
        yield "PostgreSQL", base, lambda: postgres.create(base)
