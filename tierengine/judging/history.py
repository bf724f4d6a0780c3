"""A member's history as plain values: positions, contributions and steps (judging.md, Position and Facts).

Units: instants are integer microseconds since 1970-01-01 UTC, money is integer minor units, quantities are integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Scalar = int | str | None

# (instant in UTC microseconds; class; event key). Keys compare as code points, which is the order of their UTF-8
# bytes: what COLLATE "C" does on PostgreSQL and BINARY on SQLite.
Position = tuple[int, int, str]

VERSION_START = 0  # classes, in the order in which they act at one instant
BOUNDARY = 1
ATTRIBUTE = 2
OBSERVATION = 3
LAST = 9  # after everything that happened at the instant

# What a return dated before its sale adds to the sale's key, so that it takes the place just after the sale: the lowest
# character that databases store. One above those of keys would come after erp:10 as well as after erp:1.
AFTER = "\x01"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one event line adds to the facts of one member: judged once all that the event names is here.

    kind      event kind that facts select by (of a return: the kind of the sale)
    line      identity of the line; a return carries the line of the sale with negative quantities
    at        instant at which it counts (of a return: the sale's)
    known     position from which it counts (of a return: the return's)
    cause     kind of the event that made it known (`sale_returned` for a return)
    qty       signed quantity; the line stands while its quantities sum above 0
    amount    signed money of the line, fen
    fields    dated copies of what policies may read; numbers are signed like `amount`
    """

    kind: str
    line: str
    at: int
    known: Position
    cause: str
    qty: int
    amount: int
    fields: Mapping[str, Scalar]

    @property
    def event_key(self) -> str:
        """Key of the event whose line this is (the sale's, for a return)."""
        return self.line.rpartition("#")[0]


@dataclass(frozen=True, slots=True)
class Step:
    """One evaluation point of a member's history: an event with the contributions it made known."""

    position: Position
    kind: str
    lines: tuple[Contribution, ...]

    @property
    def key(self) -> str:
        """The event's key."""
        return self.position[2]


@dataclass(frozen=True, slots=True)
class Observation:
    """What a source says happened, checked for form (observations.py), not yet judged.

    member     member code, or "" when the event it names tells (a till's return)
    fields     checked values: money in fen, dates as ISO text, `lines` as a tuple of mappings
    revision   0 for the first word; a correction or cancellation carries a higher one
    texts      what somebody wrote in his own words: no part of what is said, kept apart under the member's key
    """

    kind: str
    member: str
    occurred_at: int
    source: str
    source_id: str
    store: str = ""
    revision: int = 0
    fields: Mapping[str, object] = field(default_factory=dict)
    key: str = ""
    cluster: str = ""
    texts: Mapping[str, object] = field(default_factory=dict)
