"""A long policy, for what must stay quick: as many lines as asked for, of every kind of rule, all different."""

from __future__ import annotations

from itertools import count

_HEAD = """计划: 大代理商
等级:
  - {编号: customer, 名称: 客户, 服务: level0}
  - {编号: gold, 名称: 金卡客户, 服务: level0, 满足: {特点: {不低于: 2}}, 保级: {期限: 12 个月, 到期: 降一级}}
钱包:
  credit:
    名称: 配件款
    单位: 金额
    可付: [配件]
"""


def _fact(n: int) -> str:
    return f"""  fact{n}:
    名称: 近 {n % 24 + 1} 个月的第 {n} 个数
    合计: 金额
    范围: [购买配件, 修理]
    条件: {{类别: {{属于: [配件, 工时]}}}}
    最近: {n % 24 + 1} 个月
"""


def _trait(n: int) -> str:
    return f"""  trait{n}:
    名称: 第 {n} 个特点      # 建议值,非原文：请按本公司的账本调整
    满足:
      任一:
        - fact{n % 120}: {{不低于: {n + 1} 元}}
        - 全部:
            - fact{(n + 1) % 120}: {{超过: {n} 元}}
            - machines_owned: {{不低于: {n % 5 + 1}}}
"""


def _reward(n: int) -> str:
    return f"""  reward{n}:
    名称: 第 {n} 种奖励
    当: 购买配件
    条件:
      全部:
        - 类别: {{属于: [配件, 油品]}}
        - 金额: {{不低于: {n + 1} 元}}
        - 都不: [{{特价: 是}}]
    满足: {{fact{n % 120}: {{不低于: {n} 元}}}}
    适用: [gold]
    奖励金额: {n + 1} 元
    记入: credit
    封顶: {{每年: {100 * n + 100} 元}}
    等待: {n % 60} 天
"""


def _price(n: int) -> str:
    return f"""  price{n}:
    名称: 第 {n} 种价格
    适用: [gold]
    条件: {{物料号: A{n}}}
    起订: {n + 1} 元
    实付: {n % 9 + 90}折
"""


def _level(n: int) -> str:
    line = "      duty{0}: {{名称: 第 {0} 件事, 当: 报修, 时限: {0} 小时, 负责人: leader}}\n"
    duties = "".join(line.format(one) for one in range(1, 11))
    return f"  level{n}:\n    名称: 第 {n} 级\n    应尽服务:\n{duties}"


def _example(n: int) -> str:
    return f"""  - 名称: 第 {n} 个示例
    已知:
      - {{事件: 购机, 时间: 2026-01-05, 单号: M{n}, 整机编号: S{n}, 规格: medium, 金额: 860000 元}}
      - 事件: 购买配件
        时间: 2026-02-01 09:30
        单号: P{n}
        明细: [{{物料号: A{n}, 类别: 配件, 数量: 1, 标价: 1 元, 金额: 1 元, 现金实付: 1 元}}]
    应得: {{等级为: customer, 余额: {{credit: 0 元}}}}
"""


def long_policy(lines: int = 6_000) -> str:
    """Return a policy of at least so many lines, that reads without an error."""
    sections = {
        "指标": ["  machines_owned: {设备台数: 自有}\n", *map(_fact, range(120))], "特点": [], "奖励": [], "价格": [],
        "服务级别": [], "示例": [],
    }  # fmt: skip
    makers = {"特点": _trait, "奖励": _reward, "价格": _price, "服务级别": _level, "示例": _example}
    most = {"特点": 60, "奖励": 100, "价格": 100, "服务级别": 20}
    written = _HEAD.count("\n") + sum(part.count("\n") for part in sections["指标"])
    for n in count():
        for section, make in makers.items():
            if n < most.get(section, lines):
                sections[section].append(make(n))
                written += sections[section][-1].count("\n")
        if written >= lines:
            return _HEAD + "".join(f"{section}:\n{''.join(parts)}" for section, parts in sections.items())
    raise AssertionError
