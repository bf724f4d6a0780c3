"""Who gets gold and why, and who loses it: one function a story.

Each leads to the traits it is about by the default policy's bounds; tests/test_demo.py counts what comes out.
"""

from __future__ import annotations

from datetime import date

from tierengine.demo.book.days import TODAY, between, days_from
from tierengine.demo.book.routine import delivered, serve
from tierengine.demo.book.scene import (
    OPENED,
    Scene,
    becomes_gold,
    elsewhere,
    small_parts,
    spends_credit,
    steady_parts,
    talks_to_us,
    tells_us,
)


def veteran(scene: Scene) -> None:
    """Long in the trade with machines of his own; his second machine from us makes him gold."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    diary.own(elsewhere(rng, 3), [between(rng, OPENED, date(2025, 2, 10)), date(2026, 2, 20)])
    first = diary.buy(between(rng, OPENED, date(2025, 4, 30)))
    gold = between(rng, date(2025, 6, 1), date(2026, 3, 31))
    second = diary.buy(gold, settled_after=rng.choice((9, 21, 34)))
    delivered(diary, first, "zipper")
    delivered(diary, second, "velcro")
    spends_credit(scene, second)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        more = between(rng, days_from(gold, 60), date(2026, 10, 25))
        deal = diary.buy(more, size=rng.choice(("small", "medium", "medium", "large")))
        delivered(diary, deal, "velcro")
        if more < date(2026, 5, 1) and rng.random() < 0.25:
            diary.send_back(deal, days_from(more, 150), "逾期收车")
    becomes_gold(scene, gold)
    steady_parts(scene, date(2025, 2, 1), rng.randint(900, 2_600), gold)


def regular(scene: Scene) -> None:
    """Two machines from us, and he calls by himself."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    delivered(diary, diary.buy(between(rng, OPENED, date(2025, 3, 15))), "zipper")
    delivered(diary, diary.buy(between(rng, date(2025, 4, 1), date(2025, 6, 30))), "zipper")
    talks = between(rng, date(2025, 2, 1), date(2025, 11, 1))
    gold = days_from(talks, 172)
    talks_to_us(scene, talks, every=33)
    if rng.random() < 0.6:
        delivered(diary, diary.buy(between(rng, days_from(gold, 15), date(2026, 10, 30))), "velcro")
    becomes_gold(scene, gold)
    steady_parts(scene, date(2025, 2, 10), rng.randint(700, 1_500), gold)


def fleet(scene: Scene) -> None:
    """Many machines of all makers, and parts from us every month."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    diary.own(elsewhere(rng, rng.randint(5, 7), large=1), [date(2025, 2, 3), date(2026, 1, 20)])
    first = diary.buy(between(rng, OPENED, date(2025, 5, 31)), size=rng.choice(("medium", "large")))
    delivered(diary, first, "zipper")
    start = between(rng, date(2025, 1, 10), date(2025, 6, 1))
    gold = days_from(start, 185)
    becomes_gold(scene, gold)
    steady_parts(scene, start, rng.randint(3_900, 5_200), gold)
    if rng.random() < 0.7:
        delivered(diary, diary.buy(between(rng, days_from(gold, 20), date(2026, 9, 30)), size="medium"), "velcro")


def influential(scene: Scene) -> None:
    """He sends his friends to us; _pairs says whom and when."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    days = sorted(day for _, day, slip in scene.invited.values() if slip.split(":")[1].startswith(f"S{scene.code[1:]}"))
    delivered(diary, diary.buy(between(rng, OPENED, date(2025, 2, 28))), "zipper")
    delivered(diary, diary.buy(between(rng, date(2025, 3, 1), days[1])), "zipper")
    gold = days_from(days[1], 12)
    becomes_gold(scene, gold)
    steady_parts(scene, date(2025, 2, 15), rng.randint(600, 1_200), gold)


