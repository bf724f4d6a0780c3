"""What a policy would have done, on both databases: nothing for the policy itself, and what its change says."""

from collections import Counter
from types import SimpleNamespace

import pytest

from rules.judge import Ruleset
from rules.reader import read
from tests.chance import Seeded
from tests.club import SMALL
from tests.history.cases import FEW, seeded
from tests.history.happenings import when
from tests.history.judged import folded, regimes, ruleset
from tierengine.policies.backtest import Game, RuleCost, backtest
from tierengine.policies.versions import load
from tierengine.store.snapshots import snapshot

LATE_2025 = 1_764_518_400_000_000  # 2025-12-01 in Shanghai
MARCH_2026 = 1_772_294_400_000_000  # 2026-03-01


@pytest.fixture
def busy(club):
    """Two gold members with machines, parts and a return, and one who only ever looked in."""
    club.send(
        *club.golden(), club.machine("C", "2026-05-01"), club.machine("D", "2026-06-01"),
        *club.golden("M2"), club.machine("E", "2026-07-01", "M2"),
        club.parts("P", "2026-06-02"), club.parts("Q", "2026-06-03", amount=50_000),
        club.contact("m3", "2026-03-01", "M3"),
    )  # fmt: skip
    club.send(club.returned("Q", "2026-06-10"))
    return club


def changed(*changes):
    text = SMALL
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    reading = read(text, "changed.yaml")
    assert reading.policy is not None, reading.show("en", "short")
    return reading.policy


def played(club, *changes, since=LATE_2025, now=None):
    policy = changed(*changes)
    programme = load(club.link, club.dealer)
    club.link.rollback()
    with snapshot(club.link):
        return backtest(club.link, programme, Ruleset(policy), since=since, now=now or club.now)


def test_the_policy_itself_changes_nothing_and_costs_what_was_booked(busy):
    found = played(busy)
    assert found.moved == ()
    assert found.before == found.after == {"gold": 2, "customer": 4}
    assert all((one.more, one.members) == (0, 0) for one in found.costs)
    booked = Counter()
    for _, rule, _, amount in busy.net():
        booked[rule] += int(amount)
    assert {one.rule: one.before for one in found.costs} == booked
    assert set(booked) == {"machine_ladder", "parts_points"}


def test_a_smaller_reward_costs_less_for_whom_it_meets(busy):
    found = played(busy, ("2-3: 1500 CNY", "2-3: 1200 CNY"))
    # M1 and M2 each got the first rung for the machine after they turned gold, M1 the second for the next.
    assert RuleCost("machine_ladder", "parts_credit", 350_000, 320_000, 1) in found.costs
    assert found.moved == ()


def test_a_higher_threshold_moves_members_down_and_their_rewards_with_them(busy):
    found = played(busy, ("traits: {at_least: 2}, machines_bought", "traits: {at_least: 3}, machines_bought"))
    assert {(one.member, one.before, one.after, one.rises) for one in found.moved} == {
        ("M1", "gold", "member", False),
        ("M2", "gold", "member", False),
    }
    ladder = next(one for one in found.costs if one.rule == "machine_ladder")
    assert (ladder.after, ladder.members) == (0, 2)


def test_a_lower_threshold_moves_members_up(busy):
    found = played(busy, ("contacts_12m: {at_least: 3}", "contacts_12m: {at_least: 1}"))
    assert ("M3", "customer", "member", True) in {(one.member, one.before, one.after, one.rises) for one in found.moved}


def test_what_happened_before_the_day_is_judged_as_it_was(busy):
    late = played(busy, ("1: 1000 CNY", "1: 100 CNY"), since=MARCH_2026 + 100 * 86_400 * 1_000_000)
    # From 9 June: only M2's first rung of July is behind that day.
    ladder = next(one for one in late.costs if one.rule == "machine_ladder")
    assert (ladder.before, ladder.after, ladder.members) == (100_000, 10_000, 1)


def test_nothing_is_written(busy):
    tables = ("entry", "decision", "tier_change", "ledger", "checkpoint", "budget_pot", "policy_version")
    before = [busy.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]
    played(busy, ("2-3: 1500 CNY", "2-3: 1200 CNY"))
    assert [busy.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables] == before


ASIDE = """
lists:
  quiet: {title: {zh: 久未联系, en: Quiet}, when: {days_quiet: {more_than: 90}}}
awards:
  best:
    title: {zh: 年度最佳, en: Best of the year}
    for: [gold]
    months_in_tier: 1
    score: {spent_this_year: 100}
    winners: {share: 20%, at_least: 1, at_most: 9}
    prize: 500 CNY
    budget: 5000 CNY
"""


def test_what_no_fold_asks_is_not_played(busy):
    counted = "facts:\n  days_quiet: {days_since_last: contact}\n"
    counted += "  spent_this_year: {sum: amount, of: parts_purchase, in: this_year}\n"
    aside = [("facts:\n", counted), ("\nlevels:\n", f"{ASIDE}\nlevels:\n")]
    assert played(busy, *aside) == played(busy)
    game = Game(load(busy.link, busy.dealer), Ruleset(changed(*aside)), LATE_2025, busy.now)
    policy = game.candidate.policy
    assert (policy.lists, policy.awards, policy.prices) == ({}, {}, {})
    assert set(policy.facts) == {
        "machines_bought",
        "parts_spend_12m",
        "parts_spend_before",
        "parts_growth",
        "contacts_12m",
    }


def test_what_both_sides_share_is_folded_once_and_ends_as_if_each_were_folded_alone(monkeypatch):
    shared = differing = 0
    for seed in range(60):
        one = seeded(seed)
        _, candidate = FEW[(seed + len(FEW) // 2) % len(FEW)].versions[-1]
        programme = SimpleNamespace(regimes=regimes(one), line=regimes(one).line, zone=regimes(one).zone)
        since = max(when(Seeded(seed), one.zone), one.versions[0][0] + 1)
        game = Game(programme, ruleset(candidate), since, one.end)
        alone = Game(programme, ruleset(candidate), since, one.end)
        alone._shared = False
        for whole in folded(one).values():
            before, after = game.play(whole.rows)
            assert (before, after) == alone.play(whole.rows)
            assert not whole.rows or before.tier == whole.folded.tier
            shared += any(row.known[0] < since for row in whole.rows) and any(
                row.known[0] >= since for row in whole.rows
            )
            differing += before != after
    assert shared > 20
    assert differing > 20
