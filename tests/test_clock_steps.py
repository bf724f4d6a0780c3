"""A clock that is set while the service runs: forward by a day and back again, back by an hour. No money follows it.

What was recorded by the wrong clock keeps its member's order; it says nothing of anybody else's time.
"""

from __future__ import annotations

import pytest

from tests.test_api_book import Book, code, opened, order, serving
from tests.test_slips import Clock
from tierengine.ledger.verify import verify
from tierengine.store import database

SECOND = 1_000_000
DAY = 86_400 * SECOND


@pytest.fixture
def time():
    return Clock()


@pytest.fixture
def till(book_url, time):
    with serving(book_url, now=time) as till:
        till.gold("C1")
        till.count += 100
        till.gold("C2")
        yield till
    link = database.connect(book_url, readonly=True)
    assert verify(link) == ()
    link.rollback()
    link.close()


def sold(till, time, number, member="C1", **more):
    return till.post("/v1/sales", order(number, member, occurred_at=time.stamp(), **more))


def recorded(book: Book, member: str) -> list[int]:
    """When the last entry and the last event of a member were recorded, as the book says."""
    link = database.connect(book.url, readonly=True)
    found = [
        link.ask(
            f"SELECT t.recorded_at FROM {table} t JOIN member m ON m.id = t.member_id WHERE m.code = ?1 "
            f"ORDER BY t.{place} DESC LIMIT 1",
            member,
        ).rows()[0][0]
        for table, place in (("entry", "number"), ("event", "id"))
    ]
    link.close()
    return found


def holds(till, member, number):
    """Hold credit and take a part of it, as a till does within a minute."""
    made = till.post("/v1/holds", {"member": member, "order": number, "wallet": "parts_credit", "amount": 60_000})
    assert made.status_code == 201, made.text
    return till.post(f"/v1/holds/{made.json()['hold']['id']}/capture", {"amount": 25_000})


def test_what_one_member_was_stamped_by_a_clock_a_day_ahead_ends_no_hold_of_another(till, time):
    time.now += DAY
    assert sold(till, time, "P1", credit={"parts_credit": 20_000}).status_code == 201
    ahead = time.now
    time.now -= DAY
    taken = holds(till, "C2", "P2")
    assert taken.status_code == 201, taken.text
    assert abs(recorded(till.book, "C2")[0] - time.now) < 60 * SECOND
    # His own entries never go back; and a service that begins anew after that learns no wrong time from him either.
    assert sold(till, time, "P3", credit={"parts_credit": 20_000}).status_code == 201
    assert recorded(till.book, "C1")[0] >= ahead
    assert holds(till, "C2", "P4").status_code == 201


def test_a_service_that_begins_after_the_clock_was_mended_learns_no_wrong_time(book_url, time):
    with serving(book_url, now=time) as till:
        till.gold("C1")
        till.count += 100
        till.gold("C2")
        time.now += DAY
        assert sold(till, time, "P1", credit={"parts_credit": 20_000}).status_code == 201
        time.now -= DAY
    with opened(till.book, now=time) as later:
        later.count = 10_000
        assert sold(later, time, "P3", credit={"parts_credit": 20_000}).status_code == 201
        assert holds(later, "C2", "P4").status_code == 201
        assert abs(recorded(later.book, "C2")[0] - time.now) < 60 * SECOND


def test_who_is_recorded_in_one_transaction_with_him_has_his_own_time(till, time):
    time.now += DAY
    assert sold(till, time, "P1", credit={"parts_credit": 20_000}).status_code == 201
    time.now -= DAY
    contacts = [
        {"kind": "contact", "member": member, "occurred_at": time.stamp(), "channel": "phone", "direction": "ours",
         "source_id": f"b{number}"}
        for number, member in enumerate(("C1", "C2", "C1", "C2"))
    ]  # fmt: skip
    told = till.post("/v1/events:batch", {"events": contacts}).json()
    assert told["recorded"] == 4, told
    assert abs(recorded(till.book, "C2")[1] - time.now) < 60 * SECOND


def test_an_hour_back_keeps_nobody_from_selling_and_doubles_nothing(till, time):
    said = order("P1", occurred_at=time.stamp(), credit={"parts_credit": 20_000})
    first = till.post("/v1/sales", said, once="k1")
    assert first.status_code == sold(till, time, "P0", "C3").status_code == 201
    back = {"source_id": "R1", "occurred_at": time.stamp()}
    returned = till.post("/v1/sales/P0/returns", back, once="k2")
    events = {
        "events": [
            {"kind": "contact", "member": "C3", "occurred_at": time.stamp(), "channel": "phone", "direction": "ours",
             "source_id": "b1"}
        ]
    }  # fmt: skip
    batch = till.post("/v1/events:batch", events, once="k3")
    assert (returned.status_code, batch.json()["recorded"]) == (201, 1), returned.text
    time.now -= 3_600 * SECOND
    # A till's reply was lost, and it sends again what lies an hour ahead by now.
    assert till.post("/v1/sales", said, once="k1").content == first.content
    assert till.post("/v1/sales/P0/returns", back, once="k2").content == returned.content
    assert till.post("/v1/events:batch", events, once="k3").content == batch.content
    assert code(till.post("/v1/sales", said)) == (422, "malformed"), "what has no answer yet is no matter of ours"
    for number in range(3):
        answer = sold(till, time, f"Q{number}", credit={"parts_credit": 20_000})
        assert answer.status_code == 201, answer.text
    assert holds(till, "C2", "P4").status_code == 201
    wallets = till.get("/v1/members/C1/balance").json()["wallets"]
    assert [one["available"] for one in wallets if one["wallet"] == "parts_credit"] == [20_000]
    assert sold(till, time, "Q9", "C2").status_code == 201
