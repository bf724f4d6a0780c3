"""A policy file, in either tongue or both mixed, becomes one Policy; anything else becomes problems, and no more."""

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import values
from rules.policy import (
    AllOf,
    AnyOf,
    Attested,
    ByClass,
    Cap,
    CountOf,
    Exclusive,
    Expiry,
    Filter,
    Fixed,
    Keep,
    Ladder,
    Mark,
    NoneOf,
    PerAmount,
    Policy,
    Rung,
    Score,
    Subject,
    Test,
    Text,
    Tie,
    Window,
)
from rules.problems import as_dict, render
from rules.reader import Reading, read
from rules.values import Length, Refused

Test.__test__ = False  # a comparison of the policy language, no test case
SMALL = Path(__file__).parent / "policies" / "small.yaml"
SMALL_ZH = Path(__file__).parent / "policies" / "small_zh.yaml"
ENGLISH = SMALL.read_text(encoding="utf-8")
CHINESE = SMALL_ZH.read_text(encoding="utf-8")

BASE = """programme: club
facts:
  n: {count: contact}
  spend: {sum: amount, of: parts_purchase}
  growth: {ratio: spend, to: {sum: amount, of: parts_purchase, preceding: 12 months}}
traits:
  known: {title: 熟, when: {n: {at_least: 1}}}
  loyal: {title: 忠, when: {growth: {at_least: 130%}}}
tiers:
  - {id: low, title: 低}
  - {id: mid, title: 中, when: {traits: {at_least: 1}}, keep: {for: 12 months, then: one_down}}
  - {id: high, title: 高, when: {traits: {at_least: 2}}, keep: {for: 12 months, then: one_down}}
wallets:
  w: {title: 钱, unit: money}
  p: {title: 分, unit: points}
"""


def policy(text: str) -> Policy:
    reading = read(text, "x.yaml")
    assert reading.policy is not None, reading.show("en", "short")
    return reading.policy


def errors(text: str) -> list[str]:
    return [problem.code for problem in read(text, "x.yaml").problems if problem.severity == "error"]


