"""What is told late of a long history: passing over what it cannot change is the same as folding everything again."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from rules import policy as ast
from rules.policy import AnyOf, Filter, Subject, Text, Trait, Window
from tests.chance import Seeded
from tests.club import Club
from tests.facts_cases import SIGNS, cases, fact, policy_of, purchase, standing, version_of
from tests.history.cases import long_seeded
from tests.history.deliveries import Book, delivered
from tests.oracle_facts import COMPARE
from tierengine.judging import passing, trail
from tierengine.judging.carry import Carry, Counted, Standing
from tierengine.judging.facts import fact_set
from tierengine.judging.passing import Apart, ToldLate
from tierengine.judging.running import RunningFacts
from tierengine.judging.trail import Trail
from tierengine.policies.versions import load
from tierengine.recording.rebuilding import rebuild
from tierengine.zone import Zone

SAME = Apart({}, {}, {}, {})
CARRY = Carry(Standing("basic", 0), 1)
SHANGHAI = Zone("Asia/Shanghai")
DAY = 86_400_000_000


# ---- whole histories ---------------------------------------------------------------------------------------------


@pytest.fixture
def counted(monkeypatch):
    """Every history is long; returns how many stretches were passed over, and why that was not idle."""
    found = Counter()
    real = passing.ToldLate.over

    def over(told, stretch, apart, judged):
        passed = real(told, stretch, apart, judged)
        found["passed over" if passed else "folded again"] += 1
        found["with another carry"] += passed is not None and bool(apart.keys())
        found["with other facts"] += passed is not None and (passed.low, passed.high) != (stretch.low, stretch.high)
        return passed

    monkeypatch.setattr(passing.ToldLate, "over", over)
    monkeypatch.setattr(trail, "LONG", 0)
    return found


def test_a_book_that_leaps_says_what_the_model_believes(book_url, counted, monkeypatch):
    """In any order, grouping and number of deliveries; and all its caches come out the same from the beginning."""
    with contextlib.closing(Book(book_url)) as book:
        for seed in SEEDS:
            monkeypatch.setattr(trail, "STRETCH", 1 + seed % 4)
            delivered(book, Seeded(seed), long_seeded(seed), f"n{seed}-")
    for what in ("passed over", "folded again", "with another carry", "with other facts"):
        assert counted[what] > 0, counted


SEEDS = (1, 12, 16, 22, 40, 44, 54, 67)


NEAR = """
programme: club
title: {zh: 俱乐部, en: Club}
currency: CNY
timezone: Asia/Shanghai
facts:
  spent: {sum: amount, of: parts_purchase, within: 2 months}
  before: {sum: amount, of: parts_purchase, preceding: 2 months}
  growth: {ratio: spent, to: before}
  months: {months_with: parts_purchase, within: 3 months}
  talks: {count: contact, within: 1 month}
  quiet: {days_since_last: contact}
traits:
  buyer: {title: {zh: 常客, en: Buyer}, when: {spent: {at_least: 11000 CNY}, months: {at_least: 2}}}
  grower: {title: {zh: 增长, en: Grower}, when: {growth: {at_least: 110%}}}
tiers:
  - {id: basic, title: {zh: 客户, en: Customer}}
  - id: silver
    title: {zh: 银卡, en: Silver}
    when: {traits: {at_least: 1}}
    keep: {for: 2 months, grace: 20 days, then: one_down}
wallets:
  points: {title: {zh: 积分, en: Points}, unit: points}
rewards:
  spend:
    {title: {zh: 消费, en: Spend}, on: parts_purchase, into: points, per: {give: 1 points, each: 10 CNY}, for: [silver]}
  lively:
    {title: {zh: 热闹, en: Lively}, on: parts_purchase, into: points, amount: 7 points, when: {talks: {at_least: 5}},
     caps: {month: 21 points}}
  back: {title: {zh: 回来, en: Back}, on: contact, into: points, amount: 5 points, when: {growth: {less_than: 100%}}}
  talk: {title: {zh: 联系, en: Talk}, on: contact, into: points, nth: {1-4: 3 points, after: 1 points}, period: quarter}
