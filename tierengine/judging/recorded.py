"""What was recorded, and what comes of it: it stands, it waits parked, or a person should look at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from rules.vocabulary import KINDS, Kind
from tierengine.judging.history import AFTER, Contribution, Observation, Position

Cancels = Callable[[int], bool]
Reason = Literal["not_here", "cancelled", "wrong_kind", "no_member"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An observation with the member it was recorded for (None: the event it names will tell)."""

    observation: Observation
    member: str | None
    event_id: int = 0

    @property
    def key(self) -> str:
        """The event's key."""
        return self.observation.key

    @property
    def kind(self) -> Kind:
        """The kind's line in the vocabulary."""
        return KINDS[self.observation.kind]

    @property
    def position(self) -> Position:
        """Its own place in the history of its member."""
        return (self.observation.occurred_at, self.kind.class_, self.key)


@dataclass(frozen=True, slots=True)
class Waits:
    """What a parked event waits for: an event key, or an order's cluster key."""

    key: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a person should look at; `key` is the event's. It changes nothing by itself.

    beyond_sold              a return of more than was left of the sale
    amount_cut               a return of more money than was left of its lines: what was left came back
    other_member             it names another member than the event it is about
    serial_differs           a machine came back under another serial number than it was sold under
    accepted_by_receiver     who received a submission accepted it himself: not counted
    already_accepted, already_withdrawn   the first one counts
    referral_cancelled, referral_after_purchase   the purchase counts, without a referrer
    """

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


def cause_key(position: Position) -> str:
    """Return the key of the event that stands at a position, also where it took the place just after another one."""
    return position[2].rpartition(AFTER)[2]


def after(event: Recorded, named: Recorded) -> Position:
    """Return the event's position, but never one before what it is about."""
    if event.position > named.position:
        return event.position
    return just_after(event, named)


def just_after(event: Recorded, named: Recorded) -> Position:
    """Return the place that follows the named event's own at once."""
    instant, class_, key = named.position
    return (instant, class_, f"{key}{AFTER}{event.key}")


def kinds_named(event: Recorded) -> tuple[str, ...]:
    return event.kind.names[0][1]
