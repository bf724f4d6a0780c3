"""A return takes back what was sold, line by line, in shares that add up, and never more."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.told_events import MACHINE, REPAIR, SALE, SETTLED, at, event, found, given_by, machine, parts, returned, rows
from tierengine.judging.history import AFTER
from tierengine.judging.netting import steps
from tierengine.judging.recorded import Flag, Waits, cause_key


def test_a_whole_return_takes_every_line_of_every_kind_of_the_order():
    repair = event("repair_purchase", 3, order="1", lines=[{"category": "labour", "amount": 800}])
    answer = found(parts(), repair, returned())
    back = given_by(answer, "till:r1")
    assert [(line.line, line.qty, line.amount) for line in back] == [
        (f"{SALE}#0", -3, -10_000), (f"{SALE}#1", -1, -500), (f"{REPAIR}#0", -1, -800),
    ]  # fmt: skip
    assert {(line.known, line.cause) for line in back} == {((at(5), 3, "till:r1"), "sale_returned")}
    assert [line.at for line in back] == [at(2), at(2), at(3)]
    assert [member for member, _ in answer.contributions["till:r1"]] == ["M1"] * 3
    measures = {"amount": -10_000, "cash": -9_000, "credit": -1_000, "list": -11_000, "margin": -500, "qty": -3}
    assert dict(back[0].fields) == {**given_by(answer, SALE)[0].fields, **measures}


def test_a_return_of_a_machine_takes_its_settlement_too_even_one_that_comes_later():
    gone = event("machine_returned", 4, order="1", reason="repossessed", member=None, serial="ZL2", source_id="r1")
    answer = found(machine(), event("purchase_settled", 6, order="1"), parts(), gone)
    bought, settled = given_by(answer, "till:r1")
    assert (bought.kind, bought.known) == ("machine_purchase", (at(4), 3, "till:r1"))
    assert (settled.kind, settled.known) == ("purchase_settled", (at(6), 3, f"{SETTLED}{AFTER}till:r1"))
    assert answer.flags == (Flag("till:r1", "serial_differs"),)
    right = event("machine_returned", 4, order="1", reason="repossessed", serial="ZL1")
    assert found(machine(), right).flags == ()
    unnumbered = event("machine_purchase", 2, order="1", amount=900_000, size="large")
    assert found(unnumbered, right).flags == (), "a number that nobody told of is no other one"


def test_a_return_that_says_a_member_is_flagged_where_any_line_of_its_sale_is_another_s():
    labour = event("repair_purchase", 3, order="1", member="M2", lines=[{"category": "labour", "amount": 800}])
    for member, flags in (
        (None, ()),
        ("M1", (Flag("till:r1", "other_member"),)),
        ("M3", (Flag("till:r1", "other_member"),)),
    ):
        answer = found(parts(), labour, returned(member=member))
        assert answer.flags == flags
        assert [given_to for given_to, _ in answer.contributions["till:r1"]] == ["M1", "M1", "M2"]
    assert found(parts(), returned(member="M1")).flags == ()


def test_part_of_a_line_takes_floored_shares_and_the_last_piece_the_rest():
    pieces = [returned(5 + n, source_id=f"r{n}", lines=[{"item": "A", "qty": 1}]) for n in range(3)]
    answer = found(parts(), *pieces)
    back = [given_by(answer, f"till:r{n}")[0] for n in range(3)]
    assert [line.amount for line in back] == [-3_333, -3_333, -3_334]
    assert [line.fields["credit"] for line in back] == [-333, -333, -334]
    for line in back:
        assert line.fields["cash"] + line.fields["credit"] == line.amount


def test_a_stated_amount_is_taken_as_far_as_there_is_any_and_the_last_piece_still_takes_the_rest():
    stated = [
        returned(5 + n, source_id=f"r{n}", lines=[{"item": "A", "qty": 1, "amount": amount}])
        for n, amount in enumerate((2_000, 9_999, 1))
    ]
    answer = found(parts(), *stated)
    assert [given_by(answer, f"till:r{n}")[0].amount for n in range(3)] == [-2_000, -8_000, 0]
    for n in range(3):
        fields = given_by(answer, f"till:r{n}")[0].fields
        assert fields["cash"] + fields["credit"] == fields["amount"]


def test_a_return_line_spreads_over_all_lines_that_match():
    lines = [{"item": "A", "qty": 2, "amount": 200}, {"item": "A", "qty": 2, "amount": 200}]
    answer = found(parts(lines=lines), returned(lines=[{"item": "A", "qty": 3, "amount": 100}]))
    assert [(line.qty, line.amount) for line in given_by(answer, "till:r1")] == [(-2, -200), (-1, -34)]


def test_a_return_line_that_the_first_line_serves_takes_nothing_of_the_next():
    lines = [{"item": "A", "qty": 3, "amount": 300}, {"item": "A", "qty": 2, "amount": 200}]
    answer = found(parts(lines=lines), returned(lines=[{"item": "A", "qty": 1}]))
    assert [(line.line, line.qty) for line in given_by(answer, "till:r1")] == [(f"{SALE}#0", -1)]


def test_two_lines_of_a_return_make_one_contribution_a_line_of_the_sale():
    answer = found(parts(), returned(lines=[{"item": "A", "qty": 1}, {"category": "parts", "qty": 1}]))
    assert [(line.line, line.qty, line.amount) for line in given_by(answer, "till:r1")] == [(f"{SALE}#0", -2, -6_666)]


def test_a_line_that_names_a_category_takes_nothing_else():
    answer = found(parts(), returned(lines=[{"category": "lubricant"}]))
    assert [line.line for line in given_by(answer, "till:r1")] == [f"{SALE}#1"]


def test_what_was_not_sold_cannot_come_back():
    answer = found(
        parts(), returned(4, source_id="z", lines=[{"item": "A", "qty": 2}]), returned(lines=[{"item": "A", "qty": 2}])
    )
    assert given_by(answer, "till:r1")[0].qty == -1
    assert answer.flags == (Flag("till:r1", "beyond_sold"),)
    for again in (returned(6, source_id="x"), returned(6, source_id="x", lines=[{"item": "C"}])):
        nothing = found(parts(), returned(), again)
        assert nothing.contributions["till:x"] == ()
        assert nothing.flags == (Flag("till:x", "beyond_sold"),)


def test_an_amount_above_what_was_left_of_the_lines_is_cut_and_told():
    cut = (Flag("till:r1", "amount_cut"),)
    for asked, taken, flags in (
        ({"item": "A", "qty": 3, "amount": 10_001}, -10_000, cut),
        ({"item": "A", "qty": 2, "amount": 10_001}, -10_000, cut),
        ({"item": "A", "qty": 3, "amount": 10_000}, -10_000, ()),
        ({"item": "A", "qty": 2, "amount": 10_000}, -10_000, ()),
        ({"item": "A", "qty": 3, "amount": 9_000}, -10_000, ()),
        # (That there were not so many pieces says why there is not so much money.)
        ({"item": "A", "qty": 4, "amount": 13_000}, -10_000, (Flag("till:r1", "beyond_sold"),)),
        ({"item": "C", "qty": 1, "amount": 13_000}, None, (Flag("till:r1", "beyond_sold"),)),
    ):
        answer = found(parts(), returned(lines=[asked]))
        assert [line.amount for line in given_by(answer, "till:r1")] == ([] if taken is None else [taken]), asked
        assert answer.flags == flags, asked
    before = returned(4, source_id="z", lines=[{"item": "A", "qty": 1, "amount": 9_000}])
    answer = found(parts(), before, returned(lines=[{"item": "A", "qty": 1, "amount": 3_000}]))
    assert (given_by(answer, "till:r1")[0].amount, answer.flags) == (-1_000, cut)
    twice = parts(lines=[{"item": "A", "category": "parts", "amount": amount} for amount in (700, 300)])
    for amount, flags in ((1_000, ()), (1_001, cut)):
        both = found(twice, returned(lines=[{"item": "A", "amount": amount}]))
        assert ([line.amount for line in given_by(both, "till:r1")], both.flags) == ([-700, -300], flags)


def test_a_return_of_an_unknown_order_waits_for_it():
    assert found(returned()).parked == {"till:r1": Waits("order:S1:1", "not_here")}
    gone = event("machine_returned", order="1", reason="r")
    assert found(gone, parts()).parked == {"till:machine_returned": Waits(MACHINE, "not_here")}


def test_a_return_of_a_purchase_that_waits_waits_for_the_same():
    assert found(machine(referral="bb"), returned()).parked["till:r1"] == Waits("till:bb", "not_here")


def test_two_returns_dated_before_their_sale_take_two_places_just_after_it():
    early = [returned(1, source_id=f"r{n}", lines=[{"item": "A", "qty": 1}]) for n in range(2)]
    answer = found(parts(), *early)
    places = [given_by(answer, f"till:r{n}")[0].known for n in range(2)]
    assert places == [(at(2), 3, f"{SALE}{AFTER}till:r{n}") for n in range(2)]
    made = steps(line for _, line in rows(answer))
    assert [(step.kind, cause_key(step.position)) for step in made] == [
        ("parts_purchase", SALE), ("sale_returned", "till:r0"), ("sale_returned", "till:r1"),
    ]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_no_line_is_below_zero_as_of_any_position_and_all_its_measures_end_together(seed):
    chance = random.Random(seed)
    lines = [
        {"item": chance.choice("AB"), "category": "parts", "qty": chance.randint(1, 5),
         "amount": (a := chance.randint(0, 99)), "credit": chance.randint(0, a), "margin": chance.randint(0, 30)}
        for _ in range(chance.randint(1, 4))
    ]  # fmt: skip
    back = [
        returned(
            chance.randint(1, 6),
            source_id=f"r{n}",
            lines=[{"item": chance.choice("AB"), "qty": chance.randint(1, 4)} | chance.choice([{}, {"amount": 17}])],
        )
        for n in range(chance.randint(0, 6))
    ]
    made = [line for _, line in rows(found(parts(3, lines), *back))]
    sums: dict[str, Counter] = {}
    for line in sorted(made, key=lambda one: (one.known, one.line)):
        measures = sums.setdefault(line.line, Counter())
        measures.update({"#": line.qty, "@": line.amount})
        measures.update({name: line.fields[name] for name in ("amount", "cash", "credit", "list", "margin", "qty")})
        assert min(measures.values()) >= 0
        assert measures["cash"] + measures["credit"] == measures["amount"] == measures["@"]
        assert measures["#"] == measures["qty"]
        if measures["#"] == 0:
            assert not any(measures.values())
