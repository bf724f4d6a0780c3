"""What somebody does who is logged in: it is in the audit, and above a limit it takes a second one who is logged in."""

from __future__ import annotations

import pytest

from tests.test_api_access import of, with_staff
from tests.test_api_book import Book, Till, code, moment, opened, order
from tierengine.ledger.verify import verify
from tierengine.store import database

PATH = "/v1/members/C1/adjustments"


@pytest.fixture
def till(book_url):
    book = with_staff(Book(book_url).make(), ("wang", "sales_manager"), ("li", "sales_manager"), ("zhao", "auditor"))
    with opened(book) as till:
        yield till
    link = database.connect(book_url, readonly=True)
    assert list(verify(link)) == []
    link.rollback()
    link.close()


def adjusted(amount, **more):
    return {"wallet": "parts_credit", "amount": amount, "reason": "补发活动奖励", **more}


def seconded(till: Till, second: Till, body):
    till.count += 1
    own = {"idempotency-key": f"s{till.count}", "second-authorization": second.headers()["authorization"]}
    return till.client.post(PATH, json=body, headers=till.headers(own))


def test_a_large_adjustment_takes_two_who_are_logged_in(till: Till):
    wang, li, zhao = of(till, "wang"), of(till, "li"), of(till, "zhao")
    small = wang.post(PATH, adjusted(100_000))
    assert small.status_code == 201, small.text
    assert code(wang.post(PATH, adjusted(100_001))) == (409, "second_person_needed")
    for body in (adjusted(100_001, second="li"), adjusted(1, by="li")):
        assert code(wang.post(PATH, body))[0] == 422
    for second, body in (
        (zhao, adjusted(100_001)),  # an auditor may look, and not sign
        (till, adjusted(100_001)),  # a till is nobody
        (till.at("D1/sales_manager"), adjusted(100_001)),  # and a program is no person
        (li, adjusted(100_001, second="chen")),
    ):
        assert code(seconded(wang, second, body)) == (422, "malformed")
    assert code(seconded(wang, wang, adjusted(100_001))) == (409, "second_person_needed")
    done = seconded(wang, li, adjusted(100_001, second="li"))
    assert done.status_code == 201, done.text
    assert seconded(wang, li, adjusted(-100_001)).status_code == 201


def test_nobody_of_another_dealer_is_the_second(sqlite_book_url):
    book = with_staff(Book(sqlite_book_url).make(others=True), ("wang", "sales_manager"))
    mine, book.dealer = book.dealer, book.other
    with_staff(book, ("chen", "sales_manager"))
    book.dealer = mine
    with opened(book) as till:
        wang, chen = of(till, "wang"), of(till, "chen")
        refused = seconded(wang, chen, adjusted(100_001))
        assert code(refused) == (422, "malformed")
        assert refused.json()["errors"][0]["code"] == "second_not_here"


def test_what_the_staff_did_and_what_was_refused_them_is_in_the_audit(till: Till):
    wang, auditor = of(till, "wang"), till.at("D1/auditor")
    done = wang.post(PATH, adjusted(5_000), once="k1")
    assert wang.post(PATH, adjusted(5_000), once="k1").content == done.content
    wang.post(PATH, adjusted(100_001), once="k2")
    sold = wang.post("/v1/sales", order("W1", store="S01"))
    assert sold.status_code == 201, sold.text
    said = {"kind": "contact", "member": "C2", "channel": "phone", "direction": "ours", "store": "S01"}
    assert wang.post("/v1/events", {**said, "occurred_at": moment(), "source_id": "e1"}).status_code == 201
    new = wang.post("/v1/members", {"member": "N1", "form": "person"})
    assert new.status_code == 201, new.text
    lines = auditor.get("/v1/audit?actor=staff:wang&limit=50").json()["lines"]
    told = [(one["act"], one["subject"], one["body"].get("status"), one["body"].get("code")) for one in lines]
    adjustment = "POST /v1/members/{code}/adjustments"
    assert told[:-1] == [
        ("POST /v1/members", "member:N1", 201, None),
        ("POST /v1/events", "member:C2", 201, None),
        ("POST /v1/sales", "member:C1", 201, None),
        (adjustment, "member:C1", 409, "second_person_needed"),
        (adjustment, "member:C1", 201, None),
    ]
    assert all(one["request_id"] for one in lines)
    assert "补发" not in str(lines)


def test_a_program_is_in_the_audit_with_what_no_till_may_do_and_a_till_is_not(till: Till):
    till.post("/v1/sales", order("T1"))
    till.at("D1/sales_manager").post(PATH, adjusted(5_000, by="U1"))
    lines = till.at("D1/auditor").get("/v1/audit").json()["lines"]
    mine = [one for one in lines if one["actor"].startswith("key:")]
    assert [(one["act"], one["subject"]) for one in mine] == [("POST /v1/members/{code}/adjustments", "member:C1")]
