"""Problems P5xx: what is said makes no sense."""

from __future__ import annotations

from typing import Final

from rules.catalogue.entry import Entry

MEANING: Final[dict[str, Entry]] = {
    "P501": Entry(
        "最低等级不该有条件", "Lowest tier has a condition",
        "最低等级“{found}”人人都在，不能有条件", "Everybody is in the lowest tier “{found}”; it takes no condition",
        "删除条件，或在前面加一个没有条件的等级。", "Delete the condition, or put a tier without one before it.",
    ),
    "P502": Entry(
        "等级没有条件", "Tier without a condition",
        "等级“{found}”没有条件，谁都会升上去", "The tier “{found}” has no condition, so everybody gets it",
        "写上“满足”；等级从低到高排列。", "Add `when`; tiers stand from the lowest to the highest.",
    ),
    "P503": Entry(
        "要求的个数超过总数", "More asked than there are",
        "要求至少 {found} 项，但一共只有 {allowed} 项", "At least {found} are asked, but there are only {allowed}",
        "把个数改小，或补上条目。", "Ask for fewer, or add the missing ones.",
    ),
    "P504": Entry(
        "次数重叠", "Rungs overlap",
        "第 {found} 次写了两次", "Occurrence {found} stands twice",
        "每一次只能属于一档。", "Each occurrence belongs to one rung.",
    ),
    "P505": Entry(
        "次数有空档", "Gap between rungs",
        "第 {found} 次没有奖励，后面的永远轮不到", "Occurrence {found} earns nothing, so no later one is reached",
        "补上这一档；要让没有奖励的也算次数，写“计数: 全部”。",
        "Fill the gap; to count what earns nothing too, write `counting: all`.",
    ),
    "P506": Entry(
        "次数顺序不对", "Rungs out of order",
        "“{found}”的起止或先后顺序不对", "“{found}” is out of order",
        "从第 1 次起由小到大写。", "Write rungs from the first upwards.",
    ),
    "P507": Entry(
        "付的比例不对", "Impossible share",
        "{about}必须大于 0、不超过 100%，这里是“{found}”", "{about} must be above 0 and at most 100 %, not “{found}”",
        "九五折写 95折 或 95%。", "To pay 95 % write 95% or 95折.",
    ),
    "P508": Entry(
        "日期先后颠倒", "Dates the wrong way round",
        "开始（{found}）在结束（{allowed}）之后，永远不会生效", "It begins ({found}) after it ends ({allowed})",
        "检查两个日期。", "Look at the two dates.",
    ),
    "P509": Entry(
        "优惠超过一半", "More than half off",
        "会员只付不到一半（{found}），是这样吗？", "Members pay less than half ({found}): is that meant?",
        "九五折写“实付: 95折”或“减: 5%”。", "To pay 95 % write `pay: 95%` or `off: 5%`.",
        severity="warning",
    ),
    "P510": Entry(
        "高等级的门槛更低", "Higher tier is easier",
        "“{about}”的门槛（{found}）比低一级的（{allowed}）还低",
        "“{about}” asks less ({found}) than the one below ({allowed})",
        "检查等级的先后和门槛。", "Look at the order of the tiers and at the thresholds.",
        severity="warning",
    ),
    "P511": Entry(
        "互斥组只有一条", "Exclusive group of one",
        "互斥组“{found}”里只有一条奖励，不起作用", "The exclusive group “{found}” has one reward only",
        "检查组名有没有写错。", "Look for a misspelt group.",
        severity="warning", guesses=True,
    ),
    "P512": Entry(
        "下限超过上限", "Least above most",
        "下限 {found} 超过上限 {allowed}", "The least ({found}) is above the most ({allowed})",
        "检查两个数。", "Look at the two numbers.",
    ),
    "P513": Entry(
        "预算不够", "Budget too small",
        "预算 {allowed} 不够最少的名额（{found}）", "The budget {allowed} does not pay for the least winners ({found})",
        "增加预算，减少名额或奖品价值。", "Raise the budget, or lower the winners or the prize.",
    ),
    "P514": Entry(
        "特点不能依赖特点或等级", "Trait reads traits",
        "特点的条件里不能用“{found}”", "The condition of a trait cannot read “{found}”",
        "特点只看指标和客户属性。", "A trait reads facts and attributes only.",
    ),
    "P515": Entry(
        "永远不成立", "Never true",
        "“{about}”的条件互相矛盾，永远不成立：{found}", "What is asked of “{about}” can never hold: {found}",
        "检查上下限。", "Look at the bounds.",
    ),
    "P516": Entry(
        "没说之后怎样", "Ladder does not end",
        "没有写第 {found} 次以后怎样，按“无”处理", "What comes after occurrence {found} is not said; nothing is given",
        "写上“之后: 无”或“之后: 1500 元”。", "Add `after: none` or `after: 1500 CNY`.",
        severity="warning",
    ),
    "P517": Entry(
        "没有名称", "No title",
        "“{found}”没有名称，会员会看到编号", "“{found}” has no title; members will see the id",
        "加上“名称”。", "Add `title`.",
        severity="warning",
    ),
    "P518": Entry(
        "被前面的挡住", "Shadowed",
        "“{found}”永远轮不到，前面的“{about}”先满足", "“{found}” is never reached, “{about}” matches first",
        "把条件窄的放在前面；互斥的奖励，给金额低的更优先的“优先”并按优先取舍，或删除它。",
        "Put the narrower one first; of exclusive rewards let the smaller compete by priority, or delete it.",
        severity="warning",
    ),
    "P519": Entry(
        "等级取代了自己", "Tier replaces a living tier",
        "“{found}”还在等级里，不能被取代", "“{found}” is still a tier and cannot be replaced",
        "“取代”只写旧文件里有、这里没有的等级。", "`replaces` names tiers of older files that are gone here.",
    ),
    "P520": Entry(
        "百分比奖励的取整", "Rounding of a percentage",
        "按百分比给的奖励要写明“取整: 舍去”还是“四舍五入”", "A percentage states its `rounding`: floor or half_up",
        "按整数倍给的写“给: 1 积分, 每: 10 元”。", "For full steps write `give: 1 points, each: 10 CNY`.",
    ),
    "P521": Entry(
        "引擎装不下", "More than the engine holds",
        "{about}超过引擎的上限：{found}，最多 {allowed}",
        "{about} is more than the engine holds: {found}, at most {allowed}",
        "拆成几条规则，或把条件写成特点、指标再引用。",
        "Make several rules of it, or put parts of the condition into traits or facts and name those.",
    ),
    "P522": Entry(
        "永远轮不到", "Never happens",
        "“{found}”要求的不可能成立，永远轮不到", "What is asked of “{found}” cannot hold: it never happens",
        "检查“满足”“条件”“排除”之间有没有互相矛盾。", "Look for a contradiction between `when`, `where` and `unless`.",
        severity="warning",
    ),
    "P523": Entry(
        "对谁都成立", "Always true",
        "“{found}”的条件对谁都成立，等于没有写",
        "The condition of “{found}” holds for everybody, as if there were none",
        "次数、台数、项数不会小于 0；把门槛写成 1 以上。", "Counts are never below 0; ask for 1 or more.",
        severity="warning",
    ),
    "P530": Entry(
        "按记账先后给完为止", "Served in the order of recording",
        "“{about}”由几位会员合用，按记账先后给，给完为止；以后重新判定也不会补上",
        "“{about}” is shared by several members: it is served in the order of recording, and never made up for later",
        "写在章程里；要与先后无关，就写“控制范围: 本人”。", "Say so in the terms; `scope: member` depends on no order.",
        severity="warning",
    ),
    "P531": Entry(
        "钱和积分不能相加", "Money and points make no sum",
        "“{about}”把记入{found}的奖励合在一起", "“{about}” adds up rewards of {found}",
        "分成两个总额，或者按次数限。", "Make two budgets of it, or limit the times.",
    ),
    "P532": Entry(
        "数不出没有的", "What is absent is not counted",
        "指标的条件只看字段的值，{about}不能写“{found}”", "{about} looks at values: it cannot ask for “{found}”",
        "写“有”，再用全部的次数减；或者在奖励、价格的“条件”里写“无”。",
        "Count those that have a value; `none` may stand under `where` of a reward or price.",
    ),
    "P524": Entry(
        "已经结束", "Over",
        "{about}在 {found} 已经结束，不会再生效", "{about} ended on {found} and has no effect any more",
        "改“至”的日期，或删除这条规则。", "Change `until`, or delete the rule.",
        severity="warning",
    ),
    "P525": Entry(
        "没有示例用到", "No example exercises it",
        "没有示例用到“{about}”；全部示例用到了 {found} 项",
        "No example exercises “{about}”; the examples exercise {found}",
        "加一个用到它的示例，写明应得什么，写在“示例”里，或写在旁边同名的 .examples 文件里。",
        "Add an example that earns it, under `examples` or in the file NAME.examples.yaml beside this one.",
        severity="warning",
    ),
    "P526": Entry(
        "没有示例", "No examples",
        "文件里没有示例，{found} 项规则都没有核对过",
        "The file has no examples: none of its {found} rules is exercised",
        "至少写一个示例：已知哪些事件，应得什么等级、多少奖励。",
        "Write at least one: which events are given, and which tier and grants are expected.",
        severity="warning",
    ),
    "P527": Entry(
        "取值写成了名称", "Name in place of a code",
        "{about}的“{found}”像是名称，事件里写的是代码", "“{found}” of {about} looks like a name; events carry codes",
        "写事件里用的代码。本公司的单据确实这样写，就加一个这样写的示例，不再提醒。",
        "Write the code that events carry. If your own files do say this, add an example that says it.",
        severity="warning",
    ),
}  # fmt: skip
