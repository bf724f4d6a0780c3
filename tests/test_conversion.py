"""Single values in the other tongue: there and back, and nothing that is no such value."""

import pytest

from rules.conversion import converted
from rules.grammar.shapes import Leaf

LENGTH = Leaf("length", units=("days", "months"))


@pytest.mark.parametrize(
    ("leaf", "en", "zh"),
    [
        (LENGTH, "12 months", "12 个月"), (LENGTH, "1 month", "1 个月"), (LENGTH, "90 days", "90 天"),
        (LENGTH, "2 weeks", "2 周"), (LENGTH, "15 minutes", "15 分钟"), (LENGTH, "1 year", "1 年"),
        (Leaf("money"), "1000 CNY", "1000 元"), (Leaf("money"), "0.1 CNY", "0.1 元"),
        (Leaf("money"), "1,000 CNY", "1,000 元"), (Leaf("money"), "-5 USD", "-5 美元"),
        (Leaf("amount"), "1 points", "1 积分"), (Leaf("amount", ("none",)), "none", "无"),
        (Leaf("quantity"), "3 times", "3 次"), (Leaf("quantity"), "2 machines", "2 台"),
        (Leaf("quantity"), "30 km", "30 公里"), (Leaf("percent"), "12.5%", "12.5%"),
        (Leaf("paid"), "95%", "95折"), (Leaf("paid"), "90%", "9折"), (Leaf("paid"), "97.5%", "9.75折"),
        (Leaf("paid"), "100%", "100%"), (Leaf("yes"), "yes", "是"), (Leaf("yes"), "no", "否"),
        (Leaf("category"), "parts", "配件"), (Leaf("kind"), "contact", "联系走访"),
        (Leaf("attribute"), "birth_date", "生日"), (Leaf("field"), "cash", "现金实付"),
        (Leaf("word", ("one_down",)), "one_down", "降一级"), (Leaf("rung", ("after",)), "after", "之后"),
        (Leaf("source", ("till", "erp")), "erp", "财务系统"), (Leaf("integer"), "3", "3"),
        (Leaf("date"), "2026-01-01", "2026-01-01"), (Leaf("text"), "全部", "全部"), (Leaf("prose"), "all", "all"),
    ],
)  # fmt: skip
def test_values_go_there_and_back(leaf, en, zh):
    assert converted(leaf, en, "zh") == zh
    assert converted(leaf, zh, "en") == en
    assert converted(leaf, zh, "zh") == zh
    assert converted(leaf, en, "en") == en


@pytest.mark.parametrize(
    ("leaf", "zh", "en"),
    [
        (LENGTH, "十二个月", "12 months"), (LENGTH, "7天", "7 days"), (LENGTH, "半年", "6 months"),
        (LENGTH, "一年", "1 year"), (LENGTH, "两个星期", "2 weeks"), (LENGTH, "30 日", "30 days"),
        (Leaf("money"), "2万元", "20000 CNY"), (Leaf("money"), "1.5 万元", "15000 CNY"),
        (Leaf("money"), "一千五百元", "1500 CNY"), (Leaf("money"), "￥1000", "1000 CNY"),
        (Leaf("money"), "人民币 1000", "1000 CNY"), (Leaf("money"), "１０００元", "1000 CNY"),
        (Leaf("quantity"), "3项", "3"), (Leaf("quantity"), "十", "10"), (Leaf("quantity"), "１０", "10"),
        (Leaf("percent"), "130％", "130%"), (Leaf("percent"), "百分之五", "5%"),
        (Leaf("paid"), "九五折", "95%"), (Leaf("paid"), "打9.5折", "95%"), (Leaf("yes"), "是", "yes"),
        (Leaf("rung"), "第2-3次", "2-3"), (Leaf("rung"), "2至3", "2-3"), (Leaf("rung"), "4次以上", "4+"),
        (Leaf("date"), "2026年1月1日", "2026-01-01"), (Leaf("currency"), "人民币", "CNY"),
        (Leaf("moment"), "2026年1月1日 9:30", "2026-01-01 09:30:00"), (Leaf("moment"), "2026年1月1日", "2026-01-01"),
    ],
)  # fmt: skip
def test_what_only_chinese_says_so_is_kept_in_chinese_and_said_in_english(leaf, zh, en):
    assert converted(leaf, zh, "zh") == zh
    assert converted(leaf, zh, "en") == en


@pytest.mark.parametrize(
    ("leaf", "en", "zh"),
    [
        (LENGTH, "half a year", "半年"), (LENGTH, "90days", "90 天"), (Leaf("money"), "CNY 1000", "1000 元"),
        (Leaf("money"), "1000 RMB", "1000 元"), (Leaf("yes"), "true", "是"), (Leaf("percent"), "5 percent", "5%"),
        (Leaf("quantity"), "1 hour", "1 小时"), (Leaf("quantity"), "2 h", "2 小时"),
    ],
)  # fmt: skip
def test_what_only_english_says_so_is_said_in_chinese(leaf, en, zh):
    assert converted(leaf, en, "en") == en
    assert converted(leaf, en, "zh") == zh


@pytest.mark.parametrize("type_", ["money", "length", "paid", "date", "moment", "yes", "rung", "kind", "quantity"])
@pytest.mark.parametrize(
    "text", ["", "面议", "一阵子", "12 blue moons", "随便 5", "10折", "2026-02-30", "9" * 100 + "元"]
)
def test_what_is_no_such_value_stays_as_it_is(type_, text):
    for lang in ("zh", "en"):
        once = converted(Leaf(type_), text, lang)
        assert once == text or (type_ in ("money", "length", "quantity") and text.startswith("9"))
