"""Examples of the problems P3xx: values."""

from __future__ import annotations

from typing import Final

from rules.explanations.base import WALLETS
from rules.explanations.example import Example
from rules.explanations.pieces import (
    EVERY,
    EVERY_EN,
    NO_FACTS,
    fact,
    given,
    ladder,
    listed,
    price,
    reward,
    trait,
    wallet,
)

VALUES: Final[dict[str, Example]] = {
    "P301": Example("经理客户上限: ▲很多\n", "经理客户上限: 10\n"),
    "P302": Example("经理客户上限: ▲0\n", "经理客户上限: 10\n"),
    "P303": Example(given("奖励金额: ▲1000"), given("奖励金额: 1000 元"), WALLETS),
    "P304": Example(given("奖励金额: ▲1000 美元"), given("奖励金额: 1000 元"), WALLETS),
    "P305": Example(given("奖励金额: ▲面议"), given("奖励金额: 1000 元"), WALLETS),
    "P306": Example(given("奖励金额: ▲9.995 元"), given("奖励金额: 9.99 元"), WALLETS),
    "P307": Example(wallet("最高占比: ▲一半"), wallet("最高占比: 50%")),
    "P308": Example(price("实付: ▲95"), price("实付: 95折")),
    "P309": Example(price("实付: ▲95% off"), price("减: 5%")),
    "P310": Example(price("实付: ▲10折"), price("实付: 9折")),
    "P311": Example(fact("{次数: 联系走访, 最近: ▲一阵子}"), fact("{次数: 联系走访, 最近: 12 个月}"), NO_FACTS),
    "P312": Example("补录期限: {收银: ▲1 个月}\n", "补录期限: {收银: 30 天}\n"),
    "P313": Example(price("实付: 95折, 自: ▲2026-02-30"), price("实付: 95折, 自: 2026-02-28")),
    "P314": Example(
        trait("认定: {认定人: leader, 有效期: 12 个月, 非本人客户经理: ▲也许}"),
        trait("认定: {认定人: leader, 有效期: 12 个月, 非本人客户经理: 是}"),
    ),
    "P315": Example(
        given("奖励金额: 1000 元, 退货时: ▲按比利"), given("奖励金额: 1000 元, 退货时: 按比例"), WALLETS,
        english=(
            "rewards:\n  tip: {title: Tip, on: tip, into: credit, amount: 10 CNY, returns: ▲pro_rate}\n",
            "rewards:\n  tip: {title: Tip, on: tip, into: credit, amount: 10 CNY, returns: pro_rata}\n",
        ),
    ),
    "P316": Example(trait("满足: {客户分类: {▲不低于: benchmark}}"), trait("满足: {客户分类: benchmark}")),
    "P317": Example(
        reward("记入: points, 奖励金额: ▲1000 元"), reward("记入: points, 奖励金额: 1000 积分"), WALLETS
    ),
    "P318": Example("时区: ▲Asia/Beijing\n", "时区: Asia/Shanghai\n"),
    "P319": Example("币种: ▲CNX\n", "币种: CNY\n"),
    "P320": Example(
        "名称: ▲⟪长×2001⟫\n", EVERY, english=("title: ▲⟪x×2001⟫\n", EVERY_EN),
        shown=("名称: 长长长长长长长长…      # 2001 个字\n", "title: xxxxxxxxxxxxxxxx…      # 2001 characters\n"),
    ),
    "P321": Example(ladder("▲头一次: 1000 元, 之后: 无"), ladder("1: 1000 元, 之后: 无"), WALLETS),
    "P322": Example(
        "名称: ▲“金卡客户俱乐部”\n", '名称: "金卡客户俱乐部"\n',
        english=("title: ▲“Gold Card Club”\n", 'title: "Gold Card Club"\n'),
    ),
    "P323": Example(listed("contacts: ▲≥5"), listed("contacts: {不低于: 5}")),
}  # fmt: skip
