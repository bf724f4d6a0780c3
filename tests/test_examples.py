"""The examples inside the shipped policy are run by the same fold and prices as the till."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rules.judge import Ruleset
from rules.policy import Example
from rules.reader import read
from tierengine.policies.examples import Verdict, run_examples

SHIPPED = Path(__file__).parent.parent / "policies.yaml"


@pytest.fixture(scope="module")
def shipped() -> Ruleset:
    reading = read(SHIPPED.read_bytes(), str(SHIPPED))
    assert reading.policy is not None, reading.problems
    return Ruleset(reading.policy)


def test_every_example_of_the_shipped_policy_passes(shipped: Ruleset) -> None:
    verdicts = run_examples(shipped)
    assert len(verdicts) >= 14
    assert [(one.example.title, one.wrong, one.parked) for one in verdicts if not one.passed] == []


def test_the_examples_exercise_every_reward_and_price_that_pays_at_a_till(shipped: Ruleset) -> None:
    exercised = frozenset[str]().union(*(one.rules for one in run_examples(shipped)))
    assert {
        "welcome_gift",
        "referral_ladder",
        "points_spend",
        "points_machine",
        "points_tip",
        "gold_price",
    } <= exercised


def _verdict(shipped: Ruleset, expect: dict[str, object]) -> Verdict:
    first = shipped.policy.examples[0]
    changed = Example(first.title, first.given, expect, first.mark)  # type: ignore[arg-type]
    (verdict,) = run_examples(Ruleset(replace(shipped.policy, examples=(changed,))))
    return verdict


@pytest.mark.parametrize(
    "expect",
    [
        {"tier": "member"},
        {"traits": ["early_entrant"]},
        {"level": "zipper"},
        {"grants": {"welcome_gift": 1}},
        {"balance": {"parts_credit": 1}},
        {"lists": ["one_short"]},
    ],
)
def test_an_example_whose_expectation_is_wrong_fails_and_says_what_came_out(
    shipped: Ruleset, expect: dict[str, object]
) -> None:
    verdict = _verdict(shipped, expect)
    assert not verdict.passed
    ((key, wanted, got),) = verdict.wrong
    assert (key, wanted) == next(iter(expect.items()))
    assert got != wanted


def test_an_example_that_names_an_event_it_lacks_fails_as_parked(shipped: Ruleset) -> None:
    given = ({"event": "machine_returned", "at": "2026-02-20", "order": "M9", "reason": "x"},)
    example = Example("x", given, {"tier": "customer"}, shipped.policy.examples[0].mark)  # type: ignore[arg-type]
    (verdict,) = run_examples(Ruleset(replace(shipped.policy, examples=(example,))))
    assert not verdict.passed
    assert verdict.parked == ("machine_returned",)
