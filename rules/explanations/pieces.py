"""Pieces of which the examples are made: frames that a key is put into, and what is shown of more than one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rules.explanations.base import NAME, TIERS
from rules.explanations.example import MARK


def _framed(frame: str) -> Callable[[str], str]:
    """Make what puts a piece in the place of the … of a frame."""
    return lambda piece: frame.replace("…", piece)


fact = _framed("指标:\n  contacts: …\n")
more = _framed("指标:\n  contacts: {次数: 联系走访}\n…")
listed = _framed("名单:\n  often: {名称: 常来往, 满足: {…}}\n")
trait = _framed("特点:\n  known: {名称: 常来往, …}\n")
wallet = _framed("钱包:\n  credit: {名称: 配件款, 单位: 金额, …}\n")
price = _framed("价格:\n  gold_price: {名称: 金卡价, 条件: {类别: 配件}, …}\n")
reward = _framed("奖励:\n  welcome: {名称: 欢迎礼, 当: 购机, …}\n")
award = _framed("评选:\n  best: {名称: 年度金牌, 适用: gold, 评分: {contacts: 1}, …}\n")
given = _framed("奖励:\n  welcome: {名称: 欢迎礼, 当: 购机, 记入: credit, …}\n")
ladder = _framed("奖励:\n  welcome: {名称: 欢迎礼, 当: 购机, 记入: credit, 第几次: {…}}\n")


def exampled(more: str) -> str:
    """Give an example of each tier, and what the gold member does besides."""
    contacts = "".join(
        f"      - {{事件: 联系走访, 时间: 2026-01-0{n}, 渠道: phone, 方向: ours, 状态: accepted}}\n" for n in (1, 2)
    )
    nobody = "  - {名称: 会员, 已知: [], 应得: {等级为: member}}\n"
    return f"示例:\n{nobody}  - 名称: 金卡客户\n    已知:\n{contacts}{more}    应得: {{等级为: gold}}\n"


def deep(lists: str, name: str, when: str, title: str, some: str) -> str:
    inside = f"{{{some}: [" * 14 + f"{{{some}: {MARK}[{{contacts: 5}}" + "]}" * 15
    return f"{lists}:\n  often: {{{name}: {title}, {when}: {inside}}}\n"


MANY: Final = fact("{次数: 联系走访}") + "⟪  n№: {次数: 联系走访}\n×201⟫"
KEEP: Final = "保级: {期限: 12 个月, 到期: 降一级}"
ABOVE_TIERS: Final = "等级:\n  - {编号: member, 名称: 会员}\n"
GOLD: Final = f"  - {{编号: gold, 名称: 金卡客户, 满足: {{contacts: {{不低于: 2}}}}, {KEEP}}}\n"
NO_FACTS: Final = NAME + TIERS
EVERY: Final = "名称: 金卡客户俱乐部\n"
EVERY_EN: Final = "title: Gold Card Club\n"
EXAMPLE: Final = (
    "示例:\n  - 名称: 购机送配件款\n    已知: [{{事件: 购机, 时间: 2026-02-01, 单号: M1, 金额: 860000 元}}]\n"
    "    应得: {{得到: {{{}: 1000 元}}}}\n"
)
SMALL: Final = "计划: club\n等级:\n  - {编号: member, 名称: 会员}\n"
SMALL_EN: Final = "programme: club\ntiers:\n  - {id: member, title: Member}\n"
