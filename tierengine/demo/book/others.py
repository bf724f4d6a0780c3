"""Who is not gold: those with one trait, those with none, those to be won, and those to whom tiers do not apply.

A story must not lead to a trait that it is not about: that is why parts are bought in few months and small amounts.
"""

from __future__ import annotations

from datetime import date

from tierengine.demo.book.catalogue import MODELS
from tierengine.demo.book.days import TODAY, between, days_from
from tierengine.demo.book.routine import delivered, serve
from tierengine.demo.book.scene import OPENED, Scene, elsewhere, filed, small_parts, talks_to_us, tells_us


def key_account(scene: Scene) -> None:
    """A big unit with tenders: the highest service, no card."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    diary.segment(days_from(OPENED, rng.randint(1, 20)), "key_account", "有正式招标")
    diary.manager(days_from(OPENED, 21))
    diary.own(elsewhere(rng, 6, large=2), [date(2025, 2, 10), date(2026, 2, 10)])
    for year in (2025, 2026):
        for _ in range(rng.randint(1, 3)):
            day = between(rng, date(year, 2, 1), date(year, 10, 31))
            diary.tender(days_from(day, -25), 5_000_000, "中标")
            deal = diary.buy(day, size=rng.choice(("medium", "large", "large")), tender_won=True, settled_after=45)
            delivered(diary, deal, "velcro")
    serve(diary, "velcro", OPENED)
    for month in range(1, 12):
        diary.parts(date(2025, month, rng.randint(3, 26)), rng.randint(5_000, 12_000))
        diary.parts(date(2026, month, rng.randint(3, 19)), rng.randint(5_000, 12_000))


def benchmark(scene: Scene) -> None:
    """Others look to him; he has yet to buy from us."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    diary.segment(between(rng, OPENED, date(2025, 12, 31)), "benchmark", "同行都听他的")
    stated = between(rng, date(2025, 3, 1), date(2026, 9, 30))
    diary.attest("peer_influence", stated, "市工程机械协会理事")
    if rng.random() < 0.35:
        diary.attest("early_entrant", days_from(stated, 10), "最早做矿山剥离的一批")
    serve(diary, "zipper", OPENED)
    diary.wish(between(rng, date(2026, 1, 1), TODAY), "excavator", "比较中")


def two_machines(scene: Scene) -> None:
    """Two machines from us: one trait."""
    diary, rng = scene.diary, scene.rng
    first = between(rng, OPENED, date(2025, 12, 31))
    opened = filed(scene, first)
    second = between(rng, days_from(first, 60), date(2026, 10, 31))
    delivered(diary, diary.buy(first, size=rng.choice(("small", "medium"))), "clip")
    deal = diary.buy(
        second, size=rng.choice(("small", "medium")), used=rng.random() < 0.15, paper_late=rng.choice((0, 0, 0, 16))
    )
    delivered(diary, deal, "zipper")
    serve(diary, "clip", opened, second)
    serve(diary, "zipper", second)
    small_parts(scene, first)


def old_hand(scene: Scene) -> None:
    """Long in the trade, three machines, one from us or none."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    diary.own(elsewhere(rng, 3), [between(rng, date(2025, 1, 5), date(2025, 6, 30))])
    if rng.random() < 0.5:
        delivered(diary, diary.buy(between(rng, date(2025, 2, 1), date(2026, 9, 30)), size="small"), "zipper")
    serve(diary, "zipper", OPENED)
    small_parts(scene, OPENED)


def many_machines(scene: Scene) -> None:
    """Many machines, looked at every year."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    diary.own(
        elsewhere(rng, 5), [between(rng, OPENED, date(2025, 3, 1)), between(rng, date(2026, 1, 5), date(2026, 2, 20))]
    )
    if rng.random() < 0.4:
        delivered(diary, diary.buy(between(rng, date(2025, 4, 1), date(2026, 9, 30))), "zipper")
    serve(diary, "zipper", OPENED)
    small_parts(scene, OPENED)


def friend(scene: Scene) -> None:
    """He and his manager trust one another."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    if rng.random() < 0.5:
        delivered(diary, diary.buy(between(rng, OPENED, date(2026, 6, 30)), size="small"), "clip")
    since = between(rng, date(2025, 6, 1), date(2026, 2, 1))
    talks_to_us(scene, since, every=30)
    serve(diary, "clip", OPENED, days_from(since, 160))
    serve(diary, "zipper", days_from(since, 160))
    small_parts(scene, OPENED)


def scout(scene: Scene) -> None:
    """He tells us what he hears."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    if rng.random() < 0.5:
        delivered(diary, diary.buy(between(rng, OPENED, date(2026, 6, 30)), size="small"), "clip")
    tells_us(scene, between(rng, date(2025, 8, 1), date(2026, 2, 1)), every=52)
    serve(diary, "zipper", OPENED)


