"""Every problem a policy file can have, in both tongues, with what to do about it.

P1xx the text is no clean YAML; P2xx keys; P3xx values; P4xx names that lead nowhere; P5xx what is said makes no sense.
Codes are stable: they stand in people's notes and in editors. A sentence may use {found}, {allowed}, {about}.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of problem: its title, its sentence and its help, and whether a did-you-mean makes sense for it."""

    title_zh: str
    title_en: str
    zh: str
    en: str
    help_zh: str
    help_en: str
    severity: Literal["error", "warning"] = "error"
    guesses: bool = False


CATALOGUE: dict[str, Entry] = {
    # ---- the text ------------------------------------------------------------------------------------------------
    "P101": Entry(
        "YAML 语法错误", "Not YAML",
        "这里的 YAML 写法读不懂:{found}", "This is not YAML: {found}",
        "检查这一行和上一行:冒号后要有空格,缩进要对齐,引号和括号要成对。",
        "Look at this line and the one above: a space after each colon, equal indentation, closed quotes and brackets.",
    ),
    "P102": Entry(
        "不是 UTF-8 编码", "Not UTF-8",
        "从这里开始不是 UTF-8 编码,无法读取({found})", "The file is not UTF-8 from here on ({found})",
        "用记事本或编辑器另存为,编码选 UTF-8。", "Save the file again with the encoding UTF-8.",
    ),
    "P103": Entry(
        "看不见的字符", "Invisible character",
        "这里有一个不允许的、看不见的字符 {found}", "There is a forbidden, invisible character {found} here",
        "删除这个字符后重新输入这一段。", "Delete the character and type the passage again.",
    ),
    "P104": Entry(
        "文件太大", "File too large",
        "文件太大:{found},上限 {allowed}", "The file is too large: {found}, the limit is {allowed}",
        "一个文件只写一家代理商的一套规则(最多 1 MiB,20,000 行)。",
        "A file holds one dealer's programme (at most 1 MiB and 20,000 lines).",
    ),
    "P105": Entry(
        "嵌套太深", "Nested too deep",
        "嵌套到第 {found} 层,上限 {allowed} 层", "Nested {found} deep, the limit is {allowed}",
        "把条件拆成几个特点或指标,再引用它们。", "Split the condition into traits or facts and name those.",
    ),
    "P106": Entry(
        "内容太多", "Too many values",
        "文件里的值超过 {allowed} 个", "The file holds more than {allowed} values",
        "一个文件只写一家代理商的一套规则。", "A file holds one dealer's programme.",
    ),
    "P107": Entry(
        "缩进用了制表符", "Tab in the indentation",
        "缩进里有制表符(Tab),YAML 只认空格", "The indentation holds a tab; YAML takes only spaces",
        "把 Tab 换成空格,每一层两个。", "Replace the tab by spaces, two for each level.",
    ),
    "P108": Entry(
        "全角符号", "Full-width character",
        "这里用了全角的“{found}”,要用半角的 {allowed}", "A full-width “{found}” stands here; use {allowed}",
        "切换到英文输入法,重新输入这个符号。名称和说明的文字里可以用全角。",
        "Type the character again with the English keyboard. Inside titles and notes it may stay.",
    ),
    "P109": Entry(
        "冒号后缺空格", "No space after the colon",
        "“{found}”后面缺一个空格", "A space is missing after “{found}”",
        "写成“键: 值”“- 条目”,冒号和横线后留一个空格。",
        "Write `key: value` and `- item`, with a space after the sign.",
    ),
    "P110": Entry(
        "不支持锚点", "Anchor",
        "不支持锚点 {found}", "Anchors such as {found} are not allowed",
        "把内容直接写出来;文字以 & 开头时加引号。", "Write it out; put a text that begins with & in quotes.",
    ),
    "P111": Entry(
        "不支持别名", "Alias",
        "不支持别名 {found}", "Aliases such as {found} are not allowed",
        "把内容直接写出来;文字以 * 开头时加引号。", "Write it out; put a text that begins with * in quotes.",
    ),
    "P112": Entry(
        "不支持标签", "Tag",
        "不支持 YAML 标签 {found}", "YAML tags such as {found} are not allowed",
        "删除标签;文字以 ! 开头时加引号。", "Delete the tag; put a text that begins with ! in quotes.",
    ),
    "P113": Entry(
        "不支持合并键", "Merge key",
        "不支持合并键 <<", "Merge keys (<<) are not allowed",
        "把要合并的内容直接写出来。", "Write out what was to be merged.",
    ),
    "P114": Entry(
        "多个文档", "Several documents",
        "一个文件里只能有一个 YAML 文档", "A file holds one YAML document only",
        "删除单独成行的 ---,或分成几个文件。", "Delete the line `---`, or make several files.",
    ),
    "P115": Entry(
        "键不是文字", "Key is no text",
        "键必须是文字,不能是列表或一组键", "A key must be a text, not a list or a mapping",
        "检查括号;键写成一个词。", "Look at the brackets; write the key as one word.",
    ),
    "P116": Entry(
        "文件是空的", "Empty file",
        "文件是空的", "The file is empty",
        "至少写上:计划、等级。", "Write at least `programme` and `tiers`.",
    ),
    "P117": Entry(
        "问题太多", "Too many problems",
        "问题太多,后面的没有列出(一共 {found} 个)", "Too many problems ({found}); the rest is not shown",
        "先改好前面的,再检查一遍。", "Mend the first ones and check again.",
    ),
    "P118": Entry(
        "不是文件", "Not a file",
        "这里要写一个文件,不是{found}", "A file is wanted here, not a {found}",
        "写上政策文件的名字,如 policies.yaml。", "Give the name of the policy file, such as policies.yaml.",
    ),
    "P119": Entry(
        "括号或引号没有成对", "Never closed",
        "这里的 {found} 没有成对:缺 {allowed}", "The {found} that is opened here is never closed: {allowed} is missing",
        "在这一项的末尾补上。", "Close it at the end of what it holds.",
    ),
    "P120": Entry(
        "缩进没有对齐", "Indentation that fits nothing",
        "这一行缩进 {found} 格,同级的在 {allowed} 格",
        "This line is indented by {found}, those of its level by {allowed}",
        "同一级的各行左边对齐,下一级多缩进两格。",
        "Lines of one level begin in the same column; the next level is two deeper.",
    ),
    "P121": Entry(
        "文字要加引号", "Text needs quotes",
        "这段文字里有 YAML 的符号,要加引号:{found}", "This text holds signs that mean something to YAML: {found}",
        "整段文字用半角的双引号括起来。", "Put the whole text in double quotes.",
    ),
    "P122": Entry(
        "注释前缺空格", "No space before the comment",
        "# 前面缺一个空格,后面的文字成了值的一部分:{found}",
        "No space before the #, so the comment became part of the value: {found}",
        "在 # 前面留一个空格。", "Leave a space before the #.",
    ),
    # ---- keys ----------------------------------------------------------------------------------------------------
    "P201": Entry(
        "不认识的键", "Unknown key",
        "{about}里没有“{found}”这个键", "{about} has no key “{found}”",
        "从可以写的键里选一个,中英文都行。", "Choose one of the allowed keys, in either language.",
        guesses=True,
    ),
    "P202": Entry(
        "重复的键", "Duplicate key",
        "“{found}”写了两次(前一次在第 {about} 行)", "“{found}” stands twice (first on line {about})",
        "只留一个;中英文两种写法算同一个键。", "Keep one; the two languages of a key are the same key.",
    ),
    "P203": Entry(
        "缺少键", "Missing key",
        "{about}缺少“{allowed}”", "{about} lacks “{allowed}”",
        "补上这个键。", "Add the key.",
    ),
    "P204": Entry(
        "形式不对", "Wrong shape",
        "{about}应该写成{allowed},这里是{found}", "{about} must be {allowed}, not {found}",
        "参照说明里的写法;列表用 [ ] 或“- ”,一组键用“键: 值”。",
        "See the grammar; a list is written with [ ] or `- `, a mapping as `key: value`.",
    ),
    "P205": Entry(
        "只能写一个", "More than one of several",
        "{about}里 {allowed} 只能写一个,这里写了 {found}", "{about} takes only one of {allowed}; here are {found}",
        "只留一个。", "Keep one of them.",
    ),
    "P206": Entry(
        "必须写一个", "None of several",
        "{about}要写 {allowed} 中的一个", "{about} needs one of {allowed}",
        "补上其中一个。", "Add one of them.",
    ),
    "P207": Entry(
        "编号写法不对", "Malformed id",
        "“{found}”不能作编号", "“{found}” cannot be an id",
        "编号用字母、数字、下划线、连字符或汉字,以字母或汉字开头,最多 64 个字符。",
        "An id has letters, digits, underscore, hyphen or Chinese characters, begins with a letter, at most 64.",
    ),
    "P208": Entry(
        "没有内容", "Nothing there",
        "{about}没有内容", "{about} is empty",
        "写上内容,或者删除这个键。", "Write its content, or delete the key.",
    ),
    "P209": Entry(
        "编号已有别的意思", "Reserved id",
        "“{found}”在条件里已有别的意思,不能作指标的编号", "“{found}” already means something in conditions",
        "换一个编号。", "Choose another id.",
    ),
    "P210": Entry(
        "这里不起作用的键", "Key without effect",
        "“{found}”在{about}里不起作用", "“{found}” has no effect in {about}",
        "删除它,或改用它起作用的写法。", "Delete it, or use the form in which it counts.",
    ),
    "P211": Entry(
        "文字被逗号截断", "Text cut by a comma",
        "“{found}”被逗号截成了单独的一个键", "A comma has cut “{found}” off and made it a key of its own",
        "{ } 里的文字有英文逗号时要加引号,或改用中文逗号。",
        "Put a text with a comma into quotes when it stands in { }.",
    ),
    "P212": Entry(
        "条目太多", "Too many entries",
        "{about}最多 {allowed} 条", "{about} takes at most {allowed} entries",
        "合并相近的条目。", "Merge entries that are alike.",
    ),
    # ---- values --------------------------------------------------------------------------------------------------
    "P301": Entry(
        "不是整数", "Not a whole number",
        "{about}应该是整数,这里是“{found}”", "{about} must be a whole number, not “{found}”",
        "写成 3 或 1,000 这样的数字。", "Write a number such as 3 or 1,000.",
    ),
    "P302": Entry(
        "数字超出范围", "Number out of range",
        "{about}超出范围:{found},允许 {allowed}", "{about} is out of range: {found}, allowed is {allowed}",
        "改成范围以内的数。", "Write a number within the range.",
    ),
    "P303": Entry(
        "金额没有单位", "Money without a unit",
        "{about}“{found}”没有写货币单位", "{about} “{found}” has no currency",
        "写成 1000 元、2 万元 或 1000 CNY。", "Write 1000 CNY or 1000 元.",
    ),
    "P304": Entry(
        "币种不一致", "Another currency",
        "“{found}”的币种与本计划({allowed})不一致", "“{found}” is in another currency than the programme ({allowed})",
        "全部金额用同一币种。", "All amounts are in the programme's currency.",
    ),
    "P305": Entry(
        "不是金额", "Not an amount of money",
        "{about}应该是金额,这里是“{found}”", "{about} must be an amount of money, not “{found}”",
        "写成 1000 元、2 万元、0.1 元 或 1000 CNY。", "Write 1000 CNY, 0.1 CNY or 1000 元.",
    ),
    "P306": Entry(
        "金额小于一分", "Finer than a cent",
        "金额最多精确到分:{found}", "Money has at most two decimals: {found}",
        "小数最多两位。", "Write at most two decimals.",
    ),
    "P307": Entry(
        "不是百分数", "Not a percentage",
        "{about}应该是百分数,这里是“{found}”", "{about} must be a percentage, not “{found}”",
        "写成 130% 或 12.5%,最多两位小数。", "Write 130% or 12.5%, at most two decimals.",
    ),
    "P308": Entry(
        "百分数没有单位", "Percentage without a sign",
        "{about}“{found}”没有写单位:是 {found}% 吗", "{about} “{found}” has no unit: is it {found}%?",
        "写成 95% 或 95折。", "Write 95% or 95折.",
    ),
    "P309": Entry(
        "折扣说法有两种意思", "Ambiguous discount",
        "“{found}”有两种意思:是付这么多,还是减这么多?", "“{found}” can be read two ways: is it paid, or taken off?",
        "付 95% 写“实付: 95折”或“pay: 95%”;减 5% 写“减: 5%”或“off: 5%”。",
        "To pay 95 % write `pay: 95%`; to take 5 % off write `off: 5%`.",
    ),
    "P310": Entry(
        "折数不对", "Impossible 折",
        "“{found}”不是可以用的折数", "“{found}” is no usable 折",
        "一位数是几成(9折付90%),两位数是百分之几(95折付95%),可写 9.5折、九五折;0 折、10 折、100 折不行。",
        "One digit is tenths (9折 pays 90 %), two are hundredths (95折 pays 95 %), 9.5折 is 95 %; not 0, 10 or 100.",
    ),
    "P311": Entry(
        "不是时长", "Not a length of time",
        "{about}应该是一段时间,这里是“{found}”", "{about} must be a length of time, not “{found}”",
        "写成 12个月、90天、2小时 或 12 months、90 days。", "Write 12 months, 90 days, 2 hours or 12个月.",
    ),
    "P312": Entry(
        "时长单位不合适", "Unit of time does not fit",
        "{about}不能用“{found}”这个单位,可以用 {allowed}", "{about} cannot be in that unit: “{found}”; use {allowed}",
        "一个月不等于 30 天:按提示的单位写。", "A month is not 30 days: write it in a unit that fits.",
    ),
    "P313": Entry(
        "不是日期", "Not a date",
        "{about}应该是日期,这里是“{found}”", "{about} must be a date, not “{found}”",
        "写成 2026-01-01 或 2026年1月1日,而且这一天要存在。", "Write 2026-01-01; the day must exist.",
    ),
    "P314": Entry(
        "不是“是”或“否”", "Not yes or no",
        "{about}应该是“是”或“否”,这里是“{found}”", "{about} must be yes or no, not “{found}”",
        "写 是、否、yes 或 no。", "Write yes or no.",
    ),
    "P315": Entry(
        "不认识的词", "Unknown word",
        "{about}不能是“{found}”", "{about} cannot be “{found}”",
        "从可以写的词里选一个。", "Choose one of the allowed words.",
        guesses=True,
    ),
    "P316": Entry(
        "比较方式不合适", "Comparison does not fit",
        "“{about}”不能用“{found}”来比较", "“{about}” cannot be compared with “{found}”",
        "文字和是/否只能用:是、不是、属于、不属于。", "Texts and yes/no take only is, is_not, in and not_in.",
    ),
    "P317": Entry(
        "积分与金额混用", "Points and money mixed",
        "{about}要写{allowed},这里是“{found}”", "{about} must be in {allowed}, not “{found}”",
        "记入哪个钱包,就用哪个钱包的单位。", "Write amounts in the unit of the wallet they go to.",
    ),
    "P318": Entry(
        "不认识的时区", "Unknown time zone",
        "没有“{found}”这个时区", "There is no time zone “{found}”",
        "中国各地写 Asia/Shanghai。", "For China write Asia/Shanghai.",
    ),
    "P319": Entry(
        "不能用的币种", "Unknown currency",
        "不能用“{found}”这个币种", "The currency “{found}” cannot be used",
        "人民币写 CNY。", "Write CNY for yuan.",
        guesses=True,
    ),
    "P320": Entry(
        "文字太长", "Text too long",
        "{about}太长,最多 {allowed} 个字", "{about} is too long, at most {allowed} characters",
        "写短一些。", "Make it shorter.",
    ),
    "P321": Entry(
        "次数写法不对", "Malformed rung",
        "“{found}”不是第几次的写法", "“{found}” does not say which occurrences",
        "写成 1、2-3、第2次、4+ 或“之后”。", "Write 1, 2-3, 4+ or `after`.",
    ),
    "P322": Entry(
        "引号会显示出来", "Quotes that will be seen",
        "{found} 两边的引号不是 YAML 的引号,会员会看到它们",
        "The quotes around {found} are no quotes to YAML: members will see them",
        "删除两边的引号,或改用半角的双引号。", "Delete them, or use plain double quotes.",
        severity="warning",
    ),
    "P323": Entry(
        "比较的写法不对", "Comparison written as a formula",
        "比较不能写成“{found}”,要写成 {allowed}", "A comparison is not written “{found}” but {allowed}",
        "用 不低于、超过、不高于、少于、是、不是,放在 { } 里。",
        "Use at_least, more_than, at_most, less_than, is or is_not, in braces.",
    ),
    # ---- references ----------------------------------------------------------------------------------------------
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
        "“{found}”只在部分事件里有,{about} 没有,不会算进去", "“{found}” is missing on {about}; those never match",
        "把事件分开写,或去掉没有这个字段的事件。", "Write the kinds apart, or drop those without the field.",
        severity="warning",
    ),
    "P404": Entry(
        "条件里的名字没有定义", "Unknown name in a condition",
        "条件里的“{found}”既不是指标,也不是客户属性", "“{found}” in the condition is neither a fact nor an attribute",
        "先在指标里定义它,或检查有没有写错。", "Define it under `facts`, or look for a typing error.",
        guesses=True,
    ),
    "P405": Entry(
        "没有这个特点", "Unknown trait",
        "没有定义特点“{found}”", "There is no trait “{found}”",
        "先在特点里定义它,或检查有没有写错。", "Define it under `traits`, or look for a typing error.",
        guesses=True,
    ),
    "P406": Entry(
        "没有这个等级", "Unknown tier",
        "没有定义等级“{found}”", "There is no tier “{found}”",
        "先在等级里定义它,或检查有没有写错。", "Define it under `tiers`, or look for a typing error.",
        guesses=True,
    ),
    "P407": Entry(
        "没有这个钱包", "Unknown wallet",
        "没有定义钱包“{found}”", "There is no wallet “{found}”",
        "先在钱包里定义它,或检查有没有写错。", "Define it under `wallets`, or look for a typing error.",
        guesses=True,
    ),
    "P408": Entry(
        "没有这个服务级别", "Unknown level",
        "没有定义服务级别“{found}”", "There is no service level “{found}”",
        "先在服务级别里定义它,或检查有没有写错。", "Define it under `levels`, or look for a typing error.",
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
        "先在指标里定义它,或检查有没有写错。", "Define it under `facts`, or look for a typing error.",
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
        "“{found}”定义了,但没有任何规则用到", "“{found}” is defined, but no rule uses it",
        "删除它,或检查用它的地方有没有写错名字。", "Delete it, or look for a misspelt use.",
        severity="warning",
    ),
    "P414": Entry(
        "指标互相循环", "Facts in a circle",
        "指标循环引用:{found}", "Facts refer to each other in a circle: {found}",
        "比率的两边要用不依赖它自己的指标。", "The two sides of a ratio must not depend on it.",
    ),
    "P415": Entry(
        "编号重复", "Id used twice",
        "编号“{found}”用了两次(前一次在第 {about} 行)", "The id “{found}” is used twice (first on line {about})",
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
    # ---- meaning -------------------------------------------------------------------------------------------------
    "P501": Entry(
        "最低等级不该有条件", "Lowest tier has a condition",
        "最低等级“{found}”人人都在,不能有条件", "Everybody is in the lowest tier “{found}”; it takes no condition",
        "删除条件,或在前面加一个没有条件的等级。", "Delete the condition, or put a tier without one before it.",
    ),
    "P502": Entry(
        "等级没有条件", "Tier without a condition",
        "等级“{found}”没有条件,谁都会升上去", "The tier “{found}” has no condition, so everybody gets it",
        "写上“满足”;等级从低到高排列。", "Add `when`; tiers stand from the lowest to the highest.",
    ),
    "P503": Entry(
        "要求的个数超过总数", "More asked than there are",
        "要求至少 {found} 项,但一共只有 {allowed} 项", "At least {found} are asked, but there are only {allowed}",
        "把个数改小,或补上条目。", "Ask for fewer, or add the missing ones.",
    ),
    "P504": Entry(
        "次数重叠", "Rungs overlap",
        "第 {found} 次写了两次", "Occurrence {found} stands twice",
        "每一次只能属于一档。", "Each occurrence belongs to one rung.",
    ),
    "P505": Entry(
        "次数有空档", "Gap between rungs",
        "第 {found} 次没有奖励,后面的永远轮不到", "Occurrence {found} earns nothing, so no later one is reached",
        "补上这一档;要让没有奖励的也算次数,写“计数: 全部”。",
        "Fill the gap; to count what earns nothing too, write `counting: all`.",
    ),
    "P506": Entry(
        "次数顺序不对", "Rungs out of order",
        "“{found}”的起止或先后顺序不对", "“{found}” is out of order",
        "从第 1 次起由小到大写。", "Write rungs from the first upwards.",
    ),
    "P507": Entry(
        "付的比例不对", "Impossible share",
        "{about}必须大于 0、不超过 100%,这里是“{found}”", "{about} must be above 0 and at most 100 %, not “{found}”",
        "九五折写 95折 或 95%。", "To pay 95 % write 95% or 95折.",
    ),
    "P508": Entry(
        "日期先后颠倒", "Dates the wrong way round",
        "开始({found})在结束({allowed})之后,永远不会生效", "It begins ({found}) after it ends ({allowed})",
        "检查两个日期。", "Look at the two dates.",
    ),
    "P509": Entry(
        "优惠超过一半", "More than half off",
        "会员只付不到一半({found}),是这样吗?", "Members pay less than half ({found}): is that meant?",
        "九五折写“实付: 95折”或“减: 5%”。", "To pay 95 % write `pay: 95%` or `off: 5%`.",
        severity="warning",
    ),
    "P510": Entry(
        "高等级的门槛更低", "Higher tier is easier",
        "“{about}”的门槛({found})比低一级的({allowed})还低",
        "“{about}” asks less ({found}) than the one below ({allowed})",
        "检查等级的先后和门槛。", "Look at the order of the tiers and at the thresholds.",
        severity="warning",
    ),
    "P511": Entry(
        "互斥组只有一条", "Exclusive group of one",
        "互斥组“{found}”里只有一条奖励,不起作用", "The exclusive group “{found}” has one reward only",
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
        "预算 {allowed} 不够最少的名额({found})", "The budget {allowed} does not pay for the least winners ({found})",
        "增加预算,减少名额或奖品价值。", "Raise the budget, or lower the winners or the prize.",
    ),
    "P514": Entry(
        "特点不能依赖特点或等级", "Trait reads traits",
        "特点的条件里不能用“{found}”", "The condition of a trait cannot read “{found}”",
        "特点只看指标和客户属性。", "A trait reads facts and attributes only.",
    ),
    "P515": Entry(
        "永远不成立", "Never true",
        "“{about}”的条件互相矛盾,永远不成立:{found}", "What is asked of “{about}” can never hold: {found}",
        "检查上下限。", "Look at the bounds.",
    ),
    "P516": Entry(
        "没说之后怎样", "Ladder does not end",
        "没有写第 {found} 次以后怎样,按“无”处理", "What comes after occurrence {found} is not said; nothing is given",
        "写上“之后: 无”或“之后: 1500 元”。", "Add `after: none` or `after: 1500 CNY`.",
        severity="warning",
    ),
    "P517": Entry(
        "没有名称", "No title",
        "“{found}”没有名称,会员会看到编号", "“{found}” has no title; members will see the id",
        "加上“名称”。", "Add `title`.",
        severity="warning",
    ),
    "P518": Entry(
        "被前面的挡住", "Shadowed",
        "“{found}”永远轮不到,前面的“{about}”先满足", "“{found}” is never reached, “{about}” matches first",
        "把条件窄的放在前面;互斥的奖励,给金额低的更优先的“优先”并按优先取舍,或删除它。",
        "Put the narrower one first; of exclusive rewards let the smaller compete by priority, or delete it.",
        severity="warning",
    ),
    "P519": Entry(
        "等级取代了自己", "Tier replaces a living tier",
        "“{found}”还在等级里,不能被取代", "“{found}” is still a tier and cannot be replaced",
        "“取代”只写旧文件里有、这里没有的等级。", "`replaces` names tiers of older files that are gone here.",
    ),
    "P520": Entry(
        "百分比奖励的取整", "Rounding of a percentage",
        "按百分比给的奖励要写明“取整: 舍去”还是“四舍五入”", "A percentage states its `rounding`: floor or half_up",
        "按整数倍给的写“给: 1 积分, 每: 10 元”。", "For full steps write `give: 1 points, each: 10 CNY`.",
    ),
    "P521": Entry(
        "引擎装不下", "More than the engine holds",
        "{about}超过引擎的上限:{found},最多 {allowed}",
        "{about} is more than the engine holds: {found}, at most {allowed}",
        "拆成几条规则,或把条件写成特点、指标再引用。",
        "Make several rules of it, or put parts of the condition into traits or facts and name those.",
    ),
    "P522": Entry(
        "永远轮不到", "Never happens",
        "“{found}”要求的不可能成立,永远轮不到", "What is asked of “{found}” cannot hold: it never happens",
        "检查“满足”“条件”“排除”之间有没有互相矛盾。", "Look for a contradiction between `when`, `where` and `unless`.",
        severity="warning",
    ),
    "P523": Entry(
        "对谁都成立", "Always true",
        "“{found}”的条件对谁都成立,等于没有写", "The condition of “{found}” holds for everybody, as if there were none",
        "次数、台数、项数不会小于 0;把门槛写成 1 以上。", "Counts are never below 0; ask for 1 or more.",
        severity="warning",
    ),
    "P530": Entry(
        "按记账先后给完为止", "Served in the order of recording",
        "“{about}”由几位会员合用,按记账先后给,给完为止;以后重新判定也不会补上",
        "“{about}” is shared by several members: it is served in the order of recording, and never made up for later",
        "写在章程里;要与先后无关,就写“控制范围: 本人”。", "Say so in the terms; `scope: member` depends on no order.",
        severity="warning",
    ),
    "P531": Entry(
        "钱和积分不能相加", "Money and points make no sum",
        "“{about}”把记入{found}的奖励合在一起", "“{about}” adds up rewards of {found}",
        "分成两个总额,或者按次数限。", "Make two budgets of it, or limit the times.",
    ),
    "P524": Entry(
        "已经结束", "Over",
        "{about}在 {found} 已经结束,不会再生效", "{about} ended on {found} and has no effect any more",
        "改“至”的日期,或删除这条规则。", "Change `until`, or delete the rule.",
        severity="warning",
    ),
    "P525": Entry(
        "没有示例用到", "No example exercises it",
        "没有示例用到“{about}”;全部示例用到了 {found} 项",
        "No example exercises “{about}”; the examples exercise {found}",
        "加一个用到它的示例,写明应得什么,写在“示例”里,或写在旁边同名的 .examples 文件里。",
        "Add an example that earns it, under `examples` or in the file NAME.examples.yaml beside this one.",
        severity="warning",
    ),
    "P526": Entry(
        "没有示例", "No examples",
        "文件里没有示例,{found} 项规则都没有核对过", "The file has no examples: none of its {found} rules is exercised",
        "至少写一个示例:已知哪些事件,应得什么等级、多少奖励。",
        "Write at least one: which events are given, and which tier and grants are expected.",
        severity="warning",
    ),
}  # fmt: skip

