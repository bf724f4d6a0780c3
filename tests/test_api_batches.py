"""Many events at once: a result for each, nothing twice, and one bad event touches no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.test_api_book import Till, code, moment, order, rows, serving


@pytest.fixture
def till(book_url):
    with serving(book_url) as till:
        yield till


def contact(number: int, **more):
    said = {"kind": "contact", "member": f"C{number % 4 + 1}", "occurred_at": moment(minutes=number)}
    return {**said, "channel": "phone", "direction": "ours", "source_id": f"b{number}", **more}


def test_a_thousand_events_are_recorded_and_answered_in_their_order(till: Till):
    said = [contact(number) for number in range(1_000)]
    answer = till.post("/v1/events:batch", {"events": said}, once="night")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["recorded"], told["problem"]) == (1_000, 0)
    assert [one["body"]["key"] for one in told["results"]] == [f"till-S01:b{number}" for number in range(1_000)]
    assert rows(till.book)["event"] == 1_000
    again = till.post("/v1/events:batch", {"events": said}, once="night")
    assert again.content == answer.content
    assert again.headers["idempotent-replayed"] == "true"
    other = till.post("/v1/events:batch", {"events": said})
    assert other.json()["duplicate"] == 1_000
    assert rows(till.book)["event"] == 1_000


def test_one_bad_event_does_not_spoil_the_others(till: Till):
    first = contact(1)
    said = [
        first,
        {"kind": "nonsense"},
        "text",
        contact(2, member="NOBODY"),
        contact(3, store="S02"),
        contact(4, kind="tier_assigned", tier="gold", by="U1", reason="x"),
        {"kind": "complaint_step", "occurred_at": moment(), "complaint": "later", "step": "answered", "source_id": "s"},
        first,
        {**first, "channel": "visit"},
        contact(5, store="S77"),
        contact(6),
    ]
    told = till.post("/v1/events:batch", {"events": said}, once="k").json()
    found = [(one["status"], one["body"].get("code", one["body"]["status"])) for one in told["results"]]
    assert found == [
        (201, "recorded"),
        (422, "malformed"),
        (422, "malformed"),
        (404, "unknown_member"),
        (422, "malformed"),
        (403, "forbidden"),
        (202, "parked"),
        (200, "duplicate"),
        (409, "event_conflict"),
        (422, "malformed"),
        (201, "recorded"),
    ]
    assert told["results"][1]["body"]["errors"][0]["pointer"] == "/kind"
    assert (told["recorded"], told["duplicate"], told["parked"], told["problem"]) == (2, 1, 1, 7)
    again = till.post("/v1/events:batch", {"events": said}, once="k").json()
    settled = [place for place, (status, _) in enumerate(found) if status in (200, 201, 202, 409)]
    assert [again["results"][place] for place in settled] == [told["results"][place] for place in settled]


def test_two_who_send_the_same_batch_at_once_record_it_once(till: Till):
    said = [contact(number) for number in range(60)]
    with ThreadPoolExecutor(4) as people:
        same = [people.submit(till.post, "/v1/events:batch", {"events": said}, once="night") for _ in range(2)]
        other = [people.submit(till.post, "/v1/events:batch", {"events": said}, once=f"k{number}") for number in (1, 2)]
        answers = [one.result(60) for one in (*same, *other)]
    told = [one.json() for one in answers if one.status_code == 200]
    assert {one.status_code for one in answers} <= {200, 409}, "or to come again, for the same key"
    assert all(one["recorded"] + one["duplicate"] == 60 for one in told)
    assert rows(till.book)["event"] == 60
    part = till.post("/v1/events:batch", {"events": said[20:40]}).json()
    assert (part["duplicate"], part["recorded"]) == (20, 0)


def test_a_batch_names_merged_members_by_either_code(till: Till):
    desk = till.at("D1/admin")
    assert desk.post("/v1/members/C2/merge", {"into": "C1", "reason": "登记了两次"}).status_code == 201
    told = till.post("/v1/events:batch", {"events": [contact(1, member="C2"), contact(2, member="Ｃ１")]}).json()
    assert [one["status"] for one in told["results"]] == [201, 201], told
    assert till.get("/v1/members/C2").json()["merged_into"] == "C1"
    assert till.get("/v1/members/C1").json()["last_event"] == till.get("/v1/members/C2").json()["last_event"]


def test_a_key_with_another_batch_is_refused_as_a_whole(till: Till):
    till.post("/v1/events:batch", {"events": [contact(1)]}, once="k")
    before = rows(till.book)
    other = till.post("/v1/events:batch", {"events": [contact(1), contact(2)]}, once="k")
    assert code(other) == (422, "idempotency_mismatch")
    assert code(till.post("/v1/sales", order(), once="k")) == (422, "idempotency_mismatch")
    assert rows(till.book) == before


@pytest.mark.parametrize("body", [{}, {"events": []}, {"events": {}}, {"events": [1] * 1_001}, {"events": [1], "x": 1}])
def test_what_is_no_batch_is_refused_and_claims_no_key(till: Till, body):
    assert code(till.post("/v1/events:batch", body, once="k")) == (422, "malformed")
    assert till.post("/v1/events:batch", {"events": [contact(1)]}, once="k").status_code == 200


def test_a_batch_may_be_larger_than_a_single_event_but_not_endless(sqlite_book_url):
    with serving(sqlite_book_url) as till:
        said = [contact(number, note="备" * 1_900) for number in range(250)]
        assert till.post("/v1/events:batch", {"events": said}).json()["recorded"] == 250
        assert code(till.raw("/v1/events:batch", b" " * (5 << 20))) == (413, "too_large")
