"""Tells every customer's story and puts what is said in the order in which it arrives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from random import Random
from typing import Final

from tierengine.demo.book import gold, others
from tierengine.demo.book.catalogue import ARCHIVIST, DESK, LEADERS, MANAGERS, STORES
from tierengine.demo.book.days import between, days_from
from tierengine.demo.book.diary import Diary
from tierengine.demo.book.people import SEED, Book, Customer, customers
from tierengine.demo.book.post import Delivery, posted
from tierengine.demo.book.scene import OPENED, Scene
from tierengine.demo.book.strays import strays

DEALER: Final = ("east", "华东工程机械")

# fmt: off
STORIES: Final[Mapping[str, Callable[[Scene], None]]] = {
    story.__name__: story
    for story in (
        gold.veteran, gold.regular, gold.fleet, gold.influential, gold.informant, gold.grower,
        gold.known, gold.fading, gold.demoted, gold.overdue, gold.sent_back, others.key_account,
        others.benchmark, others.two_machines, others.old_hand, others.many_machines, others.friend, others.scout,
        others.growing, others.vouched_for, others.to_court, others.newcomer, others.one_larger, others.one_small,
        others.counter, others.prospect,
    )
}
# fmt: on


@cache
def demo_book() -> Book:
    """Return the demo book; the same value however often it is asked for."""
    cast = customers()
    by_code = {customer.code: customer for customer in cast}
    said: list[Delivery] = []
    pairs = _pairs(cast)
    invited: dict[str, tuple[Customer, date, str]] = {}
    order = sorted(cast, key=lambda one: (one.story == "newcomer", one.code))
    for customer in order:
        rng = customer.rng()
        scene = Scene(Diary(customer, rng), rng, invited)
        for buyer_code, day in pairs.get(customer.code, ()):
            kind = rng.choice(("excavator", "wheel_loader"))
            days_before = rng.randint(5, 60)
            slip = scene.diary.refer(max(days_from(day, -days_before), days_from(OPENED, 1)), by_code[buyer_code], kind)
            invited[buyer_code] = (customer, day, slip)
        STORIES[customer.story](scene)
        said += scene.diary.said
    said += strays(said)
    chance = Random(f"{SEED}:post")  # noqa: S311  a demo book is no secret
    return Book(
        dealer=DEALER,
        stores=tuple((code, name) for code, (name, _) in STORES.items()),
        staff=_staff(),
        customers=cast,
        deliveries=posted(said, chance),
    )


def _staff() -> dict[str, str]:
    names = {code: name for code, (name, _, _) in MANAGERS.items()}
    names |= dict(LEADERS.values())
    return names | dict((ARCHIVIST, DESK))


def _pairs(cast: Sequence[Customer]) -> dict[str, list[tuple[str, date]]]:
    """Say who brought whom, and on which day the machine was delivered."""
    rng = Random(f"{SEED}:pairs")  # noqa: S311
    buyers = [one.code for one in cast if one.story == "newcomer"]
    bringers = [one for one in cast if one.story == "influential"]
    others = [one for one in cast if one.story in ("veteran", "known")]
    pairs: dict[str, list[tuple[str, date]]] = {}
    for place, one in enumerate(bringers):
        # The first two make him one whom others follow; what comes after them earns as gold.
        first = between(rng, date(2025, 3, 1), date(2025, 6, 30))
        for turn in range(3 if place % 2 else 4):
            day = days_from(first, turn * rng.randint(70, 110))
            pairs.setdefault(one.code, []).append((buyers.pop(), day))
    while buyers:
        one = rng.choice(others)
        pairs.setdefault(one.code, []).append((buyers.pop(), between(rng, date(2025, 9, 1), date(2026, 10, 10))))
    return pairs
