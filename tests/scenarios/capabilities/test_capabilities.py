"""Every situation of docs/capabilities is a case that passes, or says why it is outside the purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.judge import Ruleset
from rules.policy import Plain, Policy
from rules.reader import read
from tests.scenarios.capabilities.cases import DOCS, Case, cases, pages
from tests.scenarios.capabilities.story import tell
from tierengine.policies.examples import run_examples

CASES = cases()
SAYABLE = [case for case in CASES if case.policy]


def other(policy: Policy, expect: dict[str, Plain]) -> dict[str, Plain]:
    """Return an expectation that says something else under every key but who and when."""
    kept = {key: value for key, value in expect.items() if key in ("member", "at")}
    return kept | {key: changed(policy, key, value) for key, value in expect.items() if key not in kept}


def changed(policy: Policy, key: str, value: Plain) -> Plain:
    if isinstance(value, dict):
        return {name: changed(policy, key, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return value[1:] if value else ["one more"]
    if isinstance(value, int):
        return value + 1
    names = {"tier": [tier.id for tier in policy.tiers], "level": [*policy.levels]}.get(key, ["another"])
    return next((name for name in names if name != value), "another")


@pytest.mark.parametrize("case", SAYABLE, ids=lambda case: case.name)
def test_what_the_case_says_comes_out(case: Case) -> None:
    reading = read(case.policy, f"{case.name}.yaml")
    assert reading.policy is not None, reading.show("en")
    # Titles would only make the cases longer, and that budgets go by the order of recording is what some cases show;
    # anything else that the reader notes is a fault of the case.
    assert {problem.code for problem in reading.problems} <= {"P517", "P530"}, reading.show("en")
    rules = Ruleset(reading.policy)
    verdicts = run_examples(rules)
    assert verdicts or case.story, "a case without an example shows nothing"
    assert [(one.example.title, one.wrong, one.parked) for one in verdicts if not one.passed] == []
    # What is expected is really compared: any other number, tier or list is found out.
    others = tuple(replace(one.example, expect=other(reading.policy, one.example.expect)) for one in verdicts)
    assert [one.example.title for one in run_examples(rules, others) if one.passed] == []


@pytest.mark.parametrize("case", [case for case in CASES if case.story], ids=lambda case: case.name)
def test_what_the_story_tells_comes_out(case: Case, sqlite_book_url: str) -> None:
    assert tell(sqlite_book_url, case.policy, case.story, case.name) == []


def test_the_pages_say_what_the_cases_say() -> None:
    made = pages(CASES)
    there = [DOCS / "capabilities.md", *DOCS.glob("capabilities/*.md")]
    assert {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in there} == made, (
        "python -m tests.scenarios.capabilities.cases"
    )


def test_situations_are_told_apart() -> None:
    for told in ([case.situation_en for case in CASES], [case.situation_zh for case in CASES]):
        assert len(set(told)) == len(told)
