"""Of every price and reward that a quote does not give: what was observed and what is required, on both databases."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.test_api_book import Till, moment, serving

POLICY = """
计划: case
等级: [{编号: customer, 名称: 客户}]
钱包:
  w: {名称: 配件款, 单位: 金额, 可付: [parts]}
  p: {名称: 积分, 单位: 积分}
通道:
  best: {取舍: 取高}
  first: {取舍: 按优先}
价格:
  five: {名称: 九五折, 条件: {物料号: {属于: [A, T]}}, 减: 5%}
  ten: {名称: 九折, 条件: {物料号: A}, 减: 10%}
  tie: {名称: 也九折, 条件: {物料号: {属于: [A, K]}}, 减: 10%}
  dear: {名称: 定价, 条件: {物料号: D}, 一口价: 500 元}
  apart: {名称: 另算, 条件: {物料号: {属于: [A, G]}}, 减: 1%, 所在通道: best, 不同享: [ten], 起订: 200 元}
  early: {名称: 早鸟, 条件: {物料号: F}, 减: 5%, 所在通道: first, 优先: 1}
  late: {名称: 晚鸟, 条件: {物料号: F}, 减: 10%, 所在通道: first, 优先: 2}
  pair: {名称: 搭买, 条件: {物料号: B}, 减: 5%, 同单另有: {物料号: 缺}}
奖励:
  steps: {名称: 阶梯, 当: 购买配件, 第几次: {1: 10 元, 3: 30 元, 之后: 无}, 计数: 全部, 记入: w}
  monthly: {名称: 月封, 当: 购买配件, 按额: {给: 1 积分, 每: 10 元}, 封顶: {每月: 15 积分}, 记入: p}
  twice: {名称: 限次, 当: 购买配件, 奖励金额: 1 积分, 封顶: {终身: 1 次}, 记入: p}
  big: {名称: 大单, 当: 购买配件, 按额: {给: 1 积分, 每: 1000 元}, 记入: p}
  lower: {名称: 小奖, 当: 购买配件, 奖励金额: 2 积分, 所在通道: best, 记入: p}
  higher: {名称: 大奖, 当: 购买配件, 奖励金额: 3 积分, 所在通道: best, 记入: p}
  second: {名称: 其二, 当: 购买配件, 奖励金额: 9 积分, 所在通道: first, 优先: 2, 记入: p}
  one: {名称: 其一, 当: 购买配件, 奖励金额: 1 积分, 所在通道: first, 优先: 1, 记入: p}
  once: {名称: 只一次, 当: 购买配件, 奖励金额: 7 积分, 互斥: {组: g, 按: 每人, 优先: 1, 取舍: 取高}, 记入: p}
  other: {名称: 另一样, 当: 购买配件, 奖励金额: 6 积分, 互斥: {组: g, 按: 每人, 优先: 2, 取舍: 取高}, 记入: p}
  classed: {当: 购买配件, 按类别: [{类别: x, 条件: {物料号: X}, 奖励金额: 5 积分}], 奖励金额: 0 积分, 记入: p}
  shared: {名称: 共享, 当: 购买配件, 奖励金额: 4 积分, 记入: p}
  mine: {名称: 自己的, 当: 购买配件, 奖励金额: 4 积分, 记入: p}
总额控制:
  everybody: {名称: 总盘子, 限额: 4 积分, 周期: 每年, 控制范围: 全体, 奖励: [shared]}
  himself: {名称: 个人盘子, 限额: 4 积分, 周期: 每年, 控制范围: 本人, 奖励: [mine]}
