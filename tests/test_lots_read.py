"""Of a member's lots a transaction reads those that it is about; what the others hold is in his balance."""

import pytest

from tests.club import Club
from tierengine.errors import Broken
from tierengine.ledger.verify import verify
from tierengine.membership.known import read_member
from tierengine.policies.versions import load
from tierengine.recording import purse
from tierengine.recording.acts import PlaceHold
from tierengine.recording.items import Command

MANY = 12


@pytest.fixture
def club(book_url):
    """A member with points in many lots."""
    made = Club(book_url)
    made.send(*made.golden())
    for number in range(MANY):
        made.send(made.parts(f"A{number}", f"2026-04-{number + 1:02d}", amount=100_000))
    yield made
    made.close()


@pytest.fixture
def reads(monkeypatch):
    """Which wallets' lots are read whole, in turn."""
    found, real = [], purse.open_lots
    monkeypatch.setattr(purse, "open_lots", lambda *given: found.append(given[-1]) or real(*given))
    return found


def held(club, amount):
    place = PlaceHold(f"hold:S1:H{amount}:points", "points", amount, f"order:S1:H{amount}")
    return club.items(Command(club.dealer, ("M1",), place))[0].status


def test_a_grant_reads_no_lot_and_what_is_spent_comes_out_of_the_earliest(club, reads):
    before = club.balance("points")
    club.send(club.parts("B", "2026-05-01", amount=50_000))
    assert (reads, club.balance("points")) == ([], before + 50)
    assert held(club, 150) == "recorded"
    assert reads == ["points"]
    tied = club.rows("SELECT x.amount, l.event_key FROM hold_lot x JOIN lot l ON l.id = x.lot_id ORDER BY x.place")
    assert tied == [(100, "order:S1:A0:parts_purchase"), (50, "order:S1:A1:parts_purchase")]
    club.send(club.parts("C", "2026-05-02", amount=50_000))  # what is tied up is read by itself
    assert reads == ["points"]
    assert held(club, before + 100) == "refused"
    club.send(club.returned("A0", "2026-05-03"))
    assert club.balance("points") + club.balance("points", "held") == before
    assert verify(club.link) == ()


def test_only_the_lots_of_the_member_and_the_wallet_in_question_are_read(club):
    """Before and after him in the book are others with lots, and he has another wallet."""
    for member in ("M0", "M2"):
        club.send(*club.golden(member), club.parts(f"P{member}", "2026-04-01", member, amount=100_000))
    club.send(club.machine("C", "2026-04-20"))
    for wallet in ("parts_credit", "points"):
        place = PlaceHold(f"hold:S1:H:{wallet}", wallet, 150, "order:S1:H")
        assert club.items(Command(club.dealer, ("M1",), place))[0].status == "recorded"
    owners = club.rows("SELECT DISTINCT x.member_id, l.member_id FROM hold_lot x JOIN lot l ON l.id = x.lot_id")
    assert len(owners) == 1
    assert verify(club.link) == ()


def test_lots_that_do_not_make_up_the_balance_stop_whoever_reads_them(club):
    club.rows("SELECT 1")
    club.link.begin()
    club.link.run("UPDATE lot_state SET remaining = remaining - 1 WHERE lot_id = (SELECT max(lot_id) FROM lot_state)")
    club.link.commit()
    with pytest.raises(Broken):
        held(club, 150)


def test_what_may_be_spent_is_the_same_by_sums_as_lot_by_lot(club):
    programme = load(club.link, club.dealer)
    club.link.begin()
    one = {"sqlite": "lot_refuses_update", "postgresql": "lot_insert_only ON lot"}[club.link.kind]
    club.link.run(f"DROP TRIGGER {one}")
    club.link.run("UPDATE lot SET usable_from = usable_from + 5, expires_at = usable_from + 1000 + id WHERE id % 3 = 1")
    instants = {0, club.now, 1 << 60}
    for usable_from, expires_at in club.link.ask("SELECT usable_from, expires_at FROM lot").rows():
        ends = usable_from if expires_at is None else expires_at
        instants |= {usable_from - 1, usable_from, usable_from + 1, ends - 1, ends, ends + 1}
    differing = set()
    for at in sorted(instants):
        lot_by_lot = read_member(club.link, programme, "M1").usable(at)
        assert read_member(club.link, programme, "M1", at).usable(at) == lot_by_lot
        differing.add(tuple(sorted(lot_by_lot.items())))
    assert len(differing) > 5
    by_sums = read_member(club.link, programme, "M1", 0)
    assert by_sums.lots == read_member(club.link, programme, "M1").lots
    assert by_sums.usable(club.now) == read_member(club.link, programme, "M1").usable(club.now)
    club.link.rollback()
    assert held(club, 150) == "recorded"
    for order in ("", "order:S1:H150"):
        ways = [read_member(club.link, programme, "M1", at).usable(club.now, order) for at in (None, club.now)]
        assert ways[0] == ways[1]
    club.link.rollback()
