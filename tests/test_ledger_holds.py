"""Holds and transfers: what is tied up, captured, freed and handed on."""

import pytest

from tests.ledger_book import CREDIT, balances, book_with, grant, held, kinds, remaining
from tierengine.errors import Refused
from tierengine.ledger.book import MemberBook
from tierengine.ledger.entries import Balance, PostingDraft


def test_a_hold_ties_up_what_expires_first_and_only_its_order_may_take_it():
    book = book_with((10, None), (10, 50))
    held(book, 12)
    assert balances(book) == (8, 12, 0)
    assert [lot.held for lot in book.lots] == [2, 10]
    with pytest.raises(Refused):
        book.use(CREDIT, 9, "O2", now=1)
    entry = book.capture("H1", 12, now=2)
    assert (entry.kind, entry.delta, entry.event_key) == ("capture", -12, "order of H1")
    assert entry.postings == (PostingDraft("held", "uses", 12),)
    assert [(use.ref, use.amount) for use in entry.uses] == [(-2, 10), (-1, 2)]
    assert balances(book) == (8, 0, 0)


def test_a_hold_of_more_than_is_usable_is_refused_and_ties_up_nothing():
    book = book_with((10, None))
    held(book, 6)
    with pytest.raises(Refused) as refusal:
        held(book, 5, key="H2")
    assert refusal.value.details == {"wallet": CREDIT, "usable": 4, "wanted": 5}
    assert [hold.key for hold in book.holds] == ["H1"]


@pytest.mark.parametrize(("keep", "after"), [(False, (6, 0, 0)), (True, (0, 6, 0))])
def test_a_part_captured_frees_the_rest_or_keeps_it(keep, after):
    book = book_with((10, None))
    held(book, 10)
    book.capture("H1", 4, now=2, keep=keep)
    assert balances(book) == after
    assert [end.kind for end in book.ended] == ([] if keep else ["captured"])


def test_more_than_what_is_left_of_a_hold_cannot_be_captured():
    book = book_with((20, None))
    held(book, 10)
    book.capture("H1", 4, now=2, keep=True)
    with pytest.raises(Refused) as refusal:
        book.capture("H1", 7, now=3)
    assert refusal.value.code == "capture_exceeds_hold"
    assert refusal.value.details == {"wallet": CREDIT, "held": 6, "wanted": 7}
    assert balances(book) == (10, 6, 0)


def test_a_hold_ends_once():
    book = book_with((10, None))
    held(book, 10)
    book.void("H1", now=2)
    for again in (lambda: book.void("H1", now=3), lambda: book.capture("H1", 1, now=3)):
        with pytest.raises(Refused) as refusal:
            again()
        assert refusal.value.code == "hold_ended"
    assert [end.kind for end in book.ended] == ["voided"]


def test_a_hold_made_before_the_expiry_can_be_captured_after_it():
    book = book_with((10, 50))
    held(book, 6)
    book.settle(60)
    assert balances(book) == (0, 6, 0)
    book.capture("H1", 6, now=61)
    assert balances(book) == (0, 0, 0)
    assert book.lapsed["G1", "welcome"].expired == 4


def test_what_a_hold_frees_after_its_lots_last_day_expires_at_that_moment():
    book = book_with((10, 50))
    held(book, 6)
    assert kinds(book.void("H1", now=60)) == ["expire", "void", "expire"]
    assert balances(book) == (0, 0, 0)
    assert book.lapsed["G1", "welcome"].expired == 10


def test_a_hold_lapses_by_itself_and_its_units_are_usable_again():
    book = book_with((10, None))
    held(book, 6, until=100)
    assert book.usable(CREDIT, 99) == 4
    (entry,) = book.settle(100)
    assert (entry.kind, entry.delta, entry.cause) == ("void", 0, "H1")
    assert [(end.kind, end.entry) for end in book.ended] == [("lapsed", entry.number)]
    assert book.usable(CREDIT, 100) == 10
    assert book.settle(101) == ()


def test_ends_are_posted_in_order_of_time():
    book = book_with((10, 50), (10, 70))
    held(book, 6, until=60)
    entries = book.settle(100)
    assert [(entry.kind, entry.delta) for entry in entries] == [
        ("expire", -4),
        ("void", 0),
        ("expire", -6),
        ("expire", -10),
    ]


def test_what_a_hold_frees_pays_debt_first():
    book = book_with((10, None))
    held(book, 6)
    book.use(CREDIT, 7, "O2", now=1, allow_debt=True)
    assert balances(book) == (0, 6, 3)
    book.void("H1", now=2)
    assert balances(book) == (3, 0, 0)


def test_what_is_held_is_owed_and_not_forgiven_when_its_grant_is_clawed_back():
    book = book_with((10, None))
    book.use(CREDIT, 3, "O2", now=1)
    held(book, 5)
    grant(book, "G1", -10, clawback="forgive")
    assert balances(book) == (0, 5, 5)
    assert book.lapsed["G1", "welcome"].forgiven == 3
    book.void("H1", now=2)
    assert balances(book) == (0, 0, 0)


def test_what_was_captured_goes_back_to_its_lots():
    book = book_with((10, 50), (10, 90))
    held(book, 15)
    book.capture("H1", 15, now=2)
    book.give_back(CREDIT, 15, "order of H1", now=3)
    assert remaining(book) == [10, 10]


# ---- grace, transfers -----------------------------------------------------------------------------------------------


def test_what_comes_back_to_a_lot_that_ends_before_the_grace_comes_as_a_new_lot_of_the_same_grant():
    book = book_with((10, 50), (10, 500))
    book.use(CREDIT, 15, "O1", now=1)
    (entry,) = book.give_back(CREDIT, 15, "O1", now=60, grace_until=90)
    assert [(lot.event_key, lot.rule, lot.amount, lot.expires_at) for lot in entry.lots] == [("G1", "welcome", 10, 90)]
    assert [(use.ref, use.amount) for use in entry.uses] == [(-2, -5)]
    assert book.usable(CREDIT, 89) == 20
    book.settle(90)
    assert book.usable(CREDIT, 90) == 10


def test_what_is_transferred_keeps_its_dates_and_pays_the_receivers_debt_first():
    giver, receiver = book_with((10, 50), (10, None)), MemberBook(balances={CREDIT: Balance("CNY", debt=4)})
    moved = giver.move_out(CREDIT, 12, "T1", now=1)
    entries = receiver.move_in(CREDIT, "CNY", moved, "T1", now=1)
    assert kinds(entries) == ["transfer", "settle_debt"]
    assert [(lot.remaining, lot.expires_at) for lot in receiver.lots] == [(6, 50), (2, None)]
    assert balances(giver) == (8, 0, 0)
    assert balances(receiver) == (8, 0, 0)
    with pytest.raises(Refused):
        giver.move_out(CREDIT, 9, "T2", now=1)
