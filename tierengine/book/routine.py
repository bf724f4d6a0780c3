"""What the dealer does for a customer by routine, at his service level: most of it in time, some late or never."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from tierengine.book.days import START, TODAY, anniversary, days_from
from tierengine.book.diary import Diary
from tierengine.book.slips import Deal

Level = str


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a level is served: days between contacts, visits, surveys and a leader's contacts (0: none)."""

    contact: int
    visit: int
    survey: int
    leader: int
    birthday: str
    kept: float  # how much of it is done in time


RHYTHMS: Final[dict[Level, Rhythm]] = {
    "clip": Rhythm(150, 0, 0, 0, "birthday_sms", 0.90),
    "zipper": Rhythm(76, 160, 150, 0, "birthday_card", 0.93),
    "velcro": Rhythm(24, 78, 80, 82, "candle_card", 0.955),
}


def serve(diary: Diary, level: Level, since: date, until: date = TODAY) -> None:
    """Serve a customer at one level from one day to another."""
    rng = diary.customer.rng(f"serve {level} {since}")
    rhythm = RHYTHMS[level]

    def kept(every: int) -> list[date]:
        return [day for day in _turns(since, until, every, rng) if rng.random() < rhythm.kept]

    for place, day in enumerate(kept(rhythm.leader)):
        diary.contact(day, "visit" if place % 2 == 0 else "phone", leader=True)
    for day in kept(rhythm.visit):
        diary.contact(day, "visit")
    for day in kept(rhythm.contact):
        diary.contact(day, rng.choice(("phone", "wechat")))
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
