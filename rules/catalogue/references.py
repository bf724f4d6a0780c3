"""Problems P4xx: names that lead nowhere."""

from __future__ import annotations

from typing import Final

from rules.catalogue.entry import Entry

REFERENCES: Final[dict[str, Entry]] = {
    "P401": Entry(
        "没有这种事件", "Unknown event kind",
        "没有“{found}”这种事件", "There is no event kind “{found}”",
        "事件名中英文都行。", "Event kinds may be written in either language.",
        guesses=True,
    ),
    "P402": Entry(
        "没有这个字段", "Unknown field",
        "{about}没有“{found}”这个字段", "{about} has no field “{found}”",
        "从该事件的字段里选一个。", "Choose one of the fields of that event.",
        guesses=True,
    ),
    "P403": Entry(
        "只有部分事件有这个字段", "Field on some kinds only",
        "“{found}”只在部分事件里有，{about} 没有，不会算进去", "“{found}” is missing on {about}; those never match",
        "把事件分开写，或去掉没有这个字段的事件。", "Write the kinds apart, or drop those without the field.",
        severity="warning",
    ),
    "P404": Entry(
        "条件里的名字没有定义", "Unknown name in a condition",
        "条件里的“{found}”既不是指标，也不是客户属性", "“{found}” in the condition is neither a fact nor an attribute",
        "先在指标里定义它，或检查有没有写错。", "Define it under `facts`, or look for a typing error.",
        guesses=True,
    ),
    "P405": Entry(
        "没有这个特点", "Unknown trait",
        "没有定义特点“{found}”", "There is no trait “{found}”",
        "先在特点里定义它，或检查有没有写错。", "Define it under `traits`, or look for a typing error.",
        guesses=True,
    ),
    "P406": Entry(
        "没有这个等级", "Unknown tier",
        "没有定义等级“{found}”", "There is no tier “{found}”",
        "先在等级里定义它，或检查有没有写错。", "Define it under `tiers`, or look for a typing error.",
        guesses=True,
    ),
    "P407": Entry(
        "没有这个钱包", "Unknown wallet",
        "没有定义钱包“{found}”", "There is no wallet “{found}”",
        "先在钱包里定义它，或检查有没有写错。", "Define it under `wallets`, or look for a typing error.",
        guesses=True,
    ),
    "P408": Entry(
        "没有这个服务级别", "Unknown level",
        "没有定义服务级别“{found}”", "There is no service level “{found}”",
        "先在服务级别里定义它，或检查有没有写错。", "Define it under `levels`, or look for a typing error.",
        guesses=True,
    ),
    "P409": Entry(
        "没有这个类别", "Unknown category",
        "没有“{found}”这个商品类别", "There is no category “{found}”",
        "从可以写的类别里选。", "Choose one of the allowed categories.",
        guesses=True,
    ),
    "P410": Entry(
        "没有这个指标", "Unknown fact",
        "没有定义指标“{found}”", "There is no fact “{found}”",
        "先在指标里定义它，或检查有没有写错。", "Define it under `facts`, or look for a typing error.",
        guesses=True,
    ),
    "P411": Entry(
        "没有这个客户属性", "Unknown attribute",
        "没有“{found}”这个客户属性", "There is no attribute “{found}”",
        "从可以写的属性里选。", "Choose one of the allowed attributes.",
        guesses=True,
    ),
    "P412": Entry(
        "没有这条规则", "Unknown rule",
        "{about}里没有定义“{found}”", "{about} defines no “{found}”",
        "检查有没有写错。", "Look for a typing error.",
        guesses=True,
    ),
    "P413": Entry(
        "定义了没有用", "Defined and not used",
        "“{found}”定义了，但没有任何规则用到", "“{found}” is defined, but no rule uses it",
        "删除它，或检查用它的地方有没有写错名字。", "Delete it, or look for a misspelt use.",
        severity="warning",
    ),
    "P414": Entry(
        "指标互相循环", "Facts in a circle",
        "指标循环引用：{found}", "Facts refer to each other in a circle: {found}",
        "比率的两边要用不依赖它自己的指标。", "The two sides of a ratio must not depend on it.",
    ),
    "P415": Entry(
        "编号重复", "Id used twice",
        "编号“{found}”用了两次（前一次在第 {about} 行）", "The id “{found}” is used twice (first on line {about})",
        "换一个编号。", "Choose another id.",
    ),
    "P416": Entry(
        "字段类型不合适", "Field of the wrong type",
        "“{found}”的类型不能用在{about}", "“{found}” has the wrong type for {about}",
        "选一个类型合适的字段。", "Choose a field of a fitting type.",
    ),
    "P417": Entry(
        "不能产生这种事件", "Kind cannot be emitted",
        "“{found}”不能由规则产生", "“{found}” cannot be made by a rule",
        "只有派生事件可以产生。", "Only derived kinds can be emitted.",
    ),
}  # fmt: skip