"""


@pytest.mark.parametrize("seed", [0, 2])
def test_a_member_near_every_threshold_is_judged_as_if_all_had_been_told_in_time(book_url, counted, monkeypatch, seed):
    """A year of one who comes and goes, an eighth of it told late, each time over what was told by then."""
    monkeypatch.setattr(trail, "STRETCH", 4)
    chance, club = Seeded(f"near{seed}"), Club(book_url, NEAR)
    with contextlib.closing(club):
        said, late = [], []
        for number in range(150):
            day = str(date(2025, 1, 1) + timedelta(days=2 * number + chance.pick((0, 1))))
            if chance.often(70):
                amount = 10_000 * chance.pick(range(1, 12))
                one = club.parts(f"A{number}", day, amount=amount)
            else:
                one = club.contact(number, day)
            (late if chance.often(12) else said).append(one)
        club.send(*said)
        for one in sorted(late, key=lambda _: chance.pick(range(1_000))):
            club.send(one)
        found = rebuild(club.link, load(club.link, club.dealer))
        club.link.rollback()
        assert found.same, found
    assert counted["passed over"] > counted["folded again"] > 0, counted


# ---- one stretch -------------------------------------------------------------------------------------------------


def walked(version, facts: RunningFacts, positions, since: int) -> trail.Stretch:
    """One stretch in which a member was judged at these positions."""
    path = Trail(positions[0], "", facts)
    for position in positions:
        facts.facts(version, position, since)
        path.judged(version, position, since)
    path.passed(positions[-1], CARRY, (), ())
    (found,) = path.stretches()
    return found


def met(how, test, rows, *days) -> trail.Stretch:
    """The stretch of a member with these purchases who is judged at the end of these days, by a policy of one test."""
    policy = asking(policy_of([how]), [ast.Test(Subject("fact", "f"), *test)])
    return walked(version_of(policy), RunningFacts(SHANGHAI, rows), [(day * DAY, 9, "") for day in days], 0)


def asking(policy, tests):
    return replace(policy, traits={"t": Trait("t", Text("t", "t"), AnyOf(tuple(tests)), None)})


@given(data=st.data(), case=cases())
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@pytest.mark.timeout(600)
def test_what_is_passed_over_meets_every_test_as_it_did(data, case):
    policies, history, positions, since = case
    told = standing(history)
    lines = Counter(row.line for row in told)
    new = [row for row in told if row.qty > 0 and lines[row.line] == 1 and row.kind != "machine_purchase"]
    late = [row for row in new if data.draw(st.booleans())] or new[:1]
    if not late:
        return
    there = [row for row in told if row not in late]
    after = [position for position in positions if position > max(row.known for row in late)]
    if not after:
        return
    thresholds = st.integers(-2, 4) | st.sampled_from((0, 500, 1_000, 1_500, 3_000, 5_000, 10_000, 15_000, 20_000))
    tests = [
        ast.Test(Subject("fact", name), data.draw(SIGNS), data.draw(thresholds))
        for name in policies[0].facts
        for _ in range(data.draw(st.integers(0, 2)))
    ]
    version, zone = version_of(asking(policies[0], tests)), Zone(policies[0].timezone)
    begun = min(since, after[0][0])
    stretch = walked(version, RunningFacts(zone, there), after, begun)
    over = ToldLate(late).over(stretch, SAME, set())
    event("folded again" if over is None else "passed over")
    if over is None:
        return
    prepared = fact_set(version.rules.policy)
    without, with_it = RunningFacts(zone, there), RunningFacts(zone, told)
    for position in after:
        was, now = (facts.facts(version, position, begun) for facts in (without, with_it))
        for test in tests:
            before, then = was[test.subject.name], now[test.subject.name]
            assert (before is None) == (then is None)
            if before is not None and then is not None:
                holds = COMPARE[test.op]
                assert holds(before, test.value) == holds(then, test.value), test
        for least, value, most in zip(over.low, with_it.measured(version), over.high, strict=True):
            assert least is None or most is None or least <= value <= most
        for name, span in zip(prepared.ratios, over.ratios, strict=True):
            assert span is None or span[0] <= now[name] <= span[1]


def bought(*ats: int, amount: int = 100):
    return [purchase(at * DAY, amount=amount) for at in ats]


@pytest.mark.parametrize(
    ("test", "over"),
    [
        (("at_least", 300), True),  # it was 300 and then 400, and is 400 and then 500
        (("at_least", 400), False),
        (("at_least", 500), False),
        (("at_least", 501), True),
        (("more_than", 499), False),
        (("more_than", 500), True),
        (("at_most", 500), True),
        (("less_than", 500), False),
        (("is", 350), False),
        (("is", 299), True),
        (("is_not", 501), True),
        (("in", (1, 450)), False),
    ],
)
def test_a_threshold_between_what_was_and_what_is_is_folded_again(test, over):
    stretch = met(fact("sum", field="amount"), test, bought(1, 2, 3, 4), 3, 4)
    assert (ToldLate(bought(0)).over(stretch, SAME, set()) is not None) == over


def test_what_has_left_the_window_moves_nothing_and_what_may_have_is_not_sure():
    rows, month = bought(*range(1, 200, 10)), fact("sum", field="amount", window=Window("rolling", days=30))

    def over(least, *days):
        return ToldLate(bought(5)).over(met(month, ("at_least", least), rows, *days), SAME, set())

    assert (over(300, 22, 25).low, over(300, 22, 25).high) == ((400,), (400,))
    assert over(350, 22, 25) is None  # 300, and 400 with it
    assert over(350, 60, 90) == met(month, ("at_least", 350), rows, 60, 90)
    assert (over(500, 33, 36).low, over(500, 33, 36).high) == ((300,), (400,))  # it leaves on the way
    assert over(400, 33, 36) is None


def test_what_nets_and_what_comes_back_are_folded_again():
    big = fact("count", ("parts_purchase",), "", Filter("amount", "at_least", 100))
    assert ToldLate(bought(0)).over(met(big, ("at_least", 100), bought(1, 2), 3), SAME, set()) is None
    stretch = met(fact("count"), ("at_least", 100), bought(1, 2), 3)
    came_back = replace(stretch, returned=frozenset(("k0",)))
    assert ToldLate(bought(0)).over(came_back, SAME, {"k0"}) is None
    assert ToldLate(bought(0)).over(came_back, SAME, {"k1"}) is not None
    assert ToldLate(bought(0)).over(came_back, replace(SAME, counted={"k0": None}), set()) is None


# ---- another carry -----------------------------------------------------------------------------------------------


def test_a_stretch_that_reads_what_is_different_is_folded_again():
    stretch = met(fact("count"), ("at_least", 100), bought(1, 2), 3)
    reads = replace(stretch, reads=frozenset(("nladder|2026", "tgroup|X1", "ccap|2026")))
    other = Apart({"ladder|2025": 1}, {"cap|2025": 5}, {"group|X2": "gift"}, {})
    assert ToldLate(bought(0)).over(reads, other, set()) is not None
    for name, table in (("counts", {"ladder|2026": 1}), ("caps", {"cap|2026": 1}), ("taken", {"group|X1": None})):
        assert ToldLate(bought(0)).over(reads, replace(other, **{name: table}), set()) is None


def test_what_two_carries_are_apart_by_is_put_onto_a_later_one():
    one = replace(CARRY, counts={"a": 1, "b": 2}, caps={"c": 5}, taken={"x": "gift"}, counted={})
    counted = {"e": {"r": Counted("a", ("e#0",), 1)}}
    new = replace(CARRY, counts={"a": 2, "d": 1}, caps={"c": 3}, taken={"y": "gift"}, counted=counted)
    apart = Apart.of(one, new)
    assert apart is not None
    assert apart.onto(one) == new
    assert apart.onto(one).dump() == new.dump()
    assert Apart.of(one, replace(new, nominated={"gold": 1})) is None
    assert Apart.of(one, replace(new, standing=Standing("gold", 1))) is None
    assert Apart.of(one, replace(new, orders={"order:S1:A": "gold"})) is None
