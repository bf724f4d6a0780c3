"""Merging over HTTP: who may, what is answered to whoever names either, and what is refused, on both databases."""

from __future__ import annotations

import pytest

from tests.test_api_book import Till, code, moment, order, serving
from tierengine.ledger.verify import verify
from tierengine.store import database

WHY = {"reason": "同一位客户,登记了两次"}


@pytest.fixture
def till(book_url):
    with serving(book_url, others=True) as till:
        yield till
        link = database.connect(book_url, readonly=True)
        assert verify(link) == ()
        link.rollback()
        link.close()


def desk(till: Till) -> Till:
    return till.at("D1/sales_manager")


def usable(answer):
    return {one["wallet"]: one["usable"] for one in answer.json()["wallets"]}["parts_credit"]


def test_whoever_names_either_is_answered_with_the_one(till: Till):
    till.gold("C1")
    till.count += 100
    till.gold("C2")
    by = desk(till)
    merged = by.post("/v1/members/C2/merge", {"into": "C1", **WHY})
    assert merged.status_code == 201, merged.text
    body = merged.json()
    assert (body["member"], body["merged_into"]) == ("C1", "C1")
    # One customer has one welcome gift; his second machine is the first of the ladder.
    changes = {one["rule"]: one["change"] for one in body["adjusted"]}
    assert (changes["welcome_gift"], body["balances"]["parts_credit"]["usable"]) == (-100_000, 200_000)
    for path in ("", "/balance", "/explain"):
        mine, his = (by.get(f"/v1/members/{one}{path}").json() for one in ("C1", "C2"))
        assert (mine["member"], mine["merged"]) == ("C1", ["C2"])
        assert (his["member"], his["merged_into"]) == ("C1", "C1")
    assert usable(by.get("/v1/members/C2/balance")) == 200_000
    quote = till.post("/v1/quotes", {"member": "C2", "lines": [{"item": "F", "category": "parts", "list": 10_000}]})
    assert (quote.json()["member"], quote.json()["lines"][0]["amount"]) == ("C1", 9_500)
    sold = till.post("/v1/sales", order("P1", "C2", credit={"parts_credit": 20_000}))
    assert sold.status_code == 201, sold.text
    assert (sold.json()["member"], sold.json()["balances"]["parts_credit"]["usable"]) == ("C1", 180_000)
    hold = till.post("/v1/holds", {"member": "C2", "order": "H1", "wallet": "parts_credit", "amount": 180_000})
    assert hold.status_code == 201, hold.text
    assert till.post(f"/v1/holds/{hold.json()['hold']['id']}/capture", {}).status_code in (200, 201)
    back = till.post("/v1/sales/P1/returns", {"source_id": "R1", "occurred_at": moment()})
    assert back.json()["balances"]["parts_credit"]["usable"] == 20_000
    # Each keeps his own statement; together they are what is shown.
    lines = [by.get(f"/v1/members/{one}/statement").json() for one in ("C1", "C2")]
    closing = [w["closing"]["available"] for one in lines for w in one["wallets"] if w["wallet"] == "parts_credit"]
    assert sum(closing) == usable(by.get("/v1/members/C1/balance")) == 20_000
    apart = by.post("/v1/members/C2/unmerge", {"reason": "不是"})
    assert (apart.status_code, apart.json()["member"]) == (201, "C2")
    survivor = apart.json()["survivor"]
    assert (survivor["member"], survivor["balances"]) != ("C2", apart.json()["balances"])
    assert usable(by.get("/v1/members/C1/balance")) == survivor["balances"]["parts_credit"]["usable"]
    assert {one["rule"]: one["change"] for one in apart.json()["adjusted"]}["welcome_gift"] == 100_000
    assert by.get("/v1/members/C2").json()["member"] == "C2"
    assert "merged" not in by.get("/v1/members/C1").json()


