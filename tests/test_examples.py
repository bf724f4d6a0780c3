"""The examples inside the shipped policy are run by the same fold and prices as the till."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rules.example_files import read_example_file
from rules.judge import Ruleset
from rules.policy import Example, Mark
from rules.reader import read
from tierengine.policies.coverage import coverage
from tierengine.policies.examples import Verdict, run_examples

SHIPPED = Path(__file__).parent.parent / "policies.yaml"


@pytest.fixture(scope="module")
def shipped() -> Ruleset:
    reading = read(SHIPPED.read_bytes(), str(SHIPPED))
    assert reading.policy is not None, reading.problems
    return Ruleset(reading.policy)


def test_every_example_of_the_shipped_policy_passes(shipped: Ruleset) -> None:
    verdicts = run_examples(shipped)
    assert len(verdicts) >= 14
    assert [(one.example.title, one.wrong, one.parked) for one in verdicts if not one.passed] == []


def test_the_examples_exercise_every_reward_and_price_that_pays_at_a_till(shipped: Ruleset) -> None:
    exercised = frozenset[str]().union(*(one.rules for one in run_examples(shipped)))
    assert {
        "welcome_gift",
        "referral_ladder",
        "points_spend",
        "points_machine",
        "points_tip",
        "gold_price",
    } <= exercised


def _verdict(shipped: Ruleset, expect: dict[str, object]) -> Verdict:
    first = shipped.policy.examples[0]
    changed = Example(first.title, first.given, expect, first.mark)  # type: ignore[arg-type]
    (verdict,) = run_examples(Ruleset(replace(shipped.policy, examples=(changed,))))
    return verdict


@pytest.mark.parametrize(
    "expect",
    [
        {"tier": "member"},
        {"traits": ["early_entrant"]},
        {"level": "zipper"},
        {"grants": {"welcome_gift": 1}},
        {"balance": {"parts_credit": 1}},
        {"lists": ["one_short"]},
    ],
)
def test_an_example_whose_expectation_is_wrong_fails_and_says_what_came_out(
    shipped: Ruleset, expect: dict[str, object]
) -> None:
    verdict = _verdict(shipped, expect)
    assert not verdict.passed
    ((key, wanted, got),) = verdict.wrong
    assert (key, wanted) == next(iter(expect.items()))
    assert got != wanted


def test_an_example_that_names_an_event_it_lacks_fails_as_parked(shipped: Ruleset) -> None:
    given = ({"event": "machine_returned", "at": "2026-02-20", "order": "M9", "reason": "x"},)
    example = Example("x", given, {"tier": "customer"}, shipped.policy.examples[0].mark)  # type: ignore[arg-type]
    (verdict,) = run_examples(Ruleset(replace(shipped.policy, examples=(example,))))
    assert not verdict.passed
    assert verdict.parked == ("machine_returned",)


REFERRAL = """
示例:
  - 名称: 介绍人得第一台的奖励，购买人自己没有
    已知:
      - {事件: 特点认定, 时间: 2026-01-05, 会员: 老张, 特点: early_entrant, 认定人: U01, 认定人职务: sales_manager,
          会签人: U02, 会签人职务: leader, 证据: 全县第一家}
      - {事件: 特点认定, 时间: 2026-01-06, 会员: 老张, 特点: peer_influence, 认定人: U01, 认定人职务: sales_manager,
          会签人: U02, 会签人职务: leader, 证据: 协会副会长}
      - {事件: 购机, 时间: 2026-02-01, 会员: 老张, 单号: M1, 整机编号: S1, 规格: medium, 金额: 860000 元}
      - {事件: 转介绍报备, 时间: 2026-03-01, 会员: 老张, 来源单号: B1, 被介绍人: 小李}
      - {事件: 购机, 时间: 2026-04-01, 会员: 小李, 单号: M2, 整机编号: S2, 规格: medium, 金额: 860000 元, 报备单号: B1}
      - {事件: 货款到位, 时间: 2026-04-10, 会员: 小李, 单号: M2}
    应得: {会员: 老张, 等级为: gold, 得到: {referral_ladder: 1000 元}}
