"""Words that a dealer would rather write than those of the language: 折扣 for 实付, 机油 for 油品, 大于等于 for 不低于.

They are never taken, since they may mean more than one thing (满 and 最多, 修理 on a line and as an order): whoever
writes one is asked whether he meant the word that the language has.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from rules.values import plain

# The word of the language → what people say. What stands earlier wins where two of them may stand.
_SAID: Final[tuple[tuple[str, str], ...]] = (
    # comparisons
    ("at_least", "大于等于 大于或等于 不小于 不少于 至少 最少 达到 满 >= ≥ 以上"),
    ("more_than", "大于 高于 多于 >"),
    ("at_most", "小于等于 小于或等于 不大于 不超过 至多 最多 <= ≤ 以下"),
    ("less_than", "小于 低于 不满 不到 不足 <"),
    ("is", "等于 为 ="),
    ("is_not", "不等于 不为 非"),
    ("in", "包含 包括 其中之一"),
    ("not_in", "不包含 不包括 除了"),
    ("all", "且 并且 同时 同时满足 都满足 都"),
    ("any", "或 或者 满足其一 任一个 之一"),
    ("none", "非 不含 都不是 且不"),
    # keys
    ("id", "编码 代码 代号 标识"),
    ("title", "名字 标题 叫法"),
    ("programme", "方案 项目 计划名称"),
    ("facts", "数据 统计"),
    ("traits", "特征 特性"),
    ("tiers", "会员等级 级别"),
    ("wallets", "账户 帐户"),
    ("prices", "会员价 折扣 优惠"),
    ("rewards", "奖励规则 赠送 返利"),
    ("awards", "年度评选 奖项"),
    ("examples", "例子 样例"),
    ("levels", "服务等级 服务"),
    ("segments", "客户分类"),
    ("budgets", "预算 总预算"),
    ("when", "要求 升级条件 条件"),
    ("unless", "不含 例外 除外"),
    ("keep", "有效期 期限 保级期"),
    ("grace", "宽限期"),
    ("then", "到期后 过期后"),
    ("for", "等级 会员等级 对象 适用等级 适用对象 期限 有效期"),
    ("level", "服务级别"),
    ("within", "时间 窗口 期间 时长 期限 响应时间"),
    ("of", "事件 来源"),
    ("sum", "总和 总额 累计 求和"),
    ("count", "个数 笔数 单数"),
    ("pay", "折扣 打折 折 折数 优惠 付"),
    ("off", "减免 直减 优惠"),
    ("fixed", "固定价 特价 单价"),
    ("less", "满减 减价"),
    ("free", "买赠 赠品 买送"),
    ("where", "商品 适用商品 适用范围 范围 限定"),
    ("minimum_order", "满 订单满 最低金额 门槛 满额"),
    ("on", "触发 事件 时机"),
    ("amount", "奖励 赠送 金额 奖金 数额"),
    ("per", "按金额 每满 比例"),
    ("nth", "次数 台阶 阶梯 第几台"),
    ("into", "钱包 存入 发到 账户 计入"),
    ("expires", "有效期 过期 期限 有效"),
    ("settle", "冻结期 待生效 延迟"),
    ("caps", "上限 每年最多 每月最多 最多 限额 限制"),
    ("exclusive", "不同享 不叠加 二选一"),
    ("minimum_spend", "满 起订 门槛 满额"),
    ("from", "开始 起 开始日期 起始 生效日期"),
    ("until", "结束 止 截止 结束日期 终止 截止日期"),
    ("weekdays", "周几 星期几"),
    ("period", "周期单位 每"),
    ("pays_for", "可用于 用途 使用范围 适用"),
    ("max_share", "最多抵 抵扣比例 比例"),
    ("by", "由谁认定 谁认定 职务"),
    ("valid", "期限 有效时间"),
    ("countersigned_by", "复核人 审批人"),
    ("owner", "责任人 谁负责 负责"),
    ("every", "周期 频率 频次"),
    ("done_by", "完成 完成条件"),
    ("quota", "次数 限额 数量"),
    ("winners", "人数 名次 获奖人数"),
    ("prize", "奖品 奖金 奖励"),
    ("measure", "排名 按什么"),
    ("ties", "并列"),
    ("given", "假设 前提 条件"),
    ("expect", "结果 期望 预期"),
    ("at", "日期 发生时间"),
    ("limit", "上限 最多"),
    # words
    ("money", "元 人民币 钱 CNY 现金"),
    ("points", "分 点"),
    ("life", "永久 长期 一生 一辈子 永远 历来"),
    ("year", "一年 年 年度 按年"),
    ("quarter", "一季 季 季度 按季"),
    ("month", "一个月 月 按月"),
    ("day", "一天 天 按天 每日"),
    ("year_end", "当年底 年末 12月31日"),
    ("month_end", "月末"),
    ("end_of_next_year", "明年底 第二年底 次年末"),
    ("none", "没有 不限 零"),
    ("unlimited", "无限 无限制 不限次 没有限制 任意"),
    ("one_down", "降级 下降一级 降一档"),
    ("as_facts_say", "按条件 重新评定 重新定级"),
    ("automatic", "自动晋级 自动升级"),
    ("confirmed", "人工 人工确认 需确认 审批 手动"),
    ("floor", "向下取整 抹零 去尾 舍 取整"),
    ("half_up", "四舍五入到分 进位"),
    ("owned", "自己的 自购 自有设备"),
    ("before", "升级前"),
    ("after", "升级后 以后 其后 后面"),
    ("this_year", "本年 当年 本年度"),
    ("last_year", "上年 上一年"),
    # categories of a line
    ("lubricant", "机油 润滑油 润滑油脂 液压油 黄油 油脂"),
    ("parts", "零件 零配件 备件 滤芯"),
    ("labour", "修理 维修 工时费 人工 服务费"),
    ("fuel", "柴油 汽油 加油"),
    ("tyre", "轮子 外胎"),
    ("rental", "租金 出租 租机"),
    ("freight", "运输 物流 邮费"),
    ("attachment", "附件"),
    # kinds of events
    ("machine_purchase", "买车 购车 购买设备 买机 购置 整机销售 购买整机 交机"),
    ("purchase_settled", "付款 付清 结清 回款 到账 付全款"),
    ("parts_purchase", "配件 买配件 购买零件 配件销售 配件订单 消费"),
    ("repair_purchase", "维修 修理单 维修服务"),
    ("machine_returned", "退机 收车 退车"),
    ("sale_returned", "退配件 配件退货"),
    ("machine_brought_about", "转介绍 介绍 推荐 介绍购机 转介绍成交"),
    ("referral_registered", "报备"),
    ("contact", "联系 走访 拜访 回访 电话"),
    ("tip", "信息"),
    ("repair_requested", "报修单"),
    ("gift_sent", "贺卡 礼包"),
    ("survey_answered", "满意度调查 调查"),
    ("card_issued", "办卡 制卡"),
    ("activity_attended", "活动"),
    # fields
    ("serial", "机号 车架号 序列号 设备编号 出厂编号"),
    ("list", "价格 单价 原价 总价"),
    ("qty", "件数 个数 台数"),
    ("item", "配件号 件号 零件号 品名"),
    ("cash", "实付 现金"),
    ("category", "种类 分类"),
    ("size", "大小 吨位 机型"),
    ("machine_kind", "设备类型 机种类别 机械"),
    ("delivered_on", "交付日期 提机日期"),
    ("referrer", "推荐人"),
    ("buyer", "被介绍人 购机人"),
    ("used", "二手机"),
)


def _inverted() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for word, said in _SAID:
        for one in said.split():
            found[one] = (*found.get(one, ()), word)
    return found


_MEANT: Final = _inverted()


def said_for(text: str, allowed: Collection[str]) -> str:
    """Return the word among `allowed` that people say as `text`; "" when there is none."""
    return next((word for word in _MEANT.get(plain(text), ()) if word in allowed), "")