def unmarked(value: Any) -> Any:
    """Return plain data without places: the tongues put things into other columns."""
    if isinstance(value, Mark):
        return None
    if dataclasses.is_dataclass(value):
        pairs = {field.name: unmarked(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return (type(value).__name__, pairs)
    if isinstance(value, dict):
        return {key: unmarked(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [unmarked(item) for item in value]
    return value


def condition(text: str) -> Any:
    found = policy(f"{BASE}lists:\n  l: {{title: 单, when: {text}}}\n").lists["l"].when
    return unmarked(found)


# ---- both tongues -----------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("window", "wrong"),
    [
        ("within: 480 months", []),
        ("within: 481 months", ["P302"]),
        ("within: 40 years", []),
        ("within: 14601 days", ["P302"]),
        ("preceding: 20 years", []),
        ("preceding: 21 years", ["P302"]),
        ("within: 0 days", ["P302"]),
    ],
)
def test_a_window_reaches_no_further_back_than_any_event(window, wrong):
    assert errors(BASE.replace("n: {count: contact}", f"n: {{count: contact, {window}}}")) == wrong


def test_a_fact_may_count_what_waits_to_be_accepted_and_says_so_in_either_tongue():
    for text in ("status: submitted", "状态: 已提交", "status: {is: 已提交}"):
        found = policy(BASE.replace("n: {count: contact}", f"n: {{count: contact, where: {{{text}}}}}"))
        assert found.facts["n"].where == (Filter("status", "is", "submitted"),), text
    assert errors(BASE.replace("n: {count: contact}", "n: {count: contact, where: {status: waiting}}")) == ["P315"]
    assert errors(
        BASE + "rewards:\n  r: {title: 奖, on: tip, where: {status: accepted}, into: w, amount: 1 CNY}\n"
    ) == ["P416"]


def test_places_are_those_of_the_id():
    tier = policy(ENGLISH).tier("gold")
    line = ENGLISH.split("\n")[tier.mark.line - 1]
    assert line[tier.mark.column - 1 :] == "gold"


# ---- sections ---------------------------------------------------------------------------------------------------


def test_facts_know_their_unit_window_and_filters():
    found = policy(
        BASE.replace("traits:\n", """  a: {count: [parts_purchase, repair_purchase], in: last_year}
  c: {months_with: contact, within: 1 year, where: {channel: [phone, visit], by_leader: yes}}
  e: {days_since_last: contact}
  f: {years_since: entered_trade_on, title: {zh: 入行年限, en: Years in trade}}
  g: {max: amount, of: machine_purchase, within: 60 months, where: {amount: {at_least: 10万元, less_than: 20万元}}}
  h: {fleet: owned, checked_within: 12 months, where: {size: {is_not: small}}}
  i: {sum: hours, of: hours_read, within: 90 days}
  j: {distinct: product_group, of: machine_purchase, in: since_tier}
  k: {quantity: parts_purchase, where: {category: 配件}}
  l: {years_since_first: machine_purchase}
  m: {天数自: 发卡日期}
  o: {count: contact, in: 上月}
traits:
""", 1)
    ).facts  # fmt: skip
    assert (found["a"].kinds, found["a"].window, found["a"].unit) == (
        ("parts_purchase", "repair_purchase"), Window("last_year"), "count",
    )  # fmt: skip
    assert found["c"].where == (Filter("channel", "in", ("phone", "visit")), Filter("by_leader", "is", 1))
    assert (found["c"].unit, found["c"].window) == ("months", Window("rolling", months=12))
    assert found["e"].unit == "days"
    assert [found[name].unit for name in "lm"] == ["years", "days"]
    assert (found["m"].field, found["o"].window) == ("card_issued_on", Window("last_month"))
    assert (found["f"].field, found["f"].unit, found["f"].title) == (
        "entered_trade_on", "years", Text("入行年限", "Years in trade"),
    )  # fmt: skip
    assert found["g"].unit == "money"
    assert found["g"].where == (Filter("amount", "at_least", 10_000_000), Filter("amount", "less_than", 20_000_000))
    assert (found["h"].how, found["h"].window) == ("fleet", Window("rolling", months=12))
    assert (found["i"].unit, found["i"].window) == ("hours", Window("rolling", days=90))
    assert (found["j"].field, found["j"].window) == ("product_group", Window("since_tier"))
    assert found["k"].where == (Filter("category", "is", "parts"),)


def test_a_ratio_holds_both_sides_named_or_written_in_place():
    growth = policy(BASE).facts["growth"]
    assert growth.unit == "percent"
    assert growth.over == policy(BASE).facts["spend"]
    assert growth.under is not None
    assert (growth.under.id, growth.under.window) == ("growth.under", Window("preceding", months=12))


def test_a_ratio_may_name_what_stands_below_it():
    text = BASE.replace("  n: {count", "  later: {ratio: n, to: spend}\n  n: {count")
    assert policy(text).facts["later"].over == policy(text).facts["n"]


def test_ratios_inside_ratios_end_somewhere():
    chain = "".join(f"  k{n + 1}: {{ratio: k{n}, to: k{n}}}\n" for n in range(990))
    for text in (chain, "".join(reversed(chain.splitlines(keepends=True)))):
        assert "P105" in errors(BASE.replace("traits:\n", "  k0: {count: contact}\n" + text + "traits:\n", 1))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("{n: 3}", Test(Subject("fact", "n"), "is", 3)),
        ("{n: {at_least: 3}}", Test(Subject("fact", "n"), "at_least", 3)),
        ("{n: {不低于: 3次}}", Test(Subject("fact", "n"), "at_least", 3)),
        ("{n: [1, 2]}", Test(Subject("fact", "n"), "in", (1, 2))),
        ("{spend: {more_than: 2万元}}", Test(Subject("fact", "spend"), "more_than", 2_000_000)),
        ("{growth: {at_least: 130%}}", Test(Subject("fact", "growth"), "at_least", 13_000)),
        ("{segment: key_account}", Test(Subject("attribute", "segment"), "is", "key_account")),
        ("{客户分类: {不属于: [a, b]}}", Test(Subject("attribute", "segment"), "not_in", ("a", "b"))),
        ("{overdue_days: {at_most: 30 days}}", Test(Subject("attribute", "overdue_days"), "at_most", 30)),
        ("{admitted_on: {at_least: 2026年1月1日}}",
         Test(Subject("attribute", "admitted_on"), "at_least", date(2026, 1, 1).toordinal())),
        ("{traits: {at_least: 2}}", Test(Subject("traits"), "at_least", 2)),
        ("{traits: {at_least: 1, of: [loyal]}}", Test(Subject("traits", "", ("loyal",)), "at_least", 1)),
        ("{trait: known}", Test(Subject("trait", "known"), "is", 1)),
        ("{具备特点: [known, loyal]}",
         AllOf((Test(Subject("trait", "known"), "is", 1), Test(Subject("trait", "loyal"), "is", 1)))),
        ("{tier: high}", Test(Subject("tier"), "is", "high")),
        ("{tier: {at_least: mid}}", Test(Subject("tier"), "in", ("mid", "high"))),
        ("{等级为: {少于: mid}}", Test(Subject("tier"), "in", ("low",))),
        ("{n: {at_least: 1, at_most: 3}}",
         AllOf((Test(Subject("fact", "n"), "at_least", 1), Test(Subject("fact", "n"), "at_most", 3)))),
        ("{any: [{n: 1}, {trait: known}]}",
         AnyOf((Test(Subject("fact", "n"), "is", 1), Test(Subject("trait", "known"), "is", 1)))),
        ("{都不: [{n: 1}]}", NoneOf((Test(Subject("fact", "n"), "is", 1),))),
        ("{at_least: 1, of: [{n: 1}, {n: 2}]}",
         CountOf(1, (Test(Subject("fact", "n"), "is", 1), Test(Subject("fact", "n"), "is", 2)))),
        ("{n: 1, none: [{n: 2}]}",
         AllOf((Test(Subject("fact", "n"), "is", 1), NoneOf((Test(Subject("fact", "n"), "is", 2),))))),
    ],
)  # fmt: skip
def test_conditions_say_what_they_mean(text, meant):
    assert condition(text) == unmarked(meant)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{n: 3 CNY}", "P301"),
        ("{spend: {at_least: 20000}}", "P303"),
        ("{growth: {at_least: 130}}", "P308"),
        ("{growth: {at_least: high}}", "P307"),
        ("{n: {at_least: 90 days}}", "P301"),
        ("{admitted_on: soon}", "P313"),
        ("{form: {more_than: firm}}", "P316"),
        ("{traits: {at_least: 3}}", "P503"),
        ("{traits: {at_least: 2, of: [loyal]}}", "P503"),
        ("{traits: {at_least: 1, of: [layal]}}", "P405"),
        ("{tier: {more_than: high}}", "P515"),
        ("{tier: top}", "P406"),
        ("{of: [{n: 1}]}", "P203"),
        ("{at_least: 2}", "P203"),
        ("{any: {n: 1}}", "P204"),
        ("{any: []}", "P208"),
        ("{n: {}}", "P208"),
        ("{n: }", "P208"),
        ("{}", "P208"),
        ("[n]", "P204"),
        ("{n: {at_least: {x: 1}}}", "P204"),
        ("{serial: x}", "P404"),
        ("{n: 1, n: 2}", "P202"),
        ("{any: [{n: 1}], 任一: [{n: 2}]}", "P202"),
    ],
)
def test_conditions_that_make_no_sense_are_refused(text, code):
    assert code in errors(f"{BASE}lists:\n  l: {{title: 单, when: {text}}}\n")


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


