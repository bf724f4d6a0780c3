"""Single values as dealers write them: money, percentages, lengths of time, dates, numbers, yes and no."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import values
from rules.values import Length, Refused


def taken(reader: Any, *rest: Any) -> Any:
    try:
        return reader(*rest)
    except Refused as refused:
        return refused.code


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1000 CNY", 100_000), ("1000元", 100_000), ("1000 元", 100_000), ("CNY 1000", 100_000), ("¥1,000", 100_000),
        ("￥1000.50", 100_050), ("2万元", 2_000_000), ("1.5 万元", 1_500_000), ("0.1 元", 10),
        ("1 亿元", 10_000_000_000),
        ("３千元", 300_000), ("一千五百元", 150_000), ("两万元", 2_000_000), ("十万元", 10_000_000), ("RMB 5", 500),
        ("1000", "P303"), ("2万", "P303"), ("1000 USD", "P304"), ("$5", "P304"), ("1.005元", "P306"), ("abc", "P305"),
        ("", "P305"), ("1 2元", "P305"), ("-5元", "P302"), ("99999999999999999元", "P302"), ("10 points", "P317"),
        ("1e3元", "P305"), ("5角", "P305"), ("一二三元", "P305"), ("1,00元", "P305"), ("9" * 5_000 + "元", "P305"),
    ],
)  # fmt: skip
def test_money_needs_a_number_and_a_currency(text, fen):
    assert taken(values.money, text, "CNY") == fen


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("95折", 9_500), ("9.5折", 9_500), ("九五折", 9_500), ("9 折", 9_000), ("九折", 9_000), ("88折", 8_800),
        ("八八折", 8_800), ("九点五折", 9_500), ("打九五折", 9_500), ("９５折", 9_500), ("9.55折", 9_550),
        ("95%", 9_500),
        ("95％", 9_500), ("100%", 10_000), ("99.99%", 9_999), ("百分之九十五", 9_500), ("0折", "P310"),
        ("10折", "P310"),
        ("100折", "P310"), ("十折", "P310"), ("零折", "P310"), ("00折", "P310"), ("05折", "P310"), ("95.5折", "P310"),
        ("折", "P310"), ("95", "P308"), ("95% off", "P309"), ("优惠5%", "P309"), ("105%", "P507"), ("0%", "P507"),
    ],
)  # fmt: skip
def test_what_is_paid_is_a_percentage_or_zhe(text, share):
    assert taken(values.share_paid, text) == share


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("12 months", (12, "months")), ("12个月", (12, "months")), ("１２ 个月", (12, "months")),
        ("90天", (90, "days")),
        ("90 days", (90, "days")), ("1年", (1, "years")), ("半年", (6, "months")), ("十二个月", (12, "months")),
        ("两周", (2, "weeks")), ("2小时", (2, "hours")), ("2 hours", (2, "hours")), ("15分钟", (15, "minutes")),
        ("15 minutes", (15, "minutes")), ("1 Month", (1, "months")), ("12", "P311"), ("12m", "P311"),
        ("1.5年", "P311"), ("soon", "P311"), ("-1天", "P302"),
    ],
)  # fmt: skip
def test_lengths_of_time_keep_their_unit(text, length):
    found = taken(values.length, text)
    assert found == (Length(*length) if isinstance(length, tuple) else length)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-01", date(2026, 1, 1)), ("2026年1月1日", date(2026, 1, 1)), ("２０２６/1/1", date(2026, 1, 1)),
        ("2024-02-29", date(2024, 2, 29)), ("2026-02-29", "P313"), ("2026-13-01", "P313"), ("2026-1/1", "P313"),
        ("2026年1-1", "P313"), ("0001-01-01", "P313"), ("26-01-01", "P313"), ("今天", "P313"),
    ],
)  # fmt: skip
def test_dates_exist(text, day):
    assert taken(values.day, text) == day


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3), ("１０", 10), ("1,000", 1_000), ("三", 3), ("十二", 12), ("2万", 20_000), ("0", 0), ("3.0", 3),
        ("3.5", "P301"),
        ("x", "P301"), ("-1", "P302"), ("9007199254740992", 2**53), ("9007199254740993", "P302"), ("9" * 5_000, "P302"),
        ("0x10", "P301"), ("1e3", "P301"), ("1_000", "P301"), ("三四", "P301"),
    ],
)  # fmt: skip
def test_whole_numbers_are_exact_and_bounded(text, number):
    assert taken(values.integer, text) == number


@pytest.mark.parametrize("text", ["yes", "true", "是", "Yes", " ＹＥＳ "])
def test_yes_is_said_in_both_tongues(text):
    assert values.yes_no(text) is True
    assert taken(values.yes_no, "no") is taken(values.yes_no, "否") is False
    assert taken(values.yes_no, "on") == "P314"


@settings(max_examples=500, deadline=None)
@given(
    st.text(max_size=40) | st.text(st.sampled_from("0123456789.,+-%折元万年月日天个 一二十九点CNYpoints"), max_size=12)
)
def test_no_text_makes_a_value_raise_anything_but_a_refusal(text):
    for reader in (values.integer, values.points, values.percent, values.share_paid, values.length, values.day,
                   values.moment, values.yes_no):  # fmt: skip
        taken(reader, text)
    taken(values.money, text, "CNY")
