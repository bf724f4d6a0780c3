"""The customers of the demo book: who they are, and which story is told of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from random import Random

from tierengine.demo.book.catalogue import FIRM_NAMES, GIVEN, MANAGERS, STORES, SURNAMES, TRADES
from tierengine.demo.book.post import Delivery

SEED = "金卡客户俱乐部"


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer. `story` names the function (gold.py, others.py) that tells his two years; `entered`: his trade."""

    code: str
    name: str
    form: str
    phones: tuple[str, ...]
    store: str
    region: str
    manager: str
    trade: str
    born: date
    entered: date
    story: str
    note: str = ""

    def rng(self, about: str = "") -> Random:
        """Return his own chance: what changes in one story leaves all others as they are."""
        return Random(f"{SEED}:{self.code}:{about}")  # noqa: S311  a demo book is no secret


@dataclass(frozen=True, slots=True)
class Book:
    """The whole book: who is in it, and what is delivered, in the order of delivery."""

    dealer: tuple[str, str]
    stores: tuple[tuple[str, str], ...]
    staff: dict[str, str]
    customers: tuple[Customer, ...]
    deliveries: tuple[Delivery, ...] = field(repr=False)

    def __iter__(self) -> Iterator[Delivery]:
        """Go through what is delivered."""
        return iter(self.deliveries)


# The story, how many customers it is told of, and how many of them are firms.
CAST: tuple[tuple[str, int, int], ...] = (
    ("key_account", 5, 5),
    ("benchmark", 8, 4),
    ("veteran", 8, 3),
    ("regular", 6, 2),
    ("fleet", 6, 4),
    ("influential", 5, 1),
    ("informant", 4, 1),
    ("grower", 3, 2),
    ("known", 6, 2),
    ("fading", 2, 1),
    ("demoted", 2, 0),
    ("overdue", 2, 1),
    ("sent_back", 1, 0),
    ("two_machines", 20, 8),
    ("old_hand", 12, 3),
    ("many_machines", 8, 5),
    ("friend", 8, 2),
    ("scout", 5, 1),
    ("growing", 6, 3),
    ("vouched_for", 7, 2),
    ("to_court", 6, 3),
    ("newcomer", 24, 6),
    ("one_larger", 45, 22),
    ("one_small", 40, 8),
    ("counter", 34, 17),
    ("prospect", 27, 14),
)

# Earlier than this one is an old hand in the trade: ten years before the last day of the book.
_OLD_HANDS = frozenset(("veteran", "old_hand", "to_court"))
# Who has many machines and must not be an old hand too, or he would have a trait more than his story says.
_NEW_HANDS = frozenset(("fleet", "many_machines", "regular", "influential", "grower", "growing", "key_account"))


def customers() -> tuple[Customer, ...]:
    """Return the 300 customers in the order of their codes, their stories well mixed."""
    rng = Random(SEED)  # noqa: S311
    roles = [(story, place < firms) for story, number, firms in CAST for place in range(number)]
    rng.shuffle(roles)
    names, firm_names = _person_names(rng), _firm_names(rng)
    regions = [(store, region) for store, (_, regions) in STORES.items() for region in regions]
    made = []
    for number, (story, firm) in enumerate(roles, start=1):
        store, region = rng.choice(regions[:2] if story in ("veteran", "grower") else regions)
        trade = rng.choice(sorted(TRADES))
        name = f"{region}{next(firm_names)}{rng.choice(TRADES[trade][0])}" if firm else next(names)
        born = date(rng.randint(1962, 1992), rng.randint(1, 12), rng.randint(1, 28))
        made.append(
            Customer(
                code=f"C{number:04d}",
                name=name,
                form="firm" if firm else "person",
                phones=tuple(f"140{rng.randint(0, 99_999_999):08d}" for _ in range(rng.choice((1, 1, 1, 2)))),
                store=store,
                region=region,
                manager=next(staff for staff, (_, _, places) in MANAGERS.items() if region in places),
                trade=trade,
                born=born,
                entered=_entered(rng, story, born),
                story=story,
                note=f"联系人 {next(names)}" if firm else "",
            )
        )
    return tuple(made)


def _entered(rng: Random, story: str, born: date) -> date:
    if story in _OLD_HANDS:
        year = rng.randint(max(1998, born.year + 18), 2013)
    elif story in _NEW_HANDS:
        year = rng.randint(2018, 2023)
    else:
        year = rng.randint(max(2005, born.year + 18), 2023)
    return date(year, rng.randint(1, 12), rng.randint(1, 28))


def _person_names(rng: Random) -> Iterator[str]:
    # Files go wrong in known ways: 刘文才 and 刘文财 may be one person or two brothers. Here they are two.
    yield from ("刘文才", "刘文财")
    seen = {"刘文才", "刘文财"}
    while True:
        name = rng.choice(SURNAMES) + rng.choice(GIVEN)
        if name not in seen:
            seen.add(name)
            yield name


def _firm_names(rng: Random) -> Iterator[str]:
    while True:
        yield from _shuffled(rng, FIRM_NAMES)


def _shuffled(rng: Random, names: Iterable[str]) -> list[str]:
    mixed = list(names)
    rng.shuffle(mixed)
    return mixed
