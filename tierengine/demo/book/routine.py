"""What the dealer does for a customer by routine, at his service level: most of it in time, some late or never."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from tierengine.demo.book.days import START, TODAY, anniversary, days_from
from tierengine.demo.book.diary import Diary
from tierengine.demo.book.slips import Deal

Level = str


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a level is served: days between contacts and between surveys (0: none), and how much of it is kept.

    Every `visits`th contact is a visit; of gold, the one after it is the leader's.
    """

    contact: int
    visits: int
    survey: int
    birthday: str
    kept: float


RHYTHMS: Final[dict[Level, Rhythm]] = {
    "clip": Rhythm(150, 100, 0, "birthday_sms", 0.90),
    "zipper": Rhythm(76, 2, 150, "birthday_card", 0.94),
    "velcro": Rhythm(26, 3, 80, "candle_card", 0.965),
}


def serve(diary: Diary, level: Level, since: date, until: date = TODAY) -> None:
    """Serve a customer at one level from one day to another."""
    rng = diary.customer.rng(f"serve {level} {since}")
    rhythm = RHYTHMS[level]

    def kept(every: int) -> list[date]:
        return [day for day in _turns(since, until, every, rng) if rng.random() < rhythm.kept]

    for place, day in enumerate(kept(rhythm.contact)):
        leader = level == "velcro" and place % rhythm.visits == 0
        visit = place % rhythm.visits == 1 or (leader and place % 2 == 0)
        diary.contact(day, "visit" if visit else rng.choice(("phone", "wechat")), leader=leader)
    for day in kept(rhythm.survey):
        diary.survey(day)
    for day in kept(90):
        diary.gift(day, "seasonal_advice")
    for day in kept(29) if level == "velcro" else ():
        diary.report(day)
    for year in (2025, 2026):
        birthday = anniversary(diary.customer.born, year)
        if since <= birthday <= until and rng.random() < rhythm.kept:
            diary.gift(birthday, rhythm.birthday)


def delivered(diary: Diary, deal: Deal, level: Level) -> None:
    """Look after a customer in the month after a machine was delivered."""
    rng = diary.customer.rng(f"delivered {deal.order}")
    if rng.random() < 0.95:
        diary.contact(days_from(deal.day, rng.randint(4, 7)))
    if rng.random() < 0.92:
        diary.done(days_from(deal.day, rng.randint(26, 30)), "call_day_30")
    if rng.random() < 0.95:
        diary.gift(days_from(deal.day, rng.randint(3, 24)), "welcome_pack")
    if level != "clip" and rng.random() < 0.9:
        diary.done(days_from(deal.day, rng.randint(1, 9)), "welcome_call")
    if level == "velcro" and rng.random() < 0.9:
        day = days_from(deal.day, rng.randint(6, 25))
        diary.consent(day, "year_programme", given=rng.random() < 0.7)


def welcomed(diary: Diary, day: date) -> None:
    """Make a new gold member at home: card, form, manager, and his first visit."""
    rng = diary.customer.rng("welcomed")
    card = days_from(day, rng.randint(3, 8))
    diary.card(card)
    diary.done(days_from(card, rng.randint(0, 6)), "registration_form", "金卡客户登记表")
    if rng.random() < 0.95:
        diary.gift(days_from(card, rng.randint(2, 9)), "vip_card")
    diary.manager(days_from(card, rng.randint(1, 6)), "金卡客户专人负责")
    diary.contact(days_from(card, rng.randint(7, 11)), "visit")


def _turns(since: date, until: date, every: int, rng: Random) -> list[date]:
    """Return a day in each turn of about `every` days; none for 0."""
    days: list[date] = []
    if not every:
        return days
    day = days_from(max(since, START), min(every, 10) // 2 + rng.randint(0, max(every // 8, 1)))
    while day <= until:
        days.append(day)
        day = days_from(day, every + rng.randint(-every // 10, every // 10))
    return days
