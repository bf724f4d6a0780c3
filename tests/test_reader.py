"""A policy file, in either tongue or both mixed, becomes one Policy; anything else becomes problems, and no more."""

from datetime import date

import pytest

from rules.policy import (
    AllOf,
    Attested,
    ByClass,
    Cap,
    Exclusive,
    Expiry,
    Filter,
    Fixed,
    Keep,
    Ladder,
    PerAmount,
    Rung,
    Subject,
    Test,
)
from rules.reader import read
from tests.small_policy import BASE, CHINESE, ENGLISH, errors, policy, unmarked


def test_the_small_policy_reads_without_a_word_of_complaint_in_both_tongues():
    assert read(ENGLISH, "small.yaml").problems == ()
    assert read(CHINESE, "small_zh.yaml").problems == ()


def test_both_tongues_read_to_an_equal_policy():
    assert unmarked(policy(CHINESE)) == unmarked(policy(ENGLISH))


def test_the_order_of_sections_does_not_matter():
    blocks = ENGLISH.split("\n\n")
    assert unmarked(policy("\n\n".join(reversed(blocks)))) == unmarked(policy(ENGLISH))


@pytest.mark.parametrize(
    "change",
    [str.encode, lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")],
    ids=["bytes", "byte order mark", "carriage returns"],
)
def test_encoding_and_line_ends_make_no_difference(change):
    assert policy(change(ENGLISH)) == policy(ENGLISH)


def test_places_are_those_of_the_id():
    tier = policy(ENGLISH).tier("gold")
    line = ENGLISH.split("\n")[tier.mark.line - 1]
    assert line[tier.mark.column - 1 :] == "gold"


def test_traits_are_measured_attested_or_either():
    found = policy(ENGLISH).traits
    assert found["repeat_buyer"].attested is None
    assert found["trusted_contact"].attested == Attested(("leader",), (), not_own_manager=True, valid_months=12)
    assert errors(BASE.replace("when: {n: {at_least: 1}}", "")) == ["P206"]


def test_tiers_carry_keep_promotion_and_level():
    low, member, gold = policy(ENGLISH).tiers
    assert (low.rank, low.level, low.when, low.keep) == (0, "clip", None, None)
    assert member.keep == Keep(12, 90, "one_down")
    assert gold.unless == Test(Subject("attribute", "segment"), "is", "key_account", gold.unless.mark)
    text = BASE.replace("title: 高,", "title: 高, promotion: 经确认, confirm_within: 60天, replaces: [old],")
    assert (policy(text).tiers[2].promotion, policy(text).tiers[2].confirm_within_days) == ("confirmed", 60)
    assert policy(text).tiers[2].replaces == ("old",)


def test_a_tier_above_the_lowest_says_how_long_it_is_kept():
    assert errors(BASE.replace(", keep: {for: 12 months, then: one_down}", "", 1)) == ["P203"]


def test_wallets_carry_expiry_notice_and_worth():
    found = policy(ENGLISH).wallets
    assert found["parts_credit"].expires == Expiry(months=24, to="month")
    assert found["parts_credit"].notice_days == (90, 30)
    assert found["parts_credit"].pays_for == ("parts", "lubricant")
    assert found["points"].expires == Expiry(years=1, to="year")
    assert found["points"].point_value == (10, 1)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("24 months", Expiry(24)), ("{after: 2年, to: 月底}", Expiry(24, to="month")), ("none", None),
        ("{to: year_end}", Expiry(to="year")), ("{to: 次年底}", Expiry(years=1, to="year")),
    ],
)  # fmt: skip
def test_expiry_is_a_length_or_the_end_of_something(text, meant):
    assert policy(BASE.replace("unit: money", f"unit: money, expires: {text}")).wallets["w"].expires == meant


@pytest.mark.parametrize(
    ("text", "paid"),
    [("pay: 95折", 9_500), ("pay: 95%", 9_500), ("off: 5%", 9_500), ("pay: 九五折", 9_500), ("off: 12.5%", 8_750)],
)
def test_a_price_is_what_is_paid_or_what_is_taken_off(text, paid):
    found = policy(f"{BASE}prices:\n  x: {{title: 价, where: {{category: parts}}, {text}}}\n").prices["x"]
    assert (found.pay_bp, found.fixed) == (paid, None)


