"""The two tongues of the policy file: every canonical English key and word with its Chinese spelling.

A file may use either, mixed. Keys are unique per section in both tongues, so that conversion loses nothing.
The grammar by section (`rules.reader` reads it, the JSON Schema and the documentation are made from it):

programme: id            title: text | {zh, en}        currency: CNY          timezone: Asia/Shanghai
returned_as: return | cancelled
late: {till: 7 days, erp: 400 days}                    manager_limit: 10     price_token: 15 minutes
offline_slip: 24 hours
facts:    id: {HOW: kind | [kinds] | field, of: kinds, field: f, where: {field: test}, WINDOW, title, unit}
          HOW is one of count, quantity, sum, max, min, distinct, months_with, days_since_first, days_since_last,
          years_since_first, years_since_last, days_since, years_since, days_to_anniversary,
          months_to_anniversary, fleet, ratio. `sum`, `max`, `min`, `distinct` name the field and take `of: kinds`;
          the others name the kinds; `days_since`, `years_since`, `…_to_anniversary` name a date attribute;
          `fleet: owned`; `ratio: {…fact…}` with `to: {…fact…}` or fact ids. `checked_within: 12 months` is
          the window of a fleet. What is handed in counts once accepted; `where: {status: submitted}` counts what still
          waits, `where: {status: [submitted, accepted]}` both.
          WINDOW is one of within: 12 months | preceding: 12 months | in: this_year (last_year, this_quarter,
          last_quarter, this_month, last_month, since_tier); none = always.
traits:   id: {title, when: CONDITION, attested: {by: [roles], countersigned_by: [roles], not_own_manager: yes,
          valid: 12 months}}; in place of `when`, degrees: [{id, title, when: CONDITION}], lowest first
tiers:    - {id, title, level, when: CONDITION, unless: CONDITION, promotion: automatic | confirmed,
          confirm_within: 90 days, returns_undo: 30 days, replaces: [ids],
          keep: {for: 12 months, to: month_end | year_end | end_of_next_year, grace: 90 days,
          then: one_down | as_facts_say} | life}; of `for` and `to` one or both
lists:    id: {title, when: CONDITION} | {title, of: tier, short: 1}
segments: segment: level id
wallets:  id: {title, unit: money | points, pays_for: [categories], max_share: 100%, block, minimum,
          expires: {after: 24 months, to: month_end} | {to: end_of_next_year}, notice: [90 days, 30 days],
          clawback: debt | forgive | refuse, suspended_when: CONDITION, worth: {points: 1, money: 0.1 CNY},
          holds: {for: 30 minutes, partial: free | keep, above: refuse | take}, return_grace: 30 days,
          returned_to: old_lot | new_lot, transfer: none | linked, second_person: 1000 CNY, offline: 500 CNY,
          share_of: line | whole_order, minimum_order, not_with: [prices]}
lanes:    id: {title, compete: best | by_priority}, in the order in which they apply
prices:   id: {title, for: [tiers], level: [levels], where: CONDITION, when: CONDITION,
          pay: 95折 | pay 95% as {pay: 95%} | off: 5% | fixed: 100 CNY | less: 200 CNY |
          less: {give: 200 CNY, each: 3000 CNY} | less: {give: 10 CNY, pieces: 1} | free: {give: 1, each: 11},
          rounding: half_up | floor, rounded_per: line | whole_order, lane, priority, not_with: [prices],
          beside: CONDITION, minimum_order, minimum_quantity, maximum_quantity: 10, line_cap, order_cap, from: date,
          until: date, weekdays}
          A minimum is LEAST: 3000 CNY, or {at_least: 3000 CNY}, or {more_than: 3000 CNY}.
emissions: id: {title, on: kinds, where, when, to: field, emits: kind, carries: [fields], giver: field}
rewards:  id: {title, on: kinds, where: CONDITION, when: CONDITION, for: [tiers], standing: before | after | order,
          level: [levels], into: wallet, AMOUNT, period: life | year | …, counted_on: date field,
          counting: granted | all, count_by: field, lane, priority,
          exclusive: {group, key: field | event | beneficiary, priority, compete: best | by_priority},
          caps: {year: 4000 CNY, month: 5 times}, settle: 30 days, expires: …, from, until, weekdays, minimum_spend,
          minimum_quantity, returns: pro_rata | rejudge, return_frees: yes}
          AMOUNT is one of amount: 1000 CNY |
          per: {give: 1 points, each: 10 CNY, of: cash, above, less_credit, rounding, rounded_per, cap} |
          per: {give: 3%, of: amount, rounding: half_up | floor, cap} |
          nth: {1: 1000 CNY, 2-3: 1500 CNY, after: none} | nth: {every 10: 100 CNY} (with `counting: all`);
          and `by_class: [{class, where: {field: test}, AMOUNT}]` before it.
budgets:  id: {title, limit: 200000 CNY | 100 times, period: life | year | …, scope: programme | firm | member,
          rewards: [ids]}
levels:   id: {title, entitlements: {id: {title, quota: 6 | unlimited, period, per_machine, note}},
          duties: {id: {title, owner, within: 30 days, TRIGGER, done_by: {kind: {field: test}} | [kinds],
          matching: [fields], escalate_to, escalate_after: 2 days}}, terms: {text: text}}
          TRIGGER is one of on: kinds (with where) | every: 1 month | on_date: attribute (with ahead: 7 days) |
          on_standing: [promoted, renewed, lapsing, grace, demoted, locked, assigned] (lapsing with ahead: 30 days)
awards:   id: {title, for: [tiers], months_in_tier: 6, unless: CONDITION, score: {fact: weight},
          ties: [{fact: id, first: highest} | {attribute: id, first: lowest}],
          winners: {share: 20%, at_least: 3, at_most: 10} | 10 | all, budget: 50000 CNY, into: wallet,
          period: year | quarter | month, per_group: attribute, measure: fact (instead of score),
          prize: 5000 CNY | {places: {1: 5000 CNY, 2-3: 3000 CNY, after: none}} | {share: 1%, fact: id, cap, block},
          tax: {rate: 20%, borne_by: winner | dealer}}
examples: - {title, given: [EVENT], expect: {…}}
          EVENT is {event: kind, at: date or time, member, store, …fields…}; fields of a line may stand in the event
          itself when it has one line. `expect` is {member, at, tier, state: valid | grace | locked | assigned,
          since: day, until: last valid day, level, traits: [ids], why: [trait ids], grants: {reward: amount},
          balance: {wallet: amount}, pays: money, price: money | {item: money}, entitlements: [ids] | {id: how many
          are left}, duties: [ids], lists: [ids]}, any of them.
CONDITION is a mapping, all of whose entries hold: name: TEST, or any / all / none: [CONDITION], or
          {at_least: N, of: [CONDITION]}, or {traits: {at_least: 2, of: [ids]}}, or {trait: id or [ids]}, or
          {trait: {id: TEST}} on its degrees, as {trait: {large_fleet: {at_least: heavy}}}.
          A name is a fact, attribute, or (in `where`) a field of the event. TEST is a scalar (= is), a list (= in), or
          at_least, more_than, at_most, less_than, is, is_not, in, not_in with its value (several: all must hold).
          Of a text or a date it may be `present` or `none` (有, 无): whether there is a value, whatever it is.
          `tier: TEST` is the standing tier (not in traits); `tier: {at_least: gold}` is gold or above.
"""