# What the YAML parser says, and the names of shapes, for readers of Chinese.
FOUND_ZH: dict[str, str] = {
    "text": "一个值",
    "list": "列表",
    "mapping": "一组键",
    "\u3000": "空格",
    "folder": "文件夹",
    "pipe": "管道",
    "socket": "套接字",
    "device": "设备",
    "found unexpected end of stream": "文字没有写完:引号没有成对",
    "did not find expected ',' or ']'": "方括号里缺逗号,或没有成对",
    "did not find expected ',' or '}'": "花括号里缺逗号,或没有成对",
    "could not find expected ':'": "这里应该有冒号加空格",
    "mapping values are not allowed in this context": "这里不该再有冒号:检查缩进,或给文字加引号",
    "mapping keys are not allowed in this context": "这里不能用问号开头,请给文字加引号",
    "did not find expected key": "这里应该是一个键:检查缩进和引号",
    "did not find expected '-' indicator": "列表的“- ”没有对齐",
    "block sequence entries are not allowed in this context": "“- ”不能写在这里,请另起一行",
    "found character that cannot start any token": "文字不能以这个符号开头,请加引号",
    "found a tab character that violates indentation": "缩进里不能有制表符(Tab)",
    "found unknown escape character": "双引号里的反斜杠写法不对",
    "did not find expected hexdecimal number": "双引号里的反斜杠写法不对",
    "found invalid Unicode character escape code": "双引号里的反斜杠写法不对",
    "found unexpected document indicator": "文字没有写完就遇到了 --- 或 ...:引号没有成对",
    "did not find expected node content": "这里缺少内容",
    "did not find expected comment or line break": "| 和 > 后面不能有别的文字;文字以它们开头时要加引号",
    "did not find expected alphabetic or numeric character": "& 和 * 在 YAML 里有特别的意思,文字以它们开头时要加引号",
    "did not find expected tag URI": "! 在 YAML 里有特别的意思,文字以它开头时要加引号",
    "did not find expected whitespace or line break": "! 在 YAML 里有特别的意思,文字以它开头时要加引号",
    "did not find the expected '!'": "! 在 YAML 里有特别的意思,文字以它开头时要加引号",
    "found undefined tag handle": "! 在 YAML 里有特别的意思,文字以它开头时要加引号",
    "found incompatible YAML document": "YAML 的版本不对:删除这一行",
    "found unknown directive name": "% 开头的一行在 YAML 里是指令:删除它,或给文字加引号",
    "could not find expected directive name": "% 开头的一行在 YAML 里是指令:删除它,或给文字加引号",
    "did not find expected <document start>": "后面有多余的内容:检查缩进",
    "did not find expected <stream-start>": "文件开头读不懂",
    "engine rules": "全部规则的分支数",
    "alternatives of a rule": "一条规则的分支数",
    "nesting": "条件的层数",
    "fields of a phase": "同一处用到的指标、属性和字段",
    "conditions in one alternative": "一个分支里的条件数",
    "choices in one alternative": "一个分支里的多选条件数",
    "conditions of a program": "全部条件数",
    "choices that end in one condition": "以同一个条件结尾的多选条件数",
    "rules with the same last condition": "以同一个条件结尾的规则数",
    "conditions found and not yet followed": "同时成立而待查的条件数",
    "conditions behind one condition": "跟在同一个条件后面的条件数",
    "integer": "数字的大小",
}
