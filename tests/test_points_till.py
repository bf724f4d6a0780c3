"""Points that pay at the till, over HTTP and on both databases: quoted, sold, held, returned, told in the statement."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import sale_shapes
from rules.policy import Wallet
from tests.test_api_book import POLICY, Till, code, moment, serving
from tierengine.judging.worth import block_of, fen_of, pays, points_back, units_of
from tierengine.ledger.verify import verify
from tierengine.recording import refunds
from tierengine.store import database

# 10 points are worth 1 yuan, as the file says; here they pay for parts, in hundreds, at most half of such a line.
PAYING = POLICY.replace(
    "    折合: {积分: 1, 金额: 0.1 元} ",
    "    可付: [配件]\n    整数倍: 100\n    最高占比: 50%\n    折合: {积分: 1, 金额: 0.1 元} ",
)
LINES = [
    {"item": "F-1", "category": "parts", "qty": 3, "list": 6_000},
    {"item": "O-1", "category": "fuel", "list": 900},
]
PARTS = 5_700  # 95 % of it


@pytest.fixture
def till(book_url):
    assert PAYING != POLICY
    with serving(book_url, policy=PAYING) as till:
        till.gold()
        yield till
        link = database.connect(book_url, readonly=True)
        assert verify(link) == ()
        link.rollback()
        link.close()


def order(number: str = "P1", credit: object = None, **more):
    said = {"member": "C1", "order": number, "occurred_at": moment(), "lines": LINES, **more}
    return said if credit is None else said | {"credit": credit}


def points(till: Till) -> dict[str, int]:
    found = till.get("/v1/members/C1/balance").json()["wallets"]
    return next({key: one[key] for key in ("available", "held", "debt")} for one in found if one["wallet"] == "points")


def test_a_quote_says_how_many_points_pay_and_what_they_are_worth(till: Till):
    answer = till.post("/v1/quotes", order(credit={"points": 200}))
    quoted = answer.json()
    sale_shapes.Quote.model_validate(quoted, extra="forbid")
    mine = next(one for one in quoted["credit"] if one["wallet"] == "points")
    # Half of 57 yuan are 28.50: 285 points, in hundreds 200.
    assert mine == {
        "wallet": "points", "unit": "points", "available": 500, "usable": 200, "usable_worth": 2_000,
        "used": 200, "used_worth": 2_000, "suspended": False,
    }  # fmt: skip
    assert quoted["total"] == {"list": 6_900, "amount": PARTS + 900, "credit": 2_000, "cash": PARTS + 900 - 2_000}
    assert "积分 200 分 支付 20.00" in quoted["receipt"]["zh"]
    assert "Points 200 points pays 20.00" in quoted["receipt"]["en"]


def test_points_pay_a_sale_and_come_back_with_its_parts(till: Till):
    sold = till.post("/v1/sales", order(credit={"points": 200})).json()
    assert (sold["credit_used"], sold["total"]["credit"]) == ({"points": 200}, 2_000)
    # One point for every full 10 yuan of what was paid in cash: 37 yuan of the parts.
    assert {one["rule"]: one["amount"] for one in sold["grants"]} == {"points_spend": 3}
    assert points(till)["available"] == 500 - 200 + 3
    had = []
    for number in range(3):
        back = {"source_id": f"R{number}", "occurred_at": moment(), "lines": [{"item": "F-1", "qty": 1}]}
        answer = till.post("/v1/sales/P1/returns", back).json()
        had.append((answer["credit_returned"]["points"], points(till)["available"]))
    # Thirds of 200 points; what the rest of the order holds is rounded up, and the last piece brings what is left.
    assert [one for one, _ in had] == [66, 67, 67]
    assert had[-1][1] == 500
    lines = till.get("/v1/members/C1/statement").json()["lines"]
    told = [line["available"] for line in lines if line["wallet"] == "points" and line["kind"] in ("use", "return")]
    assert sorted(told) == [-200, 66, 67, 67]


@pytest.mark.parametrize(("asked", "status"), [(150, 409), (300, 409), (600, 409), (1_000, 422)])
def test_points_that_are_no_multiple_too_many_or_not_there_are_refused(till: Till, asked: int, status: int):
    before = points(till)
    assert code(till.post("/v1/sales", order(credit={"points": asked})))[0] == status
    assert points(till) == before
    assert till.post("/v1/sales", order(credit={"points": 100})).status_code == 201  # the order number stayed free


def test_points_are_held_for_an_order_and_captured_by_its_sale(till: Till):
    asked = {"member": "C1", "order": "P1", "wallet": "points", "amount": 200}
    assert code(till.post("/v1/holds", asked | {"amount": 150}))[1] == "credit_not_payable"
    made = till.post("/v1/holds", asked).json()
    assert (made["hold"]["unit"], made["hold"]["remaining"]) == ("points", 200)
    sold = till.post("/v1/sales", order(credit={"points": 200}))
    assert sold.status_code == 201, sold.text
    assert points(till) == {"available": 303, "held": 0, "debt": 0}
    back = till.post("/v1/sales/P1/returns", {"source_id": "R1", "occurred_at": moment()}).json()
    assert back["credit_returned"] == {"points": 200}
    assert points(till)["available"] == 500


def test_points_and_credit_pay_one_order_and_both_come_back(till: Till):
    sold = till.post("/v1/sales", order(credit="max")).json()
    assert sold["credit_used"] == {"parts_credit": PARTS}  # in the order of the file; nothing is left for the points
    both = till.post("/v1/sales", order("P2", credit={"points": 100, "parts_credit": 700})).json()
    assert (both["credit_used"], both["total"]["credit"]) == ({"points": 100, "parts_credit": 700}, 1_700)
    for number in range(3):
        lines = [{"item": "F-1", "qty": 1}]
        till.post("/v1/sales/P2/returns", {"source_id": f"S{number}", "occurred_at": moment(), "lines": lines})
    assert points(till)["available"] == 500
    found = till.get("/v1/members/C1/balance").json()["wallets"]
    assert next(one["available"] for one in found if one["wallet"] == "parts_credit") == 100_000 - PARTS


def test_a_late_sale_is_booked_with_the_points_it_took_and_owes_what_was_not_there(till: Till):
    late = till.post("/v1/sales", order(credit={"points": 500}, occurred_at=moment(minutes=20)))
    assert late.status_code == 201, late.text
    assert points(till) == {"available": 0, "held": 0, "debt": 0}  # the 7 yuan left of the parts earn none


def wallet(fen: int, units: int, block: int = 1) -> Wallet:
    return Wallet("points", None, "points", ("parts",), None, block=block, point_value=(fen, units))


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 50), st.integers(0, 10_000))
def test_a_block_of_points_is_whole_fen_and_comes_back_as_it_was(fen: int, units: int, block: int, times: int):
    one = wallet(fen, units, block)
    amount = block_of(one) * times
    assert pays(one)
    assert amount % block == 0
    assert amount * fen % units == 0
    assert units_of(one, fen_of(one, amount)) == amount


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 40), st.lists(st.integers(1, 9_999), max_size=9))
def test_parts_that_come_back_give_the_points_once(fen: int, units: int, times: int, parts: list[int]):
    one = wallet(fen, units)
    used = block_of(one) * times
    left = total = fen_of(one, used)
    given_back = 0
    for wanted in (*parts, total):
        part = min(wanted, left)
        left -= part
        answered, back = points_back(one, used - given_back, left + part, part)
        assert back >= 0
        given_back += back
        assert given_back == (total - left) * units // fen  # the share of what came back, in whole points
        assert answered == part
    assert given_back == used


@pytest.mark.parametrize(
    ("gave", "fen", "taken"),
    [
        (200, 2_000, 200),
        (200, 1_995, 200),
        (200, 1_990, 199),
        (200, 15, 2),
        (200, 10, 1),
        (200, 1, 1),
        (200, 3_000, 200),
    ],
)
def test_a_return_that_never_was_takes_points_again_rounded_up_and_never_more_than_it_gave(gave, fen, taken):
    one = wallet(10, 1)
    rules = SimpleNamespace(policy=SimpleNamespace(wallets={"points": one}))
    programme = SimpleNamespace(line=SimpleNamespace(at=lambda _: SimpleNamespace(rules=rules)))
    purse = SimpleNamespace(programme=programme, book=SimpleNamespace(gave_back=lambda _: {"points": gave}))
    assert refunds._again(purse, "order:S1:P1", fen, 0) == [("points", -taken)]


@pytest.mark.parametrize(
    ("fen", "taken"),
    [
        (1_500, [("money", 0), ("points", -150), ("first", 0)]),
        (2_200, [("money", 0), ("points", -200), ("first", -200)]),
        (9_999, [("money", 0), ("points", -200), ("first", -500)]),
    ],
)
def test_of_several_wallets_the_last_takes_again_first_each_for_what_it_is_worth(fen, taken):
    wallets = {"points": wallet(10, 1)}
    rules = SimpleNamespace(policy=SimpleNamespace(wallets=wallets))
    programme = SimpleNamespace(line=SimpleNamespace(at=lambda _: SimpleNamespace(rules=rules)), wallet=wallets.get)
    gave = {"first": 500, "points": 200, "money": 0}
    purse = SimpleNamespace(programme=programme, book=SimpleNamespace(gave_back=lambda _: gave))
    assert refunds._again(purse, "order:S1:P1", fen, 0) == taken
