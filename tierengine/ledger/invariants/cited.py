"""Every row has what it rests on: member, decision, policy version, award; and what is personal is sealed or gone."""

from __future__ import annotations

from typing import Final

from tierengine.ledger.invariants.invariant import Invariant

CITED: Final = (
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