DUTIES = (
    BASE.replace("title: 低", "title: 低, level: a")
    .replace("title: 中", "title: 中, level: a")
    .replace("title: 高", "title: 高, level: a")
)


def duty_of(text):
    return (
        policy(DUTIES + "levels:\n  a: {title: 级, duties: {d: {title: 责, owner: o, within: 1 day, " + text + "}}}\n")
        .levels["a"]
        .duties[0]
    )


def test_a_duty_may_come_of_the_tier_every_so_many_days_or_ahead_of_a_date():
    assert duty_of("on_standing: [grace, 降级]").on_standing == ("grace", "demoted")
    lapsing = duty_of("等级变化: 将到期, 提前: 30 天, escalate_to: leader, 逾期后: 2 小时")
    assert (lapsing.on_standing, lapsing.ahead_days, lapsing.escalate_minutes) == (("lapsing",), 30, 120)
    assert (duty_of("every: 2 weeks").every_days, duty_of("every: 1 year").every_months) == (14, 12)
    assert duty_of("on_date: birth_date, ahead: 7 days").ahead_days == 7


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("on_standing: grace, ahead: 3 days", "P210"),
        ("on_standing: lapsing", "P203"),
        ("on_standing: gone", "P315"),
        ("every: 3 hours", "P312"),
        ("every: 0 days", "P302"),
        ("every: 1 month, ahead: 3 days", "P210"),
        ("every: 1 month, escalate_after: 1 day", "P210"),
    ],
)
def test_what_a_duty_cannot_come_of_is_refused(text, code):
    found = errors(
        DUTIES + "levels:\n  a: {title: 级, duties: {d: {title: 责, owner: o, within: 1 day, " + text + "}}}\n"
    )
    assert found == [code]


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("life", None),
        ("终身", None),
        ("{to: year_end, then: one_down}", Keep(0, 0, "one_down", "year")),
        ("{to: end_of_next_year, then: one_down}", Keep(12, 0, "one_down", "year")),
        ("{期限: 6 个月, 截至: 月底, 到期: 按实际}", Keep(6, 0, "as_facts_say", "month")),
    ],
)
def test_a_tier_may_be_kept_for_life_or_to_the_end_of_a_month_or_year(text, keep):
    found = policy(BASE.replace("keep: {for: 12 months, then: one_down}", f"keep: {text}"))
    assert found.tier("mid").keep == keep