def informant(scene: Scene) -> None:
    """He tells us where works begin, and calls often."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    delivered(diary, diary.buy(between(rng, OPENED, date(2025, 6, 30))), "zipper")
    start = between(rng, date(2025, 2, 1), date(2025, 9, 30))
    tells_us(scene, start, every=47)
    talks_to_us(scene, start, every=31)
    gold = days_from(start, 175)
    if rng.random() < 0.5:
        delivered(diary, diary.buy(between(rng, days_from(gold, 15), date(2026, 10, 30))), "velcro")
    becomes_gold(scene, gold)
    small_parts(scene, OPENED)


def grower(scene: Scene) -> None:
    """His works grow, and with them what he buys at our counter."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    delivered(diary, diary.buy(between(rng, date(2025, 3, 1), date(2025, 8, 31))), "zipper")
    start = between(rng, date(2025, 1, 10), date(2025, 3, 15))
    gold = days_from(start, 540)
    becomes_gold(scene, gold)
    steady_parts(scene, start, rng.randint(2_300, 2_700), gold, growth=1.8)


def known(scene: Scene) -> None:
    """Everybody in the trade knows him; people sign for it, and then he buys."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    stated = between(rng, date(2025, 1, 10), date(2026, 4, 30))
    late = rng.choice((0, 0, 0, 1))
    diary.attest("early_entrant", stated, "全县第一家做土石方的", months_late=late)
    diary.attest("peer_influence", days_from(stated, 6), "砂石协会副会长")
    gold = days_from(stated, rng.randint(14, 45))
    deal = diary.buy(gold, settled_after=rng.choice((6, 15, 40)))
    delivered(diary, deal, "velcro")
    spends_credit(scene, deal)
    for _ in range(rng.choice((0, 1, 2))):
        more = between(rng, days_from(gold, 40), date(2026, 10, 31))
        delivered(diary, diary.buy(more, size=rng.choice(("medium", "large"))), "velcro")
    becomes_gold(scene, gold)
    steady_parts(scene, gold, rng.randint(500, 1_400), gold)


def fading(scene: Scene) -> None:
    """What made him gold ran out this autumn; his manager has ninety days."""
    _on_word(scene, date(2025, 8, 20), date(2025, 9, 20))
    small_parts(scene, OPENED)


def demoted(scene: Scene) -> None:
    """What made him gold ran out, and so did the ninety days."""
    _on_word(scene, date(2025, 2, 10), date(2025, 3, 20))
    small_parts(scene, OPENED)


def _on_word(scene: Scene, first: date, last: date) -> None:
    diary, rng = scene.diary, scene.rng
    diary.profile()
    stated = between(rng, first, last)
    diary.attest("early_entrant", stated, "本县最早买挖掘机的三家之一")
    diary.attest("growth_potential", days_from(stated, 3), "中标高速二标")
    gold = days_from(stated, 12)
    delivered(diary, diary.buy(gold), "velcro")
    end = date(gold.year + 1, gold.month, gold.day)
    becomes_gold(scene, gold, until=min(TODAY, days_from(end, 90)))
    if days_from(end, 90) < TODAY:
        serve(diary, "zipper", days_from(end, 90))


def overdue(scene: Scene) -> None:
    """Gold, until he fell ninety days behind with his instalments."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    stated = between(rng, date(2025, 4, 1), date(2025, 9, 30))
    diary.attest("early_entrant", stated, "镇上第一家")
    diary.attest("peer_influence", days_from(stated, 4), "行业微信群群主")
    gold = days_from(stated, 20)
    delivered(diary, diary.buy(gold, size="large"), "velcro")
    behind = between(rng, date(2026, 5, 1), date(2026, 7, 10))
    for days in (31, 61, 95):
        diary.overdue(days_from(behind, days), days)
    becomes_gold(scene, gold, until=days_from(behind, 95))
    serve(diary, "zipper", days_from(behind, 95))


def sent_back(scene: Scene) -> None:
    """The machine that made him gold went back within a month: no loan."""
    diary, rng = scene.diary, scene.rng
    diary.profile()
    diary.attest("early_entrant", date(2026, 3, 2), "全镇第一台装载机")
    diary.attest("peer_influence", date(2026, 3, 4), "村委会主任")
    deal = diary.buy(date(2026, 3, 20), settled_after=5)
    delivered(diary, deal, "velcro")
    diary.send_back(deal, date(2026, 4, 9), "贷款没有批下来")
    serve(diary, "clip", OPENED, date(2026, 3, 20))
    serve(diary, "zipper", date(2026, 4, 10))
    _ = rng
