"""Of exclusive rewards, those that can never be granted: said at their line, and borne out by what is granted."""

import pytest

from rules.checking import check
from rules.judge import Ruleset
from tierengine.policies.examples import run_examples

HEAD = """programme: club
facts:
  n: {count: machine_purchase}
tiers:
  - {id: low, title: 低}
  - {id: high, title: 高, when: {n: {at_least: 3}}, keep: {for: 12 months, then: one_down}}
wallets:
  w: {title: 钱, unit: money}
  p: {title: 分, unit: points}
rewards:
"""
# Small and large ones, new and used, in one year and the next, at weekdays and weekends, of much and of little money.
EVENTS = "".join(
    f"      - {{event: machine_purchase, at: 202{6 + n % 2}-01-0{n + 1}, order: M{n}, serial: S{n},"
    f" size: {('small', 'large')[n % 2]}, used: {('yes', 'no')[n // 2 % 2]}, amount: {10 ** (n + 1)} CNY}}\n"
    for n in (0, 2, 4, 6, 1, 3, 5, 7)
)
EXAMPLE = f"examples:\n  - given:\n{EVENTS}    expect: {{tier: high}}\n"


def club(first, second, group="group: g, key: serial", more=""):
    rivals = {"a": first, "b": second}
    alike = f", exclusive: {{{group}}}"
    rules = [
        f"  {name}: {{title: 奖, on: machine_purchase, into: w, {text}{'' if 'exclusive' in text else alike}}}\n"
        for name, text in rivals.items()
    ]
    return HEAD + "".join(rules) + more + EXAMPLE


def at(group, priority):
    return f"exclusive: {{{group}, priority: {priority}}}"


SERIAL = "group: g, key: serial"
RANKED = "group: g, key: serial, compete: by_priority"
BUDGET = "budgets:\n  c: {limit: 5 CNY, scope: member, rewards: a}\n"
SHARE = "per: {give: 3%, of: amount, rounding: floor}"
LADDER = "nth: {1: 9 CNY, 2-3: 8 CNY, after: 7 CNY}"
NEVER = {
    "less of the same": club("amount: 2 CNY", "amount: 1 CNY"),
    "as much, and later in the file": club("amount: 1 CNY", "amount: 1 CNY"),
    "once for each event": club("amount: 2 CNY", "amount: 1 CNY", "group: g, key: event"),
    "narrower": club("amount: 2 CNY", "amount: 1 CNY, for: high, when: {n: 2}, minimum_spend: 5 CNY, weekdays: sunday"),
    "fewer lines": club("amount: 2 CNY", "amount: 1 CNY, where: {size: small}", "group: g, key: event"),
    "the same lines": club("amount: 2 CNY, where: {size: small}", "amount: 1 CNY, where: {size: small}"),
    "as much, and later by priority": club(f"amount: 1 CNY, {at(SERIAL, 0)}", f"amount: 1 CNY, {at(SERIAL, 1)}"),
    "more, but later by priority": club(f"amount: 1 CNY, {at(RANKED, 0)}", f"amount: 2 CNY, {at(RANKED, 1)}"),
    "less than every rung": club(LADDER, "amount: 6 CNY"),
    "every rung less": club("amount: 10 CNY", LADDER),
    "less than every class": club("amount: 5 CNY, by_class: [{class: s, where: {size: small}, amount: 3 CNY}]",
                                  "amount: 2 CNY"),
    "a smaller share": club(SHARE, SHARE.replace("3%", "2%")),
    "a share with a ceiling below": club("amount: 2 CNY", "per: {give: 9%, of: amount, rounding: floor, cap: 1 CNY}"),
}  # fmt: skip
SOMETIMES = {
    "more": club("amount: 1 CNY", "amount: 2 CNY"),
    "another group": club(f"amount: 2 CNY, {at(SERIAL, 0)}", "amount: 1 CNY, exclusive: {group: h, key: serial}"),
    "another key": club(f"amount: 2 CNY, {at(SERIAL, 0)}", "amount: 1 CNY, exclusive: {group: g, key: event}"),
    "as much, but first by priority": club(f"amount: 1 CNY, {at(SERIAL, 1)}", f"amount: 1 CNY, {at(SERIAL, 0)}"),
    "less, but first by priority": club(f"amount: 2 CNY, {at(RANKED, 1)}", f"amount: 1 CNY, {at(RANKED, 0)}"),
    "the other for a tier": club("amount: 2 CNY, for: high", "amount: 1 CNY"),
    "the other when": club("amount: 2 CNY, when: {n: {at_least: 3}}", "amount: 1 CNY"),
    "the other for some lines": club("amount: 2 CNY, where: {size: small}", "amount: 1 CNY"),
    "the other once": club("amount: 2 CNY, caps: {life: 1 times}", "amount: 1 CNY"),
    "the other up to a budget": club("amount: 4 CNY", "amount: 1 CNY", more=BUDGET),
    "the other until a day": club("amount: 2 CNY, until: 2026-12-31", "amount: 1 CNY"),
    "the other on Sundays": club("amount: 2 CNY, weekdays: sunday", "amount: 1 CNY"),
    "the other above a sum": club("amount: 2 CNY, minimum_spend: 500 CNY", "amount: 1 CNY"),
    "the other at first": club("nth: {1-2: 9 CNY, after: none}", "amount: 1 CNY"),
    "the other for a class": club("amount: 1 CNY, by_class: [{class: s, where: {size: small}, amount: 9 CNY}]",
                                  "amount: 2 CNY"),
    "a share that may be more": club("amount: 2 CNY", "per: {give: 9%, of: amount, rounding: floor}"),
    "a smaller share, first in the file": club("per: {give: 2%, of: amount, rounding: floor}",
                                               "per: {give: 3%, of: amount, rounding: floor}"),
}  # fmt: skip


def read(text):
    reading = check(text, "x")
    assert reading.policy is not None, reading.show("en", "short")
    said = [(one.found, one.mark.line, one.about) for one in reading.problems if one.code == "P518"]
    (verdict,) = run_examples(Ruleset(reading.policy))
    return said, {name for section, name in verdict.used if section == "rewards"}


@pytest.mark.parametrize("name", NEVER)
def test_a_reward_that_always_loses_its_group_is_said_and_never_granted(name):
    said, granted = read(NEVER[name])
    line = NEVER[name].split("\n  b: ")[0].count("\n") + 2
    assert said == [("b", line, "a")]
    assert granted == {"a"}


@pytest.mark.parametrize("name", SOMETIMES)
def test_of_a_reward_that_is_granted_to_somebody_nothing_is_said(name):
    said, granted = read(SOMETIMES[name])
    assert "b" not in [name for name, _, _ in said]
    assert "b" in granted
