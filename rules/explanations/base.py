"""The sections of the file that the examples are about."""

from __future__ import annotations

from typing import Final

NAME: Final = "计划: club\n"
FACTS: Final = NAME + "指标:\n  contacts: {次数: 联系走访}\n"
TIERS: Final = """等级:
  - {编号: member, 名称: 会员}
  - {编号: gold, 名称: 金卡客户, 满足: {contacts: {不低于: 2}}, 保级: {期限: 12 个月, 到期: 降一级}}
"""
CLUB: Final = FACTS + TIERS
WALLETS: Final = CLUB + "钱包:\n  credit: {名称: 配件款, 单位: 金额}\n  points: {名称: 积分, 单位: 积分}\n"
REWARD: Final = WALLETS + "奖励:\n  welcome: {名称: 欢迎礼, 当: 购机, 记入: credit, 奖励金额: 1000 元}\n"
POINTS: Final = "  tips: {名称: 欢迎礼, 当: 提供信息, 记入: points, 奖励金额: 50 积分}\n"
PARTS: Final = (
    "      - {事件: 购买配件, 时间: 2026-01-03, 单号: P1, 明细: [{物料号: A1, 类别: 配件, 数量: 1, 标价: 100 元}]}\n"
)
LEVELS: Final = (
    FACTS
    + TIERS.replace("会员}", "会员, 服务: clip}").replace("金卡客户,", "金卡客户, 服务: velcro,")
    + "服务级别:\n  clip: {名称: 夹子}\n  velcro: {名称: 尼龙搭扣}\n"
)