from __future__ import annotations

# Tables read better by line of meaning than one entry a line.
# fmt: off
# canonical English key → Chinese spelling
KEYS: dict[str, str] = {
    # the file
    "programme": "计划", "title": "名称", "currency": "币种", "timezone": "时区", "late": "补录期限",
    "till": "收银", "erp": "财务系统", "manager_limit": "经理客户上限", "facts": "指标", "traits": "特点",
    "tiers": "等级", "lists": "名单", "segments": "客户分类对应级别", "wallets": "钱包", "prices": "价格",
    "emissions": "传递", "rewards": "奖励", "levels": "服务级别", "awards": "评选", "examples": "示例",
    "returned_as": "全退视为", "zh": "中文", "en": "英文", "id": "编号", "price_token": "报价有效",
    "offline_slip": "离线凭条有效",
    # facts
    "count": "次数", "quantity": "数量合计", "sum": "合计", "max": "最大", "min": "最小", "distinct": "不同个数",
    "months_with": "有记录月数", "days_since_first": "距首次天数", "days_since_last": "距上次天数",
    "years_since_first": "距首次年数", "years_since_last": "距上次年数", "days_since": "天数自",
    "years_since": "年限", "days_to_anniversary": "距周年天数", "months_to_anniversary": "距周年月数",
    "fleet": "设备台数", "ratio": "比率", "to": "对比", "of": "范围", "field": "字段",
    "where": "条件", "within": "最近", "preceding": "再往前", "in": "属于", "checked_within": "核实期限",
    "unit": "单位",
    # conditions
    "when": "满足", "unless": "排除", "any": "任一", "all": "全部", "none": "都不", "trait": "具备特点",
    "at_least": "不低于", "more_than": "超过", "at_most": "不高于", "less_than": "少于", "is": "是",
    "is_not": "不是", "not_in": "不属于",
    # traits
    "degrees": "程度", "attested": "认定", "by": "认定人", "countersigned_by": "会签人",
    "not_own_manager": "非本人客户经理", "valid": "有效期",
    # tiers and lists
    "level": "服务", "promotion": "晋级方式", "confirm_within": "确认期限", "returns_undo": "退货撤级期",
    "replaces": "取代", "keep": "保级", "for": "期限", "grace": "宽限", "then": "到期", "short": "差",
    # wallets
    "pays_for": "可付", "max_share": "最高占比", "block": "整数倍", "minimum": "起用", "expires": "到期日",
    "after": "之后", "notice": "提醒", "clawback": "收回不足", "suspended_when": "暂停使用", "worth": "折合",
    "points": "积分", "money": "金额", "holds": "预占", "partial": "部分扣款", "return_grace": "退回宽限",
    "returned_to": "退回到", "offline": "离线可用",
    "transfer": "转让", "second_person": "复核起点", "share_of": "占比按", "not_with": "不同享",
    # lanes
    "lanes": "通道", "lane": "所在通道", "compete": "取舍",
    # prices
    "pay": "实付", "off": "减", "fixed": "一口价", "minimum_order": "起订", "line_cap": "每行上限",
    "order_cap": "每单上限", "from": "自", "until": "至", "less": "立减", "free": "送", "rounded_per": "取整按",
    "minimum_quantity": "起订数量", "maximum_quantity": "限量", "pieces": "每几件", "beside": "同单另有",
    # rewards and emissions
    "on": "当", "emits": "产生", "carries": "携带", "giver": "来自", "standing": "按何时等级", "into": "记入",
    "amount": "奖励金额", "per": "按额", "give": "给", "each": "每", "rounding": "取整", "cap": "上限",
    "nth": "第几次", "by_class": "按类别", "class": "类别", "period": "周期", "counted_on": "计入日期",
    "counting": "计数", "exclusive": "互斥", "group": "组", "key": "按", "priority": "优先", "caps": "封顶",
    "settle": "等待", "weekdays": "星期", "minimum_spend": "最低消费", "returns": "退货时", "above": "超出",
    "less_credit": "扣除抵用", "count_by": "分别计数", "return_frees": "退货还名额",
    "budgets": "总额控制", "limit": "限额", "scope": "控制范围",
    # levels
    "entitlements": "权益", "duties": "应尽服务", "terms": "条款", "quota": "额度", "per_machine": "每台",
    "note": "说明", "owner": "负责人", "every": "每隔", "on_date": "逢", "on_standing": "等级变化", "ahead": "提前",
    "done_by": "完成于", "matching": "对应",
    "escalate_to": "升级至", "escalate_after": "逾期后",
    # awards
    "months_in_tier": "在级月数", "score": "评分", "ties": "并列时", "first": "优先者", "fact": "指标项",
    "attribute": "属性项", "winners": "名额", "share": "比例", "prize": "奖品价值", "budget": "预算",
    "measure": "比什么", "per_group": "分组评选", "places": "按名次", "tax": "个税", "rate": "税率",
    "borne_by": "税由谁付",
    # examples
    "given": "已知", "expect": "应得", "event": "事件", "at": "时间", "member": "会员", "store": "门店",
    "state": "状态为", "since": "起自",
    "tier": "等级为", "why": "因为", "grants": "得到", "balance": "余额", "price": "价格为", "pays": "应付",
}

