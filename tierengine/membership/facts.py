"""A member's facts, to which what is being quoted may be added as if it were stored.

A short history is read whole with the member; of a long one the process keeps what it read (long_histories.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from tierengine.judging.decisions import FactSource
from tierengine.judging.history import Contribution
from tierengine.judging.running import RunningFacts
from tierengine.zone import Zone

# ---- reading -----------------------------------------------------------------------------------------------------


class Source(FactSource, Protocol):
    """A member's facts, to which more may be added that comes after all that is there: what is being quoted."""

    def add(self, candidates: Iterable[Contribution]) -> None:
        """Count these as if they were stored."""
        ...


class GrowingFacts(RunningFacts):
    """The facts of a member whose history was read whole."""

    def __init__(self, zone: Zone, rows: Iterable[Contribution]) -> None:
        self._rows = list(rows)
        super().__init__(zone, self._rows)

    def add(self, candidates: Iterable[Contribution]) -> None:
        """Count these as if they were stored."""
        self._rows.extend(candidates)
