"""The lane: what is asked of durable-rules, that it answers right there, and that nothing can lead out of it."""

import ast
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules import engine
from rules.engine import Matcher
from rules.network import name_hash, plan, short_names
from rules.pattern import (
    MAX_FIELDS,
    MAX_INTEGER,
    AllOf,
    AnyOf,
    Atom,
    EngineFault,
    FactRefused,
    Field,
    Pattern,
    Phase,
    Program,
    negated,
)
from tests.engine_programs import FIELDS, HOSTILE, SIGNS, expected, holds, nodes, one_phase, programs, rows, spy

# ---- right -----------------------------------------------------------------------------------------------------------


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(programs(), st.lists(rows, min_size=1, max_size=30))
def test_any_program_fires_on_any_row_what_its_definition_says(program, drawn):
    matcher = Matcher(program)
    for values in drawn:
        for phase in program.phases:
            assert matcher.match(phase.number, values) == expected(phase, values)
    assert matcher.faults == 0


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(programs(), st.lists(rows, min_size=5, max_size=20))
def test_eight_threads_on_one_matcher_each_get_their_own_answers(program, drawn):
    matcher = Matcher(program)
    asked = [(phase.number, values, expected(phase, values)) for phase in program.phases for values in drawn]
    start = threading.Barrier(8)

    def work(offset):
        start.wait()
        turned = asked[offset % len(asked) :] + asked[: offset % len(asked)]
        return sum(matcher.match(number, values) != right for _ in range(20) for number, values, right in turned)

    # Threads give way after every few instructions, so that they do meet inside a judgement.
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(work, range(8))) == 0
    finally:
        sys.setswitchinterval(before)
    assert matcher.faults == 0


@pytest.mark.parametrize("text", HOSTILE)
def test_text_equals_itself_and_nothing_else_and_nothing_in_it_is_read(text):
    program = one_phase(
        *(Atom("s", "==", one) for one in HOSTILE), *(Atom("s", "!=", one) for one in HOSTILE), Atom("n", "==", 5)
    )
    matcher = Matcher(program)
    right = expected(program.phases[0], (5, 0, 0, text, ""))
    assert len(right) == len(HOSTILE) + 1
    assert matcher.match(1, (5, 0, 0, text, text)) == right


@pytest.mark.parametrize("text", ["\0", "gold\0", "\ud800", "\udfff gold", "b" * 1_000_000, "id", "𠮷"])
def test_text_that_no_rule_names_equals_nothing(text):
    matcher = Matcher(one_phase(Atom("s", "==", "gold"), Atom("s", "!=", "gold")))
    assert matcher.match(1, (0, 0, 0, text, text)) == ("rule 1",)


def test_no_text_of_policy_or_fact_reaches_the_library(monkeypatch):
    seen = []
    for name in ("create_ruleset", "assert_fact", "retract_fact"):
        monkeypatch.setattr(engine.library, name, spy(getattr(engine.library, name), seen))
    rule = Pattern("secret rule", 1, AllOf((Atom("secret field", "==", "secret constant"), Atom("n", ">=", 4711))))
    program = Program("secret name", (Phase(1, (Field("secret field", "text"), Field("n", "int")), (rule,)),))
    assert Matcher(program).match(1, ("secret constant", 4711)) == ("secret rule",)
    assert Matcher(program).match(1, ("secret value", 4711)) == ()
    said = " ".join(str(argument) for arguments in seen for argument in arguments)
    assert "4711" in said
    assert "secret" not in said


def test_ids_come_in_the_order_of_declaration_and_once_however_often_they_hold():
    twice = AnyOf((Atom("n", ">=", 1), Atom("m", ">=", 1), AllOf((Atom("n", ">=", 2), Atom("m", ">=", 2)))))
    same = Atom("flag", "==", 1)
    matcher = Matcher(one_phase(same, twice, None, same, AnyOf(()), AllOf(()), twice))
    assert matcher.match(1, (5, 5, 1, "", "")) == ("rule 0", "rule 1", "rule 2", "rule 3", "rule 5", "rule 6")


def test_a_programme_of_nothing_fires_nothing():
    assert Matcher(Program("empty", (Phase(1, (), ()),))).match(1, ()) == ()
    assert Matcher(Program("always", (Phase(3, (), (Pattern("a", 3, None),)),))).match(3, ()) == ("a",)