"""
RETURNED = REFERRAL.replace(
    "    应得: {会员: 老张, 等级为: gold, 得到: {referral_ladder: 1000 元}}",
    "      - {事件: 退机收车, 时间: 2026-05-01, 单号: M2, 整机编号: S2, 原因: 质量不合}\n"
    "    应得: {会员: 老张, 得到: {referral_ladder: 0 元}}",
)


def _of_file(shipped: Ruleset, text: str) -> tuple[Verdict, ...]:
    reading = read_example_file(text, "more.yaml", shipped.policy)
    assert not reading.failed, reading.show("en")
    return run_examples(shipped, reading.examples)


def test_what_one_member_does_reaches_the_other_and_a_return_takes_it_back(shipped: Ruleset) -> None:
    (one,) = _of_file(shipped, REFERRAL)
    assert one.passed, one.failures
    assert ("emissions", "referral") in one.used
    (back,) = _of_file(shipped, RETURNED)
    assert back.passed, back.failures
    (wrong,) = _of_file(shipped, REFERRAL.replace("会员: 老张, 等级为", "会员: 小李, 等级为"))
    assert [(failure.key, failure.got) for failure in wrong.failures] == [
        ("tier", "member"),
        ("grants.referral_ladder", 0),
    ]


@pytest.mark.parametrize(
    ("expect", "key", "got", "reason"),
    [
        ("等级为: gold", "tier", "member", "满足的特点 0，需要 ≥ 2"),
        ("特点: [repeat_buyer]", "traits", [], "近 60 个月购机台数 1，需要 ≥ 2"),
        ("因为: [repeat_buyer]", "why", [], "近 60 个月购机台数 1，需要 ≥ 2"),
        ("服务: velcro", "level", "zipper", "等级 会员，服务 拉链"),
        ("得到: {welcome_gift: 1000 元}", "grants.welcome_gift", 0, "等级 会员，需要 金卡客户"),
        ("得到: {points_tip: 50 积分}", "grants.points_tip", 0, "没有这条奖励所看的事件"),
        ("余额: {parts_credit: 3 元}", "balance.parts_credit", 0, "等级 会员，需要 金卡客户"),
        ("应付: 1900 元", "pays", 200_000, "A1：要满 3,000 元，现有 2,000 元"),
        ("价格为: {A1: 1900 元}", "price.A1", 200_000, "A1：等级 会员，需要 金卡客户"),
        ("名单: [to_court]", "lists", ["at_risk"], "满足的特点 0，需要 ≥ 2"),
        ("名单: []", "lists", ["at_risk"], "距首次购机天数"),
        ("应尽服务: [call_back]", "duties", None, "call_back：示例里没有引起它的事"),
        ("应尽服务: [leader_visit]", "duties", None, "leader_visit：这一级没有这项服务"),
        ("权益: [own_manager_x]", "", None, ""),
    ],
)
def test_a_failure_says_its_place_what_came_out_and_why(
    shipped: Ruleset, expect: str, key: str, got: object, reason: str
) -> None:
    text = f"""示例:
  - 名称: 错的
    已知:
      - {{事件: 购机, 时间: 2024-05-10, 单号: M1, 整机编号: S1, 规格: medium, 金额: 860000 元}}
      - {{事件: 货款到位, 时间: 2024-05-20, 单号: M1}}
      - {{事件: 购买配件, 时间: 2026-03-01, 单号: P1, 物料号: A1, 类别: parts, 数量: 1, 标价: 2000 元}}
    应得: {{{expect}}}
"""
    if not key:
        reading = read_example_file(text, "more.yaml", shipped.policy)
        assert [problem.code for problem in reading.problems] == ["P412"]
        assert (reading.examples, reading.problems[0].file) == ((), "more.yaml")
        return
    (verdict,) = _of_file(shipped, text)
    (failure,) = verdict.failures
    inner = key.partition(".")[2]
    column = text.splitlines()[6].index(inner or expect.partition(":")[0], 9) + 1
    assert (failure.key, failure.mark, verdict.example.file) == (key, Mark(7, column), "more.yaml")
    assert got is None or failure.got == got
    assert any(reason in because.text.zh for because in failure.why), failure.why
    assert all(because.mark.line and because.text.en for because in failure.why)


def test_what_no_example_exercises_is_named_with_its_line(shipped: Ruleset) -> None:
    policy = shipped.policy
    verdicts = run_examples(shipped)
    covered = coverage(policy, (one.used for one in verdicts))
    assert "emissions" not in covered.missing or set(covered.missing["emissions"]) <= set(policy.emissions)
    assert covered.exercised + sum(map(len, covered.missing.values())) == covered.total
    first = next(iter(policy.levels.values()))
    assert covered.missing["entitlements"][f"{first.id}.{first.entitlements[0].id}"] == first.entitlements[0].mark
    nothing = coverage(policy, ())
    assert (nothing.percent, nothing.exercised) == (0, 0)
    # One example less covers no more, and the reward that only it exercised is then missing.
    alone = [one for one in verdicts if ("rewards", "points_survey") in one.used]
    rest = coverage(policy, (one.used for one in verdicts if one not in alone))
    assert "points_survey" in rest.missing["rewards"]
    assert "points_survey" not in covered.missing.get("rewards", {})


def test_a_duty_that_arose_and_a_right_that_was_claimed_are_exercised(shipped: Ruleset) -> None:
    (verdict,) = _of_file(
        shipped,
        """示例:
  - 名称: 报修要回电
    已知:
      - {事件: 报修, 时间: 2026-03-01 09:00, 严重程度: ordinary, 距离公里: 10}
      - {事件: 享用权益, 时间: 2026-03-02 09:00, 权益: consulting}
    应得: {应尽服务: [call_back, on_site_city]}
