"""Lots: what one grant put into a wallet, with its first usable instant and its expiry; and which are taken first.

`ref` names a lot: the id of a stored one, a negative number for one that its book has just made. Instants are
microseconds UTC, amounts in the wallet's unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NEVER = 2**62  # sorts after every expiry


@dataclass(slots=True)
class Lot:
    """A lot as it stands. `held` of `remaining` is tied up by holds; `order` is the place of its grant (ties).

    expires_at  first instant after its last valid day, None: never
    """

    ref: int
    wallet: str
    event_key: str
    rule: str
    amount: int
    remaining: int
    usable_from: int
    expires_at: int | None
    order: int
    held: int = 0

    @property
    def free(self) -> int:
        """What no hold ties up."""
        return self.remaining - self.held

    @property
    def grant(self) -> tuple[str, str]:
        """The grant that made it."""
        return (self.event_key, self.rule)

    def lapsed(self, now: int) -> bool:
        """Whether its last valid day is over."""
        return self.expires_at is not None and self.expires_at <= now

    def usable(self, now: int) -> bool:
        """Whether it may be spent at `now`."""
        return self.usable_from <= now and not self.lapsed(now)


def first_out(lot: Lot) -> tuple[int, int]:
    """Sort key of spending: earliest expiry first, ties by the order of the grants."""
    return (NEVER if lot.expires_at is None else lot.expires_at, lot.order)


def plan(lots: Iterable[Lot], amount: int) -> list[tuple[Lot, int]]:
    """Return how much of which lot to take, in the order given, until `amount` is reached or nothing is left."""
    taken = []
    for lot in lots:
        if amount <= 0:
            break
        if part := min(lot.free, amount):
            taken.append((lot, part))
            amount -= part
    return taken
