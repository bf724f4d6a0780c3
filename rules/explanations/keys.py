"""Examples of the problems P2xx: keys."""

from __future__ import annotations

from typing import Final

from rules.explanations.base import WALLETS
from rules.explanations.example import Example
from rules.explanations.pieces import NO_FACTS, fact, given, listed, more

KEYS: Final[dict[str, Example]] = {
    "P201": Example(
        "▲名但:\n  often: {名称: 常来往, 满足: {contacts: {不低于: 5}}}\n", listed("contacts: {不低于: 5}"),
        english=("▲list:\n  often: {title: Often, when: {contacts: {at_least: 5}}}\n",
                 "lists:\n  often: {title: Often, when: {contacts: {at_least: 5}}}\n"),
    ),
    "P202": Example(
        "名称: 金卡客户俱乐部\n▲title: Gold Card Club\n", "名称: {中文: 金卡客户俱乐部, 英文: Gold Card Club}\n",
        english=("title: Gold Card Club\n▲名称: 金卡客户俱乐部\n", "title: {zh: 金卡客户俱乐部, en: Gold Card Club}\n"),
    ),
    "P203": Example(
        "奖励:\n  welcome: ▲{名称: 欢迎礼, 当: 购机, 奖励金额: 1000 元}\n",
        given("奖励金额: 1000 元"), WALLETS,
    ),
    "P204": Example("名单: ▲[常来往]\n", "名单:\n  常来往: {满足: {contacts: {不低于: 5}}}\n"),
    "P205": Example(fact("{次数: 联系走访, ▲有记录月数: 联系走访}"), fact("{有记录月数: 联系走访}"), NO_FACTS),
    "P206": Example(fact("▲{名称: 联系次数}"), fact("{名称: 联系次数, 次数: 联系走访}"), NO_FACTS),
    "P207": Example(
        "名单:\n  ▲5次以上: {满足: {contacts: {不低于: 5}}}\n", "名单:\n  五次以上: {满足: {contacts: {不低于: 5}}}\n"
    ),
    "P208": Example("币种:▲\n", "币种: CNY\n"),
    "P209": Example(more("  ▲客户分类: {次数: 购机}\n"), more("  购机台数: {次数: 购机}\n"), NO_FACTS),
    "P210": Example(fact("{次数: 联系走访, ▲范围: 联系走访}"), fact("{次数: 联系走访}"), NO_FACTS),
    "P211": Example(
        "名称: {中文: 金卡,▲会员, 英文: Club}\n", '名称: {中文: "金卡,会员", 英文: Club}\n'
    ),
    "P212": Example(
        listed("任一: [⟪{contacts: 1}, ×1000⟫▲{contacts: 2}]"), listed("contacts: {不低于: 1}"),
        shown=("名单:\n  often: {满足: {任一: [{contacts: 1}, {contacts: 1}, …]}}      # 1001 条\n",
               "lists:\n  often: {when: {any: [{contacts: 1}, {contacts: 1}, …]}}      # 1001 of them\n"),
    ),
}  # fmt: skip
