"""Lots and holds come to what is available and held; they end once, and when they should."""

from __future__ import annotations

from typing import Final

from tierengine.ledger.invariants.invariant import Invariant

# What each open hold still ties up of each lot: it took of its lots in their order.
_TIED: Final = """
            SELECT x.member_id, x.lot_id, CASE WHEN x.upto <= x.gone THEN 0
                WHEN x.upto - x.gone < x.amount THEN x.upto - x.gone ELSE x.amount END AS tied
            FROM (SELECT l.member_id, l.lot_id, l.amount, h.amount - s.remaining AS gone, SUM(l.amount) OVER (
                      PARTITION BY l.hold_id ORDER BY l.place) AS upto
                  FROM hold_lot l JOIN hold h ON h.id = l.hold_id
                  JOIN hold_state s ON s.hold_id = h.id AND s.remaining > 0) AS x"""

LOTS: Final = (
    Invariant(
        5,
        "lot_uses_differ",
        "每批剩余等于批额减去用量，且不为负",
        "what remains of a lot is its amount less its uses, and not below zero",
        """
        SELECT l.member_id, s.remaining, l.amount - COALESCE(u.used, 0) FROM lot l
        LEFT JOIN lot_state s ON s.lot_id = l.id
        LEFT JOIN (SELECT lot_id, SUM(amount) AS used FROM lot_use GROUP BY lot_id) AS u ON u.lot_id = l.id
        WHERE s.remaining IS NULL OR s.remaining <> l.amount - COALESCE(u.used, 0)
           OR s.remaining < 0 OR s.remaining > l.amount
        ORDER BY l.id
        """,
    ),
    Invariant(
        5,
        "lots_differ",
        "各批剩余之和等于可用加冻结",
        "what remains of all lots is what is available and held",
        """
        SELECT b.member_id, COALESCE(r.remaining, 0), b.balance FROM (
            SELECT member_id, wallet, SUM(balance) AS balance FROM account
            WHERE member_id IS NOT NULL AND kind IN ('available', 'held') GROUP BY member_id, wallet) AS b
        LEFT JOIN (SELECT l.member_id, l.wallet, SUM(s.remaining) AS remaining FROM lot l
                   JOIN lot_state s ON s.lot_id = l.id GROUP BY l.member_id, l.wallet) AS r
          ON r.member_id = b.member_id AND r.wallet = b.wallet
        WHERE COALESCE(r.remaining, 0) <> b.balance ORDER BY b.member_id
        """,
    ),
    Invariant(
        5,
        "debt_and_available",
        "欠额大于零时可用为零",
        "a member with a debt has nothing available in that wallet",
        """
        SELECT d.member_id, d.balance, a.balance FROM account d
        JOIN account a ON a.member_id = d.member_id AND a.wallet = d.wallet AND a.kind = 'available'
        WHERE d.kind = 'debt' AND d.balance > 0 AND a.balance > 0 ORDER BY d.member_id
        """,
    ),
    Invariant(
        5,
        "merged_owes",
        "合并的会员欠额大于零时谁都没有可用",
        "while any of merged members owes, none of them has anything available in that wallet",
        """
        SELECT l.joined_id, SUM(CASE WHEN a.kind = 'debt' THEN a.balance ELSE 0 END),
               SUM(CASE WHEN a.kind = 'available' THEN a.balance ELSE 0 END)
        FROM ledger l JOIN account a ON a.member_id = l.member_id WHERE l.joined_id IS NOT NULL
        GROUP BY l.joined_id, a.wallet
        HAVING SUM(CASE WHEN a.kind = 'debt' THEN a.balance ELSE 0 END) > 0
           AND SUM(CASE WHEN a.kind = 'available' THEN a.balance ELSE 0 END) > 0 ORDER BY 1
        """,
    ),
    Invariant(
        6,
        "expired_early",
        "到期记账不早于到期时刻",
        "nothing expires before its time",
        """
        SELECT e.member_id, e.recorded_at, l.expires_at FROM entry e
        JOIN lot_use u ON u.entry_id = e.id JOIN lot l ON l.id = u.lot_id
        WHERE e.kind = 'expire' AND (l.expires_at IS NULL OR e.recorded_at < l.expires_at) ORDER BY e.id
        """,
    ),
    Invariant(
        6,
        "expiry_missed",
        "会员最后一次记账时，已到期的只剩下仍被预占的",
        "of what had ended when a member's last entry was made, only what holds tie up is left",
        # (Whoever posts for a member settles first.)
        f"""
        SELECT l.member_id, s.remaining, COALESCE(t.tied, 0) FROM lot_state s JOIN lot l ON l.id = s.lot_id
        LEFT JOIN (SELECT lot_id, SUM(tied) AS tied FROM ({_TIED}) AS one GROUP BY lot_id) AS t ON t.lot_id = l.id
        WHERE s.remaining > COALESCE(t.tied, 0) AND l.expires_at <= (
            SELECT e.recorded_at FROM entry e WHERE e.member_id = l.member_id ORDER BY e.number DESC LIMIT 1)
        ORDER BY l.member_id, l.id
        """,
    ),
    Invariant(
        5,
        "held_differs",
        "冻结额等于各预占剩余之和",
        "what is held is what is left of the holds that have not ended",
        """
        SELECT b.member_id, COALESCE(r.remaining, 0), b.balance FROM (
            SELECT member_id, wallet, SUM(balance) AS balance FROM account
            WHERE member_id IS NOT NULL AND kind = 'held' GROUP BY member_id, wallet) AS b
        LEFT JOIN (SELECT h.member_id, h.wallet, SUM(s.remaining) AS remaining FROM hold h
                   JOIN hold_state s ON s.hold_id = h.id GROUP BY h.member_id, h.wallet) AS r
          ON r.member_id = b.member_id AND r.wallet = b.wallet
        WHERE COALESCE(r.remaining, 0) <> b.balance ORDER BY b.member_id
        """,
    ),
    Invariant(
        5,
        "lot_overheld",
        "预占占用的不超过该批剩余",
        "no hold ties up more of a lot than remains of it",
        f"""
        SELECT t.member_id, SUM(t.tied), MAX(z.remaining) FROM ({_TIED}) AS t
        LEFT JOIN lot_state z ON z.lot_id = t.lot_id
        GROUP BY t.member_id, t.lot_id HAVING SUM(t.tied) > COALESCE(MAX(z.remaining), 0) ORDER BY t.member_id
        """,
    ),
    Invariant(
        10,
        "hold_ends",
        "每个预占只结束一次：扣款不超过预占，结束后不再占用",
        "a hold ends once: captures do not exceed it, and what has ended holds nothing",
        """
        SELECT h.member_id, h.key, COALESCE(c.captured, 0) FROM hold h
        LEFT JOIN hold_state s ON s.hold_id = h.id LEFT JOIN hold_end e ON e.hold_id = h.id
        LEFT JOIN (SELECT hold_id, SUM(amount) AS amount FROM hold_lot GROUP BY hold_id) AS t ON t.hold_id = h.id
        LEFT JOIN (SELECT member_id, cause_key, -SUM(delta) AS captured FROM entry WHERE kind = 'capture'
                   GROUP BY member_id, cause_key) AS c ON c.member_id = h.member_id AND c.cause_key = h.key
        WHERE s.remaining IS NULL OR COALESCE(t.amount, 0) <> h.amount OR COALESCE(c.captured, 0) > h.amount
           OR (e.hold_id IS NULL AND (s.remaining <= 0 OR s.remaining <> h.amount - COALESCE(c.captured, 0)))
           OR (e.hold_id IS NOT NULL AND s.remaining <> 0)
           OR (e.kind = 'lapsed' AND e.recorded_at < h.expires_at)
           OR (e.kind = 'captured' AND c.captured IS NULL)
        ORDER BY h.id
        """,
    ),
)