def test_a_keep_says_how_long():
    assert errors(BASE.replace("{for: 12 months, then: one_down}", "{then: one_down}", 1)) == ["P206"]
    assert errors(BASE.replace("{for: 12 months, then: one_down}", "ever", 1)) == ["P315"]


def test_levels_hold_entitlements_duties_and_terms():
    velcro = policy(ENGLISH).levels["velcro"]
    training, consulting = velcro.entitlements
    assert (training.quota, training.per_machine, consulting.quota) == (2, True, None)
    monthly, call_back = velcro.duties
    assert (monthly.every_months, monthly.within_minutes) == (1, 30 * 1440)
    assert monthly.done_by == (("contact", (Filter("direction", "is", "ours"),)),)
    assert (call_back.on, call_back.within_minutes, call_back.escalate_to) == (("repair_requested",), 15, "leader")
    text = BASE.replace("title: 低", "title: 低, level: a").replace("title: 中", "title: 中, level: a")
    text = text.replace("title: 高", "title: 高, level: a")
    text += "levels:\n  a: {title: 级, terms: {上门: {zh: 两小时, en: two hours}, 配件: 九五折}}\n"
    assert policy(text).levels["a"].terms == (
        (Text("上门", "上门"), Text("两小时", "two hours")),
        (Text("配件", "配件"), Text("九五折", "九五折")),
    )


def test_an_award_names_its_score_ties_and_winners():
    text = """awards:
  a:
    title: 年度金牌用户
    for: [high]
    months_in_tier: 6
    unless: {overdue_days: {more_than: 90}}
    score: {n: 40, spend: 60}
    ties: [{fact: spend, first: highest}, {属性项: 卡号, 优先者: 低者}]
    winners: {share: 20%, at_least: 3, at_most: 10}
    prize: 5000元
    budget: 5万元
"""
    found = policy(BASE + text).awards["a"]
    assert found.score == (Score("n", 40), Score("spend", 60))
    assert found.ties == (Tie("fact", "spend", "highest"), Tie("attribute", "card_no", "lowest"))
    assert (found.share_bp, found.at_least, found.at_most, found.prize, found.budget, found.wallet) == (
        2_000, 3, 10, 500_000, 5_000_000, "",
    )  # fmt: skip


def test_the_head_of_the_file_has_defaults_and_limits():
    found = policy(BASE)
    assert (found.currency, found.timezone, found.manager_limit, found.price_token_minutes) == (
        "CNY", "Asia/Shanghai", 10, 15,
    )  # fmt: skip
    found = policy(BASE + "late: {收银: 7天, erp: 400 days, 手工: 3天}\nprice_token: 30分钟\n")
    assert found.late_days == {"till": 7, "erp": 400, "手工": 3}
    assert found.price_token_minutes == 30


