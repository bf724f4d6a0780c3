"""Queries of the invariants about what is taken back: it goes where it came from, and never more of it than was given.

Each finds what breaks its sentence in invariants.py. The first is a part of the pass over all postings; the others look
only at what was taken back or handed on, of which there is little.
"""

from __future__ import annotations

from typing import Final

# Of a posting p from a to b of an entry e: the account that a rise comes from, or a fall goes to, is that of its kind.
POSTED_ELSEWHERE: Final = """CASE WHEN e.delta > 0 THEN a.kind ELSE b.kind END <> CASE e.kind
           WHEN 'award' THEN 'awards' WHEN 'expire' THEN 'expired' WHEN 'use' THEN 'uses' WHEN 'capture' THEN 'uses'
           WHEN 'return' THEN 'uses' WHEN 'settle_debt' THEN 'debt' WHEN 'hold' THEN 'held' WHEN 'void' THEN 'available'
           ELSE 'grants' END"""

# What a transfer takes from one account it gives to another, whose entry is one of its own.
TRANSFER_HALVES: Final = """
    SELECT MIN(member_id), event_key, SUM(delta) FROM entry WHERE kind = 'transfer'
    GROUP BY dealer_id, event_key, wallet HAVING SUM(delta) <> 0 ORDER BY MIN(id)
"""

# Replayed by the member's own numbers: at no moment has more been taken back than stood.
REVERSAL_EXCEEDS: Final = """
    SELECT member_id, id, running FROM (
        SELECT member_id, id, number, SUM(delta) OVER (
            PARTITION BY member_id, event_key, rule, wallet ORDER BY number) AS running
        FROM entry WHERE kind IN ('grant', 'reverse')
          AND (member_id, event_key) IN (SELECT member_id, event_key FROM entry WHERE kind = 'reverse')) AS granted
    WHERE running < 0
    UNION ALL
    SELECT member_id, id, running FROM (
        SELECT member_id, id, number, SUM(delta) OVER (
            PARTITION BY member_id, event_key, wallet ORDER BY number) AS running
        FROM entry WHERE kind IN ('use', 'capture', 'return')
          AND (member_id, event_key) IN (SELECT member_id, event_key FROM entry WHERE kind = 'return')) AS used
    WHERE running > 0 ORDER BY 2
"""

# An event of which nothing is left, by what it contributed (`line` is its key, #, and the number of its line).
RETURNED_KEEPS: Final = """
    SELECT b.member_id, b.place, SUM(e.delta) FROM (
        SELECT member_id, RTRIM(line, '0123456789') AS place FROM contribution
        WHERE member_id IN (SELECT member_id FROM contribution WHERE qty < 0)
        GROUP BY member_id, RTRIM(line, '0123456789') HAVING SUM(qty) <= 0 AND MAX(qty) > 0) AS b
    JOIN entry e ON e.member_id = b.member_id AND e.event_key || '#' = b.place AND e.kind IN ('grant', 'reverse')
    GROUP BY b.member_id, b.place HAVING SUM(e.delta) <> 0 ORDER BY b.member_id
"""

# An order gives back to no lot more than it took from it; what it gives back with new dates is a lot of its own.
RETURNED_ELSEWHERE: Final = """
    SELECT e.member_id, e.event_key, u.lot_id, SUM(u.amount) FROM lot_use u JOIN entry e ON e.id = u.entry_id
    WHERE e.kind IN ('use', 'capture', 'return')
      AND (e.member_id, e.event_key) IN (SELECT member_id, event_key FROM entry WHERE kind = 'return')
    GROUP BY e.member_id, e.event_key, u.lot_id HAVING SUM(u.amount) < 0 ORDER BY e.member_id
"""
