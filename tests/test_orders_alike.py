"""Orders whose names begin alike, or that two stores gave the same number: each has its own hold, credit and return."""

import pytest

from tests.club import ZONE
from tests.test_holds import CREDIT, HAS, Holds
from tests.test_merging import merge
from tests.test_returns_apart import sold
from tierengine.judging.observations import read_observation
from tierengine.membership import people
from tierengine.recording.acts import PlaceHold
from tierengine.store.ids import Ids, transact


@pytest.fixture
def club(book_url):
    made = Holds(book_url)
    yield made
    made.check()
    made.clean()
    made.close()


@pytest.mark.parametrize(("held", "asked"), [("P1", "P10"), ("P10", "P1")])
def test_what_is_held_for_an_order_is_nothing_to_one_whose_number_begins_alike(club, held, asked):
    club.hold(held, HAS - 10_000)
    line = club.parts(asked, "2026-03-20", amount=100_000, credit=60_000, cash=40_000)
    refused = club.sale(line, uses={CREDIT: 60_000})
    assert (refused.status, refused.code) == ("refused", "insufficient_credit")
    sold(club, {CREDIT: 10_000}, asked)
    assert club.has() == (0, HAS - 10_000, 0)
    club.send(club.returned(asked, "2026-03-21"))
    assert club.has() == (10_000, HAS - 10_000, 0)


@pytest.mark.parametrize(("first", "second"), [("P1", "P10"), ("P10", "P1")])
def test_of_two_held_orders_each_has_what_is_held_for_it(club, first, second):
    club.hold(second, HAS - 60_000), club.hold(first, 60_000)
    line = club.parts(first, "2026-03-20", amount=100_000, credit=70_000, cash=30_000)
    assert club.sale(line, uses={CREDIT: 70_000}).code == "insufficient_credit"
    assert club.has() == (0, HAS, 0)
    sold(club, {CREDIT: 60_000}, first)
    assert club.has() == (0, HAS - 60_000, 0)
    left = club.rows("SELECT key, remaining FROM hold_state JOIN hold ON id = hold_id WHERE remaining > 0")
    assert left == [(f"hold:S1:{second}:{CREDIT}", HAS - 60_000)]


@pytest.mark.parametrize(("held", "asked"), [("S1", "S10"), ("S10", "S1")])
def test_what_one_store_holds_is_nothing_to_another_that_has_an_order_of_the_same_number(club, held, asked):
    """Nor is what it captured, or gave back."""
    transact(club.link, Ids(), lambda link, ids: people.create_store(link, ids, club.dealer, "S10", "Other"))
    act = PlaceHold(f"hold:{held}:P:{CREDIT}", CREDIT, HAS - 10_000, f"order:{held}:P")
    made = club.command(act)
    assert club.sale(at_store(club, asked, 60_000), uses={CREDIT: 60_000}).code == "insufficient_credit"
    assert club.sale(at_store(club, asked, 10_000), uses={CREDIT: 10_000}).status == "recorded"
    assert club.has() == (0, HAS - 10_000, 0)
    assert club.capture(made.body["hold"]["id"]).status == "recorded"
    back = {"kind": "sale_returned", "order": "P", "source_id": f"b{asked}"}
    club.send(told_by(club, asked, **back))
    assert club.has() == (10_000, 0, 0)


def told_by(club, store, **said):
    raw = {"occurred_at": "2026-03-20T10:00:00+08:00", **said}
    return read_observation(raw, source="till", store=store, now_us=club.now, zone=ZONE, late_days=None, currency="CNY")


def at_store(club, store, credit):
    line = {"item": "filter", "category": "parts", "qty": 1, "amount": 100_000}
    lines = [line | {"credit": credit, "cash": 100_000 - credit}]
    return told_by(club, store, kind="parts_purchase", member="M1", order="P", lines=lines)


@pytest.mark.parametrize(("first", "second"), [("P1", "P10"), ("P10", "P1")])
def test_what_one_order_captured_pays_no_other_whose_number_begins_alike(club, first, second):
    for order, amount in ((first, 60_000), (second, 50_000)):
        made = club.hold(order, amount)
        assert club.capture(made.body["hold"]["id"]).status == "recorded"
    sold(club, {CREDIT: 60_000}, first)
    assert club.has() == (HAS - 110_000, 0, 0)
    sold(club, {CREDIT: 50_000}, second)
    assert club.has() == (HAS - 110_000, 0, 0)


@pytest.mark.parametrize(("held", "asked"), [("P1", "P10"), ("P10", "P1")])
def test_of_two_who_are_one_each_pays_his_own_order_out_of_his_own_book(club, held, asked):
    club.items(merge(club, "M2", "M1"))
    made = club.hold(held, 10_000, "M2")
    assert made.status == "recorded", made
    sold(club, {CREDIT: 20_000}, asked)
    paid = club.rows(
        "SELECT m.code, delta FROM entry e JOIN member m ON m.id = member_id WHERE event_key = ?1 AND e.kind = 'use'",
        f"order:S1:{asked}",
    )
    assert paid == [("M1", -20_000)]
