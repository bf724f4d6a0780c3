"""What the stories are made of: pieces that several of them share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

from tierengine.demo.book.catalogue import ELSEWHERE, TIP_TOPICS, Model
from tierengine.demo.book.days import TODAY, between, days_from
from tierengine.demo.book.diary import Diary
from tierengine.demo.book.people import Customer
from tierengine.demo.book.routine import serve, welcomed
from tierengine.demo.book.slips import Deal

OPENED = date(2025, 1, 2)


@dataclass(slots=True)
class Scene:
    """A story's customer, his diary and his chance, and what others left for him."""

    diary: Diary
    rng: Random
    invited: dict[str, tuple[Customer, date, str]] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """Return the customer's code."""
        return self.diary.customer.code


def filed(scene: Scene, day: date) -> date:
    """Open his file shortly before what brought him to us; return the day."""
    opened = max(OPENED, days_from(day, -scene.rng.randint(3, 30)))
    scene.diary.profile(opened)
    return days_from(opened, 1)


def elsewhere(rng: Random, number: int, *, large: int = 0) -> list[Model]:
    """Return machines of other makers, so many of them large."""
    others = [one for one in ELSEWHERE if one.size == "medium"]
    big = [one for one in ELSEWHERE if one.size == "large"]
    return [rng.choice(big) for _ in range(large)] + [rng.choice(others) for _ in range(number - large)]


def small_parts(scene: Scene, since: date, *, turns: int = 3) -> None:
    """Buy a few small things a year: no more than a thousand yuan each, in few months."""
    for year in (2025, 2026):
        for _ in range(scene.rng.randint(1, turns)):
            day = between(scene.rng, max(since, date(year, 1, 5)), min(TODAY, date(year, 12, 20)))
            if since <= day <= TODAY:
                scene.diary.parts(day, scene.rng.randint(200, 1_100), van=scene.rng.random() < 0.15)


def steady_parts(scene: Scene, since: date, monthly: int, gold_from: date, *, growth: float = 1.0) -> None:
    """Buy parts most months, from gold on at 95 %, and now and then with parts credit."""
    day = days_from(since, scene.rng.randint(0, 12))
    while day <= TODAY:
        factor = growth if day >= date(2025, 12, 1) else 1.0
        yuan = int(monthly * factor * scene.rng.uniform(0.75, 1.25))
        order, lines = scene.diary.parts(day, yuan, discount_bp=9_500 if day > gold_from else 10_000)
        if scene.rng.random() < 0.03:
            scene.diary.give_back(days_from(day, scene.rng.randint(1, 9)), order, lines[:1])
        day = days_from(day, scene.rng.randint(24, 36))


def spends_credit(scene: Scene, deal: Deal) -> None:
    """Pay a part of an order with what the machine earned, once it may be used."""
    if deal.settled is not None and scene.rng.random() < 0.7:
        day = days_from(deal.settled, 32 + scene.rng.randint(0, 60))
        yuan = scene.rng.randint(700, 1_600)
        scene.diary.parts(day, yuan, discount_bp=9_500, credit=scene.rng.choice((30_000, 40_000, 48_000)))


def talks_to_us(scene: Scene, since: date, *, every: int) -> None:
    """Call us by himself, again and again."""
    day = days_from(since, scene.rng.randint(0, every))
    while day <= TODAY:
        scene.diary.contact(day, scene.rng.choice(("phone", "visit", "wechat")), direction="customer")
        day = days_from(day, every + scene.rng.randint(-6, 6))


def tells_us(scene: Scene, since: date, *, every: int) -> None:
    day = days_from(since, scene.rng.randint(0, 20))
    place = 0
    while day <= TODAY:
        scene.diary.tip(day, scene.rng.choice(TIP_TOPICS), proved=place % 2 == 0)
        place += 1
        day = days_from(day, every + scene.rng.randint(-9, 9))


def becomes_gold(scene: Scene, day: date, *, until: date = TODAY) -> None:
    """Serve him up to the day he is gold, welcome him, and serve him as gold after it."""
    if day > OPENED:
        serve(scene.diary, "zipper", OPENED, day)
    welcomed(scene.diary, day)
    serve(scene.diary, "velcro", day, until)
    for year in (2025, 2026):
        for _ in range(scene.rng.choice((0, 0, 1, 2))):
            shown = between(scene.rng, date(year, 3, 1), date(year, 10, 30))
            if day <= shown <= TODAY:
                scene.diary.demonstrate(
                    shown, scene.rng.choice(("speech", "reference_visit", "joint_tour", "testimonial"))
                )
    for _ in range(scene.rng.choice((0, 1, 1, 2))):
        called = between(scene.rng, OPENED, TODAY)
        scene.diary.repair(called, scene.rng.randint(900, 3_800), prompt=scene.rng.random() < 0.85)
    if scene.rng.random() < 0.25:
        prompt = scene.rng.random() < 0.7
        scene.diary.complaint(
            between(scene.rng, day, TODAY),
            "配件等得久",
            answered_hours=1.5 if prompt else 7,
            closed_days=2 if prompt else 9,
        )
