"""When an entry took effect, as against when it was written down.

What lapses is posted by the next transaction of its member, which may come days later; to every reader it was gone at
its moment. So an `expire` entry takes effect at its lot's end, the freeing of a lapsed hold at the hold's end, and what
pays a debt together with what brought the money. No entry takes effect before the one numbered before it.
"""

from __future__ import annotations


def told(which: str) -> str:
    """Return a query for the entries e that satisfy `which` (whole members), with `at`, the instant of effect."""
    return f"""
    SELECT e.id, e.member_id, e.number, e.kind, e.wallet, e.event_key, e.rule, e.recorded_at, MAX(CASE
        WHEN e.kind = 'expire' THEN COALESCE(x.ends, e.recorded_at)
        WHEN e.kind = 'void' THEN COALESCE(y.ends, e.recorded_at)
        WHEN e.kind = 'settle_debt' THEN 0
        ELSE e.recorded_at END) OVER (PARTITION BY e.member_id ORDER BY e.number) AS at
    FROM entry e
    LEFT JOIN (SELECT u.entry_id, MIN(l.expires_at) AS ends FROM entry e JOIN lot_use u ON u.entry_id = e.id
               JOIN lot l ON l.id = u.lot_id WHERE e.kind = 'expire' AND {which} GROUP BY u.entry_id) AS x
      ON x.entry_id = e.id
    LEFT JOIN (SELECT d.entry_id, MIN(h.expires_at) AS ends FROM entry e
               JOIN hold h ON h.dealer_id = e.dealer_id AND h.cluster = e.event_key
               JOIN hold_end d ON d.hold_id = h.id AND d.entry_id = e.id
               WHERE e.kind = 'void' AND d.kind = 'lapsed' AND {which} GROUP BY d.entry_id) AS y ON y.entry_id = e.id
    WHERE {which}
    """
