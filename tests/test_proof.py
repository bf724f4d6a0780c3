"""Judgement by the engine on facts by SQL is that of the oracles, whatever the policy, the history and the event.

`make proof` tries a million cases; here are a few new ones each time, and whether the proof would see a fault.
"""

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import compiler, policy
from rules.inputs import StandingTiers
from rules.judge import Ruleset
from tests.chance import Seeded
from tests.proof import policies, reduce, run
from tests.proof.books import Book
from tests.proof.histories import Event, History, State
from tests.proof.judges import Disagreement, Tally, agree
from tests.proof.words import ALL, said_by
from tierengine.judging.history import Contribution

NAMES = {**vars(policy), **{one.__name__: one for one in (Event, History, State, StandingTiers, Contribution)}}


@settings(max_examples=12)
@given(st.integers(0, 10**9))
def test_engine_sql_running_facts_and_oracles_agree_on_every_decision(seed):
    with Book() as book:
        tally, failure = run.judge_policy(seed, 45, book)
    assert failure is None
    assert tally.cases >= 45 or tally.refused


def test_cases_that_are_the_same_each_time_agree_and_decisions_go_either_way():
    """Every fault of judgement in tests/mutants is caught by this one."""
    found = run.judge(range(60), 30, small=False)
    assert found.failures == []
    tally = found.tally
    assert tally.policies == 60
    assert tally.cases == 3 * tally.states >= 1800
    assert 0.05 < tally.held / tally.decisions < 0.6
    assert tally.away_from_zero > 200


def test_on_postgresql_the_sql_says_the_same(postgres_url):
    found = run.judge(range(1_000, 1_012), 30, small=False, url=postgres_url)
    assert found.failures == []
    assert found.tally.policies == 12
    assert found.tally.away_from_zero > 40


def test_the_same_seed_is_the_same_cases():
    one, other = (run.judge(range(2), 30) for _ in range(2))
    assert one == other


def test_the_generator_reaches_the_whole_vocabulary():
    seen = set().union(*(said_by(policies.policy(Seeded(seed))[0]) for seed in range(350)))
    # A field of one rare kind may need thousands of policies; the command says what never came up.
    rare = {one for one in ALL - seen if one.startswith(("field ", "filter ")) and not one.startswith("filter op")}
    assert ALL - seen == rare
    assert len(rare) < 0.15 * len(ALL)


@pytest.fixture
def broken(monkeypatch):
    """A compiler to which "at least" is "more than"."""
    monkeypatch.setitem(compiler._SIGNS, "at_least", ">")


def test_a_disagreement_is_found_and_made_small(broken, monkeypatch):
    monkeypatch.setattr(reduce, "SECONDS", 10.0)
    some = (run.judge(range(seed, seed + 1), 45) for seed in range(30))
    case = next(found.failures[0].case for found in some if found.failures)
    made = {}
    exec(case, dict(NAMES), made)  # noqa: S102 - what the proof prints is Python that makes the case
    small, state = made["policy"], made["state"]
    assert len(small.traits) + len(small.facts) + len(small.rewards) <= 6
    assert len(state.history.stored) <= 2
    with Book() as book, pytest.raises(Disagreement):
        agree(small, Ruleset(small), [state], book, Tally())


def dies(pipe, seed, _cases, _url):
    pipe.send((Tally(policies=1, cases=5), None))
    os._exit(7)


def sleeps(pipe, seed, _cases, _url):
    pipe.send((Tally(policies=1, cases=5), None))
    time.sleep(60)


@pytest.mark.parametrize(("work", "said"), [(dies, "ended with code 7"), (sleeps, "hangs")])
def test_a_process_that_dies_or_hangs_is_a_failure_of_its_policy_and_the_next_goes_on(work, said):
    *_, found = run.judge_apart(100, 10, 1, time.monotonic() + 60, work, 1.0 if work is sleeps else 60.0)
    assert found.tally.cases == 10
    assert [(one.seed, said in one.what) for one in found.failures] == [(101, True)]


def test_a_line_without_a_field_and_a_member_without_facts_are_cases_too():
    """No history, no lines: what is asked of nothing."""
    about = policies.theme(Seeded(1))
    made = policies.policy(Seeded(1))[0]
    state = State(History((), ()), (0, 3, ""), 0, (Event(about.kinds[0], (), None, StandingTiers(None, None)),))
    tally = Tally()
    with Book() as book:
        agree(made, Ruleset(made), [state], book, tally)
    assert (tally.cases, tally.away_from_zero) == (1, 0)
