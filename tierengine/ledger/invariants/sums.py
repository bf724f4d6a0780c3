"""Postings come to what their entries and accounts say: balances, and nothing below zero.

One pass over the postings and one over the entries answer for several of these each.
"""

from __future__ import annotations

from typing import Final

from tierengine.ledger.invariants.invariant import Invariant

_MOVED = """
    SELECT account_id, SUM(amount) AS amount FROM (
        SELECT destination_id AS account_id, amount FROM posting
        UNION ALL SELECT source_id, -amount FROM posting) AS sides
    GROUP BY account_id
"""

# Of a posting p from a to b of an entry e: the account that a rise comes from, or a fall goes to, is that of its kind.
_POSTED_ELSEWHERE: Final = """CASE WHEN e.delta > 0 THEN a.kind ELSE b.kind END <> CASE e.kind
           WHEN 'award' THEN 'awards' WHEN 'expire' THEN 'expired' WHEN 'use' THEN 'uses' WHEN 'capture' THEN 'uses'
           WHEN 'return' THEN 'uses' WHEN 'settle_debt' THEN 'debt' WHEN 'hold' THEN 'held' WHEN 'void' THEN 'available'
           ELSE 'grants' END"""

_POSTINGS = f"""
    SELECT CASE WHEN e.id IS NULL OR a.id IS NULL OR b.id IS NULL OR e.member_id <> p.member_id THEN 'posting_orphan'
                WHEN a.unit <> b.unit OR a.dealer_id <> b.dealer_id THEN 'units_mixed' ELSE 'posted_elsewhere' END,
           p.member_id, p.id, p.entry_id, a.unit, b.unit, e.kind, a.kind, b.kind
    FROM posting p LEFT JOIN entry e ON e.id = p.entry_id
    LEFT JOIN account a ON a.id = p.source_id LEFT JOIN account b ON b.id = p.destination_id
    WHERE e.id IS NULL OR a.id IS NULL OR b.id IS NULL OR e.member_id <> p.member_id
       OR a.unit <> b.unit OR a.dealer_id <> b.dealer_id OR {_POSTED_ELSEWHERE} ORDER BY p.id
"""

# Of each entry: what its postings sum to, what they move into the accounts whose money lies in lots less what they move
# out of them, and what it made of lots less what it took from them.
_ENTRIES = """
    WITH wrong AS MATERIALIZED (
        SELECT e.member_id, e.id, e.delta, COALESCE(x.total, 0) AS total, COALESCE(x.moved, 0) AS moved,
               COALESCE(x.lots, 0) AS lots,
               CASE WHEN e.kind IN ('hold', 'void') THEN e.delta <> 0 OR COALESCE(x.total, 0) = 0
                    ELSE COALESCE(x.total, 0) <> ABS(e.delta) END AS differs
        FROM entry e LEFT JOIN (
            SELECT entry_id, SUM(total) AS total, SUM(moved) AS moved, SUM(lots) AS lots FROM (
                SELECT p.entry_id, p.amount AS total, 0 AS lots,
                       CASE WHEN t.kind IN ('available', 'held') THEN p.amount ELSE 0 END
                       - CASE WHEN f.kind IN ('available', 'held') THEN p.amount ELSE 0 END AS moved
                FROM posting p JOIN account f ON f.id = p.source_id JOIN account t ON t.id = p.destination_id
                UNION ALL SELECT entry_id, 0, amount, 0 FROM lot
                UNION ALL SELECT entry_id, 0, -amount, 0 FROM lot_use) AS parts
            GROUP BY entry_id) AS x ON x.entry_id = e.id
        WHERE COALESCE(x.moved, 0) <> COALESCE(x.lots, 0)
           OR CASE WHEN e.kind IN ('hold', 'void') THEN e.delta <> 0 OR COALESCE(x.total, 0) = 0
                   ELSE COALESCE(x.total, 0) <> ABS(e.delta) END)
    SELECT 'entry_differs', member_id, id, total, delta FROM wrong WHERE differs
    UNION ALL SELECT 'entry_lots_differ', member_id, id, moved, lots FROM wrong WHERE moved <> lots ORDER BY 3
"""

SUMS: Final = (
    Invariant(
        1,
        "units_mixed",
        "每笔分录两边是同一代理商、同一单位",
        "both sides of a posting are of one dealer and one unit",
        _POSTINGS,
    ),
    Invariant(
        1,
        "posting_orphan",
        "每笔分录都属于一条记账，账户都存在",
        "every posting has its entry and both accounts",
        _POSTINGS,
    ),
    Invariant(
        7,
        "posted_elsewhere",
        "每类记账的对方账户是它该用的，收回的回到来处",
        "each kind of entry has its own account on the other side: what is taken back goes where it came from",
        _POSTINGS,
    ),
    Invariant(
        2,
        "balance_differs",
        "会员账户余额等于分录之和；内部账户不存余额",
        "a member's balance is the sum of its postings; house accounts store none",
        f"""
        SELECT a.member_id, a.balance, COALESCE(m.amount, 0) FROM account a
        LEFT JOIN ({_MOVED}) AS m ON m.account_id = a.id
        WHERE (a.member_id IS NOT NULL
               AND a.balance <> CASE WHEN a.kind = 'debt' THEN -COALESCE(m.amount, 0) ELSE COALESCE(m.amount, 0) END)
           OR (a.member_id IS NOT NULL AND a.balance IS NULL) OR (a.member_id IS NULL AND a.balance IS NOT NULL)
        ORDER BY a.id
        """,
    ),
    Invariant(
        2,
        "entry_differs",
        "每条记账的分录之和等于它的金额",
        "the postings of an entry sum to what it says",
        _ENTRIES,
    ),
    Invariant(
        5,
        "entry_lots_differ",
        "每条记账对可用和冻结的增减等于它建立的批次减去用掉的",
        "what an entry moves in and out of available and held is what it made of lots less what it took from them",
        _ENTRIES,
    ),
    Invariant(
        3,
        "overdrawn",
        "任何时刻可用额不为负（按会员自己的记账序号重放）",
        "available is never below zero, replayed by the member's own entry number",
        # (Within an entry what comes in stands first, so that only what is left after it counts.)
        """
        SELECT member_id, number, running FROM (
            SELECT p.member_id, e.number, SUM(p.amount * side.sign) OVER (
                PARTITION BY a.id ORDER BY e.number, p.amount * side.sign DESC ROWS UNBOUNDED PRECEDING) AS running
            FROM posting p JOIN entry e ON e.id = p.entry_id CROSS JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS side
            JOIN account a ON a.id = CASE WHEN side.sign = 1 THEN p.destination_id ELSE p.source_id END
            WHERE a.kind IN ('available', 'held')) AS replay
        WHERE running < 0 ORDER BY member_id, number
        """,
    ),
    Invariant(
        10,
        "entry_gap",
        "会员的记账序号连续",
        "a member's entries are numbered without a gap",
        """
        SELECT l.member_id, COALESCE(e.entries, 0), l.entry_no FROM ledger l
        LEFT JOIN (SELECT member_id, COUNT(*) AS entries, MAX(number) AS highest FROM entry GROUP BY member_id) AS e
          ON e.member_id = l.member_id
        WHERE COALESCE(e.entries, 0) <> l.entry_no OR COALESCE(e.highest, 0) <> l.entry_no ORDER BY l.member_id
        """,
    ),
)
