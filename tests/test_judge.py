"""The ruleset against a second reading of the same policy, on random policies and members."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.judge import Ruleset
from tests import oracle_judge as oracle
from tests import policy_strategies as some


@settings(max_examples=300)
@given(st.data())
def test_the_engine_and_the_plain_reading_agree_on_any_policy_and_member(data):
    policy = data.draw(some.policies())
    ruleset = Ruleset(policy)
    for _ in range(6):
        inputs = data.draw(some.inputs())
        judged = ruleset.judge(inputs)
        assert judged == oracle.judge(policy, inputs)
        tiers, lines = data.draw(some.standing_tiers()), data.draw(some.lines())
        for kind in (*some.KINDS, "unheard_of"):
            assert ruleset.rewards(kind, lines, tiers, inputs, judged) == oracle.rewards(
                policy, kind, lines, tiers, inputs, judged.met
            )
        found = ruleset.prices("purchase", lines, tiers.before, inputs, judged)
        assert found == oracle.prices(policy, lines, tiers.before, inputs, judged.met)
