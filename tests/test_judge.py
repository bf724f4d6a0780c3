"""The ruleset against a second reading of the same policy, on random policies and members; and what it refuses."""

import operator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import policy as ast
from rules.inputs import Inputs, Judged, StandingTiers
from rules.judge import Ruleset, explain_condition, first_failing
from rules.narrowing import narrowed
from rules.pattern import AllOf, Atom, FactRefused
from tests import oracle_judge as oracle
from tests import policy_strategies as some
from tests.policy_strategies import KIND, is_at_least, minimal, priced_when, reward, trait_count

NOBODY = Judged(frozenset(), (True,), (True,), (False,), frozenset(), frozenset(), frozenset())


def agree(policy, ruleset, inputs, tiers, lines):
    """Compare every answer about one member with the oracle's, and every explanation with the engine."""
    judged = ruleset.judge(inputs)
    assert judged == oracle.judge(policy, inputs)
    for kind in (*some.KINDS, "unheard_of"):
        found = ruleset.rewards(kind, lines, tiers, inputs, judged)
        assert found == oracle.rewards(policy, kind, lines, tiers, inputs, judged.met)
    priced = ruleset.prices(some.KINDS[0], lines, tiers.before, inputs, judged)
    assert priced == oracle.prices(policy, lines, tiers.before, inputs, judged.met)

    def explained(condition, line=None, tier=None):
        explanation = explain_condition(condition, inputs, judged, line, tier)
        assert (first_failing(explanation) is None) == explanation.holds
        return explanation.holds

    for index, tier in enumerate(policy.tiers):
        assert tier.when is None or explained(tier.when, tier=inputs.tier) == judged.when[index]
        assert tier.unless is None or explained(tier.unless, tier=inputs.tier) == judged.excluded[index]
    for trait in policy.traits.values():
        if trait.when is not None and trait.id not in inputs.attested:
            assert explained(trait.when) == (trait.id in judged.met)
    for line, matched in zip(lines, priced, strict=True):
        for price in policy.prices.values():
            if not price.for_tiers:
                assert explained(price.where, line, tiers.before) == (price.id in matched)


class PlainMatcher:
    """The engine's part in plain Python: what the compiler wrote is then tried without the library."""

    def __init__(self, program):
        self.phases = {phase.number: phase for phase in program.phases}

    def match(self, phase, values):
        fields = [field.name for field in self.phases[phase].fields]
        row = dict(zip(fields, values, strict=True))
        return tuple(one.rule for one in self.phases[phase].patterns if one.when is None or holds(one.when, row))


SIGNS = {"==": "eq", "!=": "ne", ">=": "ge", ">": "gt", "<=": "le", "<": "lt"}


def holds(node, row):
    if isinstance(node, Atom):
        return getattr(operator, SIGNS[node.op])(row[node.field], node.value)
    return (all if isinstance(node, AllOf) else any)(holds(part, row) for part in node.parts)


def agree_on_some_policy(data, members):
    policy = data.draw(some.policies())
    ruleset = Ruleset(policy)
    suspending, barring = narrowed(policy, wallets=policy.wallets), narrowed(policy, awards=policy.awards)
    for _ in range(members):
        inputs = data.draw(some.inputs())
        agree(policy, ruleset, inputs, *(data.draw(one()) for one in (some.standing_tiers, some.lines)))
        judged = ruleset.judge(inputs)
        assert suspending.judge(inputs).suspended == judged.suspended
        assert barring.judge(inputs).barred == judged.barred


@settings(max_examples=50)
@given(st.data())
def test_patterns_plain_reading_and_explanations_agree_on_any_policy_and_member(data):
    with patch("rules.judge.Matcher", PlainMatcher):
        agree_on_some_policy(data, 4)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=40)
@given(st.data())
def test_so_does_the_engine(data):
    agree_on_some_policy(data, 10)


@given(some.LINE, some.inputs(), some.tiers(), st.dictionaries(st.just("amount"), some.NUMBERS))
def test_an_explanation_names_a_test_that_decided(condition, inputs, tier, line):
    explanation = explain_condition(condition, inputs, NOBODY, line, tier)
    guilty = first_failing(explanation)
    assert (guilty is None) == explanation.holds
    if guilty is not None and guilty.how == "test":
        assert guilty.subject is not None
    elif guilty is not None:
        assert not guilty.parts or guilty.how == "count"


