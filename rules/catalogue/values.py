"""Problems P3xx: values."""

from __future__ import annotations

from typing import Final

from rules.catalogue.entry import Entry

VALUES: Final[dict[str, Entry]] = {
    "P301": Entry(
        "不是整数", "Not a whole number",
        "{about}应该是整数，这里是“{found}”", "{about} must be a whole number, not “{found}”",
        "写成 3 或 1,000 这样的数字。", "Write a number such as 3 or 1,000.",
    ),
    "P302": Entry(
        "数字超出范围", "Number out of range",
        "{about}超出范围：{found}，允许 {allowed}", "{about} is out of range: {found}, allowed is {allowed}",
        "改成范围以内的数。", "Write a number within the range.",
    ),
    "P303": Entry(
        "金额没有单位", "Money without a unit",
        "{about}“{found}”没有写货币单位", "{about} “{found}” has no currency",
        "写成 1000 元、2 万元 或 1000 CNY。", "Write 1000 CNY or 1000 元.",
    ),
    "P304": Entry(
        "币种不一致", "Another currency",
        "“{found}”的币种与本计划（{allowed}）不一致", "“{found}” is in another currency than the programme ({allowed})",
        "全部金额用同一币种。", "All amounts are in the programme's currency.",
    ),
    "P305": Entry(
        "不是金额", "Not an amount of money",
        "{about}应该是金额，这里是“{found}”", "{about} must be an amount of money, not “{found}”",
        "写成 1000 元、2 万元、0.1 元 或 1000 CNY。", "Write 1000 CNY, 0.1 CNY or 1000 元.",
    ),
    "P306": Entry(
        "金额小于一分", "Finer than a cent",
        "金额最多精确到分：{found}", "Money has at most two decimals: {found}",
        "小数最多两位。", "Write at most two decimals.",
    ),
    "P307": Entry(
        "不是百分数", "Not a percentage",
        "{about}应该是百分数，这里是“{found}”", "{about} must be a percentage, not “{found}”",
        "写成 95%、130% 或 12.5%，最多两位小数。", "Write 95%, 130% or 12.5%, at most two decimals.",
    ),
    "P308": Entry(
        "百分数没有单位", "Percentage without a sign",
        "{about}“{found}”没有写百分号", "{about} “{found}” has no percent sign",
        "写成 95% 或 95折。", "Write 95% or 95折.",
    ),
    "P309": Entry(
        "折扣说法有两种意思", "Ambiguous discount",
        "“{found}”有两种意思：是付这么多，还是减这么多？", "“{found}” can be read two ways: is it paid, or taken off?",
        "付 95% 写“实付: 95折”或“pay: 95%”；减 5% 写“减: 5%”或“off: 5%”。",
        "To pay 95 % write `pay: 95%`; to take 5 % off write `off: 5%`.",
    ),
    "P310": Entry(
        "折数不对", "Impossible 折",
        "“{found}”不是可以用的折数", "“{found}” is no usable 折",
        "一位数是几成（9折付90%），两位数是百分之几（95折付95%），可写 9.5折、九五折；0 折、10 折、100 折不行。",
        "One digit is tenths (9折 pays 90 %), two are hundredths (95折 pays 95 %), 9.5折 is 95 %; not 0, 10 or 100.",
    ),
    "P311": Entry(
        "不是时长", "Not a length of time",
        "{about}应该是一段时间，这里是“{found}”", "{about} must be a length of time, not “{found}”",
        "写成 12个月、90天、2小时 或 12 months、90 days。", "Write 12 months, 90 days, 2 hours or 12个月.",
    ),
    "P312": Entry(
        "时长单位不合适", "Unit of time does not fit",
        "{about}不能用“{found}”这个单位，可以用 {allowed}", "{about} cannot be in that unit: “{found}”; use {allowed}",
        "一个月不等于 30 天：按提示的单位写。", "A month is not 30 days: write it in a unit that fits.",
    ),
    "P313": Entry(
        "不是日期", "Not a date",
        "{about}应该是日期，这里是“{found}”", "{about} must be a date, not “{found}”",
        "写成 2026-01-01 或 2026年1月1日，而且这一天要存在。", "Write 2026-01-01; the day must exist.",
    ),
    "P314": Entry(
        "不是“是”或“否”", "Not yes or no",
        "{about}应该是“是”或“否”，这里是“{found}”", "{about} must be yes or no, not “{found}”",
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
        "文字和是/否只能用：是、不是、属于、不属于。", "Texts and yes/no take only is, is_not, in and not_in.",
    ),
    "P317": Entry(
        "积分与金额混用", "Points and money mixed",
        "{about}要写{allowed}，这里是“{found}”", "{about} must be in {allowed}, not “{found}”",
        "记入哪个钱包，就用哪个钱包的单位。", "Write amounts in the unit of the wallet they go to.",
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
        "{about}太长，最多 {allowed} 个字", "{about} is too long, at most {allowed} characters",
        "写短一些。", "Make it shorter.",
    ),
    "P321": Entry(
        "次数写法不对", "Malformed rung",
        "“{found}”不是第几次的写法", "“{found}” does not say which occurrences",
        "写成 1、2-3、第2次、4+ 或“之后”。", "Write 1, 2-3, 4+ or `after`.",
    ),
    "P322": Entry(
        "引号会显示出来", "Quotes that will be seen",
        "{found} 两边的引号不是 YAML 的引号，会员会看到它们",
        "The quotes around {found} are no quotes to YAML: members will see them",
        "删除两边的引号，或改用半角的双引号。", "Delete them, or use plain double quotes.",
        severity="warning",
    ),
    "P323": Entry(
        "比较的写法不对", "Comparison written as a formula",
        "比较不能写成“{found}”，要写成 {allowed}", "A comparison is not written “{found}” but {allowed}",
        "用 不低于、超过、不高于、少于、是、不是，放在 { } 里。",
        "Use at_least, more_than, at_most, less_than, is or is_not, in braces.",
    ),
}  # fmt: skip