# ---- examples ---------------------------------------------------------------------------------------------------

EXAMPLE = """rewards:
  r: {title: 奖, on: parts_purchase, into: p, amount: 500 points}
examples:
  - 名称: 两项即升
    已知:
      - {事件: 购机, 时间: 2026年1月5日, 会员: A, 金额: 50万元, 二手: 否, 交机日期: 2026/1/3, 合伙人: [甲, 乙]}
      - {event: parts_purchase, at: 2026-02-01 09:30, order: 00123, category: 配件, qty: 2, amount: 2,000 CNY}
      - event: parts_purchase
        at: 2026-02-02T09:30:00+08:00
        单号: "9"
        明细: [{item: X, 金额: 1元}, {类别: lubricant}]
      - {event: attestation, at: 2026-03-01, trait: known}
    应得: {等级为: high, 因为: [known], 得到: {r: 500}, 余额: {p: 500 积分, w: -10元}, 应付: 95元, price: {X: 1元}}
"""


def test_examples_come_out_in_canonical_english_with_whole_numbers():
    found = policy(BASE + EXAMPLE.replace("2,000 CNY", "2000 CNY")).examples[0]
    assert found.title == "两项即升"
    assert found.given == (
        {"event": "machine_purchase", "at": "2026-01-05", "member": "A", "amount": 50_000_000, "used": False,
         "delivered_on": "2026-01-03", "co_buyers": ["甲", "乙"]},
        {"event": "parts_purchase", "at": "2026-02-01T09:30:00", "order": "00123",
         "lines": [{"category": "parts", "qty": 2, "amount": 200_000}]},
        {"event": "parts_purchase", "at": "2026-02-02T09:30:00+08:00", "order": "9",
         "lines": [{"item": "X", "amount": 100}, {"category": "lubricant"}]},
        {"event": "attestation", "at": "2026-03-01", "trait": "known"},
    )  # fmt: skip
    assert found.expect == {
        "tier": "high", "why": ["known"], "grants": {"r": 500}, "balance": {"p": 500, "w": -1_000}, "pays": 9_500,
        "price": {"X": 100},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("given: [{event: contact}], expect: {tier: low}", "P203"),
        ("given: [{at: 2026-01-01}], expect: {tier: low}", "P203"),
        ("given: [{event: contact, at: 2026-01-01, serial: x}], expect: {tier: low}", "P402"),
        ("given: [{event: contact, at: noon}], expect: {tier: low}", "P313"),
        ("given: [{event: parts_purchase, at: 2026-01-01, amount: 5}], expect: {tier: low}", "P303"),
        ("given: [], expect: {balance: {w: 5 points}}", "P317"),
        ("given: [], expect: {balance: {q: 5 points}}", "P407"),
        ("given: [], expect: {tier: top}", "P406"),
        ("given: [], expect: {}", "P208"),
        ("given: [x], expect: {tier: low}", "P204"),
        ("given: [{event: parts_purchase, at: 2026-01-01, lines: [], qty: 1}], expect: {tier: low}", "P205"),
    ],
)
def test_examples_that_name_what_is_not_there_are_refused(text, code):
    assert code in errors(f"{BASE}examples:\n  - {{{text}}}\n")


def test_an_example_is_no_use_of_what_it_names():
    text = BASE + "examples:\n  - {given: [], expect: {balance: {w: 0元}}}\n"
    assert [(p.code, p.found) for p in read(text, "x").problems if p.found == "w"] == [("P413", "w")]


# ---- numbers as people write them -------------------------------------------------------------------------------


