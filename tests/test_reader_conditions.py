"""Facts, ratios and conditions say what they mean, or are refused at their place."""

from datetime import date

import pytest

from rules.policy import AllOf, AnyOf, CountOf, Filter, NoneOf, Subject, Test, Text, Window
from tests.small_policy import BASE, condition, errors, policy, unmarked


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
        # Whether there is a value at all; in quotes it is the word itself.
        ("{card_no: 有}", Test(Subject("attribute", "card_no"), "is_not", "")),
        ("{card_no: {不是: 无}}", Test(Subject("attribute", "card_no"), "is_not", "")),
        ("{card_no: 无}", NoneOf((Test(Subject("attribute", "card_no"), "is_not", ""),))),
        ("{card_no: {is_not: present}}", NoneOf((Test(Subject("attribute", "card_no"), "is_not", ""),))),
        ("{都不: [{card_no: none}]}", NoneOf((NoneOf((Test(Subject("attribute", "card_no"), "is_not", ""),)),))),
        ("{birth_date: present}", Test(Subject("attribute", "birth_date"), "at_least", 1)),
        ('{card_no: "无"}', Test(Subject("attribute", "card_no"), "is", "无")),
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
        ("{n: {at_least: 2, at_most: 2}}",
         AllOf((Test(Subject("fact", "n"), "at_least", 2), Test(Subject("fact", "n"), "at_most", 2)))),
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
        ("{n: {more_than: 5, at_most: 5}}", "P515"),
        ("{n: {at_least: 5, less_than: 5}}", "P515"),
        ("{n: {at_least: 6, is: 5}}", "P515"),
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
