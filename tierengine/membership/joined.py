"""Who of a dealer's members are one, for whoever looks at many members at once."""

from __future__ import annotations

from typing import Final

from tierengine.judging.merging import NOBODY, Joined
from tierengine.store.dialect import Link

# (`+ 0`: by the index of the merged alone, not by one of all that the dealer or the book has.)
_JOINED: Final = (
    "SELECT l.member_id, l.joined_id, m.code FROM ledger l JOIN member m ON m.id = l.member_id "
    "WHERE l.joined_id IS NOT NULL AND l.dealer_id + 0 = ?1 ORDER BY l.member_id + 0"
)


def read_joined(link: Link, dealer: int) -> Joined:
    """Return all who are merged; there are few, and an index has nobody else."""
    rows = link.ask(_JOINED, dealer).rows()
    if not rows:
        return NOBODY
    codes = {row[0]: row[2] for row in rows}
    return Joined.of({member: root for member, root, _ in rows if member != root}, codes)