def test_who_asks_for_the_suspension_of_wallets_alone_reads_nothing_else():
    late, owes = ast.Subject("fact", "spent"), ast.Subject("traits")
    fact, trait = (ast.Test(one, "at_least", 1) for one in (late, owes))
    for condition, facts, traits in ((fact, {"spent"}, set()), (trait, {"bought"}, {"buyer"})):
        purse = ast.Wallet("purse", some.TITLE, "money", (), None, suspended_when=condition)
        traits_of = {"buyer": is_at_least("bought", 5)}
        policy = minimal(traits=traits_of, wallets=(purse,), rewards=(reward("thanks", when=fact),))
        few = narrowed(policy, wallets=["purse"])
        assert (set(few.standing_facts), set(few.policy.traits), few.policy.rewards) == (facts, traits, {})
        assert few.judge(Inputs({"bought": 5, "spent": 1}, {})).suspended == {"purse"}
        assert few.judge(Inputs({"bought": 4, "spent": 0}, {})).suspended == frozenset()
    other = narrowed(policy, wallets=[])
    assert (other.standing_facts, other.suspends) == ((), False)


def test_an_attestation_makes_the_trait_met_whatever_the_condition_says():
    policy = minimal(traits={"known": is_at_least("bought", 5)}, attested=("known",))
    assert Ruleset(policy).judge(Inputs({"bought": 0}, {}, frozenset({"known"}))).met == {"known"}


def test_an_attestation_of_a_trait_that_allows_none_is_not_heard():
    policy = minimal(traits={"known": is_at_least("bought", 5)})
    assert Ruleset(policy).judge(Inputs({"bought": 0}, {}, frozenset({"known", "unheard_of"}))).met == frozenset()


def test_the_lowest_tier_is_everybodys_and_a_higher_one_without_a_condition_is_given_by_hand_only():
    judged = Ruleset(minimal(tiers=(("basic", None, None), ("gold", None, None)))).judge(Inputs({}, {}))
    assert judged.tiers == (True, False)
    assert judged.when == (True, False)


def test_whom_the_tier_excludes_keeps_the_lowest():
    key_account = ast.Test(ast.Subject("attribute", "segment"), "is", "key_account")
    policy = minimal(tiers=(("basic", None, key_account), ("gold", is_at_least("bought", 1), key_account)))
    judged = Ruleset(policy).judge(Inputs({"bought": 1}, {"segment": "key_account"}))
    assert judged.when == (True, True)
    assert judged.excluded == (True, True)
    assert judged.tiers == (True, False)


@pytest.mark.parametrize(("bought", "spent", "listed"), [(0, 0, False), (1, 0, True), (1, 1, False)])
def test_a_list_of_those_one_trait_short_has_them_and_nobody_else(bought, spent, listed):
    traits = {"buyer": is_at_least("bought", 1), "spender": is_at_least("spent", 1)}
    short = ast.MemberList("one_short", some.TITLE, None, "gold", 1)
    tiers = (("basic", None, None), ("gold", trait_count(2), None))
    ruleset = Ruleset(minimal(traits=traits, tiers=tiers, lists=(short,)))
    assert bool(ruleset.judge(Inputs({"bought": bought, "spent": spent}, {})).lists) == listed


def test_a_list_courts_nobody_whom_the_tier_excludes():
    key_account = ast.Test(ast.Subject("attribute", "segment"), "is", "key_account")
    short = ast.MemberList("one_short", some.TITLE, None, "gold", 1)
    tiers = (("basic", None, None), ("gold", trait_count(1), key_account))
    ruleset = Ruleset(minimal(traits={"buyer": is_at_least("bought", 1)}, tiers=tiers, lists=(short,)))
    assert ruleset.judge(Inputs({"bought": 0}, {})).lists == {"one_short"}
    assert ruleset.judge(Inputs({"bought": 0}, {"segment": "key_account"})).lists == frozenset()


@pytest.mark.parametrize(("standing", "earns"), [("before", False), ("after", True), ("order", False)])
def test_a_reward_asks_for_the_standing_that_it_names(standing, earns):
    policy = minimal(
        tiers=(("basic", None, None), ("gold", None, None)),
        rewards=(reward("welcome", for_tiers=("gold",), standing=standing),),
    )
    found = Ruleset(policy).rewards(KIND, [{}], StandingTiers("basic", "gold"), Inputs({}, {}), NOBODY)
    assert found == ({"welcome": (0,)} if earns else {})


