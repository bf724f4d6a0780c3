"""The stretch of a dealer's chain that anchors kept outside tell of and the book has not: one restored from before it.

What the last seal covers that still is the anchors' own was there when it was sealed; all up to the newest anchor that
is not here came after it, and is gone. Where the book has seals of other content in that place, somebody went on
recording after it was restored, or wrote the chain anew: the anchors alone do not tell which.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tierengine.ledger.chain import Anchor, Head, heads, read_anchors, stands
from tierengine.store.dialect import Link


@dataclass(frozen=True, slots=True)
class Lost:
    """What of a dealer's chain is not here: the seals after `after` (0: all), up to at least `until`.

    after_at, until_at  when those two were sealed, microseconds UTC; None: there is none, or its anchor does not say
    others              whether the book has seals of other content in their place
    """

    dealer: str
    after: int
    after_at: int | None
    until: int
    until_at: int | None
    others: bool


def lost(link: Link, lines: Iterable[str]) -> list[Lost]:
    """Return the stretch of each dealer, by code; none where every anchor lies on its chain. Call it inside a snapshot.

    lines  those of an anchor file, in any order; BadAnchor for one that is none
    """
    ends = {head.dealer: head for head in heads(link)}
    by_dealer: dict[str, list[Anchor]] = {}
    for anchor in read_anchors(lines):
        by_dealer.setdefault(anchor.dealer, []).append(anchor)
    found = []
    for dealer, anchors in sorted(by_dealer.items()):
        end = ends.get(dealer)
        missing = [one for one in anchors if end is None or not stands(link, end.dealer_id, one)]
        if not missing:
            continue
        first, last = (pick(missing, key=lambda one: one.number) for pick in (min, max))
        others = end is not None and first.number <= end.number
        before: Head | Anchor | None = end
        if others:
            kept = [one for one in anchors if one not in missing and one.number < first.number]
            before = max(kept, key=lambda one: one.number, default=None)
        after = (before.number, before.sealed_at) if before is not None else (0, None)
        found.append(Lost(dealer, *after, last.number, last.sealed_at, others))
    return found
