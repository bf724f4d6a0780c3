"""Lines in words that a till prints: as they were sold, and as they came back."""

import pytest

from tierengine.judging.history import Contribution
from tierengine.recording.takings import booked_line, given_back, totals

SALE = "order:S1:1:parts_purchase"


def back(place, *, kind="parts_purchase", cause="sale_returned", qty=-1, amount=-100, **fields):
    said = {"item": f"I{place}", "category": "parts", "qty": qty, "amount": amount, "list": amount, "credit": 0}
    return Contribution(
        kind, f"{SALE}#{place}", 0, (0, 3, "till:r1"), cause, qty, amount, {**said, "cash": amount, **fields}
    )


def test_what_goes_without_saying_of_a_line():
    said = {"item": "A", "category": "parts", "amount": 500}
    assert booked_line(said) == {**said, "qty": 1, "list": 500, "credit": 0, "cash": 500}
    assert booked_line({**said, "credit": 200})["cash"] == 300
    free = {"qty": 2, "list": 900, "credit": 0, "cash": 0, "amount": 0}
    assert booked_line({"item": "A", "category": "parts", **free}) == {"item": "A", "category": "parts", **free}
    assert booked_line({**said, "list": 0, "cash": 0})["list"] == 0, "what is said is said, nothing too"


def test_lines_come_back_in_the_order_in_which_they_were_sold_the_tenth_after_the_second():
    rows = [back(place) for place in (10, 0, 2)]
    assert [line["item"] for line in given_back(rows)] == ["I0", "I2", "I10"]


def test_only_what_a_return_takes_of_what_was_sold_is_handed_back():
    rows = [
        back(0, cause="parts_purchase"),  # cancelled, or corrected away
        back(1, qty=1, amount=100),  # a return that never was
        back(2, qty=0, amount=0),
        back(3, kind="purchase_settled"),
        back(4, cause="machine_returned", kind="machine_purchase", item="", serial="X1"),
        back(5),
    ]
    assert [(line["item"], line["category"], line["amount"]) for line in given_back(rows)] == [
        ("X1", "machine_purchase", 100), ("I5", "parts", 100),
    ]  # fmt: skip


def test_a_line_is_told_as_numbers_above_0_its_quantity_and_amount_as_they_count():
    (line,) = given_back([back(0, qty=-2, amount=-90, credit=-30, cash=-60, special=7)])
    assert line == {"item": "I0", "category": "parts", "qty": 2, "list": 90, "amount": 90, "credit": 30, "cash": 60}
    unsaid = back(0, qty=-3, amount=-90)
    fields = {name: value for name, value in unsaid.fields.items() if name not in ("qty", "amount", "list", "cash")}
    (line,) = given_back([back_with(unsaid, fields)])
    assert (line["qty"], line["amount"], line["list"], line["cash"]) == (3, 90, 90, 90)


def back_with(row, fields):
    return Contribution(row.kind, row.line, row.at, row.known, row.cause, row.qty, row.amount, fields)


@pytest.mark.parametrize(("serial", "item"), [({"serial": "X1"}, "X1"), ({}, "")])
def test_a_machine_is_told_by_its_serial_number_where_it_has_one(serial, item):
    row = back(0, kind="machine_purchase")
    fields = {"amount": -100, "list": -100, "cash": -100, "credit": 0, **serial}
    (line,) = given_back([back_with(row, fields)])
    assert (line["item"], line["category"], line["qty"]) == (item, "machine_purchase", 1)


def test_sums_are_those_of_all_lines_wherever_they_come_from():
    lines = [{"list": 5, "amount": 4, "credit": 1, "cash": 3}, {"list": 50, "amount": 40, "credit": 10, "cash": 30}]
    assert totals(iter(lines)) == {"list": 55, "amount": 44, "credit": 11, "cash": 33}
    assert totals([]) == {"list": 0, "amount": 0, "credit": 0, "cash": 0}
