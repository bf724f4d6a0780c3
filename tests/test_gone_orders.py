"""Credit of an order that was cancelled, corrected or brought back before the till told what it used: it is no loss."""

import pytest

from tests.test_holds import CREDIT, HAS, Holds
from tests.test_returns import ruled, shot
from tierengine.recording.items import Observe, Sale

KEY = "order:S1:P:parts_purchase"
CASES = pytest.mark.parametrize("told", ["file", "nobody", "at once"])


@pytest.fixture
def club(book_url):
    made = Holds(book_url, ruled("    clawback: debt\n"))
    yield made
    made.check()
    made.clean()
    made.close()


def order(club, credit=60_000, qty=2, **more):
    return club.parts("P", "2026-03-20", amount=100_000, qty=qty, credit=credit, cash=100_000 - credit, **more)


def corrected(club, credit):
    line = {"item": "filter", "category": "parts", "qty": 2, "amount": 100_000, "credit": credit}
    return club.said(
        "parts_purchase", "2026-03-20", "M1", order="P", lines=[line | {"cash": 100_000 - credit}], revision=1
    )


def cancelled(club):
    return club.said("observation_cancelled", "2026-03-21", source_id=KEY, revision=1, reason="x")


def half(club, number=1):
    return club.returned("P", f"2026-03-2{number}", number=number, lines=[{"item": "filter", "qty": 1}])


def late(club, said, **more):
    return Sale(club.dealer, (said,), uses={CREDIT: 60_000}, late=True, **more)


@CASES
def test_of_a_cancelled_order_the_till_s_late_word_takes_nothing(club, told):
    before = shot(club)
    if told == "file":
        club.send(order(club), cancelled(club))
    elif told == "nobody":
        club.send(cancelled(club))
    if told == "at once":
        club.items(late(club, order(club)), Observe(club.dealer, cancelled(club)))
    else:
        club.items(late(club, order(club)))
    assert shot(club) == before
    club.items(late(club, order(club)))
    assert shot(club) == before


def test_a_sale_told_after_its_cancellation_takes_nothing_either(club):
    before = shot(club)
    club.send(cancelled(club))
    club.sale(order(club), uses={CREDIT: 60_000})
    assert shot(club) == before


@CASES
def test_of_an_order_that_came_back_the_till_s_late_word_takes_what_it_still_holds(club, told):
    before = shot(club)
    if told == "file":
        club.send(order(club), half(club))
    elif told == "nobody":
        club.send(half(club))
    if told == "at once":
        club.items(late(club, order(club)), Observe(club.dealer, half(club)))
    else:
        club.items(late(club, order(club)))
    assert club.has() == (HAS - 30_000, 0, 0)
    club.send(half(club, 2))
    assert shot(club) == before


@CASES
def test_of_a_corrected_order_the_till_s_late_word_takes_what_the_correction_says(club, told):
    if told == "file":
        club.send(order(club), corrected(club, 45_000))
    elif told == "nobody":
        club.send(corrected(club, 45_000))
    if told == "at once":
        (_, later) = club.items(late(club, order(club)), Observe(club.dealer, corrected(club, 45_000)))
        assert later is None
        club.send(corrected(club, 45_000))
    else:
        club.items(late(club, order(club)))
    assert club.has() == (HAS - 45_000, 0, 0)


def test_what_a_late_word_and_a_return_of_one_moment_say_is_given_back_once(club):
    club.send(order(club))
    club.items(late(club, order(club)), Observe(club.dealer, half(club)))
    assert club.has() == (HAS - 30_000, 0, 0)


def test_an_over_use_of_a_cancelled_order_is_nobody_s_debt(club):
    before = shot(club)
    said = club.parts("P", "2026-03-20", amount=HAS + 50_000, credit=HAS + 50_000, cash=0)
    club.send(said, cancelled(club))
    club.items(Sale(club.dealer, (said,), uses={CREDIT: HAS + 50_000}, late=True))
    assert club.has() == before[2]


def test_an_order_that_waits_is_paid_when_the_till_says_so(club):
    """A machine of a referral that is not here yet contributes nothing so far; nothing of it came back, though."""
    machine = club.machine("P", "2026-03-20", referral="nobody-yet")
    parts = order(club)
    club.items(late(club, machine), late(club, parts))
    assert club.has()[0] == HAS - 60_000
