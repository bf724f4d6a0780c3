"""What every key of a policy file means, one sentence in each tongue: editors show it on completion and hover.

By form of `rules.grammar` and key; the words are in schema_words. A test says that none is without its sentence.
"""

from __future__ import annotations

from typing import Final

Said = tuple[str, str]  # in Chinese, in English

_TITLE: Final[Said] = ("会员和员工看到的名称；可写 {中文: …, 英文: …}。", "What people see; may be {zh: …, en: …}.")
_FROM: Final[Said] = ("从这一天起有效（含当天）。", "The first day on which it holds.")
_UNTIL: Final[Said] = ("到这一天为止有效（含当天）。", "The last day on which it holds.")
_AMOUNT: Final[Said] = ("固定给多少：1000 元、500 积分。", "A fixed amount, in the wallet's unit: 1000 CNY.")
_PER: Final[Said] = ("按金额给：每满多少给多少，或给百分之几。", "So much for every so much, or a percentage.")
_NTH: Final[Said] = (
    "按第几次给：{1: 1000 元, 2-3: 1500 元, 之后: 无}。",
    "By the how-manieth time: {1: 1000 CNY, 2-3: 1500 CNY, after: none}.",
)
_LANE: Final[Said] = ("在哪个通道里；不写就不参加取舍。", "The lane in which it competes; none unless said.")
_PRIORITY: Final[Said] = ("通道里的先后，小的在先。", "Its place in the lane, low first.")
_LEAST: Final[dict[str, Said]] = {
    "at_least": ("不低于（含本数）。", "This or more."),
    "more_than": ("超过（不含本数）。", "More than this."),
}
_ALL: Final[Said] = ("列出的条件全部成立。", "Every one of these holds.")
_ANY: Final[Said] = ("列出的条件至少一个成立。", "At least one of these holds.")
_NONE: Final[Said] = ("列出的条件一个也不成立。", "None of these holds.")
_AT_LEAST_OF: Final[Said] = ("至少这么多个条件成立；条件写在“范围”里。", "So many of those under `of` hold.")
_PARTS: Final[Said] = ("“不低于”从这些条件里数。", "The conditions that `at_least` counts.")
_TRAITS: Final[Said] = ("满足几个特点：{不低于: 2}；“范围”限定数哪些。", "How many traits are met: {at_least: 2}.")
_TRAIT: Final[Said] = (
    "具备这个（或这几个）特点；或到什么程度：{large_fleet: {不低于: heavy}}。",
    "This trait, or all of these, are met; or how far: {large_fleet: {at_least: heavy}}.",
)
_TIER: Final[Said] = (
    "现在的等级；可以比高低：等级为: {少于: gold}。",
    "The standing tier; may be ordered: tier: {at_least: gold}.",
)
_MEMBER_CONDITION: Final[dict[str, Said]] = {
    "any": _ANY,
    "all": _ALL,
    "none": _NONE,
    "at_least": _AT_LEAST_OF,
    "of": _PARTS,
    "traits": _TRAITS,
    "trait": _TRAIT,
    "tier": _TIER,
}
_AMOUNTS: Final[dict[str, Said]] = {"amount": _AMOUNT, "per": _PER, "nth": _NTH}

