"""Both evaluators of facts give what the oracle gives, on both databases, for whatever histories and facts."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, event, given, settings

from rules.policy import Filter, Window
from tests import oracle_facts as oracle
from tests.contribution_book import book, both  # noqa: F401  fixtures
from tests.facts_cases import cases, fact, policy_of, purchase, standing, version_of
from tierengine.judging.facts import FactSet, fact_set
from tierengine.judging.facts_sql import read_contributions, read_facts
from tierengine.judging.facts_statement import Ask
from tierengine.judging.running import RunningFacts
from tierengine.zone import Zone


@given(case=cases())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.timeout(600)
def test_the_oracle_the_running_aggregates_and_sql_agree(both, case):
    policies, history, asked, since = case
    versions = [version_of(policy) for policy in policies]
    books = [(one, one.member(history)) for one in both]
    told = standing(history)
    running = RunningFacts(Zone(policies[0].timezone), told)
    for index, position in enumerate(asked):
        # A policy version comes into force in mid-history, and each is asked again later.
        version = versions[index * 2 // len(asked)]
        policy = version.rules.policy
        begun = min(since, position[0])
        expected = oracle.facts(policy, told, position, begun)
        event("something counts" if any(expected.values()) else "nothing counts")
        assert running.facts(version, position, begun) == expected
        for one, member in books:
            read = read_facts(one.cursor, version, [Ask(member, position, begun)])
            assert read[member].facts(version, position, begun) == expected
    for one, member in books:
        assert standing(read_contributions(one.cursor, [member])[member]) == told


def test_members_are_asked_at_different_positions_in_one_statement(book):
    policy = policy_of([fact("count")])
    version = version_of(policy)
    history = [purchase(at) for at in (10, 20, 30)]
    members = [book.member(history) for _ in range(3)]
    asks = [Ask(member, (at, 9, ""), 0) for member, at in zip(members, (5, 10, 29), strict=True)]
    read = read_facts(book.cursor, version, asks)
    assert [read[ask.member_id].facts(version, ask.position, 0)["f"] for ask in asks] == [0, 1, 2]


def test_a_snapshot_answers_only_what_was_asked(book):
    version = version_of(policy_of([fact("count")]))
    ask = Ask(book.member([]), (5, 9, ""), 0)
    snapshot = read_facts(book.cursor, version, [ask])[ask.member_id]
    with pytest.raises(ValueError, match="as of"):
        snapshot.facts(version, (6, 9, ""), 0)
    with pytest.raises(ValueError, match="since"):
        snapshot.facts(version, ask.position, 1)
    with pytest.raises(ValueError, match="another policy version"):
        snapshot.facts(version_of(policy_of([])), ask.position, 0)


def test_a_text_of_the_policy_is_a_value_and_never_sql(book):
    hostile = "x'; DROP TABLE contribution; --"
    version = version_of(policy_of([fact("count", ("parts_purchase",), "", Filter("category", "is", hostile))]))
    ask = Ask(book.member([replace(purchase(1), fields={"category": hostile})]), (5, 9, ""), 0)
    assert read_facts(book.cursor, version, [ask])[ask.member_id].facts(version, ask.position, 0) == {"f": 1}


def test_positions_that_go_back_are_refused():
    running = RunningFacts(Zone("Asia/Shanghai"), [])
    running.attributes((5, 3, "b"))
    with pytest.raises(ValueError, match="earlier"):
        running.attributes((5, 3, "a"))


def test_equal_measures_of_several_facts_are_taken_once():
    asked = [
        replace(fact("count", kinds), id=name) for name, kinds in (("a", ("tip", "contact")), ("b", ("contact", "tip")))
    ]
    assert len(FactSet(policy_of(asked)).measures) == 1


def test_prepared_facts_are_kept_by_policy_and_not_by_likeness():
    one, two = policy_of([]), policy_of([])
    assert fact_set(one) is fact_set(one)
    assert fact_set(one) is not fact_set(two)


@pytest.mark.slow
def test_ten_thousand_events_asked_one_by_one_are_no_scan_each():
    start = Zone("Asia/Shanghai").start_of(date(2016, 1, 1))
    hour = int(timedelta(hours=8) / timedelta(microseconds=1))
    history = [purchase(start + number * hour, key=f"k{number}", month="2026-01") for number in range(10_000)]
    asked = [
        replace(fact(how, window=window), id=f"{how} {window}")
        for how in ("count", "quantity", "months_with", "days_since_first", "days_since_last")
        for window in (Window(), Window("rolling", months=12), Window("preceding", months=12), Window("this_year"))
    ]
    version = version_of(policy_of(asked))
    running = RunningFacts(Zone("Asia/Shanghai"), history)
    prepared = fact_set(version.rules.policy)
    moved = 0
    for row in history:
        before = dict(running.facts(version, row.known, 0))
        moved += before[asked[0].id]
    assert moved == sum(range(1, 10_001))
    assert len(prepared.measures) == len(asked)
