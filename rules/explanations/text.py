"""Examples of the problems P1xx: the text is no clean YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rules.explanations.example import Example
from rules.explanations.pieces import EVERY, EVERY_EN, SMALL, SMALL_EN, deep, listed
from rules.policy import Mark
from rules.problems import Problem
from rules.source import MAX_NODES

TEXT: Final[dict[str, Example]] = {
    "P101": Example(
        "名称: {中文: 金卡客户俱乐部 英文▲: Gold Card Club}\n", "名称: {中文: 金卡客户俱乐部, 英文: Gold Card Club}\n",
        english=("title: {zh: Club en▲: Gold Card Club}\n", "title: {zh: Club, en: Gold Card Club}\n"),
    ),
    "P102": Example(
        "▲计划: club\n等级:\n  - {编号: member, 名称: 会员}\n", SMALL, above="", encoding="gbk",
        english=("programme: club\ntiers:\n  - {id: member, title: ▲会员}\n",
                 "programme: club\ntiers:\n  - {id: member, title: 会员}\n"),
    ),
    "P103": Example("名称: 金卡▲\ufeff客户俱乐部\n", EVERY, english=("title: Gold▲\ufeff Card Club\n", EVERY_EN)),
    "P104": Example(
        "⟪# 备注\n×19994⟫▲⟪# 备注\n×10⟫", "# 备注\n",
        english=("⟪# note\n×19994⟫▲⟪# note\n×10⟫", "# note\n"),
        shown=("# 备注\n# 备注\n# … 一共 20,010 行\n", "# note\n# note\n# … 20,010 lines\n"),
    ),
    "P105": Example(
        deep("名单", "名称", "满足", "常来往", "任一"), listed("任一: [{contacts: {不低于: 5}}]"),
        english=(deep("lists", "title", "when", "Often", "any"),
                 "lists:\n  often: {title: Often, when: {any: [{contacts: {at_least: 5}}]}}\n"),
    ),
    "P106": Example(
        "名单: [⟪x,×99997⟫▲x, x]\n", SMALL, above="", told=Problem("P106", Mark(1, 1), "", (str(MAX_NODES),)),
        english=("lists: [⟪x,×99997⟫▲x, x]\n", SMALL_EN),
        shown=("名单: [x, x, x, …]      # 10 万个\n", "lists: [x, x, x, …]      # 100,000 of them\n"),
    ),
    "P107": Example(
        "名称:\n▲\t中文: 金卡客户俱乐部\n", "名称:\n  中文: 金卡客户俱乐部\n",
        english=("title:\n▲\ten: Gold Card Club\n", "title:\n  en: Gold Card Club\n"),
    ),
    "P108": Example("名称▲：金卡客户俱乐部\n", EVERY, english=("title▲：Gold Card Club\n", EVERY_EN)),
    "P109": Example("名称▲:金卡客户俱乐部\n", EVERY, english=("title▲:Gold Card Club\n", EVERY_EN)),
    "P110": Example("名称: ▲&club 金卡客户俱乐部\n", EVERY),
    "P111": Example("名称: ▲*vip\n", '名称: "*vip"\n'),
    "P112": Example("名称: ▲!!str 金卡客户俱乐部\n", EVERY),
    "P113": Example(
        "▲<<: {名称: 金卡客户俱乐部}\n", EVERY, english=("▲<<: {title: Gold Card Club}\n", EVERY_EN)
    ),
    "P114": Example(
        "▲---\n名称: 金卡客户俱乐部\n", EVERY, english=("▲---\ntitle: Gold Card Club\n", EVERY_EN)
    ),
    "P115": Example(
        "? ▲[名称, 标题]\n: 金卡客户俱乐部\n", EVERY, english=("? ▲[title, name]\n: Gold Card Club\n", EVERY_EN)
    ),
    "P116": Example("▲# 还没有内容\n", SMALL, above="", english=("▲# nothing yet\n", SMALL_EN)),
    "P117": Example(
        "⟪备注: 无\n×499⟫▲⟪备注: 无\n×101⟫", "# 备注: 无\n",
        english=("⟪note: x\n×499⟫▲⟪note: x\n×101⟫", "# note: x\n"),
        shown=("备注: 无\n备注: 无\n# … 一共 600 行\n", "note: x\nnote: x\n# … 600 lines\n"),
    ),
    "P118": Example(
        "▲", SMALL, above="", english=("▲", SMALL_EN), path=Path("/"),
        shown=("tierengine policy check 政策/\n", "tierengine policy check policies/\n"),
    ),
    "P119": Example(
        '名称: ▲"金卡客户俱乐部\n', '名称: "金卡客户俱乐部"\n',
        english=('title: ▲"Gold Card Club\n', 'title: "Gold Card Club"\n'),
    ),
    "P120": Example(
        "名称:\n  中文: 金卡俱乐部\n▲ 英文: Gold Card Club\n", "名称:\n  中文: 金卡俱乐部\n  英文: Gold Card Club\n",
        english=("title:\n  zh: Club\n▲ en: Gold Card Club\n", "title:\n  zh: Club\n  en: Gold Card Club\n"),
    ),
    "P121": Example(
        "名称: ▲俱乐部: 金卡\n", '名称: "俱乐部: 金卡"\n',
        english=("title: ▲Club: Gold\n", 'title: "Club: Gold"\n'),
    ),
    "P122": Example(
        "币种: CNY▲# 人民币\n", "币种: CNY # 人民币\n",
        english=("currency: CNY▲# yuan\n", "currency: CNY # yuan\n"),
    ),
}  # fmt: skip
