"""What is asked of a member's money, at the edges of what may be: holds, adjustments, transfers, late orders. Pure."""

from __future__ import annotations

import pytest

from tests.test_signed_terms import ORDER
from tierengine.errors import Malformed
from tierengine.judging.bounds import MONEY_MOST
from tierengine.till.asked import read_adjustment, read_capture, read_hold, read_transfer
from tierengine.till.orders import LATE
from tierengine.zone import DAY, Zone, moment

NOW = 1_700_000_000_000_000
ZONE = Zone("Asia/Shanghai")
HOLD = {"member": "C1", "order": "P1", "wallet": "parts_credit", "amount": 1}
ADJUSTMENT = {"wallet": "parts_credit", "amount": 1, "reason": "补发", "by": "U1"}
TRANSFER = {"to": "C2", "wallet": "parts_credit", "amount": 1, "reason": "补发", "by": "U1"}


def wrong(read, *asked, **more):
    with pytest.raises(Malformed) as caught:
        read(*asked, **more)
    return [(one.pointer, one.code) for one in caught.value.errors]


def at(instant):
    return {**HOLD, "expires_at": moment(instant).isoformat()}


def test_a_hold_ends_after_now_and_within_a_year():
    for ends in (NOW + 1, NOW + 365 * DAY):
        _, act = read_hold(at(ends), store="S01", now_us=NOW)
        assert act.expires_at == ends
    assert wrong(read_hold, at(NOW), store="S01", now_us=NOW) == [("/expires_at", "in_the_past")]
    assert wrong(read_hold, at(NOW - 1), store="S01", now_us=NOW) == [("/expires_at", "in_the_past")]
    assert [one for one, _ in wrong(read_hold, at(NOW + 400 * DAY), store="S01", now_us=NOW)] == ["/expires_at"]
    # What was answered before is read again though its end has passed.
    assert read_hold(at(NOW), store="S01", now_us=NOW, again=True)[1].expires_at == NOW


@pytest.mark.parametrize("amount", [0, -1, MONEY_MOST + 1])
def test_nobody_holds_captures_or_transfers_nothing_or_less(amount):
    own = {"amount": amount}
    assert wrong(read_hold, {**HOLD, **own}, store="S01", now_us=NOW) == [("/amount", "out_of_range")]
    assert wrong(read_capture, own) == [("/amount", "out_of_range")]
    assert wrong(read_transfer, {**TRANSFER, **own}, "k") == [("/amount", "out_of_range")]


def test_one_fen_is_something_and_a_capture_that_names_nothing_takes_all():
    assert read_hold(HOLD, store="S01", now_us=NOW)[1].amount == 1
    assert (read_capture({"amount": 1}), read_capture({})) == (1, None)
    assert read_transfer(TRANSFER, "k")[1].amount == 1


def test_a_hold_is_of_one_store():
    assert wrong(read_hold, HOLD, store="", now_us=NOW) == [("/store", "missing")]
    assert wrong(read_hold, {**HOLD, "store": "S02"}, store="S01", now_us=NOW)[0][0] == "/store"


def test_an_adjustment_adds_or_takes_away_and_is_never_nothing():
    for amount in (1, -1, MONEY_MOST, -MONEY_MOST):
        assert read_adjustment({**ADJUSTMENT, "amount": amount}, ZONE, "k").amount == amount
    for amount in (0, MONEY_MOST + 1, -MONEY_MOST - 1):
        assert wrong(read_adjustment, {**ADJUSTMENT, "amount": amount}, ZONE, "k") == [("/amount", "out_of_range")]


def test_what_is_added_by_hand_lasts_to_the_end_of_its_last_day_in_the_dealers_zone():
    act = read_adjustment({**ADJUSTMENT, "last_day": "2026-03-31"}, ZONE, "k")
    assert act.expires_at is not None
    assert moment(act.expires_at).isoformat() == "2026-03-31T16:00:00+00:00"


@pytest.mark.parametrize("name", ["reason", "by"])
@pytest.mark.parametrize("blank", [None, "", "  ", "　"])
def test_what_is_done_by_hand_says_who_and_why(name, blank):
    assert wrong(read_adjustment, {**ADJUSTMENT, name: blank}, ZONE, "k")[0][0] == f"/{name}"
    assert wrong(read_transfer, {**TRANSFER, name: blank}, "k")[0][0] == f"/{name}"


def test_a_number_of_its_own_makes_an_act_one_for_ever_else_its_key_does():
    assert read_adjustment(ADJUSTMENT, ZONE, "k").key == "adjust:k"
    assert read_adjustment({**ADJUSTMENT, "source_id": "A7"}, ZONE, "k").key == "adjust:A7"
    assert read_transfer({**TRANSFER, "source_id": "A7"}, "k")[1].key == "transfer:A7"


def test_an_order_of_fifteen_minutes_ago_may_still_be_refused():
    assert not ORDER.late(ORDER.occurred_at + LATE)
    assert ORDER.late(ORDER.occurred_at + LATE + 1)