# canonical English word (an enumerated value) → Chinese spelling
WORDS: dict[str, str] = {
    "this_year": "今年", "last_year": "去年", "this_quarter": "本季", "last_quarter": "上季",
    "this_month": "本月", "last_month": "上月", "promoted": "晋级", "renewed": "保级", "lapsing": "将到期",
    "grace": "宽限", "demoted": "降级", "locked": "冻结", "assigned": "指定", "valid": "有效",
    "since_tier": "本级以来", "automatic": "自动", "confirmed": "经确认", "one_down": "降一级",
    "as_facts_say": "按实际", "debt": "记欠", "forgive": "免除", "refuse": "拒绝", "month_end": "月底",
    "year_end": "年底", "end_of_next_year": "次年底", "before": "之前", "after": "之后", "order": "交机时",
    "life": "终身", "year": "每年", "quarter": "每季", "month": "每月", "day": "每天", "event": "每次",
    "granted": "已得", "all": "全部", "floor": "舍去", "half_up": "四舍五入", "pro_rata": "按比例",
    "rejudge": "重算", "none": "无", "unlimited": "不限",
    "highest": "高者", "lowest": "低者", "owned": "自有", "yes": "是", "no": "否", "money": "金额",
    "submitted": "已提交", "accepted": "已采纳", "points": "积分", "free": "释放", "keep": "保留", "take": "取用",
    "old_lot": "原批次", "new_lot": "新批次", "linked": "关联户",
    "best": "取高", "by_priority": "按优先", "beneficiary": "每人", "line": "每行", "whole_order": "整单",
    "programme": "全体", "firm": "同一单位", "member": "本人",
    "return": "退货", "cancelled": "作废", "winner": "得奖人", "dealer": "公司",
    # units of facts
    "percent": "百分比", "days": "天", "months": "月", "years": "年", "hours": "小时", "count": "次",
    # days of the week
    "monday": "周一", "tuesday": "周二", "wednesday": "周三", "thursday": "周四", "friday": "周五",
    "saturday": "周六", "sunday": "周日",
}

# Further spellings that are read: one English key says several things, and Chinese has a word for each.
ALSO: dict[str, tuple[str, ...]] = {
    "for": ("适用",), "to": ("截至", "送给"), "within": ("时限",), "of": ("基数", "目标等级"),
}
