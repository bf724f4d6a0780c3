"""Whose ends are to be posted, and which lots end soon: what a sweep and a list of notices ask of the whole book."""

from __future__ import annotations

from typing import Final

from tierengine.store.dialect import Link
from tierengine.store.rows import Row

_LAPSED: Final = (
    "SELECT DISTINCT m.code FROM lot_state s JOIN lot l ON l.id = s.lot_id JOIN member m ON m.id = s.member_id "
    "JOIN account a ON a.dealer_id = l.dealer_id AND a.member_id = l.member_id AND a.wallet = l.wallet "
    "AND a.kind = 'available' AND a.balance > 0 "
    "WHERE s.remaining > 0 AND l.dealer_id = ?1 AND l.expires_at <= ?2 "
    "UNION SELECT m.code FROM hold_state t JOIN hold h ON h.id = t.hold_id JOIN member m ON m.id = h.member_id "
    "WHERE t.remaining > 0 AND h.dealer_id = ?1 AND h.expires_at <= ?2 ORDER BY 1"
)
_ENDING: Final = (
    "SELECT m.id, m.code, l.wallet, s.remaining, l.expires_at FROM lot_state s JOIN lot l ON l.id = s.lot_id "
    "JOIN member m ON m.id = s.member_id WHERE s.remaining > 0 AND l.dealer_id = ?1 AND l.expires_at > ?2 "
    "AND l.expires_at <= ?3 ORDER BY l.expires_at, m.code, l.wallet"
)


def lapsed(link: Link, dealer_id: int, now: int) -> list[str]:
    """Return the codes of the members of whom something ended by `now` and may not be posted yet."""
    return [row[0] for row in link.ask(_LAPSED, dealer_id, now).rows()]


def ending(link: Link, dealer_id: int, now: int, until: int) -> list[Row]:
    """Return (member id, code, wallet, remaining, expiry) of the lots that end after `now` and by `until`."""
    return link.ask(_ENDING, dealer_id, now, until).rows()
