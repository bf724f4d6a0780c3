"""What was granted, and what of it is taken back or handed on: it goes where it came from, never more than was given.

All but the first look only at what was taken back or handed on, of which there is little.
"""

from __future__ import annotations

from typing import Final

from tierengine.ledger.invariants.invariant import Invariant

# Booked and wanted of each (event key, rule). Where it was decided once, the decision says what is wanted; where it
# was decided more often, of each step the highest id counts, and of the steps that stand the last one.
_GRANTS = """
    WITH worth AS MATERIALIZED (
        SELECT dealer_id, member_id, event_key, rule, SUM(booked) AS booked FROM (
            SELECT dealer_id, member_id, event_key, rule, 0 AS booked, 1 AS decided,
                   CASE WHEN kind = 'withdrawn' THEN 0 ELSE wanted END AS wanted FROM decision
            UNION ALL
            SELECT dealer_id, member_id, event_key, rule, delta, 0, 0 FROM entry
            WHERE kind IN ('grant', 'reverse', 'adjust') AND rule <> '') AS each_of
        GROUP BY dealer_id, member_id, event_key, rule HAVING SUM(decided) > 1 OR SUM(booked) <> SUM(wanted)),
    stands AS (
        SELECT member_id, event_key, rule, wanted FROM (
            SELECT member_id, event_key, rule, wanted, ROW_NUMBER() OVER (
                PARTITION BY member_id, event_key, rule ORDER BY step_at DESC, step_class DESC, step_key DESC) AS place
            FROM (
                SELECT d.member_id, d.event_key, d.rule, d.wanted, d.kind, d.step_at, d.step_class, d.step_key,
                       ROW_NUMBER() OVER (PARTITION BY d.member_id, d.event_key, d.rule, d.step_at, d.step_class,
                                          d.step_key ORDER BY d.id DESC) AS newest
                FROM worth w JOIN decision d ON d.dealer_id = w.dealer_id AND d.event_key = w.event_key
                    AND d.member_id = w.member_id AND d.rule = w.rule) AS steps
            WHERE newest = 1 AND kind <> 'withdrawn') AS standing
        WHERE place = 1)
    SELECT w.member_id, w.booked, COALESCE(s.wanted, 0) FROM worth w
    LEFT JOIN stands s ON s.member_id = w.member_id AND s.event_key = w.event_key AND s.rule = w.rule
    WHERE w.booked <> COALESCE(s.wanted, 0) ORDER BY w.member_id
"""

# What a transfer takes from one account it gives to another, whose entry is one of its own.
_TRANSFER_HALVES: Final = """
    SELECT MIN(member_id), event_key, SUM(delta) FROM entry WHERE kind = 'transfer'
    GROUP BY dealer_id, event_key, wallet HAVING SUM(delta) <> 0 ORDER BY MIN(id)
"""

# Replayed by the member's own numbers: at no moment has more been taken back than stood.
_REVERSAL_EXCEEDS: Final = """
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
_RETURNED_KEEPS: Final = """
    SELECT b.member_id, b.place, SUM(e.delta) FROM (
        SELECT member_id, RTRIM(line, '0123456789') AS place FROM contribution
        WHERE member_id IN (SELECT member_id FROM contribution WHERE qty < 0)
        GROUP BY member_id, RTRIM(line, '0123456789') HAVING SUM(qty) <= 0 AND MAX(qty) > 0) AS b
    JOIN entry e ON e.member_id = b.member_id AND e.event_key || '#' = b.place AND e.kind IN ('grant', 'reverse')
    GROUP BY b.member_id, b.place HAVING SUM(e.delta) <> 0 ORDER BY b.member_id
"""

# An order gives back to no lot more than it took from it; what it gives back with new dates is a lot of its own.
_RETURNED_ELSEWHERE: Final = """
    SELECT e.member_id, e.event_key, u.lot_id, SUM(u.amount) FROM lot_use u JOIN entry e ON e.id = u.entry_id
    WHERE e.kind IN ('use', 'capture', 'return')
      AND (e.member_id, e.event_key) IN (SELECT member_id, event_key FROM entry WHERE kind = 'return')
    GROUP BY e.member_id, e.event_key, u.lot_id HAVING SUM(u.amount) < 0 ORDER BY e.member_id
"""

GRANTS: Final = (
    Invariant(
        4,
        "grant_differs",
        "每个（事件，规则）入账净额等于判定应得",
        "the entries of one (event, rule) net to what was decided",
        _GRANTS,
    ),
    Invariant(
        1,
        "transfer_halves",
        "一笔转让给出多少，对方就收到多少",
        "what a transfer takes from one account it gives to the other",
        _TRANSFER_HALVES,
    ),
    Invariant(
        7,
        "reversal_exceeds",
        "任何时刻收回的不超过当时入账的，退回的不超过当时用掉的",
        "at no moment is more taken back than was granted, or more given back than was used",
        _REVERSAL_EXCEEDS,
    ),
    Invariant(
        8,
        "returned_keeps",
        "全部退掉的业务，奖励净额为零，不论政策后来怎样变",
        "what came back in full has earned nothing in the end, whatever the policy became in between",
        _RETURNED_KEEPS,
    ),
    Invariant(
        9,
        "returned_elsewhere",
        "退回的配件款回到当初取用的那些批次",
        "credit that comes back goes to the lots that it was taken from",
        _RETURNED_ELSEWHERE,
    ),
    Invariant(
        9,
        "given_back_too_much",
        "一张单退回的配件款不超过当初用掉的",
        "an order gets back no more credit than it used",
        """
        SELECT e.member_id, e.event_key, SUM(e.delta) FROM (
            SELECT DISTINCT dealer_id, event_key FROM entry
            WHERE kind IN ('use', 'capture', 'return') AND delta > 0) AS more
        JOIN entry e ON e.dealer_id = more.dealer_id AND e.event_key = more.event_key
        WHERE e.kind IN ('use', 'capture', 'return')
        GROUP BY e.member_id, e.event_key, e.wallet HAVING SUM(e.delta) > 0 ORDER BY e.member_id
        """,
    ),
)