"""


@pytest.fixture
def till(book_url):
    with serving(book_url, policy=POLICY) as till:
        yield till


def line(item: str, amount: int = 10_000, **more: Any) -> dict[str, Any]:
    return {"item": item, "category": "parts", "list": amount, **more}


def asked(till: Till, *lines: dict[str, Any], lang: str = "zh", **more: Any) -> dict[str, Any]:
    answer = till.post("/v1/quotes", {"member": "C1", "lines": list(lines), **more}, lang=lang)
    assert answer.status_code == 200, answer.text
    return answer.json()


def prices(found: dict[str, Any], place: int = 0) -> dict[str, dict[str, Any]]:
    return {one["rule"]: one for one in found["prices"] if one["line"] == place}


def of(one: dict[str, Any]) -> tuple[Any, ...]:
    test = one["condition"]
    assert not test["ok"]
    assert test["sentence"] == one["why"]
    return one["code"], test["observed"], test["op"], test["required"], test["unit"], test.get("rule")


def test_a_price_that_another_beats_says_which_and_by_how_much(till: Till):
    told = prices(asked(till, line("A")))
    assert told["ten"]["applied"]
    assert of(told["five"]) == ("better_price", 9_500, "less_than", 9_000, "money", "ten")
    assert told["five"]["why"] == "「九折」更低：90 元，按它要 95 元"
    assert of(told["tie"]) == ("better_price", 9_000, "less_than", 9_000, "money", "ten")
    assert told["tie"]["why"] == "与「九折」一样，都是 90 元"
    assert of(told["apart"]) == ("not_with", "ten", "not_in", ["ten"], "text", "ten")


def test_a_price_that_takes_nothing_off_and_one_that_comes_second_say_so(till: Till):
    dear = prices(asked(till, line("D")))["dear"]
    assert of(dear) == ("nothing_off", 50_000, "less_than", 10_000, "money", None)
    assert dear["why"] == "按它要 500 元，没有便宜"
    late = prices(asked(till, line("F")))
    assert late["early"]["applied"]
    assert of(late["late"]) == ("priority", 2, "at_most", 1, "count", "early")
    assert of(prices(asked(till, line("B")))["pair"]) == ("beside", 0, "at_least", 1, "count", None)


def test_a_minimum_is_over_the_lines_that_no_other_price_keeps_from_it(till: Till):
    """Of two lines that it goes on one has the price that it does not go with: what is left is below its minimum."""
    told = prices(asked(till, line("A"), line("G")), 1)["apart"]
    assert of(told) == ("minimum_order", 10_000, "at_least", 20_000, "money", None)
    assert prices(asked(till, line("G", 20_000)))["apart"]["applied"]


def test_a_reward_that_gives_nothing_says_how_far_it_is_from_something(till: Till):
    first = {one["rule"]: one for one in asked(till, line("Z", 20_000))["rewards"]}
    assert (first["steps"]["amount"], first["monthly"]["amount"], first["once"]["amount"]) == (1_000, 15, 7)
    assert of(first["big"]) == ("too_little", 20_000, "at_least", 100_000, "money", None)
    assert first["big"]["why"].endswith("要满 1,000 元，现有 200 元")
    assert of(first["lower"]) == ("lane", 2, "more_than", 3, "points", "higher")
    assert first["lower"]["why"] == "已给「大奖」3 分，只给一样"
    assert of(first["second"]) == ("lane", 2, "at_most", 1, "count", "one")
    assert of(first["other"]) == ("exclusive", 6, "more_than", 7, "points", "once")
    assert of(first["classed"]) == ("class", "Z", "is", "X", "text", None)

    sold = {"member": "C1", "order": "P1", "occurred_at": moment(), "lines": [line("Z", 20_000)]}
    assert till.post("/v1/sales", sold).status_code == 201
    then = {one["rule"]: one for one in asked(till, line("Z", 20_000))["rewards"]}
    today = datetime.now(ZoneInfo("Asia/Shanghai"))
    assert of(then["steps"]) == ("ladder", 2, "at_least", 3, "count", None)
    assert then["steps"]["why"] == "这是第 2 次，第 3 次才有"
    assert of(then["monthly"]) == ("cap", 15, "less_than", 15, "points", None)
    cap = then["monthly"]["condition"]
    assert (cap["left"], cap["period"], cap["window"]) == (0, "month", f"{today:%Y-%m}")
    assert then["monthly"]["why"] == f"每月封顶 15 分，已得 15 分，还剩 0 分（{today:%Y-%m}）"
    assert of(then["twice"]) == ("cap", 1, "less_than", 1, "count", None)
    assert of(then["once"]) == ("exclusive", "once", "is", None, "text", "once")
    assert of(then["other"]) == ("exclusive", "once", "is", None, "text", "once")
    assert then["other"]["why"] == "已由「只一次」奖励过，只给一样"
    assert of(then["shared"]) == ("budget", 4, "less_than", 4, "points", None)
    assert then["shared"]["why"] == f"「总盘子」每年 4 分，已给 4 分，还剩 0 分（{today:%Y}）"
    assert of(then["mine"]) == ("budget", 4, "less_than", 4, "points", None)
    assert then["mine"]["why"].startswith("「个人盘子」")

    for number in (2, 3):
        sold |= {"order": f"P{number}", "occurred_at": moment()}
        assert till.post("/v1/sales", sold).status_code == 201
    over = {one["rule"]: one for one in asked(till, line("Z"), lang="en")["rewards"]}
    assert of(over["steps"]) == ("ladder", 4, "at_most", 3, "count", None)
    assert over["steps"]["why"] == "this is number 4; up to number 3 earn"
    assert (
        over["monthly"]["why"] == f"at most 15 points a month; 15 points earned already, 0 points left ({today:%Y-%m})"
    )


def test_the_same_is_told_of_a_members_last_event(till: Till):
    sold = {"member": "C1", "order": "P1", "occurred_at": moment(), "lines": [line("Z", 500)]}
    assert till.post("/v1/sales", sold).status_code == 201
    told = {one["rule"]: one for one in till.get("/v1/members/C1").json()["last_event"]["rewards"]}
    assert of(told["monthly"]) == ("too_little", 500, "at_least", 1_000, "money", None)
    assert of(told["lower"]) == ("lane", 2, "more_than", 3, "points", "higher")


def test_no_order_is_without_its_reasons(sqlite_book_url):
    """Whatever is bought together: each price and each reward that gives nothing has its test, and none holds."""
    chance = random.Random(11)
    with serving(sqlite_book_url, policy=POLICY) as till:
        for number in range(40):
            lines = [
                line(chance.choice("ATKDGFBXZ"), chance.choice((0, 1, 9_999, 10_000, 20_000)), qty=chance.randint(1, 3))
                for _ in range(chance.randint(1, 4))
            ]
            found = asked(till, *lines)
            for one in (*found["prices"], *found["rewards"]):
                if one["code"] not in ("applied", "granted"):
                    of(one)
                    assert one["condition"]["observed"] is not None or one["condition"]["required"] is None
            if number % 4 == 0:
                sold = {"member": f"C{1 + number % 3}", "order": f"P{number}", "occurred_at": moment(), "lines": lines}
                assert till.post("/v1/sales", sold).status_code == 201
