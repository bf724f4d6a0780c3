"""A mapping and the cells of a file: read where they can mean one thing only, else refused with their place."""

import contextlib
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierengine.importing.mapping import Mapping, MappingRefused, read_mapping, with_options
from tierengine.importing.values import SENTENCES, CellRefused, Cells, day, decimal, texts, whole, yes_or_no

# ---- mappings ----------------------------------------------------------------------------------------------------


def test_a_mapping_may_be_written_in_chinese():
    text = """
事件: 购机
来源: 财务
门店: S01
时区: Asia/Shanghai
币种: 人民币
单位: 元
建档: 是
列: {单号: 订单, 会员: 客户, 时间: 日期, 金额: 合计, 毛利: {列: 利润, 单位: 分}}
固定值: {付款方式: mortgage}
"""
    mapping = read_mapping(text, "m.yaml")
    assert (mapping.kind, mapping.source, mapping.currency, mapping.unit) == ("machine_purchase", "财务", "CNY", "yuan")
    assert mapping.create_members
    assert mapping.columns["margin"].unit == "minor"
    assert mapping.constants == {"payment_mode": "mortgage", "kind": "machine_purchase", "store": "S01"}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("kindd: contact", "P201", 1),
        ("source: a\nsource: b", "P202", 2),
        ("kind: contactt", "P401", 1),
        ("columns: {sum: a}", "P402", 1),
        ("columns: [a]", "P204", 1),
        ("timezone: Mars/Olympus", "P318", 1),
        ("currency: XXX", "P319", 1),
        ("unit: dollars", "P315", 1),
        ("create_members: maybe", "P314", 1),
        ("columns:\n  amount: {unit: fen}", "P203", 2),
        ("a: &x b", "P110", 1),
        ("", "P116", 1),
        ("just text", "P204", 1),
        ("kind： contact", "P108", 1),
    ],
)
def test_a_bad_mapping_is_refused_with_its_place(text, code, line):
    with pytest.raises(MappingRefused) as refused:
        read_mapping(text, "m.yaml")
    assert (code, line) in [(problem.code, problem.mark.line) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("maps", "sets"), [({"nothing": "a"}, {}), ({}, {"nothing": "a"}), ({}, {"timezone": "x"}), ({}, {"kind": "x"})]
)
def test_bad_options_are_refused(maps, sets):
    with pytest.raises(MappingRefused):
        with_options(Mapping(), maps, sets)


NINE = datetime(2026, 3, 1, 9)  # noqa: DTZ001  as a spreadsheet gives it

# ---- cells -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "unit", "fen"),
    [
        ("1,234.50", "yuan", 123_450), ("￥1234.5", "yuan", 123_450), ("1234.5元", "yuan", 123_450),
        ("１２３４.５", "yuan", 123_450), (1234.5, "yuan", 123_450),
        (0.1 + 0.2, "minor", None), (1234, "yuan", 123_400),
        ("2700000", "minor", 2_700_000), ("2700000.00", "minor", 2_700_000), ("-3", "minor", -3),
        ("1,23", "yuan", None), ("1.234,5", "yuan", None), ("0.001", "yuan", None), (float("nan"), "yuan", None),
        (True, "yuan", None), ("一千", "yuan", None), ("", "yuan", 0),
    ],
)  # fmt: skip
def test_money_is_read_exactly_or_not_at_all(cell, unit, fen):
    cells = Cells.of(Mapping(currency="CNY"))
    if fen is None:
        with pytest.raises(CellRefused):
            cells.read("amount", cell, unit)
    else:
        assert (cells.read("amount", cell, unit) or 0) == fen


@given(st.integers(-(10**15), 10**15), st.booleans())
def test_an_amount_survives_being_written_with_and_without_thousands(fen, marked):
    text = f"{Decimal(fen) / 100:,.2f}" if marked else f"{Decimal(fen) / 100:.2f}"
    assert Cells.of(Mapping(currency="CNY")).money(text, "yuan", None) == fen


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        ("2026-03-01", "2026-03-01"), ("2026/3/1", "2026-03-01"), ("2026年3月1日", "2026-03-01"),
        ("20260301", "2026-03-01"), ("2026.3.1", "2026-03-01"), (date(2026, 3, 1), "2026-03-01"), (NINE, "2026-03-01"),
        ("03/04/2026", None), ("2026-02-30", None), ("2026-03-01 10:00", None), ("soon", None), ("46082", None),
    ],
)  # fmt: skip
def test_a_day_is_read_where_it_can_mean_only_one(cell, iso):
    if iso is None:
        with pytest.raises(CellRefused):
            day(cell)
    else:
        assert day(cell) == iso


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("2026-03-01T10:00:00+08:00", "2026-03-01T10:00:00+08:00"),
        ("2026-03-01T02:00:00Z", "2026-03-01T02:00:00+00:00"),
        ("2026-03-01 10:00", "2026-03-01T10:00:00+08:00"),
        ("2026年3月1日 9:05:07.25", "2026-03-01T09:05:07.250000+08:00"),
        ("20260301", "2026-03-01T00:00:00+08:00"),
        (NINE, "2026-03-01T09:00:00+08:00"),
        (date(2026, 3, 1), "2026-03-01T00:00:00+08:00"),
    ],
)
def test_a_time_without_a_zone_is_in_the_one_that_is_stated(cell, text):
    assert Cells.of(Mapping(timezone="Asia/Shanghai")).instant(cell) == text


def test_a_wall_time_that_comes_twice_is_the_first_of_the_two():
    cells = Cells.of(Mapping(timezone="America/New_York"))
    assert cells.instant("2010-11-07 01:30") == "2010-11-07T01:30:00-04:00"


def test_words_in_cells():
    assert (yes_or_no("是"), yes_or_no("N"), yes_or_no(True)) == (True, False, True)
    assert (whole("5.0"), whole(5.0), whole("１２")) == (5, 5, 12)
    assert texts("张三、李四;王五") == ["张三", "李四", "王五"]
    for cell in ("maybe", "2"):
        with pytest.raises(CellRefused):
            yes_or_no(cell)
    with pytest.raises(CellRefused):
        whole("5.5")


def test_every_sentence_can_be_said_in_both_languages():
    for text in SENTENCES.values():
        assert text.zh != text.en


@given(st.one_of(st.text(max_size=60), st.floats(), st.integers(), st.booleans(), st.none(), st.binary(max_size=9)))
def test_no_cell_is_anything_but_read_or_refused(cell):
    cells = Cells.of(Mapping(timezone="Asia/Shanghai", currency="CNY", unit="yuan"))
    for name in ("occurred_at", "amount", "qty", "used", "delivered_on", "co_buyers", "member", "kind", "revision"):
        with contextlib.suppress(CellRefused):
            cells.read(name, cell)


def test_numbers_are_decimal():
    assert decimal("1,234.50") == Decimal("1234.50")
