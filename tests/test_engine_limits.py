"""Each limit of durable-rules: refused by name before the library sees anything, or laid out around altogether."""

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules import engine
from rules.audit import audit
from rules.engine import Matcher
from rules.network import plan
from rules.pattern import (
    MAX_FIELDS,
    MAX_PENDING,
    AllOf,
    AnyOf,
    Atom,
    EngineLimitExceeded,
    Field,
    Pattern,
    Phase,
    Program,
)
from tests.engine_programs import FIELDS, expected, one_phase


def any_of_each(count, width):
    """`all of` so many `any of` over fields of their own: width ** count alternatives."""
    fields = tuple(Field(f"x{index}", "int") for index in range(count * width))
    parts = [tuple(Atom(f"x{at}", ">=", 1) for at in range(of * width, of * width + width)) for of in range(count)]
    return one_phase(AllOf(tuple(AnyOf(part) for part in parts)), fields=fields)


def nested(depth):
    node = Atom("n", "==", 1)
    for level in range(1, depth):
        node = (AllOf if level % 2 else AnyOf)((node,))
    return one_phase(node)


def choices(count):
    """One alternative with so many lists of values that are no ranges."""
    fields = tuple(Field(f"x{index}", "int") for index in range(count))
    lists = (AnyOf(tuple(Atom(field.name, "==", value) for value in (1, 3, 5))) for field in fields)
    return one_phase(AllOf(tuple(lists)), fields=fields)


def wide(count):
    fields = tuple(Field(f"x{index}", "int") for index in range(count))
    return one_phase(Atom("x0", "==", 1), fields=fields)


def long(count):
    fields = tuple(Field(f"x{index}", "int") for index in range(count))
    return one_phase(AllOf(tuple(Atom(field.name, ">=", 1) for field in fields)), fields=fields)


def heavy(rules, width):
    fields = tuple(Field(f"x{index}", "int") for index in range(width))
    return one_phase(*(AllOf(tuple(Atom(f.name, ">=", rule) for f in fields)) for rule in range(rules)), fields=fields)


def either(value):
    """Two alternatives that share their first condition with every other rule of this kind."""
    return AnyOf((Atom("n", "==", 1), Atom("m", "==", value)))


def values_of(count):
    return one_phase(AnyOf(tuple(Atom("n", "==", 2 * value) for value in range(count))))


@pytest.mark.parametrize(
    ("cap", "rule", "program"),
    [
        ("engine rules", "a programme", lambda: one_phase(*(Atom("n", "==", value) for value in range(4001)))),
        ("alternatives of a rule", "rule 0", lambda: any_of_each(9, 2)),
        ("alternatives of a rule", "rule 0", lambda: any_of_each(12, 8)),
        ("alternatives of a rule", "rule 0", lambda: values_of(32 * 257)),
        ("nesting", "rule 0", lambda: nested(33)),
        ("nesting", "rule 0", lambda: nested(100_000)),
        ("fields of a phase", "phase 1", lambda: wide(201)),
        ("conditions in one alternative", "rule 0", lambda: long(130)),
        ("choices in one alternative", "rule 0", lambda: choices(13)),
        ("conditions of a program", "a programme", lambda: heavy(220, 100)),
        ("integer", "rule 0", lambda: one_phase(Atom("n", ">=", 2**53 + 1))),
        ("integer", "rule 0", lambda: one_phase(Atom("n", ">=", -(2**63)))),
        ("text constant", "rule 0", lambda: one_phase(Atom("s", "==", "go\0ld"))),
        ("text constant", "rule 0", lambda: one_phase(Atom("s", "!=", "\udc00"))),
        ("comparison of text", "rule 0", lambda: one_phase(Atom("s", ">=", "gold"))),
    ],
    ids=[
        "rules", "paths", "many-paths", "values", "nesting", "bottomless", "fields", "steps", "choices", "conditions",
        "2^53+1", "-2^63", "NUL", "surrogate", "text-order",
    ],
)  # fmt: skip
def test_a_programme_beyond_a_limit_is_refused_by_name_before_the_library_sees_it(cap, rule, program, monkeypatch):
    forbid_the_library(monkeypatch)
    made = program()
    with pytest.raises(EngineLimitExceeded) as refused:
        Matcher(made)
    assert (refused.value.cap, refused.value.rule) == (cap, rule)
    assert str(refused.value.got) in str(refused.value)
    assert str(refused.value.allowed) in str(refused.value)


@pytest.mark.parametrize(
    "program",
    [
        one_phase(Atom("unknown", "==", 1)),
        one_phase(Atom("n", "==", "1")),
        one_phase(Atom("n", "==", True)),
        one_phase(Atom("n", "==", 1e-05)),
        one_phase(Atom("n", "==", float("nan"))),
        one_phase(Atom("n", "==", Field("m", "int"))),  # a field compared with a field
        one_phase(Atom("s", "==", 1)),
        one_phase(fields=(Field("n", "int"), Field("n", "text"))),
        Program("p", (Phase(1, FIELDS, (Pattern("a", 2, None),)),)),
        Program("p", (Phase(1, FIELDS, (Pattern("a", 1, None), Pattern("a", 1, None))),)),
        Program("p", (Phase(1, FIELDS, ()), Phase(1, FIELDS, ()))),
        Program("p", (Phase(0, FIELDS, ()),)),
    ],
)
def test_a_programme_that_contradicts_itself_is_refused_before_the_library_sees_it(program, monkeypatch):
    forbid_the_library(monkeypatch)
    with pytest.raises(ValueError, match=r".") as refused:
        Matcher(program)
    assert not isinstance(refused.value, EngineLimitExceeded)


