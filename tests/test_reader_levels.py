"""Levels, duties, keeping a tier, awards and examples: read to their values, or refused at their place."""

import pytest

from rules.policy import Filter, Keep, Score, Text, Tie
from rules.reader import read
from tests.small_policy import BASE, ENGLISH, errors, policy

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