KEY_TEXTS: Final[dict[str, dict[str, Said]]] = {
    "policy": {
        "programme": ("计划的编号，发布后不要改。", "The id of the programme; never changed after publishing."),
        "title": _TITLE,
        "currency": ("全部金额的币种；缺省 CNY（人民币）。", "The currency of every amount; CNY unless said."),
        "timezone": ("日期按哪个时区算；缺省 Asia/Shanghai。", "The zone of every date; Asia/Shanghai unless said."),
        "returned_as": (
            "整单退回算退货（之前已判定的不变），还是当作从没发生过；缺省退货。",
            "A whole order that comes back is a return, or as if it had never been; return unless said.",
        ),
        "late": ("各来源的单据最多能补录到多久以前。", "How far back each source may date what it sends."),
        "manager_limit": (
            "一位客户经理最多管几位最高等级会员，超过只提醒；缺省 10。",
            "Members of the top tier per manager, a warning above; 10 unless said.",
        ),
        "price_token": ("报价多久内有效；缺省 15 分钟。", "How long a quote holds; 15 minutes unless said."),
        "offline_slip": (
            "断网时收银台凭离线凭条办理，凭条多久内有效；缺省 24 小时。",
            "How long a slip for a till whose line is down is good; 24 hours unless said.",
        ),
        "facts": (
            "从事件里数出来的数，其他各段按编号引用。",
            "What is counted over a member's events; the rest names it by id.",
        ),
        "traits": (
            "会员的特点：按指标自动判断，或由人认定。",
            "What a member is: measured, attested by people, or either.",
        ),
        "tiers": ("等级，从低到高；最低一级没有条件。", "The tiers, lowest first; the lowest has no condition."),
        "lists": ("给业务人员干活用的名单，不影响待遇。", "Lists of members to work on; they change no benefit."),
        "segments": (
            "客户分类对应的服务级别，与等级的比较取高者。",
            "The service level of a segment; the higher of it and the tier's.",
        ),
        "levels": (
            "服务级别，从低到高：权益、应尽服务、条款。",
            "Service levels, lowest first: entitlements, duties, terms.",
        ),
        "wallets": (
            "钱包：配件款、积分等，各有单位和有效期。",
            "Kinds of value: credit, points; each with its unit and expiry.",
        ),
        "lanes": (
            "通道：同一通道里的价格、奖励只取一样，各通道按先后叠加。",
            "Groups in which prices and rewards compete; they apply in order.",
        ),
        "prices": (
            "会员价：哪些行、哪些等级、付多少。",
            "Members' prices: which lines, which tiers, how much is paid.",
        ),
        "emissions": (
            "把一件事传给另一位会员，例如促成购机。",
            "What an event passes on to another member, such as a referral.",
        ),
        "rewards": (
            "奖励：什么事、给谁、给多少、记入哪个钱包。",
            "What events earn: which, whom, how much, into which wallet.",
        ),
        "budgets": (
            "几项奖励合起来最多给多少：对全体、同一单位或本人。",
            "What several rewards may give together: to all, a firm, a member.",
        ),
        "awards": ("年度评选。", "The year-end awards."),
        "examples": ("发布前必须对得上的示例。", "Worked cases that must come out right before publishing."),
    },
    "text": {
        "zh": ("中文文字。", "The Chinese text."),
        "en": ("英文文字；缺省用中文。", "The English text; the Chinese unless said."),
    },
    "condition": _MEMBER_CONDITION,
    "trait_condition": _MEMBER_CONDITION,
    "line_condition": {"any": _ANY, "all": _ALL, "none": _NONE, "at_least": _AT_LEAST_OF, "of": _PARTS},
    "test": {
        "at_least": ("不低于（含本数）。", "This or more."),
        "more_than": ("超过（不含本数）。", "More than this."),
        "at_most": ("不高于（含本数）。", "This or less."),
        "less_than": ("少于（不含本数）。", "Less than this."),
        "is": ("正好是；写“有”“无”是问有没有记录。", "Exactly this; `present` and `none` ask whether there is one."),
        "is_not": ("不是。", "Anything but this."),
        "in": ("是其中之一。", "One of these."),
        "not_in": ("不是其中任何一个。", "None of these."),
        "of": ("只数这些特点。", "Only these traits are counted."),
    },
    "fact": {
        "count": ("这些事件的次数（减去退货）。", "How many of these events there are, net of returns."),
        "quantity": ("这些事件各行数量的合计。", "The quantities of these events' lines together."),
        "sum": ("某个字段的合计；“范围”写事件。", "The sum of a field; `of` names the events."),
        "max": ("某个字段的最大值。", "The largest value of a field."),
        "min": ("某个字段的最小值。", "The smallest value of a field."),
        "distinct": ("某个字段有几个不同的值。", "How many different values a field has."),
        "months_with": ("有这些事件的月数。", "In how many months there is one of these events."),
        "days_since_first": ("距第一次的天数。", "Days since the first of these events."),
        "days_since_last": ("距最近一次的天数。", "Days since the last of these events."),
        "years_since_first": ("距第一次满几年。", "Whole years since the first of these events."),
        "years_since_last": ("距最近一次满几年。", "Whole years since the last of these events."),
        "days_since": ("从某个日期属性起的天数。", "Days since a date attribute."),
        "years_since": ("从某个日期属性起满几年。", "Whole years since a date attribute."),
        "days_to_anniversary": (
            "到下一个周年（生日、发卡日）还有几天，当天是 0；2 月 29 日在平年算 2 月 28 日。",
            "Days to the next anniversary, 0 on the day; 29 February is 28 February in common years.",
        ),
        "months_to_anniversary": (
            "到下一个周年所在的月份还有几个月，当月是 0：生日当月。",
            "Months to the month of the next anniversary, 0 in that month: the month of his birthday.",
        ),
        "fleet": ("自有设备台数（各品牌、各来路）。", "Machines the member owns, whoever sold them."),
        "ratio": ("两个指标之比，用百分数比较。", "One fact in proportion to another, as a percentage."),
        "to": ("比率的另一边：和什么比。", "The other side of the ratio."),
        "of": ("在哪些事件里算。", "Over which events."),
        "field": ("算哪个字段（这时“合计”等写事件）。", "Which field; `sum` and the like then name the events."),
        "where": ("只算字段符合的：{规格: large}。", "Only those whose fields match: {size: large}."),
        "within": ("只算最近这么久：12 个月。", "Only so long back: 12 months."),
        "preceding": ("只算再往前的同样一段。", "Only the window of this length before the latest one."),
        "in": ("只算今年、去年、本季、上季或本级以来。", "Only this or last year or quarter, or since the tier began."),
        "checked_within": ("只算这么久以内核实过的设备。", "Only machines checked so recently."),
        "title": _TITLE,
        "unit": ("数的单位；一般不用写。", "The unit of the number; seldom needed."),
    },
    "trait": {
        "title": _TITLE,
        "when": ("按指标自动判断的条件。", "The condition on facts and attributes."),
        "degrees": (
            "程度，从低到高，各有条件；代替“满足”。",
            "How far it goes, lowest first, each with its condition; in place of `when`.",
        ),
        "attested": (
            "由谁认定、谁会签、多久有效；与“满足”有一样即可。",
            "Who may state it instead, and for how long that holds.",
        ),
    },
    "degree": {
        "id": ("程度的编号：solid、heavy。", "The id of this degree."),
        "title": _TITLE,
        "when": ("到这个程度的条件。", "The condition of this degree."),
    },
    "attested": {
        "by": ("哪些职务可以认定。", "The roles that may state it."),
        "countersigned_by": ("哪些职务会签；不写就不用会签。", "The roles of whom one signs too; none unless said."),
        "not_own_manager": ("认定人不能是会员自己的客户经理。", "It may not be the member's own account manager."),
        "valid": ("认定多久有效：12 个月。", "How long a statement holds: 12 months."),
    },
    "tier": {
        "id": ("等级的编号，发布后不要改。", "The id of the tier; never changed after publishing."),
        "title": _TITLE,
        "level": ("这一级的服务级别。", "The service level of this tier."),
        "when": ("升到这一级的条件。", "What it takes to rise to this tier."),
        "unless": ("符合的不能在这一级。", "Who is kept out, whatever else holds."),
        "promotion": (
            "自动晋级，还是要人确认；缺省自动。",
            "At once, or after somebody confirmed; automatic unless said.",
        ),
        "confirm_within": (
            "够条件后多少天内确认才有效；缺省 90 天。",
            "Days in which a confirmation counts; 90 unless said.",
        ),
        "returns_undo": (
            "升级后多少天内退货，等级一并撤回；缺省 30 天。",
            "Days in which a return undoes the rise; 30 unless said.",
        ),
        "replaces": ("取代旧文件里哪些已经没有的等级。", "Tiers of older files that this one stands for."),
        "keep": (
            "保级：保多久、宽限多久、到期怎么办；最低一级以外必写。",
            "How long it is kept, the grace, and what comes then; wanted for all but the lowest.",
        ),
    },
    "keep": {
        "for": ("从升级起保多久：12 个月。", "How long from the rise: 12 months."),
        "to": ("保到月底、年底或次年底。", "Kept to the end of that month or year."),
        "grace": ("到期后再宽限几天。", "Days of grace after that."),
        "then": ("到期仍不够条件时怎么办。", "What happens when the condition still fails."),
    },
    "list": {
        "title": _TITLE,
        "when": ("名单里是哪些会员。", "Which members are on it."),
        "of": ("差几个特点就到这一级的会员。", "Members who are a few traits short of this tier."),
        "short": ("差几个特点；缺省 1。", "How many traits are missing; 1 unless said."),
    },
    "wallet": {
        "title": _TITLE,
        "unit": ("金额还是积分。", "Money or points."),
        "pays_for": ("可以付哪些类别的行。", "The categories of lines it may pay for."),
        "max_share": ("最多付一行的百分之几；缺省 100%。", "The share of a line it may pay; 100% unless said."),
        "block": ("只能按这个数的整数倍使用。", "It is used in multiples of this."),
        "minimum": ("一次至少用多少。", "The least that is used at once."),
        "expires": (
            "多久到期：24 个月、{之后: 24 个月, 截至: 月底} 或 无。",
            "24 months, {after: 24 months, to: month_end}, or none.",
        ),
        "notice": ("到期前几天提醒，可写几个。", "Days before expiry on which the member is told."),
        "share_of": ("“最高占比”按每行还是按整单算；缺省每行。", "Whether max_share is of each line or of the order."),
        "minimum_order": ("能付的行满多少才能用。", "The least that the lines it may pay must come to."),
        "not_with": ("按这些价格卖的行不能付。", "It does not pay for lines sold at these prices."),
        "clawback": (
            "退货要收回而余额不足时怎么办；缺省记欠。",
            "When a return takes back more than is left; debt unless said.",
        ),
        "suspended_when": ("符合时暂停使用。", "While this holds the wallet cannot be used."),
        "worth": (
            "积分折合多少钱：100 积分抵 1 元；写了“可付”就能在收银台抵款。",
            "What points are worth: 100 points are 1 CNY; with pays_for they pay at the till.",
        ),
        "holds": ("预占（先占用、后扣款）的规矩。", "How it is held for an order before it is captured."),
        "offline": (
            "断网时凭离线凭条最多可用多少；缺省不可用。",
            "The most that a slip lets a member use while the line is down; nothing unless said.",
        ),
        "return_grace": (
            "退回的至少还能用几天；不写就按原到期日。",
            "What comes back is good for so many days at least; its old expiry unless said.",
        ),
        "returned_to": (
            "退回原来那一批，还是另起一批、重新计期；缺省原批次。",
            "Back to the lot that paid, or a new lot with a term of its own; old_lot unless said.",
        ),
        "transfer": (
            "能不能转给同一单位的其他账户；缺省不能。",
            "Whether the accounts of one firm may hand it to one another; none unless said.",
        ),
        "second_person": (
            "人工调整超过这个数要第二个人复核。",
            "An adjustment above this needs a second person.",
        ),
    },
    "holds": {
        "for": ("最长占用多久；缺省 30 分钟。", "How long at most; 30 minutes unless said."),
        "partial": (
            "只扣一部分时其余怎么办；缺省释放。",
            "What becomes of the rest when a part is captured; free unless said.",
        ),
        "above": (
            "扣款超出预占时：拒绝，还是其余从可用余额取用；缺省拒绝。",
            "A capture above the hold: refuse it, or take the rest of what is available; refuse unless said.",
        ),
    },
    "lane": {
        "title": _TITLE,
        "compete": (
            "同一通道里取优惠大的，还是按优先次序。",
            "What wins in the lane: the best value, or the priority.",
        ),
    },
    "least_money": _LEAST,
    "least_pieces": _LEAST,
    "less": {
        "give": ("每满一次减多少。", "How much is taken off each time."),
        "pieces": ("每行每满几件减一次：1 就是每件减。", "Off every so many pieces of a line: 1 is off each piece."),
        "each": ("每满多少：3000 元。", "For every full so much: 3000 CNY."),
    },
    "free": {
        "give": ("其中几件不收钱。", "So many of them are not charged."),
        "each": ("每满几件（含送的）：买十送一写 11。", "Of every so many pieces, the free ones included."),
    },
    "expires": {
        "after": ("记入后多久到期。", "How long after it was granted."),
        "to": ("顺延到月底、年底或次年底。", "Then on to the end of the month, the year or the next year."),
    },
    "worth": {"points": ("多少积分。", "So many points."), "money": ("折合多少钱。", "So much money.")},
    "price": {
        "title": _TITLE,
        "for": ("哪些等级；不写就是全部。", "The tiers that get it; all unless said."),
        "where": ("哪些行：{类别: 配件}。", "Which lines: {category: parts}."),
        "when": ("会员要符合的条件，按这一单之前算。", "What must hold of the member, as of before the order."),
        "weekdays": ("只在星期几有。", "Only on these days of the week."),
        "pay": ("付标价的几折：95折 或 95%。", "The share of the list price that is paid: 95%."),
        "off": ("减百分之几：5%。", "The percentage taken off: 5%."),
        "fixed": ("一口价：100 元。", "A fixed unit price: 100 CNY."),
        "level": ("哪些服务级别；不写就是全部。", "The service levels that get it; all unless said."),
        "less": (
            "整单立减：200 元，或每满：{给: 200 元, 每: 3000 元}。",
            "Off the order: 200 CNY, or {give: 200 CNY, each: 3000 CNY}.",
        ),
        "free": ("买几送几：{给: 1, 每: 11} 是买十送一。", "Buy some, get some: {give: 1, each: 11}."),
        "rounding": ("分以下四舍五入还是舍去；缺省四舍五入。", "Half up or down to the fen; half up unless said."),
        "rounded_per": (
            "逐行取整，还是整单取整再分摊；缺省每行。",
            "Per line, or per order and then shared; line unless said.",
        ),
        "lane": _LANE,
        "priority": _PRIORITY,
        "not_with": ("不与这些价格同享。", "It does not go on top of, or under, these prices."),
        "beside": (
            "同一单里另有这样的行才有：{类别: 工时}。",
            "Some line of the order must be this: {category: labour}.",
        ),
        "minimum_order": ("这些行满多少才有。", "The least these lines must come to at list price."),
        "minimum_quantity": ("这些行满多少件才有。", "The least number of pieces on these lines."),
        "maximum_quantity": (
            "一单最多几件按这个价，按行的先后算；不写就不限。",
            "So many pieces of an order get it, in the order of its lines; all of them unless said.",
        ),
        "line_cap": ("一行最多减多少。", "The most taken off a line."),
        "order_cap": ("一单最多减多少。", "The most taken off an order."),
        "from": _FROM,
        "until": _UNTIL,
    },
    "emission": {
        "title": _TITLE,
        "on": ("什么事件发生时。", "On which events."),
        "where": ("事件的字段要符合。", "What the fields of the event must say."),
        "when": ("会员要符合的条件。", "What must hold of the member."),
        "to": ("送给哪个字段里的会员：介绍人。", "The field that holds the receiver: referrer."),
        "emits": ("对方收到的事件：促成购机。", "The event the receiver gets: machine_brought_about."),
        "carries": ("带过去哪些字段。", "The fields that are copied."),
        "giver": ("哪个字段写上原会员：购买人。", "The field that receives this member's code: buyer."),
    },
    "reward": {
        "title": _TITLE,
        "on": ("什么事件有奖。", "Which events earn it."),
        "where": ("事件（行）的字段要符合：{二手: 否}。", "What the fields of the event or its lines must say."),
        "when": ("会员要符合的条件。", "What must hold of the member."),
        "for": ("哪些等级；不写就是全部。", "The tiers that earn it; all unless said."),
        "level": ("哪些服务级别；不写就是全部。", "The service levels that earn it; all unless said."),
        "lane": _LANE,
        "priority": _PRIORITY,
        "count_by": ("按哪个字段分开数：购买人。", "Times are counted apart by this field: buyer."),
        "minimum_quantity": ("这些行满多少件才有。", "The least number of pieces on the matching lines."),
        "return_frees": (
            "全退后次数、封顶、互斥是否还回来；缺省是。",
            "Whether a full return gives rung, cap and key back; yes unless said.",
        ),
        "standing": (
            "按事件之前、之后还是下单（交机）时的等级；缺省之后。",
            "The tier before, after, or right after the order; after unless said.",
        ),
        "into": ("记入哪个钱包。", "The wallet it goes to."),
        **_AMOUNTS,
        "by_class": ("先按类别给，其余按后面写的给。", "Amounts for classes; what is in none gets the one beside."),
        "period": ("第几次按什么周期数；缺省终身。", "In which period times are counted; life unless said."),
        "counted_on": (
            "按哪个日期字段算进周期；缺省事件当天。",
            "The date field that says in which period; the event's day unless said.",
        ),
        "counting": (
            "只数已得的，还是全部都数；缺省已得。",
            "Count what was granted, or everything; granted unless said.",
        ),
        "exclusive": ("同一组里、同一台（单）只给一样。", "Of a group only one is given for each machine or order."),
        "caps": ("封顶：{每年: 4000 元}。", "The most in a period: {year: 4000 CNY}."),
        "settle": ("多少天后才能用。", "Days until it can be used."),
        "expires": ("多久到期；不写按钱包的。", "Its own expiry; the wallet's unless said."),
        "from": _FROM,
        "until": _UNTIL,
        "weekdays": ("只在星期几有。", "Only on these days of the week."),
        "minimum_spend": ("这些行满多少才有。", "The least the matching lines must come to."),
        "returns": ("退货时按比例收回，还是整个重算；缺省按比例。", "On a return: in proportion, or judged again."),
    },
    "budget": {
        "title": _TITLE,
        "limit": (
            "最多给多少，或最多几次：200000 元、100 次。",
            "At most so much, or so often: 200000 CNY, 100 times.",
        ),
        "period": ("每个周期的限额；缺省终身。", "In each of which periods; life unless said."),
        "scope": (
            "全体、同一单位（所属单位相同）还是本人；前两样按记账先后给完为止。",
            "Everybody, one firm, or each member; the first two are served in the order of recording.",
        ),
        "rewards": ("合起来算的奖励。", "The rewards that are counted together."),
    },
    "class": {
        "class": ("这一类的名字。", "The name of the class."),
        "where": ("哪些算这一类：{规格: small}。", "What belongs to it: {size: small}."),
        **_AMOUNTS,
    },
    "exclusive": {
        "group": ("组的名字；同名的互斥。", "The name of the group; rewards that share it exclude each other."),
        "key": ("按哪个字段算同一样：整机编号。", "The field that says what is the same: serial."),
        "priority": ("金额相同时小的在先。", "With equal amounts the lower number wins."),
        "compete": ("先比金额，还是先比优先；缺省取高。", "What is compared first: the value, or the priority."),
    },
    "per": {
        "give": ("给多少：1 积分、10 元 或 3%。", "How much: 1 points, 10 CNY or 3%."),
        "each": ("每满多少：10 元。", "For every so much: 10 CNY."),
        "of": ("按哪个字段算；缺省金额。", "The field it is counted on; amount unless said."),
        "rounding": (
            "不满的舍去，还是四舍五入；缺省舍去。",
            "Drop what is not full, or round half up; floor unless said.",
        ),
        "cap": ("一次最多给多少。", "The most at once."),
        "rounded_per": (
            "整单合计取整一次，还是每行各取整；缺省整单。",
            "Once for the sum of the order, or for each line; whole_order unless said.",
        ),
        "above": ("只算超出这么多的部分。", "Only what is beyond this counts."),
        "less_credit": ("先减去用钱包付的部分；缺省否。", "What wallets paid is taken off first; no unless said."),
    },
    "level": {
        "title": _TITLE,
        "entitlements": ("权益：客户可以要的，有额度。", "What members may claim, with quotas."),
        "duties": ("应尽服务：我们欠客户的，有期限和负责人。", "What the dealer owes, with a term and an owner."),
        "terms": (
            "印在对比表上的话，不参与计算。",
            "Sentences for the comparison page; nothing is computed from them.",
        ),
    },
    "entitlement": {
        "title": _TITLE,
        "quota": ("一个周期几次；不写就是不限。", "How many times a period; unlimited unless said."),
        "period": ("额度的周期；缺省每年。", "The period of the quota; a year unless said."),
        "per_machine": ("额度乘以设备台数。", "The quota is for each machine owned."),
        "note": ("给会员看的说明。", "A note for members."),
    },
    "duty": {
        "title": _TITLE,
        "owner": ("哪个职务负责。", "The role that owes it."),
        "within": (
            "时限：2 小时按钟点，7 天到当天结束。",
            "The term: 2 hours by the clock, 7 days to the end of the day.",
        ),
        "on": ("什么事件引起。", "The events that call for it."),
        "where": ("事件的字段要符合。", "What the fields of the event must say."),
        "every": ("每隔多久一次：1 个月、7 天。", "Every so often: 1 month, 7 days."),
        "on_date": ("每年逢哪个日期：生日。", "Every year on a date of the member's: birth_date."),
        "on_standing": (
            "等级发生什么变化时：晋级、保级、将到期、宽限、降级、冻结、指定。",
            "When this happens to the tier: promoted, renewed, lapsing, grace, demoted, locked, assigned.",
        ),
        "ahead": ("提前几天：生日前 7 天起、到期前 30 天。", "So many days before the date, or before it lapses."),
        "done_by": (
            "什么事件算完成；不写就要人登记“履行服务”。",
            "The events that fulfil it; else somebody records duty_done.",
        ),
        "matching": ("引起和完成的事件哪些字段要相同。", "Fields that both events must share."),
        "escalate_to": ("逾期升级到哪个职务。", "The role that hears of it when it is overdue."),
        "escalate_after": ("逾期多久才升级；缺省一逾期就升级。", "So long after it was due; at once unless said."),
    },
    "award": {
        "title": _TITLE,
        "for": ("年末在哪些等级的可以参评。", "The tiers, at the end of the year, that take part."),
        "months_in_tier": ("当年至少在级几个月。", "At least so many months of the year in those tiers."),
        "unless": ("符合的不能参评。", "Who takes no part."),
        "period": ("评哪一段：每年、每季、每月；缺省每年。", "What it is given for; a year unless said."),
        "per_group": (
            "按这个客户属性分组，各组各排、各有名额：所属门店。",
            "Each value of this attribute has its own list and winners: home_store.",
        ),
        "measure": ("只比一个指标。", "Ranked by one fact."),
        "tax": ("奖品的个税：税率、由谁付；只列出来，不记账。", "The tax on the prize, listed and not booked."),
        "score": ("各指标的权重；按名次折算再乘权重。", "The weight of each fact; ranks are weighed, not amounts."),
        "ties": ("并列时依次比什么。", "What decides between equals, in order."),
        "winners": ("名额。", "How many win."),
        "prize": ("每份奖品值多少钱。", "What one prize is worth."),
        "budget": ("一年的预算。", "The budget of a year."),
        "into": ("记入哪个钱包；不写就是实物。", "The wallet it goes to; goods unless said."),
    },
    "prize": {
        "places": ("按名次给：{1: 5000 元, 2-3: 3000 元, 之后: 无}。", "By place: {1: 5000 CNY, 2-3: 3000 CNY}."),
        "share": ("得奖人某个指标的百分之几。", "A share of one of the winner's facts."),
        "fact": ("哪个指标。", "Which fact."),
        "cap": ("每份最多多少。", "The most for one winner."),
        "block": ("舍到这个数的整数倍：100 元。", "Floored to multiples of this: 100 CNY."),
    },
    "tax": {
        "rate": ("税率：20%。", "The rate: 20%."),
        "borne_by": ("得奖人自己付，还是公司代付（另加）。", "The winner out of the prize, or the dealer on top."),
    },
    "winners": {
        "share": ("够格的人里百分之几。", "The share of the eligible."),
        "at_least": ("最少几名。", "At least so many."),
        "at_most": ("最多几名。", "At most so many."),
    },
    "tie": {
        "fact": ("比哪个指标。", "Which fact is compared."),
        "attribute": ("比哪个客户属性。", "Which attribute is compared."),
        "first": ("高者在前，还是低者在前。", "Whether the highest or the lowest comes first."),
    },
    "example": {
        "title": ("这个示例说的是什么。", "What the example shows."),
        "given": ("已知：按先后发生的事件。", "The events that happened, in order."),
        "expect": ("应得：最后应该是什么样。", "What must come out of them."),
    },
    "event": {
        "event": ("事件的种类。", "The kind of event."),
        "at": ("日期或时间：2026-02-01、2026-02-01 09:30。", "A date or time: 2026-02-01, 2026-02-01 09:30."),
        "member": ("哪位会员；不写就是示例的主角。", "Whose event it is; the example's own member unless said."),
        "store": ("哪家门店。", "The store."),
    },
    "expect": {
        "member": ("看哪位会员。", "Which member is looked at."),
        "at": ("看哪一刻；缺省最后一个事件之后。", "At which moment; after the last event unless said."),
        "tier": ("等级。", "The tier."),
        "state": ("等级的状态。", "How the tier is held."),
        "since": ("从哪一天起。", "The first day of the tier."),
        "until": ("有效到哪一天（含当天）。", "The last day on which it is valid."),
        "level": ("服务级别。", "The service level."),
        "traits": ("满足的全部特点。", "All traits that are met."),
        "why": ("这一级是因为哪些特点。", "The traits that brought the tier."),
        "grants": ("各项奖励净得多少。", "What each reward gave, net."),
        "balance": ("各钱包的余额。", "What is in each wallet."),
        "pays": ("最后一单应付多少。", "What the last order costs."),
        "price": ("同“应付”。", "The same as `pays`."),
        "entitlements": ("享有的权益；可写还剩几次。", "The entitlements he has, or how often each is left."),
        "duties": ("我们欠他的服务。", "The duties owed to him."),
        "lists": ("在哪些名单里。", "The lists he is on."),
    },
}
