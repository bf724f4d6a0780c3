"""What the till hands back for a return is in its answer: line by line, the cash, and what goes to the wallets."""

from __future__ import annotations

import pytest

from tests.test_api_book import Till, moment, order, serving


@pytest.fixture
def till(book_url):
    with serving(book_url) as till:
        till.gold()
        given = {"wallet": "parts_credit", "amount": 30_000, "reason": "x", "by": "U1"}
        assert till.at("D1/sales_manager").post("/v1/members/C1/adjustments", given).status_code == 201
        yield till


def back(number: str, **more):
    return {"source_id": number, "occurred_at": moment(), **more}


def test_a_return_says_line_by_line_what_is_handed_back_and_the_parts_add_up_to_the_sale(till: Till):
    sold = till.post("/v1/sales", order("P1", credit={"parts_credit": 30_000})).json()
    assert sold["total"] == {"list": 191_000, "amount": 183_950, "credit": 30_000, "cash": 153_950}
    one = till.post("/v1/sales/P1/returns?width=32", back("R1", lines=[{"item": "L-1", "qty": 1}])).json()
    labour = next(line for line in sold["lines"] if line["item"] == "L-1")
    assert labour["amount"] == 38_000
    assert one["lines"] == [
        {
            "item": "L-1", "category": "labour", "qty": 1, "list": 20_000, "amount": 19_000,
            "credit": labour["credit"] // 2, "cash": 19_000 - labour["credit"] // 2,
        }
    ]  # fmt: skip
    assert one["total"] == {name: one["lines"][0][name] for name in ("list", "amount", "credit", "cash")}
    cash = f"{one['total']['cash'] / 100:,.2f}"
    assert any(line.startswith("应退现金") and line.endswith(cash) for line in one["receipt"]["zh"])
    assert any(line.startswith("Cash back") and line.endswith(cash) for line in one["receipt"]["en"])
    rest = till.post("/v1/sales/P1/returns", back("R2")).json()
    assert sorted(line["item"] for line in rest["lines"]) == sorted(line["item"] for line in sold["lines"])
    assert {name: one["total"][name] + rest["total"][name] for name in sold["total"]} == sold["total"]
    assert one.get("credit_returned", {}).get("parts_credit", 0) == one["total"]["credit"]
    assert rest["credit_returned"] == {"parts_credit": rest["total"]["credit"]}


def test_a_return_that_comes_again_under_another_key_says_the_same(till: Till):
    assert till.post("/v1/sales", order("P1", credit={"parts_credit": 5_000})).status_code == 201
    said = back("R1", lines=[{"item": "F-100"}])
    first = till.post("/v1/sales/P1/returns?width=32", said, once="one").json()
    again = till.post("/v1/sales/P1/returns?width=32", said, once="two").json()
    assert (first["status"], again["status"]) == ("recorded", "duplicate")
    assert first["lines"][0]["cash"] < first["lines"][0]["amount"] == 95_950
    assert (again["lines"], again["total"]) == (first["lines"], first["total"])


def test_what_is_not_taken_back_is_not_handed_back(till: Till):
    assert till.post("/v1/sales", order("P1")).status_code == 201
    none = till.post("/v1/sales/P1/returns?width=32", back("R1", lines=[{"item": "F-999"}])).json()
    assert (none["lines"], none["total"]["cash"]) == ([], 0)
    assert not any("应退现金" in line for line in none["receipt"]["zh"])
    more = till.post("/v1/sales/P1/returns", back("R2", lines=[{"item": "L-1", "qty": 9}])).json()
    assert [(line["qty"], line["cash"]) for line in more["lines"]] == [(2, 38_000)]
    early = till.post("/v1/sales/LATER/returns", back("R3")).json()
    assert (early["status"], early.get("lines", [])) == ("parked", [])


def test_a_machine_that_comes_back_says_its_price(till: Till):
    gone = till.post("/v1/sales/M-C1/returns", back("R1", kind="machine_returned", reason="quality")).json()
    price = {"list": 86_000_000, "amount": 86_000_000, "credit": 0, "cash": 86_000_000}
    assert gone["lines"] == [{"item": "SN-C1", "category": "machine_purchase", "qty": 1, **price}]
    assert gone["total"] == price
