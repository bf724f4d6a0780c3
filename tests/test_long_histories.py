"""What a process keeps of long histories answers as the asker's own snapshot, and nobody sees what was tried."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests import oracle_facts as oracle
from tests.facts_cases import cases, fact, policy_of, purchase, standing, version_of
from tierengine.judging import long_histories
from tierengine.judging.long_histories import LongFacts, LongHistories
from tierengine.zone import Zone


def known(rows):
    return sorted(rows, key=lambda row: row.known)


@given(data=st.data(), case=cases(), back=st.sampled_from((0, 2, 1_000)))
@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@pytest.mark.timeout(600)
def test_every_snapshot_is_answered_as_of_its_own_moment(data, case, back):
    policies, history, asked, since = case
    versions = [version_of(policy) for policy in policies]
    told = standing(history)
    zone, kept, reads = Zone(policies[0].timezone), LongHistories(), []
    arrived = data.draw(st.permutations(told)) if data.draw(st.booleans()) else list(told)
    snapshots = []
    number, long_histories.BACK = long_histories.BACK, back
    try:
        for _ in range(data.draw(st.integers(1, 6))):
            count = data.draw(st.integers(0, len(arrived)))
            rows = known(arrived[:count])

            def read(instant, rows=rows):
                reads.append(instant)
                return [row for row in rows if instant is None or row.known[0] >= instant]

            snapshots.append((rows, LongFacts(kept, zone, "M", count, read)))
            rows, facts = data.draw(st.sampled_from(snapshots))  # also one that is older than what is kept by now
            position = data.draw(st.sampled_from(asked))
            tried = [row for row in told if row not in rows and row.known <= position and data.draw(st.booleans())]
            facts.add(tried)
            begun = min(since, position[0])
            version = versions[data.draw(st.integers(0, 1))]
            expected = oracle.facts(version.rules.policy, known([*rows, *tried]), position, begun)
            assert facts.facts(version, position, begun) == expected
            facts._candidates.clear()
            facts._last = None
    finally:
        long_histories.BACK = number
    event(f"read whole {reads.count(None)} times")


def test_what_is_new_is_read_and_what_was_there_is_not():
    rows = [purchase(at) for at in range(10, 400, 10)]
    kept, version, reads = LongHistories(), version_of(policy_of([fact("count")])), []

    def at(count):
        def read(instant):
            reads.append(instant)
            return [row for row in rows[:count] if instant is None or row.known[0] >= instant]

        return LongFacts(kept, Zone("Asia/Shanghai"), "M", count, read).facts(version, (1_000, 9, ""), 0)["f"]

    assert [at(count) for count in (30, 30, 31, 39)] == [30, 30, 31, 39]
    assert reads == [None, 300, 310]


def test_no_more_is_kept_than_was_agreed(monkeypatch):
    monkeypatch.setattr(long_histories, "CONTRIBUTIONS", 50)
    rows = [purchase(at) for at in range(10, 400, 10)]
    kept, version = LongHistories(), version_of(policy_of([fact("count")]))
    for member in ("A", "B"):
        facts = LongFacts(kept, Zone("Asia/Shanghai"), member, len(rows), lambda _: list(rows))
        assert facts.facts(version, (1_000, 9, ""), 0)["f"] == len(rows)
    assert ("A" in kept, "B" in kept) == (False, True)
