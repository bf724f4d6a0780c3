"""What rewards offer for one occasion, and which of the offers stand that use up the same key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rules.policy import Reward
from tierengine.judging.decisions import Granted


@dataclass(frozen=True, slots=True)
class Offer:
    """What a matched reward would grant, before exclusive groups are settled."""

    reward: Reward
    granted: Granted
    order: int  # place in the file


def settled(offers: Sequence[Offer]) -> list[Offer]:
    """Keep one offer a used-up key: the highest, then the lowest priority number, then the first in the file."""
    best: dict[str, Offer] = {}
    for offer in offers:
        key = offer.granted.taken
        rival = best.get(key) if key else None
        if rival is None or _rank(offer) < _rank(rival):
            best[key or f"|{offer.reward.id}"] = offer
    return sorted(best.values(), key=lambda offer: offer.order)


def _rank(offer: Offer) -> tuple[int, int, int]:
    exclusive = offer.reward.exclusive
    if exclusive is None:
        return order_of(offer, 0, by_value=True)
    return order_of(offer, exclusive.priority, by_value=exclusive.compete == "best")


def order_of(offer: Offer, priority: int, *, by_value: bool) -> tuple[int, int, int]:
    value = -offer.granted.judged
    return (value, priority, offer.order) if by_value else (priority, value, offer.order)
