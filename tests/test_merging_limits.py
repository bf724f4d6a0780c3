"""Attacks on what a policy limits, by members who are merged and un-merged: caps, rungs, budgets, referrals, quotas."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.club import Club
from tests.test_merging import merge, record, sound, unmerge
from tierengine.judging.budgets import Pots, Share
from tierengine.judging.decisions import Granted
from tierengine.membership.known import contributions_of
from tierengine.recording.items import Claim, Observe
from tierengine.recording.writer import Writer
from tierengine.service.entitlements import CLAIMED, claim_check
from tierengine.zone import Zone

POLICY = """
programme: limits
title: {zh: 限额, en: Limits}
currency: CNY
timezone: Asia/Shanghai
late: {till: 7 days, erp: 400 days}
tiers: [{id: customer, title: {zh: 客户, en: Customer}, level: clip}]
levels:
  clip:
    title: {zh: 夹子, en: Clip}
    entitlements: {inspection: {title: {zh: 点检, en: Inspection}, quota: 2, period: year}}
wallets:
  parts_credit: {title: {zh: 配件款, en: Credit}, unit: money, pays_for: [parts], expires: {after: 24 months}}
  points: {title: {zh: 积分, en: Points}, unit: points, expires: {after: 24 months}}
emissions:
  referral:
    title: {zh: 促成, en: Brought about}
    on: machine_purchase
    where: {related: no}
    to: referrer
    emits: machine_brought_about
    carries: [amount, serial]
    giver: buyer
rewards:
  ladder:
    title: {zh: 购机奖励, en: Ladder}
    on: machine_purchase
    into: parts_credit
    nth: {1: 100 CNY, 2-3: 150 CNY, after: none}
    period: year
  brought_about:
    title: {zh: 促成奖励, en: Brought about}
    on: machine_brought_about
    into: parts_credit
    nth: {1: 50 CNY, 2: 80 CNY, after: none}
    period: year
  spend:
    title: {zh: 消费, en: Spend}
    on: parts_purchase
    where: {category: parts}
    into: points
    per: {give: 1 points, each: 1 CNY}
    caps: {month: 100 points, life: 220 points}
  oil:
    title: {zh: 油品, en: Oil}
    on: parts_purchase
    where: {category: lubricant}
    into: points
    per: {give: 1 points, each: 1 CNY}
    caps: {month: 100 points}
budgets:
  oil: {title: {zh: 油品, en: Oil}, limit: 160 points, period: year, rewards: [oil]}
