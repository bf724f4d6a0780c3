"""What counting, summing and filtering mean where lines are returned in part, in whole, or without a sale."""

from dataclasses import replace

import pytest

from rules.policy import Fact, Filter
from tests.facts_cases import fact, negative, policy_of, purchase, version_of
from tierengine.judging.measures import Selection, check_of
from tierengine.judging.running import RunningFacts
from tierengine.zone import Zone


def value(asked: Fact, history, at: int):
    running = RunningFacts(Zone("Asia/Shanghai"), sorted(history, key=lambda row: row.known))
    return running.facts(version_of(policy_of([asked])), (at, 9, ""), 0)[asked.id]


def test_a_return_changes_later_answers_and_no_earlier_one():
    sale = purchase(10, qty=2, amount=200)
    history = [sale, negative(sale, 2, 200, 30, "r")]
    assert value(fact("sum", field="amount"), history, 29) == 200
    assert value(fact("sum", field="amount"), history, 30) == 0
    assert value(fact("count"), history, 29) == 1
    assert value(fact("count"), history, 30) == 0


def test_different_amounts_are_those_that_are_left_of_lines_that_stand():
    one, other = purchase(10, qty=2, amount=200), purchase(20, qty=2, amount=100)
    different = fact("distinct", field="amount")
    assert value(different, [one, other], 30) == 2
    assert value(different, [one, other, negative(one, 1, 100, 25, "r")], 30) == 1
    assert value(different, [one, other, negative(one, 2, 200, 25, "r")], 30) == 1
    assert value(different, [one, negative(one, 2, 200, 25, "r")], 30) == 0


def test_a_line_partly_returned_still_stands():
    sale = purchase(10, qty=2, amount=200)
    assert value(fact("count"), [sale, negative(sale, 1, 100, 30, "r")], 30) == 1


def test_a_number_that_describes_a_line_stays_while_the_line_does():
    sale = purchase(10, qty=2, amount=200, score=9)
    for how in ("sum", "max", "min"):
        scored = fact(how, field="score")
        assert value(scored, [sale, negative(sale, 1, 100, 20, "r")], 30) == 9
        assert not value(scored, [sale, negative(sale, 2, 200, 20, "r")], 30)


@pytest.mark.parametrize("op", ["at_least", "more_than", "at_most", "less_than", "is", "is_not", "in", "not_in"])
def test_a_field_that_is_absent_passes_no_filter(op):
    field, operand = ("score", 5) if op in ("at_least", "more_than", "at_most", "less_than") else ("brand", "CAT")
    check = check_of(Filter(field, op, (operand,) if op.endswith("in") else operand))
    for checks in ((check,), (check, check)):
        asked, absent = Selection(("parts_purchase",), checks, ()), purchase(10)
        assert not asked.taker()(absent)
        assert not asked.taken([absent])


def test_a_return_that_names_no_sale_may_make_a_sum_negative_but_no_count():
    history = [replace(purchase(10), qty=-1, amount=-100)]
    assert value(fact("sum", field="amount"), history, 30) == -100
    assert value(fact("count"), history, 30) == 0


def test_a_filter_on_money_asks_what_is_left_of_the_line():
    sale = purchase(10, qty=3, amount=1500)
    big = fact("sum", ("parts_purchase",), "amount", Filter("amount", "at_least", 1000))
    assert value(big, [sale], 30) == 1500
    assert value(big, [sale, negative(sale, 1, 500, 20, "r")], 30) == 1000
    assert value(big, [sale, negative(sale, 2, 1000, 20, "r")], 30) == 0


def test_an_absent_field_passes_no_filter_not_even_is_not():
    assert value(fact("count", ("parts_purchase",), "", Filter("category", "is_not", "fuel")), [purchase(1)], 5) == 0