def taken(reader: Any, *rest: Any) -> Any:
    try:
        return reader(*rest)
    except Refused as refused:
        return refused.code


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1000 CNY", 100_000), ("1000元", 100_000), ("1000 元", 100_000), ("CNY 1000", 100_000), ("¥1,000", 100_000),
        ("￥1000.50", 100_050), ("2万元", 2_000_000), ("1.5 万元", 1_500_000), ("0.1 元", 10),
        ("1 亿元", 10_000_000_000),
        ("３千元", 300_000), ("一千五百元", 150_000), ("两万元", 2_000_000), ("十万元", 10_000_000), ("RMB 5", 500),
        ("1000", "P303"), ("2万", "P303"), ("1000 USD", "P304"), ("$5", "P304"), ("1.005元", "P306"), ("abc", "P305"),
        ("", "P305"), ("1 2元", "P305"), ("-5元", "P302"), ("99999999999999999元", "P302"), ("10 points", "P317"),
        ("1e3元", "P305"), ("5角", "P305"), ("一二三元", "P305"), ("1,00元", "P305"), ("9" * 5_000 + "元", "P305"),
    ],
)  # fmt: skip
def test_money_needs_a_number_and_a_currency(text, fen):
    assert taken(values.money, text, "CNY") == fen


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("95折", 9_500), ("9.5折", 9_500), ("九五折", 9_500), ("9 折", 9_000), ("九折", 9_000), ("88折", 8_800),
        ("八八折", 8_800), ("九点五折", 9_500), ("打九五折", 9_500), ("９５折", 9_500), ("9.55折", 9_550),
        ("95%", 9_500),
        ("95％", 9_500), ("100%", 10_000), ("99.99%", 9_999), ("百分之九十五", 9_500), ("0折", "P310"),
        ("10折", "P310"),
        ("100折", "P310"), ("十折", "P310"), ("零折", "P310"), ("00折", "P310"), ("05折", "P310"), ("95.5折", "P310"),
        ("折", "P310"), ("95", "P308"), ("95% off", "P309"), ("优惠5%", "P309"), ("105%", "P507"), ("0%", "P507"),
    ],
)  # fmt: skip
def test_what_is_paid_is_a_percentage_or_zhe(text, share):
    assert taken(values.share_paid, text) == share


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("12 months", (12, "months")), ("12个月", (12, "months")), ("１２ 个月", (12, "months")),
        ("90天", (90, "days")),
        ("90 days", (90, "days")), ("1年", (1, "years")), ("半年", (6, "months")), ("十二个月", (12, "months")),
        ("两周", (2, "weeks")), ("2小时", (2, "hours")), ("2 hours", (2, "hours")), ("15分钟", (15, "minutes")),
        ("15 minutes", (15, "minutes")), ("1 Month", (1, "months")), ("12", "P311"), ("12m", "P311"),
        ("1.5年", "P311"), ("soon", "P311"), ("-1天", "P302"),
    ],
)  # fmt: skip
def test_lengths_of_time_keep_their_unit(text, length):
    found = taken(values.length, text)
    assert found == (Length(*length) if isinstance(length, tuple) else length)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-01", date(2026, 1, 1)), ("2026年1月1日", date(2026, 1, 1)), ("２０２６/1/1", date(2026, 1, 1)),
        ("2024-02-29", date(2024, 2, 29)), ("2026-02-29", "P313"), ("2026-13-01", "P313"), ("2026-1/1", "P313"),
        ("2026年1-1", "P313"), ("0001-01-01", "P313"), ("26-01-01", "P313"), ("今天", "P313"),
    ],
)  # fmt: skip
def test_dates_exist(text, day):
    assert taken(values.day, text) == day


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3), ("１０", 10), ("1,000", 1_000), ("三", 3), ("十二", 12), ("2万", 20_000), ("0", 0), ("3.0", 3),
        ("3.5", "P301"),
        ("x", "P301"), ("-1", "P302"), ("9007199254740992", 2**53), ("9007199254740993", "P302"), ("9" * 5_000, "P302"),
        ("0x10", "P301"), ("1e3", "P301"), ("1_000", "P301"), ("三四", "P301"),
    ],
)  # fmt: skip
def test_whole_numbers_are_exact_and_bounded(text, number):
    assert taken(values.integer, text) == number


@pytest.mark.parametrize("text", ["yes", "true", "是", "Yes", " ＹＥＳ "])
def test_yes_is_said_in_both_tongues(text):
    assert values.yes_no(text) is True
    assert taken(values.yes_no, "no") is taken(values.yes_no, "否") is False
    assert taken(values.yes_no, "on") == "P314"


