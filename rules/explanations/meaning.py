"""Examples of the problems P5xx: what is said makes no sense."""

from __future__ import annotations

from typing import Final

from rules.explanations.base import CLUB, FACTS, PARTS, POINTS, REWARD, WALLETS
from rules.explanations.example import Example
from rules.explanations.pieces import (
    ABOVE_TIERS,
    GOLD,
    KEEP,
    MANY,
    NO_FACTS,
    award,
    exampled,
    fact,
    given,
    ladder,
    listed,
    price,
    reward,
    trait,
)
from rules.unexercised import unexercised, without_examples

MEANING: Final[dict[str, Example]] = {
    "P501": Example(
        ABOVE_TIERS.replace("会员}", "会员, ▲满足: {contacts: {不低于: 1}}}") + GOLD, ABOVE_TIERS + GOLD, FACTS
    ),
    "P502": Example(
        ABOVE_TIERS + f"  - ▲{{编号: gold, 名称: 金卡客户, {KEEP}}}\n", ABOVE_TIERS + GOLD, FACTS
    ),
    "P503": Example(
        trait("满足: {contacts: {不低于: 5}}") + listed("特点: {不低于: ▲2}"),
        trait("满足: {contacts: {不低于: 5}}") + listed("特点: {不低于: 1}"),
    ),
    "P504": Example(
        ladder("1-2: 1000 元, ▲2: 1500 元, 之后: 无"), ladder("1: 1000 元, 2: 1500 元, 之后: 无"), WALLETS
    ),
    "P505": Example(
        ladder("1: 1000 元, ▲3: 1500 元, 之后: 无"), ladder("1: 1000 元, 2-3: 1500 元, 之后: 无"), WALLETS
    ),
    "P506": Example(
        ladder("1: 1000 元, ▲3-2: 1500 元, 之后: 无"), ladder("1: 1000 元, 2-3: 1500 元, 之后: 无"), WALLETS
    ),
    "P507": Example(price("实付: ▲105%"), price("实付: 95%")),
    "P508": Example(
        price("实付: 95折, 自: 2026-02-01, 至: ▲2026-01-31"), price("实付: 95折, 自: 2026-01-01, 至: 2026-01-31")
    ),
    "P509": Example(price("实付: ▲5%"), price("实付: 95%")),
    "P510": Example(
        ABOVE_TIERS + f"  - {{编号: silver, 名称: 银卡, 满足: {{contacts: {{不低于: 5}}}}, {KEEP}}}\n"
        + GOLD.replace("gold", "▲gold"),
        ABOVE_TIERS + f"  - {{编号: silver, 名称: 银卡, 满足: {{contacts: {{不低于: 1}}}}, {KEEP}}}\n" + GOLD,
        FACTS,
    ),
    "P511": Example(
        given("奖励金额: 1000 元, 互斥: {组: machine, 按: 整机编号}").replace("welcome", "▲welcome"),
        given("奖励金额: 1000 元"), WALLETS,
    ),
    "P512": Example(
        award("名额: {比例: 20%, ▲不低于: 10, 不高于: 3}, 奖品价值: 5000 元, 预算: 50000 元"),
        award("名额: {比例: 20%, 不低于: 3, 不高于: 10}, 奖品价值: 5000 元, 预算: 50000 元"),
    ),
    "P513": Example(
        award("名额: {比例: 20%, 不低于: 3, 不高于: 10}, 奖品价值: 5000 元, 预算: ▲10000 元"),
        award("名额: {比例: 20%, 不低于: 3, 不高于: 10}, 奖品价值: 5000 元, 预算: 50000 元"),
    ),
    "P514": Example(trait("满足: {▲特点: {不低于: 1}}"), trait("满足: {contacts: {不低于: 5}}")),
    "P515": Example(listed("contacts: ▲{不低于: 5, 少于: 5}"), listed("contacts: {不低于: 5, 少于: 10}")),
    "P516": Example(
        reward("记入: credit, 第几次: ▲{1: 1000 元}"), ladder("1: 1000 元, 之后: 无"), WALLETS
    ),
    "P517": Example("钱包:\n  ▲credit: {单位: 金额}\n", "钱包:\n  credit: {名称: 配件款, 单位: 金额}\n"),
    "P518": Example(
        price("实付: 9折") + "  ▲parts_price: {名称: 配件价, 条件: {类别: 配件}, 适用: gold, 实付: 95折}\n",
        price("实付: 95折") + "  parts_price: {名称: 配件价, 条件: {类别: 配件}, 适用: gold, 实付: 9折}\n",
    ),
    "P519": Example(
        ABOVE_TIERS + GOLD.replace("保级", "取代: ▲member, 保级"),
        ABOVE_TIERS + GOLD.replace("保级", "取代: vip, 保级"), FACTS,
    ),
    "P520": Example(
        given("按额: {给: ▲3%, 基数: 金额}"), given("按额: {给: 3%, 基数: 金额, 取整: 四舍五入}"), WALLETS
    ),
    "P521": Example(
        MANY + "名单:\n  ▲often: {名称: 常来往, 满足: {任一: [⟪{n№: 5}, ×201⟫{contacts: 5}]}}\n",
        fact("{次数: 联系走访}") + listed("contacts: {不低于: 5}"), NO_FACTS,
        shown=("名单:\n  often: {满足: {任一: [{n0: 5}, {n1: 5}, …]}}      # 201 个不同的指标\n",
               "lists:\n  often: {when: {any: [{n0: 5}, {n1: 5}, …]}}      # 201 different facts\n"),
    ),
    "P522": Example(
        "名单:\n  ▲often: {名称: 常来往, 满足: {全部: [{contacts: {不低于: 5}}, {contacts: {少于: 3}}]}}\n",
        listed("全部: [{contacts: {不低于: 3}}, {contacts: {少于: 5}}]"),
    ),
    "P523": Example(
        "名单:\n  ▲often: {名称: 常来往, 满足: {contacts: {不低于: 0}}}\n", listed("contacts: {不低于: 1}")
    ),
    "P530": Example(
        "总额控制:\n  ▲all: {限额: 9 次, 奖励: welcome}\n",
        "总额控制:\n  all: {限额: 9 次, 控制范围: 本人, 奖励: welcome}\n", REWARD,
    ),
    "P531": Example(
        POINTS + "总额控制:\n  all: {限额: 9 元, 控制范围: 本人, 奖励: ▲[welcome, tips]}\n",
        POINTS + "总额控制:\n  all: {限额: 9 元, 控制范围: 本人, 奖励: welcome}\n", REWARD,
    ),
    "P532": Example(
        fact("{次数: 购机, 条件: {置换旧机编号: ▲无}}"), fact("{次数: 购机, 条件: {置换旧机编号: 有}}"), NO_FACTS,
        (
            "facts:\n  contacts: {count: machine_purchase, where: {trade_in_serial: ▲none}}\n",
            "facts:\n  contacts: {count: machine_purchase, where: {trade_in_serial: present}}\n",
        ),
    ),
    "P524": Example(
        price("实付: 95折, 至: 2025-12-31").replace("gold_price", "▲gold_price"), price("实付: 95折, 至: 2026-12-31")
    ),
    "P525": Example(
        "价格:\n  ▲gold_price: {名称: 金卡价, 适用: gold, 条件: {类别: 配件}, 实付: 95折}\n" + exampled(""),
        "价格:\n  gold_price: {名称: 金卡价, 适用: gold, 条件: {类别: 配件}, 实付: 95折}\n" + exampled(PARTS),
        run=lambda policy: unexercised({"prices": {"gold_price": policy.prices["gold_price"].mark}}, 2, 3),
    ),
    "P526": Example(
        "▲" + CLUB, CLUB + exampled(""), "", run=lambda _: without_examples(2),
    ),
    "P527": Example(
        fact("{次数: 购机, 条件: {规格: ▲大型}}"), fact("{次数: 购机, 条件: {规格: large}}"), NO_FACTS,
    ),
}  # fmt: skip