def forbid_the_library(monkeypatch):
    def never(*arguments):
        pytest.fail(f"the library was asked {arguments}")

    for name in dir(engine.library):
        # (What tests before this one compiled may be given back meanwhile, as its matchers are collected.)
        if not name.startswith("_") and name not in ("error", "delete_ruleset"):
            monkeypatch.setattr(engine.library, name, never)


MARKER = {"k": 1}
BEHIND = [("rule", [MARKER, {"a": value}]) for value in range(257)]
TOGETHER = [("rule", [MARKER, {"$gte": {"a": value}}, {"b": 1}]) for value in range(61)]
SAME_END = [("rule", [MARKER, {"a": 1}])] * 129
JUNCTIONS = [("rule", [MARKER, {"$or": [{"a": 1}, {"a": 3}]}, {"b": value}]) for value in range(51)]


@pytest.mark.parametrize(
    ("cap", "rules"),
    [
        ("conditions behind one condition", BEHIND),
        ("conditions found and not yet followed", TOGETHER),
        ("rules with the same last condition", SAME_END),
        ("choices that end in one condition", JUNCTIONS),
    ],
)
def test_the_audit_counts_what_the_layout_already_avoids(cap, rules):
    audit(rules[:-1])
    with pytest.raises(EngineLimitExceeded, match=cap):
        audit(rules)


@pytest.mark.parametrize(
    ("program", "row", "count"),
    [
        (lambda: one_phase(*(Atom("n", ">=", value) for value in range(4000))), (5000, 0, 0, "", ""), 4000),
        (lambda: one_phase(*[Atom("n", "==", 1)] * 300), (1, 0, 0, "", ""), 300),
        (lambda: one_phase(*(Atom("n", "!=", value) for value in range(600))), (-1, 0, 0, "", ""), 600),
        (lambda: values_of(2000), (1998, 0, 0, "", ""), 1),
        (lambda: nested(32), (1, 0, 0, "", ""), 1),
        (lambda: any_of_each(4, 4), (1,) * 16, 1),
        (lambda: choices(12), (3,) * 12, 1),
        (lambda: one_phase(*(either(at) for at in range(200))), (1, 9, 0, "", ""), 200),
        (lambda: heavy(500, 30), (499,) * 30, 500),
        (lambda: wide(MAX_FIELDS), (1,) * MAX_FIELDS, 1),
        (lambda: long(120), (1,) * 120, 1),
    ],
    ids=[
        "64-at-once", "255-same-end", "511-behind", "values", "nesting", "paths", "groups", "127-choices", "heavy",
        "252-properties", "long",
    ],
)  # fmt: skip
def test_what_one_condition_of_the_library_could_not_hold_fires_all_the_same(program, row, count):
    made = program()
    assert plan(made).pending <= MAX_PENDING
    found = Matcher(made).match(1, row)
    assert found == expected(made.phases[0], row)
    assert len(found) == count


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.integers(1, 3500), st.integers(1, 30), st.integers(1, 12), st.randoms(use_true_random=False))
def test_no_layout_of_any_size_comes_near_the_library_s_stack(size, spread, width, random):
    fields = tuple(Field(f"x{index}", "int") for index in range(width))
    parts = [
        AllOf(
            tuple(Atom(random.choice(fields).name, random.choice(("==", ">=")), random.randrange(spread)) for _ in "ab")
        )
        for _ in range(size)
    ]
    assert plan(one_phase(*parts, fields=fields)).pending <= 60


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("[{'k': 1}, {'$gte': {'a': i}}] for i in range(65)", "error code: 303"),
        ("[{'k': 1}, {'a': i}] for i in range(513)", "never ended"),
    ],
    ids=["stack", "hang"],
)
def test_the_library_still_has_the_limits_that_we_keep_away_from(body, outcome):
    script = (
        "import json, durable_rules_engine as e\n"
        f"rules = {{str(n): {{'all': [{{'m': {{'$and': path}}}}]}} for n, path in enumerate({body})}}\n"
        'e.assert_fact(e.create_ruleset("p", json.dumps(rules)), \'{"id":"f","k":1,"a":99}\')\n'
    )
    try:
        said = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=3, check=False
        ).stderr
    except subprocess.TimeoutExpired:
        said = "never ended"
    assert outcome in said


def test_phases_share_handles_only_while_few_rules_have_to_be_looked_through():
    phases = tuple(
        Phase(number, FIELDS, tuple(Pattern(f"r{at}", number, Atom("n", ">=", at)) for at in range(40)))
        for number in range(1, 8)
    )
    laid_out = plan(Program("many", phases))
    assert len(laid_out.definitions) == 4
    matcher = Matcher(Program("many", phases))
    assert all(
        matcher.match(number, (9, 0, 0, "", "")) == tuple(f"r{at}" for at in range(10)) for number in range(1, 8)
    )
