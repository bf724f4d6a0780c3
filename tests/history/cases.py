"""Cases: a random history under a random programme, or under one of a few."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import strategies as st

from rules import policy as ast
from tests.chance import Chance, Drawn, Seeded
from tests.history.happenings import HAPPENS, SELLING, YEARS, Case, Line, something, when
from tests.history.judged import believed
from tests.history.programmes import BROUGHT, PARTS, SETTLED, TITLE, programme, telling
from tests.model import dates
from tests.model.rows import Said

NAMES = ("basic", "silver", "gold", "platinum")
RENAMED = ("basic", "argent", "gold", "platinum")


def line_of(chance: Chance, zone: str = "") -> Line:
    zone = zone or chance.pick(tuple(YEARS))
    selling = chance.often(50)
    count = 2 if selling else chance.pick((2, 3, 3, 4))
    made = [programme(chance, zone, NAMES[:count], YEARS[zone], selling=selling)]
    for number in range(chance.pick((0, 0, 1, 1, 2))):
        now, then = (NAMES, RENAMED) if number % 2 else (RENAMED, NAMES)
        other = programme(chance, zone, now[:count], YEARS[zone], selling=selling)
        called = dict(zip(now, then, strict=True))
        kept = [
            tier if called[tier.id] == tier.id else replace(tier, replaces=(called[tier.id],)) for tier in other.tiers
        ]
        # What a rule's rungs are counted by stays with its name.
        same = {name: replace(one, counting=made[0].rewards[name].counting) for name, one in other.rewards.items()}
        made.append(replace(other, tiers=tuple(kept), rewards=same))
    # The first version may begin after the first events, and rules before its date as well.
    starts = sorted({when(chance, zone) for _ in made})
    return Line(zone, tuple(zip(starts, made, strict=False)), SELLING if selling else HAPPENS)


def case(chance: Chance, line: Line) -> Case:
    said: list[Said] = []
    at = when(chance, line.zone)
    if line.happens is SELLING:
        before = dates.start_of(line.zone, date(YEARS[line.zone], 1, 15))
        said.append(Said("referral_registered", "src:a", before, "R", {"referred": "x"}))
    for number in range(chance.pick(range(1, 22 if line.happens is SELLING else 14))):
        # Several things often happen at one instant.
        at = at if chance.often(25) else when(chance, line.zone)
        said.append(something(line, chance, number, at, said))
    # And some of them at the very instant at which something ends or begins, or a microsecond off it.
    lives = believed(Case(line.zone, line.versions, tuple(said)))
    ends = {held.until for life in lives.values() for _, held in life.stood if held.until is not None}
    instants = sorted({*ends, *(start for start, _ in line.versions)})
    for number in range(chance.pick((0, 0, 1, 2, 3))):
        at = chance.pick(instants) + chance.pick((0, 0, 0, -1, 1))
        said.append(something(line, chance, 50 + number, at, said))
    # Of two words under one key and revision the first counts, and the other is a conflict.
    unlike = {(one.key, one.revision): one for one in reversed(said)}
    return Case(line.zone, line.versions, tuple(one for one in said if unlike[one.key, one.revision] is one))


def long(chance: Chance, line: Line) -> Case:
    """More of a history than any of `case`, so that most of it is far from what is told late."""
    said: list[Said] = []
    for number in range(chance.pick((30, 50, 70))):
        at = said[-1].at if said and chance.often(8) else when(chance, line.zone)
        said.append(something(line, chance, number, at, said))
    unlike = {(one.key, one.revision): one for one in reversed(said)}
    return Case(line.zone, line.versions, tuple(one for one in said if unlike[one.key, one.revision] is one))


def articles(zone: str) -> Line:
    """The programme of the dealers' articles in small: welcome gift, ladder, points, and a referrer who is paid."""
    ladder = ast.Ladder((ast.Rung(1, 1, 100), ast.Rung(2, 3, 150)))
    once = (ast.Exclusive("machine", "serial", 0), ast.Exclusive("machine", "serial", 1))
    first = ast.Ladder((ast.Rung(1, 1, 100),))
    by_quarter = {"counted_on": "delivered_on", "period": "quarter"}
    rewards = (
        ast.Reward("gift", TITLE, SETTLED, "credit", first, exclusive=once[0]),
        ast.Reward("ladder", TITLE, SETTLED, "credit", ladder, exclusive=once[1], **by_quarter),
        ast.Reward("brought", TITLE, BROUGHT, "credit", ladder, counting="all", period="year", settle_days=30),
        ast.Reward("points", TITLE, PARTS, "points", ast.PerAmount(1, 7, "cash"), caps=(ast.Cap("month", 251),)),
    )
    chance = Seeded(zone)
    policy = programme(chance, zone, NAMES[:3], YEARS[zone], selling=True)
    made = replace(policy, rewards={one.id: one for one in rewards}, emissions={"telling": telling(SETTLED)})
    return Line(zone, ((when(chance, zone), made),), SELLING)


FEW = [line for zone in YEARS for line in (articles(zone), *(line_of(Seeded(seed), zone) for seed in range(3, 11)))]


@st.composite
def cases(draw, *, fresh=50):
    """Cases under a programme of their own, or (quicker) under one of a few."""
    chance = Drawn(draw)
    return case(chance, line_of(chance) if chance.often(fresh) else chance.pick(FEW))


def long_seeded(seed: int) -> Case:
    return long(Seeded(seed), FEW[seed % len(FEW)])


def seeded(seed: int) -> Case:
    return case(Seeded(seed), FEW[seed % len(FEW)])
