"""A member's wallets: what each act does to balances and lots, and random sequences of acts against a naive model."""

import pytest

from tests.ledger_book import CREDIT, book_with, grant, kinds, remaining
from tierengine.errors import Broken, Refused, Unknown
from tierengine.ledger.book import MemberBook
from tierengine.ledger.entries import Balance, Lapsed, LotTaken, PostingDraft
from tierengine.ledger.lots import Lot


def test_a_grant_is_one_posting_from_the_house_and_one_lot():
    book = MemberBook(next_number=7)
    (entry,) = grant(book, "E1", 100_000, usable_from=5, expires_at=90, cause="C1", decision=3)
    assert (entry.number, entry.kind, entry.delta, entry.unit, entry.decision) == (7, "grant", 100_000, "CNY", 3)
    assert entry.postings == (PostingDraft("grants", "available", 100_000),)
    assert [(lot.ref, lot.amount, lot.usable_from, lot.expires_at) for lot in entry.lots] == [(-1, 100_000, 5, 90)]
    assert book.next_number == 8


def test_an_award_is_paid_from_the_awards_account():
    (entry,) = grant(MemberBook(), "A1", 500, kind="award")
    assert entry.postings == (PostingDraft("awards", "available", 500),)


def test_a_change_by_nothing_posts_nothing():
    assert grant(MemberBook(), "E1", 0) == ()


def test_the_lot_that_expires_first_is_used_first_and_ties_go_to_the_earlier_grant():
    book = book_with((10, None), (10, 50), (10, 20), (10, 50))
    (entry,) = book.use(CREDIT, 25, "O1", now=1)
    assert [(use.ref, use.amount) for use in entry.uses] == [(-3, 10), (-2, 10), (-4, 5)]
    assert remaining(book) == [10, 0, 0, 5]
    assert entry.postings == (PostingDraft("available", "uses", 25),)


def test_a_lot_is_usable_from_its_first_instant_until_just_before_its_expiry():
    book = MemberBook()
    grant(book, "E1", 10, usable_from=5, expires_at=9)
    assert [book.usable(CREDIT, now) for now in (4, 5, 8, 9)] == [0, 10, 10, 0]


def test_a_use_of_more_than_is_usable_is_refused_and_takes_nothing():
    book = book_with((10, None))
    grant(book, "LATER", 10, usable_from=100)
    with pytest.raises(Refused) as refusal:
        book.use(CREDIT, 11, "O1", now=1)
    assert refusal.value.code == "insufficient_credit"
    assert refusal.value.details == {"wallet": CREDIT, "usable": 10, "wanted": 11}
    assert remaining(book) == [10, 10]
    assert book.used(CREDIT, "O1") == 0


def test_a_refused_use_of_an_unknown_wallet_leaves_no_wallet_behind():
    book = MemberBook()
    with pytest.raises(Refused):
        book.use("points", 1, "O1", now=1)
    with pytest.raises(Unknown):
        book.use("points", 1, "O1", now=1, allow_debt=True)
    assert book.balances == {}


@pytest.mark.parametrize("amount", [0, -1])
def test_only_positive_amounts_are_used_or_given_back(amount):
    book = book_with((10, None))
    with pytest.raises(ValueError, match="above 0"):
        book.use(CREDIT, amount, "O1", now=1)
    with pytest.raises(ValueError, match="above 0"):
        book.give_back(CREDIT, amount, "O1", now=1)


def test_a_late_sale_takes_pending_lots_too_and_the_rest_is_debt():
    book = book_with((10, None))
    grant(book, "LATER", 5, usable_from=100)
    (entry,) = book.use(CREDIT, 20, "O1", now=1, allow_debt=True)
    assert entry.postings == (PostingDraft("available", "uses", 15), PostingDraft("debt", "uses", 5))
    assert (book.balances[CREDIT].available, book.balances[CREDIT].debt) == (0, 5)


