"""Lots: what one grant put into a wallet, with its first usable instant and its expiry. Pure values.

`ref` names a lot: the id of a stored one, a negative number for one that this book has just made.
"""

from __future__ import annotations

from dataclasses import dataclass


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
