"""A grant whose dates change: the old one is reversed in full, the new one granted, and the new one is what stays."""

import pytest

from tests.club import Club
from tests.test_holds import CREDIT
from tierengine.ledger.verify import verify
from tierengine.recording.acts import Settle
from tierengine.recording.items import Command
from tierengine.recording.recorder import Recorder

LEFT = (
    "SELECT l.expires_at, s.remaining FROM lot l JOIN lot_state s ON s.lot_id = l.id "
    "WHERE l.wallet = 'parts_credit' AND s.remaining > 0 ORDER BY 1"
)
DECIDED = "SELECT expires_at FROM decision WHERE rule = 'machine_ladder' AND wanted > 0 ORDER BY id"


@pytest.fixture
def club(book_url):
    club = Club(book_url)
    club.send(*club.golden(), club.machine("C", "2026-06-01"))
    yield club
    club.check()
    assert verify(club.link) == ()
    club.close()


@pytest.mark.parametrize("day", ["2026-05-01", "2026-07-01"])
def test_a_grant_that_moves_in_time_leaves_the_lot_with_the_new_dates(club, day):
    club.send(club.machine("C", day, revision=1))
    ((before,), (after,)) = club.rows(DECIDED)
    assert before != after
    assert [tuple(row) for row in club.rows(LEFT)] == [(after, 100_000)]


def test_a_grant_that_moves_within_its_month_may_be_used_from_its_new_day(club):
    club.send(club.machine("C", "2026-06-20", revision=1))
    decided = DECIDED.replace("expires_at", "usable_from, expires_at")
    (first, before), (last, after) = club.rows(decided)
    assert (first < last, before == after) == (True, True)
    left = "SELECT l.usable_from FROM lot l JOIN lot_state s ON s.lot_id = l.id WHERE s.remaining > 0 AND l.wallet = ?1"
    assert club.rows(left, CREDIT) == [(last,)]


@pytest.mark.parametrize("day", ["2026-05-01", "2026-07-01"])
def test_what_was_spent_of_a_grant_that_moves_in_time_is_taken_from_the_new_one(club, day):
    used = club.parts("P", "2026-09-01", credit=30_000, cash=70_000)
    assert club.sale(used, uses={CREDIT: 30_000}).status == "recorded"
    club.send(club.machine("C", day, revision=1))
    ((_,), (after,)) = club.rows(DECIDED)
    assert [tuple(row) for row in club.rows(LEFT)] == [(after, 70_000)]


def test_what_lapsed_of_a_grant_that_moves_to_a_later_end_is_there_again(book_url):
    club = Club(book_url)
    club.recorder = Recorder(club.link, now=lambda: club.now)
    club.send(*club.golden(), club.machine("C", "2026-06-01"))
    ((ends, _),) = club.rows(LEFT)
    club.now = ends
    club.items(Command(club.dealer, ("M1",), Settle()))
    assert club.rows(LEFT) == []
    club.send(club.machine("C", "2026-07-01", revision=1))
    ((_,), (after,)) = club.rows(DECIDED)
    assert [tuple(row) for row in club.rows(LEFT)] == [(after, 100_000)]
    assert (club.balance(CREDIT), club.balance(CREDIT, "debt")) == (100_000, 0)
    assert verify(club.link) == ()
    club.close()
