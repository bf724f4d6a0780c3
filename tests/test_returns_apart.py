"""What comes back goes where it came from: by wallet, by line, by lot and by order, on both databases."""

import pytest

from tests.test_holds import CREDIT, HAS, Holds
from tests.test_returns import ruled, shot
from tierengine.recording.acts import Adjust
from tierengine.recording.items import Observe
from tierengine.zone import DAY

BONUS = "bonus"
TWO = ruled("    clawback: debt\n").replace(
    "  points:\n", "  bonus:\n    title: {zh: 红包, en: Bonus}\n    unit: money\n    pays_for: [parts]\n  points:\n", 1
)


@pytest.fixture
def club(book_url):
    made = Holds(book_url, TWO)
    yield made
    made.check()
    made.clean()
    made.close()


def give(club, amount, wallet=BONUS, days=None, number=1):
    ends = None if days is None else club.now + days * DAY
    made = club.command(Adjust(f"adjust:M1:{number}", wallet, amount, "", "w", expires_at=ends))
    assert made.status == "recorded"


def sold(club, uses, order="P", qty=2, amount=100_000):
    credit = sum(uses.values())
    line = club.parts(order, "2026-03-20", amount=amount, qty=qty, credit=credit, cash=amount - credit)
    answer = club.sale(line, uses=uses)
    assert answer.status == "recorded", answer


def half(club, number, order="P"):
    return club.returned(order, f"2026-03-2{number}", number=number, lines=[{"item": "filter", "qty": 1}])


def both(club):
    return club.balance(CREDIT), club.balance(BONUS)


def test_of_two_wallets_the_first_that_paid_gives_back_first_and_takes_again_last(club):
    give(club, 20_000)
    sold(club, {CREDIT: 30_000, BONUS: 20_000})
    back = [half(club, 1), half(club, 2)]
    (first,), (second,) = club.send(back[0]), club.send(back[1])
    assert first.body["credit_returned"] == {CREDIT: 25_000}
    assert second.body["credit_returned"] == {CREDIT: 5_000, BONUS: 20_000}
    assert both(club) == (HAS, 20_000)
    cancel = [
        club.said("observation_cancelled", "2026-03-25", source_id=one.key, revision=1, reason="x") for one in back
    ]
    club.send(cancel[1])
    assert both(club) == (HAS - 5_000, 0)
    club.send(cancel[0])
    assert both(club) == (HAS - 30_000, 0)


def test_what_is_taken_again_is_no_more_than_what_the_last_wallet_gave(club):
    give(club, 20_000)
    sold(club, {CREDIT: 30_000, BONUS: 20_000}, qty=5)
    pieces = [club.returned("P", "2026-03-21", number=n, lines=[{"item": "filter", "qty": 1}]) for n in range(5)]
    for one in pieces:
        club.send(one)
    assert both(club) == (HAS, 20_000)
    club.send(club.said("observation_cancelled", "2026-03-25", source_id=pieces[4].key, revision=1, reason="x"))
    assert both(club) == (HAS, 10_000)


def test_credit_on_several_lines_comes_back_of_all_of_them(club):
    before = shot(club)
    line = {"category": "parts", "qty": 1, "amount": 50_000, "cash": 20_000, "credit": 30_000}
    said = club.said(
        "parts_purchase", "2026-03-20", "M1", order="P", lines=[{"item": "A"} | line, {"item": "B"} | line]
    )
    assert club.sale(said, uses={CREDIT: 60_000}).status == "recorded"
    (answer,) = club.send(club.returned("P", "2026-03-21"))
    assert answer.body["credit_returned"] == {CREDIT: 60_000}
    assert shot(club) == before


def test_what_an_undone_return_takes_again_and_does_not_find_is_owed(club):
    sold(club, {CREDIT: 60_000})
    back = half(club, 1)
    club.send(back)
    sold(club, {CREDIT: HAS - 30_000}, "Q", amount=HAS)
    club.send(club.said("observation_cancelled", "2026-03-25", source_id=back.key, revision=1, reason="x"))
    assert club.has() == (0, 0, 30_000)


def test_an_order_that_is_corrected_after_part_of_it_came_back_holds_the_rest_of_what_it_says_now(club):
    sold(club, {CREDIT: 60_000})
    club.send(half(club, 1))
    line = {"item": "filter", "category": "parts", "qty": 2, "amount": 100_000, "credit": 45_000, "cash": 55_000}
    club.send(club.said("parts_purchase", "2026-03-20", "M1", order="P", lines=[line], revision=1))
    # Half of 45,000 came back, so the other half is what the order goes on to hold.
    assert club.has() == (HAS - 22_500, 0, 0)


def test_part_of_a_use_of_two_lots_goes_back_to_the_one_that_was_taken_last(club):
    give(club, 10_000, days=10), give(club, 10_000, days=20, number=2)
    sold(club, {BONUS: 20_000})
    club.send(half(club, 1))
    left = club.rows(
        "SELECT expires_at, remaining FROM lot JOIN lot_state ON lot_id = id WHERE wallet = ?1 ORDER BY expires_at",
        BONUS,
    )
    assert left == [(club.now + 10 * DAY, 0), (club.now + 20 * DAY, 10_000)]


def test_returns_of_two_orders_told_at_once_say_each_its_own_credit(club):
    sold(club, {CREDIT: 60_000}, "P1"), sold(club, {CREDIT: 20_000}, "P2")
    back = [club.returned(order, "2026-03-21", number=number) for number, order in enumerate(("P1", "P2"))]
    answers = club.items(*(Observe(club.dealer, one) for one in back))
    assert [one.body["credit_returned"] for one in answers] == [{CREDIT: 60_000}, {CREDIT: 20_000}]
