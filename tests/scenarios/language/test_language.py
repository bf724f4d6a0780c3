"""The pages of the language are those that would be made, every key has its sentence and an example, and each runs."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

import pytest
import yaml

from rules import names
from rules.checking import check
from rules.formatting import translated
from rules.grammar import FORMS
from rules.grammar.shapes import Either, Form, ListOf, MapOf, Ref, Shape
from rules.judge import Ruleset
from rules.reader import read
from rules.schema_texts import KEY_TEXTS
from tests.scenarios.language.pages import Sample, default_of, samples
from tests.scenarios.language.usage import used_in
from tierengine.policies.examples import run_examples

FOUND = samples()
BY_NAME = {sample.name: sample for sample in FOUND}
MAKE = "run `make docs` and commit what it writes"


@pytest.mark.parametrize("sample", FOUND, ids=lambda sample: sample.name)
def test_every_example_is_a_policy_whose_examples_come_out_in_both_tongues(sample: Sample) -> None:
    reading = check(sample.text, sample.path.name)
    assert reading.policy is not None, reading.show("en")
    # Titles would only make the examples longer, and P530 is said of every shared budget; the rest would be a fault.
    assert {problem.code for problem in reading.problems} <= {"P517", "P530"}, reading.show("en")
    assert reading.policy.examples, f"{sample.path.name} has no examples: nothing shows that it works"
    verdicts = run_examples(Ruleset(reading.policy))
    assert [(one.example.title, one.failures, one.parked) for one in verdicts if not one.passed] == []
    english = check(translated(sample.text, "en"), sample.path.name)
    assert english.policy is not None, english.show("en")


def _with(root: Any, form: str, key: str, value: str | None, nth: int) -> Any:
    """Return the file with the key in the nth mapping of that form, or without it (None); None when there is none."""
    left = nth

    def put(shape: Shape | None, node: Any, name: str) -> Any:
        nonlocal left
        if isinstance(shape, Ref):
            return put(FORMS[shape.form], node, shape.form)
        if isinstance(shape, ListOf) and isinstance(node, list):
            return [put(shape.item, one, name) for one in node]
        if isinstance(shape, MapOf) and isinstance(node, dict):
            return {one: put(shape.value, inner, name) for one, inner in node.items()}
        if isinstance(shape, Either):
            kinds = {str: shape.scalar, list: shape.items, dict: shape.mapping}
            return put(kinds[type(node)], node, name)
        if not isinstance(shape, Form) or not isinstance(node, dict):
            return node
        keys = {one: names.key(one, tuple(shape.keys)) for one in node}
        made = {one: put(shape.keys.get(keys[one] or ""), inner, "") for one, inner in node.items()}
        if name == form:
            left -= 1
            if left == -1:
                made = {one: inner for one, inner in made.items() if keys[one] != key}
                if value is not None:
                    made[key] = value
        return made

    found = put(Ref("policy"), root, "")
    return found if left < 0 else None


def _policy(root: Any, name: str) -> str | None:
    reading = read(yaml.safe_dump(root, allow_unicode=True, sort_keys=False), name)
    return re.sub(r"Mark\([^)]*\)", "", repr(reading.policy)) if reading.policy is not None else None


def test_a_default_that_is_told_of_is_what_holds_when_nothing_is_written() -> None:
    """An example is read without the key and with its default written out: it must be the same policy."""
    files = {sample.name: yaml.load(sample.text, Loader=yaml.BaseLoader) for sample in FOUND}  # noqa: S506  texts only
    tried = set()
    for form, keys in KEY_TEXTS.items():
        for key, said in keys.items():
            told = default_of(said)[0].partition("（")[0]
            # What people say, and what is no value but a way to say it (事件当天), cannot be written and compared.
            if not told or form in ("text", "event", "expect") or form not in FORMS:
                continue
            places = ((name, nth) for name in files for nth in range(2))
            held = ((name, nth) for name, nth in places if _with(files[name], form, key, told, nth) is not None)
            for name, nth in islice(held, 8):
                written = _policy(_with(files[name], form, key, told, nth), name)
                silent = _policy(_with(files[name], form, key, None, nth), name)
                if written is not None and silent is not None:
                    assert written == silent, f"{form}.{key}: {told} is not what holds unless said ({name})"
                    tried.add((form, key))
                    break
    # So that the test cannot come to look at nothing.
    assert len(tried) >= 24, sorted(tried)


def test_what_a_file_uses_is_found_by_its_grammar_in_either_tongue() -> None:
    text = "programme: x\ntiers: [{编号: a, keep: {for: 12 months, then: 降一级}}]\n"
    assert used_in(text) == {
        ("policy", "programme"), ("policy", "tiers"), ("tier", "id"), ("tier", "keep"), ("keep", "for"),
        ("keep", "then"), ("word:keep.then", "one_down"),
    }  # fmt: skip
