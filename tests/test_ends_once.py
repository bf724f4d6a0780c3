"""What ends, ends once: a lot that is swept, credit that comes back, what one member's purchase means for another."""

import pytest

from tests.club import Club
from tests.machine.programme import FAMILIES
from tierengine.ledger.book import MemberBook
from tierengine.ledger.verify import verify
from tierengine.recording.acts import Adjust
from tierengine.recording.items import Command
from tierengine.recording.recorder import Recorder
from tierengine.zone import DAY

CREDIT = "parts_credit"


def test_two_sweeps_each_take_what_has_ended_since():
    book = MemberBook()
    for number, end in enumerate((50, 70)):
        book.adjust(f"G{number}", "welcome", CREDIT, "CNY", 10, expires_at=end)
    assert [[entry.delta for entry in book.settle(at)] for at in (49, 60, 60, 80, 80)] == [[], [-10], [], [-10], []]


def test_what_came_back_before_does_not_come_back_again(book_url):
    club = Club(book_url)
    for number, days in enumerate((100, 200)):
        given = Adjust(f"adjust:{number}", CREDIT, 100, "x", "U1", expires_at=club.now + days * DAY)
        assert club.items(Command(club.dealer, ("M1",), given))[0].status == "recorded"
    sold = club.parts("P", "2026-03-10", amount=300, qty=3, credit=150, cash=150)
    assert club.sale(sold, uses={CREDIT: 150}).status == "recorded"
    left = []
    for number in (1, 2):
        club.send(club.returned("P", "2026-03-11", number, lines=[{"item": "filter", "qty": number}]))
        left.append([row[0] for row in club.rows("SELECT remaining FROM lot_state ORDER BY lot_id")])
    assert left == [[0, 100], [100, 100]]
    assert verify(club.link) == ()
    club.close()


@pytest.mark.parametrize("gone", ["corrected", "cancelled"])
def test_what_was_told_to_another_is_told_once_and_taken_back_once(book_url, gone):
    club = Club(book_url, FAMILIES[0].texts[0])
    club.now = 1_772_000_000_000_000  # 2026-02-25
    club.recorder = Recorder(club.link, now=lambda: club.now)
    told = "SELECT COALESCE(sum(qty), 0) FROM contribution WHERE kind = 'machine_brought_about'"
    club.send(club.said("referral_registered", "2026-02-01", "M3", source_id="f", referred="M1"))
    club.send(club.machine("A", "2026-02-10", referral="till:f"))
    assert (club.balance("credit", member="M3"), club.rows(told)) == (10, [(1,)])
    if gone == "corrected":
        club.send(club.machine("A", "2026-02-12", referral="till:f", revision=1))
        assert (club.balance("credit", member="M3"), club.rows(told)) == (10, [(1,)])
    key = "order:S1:A:machine_purchase"
    club.send(club.said("observation_cancelled", "2026-02-13", source_id=key, revision=2, reason="x"))
    assert (club.balance("credit", member="M3"), club.rows(told)) == (0, [(0,)])
    assert verify(club.link) == ()
    club.close()


def test_a_return_takes_back_all_that_its_order_told_another(book_url):
    """Told at the purchase and again when it was settled; one return of the machine ends both."""
    text = (
        FAMILIES[0]
        .texts[0]
        .replace("    on: machine_purchase\n    where: {related: no}", "    on: [machine_purchase, purchase_settled]")
    )
    club = Club(book_url, text)
    club.now = 1_772_000_000_000_000  # 2026-02-25
    club.recorder = Recorder(club.link, now=lambda: club.now)
    told = "SELECT COALESCE(sum(qty), 0) FROM contribution WHERE kind = 'machine_brought_about'"
    club.send(club.said("referral_registered", "2026-02-01", "M3", source_id="f", referred="M1"))
    club.send(club.machine("A", "2026-02-10", referral="till:f"))
    club.send(club.said("purchase_settled", "2026-02-12", order="A"))
    assert (club.balance("credit", member="M3"), club.rows(told)) == (25, [(2,)])
    back = club.said("machine_returned", "2026-02-14", "M1", source_id="r", order="A", reason="x")
    club.send(back)
    assert (club.balance("credit", member="M3"), club.rows(told)) == (0, [(0,)])
    # The return never was: both stand again. One of the two never was settled: the return takes back the other.
    club.send(club.said("observation_cancelled", "2026-02-15", source_id=back.key, revision=1, reason="x"))
    assert (club.balance("credit", member="M3"), club.rows(told)) == (25, [(2,)])
    club.send(club.said("machine_returned", "2026-02-16", "M1", source_id="s", order="A", reason="x"))
    gone = "order:S1:A:purchase_settled"
    club.send(club.said("observation_cancelled", "2026-02-17", source_id=gone, revision=1, reason="x"))
    assert (club.balance("credit", member="M3"), club.rows(told)) == (0, [(0,)])
    assert verify(club.link) == ()
    club.close()