def test_what_cannot_be_is_refused_in_both_languages(till: Till):
    by = desk(till)
    assert by.post("/v1/members/C2/merge", {"into": "C1", **WHY}, once="k").status_code == 201
    assert by.post("/v1/members/C2/merge", {"into": "C1", **WHY}, once="k").headers["idempotent-replayed"] == "true"
    for path, body, expected in (
        ("C2/merge", {"into": "C3", **WHY}, (409, "merge_again")),
        ("C1/merge", {"into": "C2", **WHY}, (409, "merge_cycle")),
        ("C3/unmerge", WHY, (409, "not_merged")),
        ("C3/merge", {"into": "C3", **WHY}, (422, "malformed")),
        ("C3/merge", {"into": "C1"}, (422, "malformed")),
        ("C3/merge", {"into": "nobody", **WHY}, (404, "unknown_member")),
        ("nobody/merge", {"into": "C1", **WHY}, (404, "unknown_member")),
    ):
        answers = [by.post(f"/v1/members/{path}", body, lang=lang) for lang in ("zh", "en")]
        assert [code(one) for one in answers] == [expected, expected]
        assert answers[0].json()["detail"] != answers[1].json()["detail"]
    # Another dealer's C2 is another customer.
    other = till.at("D2/sales_manager")
    assert other.get("/v1/members/C2").json()["member"] == "C2"
    assert code(other.post("/v1/members/C2/unmerge", WHY)) == (409, "not_merged")


def test_a_refusal_to_un_merge_sticks_to_its_key(till: Till):
    by = desk(till)
    refused = by.post("/v1/members/C2/unmerge", WHY, once="never")
    assert code(refused) == (409, "not_merged")
    by.post("/v1/members/C2/merge", {"into": "C1", **WHY})
    again = by.post("/v1/members/C2/unmerge", WHY, once="never")
    assert (again.content, again.headers["idempotent-replayed"]) == (refused.content, "true")
    assert by.get("/v1/members/C2").json()["merged_into"] == "C1"


def test_no_event_merges_or_un_merges(till: Till):
    by = desk(till)
    by.post("/v1/members/C2/merge", {"into": "C1", "source_id": "m1", **WHY})
    said = {"store": "S01", "member": "C2", "revision": 1}
    for raw in (
        {"kind": "members_merged", "into": "C1", "source_id": "x", "member": "C3", "store": "S01"},
        {"kind": "observation_cancelled", "source_id": "merge::m1", **said},
    ):
        answer = till.at("D1/archivist").event(**raw)
        assert code(answer) == (422, "malformed")
    assert by.get("/v1/members/C2").json()["merged_into"] == "C1"


def test_he_is_found_by_the_phone_of_either(till: Till):
    by = desk(till)
    by.post("/v1/members", {"member": "C8", "name": "王五", "phones": ["13800138000"]})
    by.post("/v1/members", {"member": "C9", "name": "王五公司", "phones": ["13900139000"], "form": "firm"})
    by.post("/v1/members/C8/merge", {"into": "C9", **WHY})
    for phone in ("13800138000", "13900139000"):
        assert by.get(f"/v1/members?phone={phone}").json() == {"members": [{"member": "C9"}]}
    by.post("/v1/members/C8/unmerge", WHY)
    assert by.get("/v1/members?phone=13800138000").json() == {"members": [{"member": "C8"}]}


def test_a_merge_lifts_no_suspension(till: Till):
    """Whose credit is suspended spends neither his own nor the other's, under whichever code he comes."""
    till.gold("C1")
    till.count += 100
    till.gold("C2")
    till.event("overdue_changed", member="C1", overdue_days=31)
    by = desk(till)
    hold = {"wallet": "parts_credit", "amount": 10_000}
    assert till.post("/v1/holds", {"member": "C2", "order": "H1", **hold}).status_code == 201
    for loser, into in (("C1", "C2"), ("C2", "C1")):
        by.post(f"/v1/members/{loser}/merge", {"into": into, **WHY})
        for place, one in enumerate(("C1", "C2")):
            refused = till.post("/v1/holds", {"member": one, "order": f"H-{loser}-{place}", **hold})
            assert code(refused) == (409, "credit_suspended")
            assert usable(by.get(f"/v1/members/{one}/balance")) == 0
            sold = till.post("/v1/sales", order(f"P-{loser}-{place}", one, credit={"parts_credit": 10_000}))
            assert sold.status_code == 409, sold.text
        by.post(f"/v1/members/{loser}/unmerge", WHY)
    assert till.post("/v1/holds", {"member": "C2", "order": "H9", **hold}).status_code == 201
