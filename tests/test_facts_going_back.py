"""Facts that go back, take in what was told late and go on again are those of a history read in order."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests import oracle_facts as oracle
from tests.facts_cases import cases, standing, version_of
from tierengine.judging.running import RunningFacts
from tierengine.zone import Zone


@given(data=st.data(), case=cases())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@pytest.mark.timeout(600)
def test_facts_asked_back_and_forth_agree_with_the_oracle(data, case):
    policies, history, asked, since = case
    versions = [version_of(policy) for policy in policies]
    told = standing(history)
    late = [row for row in told if data.draw(st.integers(0, 3)) == 0]
    there = [row for row in told if row not in late]
    running = RunningFacts(Zone(policies[0].timezone), there)
    last = None
    for position in data.draw(st.lists(st.sampled_from(asked), min_size=1, max_size=8)):
        if last is not None and position < last:
            event("back")
            running.retreat(position[0])
        if late and data.draw(st.booleans()):
            row = late.pop()
            running.retreat(row.known[0])
            there.append(row)
            there.sort(key=lambda one: one.known)
            event("late")
        last = position
        version = versions[data.draw(st.integers(0, 1))]
        begun = min(since, position[0])
        assert running.facts(version, position, begun) == oracle.facts(version.rules.policy, there, position, begun)
