"""What a pot over several members still has, at its edges: full, counted by grants, given back, asked twice."""

from types import SimpleNamespace

from tierengine.judging.budgets import Pots, Share, drawn, most_admitted
from tierengine.judging.decisions import Granted

PAIR, OTHER = ("E", "r"), ("F", "r")
AMOUNT, TIMES = "k", "k|times"


def granted(admitted, *budgets, wanted=None):
    worth = admitted if wanted is None else wanted
    return Granted("E", "r", "points", worth, worth, 0, None, 1, budgets=budgets or (AMOUNT,), admitted=admitted)


def pots(used, prior=None, once=None):
    return Pots(
        lambda keys: {key: used[key] for key in keys if key in used},
        {PAIR: prior} if prior else {},
        {PAIR: once} if once else {},
    )


def test_what_stands_is_kept_though_less_was_admitted_once():
    assert pots({AMOUNT: 100}, granted(80), granted(50)).admit(PAIR, [Share(AMOUNT, 100)], 90) == 80


def test_a_grant_that_counts_already_rises_in_a_pot_full_of_grants():
    both = (AMOUNT, TIMES)
    book = pots({AMOUNT: 30, TIMES: 1}, granted(30, *both), granted(50, *both))
    assert book.admit(PAIR, [Share(AMOUNT, 100), Share(TIMES, 1)], 50) == 50


def test_a_grant_that_stands_at_nothing_does_not_count_and_gets_nothing_of_a_pot_full_of_grants():
    both = (AMOUNT, TIMES)
    book = pots({AMOUNT: 30, TIMES: 1}, granted(0, *both), granted(50, *both))
    assert book.admit(PAIR, [Share(AMOUNT, 100), Share(TIMES, 1)], 50) == 0


def test_a_grant_that_rises_is_counted_once():
    both = (AMOUNT, TIMES)
    shares = [Share(AMOUNT, 100), Share(TIMES, 2)]
    book = pots({AMOUNT: 30, TIMES: 1}, granted(30, *both), granted(50, *both))
    assert book.admit(PAIR, shares, 50) == 50
    assert book.given() == {AMOUNT: 50, TIMES: 1}
    assert book.admit(OTHER, shares, 20) == 20


def test_a_pot_never_holds_more_than_its_limit_whatever_comes_back():
    book = pots({AMOUNT: 10})
    book.settle([SimpleNamespace(before=granted(30), after=None)])
    assert book.used == {AMOUNT: 0}
    assert book.admit(OTHER, [Share(AMOUNT, 100)], 130) == 100


def test_what_a_fold_asked_for_is_not_taken_twice_once_it_is_booked():
    book = pots({})
    share = [Share(AMOUNT, 100)]
    assert book.admit(PAIR, share, 60) == 60
    book.settle([SimpleNamespace(before=None, after=granted(60))])
    assert book.admit(OTHER, share, 50) == 40


def test_what_other_budgets_admitted_does_not_replace_the_first_decision():
    first, second = granted(20, "a"), granted(90, "b")
    assert most_admitted(first, second) is first
    assert most_admitted(granted(20, "a"), granted(90, "a")) == granted(90, "a")


def test_what_other_budgets_admitted_is_no_claim_on_these():
    assert pots({AMOUNT: 70}, granted(90, "other")).admit(PAIR, [Share(AMOUNT, 100)], 90) == 30


def test_a_grant_of_nothing_is_not_counted():
    assert [drawn(TIMES, amount) for amount in (0, 1, 90)] == [0, 1, 1]
    book = pots({TIMES: 1})
    book.settle([SimpleNamespace(before=None, after=granted(5, TIMES, wanted=0))])
    assert book.used == {TIMES: 1}
