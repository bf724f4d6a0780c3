"""Examples of the problems P4xx: names that lead nowhere."""

from __future__ import annotations

from typing import Final

from rules.explanations.base import FACTS, LEVELS, REWARD, WALLETS
from rules.explanations.example import Example
from rules.explanations.pieces import (
    ABOVE_TIERS,
    EXAMPLE,
    GOLD,
    NO_FACTS,
    fact,
    listed,
    more,
    price,
    reward,
    trait,
    wallet,
)

REFERENCES: Final[dict[str, Example]] = {
    "P401": Example(
        fact("{次数: ▲联系走房}"), fact("{次数: 联系走访}"), NO_FACTS,
        english=("facts:\n  contacts: {count: ▲contcat}\n", "facts:\n  contacts: {count: contact}\n"),
    ),
    "P402": Example(
        fact("{次数: 联系走访, 条件: {▲渠到: phone}}"), fact("{次数: 联系走访, 条件: {渠道: phone}}"), NO_FACTS,
        english=("facts:\n  contacts: {count: contact, where: {▲chanel: phone}}\n",
                 "facts:\n  contacts: {count: contact, where: {channel: phone}}\n"),
    ),
    "P403": Example(
        fact("{次数: [联系走访, 提供信息], 条件: {▲主题: project}}"),
        fact("{次数: 提供信息, 条件: {主题: project}}"), NO_FACTS,
    ),
    "P404": Example(listed("▲contcats: {不低于: 5}"), listed("contacts: {不低于: 5}")),
    "P405": Example(
        trait("满足: {contacts: {不低于: 5}}") + listed("具备特点: ▲knwon"),
        trait("满足: {contacts: {不低于: 5}}") + listed("具备特点: known"),
    ),
    "P406": Example(price("适用: [▲glod], 实付: 95折"), price("适用: [gold], 实付: 95折")),
    "P407": Example(
        reward("记入: ▲crdeit, 奖励金额: 1000 元"), reward("记入: credit, 奖励金额: 1000 元"), WALLETS
    ),
    "P408": Example("客户分类对应级别: {key_account: ▲velcor}\n", "客户分类对应级别: {key_account: velcro}\n", LEVELS),
    "P409": Example(
        wallet("可付: [▲配见]"), wallet("可付: [配件]"),
        english=("wallets:\n  credit: {title: Credit, unit: money, pays_for: [▲part]}\n",
                 "wallets:\n  credit: {title: Credit, unit: money, pays_for: [parts]}\n"),
    ),
    "P410": Example(
        more("  tips: {次数: 提供信息}\n  growth: {比率: ▲tip, 对比: contacts}\n"),
        more("  tips: {次数: 提供信息}\n  growth: {比率: tips, 对比: contacts}\n"), NO_FACTS,
    ),
    "P411": Example(
        more("  years: {年限: ▲入行日子}\n"), more("  years: {年限: 入行日期}\n"), NO_FACTS,
        english=("facts:\n  contacts: {count: contact}\n  years: {years_since: ▲entered_trade}\n",
                 "facts:\n  contacts: {count: contact}\n  years: {years_since: entered_trade_on}\n"),
    ),
    "P412": Example(EXAMPLE.format("▲welcom"), EXAMPLE.format("welcome"), REWARD),
    "P413": Example(more("  ▲tips: {次数: 提供信息}\n"), more(""), NO_FACTS),
    "P414": Example(
        more("  a: {比率: b, 对比: contacts}\n  b: {比率: ▲a, 对比: contacts}\n"),
        more("  a: {比率: b, 对比: contacts}\n  b: {次数: 提供信息}\n"), NO_FACTS,
    ),
    "P415": Example(ABOVE_TIERS + GOLD.replace("gold", "▲member"), ABOVE_TIERS + GOLD, FACTS),
    "P416": Example(
        more("  spent: {合计: ▲品牌, 范围: 购机}\n"), more("  spent: {合计: 金额, 范围: 购机}\n"), NO_FACTS
    ),
    "P417": Example(
        "传递:\n  referral: {当: 货款到位, 送给: 介绍人, 产生: ▲联系走访}\n",
        "传递:\n  referral: {当: 货款到位, 送给: 介绍人, 产生: 促成购机}\n",
    ),
}  # fmt: skip
