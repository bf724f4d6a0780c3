"""Grants that lapse, are taken back and come again: what of them is owed is of that grant and that member alone."""

import pytest

from tests.test_holds import CREDIT, HAS, MINUTE, Holds
from tests.test_returns import ruled
from tierengine.recording.acts import Settle

ENDS = "SELECT max(expires_at) FROM lot WHERE wallet = 'parts_credit'"


@pytest.fixture
def club(book_url, request):
    made = Holds(book_url, ruled(getattr(request, "param", "    clawback: debt\n")))
    yield made
    made.check()
    made.clean()
    made.close()


def spend(club, order, amount, member="M1"):
    line = club.parts(order, "2026-03-20", member, amount=amount, credit=amount, cash=0)
    assert club.sale(line, uses={CREDIT: amount}).status == "recorded"


def back(club, number=1, order="G2"):
    said = club.said(
        "machine_returned", "2026-03-22", order=order, serial=f"X-{order}", source_id=f"r{number}", reason="x"
    )
    club.send(said)
    return said


def undone(club, said):
    club.send(club.said("observation_cancelled", "2026-03-23", source_id=said.key, revision=1, reason="x"))


def test_what_lapsed_and_was_granted_anew_for_longer_is_owed_once_it_was_spent(club):
    club.now = club.rows(ENDS)[0][0]
    club.command(Settle())
    assert club.has() == (0, 0, 0)
    club.send(club.machine("G2", "2026-07-01", revision=1))  # its term ends four months later
    assert club.has() == (150_000, 0, 0)
    spend(club, "P", 150_000)
    said = club.said("machine_returned", "2026-07-02", order="G2", serial="X-G2", source_id="r1", reason="x")
    club.send(said)
    assert club.has() == (0, 0, 150_000)


@pytest.mark.parametrize("club", ["    clawback: forgive\n"], indirect=True)
def test_what_was_forgiven_is_undone_once_and_then_a_grant_is_worth_its_money_again(club):
    spend(club, "P", HAS)
    undone(club, back(club))
    assert club.has() == (0, 0, 0)  # forgiven, and that undone
    club.send(club.returned("P", "2026-03-24", number=9))
    assert club.has() == (HAS, 0, 0)
    again = back(club, 2)
    assert club.has() == (HAS - 150_000, 0, 0)
    undone(club, again)
    assert club.has() == (HAS, 0, 0)


def test_what_lapsed_of_one_member_s_grant_is_no_excuse_of_another_who_has_it_now(club):
    """The machine was booked for the wrong customer; it is corrected when his credit has lapsed."""
    club.send(*club.golden("M2"))
    club.send(club.machine("H1", "2026-03-10", "M2"))
    club.send(club.machine("H2", "2026-03-11", "M2"))
    club.now = club.rows(ENDS)[0][0]
    club.command(Settle()), club.command(Settle(), "M2")
    assert (club.has(), club.has("M2")) == ((0, 0, 0), (0, 0, 0))
    club.send(club.machine("G2", "2026-07-01", "M2", revision=1))
    assert (club.has(), club.has("M2")) == ((0, 0, 0), (150_000, 0, 0))
    spend(club, "P", 150_000, "M2")
    back_ = club.said("machine_returned", "2026-07-02", order="G2", serial="X-G2", source_id="r1", reason="x")
    club.send(back_)
    assert (club.has(), club.has("M2")) == ((0, 0, 0), (0, 0, 150_000))


def test_what_lapses_in_two_parts_is_missed_by_nobody(club):
    """40,000 of the first lot lapse with its last day, 60,000 when the hold on them ends: as the machine comes back."""
    ends = club.rows(ENDS)[0][0]
    club.now = ends - 10 * MINUTE
    assert club.hold("H", 60_000).status == "recorded"
    club.now = ends
    club.command(Settle())
    assert club.has() == (0, 60_000, 0)
    club.later(60)
    back(club, order="G0")
    assert club.has() == (0, 0, 0)


@pytest.mark.parametrize("club", ["    clawback: forgive\n"], indirect=True)
def test_what_rises_pays_for_what_falls_before_anything_is_forgiven(club):
    club.send(club.machine("G3", "2026-03-13"))  # the fourth of its year gets nothing
    spend(club, "P", HAS)
    key = "order:S1:G0:machine_purchase"
    club.send(club.said("observation_cancelled", "2026-03-23", source_id=key, revision=1, reason="x"))
    # The first gets 1,000 less, the second 500 less, the fourth 1,500 more.
    assert club.has() == (0, 0, 0)


@pytest.mark.parametrize("club", ["    clawback: forgive\n"], indirect=True)
def test_a_machine_told_late_moves_the_steps_and_brings_no_money(club):
    spend(club, "P", HAS)
    club.send(club.machine("L", "2026-03-05"))
    assert club.has() == (0, 0, 0)


def test_an_order_that_took_twice_takes_all_of_it_again_when_its_return_never_was(club):
    """20,000 were held for it, 40,000 it took of what was free."""
    club.hold("P", 20_000)
    line = club.parts("P", "2026-03-20", amount=100_000, credit=60_000, cash=40_000)
    assert club.sale(line, uses={CREDIT: 60_000}).status == "recorded"
    said = club.returned("P", "2026-03-24", number=9)
    club.send(said)
    assert club.has() == (HAS, 0, 0)
    undone(club, said)
    assert club.has() == (HAS - 60_000, 0, 0)
