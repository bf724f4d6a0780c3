"""Stored holds, put into the book of their member: what of which lots they tie up."""

from __future__ import annotations

from collections.abc import Iterable

from tierengine.ledger.book import MemberBook
from tierengine.ledger.entries import Hold
from tierengine.store.rows import Row


def tie(book: MemberBook, rows: Iterable[Row]) -> None:
    """Give the book its open holds and tie up what they hold of its lots.

    rows  one for each lot of a hold, in order of hold and place: (member id, hold id, key, wallet, order, amount,
          expiry, what is left, lot id, how much of the lot)
    """
    by_ref = {lot.ref: lot for lot in book.lots}
    gone = 0
    for _, ref, key, wallet, order, amount, expires_at, left, lot, part in rows:
        if not book.holds or book.holds[-1].ref != ref:
            book.holds.append(Hold(ref, key, wallet, order, amount, expires_at))
            gone = amount - left  # what was captured is gone from the first of its lots
        captured = min(gone, part)
        gone -= captured
        if part > captured:
            book.holds[-1].parts[lot] = part - captured
            by_ref[lot].held += part - captured
