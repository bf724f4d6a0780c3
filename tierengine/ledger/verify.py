"""Every invariant of the ledger as a query that must find nothing. Read only; the numbers are ledger.md's.

Each query returns the rows that break its invariant, first one first: (member id, what was found, what was expected).
"""

from __future__ import annotations

from dataclasses import dataclass

from tierengine.store.dialect import Link

SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Invariant:
    """A sentence that must hold, and the query for the rows that break it."""

    number: int
    code: str
    zh: str
    en: str
    sql: str


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that does not hold: how often, and its first rows (member id, found, expected)."""

    invariant: Invariant
    count: int
    rows: tuple[tuple[object, ...], ...]


_MOVED = """
    SELECT account_id, SUM(amount) AS amount FROM (
        SELECT destination_id AS account_id, amount FROM posting
        UNION ALL SELECT source_id, -amount FROM posting) AS sides
    GROUP BY account_id
"""

# What should stand of each (event key, rule): of each step the highest id, of the steps that stand the last one.
_WANTED = """
    SELECT member_id, event_key, rule, wanted FROM (
        SELECT member_id, event_key, rule, wanted, ROW_NUMBER() OVER (
            PARTITION BY member_id, event_key, rule ORDER BY step_at DESC, step_class DESC, step_key DESC) AS place
        FROM (
            SELECT member_id, event_key, rule, wanted, kind, step_at, step_class, step_key, ROW_NUMBER() OVER (
                PARTITION BY member_id, event_key, rule, step_at, step_class, step_key ORDER BY id DESC) AS newest
            FROM decision) AS steps
        WHERE newest = 1 AND kind <> 'withdrawn') AS standing
    WHERE place = 1
"""

INVARIANTS = (
    Invariant(
        1,
        "units_mixed",
        "每笔分录两边是同一代理商、同一单位",
        "both sides of a posting are of one dealer and one unit",
        """
        SELECT p.member_id, a.unit, b.unit FROM posting p
        JOIN account a ON a.id = p.source_id JOIN account b ON b.id = p.destination_id
        WHERE a.unit <> b.unit OR a.dealer_id <> b.dealer_id ORDER BY p.id
        """,
    ),
    Invariant(
        1,
        "posting_orphan",
        "每笔分录都属于一条记账，账户都存在",
        "every posting has its entry and both accounts",
        """
        SELECT p.member_id, p.id, p.entry_id FROM posting p
        LEFT JOIN entry e ON e.id = p.entry_id LEFT JOIN account a ON a.id = p.source_id
        LEFT JOIN account b ON b.id = p.destination_id
        WHERE e.id IS NULL OR a.id IS NULL OR b.id IS NULL OR e.member_id <> p.member_id ORDER BY p.id
        """,
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
        3,
        "overdrawn",
        "任何时刻可用额不为负（按会员自己的记账序号重放）",
        "available is never below zero, replayed by the member's own entry number",
        """
        SELECT member_id, number, running FROM (
            SELECT e.member_id, e.number, SUM(SUM(moved.amount)) OVER (
                PARTITION BY moved.account_id ORDER BY e.number) AS running
            FROM (SELECT entry_id, destination_id AS account_id, amount FROM posting
                  UNION ALL SELECT entry_id, source_id, -amount FROM posting) AS moved
            JOIN account a ON a.id = moved.account_id AND a.kind IN ('available', 'held')
            JOIN entry e ON e.id = moved.entry_id
            GROUP BY e.member_id, e.number, moved.account_id) AS replay
        WHERE running < 0 ORDER BY member_id, number
        """,
    ),
    Invariant(
        4,
        "grant_differs",
        "每个（事件，规则）入账净额等于判定应得",
        "the entries of one (event, rule) net to what was decided",
        f"""
        SELECT member_id, SUM(booked), SUM(wanted) FROM (
            SELECT member_id, event_key, rule, 0 AS booked, wanted FROM ({_WANTED}) AS decided
            UNION ALL
            SELECT member_id, event_key, rule, delta, 0 FROM entry
            WHERE kind IN ('grant', 'reverse', 'adjust') AND rule <> '') AS worth
        GROUP BY member_id, event_key, rule HAVING SUM(booked) <> SUM(wanted) ORDER BY member_id
        """,
    ),
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
        9,
        "given_back_too_much",
        "一张单退回的配件款不超过当初用掉的",
        "an order gets back no more credit than it used",
        """
        SELECT member_id, event_key, SUM(delta) FROM entry WHERE kind IN ('use', 'return')
        GROUP BY member_id, event_key, wallet HAVING SUM(delta) > 0 ORDER BY member_id
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
    Invariant(
        13,
        "uncited",
        "每条记账都注明判定、指令或批次；每项判定都注明政策版本",
        "every entry cites a decision, a command or a run; every decision its policy version",
        """
        SELECT member_id, id, kind FROM entry WHERE decision_id IS NULL AND cause_key = ''
        UNION ALL
        SELECT d.member_id, d.id, 'decision' FROM decision d
        LEFT JOIN policy_version v ON v.id = d.version_id AND v.dealer_id = d.dealer_id WHERE v.id IS NULL
        ORDER BY 2
        """,
    ),
    Invariant(
        16,
        "award_differs",
        "每位获奖者的奖品至多发一次，总额不超预算",
        "a prize is issued at most once a winner",
        """
        SELECT e.member_id, e.cause_key, COUNT(*) FROM entry e WHERE e.kind = 'award'
        GROUP BY e.member_id, e.cause_key, e.wallet HAVING COUNT(*) > 1 ORDER BY e.member_id
        """,
    ),
)


def verify(link: Link) -> tuple[Broken, ...]:
    """Run every invariant; return those that do not hold, in order."""
    found = []
    for invariant in INVARIANTS:
        rows = link.ask(invariant.sql).rows()
        if rows:
            found.append(Broken(invariant, len(rows), tuple(rows[:SAMPLES])))
    return tuple(found)
