"""A member's facts, to which what is being quoted may be added as if it were stored.

A long history is asked through facts_sql; a short one is read whole, which is cheaper.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from tierengine.judging.decisions import FactSource, Version
from tierengine.judging.facts_sql import Snapshot, read_facts
from tierengine.judging.facts_statement import Ask
from tierengine.judging.history import Contribution, Position
from tierengine.judging.running import RunningFacts
from tierengine.store.dialect import Link
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


class AskedFacts:
    """The facts of a member with a long history, one statement a position."""

    def __init__(self, link: Link, member_id: int) -> None:
        self._link = link
        self._member = member_id
        self._candidates: list[Contribution] = []
        self._last: Snapshot | None = None
        self._asked: tuple[int, Position, int] | None = None

    def add(self, candidates: Iterable[Contribution]) -> None:
        """Count these as if they were stored."""
        self._candidates.extend(candidates)
        self._last = None

    def facts(self, version: Version, position: Position, since: int) -> Mapping[str, int | None]:
        """Return every fact as of the position."""
        return self._snapshot(version, position, since).facts(version, position, since)

    def attributes(self, position: Position) -> Mapping[str, int | str | None]:
        """Return the dated attributes as of the position, whose facts were asked before."""
        if self._last is None:
            raise ValueError("facts are asked before attributes")
        return self._last.attributes(position)

    def attested(self, version: Version, position: Position) -> frozenset[str]:
        """Return the traits with an attestation in force."""
        since = self._asked[2] if self._asked is not None else 0
        return self._snapshot(version, position, since).attested(version, position)

    def _snapshot(self, version: Version, position: Position, since: int) -> Snapshot:
        asked = (version.id, position, since)
        if self._last is None or asked != self._asked:
            ask = Ask(self._member, position, since)
            self._last = read_facts(self._link.cursor(), version, [ask], {self._member: self._candidates})[self._member]
            self._asked = asked
        return self._last