def test_what_comes_in_pays_debt_before_it_is_available():
    book = MemberBook(balances={CREDIT: Balance("CNY", debt=30)})
    entries = grant(book, "E1", 100)
    assert kinds(entries) == ["grant", "settle_debt"]
    assert entries[1].postings == (PostingDraft("available", "debt", 30),)
    assert [(use.ref, use.amount) for use in entries[1].uses] == [(-1, 30)]
    assert (book.usable(CREDIT, 0), book.balances[CREDIT].debt, remaining(book)) == (70, 0, [70])


def test_expiry_takes_exactly_the_unheld_remainder_and_only_once():
    lot = Lot(
        ref=4,
        wallet=CREDIT,
        event_key="E1",
        rule="r",
        amount=10,
        remaining=10,
        usable_from=0,
        expires_at=50,
        order=1,
        held=4,
    )
    book = MemberBook(balances={CREDIT: Balance("CNY", available=6, held=4)}, lots=[lot])
    assert book.settle(49) == ()
    (entry,) = book.settle(50)
    assert entry.postings == (PostingDraft("available", "expired", 6),)
    assert (entry.event_key, entry.rule, entry.uses[0].ref) == ("", "", 4)
    assert book.settle(51) == ()


def test_a_clock_that_goes_back_brings_nothing_back():
    book = book_with((10, 50))
    book.settle(60)
    with pytest.raises(Refused):
        book.use(CREDIT, 1, "O1", now=40)
    assert book.now == 60


def test_a_grant_whose_last_day_is_over_lapses_at_once_but_pays_debt_first():
    book = MemberBook(balances={CREDIT: Balance("CNY", debt=3)})
    book.settle(100)
    assert kinds(grant(book, "E1", 10, expires_at=90)) == ["grant", "settle_debt", "expire"]
    assert book.balances[CREDIT] == Balance("CNY")
    assert book.lapsed["E1", "welcome"] == Lapsed(expired=7)


def test_a_claw_back_takes_the_grants_own_lots_then_those_that_expire_first():
    book = book_with((10, None), (10, 90), (10, 50))
    (entry,) = grant(book, "G1", -10)
    assert [(use.ref, use.amount) for use in entry.uses] == [(-1, 10)]
    book.use(CREDIT, 6, "O1", now=1)  # of G3
    (entry,) = grant(book, "G2", -10)
    grant(book, "G1", 4)
    book.use(CREDIT, 4, "O2", now=1)
    (entry,) = grant(book, "G1", -4)
    assert [(use.ref, use.amount) for use in entry.uses] == [(-4, 4)]
    assert (entry.kind, entry.delta) == ("reverse", -4)


@pytest.mark.parametrize(("policy", "debt", "forgiven"), [("debt", 4, 0), ("forgive", 0, 4)])
def test_what_a_claw_back_does_not_find_is_debt_or_forgiven_as_the_policy_says(policy, debt, forgiven):
    book = book_with((10, None))
    book.use(CREDIT, 4, "O1", now=1)
    (entry,) = grant(book, "G1", -10, clawback=policy)
    source = "debt" if debt else "forgiven"
    assert entry.postings == (PostingDraft("available", "grants", 6), PostingDraft(source, "grants", 4))
    assert book.balances[CREDIT].debt == debt
    assert book.lapsed["G1", "welcome"].forgiven == forgiven


def test_a_claw_back_that_may_refuse_changes_nothing_when_it_does():
    book = book_with((10, None))
    book.use(CREDIT, 4, "O1", now=1)
    before = remaining(book), len(book.entries), book.balances[CREDIT].available
    with pytest.raises(Refused) as refusal:
        grant(book, "G1", -10, clawback="refuse")
    assert refusal.value.details["missing"] == 4
    assert before == (remaining(book), len(book.entries), book.balances[CREDIT].available)