def test_a_price_may_be_fixed_capped_and_dated():
    text = (
        "{title: 价, where: {}, fixed: 100元, line_cap: 5元, order_cap: 50元, minimum_order: 1000元, until: 2026-12-31}"
    )
    found = policy(f"{BASE}prices:\n  x: {text}\n").prices["x"]
    assert (found.pay_bp, found.fixed, found.line_cap, found.order_cap, found.minimum_order) == (
        None, 10_000, 500, 5_000, 100_000,
    )  # fmt: skip
    assert found.valid_until == date(2026, 12, 31)
    assert found.where == AllOf(())


def amount(text: str, wallet: str = "w") -> object:
    text = f"{BASE}rewards:\n  r: {{title: 奖, on: purchase_settled, into: {wallet}, {text}}}\n"
    return unmarked(policy(text).rewards["r"].amount)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("amount: 1000元", Fixed(100_000)),
        ("nth: {1: 1000元, 2-3: 1500元, after: none}", Ladder((Rung(1, 1, 100_000), Rung(2, 3, 150_000)))),
        ("第几次: {第1台: 1元, 第2至3台: 2元, 之后: 3元}",
         Ladder((Rung(1, 1, 100), Rung(2, 3, 200), Rung(4, None, 300)))),
        ("nth: {1: 1元, 2+: 2元}", Ladder((Rung(1, 1, 100), Rung(2, None, 200)))),
        ("counting: all, nth: {5: 500元, after: none}", Ladder((Rung(5, 5, 50_000),))),
        ("per: {give: 1元, each: 100元}", PerAmount(100, 10_000, "amount")),
        ("per: {give: 3%, of: amount, rounding: half_up, cap: 500元}",
         PerAmount(300, 10_000, "amount", "half_up", 50_000, proportional=True)),
        ("by_class: [{class: 小, where: {size: small}, amount: 500元}], amount: 1000元",
         ByClass((("小", (Filter("size", "is", "small"),), Fixed(50_000)),), Fixed(100_000))),
    ],
)  # fmt: skip
def test_amounts_come_in_four_forms(text, meant):
    assert amount(text) == unmarked(meant)


def test_points_are_given_in_points():
    assert amount("amount: 500 积分", "p") == unmarked(Fixed(500))
    assert amount("amount: 500", "p") == unmarked(Fixed(500))
    assert amount("per: {give: 1 points, each: 10 CNY}", "p") == unmarked(PerAmount(1, 1_000, "amount"))


def test_a_reward_carries_its_terms():
    text = """rewards:
  r:
    title: 奖
    on: [purchase_settled, machine_brought_about]
    when: {trait: known}
    for: [mid, high]
    standing: order
    into: w
    amount: 1000 CNY
    counted_on: delivered_on
    exclusive: {group: g, key: serial, priority: 2}
    caps: {year: 4000 CNY, 每月: 1000 CNY}
    settle: 30 days
    expires: 12 months
    from: 2026-01-01
    until: 2026-12-31
    weekdays: [周六, sunday]
    minimum_spend: 100元
    returns: rejudge
"""
    found = policy(BASE + text).rewards["r"]
    assert found.on == ("purchase_settled", "machine_brought_about")
    assert found.for_tiers == ("mid", "high")
    assert (found.standing, found.counted_on, found.settle_days) == ("order", "delivered_on", 30)
    assert found.exclusive == Exclusive("g", "serial", 2)
    assert found.caps == (Cap("year", 400_000), Cap("month", 100_000))
    assert (found.expires, found.weekdays, found.minimum_spend) == (Expiry(12), (5, 6), 10_000)
    assert found.returns == "rejudge"
    assert (found.valid_from, found.valid_until) == (date(2026, 1, 1), date(2026, 12, 31))


def test_an_emission_names_fields_on_both_sides():
    text = """emissions:
  e: {on: purchase_settled, to: referrer, emits: 促成购机, carries: [serial, 规格], giver: 购买人, where: {related: no}}
"""
    found = policy(BASE + text).emissions["e"]
    assert (found.to, found.emits, found.carries, found.giver) == (
        "referrer", "machine_brought_about", ("serial", "size"), "buyer",
    )  # fmt: skip
