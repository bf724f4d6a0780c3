"""Every invariant of the ledger that a query can find broken; the numbers are those of docs/ledger.md.

Each query returns the rows that break its invariant, first one first: (member id, what was found, what was expected).
Where one pass over the rows answers for several invariants they share its text, and each row begins with the code of
the one that it breaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tierengine.ledger import mirrors


@dataclass(frozen=True, slots=True)
class Invariant:
    """A sentence that must hold, and the query for the rows that break it (several may share one)."""

    number: int
    code: str
    zh: str
    en: str
    sql: str


_MOVED = """
    SELECT account_id, SUM(amount) AS amount FROM (
        SELECT destination_id AS account_id, amount FROM posting
        UNION ALL SELECT source_id, -amount FROM posting) AS sides
    GROUP BY account_id
"""

_POSTINGS = f"""
    SELECT CASE WHEN e.id IS NULL OR a.id IS NULL OR b.id IS NULL OR e.member_id <> p.member_id THEN 'posting_orphan'
                WHEN a.unit <> b.unit OR a.dealer_id <> b.dealer_id THEN 'units_mixed' ELSE 'posted_elsewhere' END,
           p.member_id, p.id, p.entry_id, a.unit, b.unit, e.kind, a.kind, b.kind
    FROM posting p LEFT JOIN entry e ON e.id = p.entry_id
    LEFT JOIN account a ON a.id = p.source_id LEFT JOIN account b ON b.id = p.destination_id
    WHERE e.id IS NULL OR a.id IS NULL OR b.id IS NULL OR e.member_id <> p.member_id
       OR a.unit <> b.unit OR a.dealer_id <> b.dealer_id OR {mirrors.POSTED_ELSEWHERE} ORDER BY p.id
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

# What each open hold still ties up of each lot: it took of its lots in their order.
_TIED: Final = """
            SELECT x.member_id, x.lot_id, CASE WHEN x.upto <= x.gone THEN 0
                WHEN x.upto - x.gone < x.amount THEN x.upto - x.gone ELSE x.amount END AS tied
            FROM (SELECT l.member_id, l.lot_id, l.amount, h.amount - s.remaining AS gone, SUM(l.amount) OVER (
                      PARTITION BY l.hold_id ORDER BY l.place) AS upto
                  FROM hold_lot l JOIN hold h ON h.id = l.hold_id
                  JOIN hold_state s ON s.hold_id = h.id AND s.remaining > 0) AS x"""