@settings(max_examples=500, deadline=None)
@given(
    st.text(max_size=40) | st.text(st.sampled_from("0123456789.,+-%折元万年月日天个 一二十九点CNYpoints"), max_size=12)
)
def test_no_text_makes_a_value_raise_anything_but_a_refusal(text):
    for reader in (values.integer, values.points, values.percent, values.share_paid, values.length, values.day,
                   values.moment, values.yes_no):  # fmt: skip
        taken(reader, text)
    taken(values.money, text, "CNY")


# ---- whatever the text ------------------------------------------------------------------------------------------


def sound(reading: Reading) -> None:
    """Check what always holds: all located, all showable, and a policy exactly when nothing is wrong."""
    wrong = [problem for problem in reading.problems if problem.severity == "error"]
    assert (reading.policy is None) == bool(wrong)
    for problem in reading.problems[:50]:
        assert 1 <= problem.mark.line <= max(1, len(reading.lines))
        assert 1 <= problem.mark.column <= len(reading.line(problem.mark)) + 1
        for lang in ("zh", "en"):
            assert render(problem, reading.line(problem.mark), lang, "full")
        assert as_dict(problem)["code"] == problem.code


NASTY = st.sampled_from(
    [":", "：", ",", "，", "-", " ", "  ", "\t", "\n", "\r\n", "{", "}", "[", "]", "'", '"', "#", "|", ">", "&a ", "*a",
     "!!x ", "<<", "? ", "\x00", "\u3000", "~", "0", "99999999999999999999", "元", "%", "折",
     "none", "无", "id", "when",
     "\ud800", "\u2028", "\x85", "\ufeff", "---\n", "...\n", "nth", "1-", "yes", "gold", "特点"]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, texts: tuple[str, ...]) -> str:
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = at + draw(st.integers(0, 12))
        kind = draw(st.sampled_from(["put", "cut", "swap", "copy", "drop line"]))
        if kind == "put":
            text = text[:at] + draw(NASTY) + text[at:]
        elif kind == "cut":
            text = text[:at] + text[end:]
        elif kind == "swap":
            text = text[:at] + draw(NASTY) + text[end:]
        else:
            lines = text.split("\n")
            row = draw(st.integers(0, len(lines) - 1))
            lines[row : row + 1] = [] if kind == "drop line" else [lines[row]] * 2
            text = "\n".join(lines)
    return text


@pytest.mark.timeout(300)
@settings(max_examples=250, deadline=None)
@given(mutated((ENGLISH, CHINESE, BASE + EXAMPLE)))
def test_no_mutation_of_a_good_policy_raises(text):
    sound(read(text, "x.yaml"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=200))
def test_no_text_raises(text):
    sound(read(text, "x.yaml"))


KEY = st.sampled_from(
    [
        "programme",
        "tiers",
        "facts",
        "traits",
        "wallets",
        "rewards",
        "levels",
        "examples",
        "when",
        "nth",
        "id",
        "等级",
        "x",
    ]
)
NODE = st.recursive(
    st.sampled_from(["", "1", "x", "1 CNY", "95折", "yes", "contact", "[]", "{}"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.dictionaries(KEY, inner, max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEY, NODE, max_size=6))
def test_no_shape_raises(pairs):
    sound(read("\n".join(f"{key}: {value}" for key, value in pairs.items()), "x.yaml"))


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"k{n}: {n}" for n in range(19_999)),
        BASE.replace("traits:\n", "".join(f"  k{n}: {{cuont: contact}}\n" for n in range(15_000)) + "traits:\n", 1),
        BASE + "lists:\n l: {when: {any: [" + ",\n".join(f"{{等{n}急: 1}}" for n in range(15_000)) + "]}}\n",
        BASE + "prices:\n" + "".join(f" p{n}: {{where: {{category: parts}}, pay: 95%}}\n" for n in range(15_000)),
        "manager_limit: " + "9" * 1_000_000,
        "programme: " + "\ufdfa" * 300_000,
        "a: " + "| " * 400_000,
        " " * 1_000_000 + "x",
    ],
    ids=["keys", "facts", "names", "prices", "number", "wide", "bars", "blanks"],
)
def test_a_hostile_file_is_read_and_shown_in_bounded_time(text):
    reading = read(text, "x.yaml")
    sound(reading)
    assert reading.policy is None
    assert reading.show("zh", "short")