def test_each_line_is_matched_by_its_own_fields():
    parts = ast.Test(ast.Subject("field", "category"), "in", ("parts", "oil"))
    policy = minimal(rewards=(reward("points", where=parts), reward("thanks")))
    lines = [{"category": "parts"}, {"category": "fuel"}, {"category": "oil"}, {"category": None}, {}]
    found = Ruleset(policy).rewards(KIND, lines, StandingTiers(None, None), Inputs({}, {}), NOBODY)
    assert found == {"points": (0, 2), "thanks": (0, 1, 2, 3, 4)}


def test_a_kind_without_rules_and_an_event_without_lines_earn_nothing():
    ruleset = Ruleset(minimal(rewards=(reward("thanks"),)))
    asked = StandingTiers(None, None), Inputs({}, {}), NOBODY
    assert ruleset.rewards("unheard_of", [{}], *asked) == {}
    assert ruleset.rewards(KIND, [], *asked) == {}
    assert ruleset.prices(KIND, [], None, *asked[1:]) == []


def test_the_ruleset_says_which_facts_and_attributes_it_reads():
    overdue = ast.Test(ast.Subject("attribute", "overdue"), "at_least", 1)
    policy = minimal(
        traits={"buyer": is_at_least("bought", 1)},
        tiers=(("basic", None, None), ("gold", is_at_least("spent", 1), overdue)),
        rewards=(reward("thanks", when=is_at_least("largest", 1)),),
    )
    ruleset = Ruleset(policy)
    assert ruleset.standing_facts == ("bought", "spent")
    assert ruleset.event_facts(KIND) == ("largest",)
    assert ruleset.event_facts("unheard_of") == ()
    assert ruleset.attributes == ("overdue",)
    assert ruleset.kinds == {KIND}


@pytest.mark.parametrize(
    ("facts", "attributes"),
    [
        ({}, {}),
        ({"bought": None}, {}),
        ({"bought": "1"}, {}),
        ({"bought": 2**53 + 1}, {}),
        ({"bought": 1.0}, {}),
        ({"bought": 1, "largest": -(2**53)}, {}),
        ({"bought": 1, "largest": 2**53 + 1}, {}),
        ({"bought": 1}, {"overdue": "9"}),
        ({"bought": 1}, {"segment": 9}),
        ({"bought": 1}, {"segment": ["key_account"]}),
    ],
)
def test_a_value_that_is_missing_of_another_kind_or_out_of_range_is_refused(facts, attributes):
    overdue = ast.Test(ast.Subject("attribute", "overdue"), "at_least", 1)
    segment = ast.Test(ast.Subject("attribute", "segment"), "is", "key_account")
    parts = (is_at_least("bought", 1), is_at_least("largest", 1), overdue, segment)
    ruleset = Ruleset(minimal(traits={"all": ast.AllOf(parts)}))
    with pytest.raises(FactRefused):
        ruleset.judge(Inputs(facts, attributes))
    assert ruleset.judge(Inputs({"bought": 1, "largest": 1}, {"overdue": 1, "segment": "key_account"})).met


def test_a_standing_that_the_policy_does_not_have_is_refused():
    ruleset = Ruleset(minimal(rewards=(reward("welcome", for_tiers=("basic",)),)))
    with pytest.raises(FactRefused, match="platinum"):
        ruleset.rewards(KIND, [{}], StandingTiers(None, "platinum"), Inputs({}, {}), NOBODY)


def test_a_failing_condition_is_explained_down_to_the_value_that_decided():
    asked = is_at_least("bought", 2)
    absent = ast.NoneOf((ast.Test(ast.Subject("fact", "largest"), "at_most", 5),))
    inputs = Inputs({"bought": 1, "largest": None}, {})
    explanation = explain_condition(ast.AllOf((absent, asked)), inputs, NOBODY)
    guilty = first_failing(explanation)
    assert explanation.parts[0].holds
    assert explanation.parts[0].parts[0].observed is None
    assert guilty is not None
    assert (guilty.subject, guilty.op, guilty.required, guilty.observed) == (asked.subject, "at_least", 2, 1)


def test_under_none_the_test_that_holds_is_the_one_that_decided():
    condition = ast.NoneOf((is_at_least("bought", 9), is_at_least("bought", 1)))
    guilty = first_failing(explain_condition(condition, Inputs({"bought": 1}, {}), NOBODY))
    assert guilty is not None
    assert guilty.required == 1