""",
    )
    assert verdict.passed, verdict.failures
    level = shipped.policy.tiers[0].level
    assert {("duties", f"{level}.call_back"), ("entitlements", f"{level}.consulting")} <= verdict.used
    assert ("duties", f"{level}.on_site_far") not in verdict.used


def test_the_examples_beside_the_shipped_policy_come_out_and_leave_nothing_out(shipped: Ruleset) -> None:
    beside = SHIPPED.with_name("policies.examples.yaml")
    reading = read_example_file(beside.read_bytes(), beside.name, shipped.policy)
    assert not reading.problems, reading.show("en")
    verdicts = (*run_examples(shipped), *run_examples(shipped, reading.examples))
    assert [(one.example.title, one.failures, one.parked) for one in verdicts if not one.passed] == []
    covered = coverage(shipped.policy, (one.used for one in verdicts))
    assert (covered.percent, covered.missing) == (100, {})


AMOUNTS = """
programme: amounts
tiers: [{id: customer}]
wallets: {points: {unit: points}}
rewards:
  tips: {on: tip, nth: {1: 5 points, 2-3: 6 points, 4+: 7 points}, into: points}
  stamps: {on: survey_answered, nth: {every 2: 10 points, every 4: 30 points}, counting: all, into: points}
  classes:
    on: purchase_settled
    by_class:
      - {class: small, where: {size: small}, amount: 1 points}
      - {class: large, where: {size: large}, nth: {1: 2 points, 2: 3 points}}
    amount: 4 points
    into: points
  plain: {on: contact, amount: 1 points, into: points}
examples:
  - given: [GIVEN]
    expect: {tier: customer}
"""


@pytest.mark.parametrize(
    ("given", "exercised"),
    [
        ("", set()),
        ("tip", {"tips.1"}),
        ("tip tip", {"tips.1", "tips.2-3"}),
        ("tip tip tip tip tip", {"tips.1", "tips.2-3", "tips.4+"}),
        ("survey_answered", set()),
        ("survey_answered survey_answered", {"stamps.every 2"}),
        ("survey_answered " * 4, {"stamps.every 2", "stamps.every 4"}),
        ("small", {"classes.small"}),
        ("medium", {"classes"}),
        ("large small", {"classes.large.1", "classes.small"}),
        ("contact", set()),
    ],
)
def test_which_amount_of_a_reward_was_granted_is_told(given: str, exercised: set[str]) -> None:
    made = []
    for number, word in enumerate(given.split(), start=1):
        at = f"at: 2026-01-{number:02}"
        if word == "tip":
            made.append(f"{{event: tip, {at}, topic: project, status: accepted}}")
        elif word == "survey_answered":
            made.append(f"{{event: survey_answered, {at}, score: 9}}")
        elif word == "contact":
            made.append(f"{{event: contact, {at}, channel: phone, direction: ours, status: accepted}}")
        else:
            order = f"order: M{number}, serial: S{number}, size: {word}"
            made.append(f"{{event: machine_purchase, {at}, {order}, amount: 100 CNY}}")
            made.append(f"{{event: purchase_settled, {at}, order: M{number}}}")
    reading = read(AMOUNTS.replace("GIVEN", ", ".join(made)), "amounts.yaml")
    assert reading.policy is not None, reading.show("en")
    (verdict,) = run_examples(Ruleset(reading.policy))
    assert {name for section, name in verdict.used if section == "amounts"} - {"plain"} == exercised
    there = {"tips.1", "tips.2-3", "tips.4+", "stamps.every 2", "stamps.every 4", "classes"}
    there |= {"classes.small", "classes.large.1", "classes.large.2"}
    missing = coverage(reading.policy, [verdict.used]).missing["amounts"]
    assert set(missing) == there - exercised