def test_phases_do_not_see_one_another():
    first = Phase(1, (Field("x", "int"),), (Pattern("a", 1, Atom("x", ">=", 0)),))
    second = Phase(2, (Field("y", "int"),), (Pattern("a", 2, Atom("y", "<", 0)),))
    matcher = Matcher(Program("two", (first, second)))
    assert matcher.match(1, (1,)) == ("a",)
    assert matcher.match(2, (1,)) == ()
    with pytest.raises(KeyError):
        matcher.match(3, (1,))


@given(nodes, rows)
def test_the_negated_condition_holds_exactly_when_the_condition_does_not(node, values):
    row = {field.name: value for field, value in zip(FIELDS, values, strict=True)}
    assert holds(negated(node), row) != holds(node, row)


# ---- rows that do not fit --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((True, 0, 0, "", ""), "n is int, got bool"),
        ((0, 1.0, 0, "", ""), "m is int, got float"),
        ((0, 1e-05, 0, "", ""), "m is int, got float"),
        ((0, float("nan"), 0, "", ""), "m is int, got float"),
        ((0, "5", 0, "", ""), "m is int, got str"),
        ((0, "\ud800", 0, "", ""), "m is int, got str"),
        ((None, 0, 0, "", ""), "n is int, got NoneType"),
        (([7], 0, 0, "", ""), "n is int, got list"),
        ((0, 0, 0, 5, ""), "s is text, got int"),
        ((0, 0, 0, b"gold", ""), "s is text, got bytes"),
        ((0, 0, 0, "", None), "t is text, got NoneType"),
        ((2**53 + 1, 0, 0, "", ""), "n is beyond"),
        ((0, -(2**53) - 1, 0, "", ""), "m is beyond"),
        ((2**64, 0, 0, "", ""), "n is beyond"),
        ((-(10**400), 0, 0, "", ""), "n is beyond"),
        ((0, 0, 0, ""), "has 5 fields, the row has 4"),
        ((0, 0, 0, "", "", 0), "has 5 fields, the row has 6"),
        ((), "has 5 fields, the row has 0"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_in_words_and_costs_no_handle(values, words):
    program = one_phase(Atom("n", "<=", 9), Atom("m", "<=", 9), Atom("s", "!=", "gold"))
    matcher = Matcher(program)
    with pytest.raises(FactRefused, match=words):
        matcher.match(1, values)
    assert matcher.match(1, (0, 0, 0, "", "")) == ("rule 0", "rule 1", "rule 2")
    assert matcher.faults == 0


@pytest.mark.parametrize("value", [2**53, 2**53 - 1, -(2**53), 1 - 2**53])
def test_the_largest_integers_are_compared_exactly(value):
    around = [one for one in (value - 1, value, value + 1) if abs(one) <= MAX_INTEGER]
    program = one_phase(*(Atom("n", sign, one) for one in around for sign in SIGNS))
    assert Matcher(program).match(1, (value, 0, 0, "", "")) == expected(program.phases[0], (value, 0, 0, "", ""))


# ---- only the lane ---------------------------------------------------------------------------------------------------

LANE = {
    "create_ruleset", "delete_ruleset", "assert_fact", "retract_fact", "start_action_for_state",
    "complete_and_start_action",
}  # fmt: skip


def test_only_the_engine_imports_the_library_and_it_calls_nothing_outside_the_lane():
    """No Host and no timers of its, no post, no batch, no sid, no delete_state: they are not even named."""
    root = Path(engine.__file__).parents[1]
    importers = set()
    for path in (one for package in ("api", "tierengine", "rules") for one in (root / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            importers |= {(path.name, module) for module in modules if module.startswith("durable")}
    assert importers == {("engine.py", "durable_rules_engine")}
    tree = ast.parse(Path(engine.__file__).read_text(encoding="utf-8"))
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "library"]
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.value in named]
    assert len(named) == len(used)
    assert {node.attr for node in used} == LANE


@given(programs())
def test_every_rule_is_one_pattern_over_one_fact_and_asks_the_discriminator_first(program):
    network_ = plan(program)
    for definition in network_.definitions:
        for name, rule in json.loads(definition).items():
            assert len(name) == 3
            ((key, (pattern,)),) = rule.items()
            assert (key, list(pattern)) == ("all", ["m"])
            assert pattern["m"]["$and"][0] in ({"k": 1}, {"k": 7})
            assert '"$or":[{"$or"' not in json.dumps(rule, separators=(",", ":"))
    for phase in network_.phases.values():
        fact = json.loads(phase.template.replace("%d", "0"))
        assert fact["id"] == "f"
        assert "sid" not in fact
        assert {fact[name] for name in fact if name not in ("id", "k")} <= {0}


def test_property_names_never_share_the_library_s_hash():
    assert name_hash("liquid") == name_hash("costarring")
    assert name_hash("id") == 926444256  # HASH_ID and HASH_SID of the library's state.h
    assert name_hash("sid") == 3593476751
    names = [name for name, _ in zip(short_names(), range(MAX_FIELDS), strict=False)]
    assert len({name_hash(name) for name in (*names, "id", "sid", "k", "$s")}) == MAX_FIELDS + 4
    assert not any("." in name for name in names)


# ---- faults ----------------------------------------------------------------------------------------------------------


def failing(error):
    def fail(*_):
        raise error

    return fail


ODD = {
    "assert_fact": [None, (2, 1), (3, 1), (101, 0), 0, (0,), "", MemoryError(), RuntimeError("203")],
    "start_action_for_state": [None, ("{}", None), ("{}", ""), ("{}", '{"zzz":{}}'), RuntimeError("309")],
    "complete_and_start_action": ["", '{"zzz":{}}', '{"000":{}}', 7, RuntimeError("111"), MemoryError()],
    "retract_fact": [None, (1, 1), (305, 1), (2, 1), RuntimeError("305")],
}


@pytest.mark.parametrize(
    ("name", "answer"), [(name, answer) for name, answers in ODD.items() for answer in answers], ids=repr
)
def test_an_odd_answer_costs_one_judgement_and_one_handle(name, answer, monkeypatch):
    program = one_phase(Atom("n", ">=", 1), Atom("m", ">=", 1))
    matcher = Matcher(program)
    row = (1, 1, 0, "", "")
    before = matcher._idle[0][0]
    deleted = []
    monkeypatch.setattr(engine.library, "delete_ruleset", spy(engine.library.delete_ruleset, deleted))
    with monkeypatch.context() as broken:
        broken.setattr(engine.library, name, failing(answer) if isinstance(answer, Exception) else lambda *_: answer)
        with pytest.raises(EngineFault, match="a programme: the rule engine failed in phase 1"):
            matcher.match(1, row)
    assert matcher.faults == 1
    assert deleted.count((before,)) == 1
    assert matcher.match(1, row) == ("rule 0", "rule 1")
    assert matcher.faults == 1


def test_an_interrupt_costs_the_handle_but_stays_an_interrupt(monkeypatch):
    matcher = Matcher(one_phase(Atom("n", ">=", 1)))
    with monkeypatch.context() as interrupted:
        interrupted.setattr(engine.library, "complete_and_start_action", failing(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            matcher.match(1, (1, 0, 0, "", ""))
    assert matcher.faults == 1
    assert matcher.match(1, (0, 0, 0, "", "")) == ()


@pytest.mark.parametrize("name", ["create_ruleset", "assert_fact"])
def test_a_programme_that_the_library_does_not_take_is_a_fault_too(name, monkeypatch):
    monkeypatch.setattr(engine.library, name, failing(RuntimeError("error code: 106")))
    with pytest.raises(EngineFault, match="did not take the program"):
        Matcher(one_phase(Atom("n", ">=", 1)))


def test_a_closed_or_forgotten_matcher_gives_its_handles_back(monkeypatch):
    deleted = []
    monkeypatch.setattr(engine.library, "delete_ruleset", spy(engine.library.delete_ruleset, deleted))
    closed = Matcher(one_phase(Atom("n", ">=", 1)))
    handle = closed._idle[0][0]
    closed.close()
    closed.close()
    # Other tests' matchers may be forgotten meanwhile, so only these handles are counted.
    assert deleted.count((handle,)) == 1
    with pytest.raises(EngineFault, match="closed"):
        closed.match(1, (1, 0, 0, "", ""))
    forgotten = Matcher(one_phase(Atom("n", ">=", 1)))
    handle = forgotten._idle[0][0]
    del forgotten
    assert (handle,) in deleted


# ---- for ever --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells memory by /proc")
def test_a_hundred_thousand_judgements_leave_no_memory_behind():
    matcher = Matcher(one_phase(*(Atom("n", ">=", value) for value in range(8)), Atom("s", "==", "gold")))
    drawn = [(value, -value, value % 2, HOSTILE[value % len(HOSTILE)], "") for value in range(-5, 15)]

    def resident():
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096

    def judge(times):
        for _ in range(times // len(drawn)):
            for values in drawn:
                matcher.match(1, values)

    judge(10_000)
    before = resident()
    judge(100_000)
    # A fact that stayed would be 9 kB, a rule's answer that was not freed 100 bytes or more.
    assert resident() - before < 2_000_000
