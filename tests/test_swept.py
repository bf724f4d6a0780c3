"""Of whom something ended, and which lots end soon: of this dealer, with something left, in the order that is told."""

import pytest

from tests.test_holds import CREDIT, MINUTE, Holds
from tierengine.ledger.lapses import ending, lapsed
from tierengine.membership import people
from tierengine.recording.acts import Adjust
from tierengine.store.ids import Ids, transact
from tierengine.zone import DAY


@pytest.fixture
def club(book_url):
    made = Holds(book_url)
    yield made
    made.clean()
    made.close()


def give(club, member, wallet, amount, days, number=1):
    act = Adjust(f"adjust:{member}:{wallet}:{number}", wallet, amount, "", "w", expires_at=club.now + days * DAY)
    assert club.command(act, member).status == "recorded"


def swept(club, days, dealer=None):
    found = lapsed(club.link, dealer or club.dealer, club.now + days * DAY)
    club.link.rollback()
    return found


def soon(club, days, dealer=None):
    found = [tuple(row)[1:4] for row in ending(club.link, dealer or club.dealer, club.now, club.now + days * DAY)]
    club.link.rollback()
    return found


def test_each_dealer_sweeps_and_is_told_of_his_own(club):
    other = transact(club.link, Ids(), lambda link, ids: people.create_dealer(link, ids, "d2", "Other"))
    give(club, "M2", CREDIT, 50, 5)
    assert club.hold().status == "recorded"
    assert (swept(club, 6), soon(club, 6)) == (["M1", "M2"], [("M2", CREDIT, 50)])
    assert (swept(club, 6, other), soon(club, 6, other)) == ([], [])


def test_what_ends_is_told_by_its_day_then_by_member_and_wallet_with_what_is_left(club):
    for member, wallet, days in (("M3", CREDIT, 2), ("M2", "points", 3), ("M2", CREDIT, 3), ("M4", CREDIT, 1)):
        give(club, member, wallet, 50, days)
    give(club, "M5", CREDIT, 50, 1)
    line = club.parts("P", "2026-03-20", "M3", amount=20, credit=20, cash=0)
    assert club.sale(line, uses={CREDIT: 20}).status == "recorded"
    line = club.parts("Q", "2026-03-20", "M5", amount=50, credit=50, cash=0)
    assert club.sale(line, uses={CREDIT: 50}).status == "recorded"
    assert soon(club, 3) == [("M4", CREDIT, 50), ("M3", CREDIT, 30), ("M2", CREDIT, 50), ("M2", "points", 50)]


def test_who_has_nothing_free_where_a_lot_lapsed_is_not_swept(club):
    """What is left of his lot is tied up until the hold ends; other wallets and other members make no difference."""
    half = club.now + 15 * MINUTE
    soon_over = Adjust("adjust:M2", CREDIT, 50, "", "w", expires_at=half)
    assert club.command(soon_over, "M2").status == "recorded"
    give(club, "M2", "points", 70, 90)
    assert club.hold("H", 50, "M2", expires_at=half + 5 * MINUTE).status == "recorded"
    assert [lapsed(club.link, club.dealer, half + minutes * MINUTE) for minutes in (4, 5)] == [[], ["M2"]]
    club.link.rollback()


def test_who_spent_what_lapsed_since_is_not_swept(club):
    give(club, "M2", CREDIT, 50, 1)
    line = club.parts("P", "2026-03-20", "M2", amount=50, credit=50, cash=0)
    assert club.sale(line, uses={CREDIT: 50}).status == "recorded"
    give(club, "M2", CREDIT, 30, 90, number=2)
    assert swept(club, 2) == []


def test_a_member_is_swept_once_however_much_of_his_ended_and_in_the_order_of_codes(club):
    for member in ("M3", "M2"):
        give(club, member, CREDIT, 50, 1), give(club, member, "points", 50, 1)
        club.hold("H" + member, 10, member)
    assert swept(club, 2) == ["M2", "M3"]