INVARIANTS: Final = (
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
        1,
        "transfer_halves",
        "一笔转让给出多少，对方就收到多少",
        "what a transfer takes from one account it gives to the other",
        mirrors.TRANSFER_HALVES,
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
        4,
        "grant_differs",
        "每个（事件，规则）入账净额等于判定应得",
        "the entries of one (event, rule) net to what was decided",
        _GRANTS,
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
        "entry_lots_differ",
        "每条记账对可用和冻结的增减等于它建立的批次减去用掉的",
        "what an entry moves in and out of available and held is what it made of lots less what it took from them",
        _ENTRIES,
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
        7,
        "posted_elsewhere",
        "每类记账的对方账户是它该用的，收回的回到来处",
        "each kind of entry has its own account on the other side: what is taken back goes where it came from",
        _POSTINGS,
    ),
    Invariant(
        7,
        "reversal_exceeds",
        "任何时刻收回的不超过当时入账的，退回的不超过当时用掉的",
        "at no moment is more taken back than was granted, or more given back than was used",
        mirrors.REVERSAL_EXCEEDS,
    ),
    Invariant(
        8,
        "returned_keeps",
        "全部退掉的业务，奖励净额为零，不论政策后来怎样变",
        "what came back in full has earned nothing in the end, whatever the policy became in between",
        mirrors.RETURNED_KEEPS,
    ),
    Invariant(
        9,
        "returned_elsewhere",
        "退回的配件款回到当初取用的那些批次",
        "credit that comes back goes to the lots that it was taken from",
        mirrors.RETURNED_ELSEWHERE,
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
        11,
        "joined_astray",
        "并入的会员由自己站立的人代表，名下不再另有等级",
        "who is merged is told of who stands for himself, and has no standing of his own beside that",
        """
        SELECT l.member_id, l.joined_id, r.joined_id FROM ledger l LEFT JOIN ledger r ON r.member_id = l.joined_id
        WHERE l.joined_id IS NOT NULL AND (r.joined_id IS NULL OR r.joined_id <> r.member_id
              OR r.dealer_id <> l.dealer_id OR (l.joined_id <> l.member_id AND l.carry <> '')) ORDER BY l.member_id
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
        13,
        "orphan",
        "每条推得、批次用量、所引判定都有出处",
        "every contribution has its event, every use of a lot its entry, every cited decision is there",
        """
        SELECT c.member_id, 'contribution', c.id FROM contribution c LEFT JOIN event v ON v.id = c.event_id
        LEFT JOIN emission m ON m.id = c.event_id WHERE v.id IS NULL AND m.id IS NULL
        UNION ALL
        SELECT u.member_id, 'lot_use', u.id FROM lot_use u LEFT JOIN entry e ON e.id = u.entry_id
        WHERE e.id IS NULL OR e.member_id <> u.member_id
        UNION ALL
        SELECT e.member_id, 'entry', e.id FROM entry e LEFT JOIN decision d ON d.id = e.decision_id
        WHERE e.decision_id IS NOT NULL AND (d.id IS NULL OR d.member_id <> e.member_id) ORDER BY 3
        """,
    ),
    Invariant(
        13,
        "event_orphan",
        "每个事件的会员与门店都在册，属于同一代理商",
        "the member and the store of every event are on file, with the same dealer",
        """
        SELECT e.member_id, e.id, e.store_id FROM event e LEFT JOIN member m ON m.id = e.member_id
        LEFT JOIN store s ON s.id = e.store_id
        WHERE (e.member_id IS NOT NULL AND (m.id IS NULL OR m.dealer_id <> e.dealer_id))
           OR (e.store_id IS NOT NULL AND (s.id IS NULL OR s.dealer_id <> e.dealer_id)) ORDER BY e.id
        """,
    ),
    Invariant(
        16,
        "award_unlisted",
        "每份奖品都有名单上的获奖者，金额与名单相符",
        "every prize has its winner on the frozen list, and the amount stated there",
        """
        SELECT e.member_id, e.id, e.delta, w.prize FROM entry e
        LEFT JOIN award_run r ON r.dealer_id = e.dealer_id AND e.cause_key = 'award:' || r.award || ':' || r.year
        LEFT JOIN award_winner w ON w.run_id = r.id AND w.member_id = e.member_id
        WHERE e.kind = 'award' AND (w.prize IS NULL OR w.prize <> e.delta) ORDER BY e.id
        """,
    ),
    Invariant(
        16,
        "award_differs",
        "每位获奖者的奖品至多发一次",
        "a prize is issued at most once a winner",
        """
        SELECT e.member_id, e.cause_key, COUNT(*) FROM entry e WHERE e.kind = 'award'
        GROUP BY e.member_id, e.cause_key, e.wallet HAVING COUNT(*) > 1 ORDER BY e.member_id
        """,
    ),
    Invariant(
        16,
        "award_over_budget",
        "一次评选的奖品合计不超过冻结时的预算",
        "the prizes of a run come to no more than the budget that was frozen with its list",
        """
        SELECT MIN(w.member_id), r.id, SUM(w.prize), CAST(r.plan ->> 'budget' AS BIGINT) FROM award_run r
        JOIN award_winner w ON w.run_id = r.id GROUP BY r.id
        HAVING SUM(w.prize) > CAST(r.plan ->> 'budget' AS BIGINT) ORDER BY r.id
        """,
    ),
    Invariant(
        18,
        "erased_kept",
        "已注销的会员没有留下任何封存的个人信息，也查不到",
        "nothing sealed is left of an erased member, and nothing finds him",
        """
        SELECT e.member_id, 'personal', p.field FROM erasure e JOIN personal p ON p.member_id = e.member_id
        UNION ALL
        SELECT e.member_id, 'personal_index', i.field FROM erasure e JOIN personal_index i ON i.member_id = e.member_id
        ORDER BY 1
        """,
    ),
    Invariant(
        18,
        "personal_open",
        "个人信息都以密文存放，属于同一代理商的会员",
        "personal data is stored sealed, and belongs to a member of the same dealer",
        """
        SELECT p.member_id, 'personal', p.field FROM personal p LEFT JOIN member m ON m.id = p.member_id
        WHERE m.id IS NULL OR m.dealer_id <> p.dealer_id OR LENGTH(p.sealed) < 29
        UNION ALL
        SELECT i.member_id, 'personal_index', i.field FROM personal_index i LEFT JOIN member m ON m.id = i.member_id
        WHERE m.id IS NULL OR m.dealer_id <> i.dealer_id OR LENGTH(i.digest) <> 64 OR i.field NOT IN ('name', 'phone')
        ORDER BY 1
        """,
    ),
)
