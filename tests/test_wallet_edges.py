"""Wallets where two lots, orders or wallets could be mixed up: whose units are taken, and what a read hold ties up."""

from tests.ledger_book import CREDIT, book_with, held, remaining
from tierengine.ledger.book import MemberBook
from tierengine.ledger.holds import tie
from tierengine.ledger.lots import Lot


def test_a_debt_is_paid_from_what_expires_first():
    book = book_with((10, None), (10, 50))
    book.use(CREDIT, 20, "O1", now=1)
    book.use(CREDIT, 5, "O2", now=1, allow_debt=True)
    book.give_back(CREDIT, 20, "O1", now=2)
    assert remaining(book) == [10, 5]


def test_what_is_held_or_used_is_told_by_wallet():
    book = book_with((20, None))
    book.adjust("P1", "welcome", "points", "points", 9)
    held(book, 6)
    book.use(CREDIT, 4, "O1", now=1)
    book.use("points", 3, "O1", now=1)
    assert [book.held(wallet, "order of H1") for wallet in (CREDIT, "points")] == [6, 0]
    assert [book.used(wallet, "O1") for wallet in (CREDIT, "points")] == [4, 3]


def test_what_was_captured_of_a_read_hold_is_gone_from_its_first_lots_once():
    book = MemberBook(lots=[Lot(ref, CREDIT, f"E{ref}", "r", 9, 9, 0, None, ref) for ref in (1, 2, 3)])
    tie(book, [(1, 7, "H1", CREDIT, "O1", 10, 100, 4, lot, part) for lot, part in ((1, 4), (2, 3), (3, 3))])
    assert [lot.held for lot in book.lots] == [0, 1, 3]
    assert book.holds[0].parts == {2: 1, 3: 3}
