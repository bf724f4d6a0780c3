"""How far a trait goes: read, judged by the engine and in plain Python, stated by a person, and counted once."""

from __future__ import annotations

from itertools import product

import pytest

from rules.checking import check
from rules.judge import Inputs, Ruleset, explain_condition
from rules.policy import AnyOf
from rules.reader import read
from tierengine.judging.history import Contribution
from tierengine.judging.states import States
from tierengine.membership.reasons import Words, degree_of
from tierengine.zone import Zone

TEXT = """programme: club
facts:
  n: {{count: contact}}
  m: {{count: tip}}
traits:
  fleet:
    title: 设备
    degrees:
      - {{id: solid, title: 多, when: {{n: {{at_least: 1}}}}}}
      - {{id: heavy, title: {{zh: 很多, en: heavy}}, when: {{n: {{at_least: 2}}}}}}
      - {{id: giant, title: 最多, when: {{n: {{at_least: 3}}}}}}
    attested: {{by: [leader], valid: 12 months}}
  other: {{title: 别的, when: {{m: {{at_least: 1}}}}}}
tiers: [{{id: low, title: 低}}]
lists:
  counted: {{title: 数, when: {{traits: {{at_least: 2}}}}}}
  asked: {{title: 问, when: {{trait: {{fleet: {test}}}}}}}
"""
NAMES = ("solid", "heavy", "giant")


def ruleset(test: str = "heavy") -> Ruleset:
    reading = read(TEXT.format(test=test), "x.yaml")
    assert reading.policy is not None, reading.show("en", "short")
    return Ruleset(reading.policy)


def inputs(n: int, m: int = 0, attested: tuple[str, ...] = ()) -> Inputs:
    return Inputs({"n": n, "m": m}, {}, frozenset(attested), "low")


EXPECTED = {
    "at_least": lambda far, asked: far >= asked,
    "more_than": lambda far, asked: far > asked,
    "at_most": lambda far, asked: 1 <= far <= asked,
    "less_than": lambda far, asked: 1 <= far < asked,
    "is": lambda far, asked: far == asked,
    "is_not": lambda far, asked: far >= 1 and far != asked,
}


@pytest.mark.parametrize(("op", "asked"), list(product(EXPECTED, range(1, 4))))
def test_every_comparison_says_how_far_the_highest_degree_goes(op, asked):
    rules = ruleset(f"{{{op}: {NAMES[asked - 1]}}}")
    asking = rules.policy.lists["asked"].when
    for far in range(4):
        given = inputs(far)
        judged = rules.judge(given)
        expected = EXPECTED[op](far, asked)
        assert ("asked" in judged.lists) == expected, (op, asked, far)
        assert explain_condition(asking, given, judged, None, "low").holds == expected


@pytest.mark.parametrize(("test", "held"), [("[solid, giant]", {1, 3}), ("{not_in: [heavy]}", {1, 3}), ("heavy", {2})])
def test_a_list_of_degrees_and_a_single_one_mean_exactly_these(test, held):
    rules = ruleset(test)
    assert {far for far in range(4) if "asked" in rules.judge(inputs(far)).lists} == held


def test_a_trait_with_degrees_is_met_by_any_of_them_and_counts_once():
    rules = ruleset()
    assert isinstance(rules.policy.traits["fleet"].when, AnyOf)
    judged = rules.judge(inputs(3))
    assert (judged.met, judged.degrees) == (
        frozenset(("fleet",)), frozenset(("fleet.solid", "fleet.heavy", "fleet.giant")),
    )  # fmt: skip
    assert "counted" not in judged.lists
    assert "counted" in rules.judge(inputs(3, 1)).lists
    assert rules.judge(inputs(0)).degrees == frozenset()
    fleet = rules.policy.traits["fleet"]
    assert degree_of(fleet, judged).id == "giant"
    assert degree_of(fleet, rules.judge(inputs(0))) is None


def test_a_person_may_say_how_far_and_without_a_word_it_is_the_lowest():
    policy = ruleset().policy
    zone = Zone("Asia/Shanghai")

    def said(**fields):
        words = {"trait": "fleet", "stated_by": "li", "stated_role": "leader", **fields}
        row = Contribution("attestation", "a#0", 10, (10, 3, "a"), "attestation", 1, 0, words)
        return States(zone, [row]).attested(policy, 20)

    assert said(degree="heavy") == {"fleet", "fleet.heavy"}
    assert said() == said(degree="unheard of") == {"fleet", "fleet.solid"}
    assert ruleset("{at_least: heavy}").judge(inputs(0, attested=("fleet", "fleet.heavy"))).lists == {"asked"}


def test_a_degree_is_called_by_its_title():
    rules = ruleset("{at_least: heavy}")
    told = explain_condition(rules.policy.lists["asked"].when, inputs(2), rules.judge(inputs(2)), None, "low")
    words = Words(rules.policy)
    named = [words.subject(part.subject) for part in told.parts]
    assert [one.zh for one in named] == ["设备（很多）", "设备（最多）"]
    assert named[0].en == "fleet (heavy)"


@pytest.mark.parametrize(
    ("mended", "code"),
    [
        (("fleet: heavy", "fleet: huge"), "P412"),
        (("fleet: heavy", "other: heavy"), "P412"),
        (("fleet: heavy", "flet: heavy"), "P405"),
        (("id: giant", "id: heavy"), "P415"),
        (("n: {at_least: 3}", "n: {at_least: 1}"), "P510"),
        (("    degrees:", "    when: {n: {at_least: 1}}\n    degrees:"), "P205"),
    ],
)
def test_what_is_wrong_with_a_degree_is_said(mended, code):
    text = TEXT.format(test="heavy").replace(*mended)
    assert code in [problem.code for problem in read(text, "x.yaml").problems]


def test_a_degree_that_nobody_can_reach_is_said_with_its_place():
    text = TEXT.format(test="heavy").replace("n: {at_least: 3}", "n: {at_least: 3}, none: [{n: {at_least: 2}}]")
    problem = next(one for one in check(text, "x.yaml").problems if one.code == "P522")
    assert text.split("\n")[problem.mark.line - 1].strip().startswith("- {id: giant")
