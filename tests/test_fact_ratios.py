"""A ratio in whole basis points is compared as if it had been multiplied out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import policy as rules_policy
from rules.policy import AllOf, Subject, Tier
from tests.facts_cases import TEXT, fact, policy_of, purchase, version_of
from tierengine.judging.facts import ratio
from tierengine.judging.running import RunningFacts
from tierengine.zone import Zone


@pytest.mark.parametrize(
    ("over", "under", "exact", "expected"),
    [
        (13_000, 10_000, (), 13_000),
        (13_001, 10_000, (), 13_001),
        (130_005, 100_000, (), 13_000),  # 130.005 %, rounded down: at least 130 %
        (130_005, 100_000, (13_000,), 13_001),  # and, where it is asked, more than 130 %
        (130_000, 100_000, (13_000,), 13_000),  # which 130 % sharp is not
        (-1, 3, (), -3334),
        (1, 0, (), None),
        (1, -5, (), None),
        (None, 5, (), None),
        (1 << 60, 1, (), 1 << 53),  # the engine's greatest number
    ],
)
def test_a_ratio_is_compared_as_if_multiplied_out(over, under, exact, expected):
    assert ratio(over, under, frozenset(exact)) == expected


@given(over=st.integers(-10_000, 10_000), under=st.integers(1, 10_000), threshold=st.integers(-200, 30_000))
def test_every_comparison_with_a_threshold_is_exact(over, under, threshold):
    left, right = over * 10_000, threshold * under
    rounded, exact = ratio(over, under, frozenset()), ratio(over, under, frozenset((threshold,)))
    assert (rounded >= threshold, rounded < threshold) == (left >= right, left < right)
    assert (exact > threshold, exact <= threshold, exact == threshold) == (left > right, left <= right, left == right)


def test_a_policy_s_strict_comparisons_are_found_wherever_they_stand():
    over, under = fact("sum", field="amount"), fact("count")
    share = fact("ratio", (), over=over, under=under, name="share")
    test = rules_policy.Test(Subject("fact", "share"), "more_than", 3_333_333)
    tier = Tier("t", TEXT, 0, "", AllOf((test,)), None, None)
    history = [purchase(1, amount=1000), purchase(2, amount=0), purchase(3, amount=0)]
    for tiers, expected in (((), 3_333_333), ((tier,), 3_333_334)):
        running = RunningFacts(Zone("Asia/Shanghai"), history)
        assert running.facts(version_of(policy_of([share], tiers=tiers)), (9, 9, ""), 0) == {"share": expected}
