"""What an order costs: 九五折 and its roundings, caps and minima, and how much of it a wallet may pay. Money is fen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import policy as ast
from tests.policy_strategies import TITLE, minimal
from tierengine.errors import Refused
from tierengine.judging.pricing import (
    OrderLine,
    PricedLine,
    hindrance,
    pay_by_credit,
    price_order,
    share,
    totals,
    usable_credit,
)
from tierengine.till.prices import payable

TODAY = date(2026, 3, 10)
ANY = ast.AllOf(())
CREDIT = ast.Wallet("credit", TITLE, "money", ("parts", "lubricant"), None)


def price(name="gold", pay_bp=9_500, **others):
    return ast.Price(name, TITLE, (), ANY, pay_bp, **others)


def line(list_, category="parts", qty=1):
    return OrderLine("filter", category, qty, list_)


def charged(*rules, lines, matched=None, day=TODAY):
    """(amount, rule) of each line; without `matched` every rule matches every line."""
    names = tuple(rule.id for rule in rules)
    of = minimal(prices=rules)
    priced = price_order(of, lines, matched if matched is not None else [names] * len(lines), day)
    return [(one.amount, one.rule) for one in priced]


# ---- 折 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("list_", "pays"),
    # 九五折 of 0.09 is 0.0855, of 0.10 is 0.095: half a fen and more goes up.
    [(10_000, 9_500), (1, 1), (9, 9), (10, 10), (11, 10), (30, 29), (50, 48), (0, 0), (33_333, 31_666)],
)
def test_nine_and_a_half_tenths_are_rounded_half_up_to_the_fen(list_, pays):
    assert charged(price(), lines=[line(list_)]) == [(pays, "gold" if pays < list_ else "")]


def test_each_line_is_rounded_by_itself():
    assert [amount for amount, _ in charged(price(), lines=[line(10), line(10), line(30)])] == [10, 10, 29]


@pytest.mark.parametrize(("pay_bp", "pays"), [(9_000, 900), (8_800, 880), (7_000, 700), (0, 0)])
def test_other_tenths_and_hundredths(pay_bp, pays):
    assert charged(price(pay_bp=pay_bp), lines=[line(1_000)]) == [(pays, "gold")]


def test_a_fixed_price_is_by_the_piece_and_never_above_the_list():
    fixed = price(pay_bp=None, fixed=300)
    assert charged(fixed, lines=[line(1_000, qty=3), line(800, qty=3)]) == [(900, "gold"), (800, "")]


def test_a_line_that_no_price_matches_costs_its_list_price():
    assert charged(price(), lines=[line(1_000), line(2_000)], matched=[("gold",), ()]) == [(950, "gold"), (2_000, "")]


# ---- which price -------------------------------------------------------------------------------------------------


def test_the_lowest_price_of_a_line_wins_and_they_never_add_up():
    assert charged(price("a"), price("b", 9_000), lines=[line(1_000)]) == [(900, "b")]


def test_equal_prices_go_to_the_first_in_the_file():
    assert charged(price("b", 9_000), price("a", 9_000), lines=[line(1_000)]) == [(900, "b")]


def test_each_line_has_the_price_that_is_best_for_it():
    fixed = price("fixed", None, fixed=500)
    assert charged(price(), fixed, lines=[line(1_000), line(520)]) == [(500, "fixed"), (494, "gold")]


def test_dates_are_local_and_the_last_day_counts():
    terms = price(valid_from=date(2026, 3, 10), valid_until=date(2026, 3, 11))
    paid = [charged(terms, lines=[line(1_000)], day=date(2026, 3, day))[0][0] for day in (9, 10, 11, 12)]
    assert paid == [1_000, 950, 950, 1_000]


# ---- minima and caps ---------------------------------------------------------------------------------------------


def test_the_minimum_is_asked_of_the_matching_lines_at_list_price_and_met_exactly():
    # 九八折 on orders of 3,000 and more.
    terms = price("member", 9_800, minimum_order=300_000)
    both = [("member",), ("member",)]
    assert charged(terms, lines=[line(200_000), line(100_000)], matched=both)[0] == (196_000, "member")
    assert charged(terms, lines=[line(200_000), line(99_999)], matched=both)[0] == (200_000, "")
    assert charged(terms, lines=[line(200_000), line(100_000)], matched=[("member",), ()])[0] == (200_000, "")


def test_a_line_s_cap_cuts_what_is_taken_off_it():
    assert charged(price(line_cap=30), lines=[line(1_000), line(500)]) == [(970, "gold"), (475, "gold")]


def test_an_order_s_cap_is_shared_by_largest_remainder():
    # 50 + 50 + 50 would come off; 100 may: 33.3 each, and the fen that is left goes to the first.
    assert [a for a, _ in charged(price(order_cap=100), lines=[line(1_000)] * 3)] == [966, 967, 967]


def test_an_order_s_cap_comes_after_the_lines():
    # 30 (of 50) + 25 come off, 11 may: 6 and 5.
    terms = price(line_cap=30, order_cap=11)
    assert [amount for amount, _ in charged(terms, lines=[line(1_000), line(500)])] == [994, 495]


def test_a_capped_price_may_lose_a_line_to_another_one():
    # Of its 60 the second line's part is 5; the other price takes 10 off, and nothing is shared anew.
    capped, other = price("capped", 5_000, order_cap=60), price("other", 9_000)
    paid = charged(capped, other, lines=[line(1_000), line(100)], matched=[("capped",), ("capped", "other")])
    assert paid == [(945, "capped"), (90, "other")]


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), max_size=8))
def test_shares_are_within_one_of_the_exact_ones_and_come_to_the_whole(total, weights):
    parts = share(total, weights)
    whole = sum(weights)
    assert sum(parts) == (total if whole else 0)
    for part, weight in zip(parts, weights, strict=True):
        assert part >= 0
        assert abs(part * whole - total * weight) < max(whole, 1)


def test_equal_remainders_go_to_the_earlier():
    assert share(5, [1, 1]) == [3, 2]
    assert share(2, [1, 1, 1, 1]) == [1, 1, 0, 0]
    assert share(7, [0, 2, 0]) == [0, 7, 0]
    assert share(7, []) == []


@given(
    st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 3)), min_size=1, max_size=5),
    st.lists(
        st.builds(
            price, st.sampled_from("abc"), st.integers(0, 10_000), minimum_order=st.sampled_from([0, 3_000]),
            line_cap=st.none() | st.integers(0, 300), order_cap=st.none() | st.integers(0, 300),
        ),
        max_size=3, unique_by=lambda one: one.id,
    ),
)  # fmt: skip
def test_no_price_is_above_the_list_or_takes_off_more_than_its_caps(lines, rules):
    lines = [line(list_, qty=qty) for list_, qty in lines]
    paid = charged(*rules, lines=lines)
    off = {}
    for one, (amount, rule) in zip(lines, paid, strict=True):
        assert 0 <= amount <= one.list
        assert bool(rule) == (amount < one.list)
        off.setdefault(rule, []).append(one.list - amount)
    for rule in rules:
        mine = off.get(rule.id, [0])
        assert rule.line_cap is None or max(mine) <= rule.line_cap
        assert rule.order_cap is None or sum(mine) <= rule.order_cap


# ---- what a wallet pays ------------------------------------------------------------------------------------------


def priced(*lines, pay_bp=10_000):
    return price_order(minimal(prices=(price(pay_bp=pay_bp),)), lines, [("gold",)] * len(lines), TODAY)


def test_discount_comes_first_and_then_credit_pays_the_rest():
    lines = priced(line(10_000), line(2_000, "labour"), pay_bp=9_500)
    assert usable_credit(CREDIT, lines, 100_000) == 9_500
    paid = pay_by_credit(CREDIT, lines, 9_500)
    assert totals(paid) == {"list": 12_000, "amount": 11_400, "credit": 9_500, "cash": 1_900}
    assert [one.cash for one in paid] == [0, 1_900]


def test_credit_pays_only_for_its_categories_and_never_more_than_there_is():
    lines = priced(line(1_000), line(1_000, "lubricant"), line(1_000, "fuel"), line(1_000, "labour"))
    assert usable_credit(CREDIT, lines, 5_000) == 2_000
    assert usable_credit(CREDIT, lines, 700) == 700
    assert usable_credit(CREDIT, lines, 0) == 0


def test_points_pay_for_no_line():
    points = ast.Wallet("points", TITLE, "points", ("parts",), None)
    assert usable_credit(points, priced(line(1_000)), 5_000) == 0


def test_a_share_of_a_line_is_floored_by_the_line():
    half = ast.Wallet("half", TITLE, "money", ("parts",), None, max_share_bp=5_000)
    assert usable_credit(half, priced(line(101), line(101)), 5_000) == 100


def test_credit_is_used_in_whole_blocks_and_from_a_least_amount_on():
    blocks = ast.Wallet("blocks", TITLE, "money", ("parts",), None, block=100, minimum=300)
    assert [usable_credit(blocks, priced(line(1_050)), have) for have in (9_999, 350, 299)] == [1_000, 300, 0]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (299, {"block": 100}),
        (200, {"minimum": 300}),
        (0, {"minimum": 300}),
        (300, None),
        (350, {"block": 100}),
        (400, None),
        (500, None),
        (501, {"block": 100}),
        (600, {}),
    ],
)
def test_a_sale_is_refused_credit_that_may_not_pay_it_and_told_the_most_that_may(wanted, why):
    blocks = ast.Wallet("blocks", TITLE, "money", ("parts",), None, block=100, minimum=300)
    of, lines = minimal(wallets=(blocks,)), [PricedLine(line(550), 550), PricedLine(line(900, "fuel"), 900)]
    if why is None:
        payable(of, "blocks", lines, wanted, frozenset())
        return
    with pytest.raises(Refused) as caught:
        payable(of, "blocks", lines, wanted, frozenset())
    assert caught.value.code == "credit_not_payable"
    assert caught.value.details == {"wallet": "blocks", "payable": 500, "wanted": wanted, **why}


def test_credit_pays_from_the_least_order_on():
    least = replace(CREDIT, minimum_order=1_000)
    assert usable_credit(least, [PricedLine(line(1_000), 999)], 5_000) == 0
    assert usable_credit(least, [PricedLine(line(1_000), 1_000)], 5_000) == 1_000
    # (What it may not pay does not count: fuel is no part of it.)
    assert usable_credit(least, [PricedLine(line(999), 999), PricedLine(line(900, "fuel"), 900)], 5_000) == 0


def test_what_one_wallet_paid_another_does_not_pay_again():
    lines = pay_by_credit(CREDIT, priced(line(1_000)), 800)
    other = ast.Wallet("other", TITLE, "money", ("parts",), None)
    assert usable_credit(other, lines, 5_000) == 200
    assert [one.credit for one in pay_by_credit(other, lines, 200)] == [1_000]


@given(st.lists(st.tuples(st.integers(0, 999), st.booleans()), max_size=6), st.integers(0, 4_000))
def test_credit_is_spread_over_the_lines_it_may_pay_and_over_no_other(lines, available):
    order = priced(*(line(list_, "parts" if payable else "fuel") for list_, payable in lines))
    amount = usable_credit(CREDIT, order, available)
    paid = pay_by_credit(CREDIT, order, amount)
    assert sum(one.credit for one in paid) == amount
    assert all(0 <= one.credit <= (one.amount if one.line.category == "parts" else 0) for one in paid)


# ---- lanes, 满减, 买几送几, rounding of an order ---------------------------------------------------------------------

LANES = (ast.Lane("first", TITLE), ast.Lane("second", TITLE, "by_priority"))
LINES = st.lists(
    st.builds(OrderLine, st.just("a"), st.just("parts"), st.integers(1, 30), st.integers(0, 99_999)), max_size=5
)
ONE_LINE_RULES = st.one_of(
    st.builds(dict, pay_bp=st.integers(0, 10_000), rounding=st.sampled_from(("half_up", "floor"))),
    st.builds(dict, pay_bp=st.none(), fixed=st.integers(0, 5_000)),
    st.builds(dict, pay_bp=st.none(), free=st.builds(ast.Free, st.integers(5, 12), st.integers(1, 5))),
)


def alone(rule, amount, qty):
    """What one rule makes of one line's price, worked out with fractions."""
    if rule.fixed is not None:
        return min(rule.fixed * qty, amount)
    if rule.free is not None:
        return amount - int(Fraction(amount, qty) * (qty // rule.free.each * rule.free.pieces))
    exact = Fraction(amount * rule.pay_bp, 10_000)
    return int(exact) if rule.rounding == "floor" else int(exact + Fraction(1, 2))


@given(
    LINES,
    st.lists(st.tuples(ONE_LINE_RULES, st.sampled_from(("", "first", "second")), st.integers(0, 3)), max_size=6),
    st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=4),
)
def test_lanes_apply_in_order_and_inside_one_a_single_price_wins(lines, drawn, apart):
    rules = [
        price(
            f"r{n}",
            **{"pay_bp": None} | parts,
            lane=lane,
            priority=priority,
            not_with=tuple(f"r{other}" for one, other in apart if one == n and other != n and other < len(drawn)),
        )
        for n, (parts, lane, priority) in enumerate(drawn)
    ]
    of = replace(minimal(prices=rules), lanes={lane.id: lane for lane in LANES})
    priced = price_order(of, lines, [[rule.id for rule in rules]] * len(lines), TODAY)
    for sold, got in zip(lines, priced, strict=True):
        amount, applied = sold.list, []
        for lane in ("", "first", "second"):
            better = []
            for place, rule in enumerate(rules):
                clash = any(one.id in rule.not_with or rule.id in one.not_with for one in applied)
                pays = alone(rule, amount, sold.qty)
                if rule.lane == lane and not clash and pays < amount:
                    key = (rule.priority, pays, place) if lane == "second" else (pays, rule.priority, place)
                    better.append((key, pays, rule))
            if better:
                _, amount, rule = min(better, key=lambda one: one[0])
                applied.append(rule)
        assert (got.amount, got.rules) == (amount, tuple(rule.id for rule in applied))


@given(LINES, st.integers(1, 20_000), st.integers(0, 50_000))
def test_what_is_taken_off_an_order_is_taken_off_its_lines_to_the_fen(lines, less, each):
    rule = price(pay_bp=None, less=less, less_each=each)
    priced = price_order(minimal(prices=(rule,)), lines, [[rule.id]] * len(lines), TODAY)
    whole = sum(one.list for one in lines)
    times = whole // each if each else 1
    assert whole - sum(one.amount for one in priced) == min(less * times, whole)
    assert all(0 <= one.amount <= one.line.list for one in priced)


@given(LINES, st.integers(0, 10_000), st.sampled_from(("half_up", "floor")))
def test_an_order_rounded_once_differs_from_the_exact_price_by_less_than_a_fen(lines, pay_bp, rounding):
    rule = price(pay_bp=pay_bp, rounding=rounding, rounded_per="whole_order")
    priced = price_order(minimal(prices=(rule,)), lines, [[rule.id]] * len(lines), TODAY)
    exact = Fraction(sum(one.list for one in lines) * pay_bp, 10_000)
    total = sum(one.amount for one in priced)
    assert total == (int(exact) if rounding == "floor" else int(exact + Fraction(1, 2)))
    assert all(abs(Fraction(one.line.list * pay_bp, 10_000) - one.amount) < 1 for one in priced)


@given(
    LINES,
    st.integers(1, 10_000),
    st.integers(0, 100_000),
    st.integers(1, 500),
    st.integers(0, 50_000),
    st.sampled_from(("line", "whole_order")),
)
def test_a_wallet_pays_within_its_share_its_blocks_and_its_minimum(lines, share_bp, available, block, minimum, per):
    wallet = replace(CREDIT, max_share_bp=share_bp, share_of=per, block=block, minimum_order=minimum)
    priced = price_order(minimal(), lines, [()] * len(lines), TODAY)
    most = usable_credit(wallet, priced, available)
    whole = sum(one.amount for one in priced)
    assert most <= min(available, whole * share_bp // 10_000)
    assert most % block == 0
    assert most == 0 or whole >= minimum
    paid = pay_by_credit(wallet, priced, most)
    assert sum(one.credit for one in paid) == most
    assert all(0 <= one.credit <= one.amount for one in paid)


# ---- by the piece, and so many pieces ------------------------------------------------------------------------------


def test_so_much_is_taken_off_every_full_so_many_pieces_of_a_line():
    off = price(pay_bp=None, less=1_000, less_pieces=2)
    lines = [line(5_000, qty=5), line(1_500, qty=4), line(900, qty=1)]
    assert [amount for amount, _ in charged(off, lines=lines)] == [3_000, 0, 900]


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 100_000)), min_size=1, max_size=6),
    st.integers(1, 60),
    st.integers(1, 9_999),
)
def test_only_so_many_pieces_get_a_price_first_line_first(lines, most, pay_bp):
    orders = [line(list_, qty=qty) for qty, list_ in lines]
    whole = [amount for amount, _ in charged(price(pay_bp=pay_bp), lines=orders)]
    limited = [amount for amount, _ in charged(price(pay_bp=pay_bp, maximum_quantity=most), lines=orders)]
    left = most
    for (qty, list_), every, got in zip(lines, whole, limited, strict=True):
        pieces = min(left, qty)
        left -= pieces
        assert got == list_ - (list_ - every) * pieces // qty


def test_a_price_may_hold_on_some_days_of_the_week_only():
    days = price(weekdays=(1,))  # 10 March 2026 is a Tuesday
    assert charged(days, lines=[line(1_000)]) == [(950, "gold")]
    assert charged(days, lines=[line(1_000)], day=date(2026, 3, 11)) == [(1_000, "")]


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({}, ""),
        ({"valid_until": date(2026, 3, 9)}, "dates"),
        ({"weekdays": (0,)}, "weekday"),
        ({"beside": ANY}, "beside"),
        ({"minimum_order": 1_001}, "minimum_order"),
        ({"minimum_quantity": 3}, "minimum_quantity"),
    ],
)
def test_what_of_the_order_keeps_a_price_away_is_said_and_then_it_is_not_given(terms, said):
    rule, lines, matched = price(**terms), [line(1_000, qty=2), line(5_000)], [("gold",), ()]
    assert hindrance(rule, lines, matched, TODAY) == said
    assert (charged(rule, lines=lines, matched=matched)[0][1] == "gold") == (not said)
