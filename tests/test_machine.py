"""Whatever may happen to a book happens in three worlds at once; none of them departs from the others or the oracle."""

import os

import pytest

from tests import postgres
from tests.conftest import migrate
from tests.machine.machine import Machine, Tally
from tests.machine.play import play, worlds_in
from tests.machine.programme import FAMILIES
from tierengine.zone import DAY

EXAMPLES, STEPS = map(int, os.environ.get("TIERENGINE_TEST_MACHINE", "6,25").split(","))


@pytest.fixture
def worlds(tmp_path, sqlite_template, postgres_server):
    return worlds_in(tmp_path, sqlite_template, postgres_server, postgres.template(postgres_server, migrate))


@pytest.mark.timeout(1_200)
def test_domain_and_both_services_do_the_same_and_what_the_oracle_says(worlds):
    tally = play(worlds, examples=EXAMPLES, steps=STEPS)
    assert tally.steps >= EXAMPLES * STEPS // 3


@pytest.fixture
def by_hand(worlds):
    """A machine whose steps a test takes itself, in all worlds."""

    class Played(Machine):
        pass

    Played.worlds, Played.tally = staticmethod(worlds), Tally()
    made = Played()
    made.begin(family=FAMILIES[0])
    yield made
    made.look()
    made.sound = True
    made.teardown()


def test_two_sales_of_one_instant_are_priced_one_after_the_other(by_hand):
    """The first one makes him gold; the second one, in the same second, is at the price of gold and not refused."""
    by_hand.machine(member="B", ago=1, amount=1_000, referred=False, serial="", data=None)
    by_hand.sale(member="B", amounts=[250], credit=0)
    by_hand.sale(member="B", amounts=[100], credit=3)
    assert by_hand.oracle.tier("B") == "gold"


def test_who_is_erased_goes_on_in_the_book_as_before(by_hand):
    by_hand.machine(member="B", ago=1, amount=1_000, referred=False, serial="", data=None)
    by_hand.sale(member="B", amounts=[250], credit=0)
    by_hand.hold(member="B", amount=1, soon=None)
    by_hand.erase(member="B")
    by_hand.clock_forward(by=31 * DAY)
    by_hand.erase(member="B")
    by_hand.erase(member="B")
    by_hand.sale(member="B", amounts=[100], credit=0)


def test_a_hold_that_was_refused_has_its_answer_also_when_its_end_is_past(by_hand):
    by_hand.hold(member="B", amount=5, soon=60_000_000)
    assert by_hand.sent[-1].replies[0].code == "insufficient_credit"
    by_hand.clock_forward(by=3_600_000_000)
    for world, first in list(zip(by_hand.all, by_hand.sent[-1].replies, strict=True))[1:]:
        again = world.send(by_hand.sent[-1].call)
        assert (again.raw, again.replayed, again.status) == (first.raw, True, first.status), world.name