def test_a_later_rise_first_undoes_what_was_forgiven():
    book = book_with((10, None))
    book.use(CREDIT, 10, "O1", now=1)
    grant(book, "G1", -10, clawback="forgive")
    (entry,) = grant(book, "G1", 12)
    assert entry.postings == (PostingDraft("grants", "forgiven", 10), PostingDraft("grants", "available", 2))
    assert book.usable(CREDIT, 1) == 2
    assert grant(book, "G2", 5)[0].postings == (PostingDraft("grants", "available", 5),)


def test_nobody_owes_what_lapsed_before_it_was_clawed_back():
    book = book_with((10, 50))
    book.use(CREDIT, 3, "O1", now=1)
    book.settle(60)
    (entry,) = grant(book, "G1", -10)
    assert entry.postings == (PostingDraft("expired", "grants", 7), PostingDraft("debt", "grants", 3))


def test_what_an_order_gives_back_returns_to_the_same_lots_newest_first():
    book = book_with((10, 50), (10, 90))
    book.use(CREDIT, 15, "O1", now=1)
    (entry,) = book.give_back(CREDIT, 7, "O1", now=2)
    assert [(use.ref, use.amount) for use in entry.uses] == [(-2, -5), (-1, -2)]
    assert remaining(book) == [2, 10]
    assert book.used(CREDIT, "O1") == 8


def test_an_order_cannot_give_back_more_than_it_used():
    book = book_with((10, None))
    book.use(CREDIT, 4, "O1", now=1)
    book.give_back(CREDIT, 3, "O1", now=2)
    with pytest.raises(Refused) as refusal:
        book.give_back(CREDIT, 2, "O1", now=3)
    assert refusal.value.details == {"wallet": CREDIT, "used": 1, "wanted": 2}


def test_units_that_go_back_to_a_lapsed_lot_lapse_at_once():
    book = book_with((10, 50))
    book.use(CREDIT, 10, "O1", now=1)
    assert kinds(book.give_back(CREDIT, 10, "O1", now=50)) == ["return", "expire"]
    assert book.balances[CREDIT] == Balance("CNY")


def test_an_over_use_that_comes_back_first_takes_the_debt_away():
    book = book_with((10, None))
    book.use(CREDIT, 15, "O1", now=1, allow_debt=True)
    (entry,) = book.give_back(CREDIT, 7, "O1", now=2)
    assert entry.postings == (PostingDraft("uses", "debt", 5), PostingDraft("uses", "available", 2))


def test_an_over_use_that_was_paid_for_comes_back_as_a_new_lot():
    book = MemberBook()
    book.use(CREDIT, 5, "O1", now=1, unit="CNY", allow_debt=True)
    grant(book, "G1", 8)
    (entry,) = book.give_back(CREDIT, 5, "O1", now=2, expires_at=99)
    assert [(lot.event_key, lot.rule, lot.amount, lot.expires_at) for lot in entry.lots] == [("O1", "", 5, 99)]
    assert book.usable(CREDIT, 2) == 8


def test_a_stored_lot_with_nothing_left_takes_units_back():
    lot = Lot(
        ref=12, wallet=CREDIT, event_key="E1", rule="r", amount=10, remaining=0, usable_from=0, expires_at=None, order=1
    )
    book = MemberBook(balances={CREDIT: Balance("CNY")}, lots=[lot], taken={"O1": [LotTaken(3, CREDIT, 12, 10)]})
    (entry,) = book.give_back(CREDIT, 10, "O1", now=2)
    assert (entry.uses[0].ref, entry.uses[0].amount, lot.remaining) == (12, -10, 10)


def test_a_book_that_does_not_add_up_is_not_stored():
    lot = Lot(
        ref=1, wallet=CREDIT, event_key="E1", rule="r", amount=10, remaining=10, usable_from=0, expires_at=None, order=1
    )
    book = MemberBook(balances={CREDIT: Balance("CNY", available=9)}, lots=[lot])
    with pytest.raises(Broken, match="remaining of lots"):
        book.use(CREDIT, 1, "O1", now=1)
