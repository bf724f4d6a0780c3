"""From observations to contributions: a pure function of what was said, whatever the order in which it came."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

from tierengine.history import Contribution, Observation, Step

Reason = Literal["not_here", "cancelled", "wrong_kind", "no_member"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An observation with the member it was recorded for (None: the event it names will tell)."""

    observation: Observation
    member: str | None
    event_id: int = 0


@dataclass(frozen=True, slots=True)
class Waits:
    """What a parked event waits for: an event key, or an order's cluster key."""

    key: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a person should look at; it changes nothing by itself."""

    key: str
    code: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """What stands. `contributions` has every key that was asked for, with () where it gives nothing.

    The key is that of the event that made them known (a return's own), not of the line they are about.
    """

    contributions: Mapping[str, tuple[tuple[str, Contribution], ...]]
    parked: Mapping[str, Waits]
    flags: tuple[Flag, ...]


def outside_keys(observation: Observation) -> tuple[str, ...]:
    """Return the keys of events outside its cluster that the observation needs (`resolve` takes them in `outside`)."""
    raise NotImplementedError


def resolve(
    events: Sequence[Recorded],
    outside: Mapping[str, Recorded],
    zone: tzinfo,
    *,
    clusters: Collection[str] | None = None,
) -> Resolved:
    """Return what the events contribute.

    events    every revision of every key of the clusters (also revisions that stand in another cluster: a cancellation,
              a correction that names another order)
    outside   the highest revision of each event that `outside_keys` asks for
    clusters  the ones to answer for; None: all that the highest revisions stand in
    """
    raise NotImplementedError


def difference(stored: Sequence[Contribution], wanted: Sequence[Contribution]) -> tuple[Contribution, ...]:
    """Return the rows to insert so that what is stored nets to what is wanted; nothing is ever edited."""
    raise NotImplementedError


def net(rows: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Return the rows that stand: each retraction takes one row that it mirrors with it."""
    raise NotImplementedError


def steps(rows: Iterable[Contribution]) -> tuple[Step, ...]:
    """Return the evaluation points of the rows of one member, in order."""
    raise NotImplementedError