def test_many_threads_share_one_ruleset_and_each_gets_its_own_answer():
    traits = {f"at_least_{number}": is_at_least("bought", number) for number in range(20)}
    ruleset = Ruleset(minimal(traits=traits, rewards=(reward("thanks", when=trait_count(5)),)))

    def judge_in_turn(start):
        for step in range(400):
            bought = (start + step) % 20
            inputs = Inputs({"bought": bought}, {})
            judged = ruleset.judge(inputs)
            assert judged.met == {f"at_least_{number}" for number in range(bought + 1)}
            found = ruleset.rewards(KIND, [{}], StandingTiers(None, None), inputs, judged)
            assert bool(found) == (bought >= 4)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(judge_in_turn, range(8)))


def test_verdicts_are_remembered_up_to_a_limit(monkeypatch):
    monkeypatch.setattr("rules.judge._REMEMBERED", 3)
    ruleset = Ruleset(minimal(traits={f"at_least_{number}": is_at_least("bought", number) for number in range(9)}))
    for bought in (*range(9), *range(9)):
        assert len(ruleset.judge(Inputs({"bought": bought}, {})).met) == bought + 1
    assert len(ruleset._verdicts) == 3
    assert len(ruleset._sets) == 3


def test_a_remembered_verdict_is_only_for_the_same_traits():
    ruleset = Ruleset(minimal(traits={"buyer": is_at_least("bought", 1)}))
    assert [len(ruleset.judge(Inputs({"bought": bought}, {})).met) for bought in (0, 1, 0)] == [0, 1, 0]


def test_an_explanation_shows_an_empty_text_as_absent():
    test = ast.Test(ast.Subject("attribute", "segment"), "is_not", "key_account")
    explanation = explain_condition(test, Inputs({}, {"segment": ""}), NOBODY)
    assert not explanation.holds
    assert explanation.observed is None


@pytest.mark.parametrize(
    ("subject", "value", "alone"),
    [
        (ast.Subject("field", "used"), 1, True),
        (ast.Subject("fact", "bought"), 1, False),
        (ast.Subject("attribute", "segment"), "key_account", False),
        (ast.Subject("trait", some.TRAITS[0]), 1, False),
        (ast.Subject("traits"), 1, False),
    ],
)
def test_nobody_is_judged_for_prices_that_read_nothing_of_him_but_his_tier(subject, value, alone):
    assert Ruleset(priced_when(ast.Test(subject, "is", value))).priced_by_tier is alone


def test_equal_lines_cost_each_tier_its_own_however_often_they_are_asked():
    used = ast.Test(ast.Subject("field", "used"), "is", 1)
    gold = ast.Price("price", some.TITLE, ("gold",), used, 9_500)
    ruleset = Ruleset(minimal(tiers=(("basic", None, None), ("gold", None, None)), prices=(gold,)))
    assert ruleset.priced_by_tier
    lines = [{"used": True}, {"used": False}, {"used": True}]
    asked = [ruleset.prices(KIND, lines, tier, None, None) for tier in ("basic", "gold", "basic", "gold")]
    assert asked == [[(), (), ()], [("price",), (), ("price",)]] * 2


def test_a_truth_value_counts_as_one_or_zero():
    used = ast.Test(ast.Subject("field", "used"), "is", 1)
    found = Ruleset(priced_when(used)).prices(KIND, [{"used": True}, {"used": False}], None, Inputs({}, {}), NOBODY)
    assert found == [("price",), ()]


@pytest.mark.parametrize(
    ("op", "days"), [("at_least", ["2026-01-01", "2026-01-02"]), ("less_than", ["2025-12-31"]), ("is", ["2026-01-01"])]
)
def test_a_line_s_date_is_told_as_iso_text_and_compared_as_a_day(op, days):
    newyear = date(2026, 1, 1).toordinal()
    test = ast.Test(ast.Subject("field", "delivered_on"), op, newyear)
    lines = [{"delivered_on": day} for day in ("2025-12-31", "2026-01-01", "2026-01-02", None)] + [{}]
    found = Ruleset(priced_when(test)).prices(KIND, lines, None, Inputs({}, {}), NOBODY)
    assert [line["delivered_on"] for line, matched in zip(lines, found, strict=True) if matched] == days
    seen = [explain_condition(test, Inputs({}, {}), NOBODY, line) for line in lines]
    assert [bool(matched) for matched in found] == [one.holds for one in seen]
    assert [one.observed for one in seen] == [newyear - 1, newyear, newyear + 1, None, None]


def test_a_date_that_is_none_is_refused():
    test = ast.Test(ast.Subject("field", "delivered_on"), "at_least", 1)
    with pytest.raises(FactRefused, match="delivered_on"):
        Ruleset(priced_when(test)).prices(KIND, [{"delivered_on": "soon"}], None, Inputs({}, {}), NOBODY)
