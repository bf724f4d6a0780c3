"""What the house owed its members at an instant: by wallet, by the rule that granted it, by when it ends.

Counted twice, from what the lots were made of and what was taken from them, and from what the entries moved. The two
must be equal; `verify` asks the same of every entry, the tests of every history. What has lapsed is not owed, whether
its end has been posted or not; what a hold ties up is. Debts of members are no part of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from tierengine.ledger.effective import told
from tierengine.store.dialect import Link

# ?1 the dealer, ?2 the instant: what took effect up to and at it counts.
_TOLD: Final = told("e.dealer_id = ?1")
_TIED: Final = """
    SELECT hl.lot_id, SUM(hl.amount - COALESCE(c.amount, 0)) AS amount FROM hold h
    JOIN hold_lot hl ON hl.hold_id = h.id JOIN told m ON m.id = h.entry_id
    LEFT JOIN hold_end d ON d.hold_id = h.id LEFT JOIN told f ON f.id = d.entry_id
    LEFT JOIN (
        SELECT h.id, u.lot_id, SUM(u.amount) AS amount FROM hold h JOIN told m ON m.id = h.entry_id
        JOIN told t ON t.member_id = h.member_id AND t.event_key = h.cluster AND t.wallet = h.wallet
                   AND t.number > m.number AND t.kind = 'capture'
        JOIN lot_use u ON u.entry_id = t.id WHERE {captured} GROUP BY h.id, u.lot_id
    ) AS c ON c.id = h.id AND c.lot_id = hl.lot_id
    WHERE h.dealer_id = ?1 AND h.expires_at > ?2 AND {open} GROUP BY hl.lot_id
"""
_THEN: Final = _TIED.format(captured="t.at <= ?2", open="m.at <= ?2 AND (f.at IS NULL OR f.at > ?2)")
_NOW: Final = _TIED.format(captured="t.at IS NOT NULL", open="d.hold_id IS NULL")
_FROM_LOTS: Final = f"""
    WITH told AS ({_TOLD}), tied AS ({_THEN}),
    used AS (SELECT u.lot_id, SUM(u.amount) AS amount FROM lot_use u JOIN told t ON t.id = u.entry_id
             WHERE t.at <= ?2 GROUP BY u.lot_id)
    SELECT l.wallet, l.rule, l.expires_at, SUM(CASE WHEN l.expires_at IS NULL OR l.expires_at > ?2
        THEN l.amount - COALESCE(used.amount, 0) ELSE COALESCE(tied.amount, 0) END) AS owed
    FROM lot l JOIN told t ON t.id = l.entry_id AND t.at <= ?2
    LEFT JOIN used ON used.lot_id = l.id LEFT JOIN tied ON tied.lot_id = l.id
    GROUP BY l.wallet, l.rule, l.expires_at
"""
_FROM_ENTRIES: Final = f"""
    WITH told AS ({_TOLD}), tied AS ({_NOW}),
    moved AS (SELECT t.id, t.wallet, SUM(CASE WHEN b.kind IN ('available', 'held') THEN p.amount ELSE 0 END
                                       - CASE WHEN a.kind IN ('available', 'held') THEN p.amount ELSE 0 END) AS amount
              FROM told t JOIN posting p ON p.entry_id = t.id JOIN account a ON a.id = p.source_id
              JOIN account b ON b.id = p.destination_id WHERE t.at <= ?2 GROUP BY t.id, t.wallet),
    parts AS (SELECT t.id, l.wallet, l.rule, l.expires_at, l.amount FROM told t JOIN lot l ON l.entry_id = t.id
              WHERE t.at <= ?2
              UNION ALL
              SELECT t.id, l.wallet, l.rule, l.expires_at, -u.amount FROM told t JOIN lot_use u ON u.entry_id = t.id
              JOIN lot l ON l.id = u.lot_id WHERE t.at <= ?2)
    SELECT wallet, rule, expires_at, SUM(amount) AS owed FROM (
        SELECT wallet, rule, expires_at, amount FROM parts
        UNION ALL
        -- What an entry moved and no lot tells of: it must come to nothing.
        SELECT m.wallet, '', NULL, m.amount - COALESCE(s.amount, 0) FROM moved m
        LEFT JOIN (SELECT id, SUM(amount) AS amount FROM parts GROUP BY id) AS s ON s.id = m.id
        UNION ALL
        -- What lapsed and waits to be posted is owed no more.
        SELECT l.wallet, l.rule, l.expires_at, COALESCE(tied.amount, 0) - s.remaining FROM lot l
        JOIN lot_state s ON s.lot_id = l.id LEFT JOIN tied ON tied.lot_id = l.id
        WHERE l.dealer_id = ?1 AND l.expires_at <= ?2 AND s.remaining > 0
    ) AS effects GROUP BY wallet, rule, expires_at
"""
_DEBTS: Final = f"""
    WITH told AS ({_TOLD})
    SELECT wallet, SUM(amount) FROM (
        SELECT a.wallet, p.amount FROM told t JOIN posting p ON p.entry_id = t.id
        JOIN account a ON a.id = p.source_id AND a.kind = 'debt' WHERE t.at <= ?2
        UNION ALL
        SELECT a.wallet, -p.amount FROM told t JOIN posting p ON p.entry_id = t.id
        JOIN account a ON a.id = p.destination_id AND a.kind = 'debt' WHERE t.at <= ?2) AS sides GROUP BY wallet
"""

Key = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True)
class Liability:
    """What was owed at `at`, in minor units, by (wallet, rule, end: first instant after the last day, None: never).

    entries  the same, counted from the entries; debts  wallet → what members owed the house
    """

    at: int
    lots: dict[Key, int]
    entries: dict[Key, int]
    debts: dict[str, int]

    @property
    def equal(self) -> bool:
        """Whether both ways of counting agree."""
        return self.lots == self.entries

    def wallets(self) -> dict[str, int]:
        """Return the sum of each wallet."""
        sums: Counter[str] = Counter()
        for (wallet, _, _), amount in self.lots.items():
            sums[wallet] += amount
        return dict(sorted(sums.items()))


def liability(link: Link, dealer_id: int, at: int) -> Liability:
    """Return what one dealer owed at the instant `at` (microseconds UTC, not after now); call it inside a snapshot."""
    lots, entries = (
        {(wallet, rule, end): int(owed) for wallet, rule, end, owed in link.ask(sql, dealer_id, at).rows() if owed}
        for sql in (_FROM_LOTS, _FROM_ENTRIES)
    )
    debts = {wallet: int(amount) for wallet, amount in link.ask(_DEBTS, dealer_id, at).rows() if amount}
    return Liability(at, lots, entries, debts)
