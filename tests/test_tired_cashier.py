"""At the end of a long day: a double click, a wrong member, a return twice, a Chinese keyboard, a clock that is off."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.test_api_book import PAYS, Till, code, moment, order, serving


@pytest.fixture
def till(sqlite_book_url):
    with serving(sqlite_book_url) as till:
        till.gold()
        yield till


def has(till: Till, member: str = "C1") -> dict[str, int]:
    told = till.get(f"/v1/members/{member}/balance").json()["wallets"]
    return {one["wallet"]: one["available"] for one in told}


def back(number: str, **more):
    return {"source_id": number, "occurred_at": moment(), **more}


def test_full_width_letters_and_spaces_make_no_other_member_order_or_phone(till: Till):
    before, said = has(till), order("Ａ１００１", "Ｃ１")
    first = till.post("/v1/sales", said, once="one")
    assert (first.status_code, first.json()["order"], first.json()["member"]) == (201, "A1001", "C1")
    assert till.post("/v1/sales", {**said, "order": "A1001", "member": "C1"}).json()["status"] == "duplicate"
    for path in ("/v1/members/Ｃ１", "/v1/members/ C1 ", "/v1/members/Ｃ１/balance", "/v1/members/　Ｃ１/ledger"):
        answer = till.get(path)
        assert answer.status_code == 200, path
        assert "Ｃ" not in answer.text
    for phone in ("１３８００００００01", "138 0000 0001", "138-0000-0001", "%2B8613800000001", "８６-13800000001"):
        assert till.get(f"/v1/members?phone={phone}").json() == {"members": [{"member": "C1"}]}, phone
    desk = till.at("D1/sales_manager")
    given = desk.post(
        "/v1/members/Ｃ１/adjustments", {"wallet": "parts_credit", "amount": 5, "reason": "x", "by": "U1"}
    )
    assert given.status_code == 201, given.text
    line = till.at("D1/auditor").get("/v1/audit?limit=1").json()["lines"][0]
    assert line["subject"] == "member:C1"
    assert till.post("/v1/sales/Ａ１００１/returns", back("Ｒ１")).status_code == 201
    assert has(till) == {**before, "parts_credit": before["parts_credit"] + 5}


@pytest.mark.parametrize(
    "line", [{"list": "１０００"}, {"list": "1,000"}, {"list": 10.0}, {"list": 1_000, "qty": "２"}, {"list": "￥10"}]
)
def test_an_amount_that_is_no_whole_number_is_refused_where_it_stands(till: Till, line):
    answer = till.post("/v1/sales", order("X1", lines=[{"item": "F", "category": "parts", **line}]))
    assert code(answer) == (422, "malformed")
    assert answer.json()["errors"][0]["pointer"] in ("/lines/0/list", "/lines/0/qty")
    kind = "小数" if line["list"] == 10.0 else "文本"
    assert answer.json()["errors"][0]["detail"] == f"应为整数，收到的是{kind}。"
    assert till.post("/v1/sales", order("X1")).status_code == 201, "the order number is free"


def test_a_wallet_is_named_in_full_width_or_wrongly_and_the_answer_helps(till: Till):
    """By its title it is not found, but those that there are stand in the answer, with their ids."""
    assert till.post("/v1/sales", order("W0", credit={"ｐarts_credit　": 500})).json()["credit_used"] == {
        "parts_credit": 500
    }
    for path in ("/v1/sales", "/v1/quotes"):
        answer = till.post(path, order("W9", credit={"配件款": 500}))
        assert code(answer) == (404, "unknown_wallet")
        assert "配件款(parts_credit)" in answer.json()["detail"]


def test_what_a_till_leaves_empty_is_not_there(till: Till):
    assert till.post("/v1/sales", order("E0", quote="", slip="", note="", staff="　")).status_code == 201
    answer = till.at("D1/admin").post("/v1/offline-allowances/x/revoke", {"reason": "　"})
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [("/reason", "missing")]


def test_a_double_click_is_one_sale_with_and_without_a_key_of_its_own(till: Till):
    said = order("D1", credit="max")
    first = till.post("/v1/sales", said, once="click")
    after = has(till)
    again = till.post("/v1/sales", said, once="click")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    other = till.post("/v1/sales", said, once="click-2")
    assert (other.status_code, other.json()["status"]) == (200, "duplicate")
    assert code(till.post("/v1/sales", {**said, "credit": {}}, once="click")) == (422, "idempotency_mismatch")
    own = till.headers({"content-type": "application/json"})
    assert code(till.client.post("/v1/sales", json=said, headers=own)) == (400, "idempotency_key_missing")
    assert has(till) == after


def test_a_sale_to_the_wrong_member_is_taken_back_whole_and_sold_again_under_a_new_number(till: Till):
    before = has(till)
    assert till.post("/v1/sales", order("W1", credit="max")).status_code == 201
    assert code(till.post("/v1/sales", order("W1", "C2"))) == (409, "order_conflict")
    assert till.post("/v1/sales/W1/returns", back("RW1")).status_code == 201
    assert has(till) == before
    assert code(till.post("/v1/sales", order("W1", "C2"))) == (409, "order_conflict")
    assert till.post("/v1/sales", order("W2", "C2")).status_code == 201


def test_what_comes_back_twice_gives_nothing_twice_and_is_told(till: Till):
    before = has(till)
    assert till.post("/v1/sales", order("B1", credit="max")).status_code == 201
    said = back("RB1")
    assert till.post("/v1/sales/B1/returns", said).status_code == 201
    assert till.post("/v1/sales/B1/returns", said).json()["status"] == "duplicate"
    second = till.post("/v1/sales/B1/returns?width=32", back("RB2"))
    assert "单上没有或多于所售的不退" in second.json()["receipt"]["zh"], "an empty receipt says why"
    assert [one["code"] for one in second.json()["flags"]] == ["beyond_sold"]
    assert "credit_returned" not in second.json() or not any(second.json()["credit_returned"].values())
    assert till.post("/v1/sales", order("B2")).status_code == 201
    more = till.post("/v1/sales/B2/returns", back("RB3", lines=[{"item": "F-100", "qty": 9}]))
    assert [one["code"] for one in more.json()["flags"]] == ["beyond_sold"]
    assert till.post("/v1/sales/B2/returns", back("RB4")).status_code == 201
    assert has(till) == before


def test_what_was_not_on_the_order_and_whose_it_was_is_said_on_the_receipt(till: Till):
    assert till.post("/v1/sales", order("N1")).status_code == 201
    wrong = till.post("/v1/sales/N1/returns?width=32", back("RN1", lines=[{"item": "F-999"}])).json()
    assert "单上没有或多于所售的不退" in wrong["receipt"]["zh"]
    assert "Beyond what was sold: not taken" in wrong["receipt"]["en"]
    other = till.post("/v1/sales/N1/returns?width=48", back("RN2", member="C2")).json()
    assert (other["member"], [one["code"] for one in other["flags"]]) == ("C1", ["other_member"])
    assert "单是另一会员的，按单退" in other["receipt"]["zh"]
    assert "Sold to another: given back there" in other["receipt"]["en"]


def test_an_amount_above_what_was_paid_is_not_handed_out_and_the_receipt_says_so(till: Till):
    sold = till.post("/v1/sales", order("N2")).json()
    [amount] = [line["amount"] for line in sold["lines"] if line["item"] == "F-100"]
    asked = {"item": "F-100", "amount": amount + 100}
    cut = till.post("/v1/sales/N2/returns?width=32", back("RN3", lines=[asked])).json()
    assert [one["code"] for one in cut["flags"]] == ["amount_cut"]
    assert cut["total"]["amount"] == amount
    assert "退款多于所付，按所付退" in cut["receipt"]["zh"]
    assert "More than was paid: cut to that" in cut["receipt"]["en"]


@pytest.mark.parametrize("minutes", [-10, 0, 9.9])
def test_a_clock_that_is_ten_minutes_off_sells(till: Till, minutes):
    answer = till.post("/v1/sales", order("K1", occurred_at=moment(minutes=-minutes), prices=PAYS))
    assert answer.status_code == 201, answer.text
    assert till.post("/v1/sales/K1/returns", back("RK1", occurred_at=moment(minutes=minutes))).status_code == 201


def test_a_clock_that_is_further_ahead_is_refused_and_its_number_stays_free(till: Till):
    answer = till.post("/v1/sales", order("K2", occurred_at=moment(minutes=-11)))
    assert code(answer) == (422, "malformed")
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [("/occurred_at", "in_the_future")]
    assert till.post("/v1/sales", order("K2")).status_code == 201


def test_an_order_sent_again_under_another_key_is_the_same_though_its_price_is_another_now(till: Till):
    """The till left the price to us, and since then the member is gold; what was booked stands, and is told."""
    said = order("L1", "C2")
    first = till.post("/v1/sales", said).json()
    till.gold("C2")
    again = till.post("/v1/sales", said)
    assert (again.status_code, again.json()["status"]) == (200, "duplicate"), again.text
    assert again.json()["lines"] == first["lines"]
    assert code(till.post("/v1/sales", {**said, "lines": said["lines"][:1]})) == (409, "order_conflict")
    dearer = [{**line, "list": line["list"] + 1} for line in said["lines"]]
    assert code(till.post("/v1/sales", {**said, "lines": dearer})) == (409, "order_conflict")
    assert code(till.post("/v1/sales", {**said, "credit": {"parts_credit": 100}})) == (409, "order_conflict")
    assert code(till.post("/v1/sales", {**said, "prices": PAYS})) == (409, "order_conflict")


@pytest.mark.parametrize("number", ["2026/0815", "２０２６／0815", "A 1", "100%", "a?b#c", "2026%2F0815"])
def test_an_order_comes_back_whatever_signs_its_number_has(till: Till, number):
    before = has(till)
    assert till.post("/v1/sales", order(number, credit="max")).status_code == 201
    answer = till.post(f"/v1/sales/{quote(number, safe='')}/returns", {**back("RS1"), "order": number})
    assert (answer.status_code, answer.json()["status"]) == (201, "recorded"), answer.text
    assert has(till) == before


def test_a_member_is_read_whatever_signs_his_code_has(till: Till):
    told = {"member": "合肥/7", "name": "王"}
    assert till.at("D1/sales_manager").post("/v1/members", told).status_code == 201
    for path in ("", "/balance", "/ledger", "/statement", "/explain"):
        answer = till.get(f"/v1/members/{quote('合肥/7', safe='')}{path}")
        assert (answer.status_code, answer.json()["member"]) == (200, "合肥/7"), path
    assert code(till.get("/v1/members/合肥/7")) == (404, "not_found")
