"""Lists of members to work on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules import policy as ast
from rules.judge import Inputs, Ruleset
from tests.policy_strategies import TITLE, is_at_least, minimal, trait_count
from tierengine.membership.shortlist import Listed, lists_of, needed_traits

SEVEN = (
    "early_entrant", "repeat_buyer", "trusted_contact", "large_fleet", "peer_influence", "growth_potential",
    "information_source",
)  # fmt: skip
KEY = ast.Test(ast.Subject("attribute", "segment"), "is", "key_account")


def member(met, tier="customer", when=None, **inputs):
    """The lists of who meets these traits: whom to court, who lacks one trait, who lacks two."""
    asked = when or trait_count(2)
    policy = minimal(
        traits=dict.fromkeys(SEVEN),
        attested=SEVEN,
        tiers=(("customer", None, None), ("member", trait_count(1), None), ("gold", asked, KEY)),
        lists=(
            ast.MemberList("to_court", TITLE, ast.AllOf((trait_count(2), ast.NoneOf((is_at_least("bought", 1),))))),
            ast.MemberList("one_short", TITLE, None, "gold", 1),
            ast.MemberList("two_short", TITLE, None, "gold", 2),
        ),
    )
    facts = {"bought": inputs.pop("bought", 0), "spent": 0}
    judged = Ruleset(policy).judge(Inputs(facts, inputs, frozenset(met), tier))
    return [(one.list_id, one.lacking) for one in lists_of(policy, judged, tier)]


def test_who_has_the_traits_and_never_bought_here_is_to_be_courted():
    assert member(SEVEN[:2]) == [("to_court", ())]
    assert member(SEVEN[:2], bought=1) == []


def test_who_lacks_one_trait_is_listed_with_those_any_of_which_would_do():
    assert member(SEVEN[:1]) == [("one_short", SEVEN[1:])]


def test_who_lacks_two_is_on_the_list_of_those_who_lack_two():
    assert member(()) == [("two_short", SEVEN)]


def test_the_strict_form_asks_three():
    assert member(SEVEN[:2], when=trait_count(3), bought=1) == [("one_short", SEVEN[2:])]


def test_who_stands_there_already_or_may_not_is_not_listed():
    assert member(SEVEN[:1], "gold") == []
    assert member(SEVEN[:1], segment="key_account") == []


def test_who_meets_the_traits_but_not_the_rest_is_not_short_of_traits():
    both = ast.AllOf((trait_count(2), is_at_least("bought", 1)))
    assert member(SEVEN[:2], when=both) == [("to_court", ())]
    assert member(SEVEN[:1], when=both) == [("one_short", SEVEN[1:])]


def test_only_the_traits_that_the_tier_counts_would_help():
    of = ast.Test(ast.Subject("traits", "", SEVEN[:3]), "at_least", 2)
    assert member((SEVEN[0], SEVEN[5]), when=of, bought=1) == [("one_short", SEVEN[1:3])]


TWO = trait_count(2)


@pytest.mark.parametrize(
    ("condition", "needed"),
    [
        (TWO, (2, ())),
        (replace(TWO, op="more_than"), (3, ())),
        (replace(TWO, op="is"), (2, ())),
        (replace(TWO, op="less_than"), None),
        (replace(TWO, op="at_most"), None),
        (ast.NoneOf((TWO,)), None),
        (ast.AllOf((is_at_least("bought", 1), TWO)), (2, ())),
        (ast.AllOf((trait_count(3), TWO)), (3, ())),
        (ast.AnyOf((trait_count(3), ast.AllOf((TWO, is_at_least("bought", 1))))), (2, ())),
        (ast.CountOf(2, (TWO, is_at_least("bought", 1), trait_count(1))), (2, ())),
        (is_at_least("bought", 1), None),
        (None, None),
    ],
)
def test_how_many_traits_a_tier_asks_for(condition, needed):
    assert needed_traits(ast.Tier("gold", TITLE, 1, "", condition, None, None)) == needed


def test_a_member_of_no_list_is_listed_nowhere():
    policy = minimal()
    assert lists_of(policy, Ruleset(policy).judge(Inputs({"bought": 0, "spent": 0}, {})), "basic") == ()
    assert Listed("a") == Listed("a", ())