"""
CREDIT, POINTS = "parts_credit", "points"
CAUSES = "SELECT DISTINCT cause_key FROM entry WHERE id > ?1"
LAST = "SELECT COALESCE(MAX(id), 0) FROM entry"


@pytest.fixture
def club(book_url):
    with closing(Club(book_url, POLICY)) as made:
        yield made
        assert sound(made)
        made.check()


def buys(club, order, member, yuan, day="2026-03-01", category="parts"):
    club.send(club.parts(order, day, member, amount=yuan * 100, category=category))


def points(club, *members):
    return [club.balance(POINTS, "available", one) for one in members or ("M1", "M2", "M3")]


def credit(club, *members):
    return [club.balance(CREDIT, "available", one) // 100 for one in members or ("M1", "M2")]


def joined(club, loser="M2", into="M1", number=1):
    moved(club, number, merge(club, loser, into, number))


def parted(club, loser="M2", number=1):
    moved(club, number, unmerge(club, loser, number))


def moved(club, number, item):
    """Record a merge or its end: all that it posted names it, and the book is sound."""
    ((last,),) = club.rows(LAST)
    assert record(club, item).status == "recorded"
    # (What it tells others anew, or no longer, is an observation of theirs that comes of it.)
    assert {key for (key,) in club.rows(CAUSES, last) if not key.startswith("emit:")} <= {f"merge::{number}"}
    assert sound(club)


def drawn(club):
    return club.rows("SELECT used FROM budget_pot WHERE key <> ''")


# ---- caps of one member --------------------------------------------------------------------------------------------


def test_two_codes_that_each_used_a_part_of_the_cap_have_one_cap_and_each_his_own_again(club):
    buys(club, "A", "M1", 80), buys(club, "B", "M2", 70)
    joined(club)
    assert points(club, "M1", "M2") == [80, 20]
    buys(club, "C", "M2", 50)
    assert sum(points(club, "M1", "M2")) == 100
    parted(club)
    # (Of the second code's own 70 and 50 the month leaves 100.)
    assert points(club, "M1", "M2") == [80, 100]


def test_a_cap_for_life_is_not_begun_anew_by_merging_again_and_again(club):
    for month in (1, 2, 3):
        buys(club, f"A{month}", "M1", 90, f"2026-0{month}-10"), buys(club, f"B{month}", "M2", 90, f"2026-0{month}-11")
    assert points(club, "M1", "M2") == [220, 220]
    for number in (1, 2, 3):
        joined(club, *(("M2", "M1") if number % 2 else ("M1", "M2")), number)
        assert sum(points(club, "M1", "M2")) == 220
        parted(club, "M2" if number % 2 else "M1", number)
        assert points(club, "M1", "M2") == [220, 220]


@pytest.mark.parametrize("undo", ["sale_returned", "observation_cancelled"])
@pytest.mark.parametrize("when", ["merged", "parted"])
def test_a_sale_that_goes_back_gives_its_cap_back_once(club, undo, when):
    buys(club, "A", "M1", 80), buys(club, "B", "M2", 70, "2026-03-02")
    joined(club)
    if when == "parted":
        parted(club)
    if undo == "sale_returned":
        club.send(club.returned("A", "2026-04-01"))
    else:
        key = "order:S1:A:parts_purchase"
        club.send(club.said(undo, "2026-04-01", source_id=key, revision=1, reason="x"))
    if when == "merged":
        # (A return leaves the decisions between; what is cancelled has never been.)
        assert points(club, "M1", "M2") == [0, 20 if undo == "sale_returned" else 70]
        parted(club)
    assert points(club, "M1", "M2") == [0, 70]


def test_a_late_sale_dated_before_the_merge_is_judged_with_what_both_bought(club):
    buys(club, "B", "M2", 70, "2026-03-05")
    joined(club)
    buys(club, "A", "M1", 60, "2026-03-02")
    assert points(club, "M1", "M2") == [60, 40]
    parted(club)
    assert points(club, "M1", "M2") == [60, 70]
    joined(club, number=2)
    assert points(club, "M1", "M2") == [60, 40]


# ---- rungs, and both sides of a referral ---------------------------------------------------------------------------


def test_rungs_are_climbed_together_and_alone_again(club):
    for number, member in enumerate(("M1", "M2", "M1", "M2")):
        club.send(club.machine(f"A{number}", f"2026-0{number + 1}-05", member))
    assert credit(club) == [250, 250]
    joined(club)
    assert credit(club) == [250, 150]
    club.send(club.returned("A0", "2026-06-02"))
    joined_now = credit(club)
    assert sum(joined_now) == 300
    parted(club)
    assert credit(club) == [150, 250]


def test_who_referred_himself_earns_on_neither_side_and_has_it_again_apart(club):
    club.send(club.said("referral_registered", "2026-03-01", "M2", source="archive", source_id="F", referred="M1"))
    club.send(club.machine("A", "2026-04-05", "M1", referral="archive:F"))
    assert credit(club) == [100, 50]
    joined(club)
    assert credit(club) == [100, 0]
    club.send(club.machine("B", "2026-04-06", "M1", referral="archive:F"))
    assert sum(credit(club)) == 250
    parted(club)
    assert credit(club) == [250, 130]
    club.send(club.returned("A", "2026-06-02"))
    apart = credit(club)
    joined(club, number=2)
    assert sum(credit(club)) <= 250
    parted(club, number=2)
    assert credit(club) == apart


# ---- budgets over several members ----------------------------------------------------------------------------------


def test_who_was_merged_by_mistake_has_what_the_budget_gave_him_again(club):
    buys(club, "A", "M1", 80, category="lubricant"), buys(club, "B", "M2", 80, category="lubricant")
    joined(club)
    assert (points(club, "M1", "M2"), drawn(club)) == ([80, 20], [(100,)])
    parted(club)
    assert (points(club, "M1", "M2"), drawn(club)) == ([80, 80], [(160,)])


def test_what_a_merge_freed_and_another_had_meanwhile_is_not_given_twice(club):
    buys(club, "A", "M1", 80, category="lubricant"), buys(club, "B", "M2", 80, category="lubricant")
    joined(club)
    buys(club, "C", "M3", 50, category="lubricant")
    parted(club)
    assert (points(club), drawn(club)) == ([80, 30, 50], [(160,)])
    club.send(club.returned("C", "2026-04-01"))
    joined(club, number=2)
    parted(club, number=2)
    assert (points(club), drawn(club)) == ([80, 80, 0], [(160,)])


def test_a_budget_gives_nobody_more_than_it_admitted_once(club):
    buys(club, "X", "M3", 100, category="lubricant"), buys(club, "A", "M1", 90, category="lubricant")
    assert points(club) == [60, 0, 100]
    club.send(club.returned("X", "2026-04-01"))
    for number in (1, 2):
        joined(club, number=number)
        parted(club, number=number)
    assert (points(club), drawn(club)) == ([60, 0, 0], [(60,)])


def test_a_grant_that_fell_asks_for_no_more_than_was_admitted_and_its_pot_has():
    keys = ("k",)
    now, once = (Granted("E", "r", "w", 0, 20, 0, None, 1, budgets=keys, admitted=one) for one in (20, 80))
    for used, value, expected in ((20, 90, 80), (70, 90, 50), (100, 90, 20), (20, 40, 40), (100, 10, 10)):
        pots = Pots(lambda _, used=used: {"k": used}, {("E", "r"): now}, {("E", "r"): once})
        assert pots.admit(("E", "r"), [Share("k", 100)], value) == expected
    pots = Pots(lambda _: {"k": 70}, {}, {("E", "r"): once})
    assert pots.admit(("E", "r"), [Share("k", 100)], 90) == 30
    assert Pots(lambda _: {}, {("E", "r"): now}).admit(("E", "r"), [Share("k", 100)], 90) == 20


# ---- quotas, and two tills at once ---------------------------------------------------------------------------------


def claims(club, member, number):
    said = club.said("entitlement_claimed", "2026-07-01", member, source_id=f"q{number}", entitlement="inspection")
    check = claim_check(said, Zone("Asia/Shanghai"), lambda all_: contributions_of(club.link, all_, (CLAIMED,)))
    return Claim(club.dealer, said, check)


def test_a_quota_is_of_both_codes_while_they_are_one(club):
    assert [record(club, claims(club, one, n)).status for n, one in enumerate(("M1", "M2"))] == ["recorded"] * 2
    joined(club)
    assert [record(club, claims(club, one, 10 + n)).code for n, one in enumerate(("M1", "M2"))] == [
        "entitlement_exhausted"
    ] * 2
    parted(club)
    assert [record(club, claims(club, one, 20 + n)).status for n, one in enumerate(("M1", "M2"))] == ["recorded"] * 2


def test_both_codes_at_two_tills_at_once_fill_one_cap_and_one_budget(book_url):
    with closing(Club(book_url, POLICY)) as club, Writer(book_url) as one, contextlib.ExitStack() as stack:
        joined(club)
        other = stack.enter_context(Writer(book_url)) if club.link.kind == "postgresql" else one
        told = {
            (writer, member): [
                club.parts(f"{member}{number}{category}", "2026-03-01", member, amount=3_000, category=category)
                for number in range(6)
                for category in ("parts", "lubricant")
            ]
            for writer, member in ((one, "M1"), (other, "M2"))
        }

        def sells(way):
            for said in told[way]:
                assert way[0].record([Observe(club.dealer, said)])[0].status == "recorded"

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(sells, told))
        club.recorder.memory = type(club.recorder.memory)()
        assert sum(points(club, "M1", "M2")) == 200
        assert drawn(club) == [(100,)]
        parted(club)
        # (100 of parts each, and what the budget has of 100 of oil each that it never admitted more of than that.)
        assert sum(points(club, "M1", "M2")) <= 200 + drawn(club)[0][0] <= 360
        assert sound(club)