def growing(scene: Scene) -> None:
    """A few larger orders a year, and this year's are larger."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    if rng.random() < 0.5:
        delivered(diary, diary.buy(between(rng, OPENED, date(2026, 6, 30)), size="small"), "clip")
    for year, yuan in ((2025, 2_900), (2026, 4_500)):
        for month in (2, 5, 8, 10):
            diary.parts(date(year, month, rng.randint(2, 8)), yuan)
    serve(diary, "clip", OPENED, date(2026, 10, 1))
    serve(diary, "zipper", date(2026, 10, 1))


def vouched_for(scene: Scene) -> None:
    """One trait, on people's word."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    if rng.random() < 0.6:
        delivered(diary, diary.buy(between(rng, OPENED, date(2026, 9, 30)), size="small"), "clip")
    stated = between(rng, date(2026, 1, 10), date(2026, 10, 20))
    trait, evidence, alone = rng.choice(
        (
            ("peer_influence", "沙场联合会秘书长", False),
            ("growth_potential", "刚拿下五年采石权", False),
            ("large_fleet", "承接 800 万元平整工程，附合同", False),
            ("trusted_contact", "与总经理多年往来", True),
        )
    )
    diary.attest(trait, stated, evidence, leader_only=alone)
    serve(diary, "clip", OPENED, stated)
    serve(diary, "zipper", stated)
    small_parts(scene, OPENED, turns=2)


def to_court(scene: Scene) -> None:
    """An old hand with many machines, none of them from us."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    diary.own(elsewhere(rng, 6, large=1), [between(rng, date(2025, 1, 5), date(2025, 3, 1)), date(2026, 1, 25)])
    serve(diary, "zipper", OPENED)
    diary.wish(between(rng, date(2026, 6, 1), TODAY), "excavator", "报价")
    if rng.random() < 0.4:
        diary.lost(between(rng, date(2025, 6, 1), date(2026, 5, 1)), "别家首付低")


def newcomer(scene: Scene) -> None:
    """Somebody sent him: his first machine here."""
    diary, rng = scene.diary, scene.rng
    _, day, slip = scene.invited[scene.code]
    opened = days_from(day, -min(20, (day - OPENED).days))
    diary.profile(opened)
    size = rng.choice(("small", "medium", "medium"))
    kinds = [one for one in MODELS if one.size == size and one.kind in ("excavator", "wheel_loader")]
    deal = diary.buy(day, rng.choice(kinds), referral=slip, settled_after=rng.choice((8, 12, 25)))
    level = "zipper" if size == "medium" else "clip"
    delivered(diary, deal, level)
    serve(diary, level, day)
    small_parts(scene, day)


def one_larger(scene: Scene) -> None:
    """One machine of a proper size: a member, no trait."""
    diary, rng = scene.diary, scene.rng
    day = between(rng, OPENED, date(2026, 11, 5))
    opened = filed(scene, day)
    deal = diary.buy(
        day,
        size=rng.choice(("medium", "medium", "large")),
        settled_after=rng.choice((7, 14, 30, 75, None)),
        paper_late=rng.choice((0, 0, 0, 0, 15)),
    )
    delivered(diary, deal, "zipper")
    serve(diary, "clip", opened, day)
    serve(diary, "zipper", day)
    small_parts(scene, day)
    if rng.random() < 0.3:
        diary.repair(between(rng, day, TODAY), rng.randint(500, 1_500), prompt=rng.random() < 0.8)
    if rng.random() < 0.1:
        diary.send_back(deal, days_from(day, 25), "质量不合")


def one_small(scene: Scene) -> None:
    """One small machine: a customer."""
    diary, rng = scene.diary, scene.rng
    day = between(rng, OPENED, date(2026, 11, 5))
    opened = filed(scene, day)
    delivered(diary, diary.buy(day, size="small", settled_after=rng.choice((5, 12, 28))), "clip")
    serve(diary, "clip", opened)
    small_parts(scene, day)
    if rng.random() < 0.25:
        diary.repair(between(rng, day, TODAY), rng.randint(400, 1_200), prompt=rng.random() < 0.8)


def counter(scene: Scene) -> None:
    """He buys parts now and then, or rents."""
    diary, rng = scene.diary, scene.rng
    opened = filed(scene, between(rng, OPENED, date(2026, 3, 31)))
    serve(diary, "clip", opened)
    small_parts(scene, opened, turns=4)
    if rng.random() < 0.4:
        diary.rent(
            between(rng, days_from(opened, 20), date(2026, 10, 20)), rng.randint(7, 40), rng.randint(4_000, 9_000)
        )


def prospect(scene: Scene) -> None:
    """On file, nothing bought yet."""
    diary, rng = scene.diary, scene.rng
    opened = filed(scene, between(rng, date(2025, 9, 1), date(2026, 10, 15)))
    serve(diary, "clip", opened)
    diary.wish(between(rng, opened, TODAY), rng.choice(("excavator", "wheel_loader", "roller")), "了解")
    if rng.random() < 0.3:
        diary.lost(between(rng, opened, TODAY), "价格")
