"""What conditions become: small programs read in full, absence in every operator, and the limits."""

import json
from itertools import combinations
from pathlib import Path

import pytest

from rules import policy as ast
from rules.compiler import compile_policy
from rules.engine import Matcher
from rules.inputs import ABSENT, Inputs, Judged, PolicyNotCompilable, Rows, StandingTiers
from rules.judge import Ruleset
from rules.pattern import AllOf, AnyOf, Atom
from tests import oracle_judge as oracle
from tests.policy_strategies import KIND, TITLE, is_at_least, minimal, priced_when, reward, trait_count

GOLDEN = Path(__file__).parent / "golden" / "compiled_policy.json"


def asked(source, name, op, value, of=()):
    return ast.Test(ast.Subject(source, name, of), op, value)


def written(node):
    """Write a node as a sentence, so that a golden file is read and not only compared."""
    match node:
        case None:
            return "always"
        case Atom(field, op, value):
            return f"{field} {op} {'absent' if value == ABSENT else json.dumps(value)}"
        case AllOf(parts) | AnyOf(parts):
            word = " and " if isinstance(node, AllOf) else " or "
            return word.join(written(part) if isinstance(part, Atom) else f"({written(part)})" for part in parts)


def written_stage(program, stage):
    phases = {phase.number: phase for phase in program.phases}
    result = {}
    for one in stage.passes():
        phase = phases.get(one.phase)
        result[f"phase {one.phase}"] = {
            "fields": [f"{field.name}: {field.kind}" for field in one.layout.fields],
            "patterns": {pattern.rule: written(pattern.when) for pattern in phase.patterns} if phase else {},
            "always": sorted(one.always),
        }
    return result


def club():
    """A small club with one of everything that is compiled."""
    overdue = asked("attribute", "overdue", "more_than", 90)
    special = asked("field", "special", "is", 1)
    used = asked("field", "used", "is", 1)
    lately = asked("fact", "quiet_days", "at_most", 9)
    parts = asked("field", "category", "in", ("parts", "oil"))
    tests = tuple(asked("fact", name, "at_least", 1) for name in ("bought", "spent", "largest", "smallest"))
    many = (*tests, *(asked("fact", "bought", "at_least", number) for number in range(2, 8)))
    key_account = asked("attribute", "segment", "is", "key_account")
    return minimal(
        traits={
            "buyer": ast.AnyOf((is_at_least("bought", 2), is_at_least("spent", 20_000))),
            "grower": ast.AllOf((is_at_least("growth", 13_000), ast.NoneOf((lately,)))),
            "known": None,
            "three_of_four": ast.CountOf(3, tests),
            "five_of_ten": ast.CountOf(5, many),
        },
        attested=("known",),
        tiers=(
            ("basic", None, None),
            ("silver", trait_count(1), None),
            (
                "gold",
                ast.AllOf((trait_count(2), asked("traits", "", "at_least", 1, ("known", "buyer")))),
                ast.AnyOf((key_account, overdue)),
            ),
        ),
        lists=(
            ast.MemberList("to_court", TITLE, ast.AllOf((trait_count(2), asked("fact", "bought", "is", 0)))),
            ast.MemberList("one_short", TITLE, None, "gold", 1),
        ),
        wallets=(ast.Wallet("purse", TITLE, "money", ("parts",), None, suspended_when=overdue),),
        awards=(ast.Award("title", TITLE, ("gold",), 6, overdue, (), (), 0, 0, 0, 0, 0),),
        prices=(ast.Price("fair", TITLE, ("silver", "gold"), ast.AllOf((parts, ast.NoneOf((special,)))), 9_500),),
        rewards=(
            reward("ladder", ast.NoneOf((used,)), asked("trait", "known", "is", 1), ("gold",), "order"),
            reward("points", parts, on=(KIND, "contact")),
            reward("thanks", on=("contact",)),
        ),
        emissions=(ast.Emission("passed", TITLE, (KIND,), "referrer", "brought", (), "buyer"),),
    )  # fmt: skip


def test_a_small_club_compiles_to_the_patterns_on_file():
    compiled = compile_policy(club())
    stages = {"traits": compiled.traits, "standing": compiled.standing, "prices": compiled.prices, **compiled.kinds}
    found = {name: written_stage(compiled.program, stage) for name, stage in stages.items()}
    if not GOLDEN.exists():
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        pytest.fail(f"{GOLDEN.name} was not there and is written anew: read it before it is committed")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


# operator, constant → does it hold of 4, of 5, of 6, of an absent value; `none` of it is the opposite in all four
ABSENCE = {
    ("at_least", 5): (False, True, True, False),
    ("more_than", 5): (False, False, True, False),
    ("at_most", 5): (True, True, False, False),
    ("less_than", 5): (True, False, False, False),
    ("is", 5): (False, True, False, False),
    ("is_not", 5): (True, False, True, False),
    ("in", (4, 5)): (True, True, False, False),
    ("not_in", (4, 5)): (False, False, True, False),
}
NOBODY = Judged(frozenset(), (True,), (True,), (False,), frozenset(), frozenset(), frozenset())


@pytest.mark.parametrize(("source", "name"), [("fact", "largest"), ("attribute", "overdue"), ("field", "amount")])
@pytest.mark.parametrize("negate", [False, True], ids=["plain", "none"])
@pytest.mark.parametrize("op", ABSENCE, ids=lambda op: op[0])
def test_no_comparison_holds_of_an_absent_number_and_none_of_it_does(op, negate, source, name):
    test = asked(source, name, *op)
    ruleset = Ruleset(priced_when(ast.NoneOf((test,)) if negate else test))
    for value, holds in zip((4, 5, 6, None), ABSENCE[op], strict=True):
        found = ruleset.prices(KIND, [{name: value}], None, Inputs({name: value}, {name: value}), NOBODY)
        assert found == [("price",) if holds != negate else ()], value


@pytest.mark.parametrize(("source", "name"), [("attribute", "segment"), ("field", "category")])
@pytest.mark.parametrize("negate", [False, True], ids=["plain", "none"])
@pytest.mark.parametrize(
    ("op", "required", "held"),
    [
        ("is", "red", (True, False, False, False)),
        ("is_not", "red", (False, True, False, False)),
        ("in", ("red", "blue"), (True, False, False, False)),
        ("not_in", ("red", "blue"), (False, True, False, False)),
    ],
)
def test_no_comparison_holds_of_an_absent_or_empty_text_and_none_of_it_does(op, required, held, negate, source, name):
    test = asked(source, name, op, required)
    ruleset = Ruleset(priced_when(ast.NoneOf((test,)) if negate else test))
    for value, holds in zip(("red", "a text no rule names", None, ""), held, strict=True):
        found = ruleset.prices(KIND, [{name: value}], None, Inputs({}, {name: value}), NOBODY)
        assert found == [("price",) if holds != negate else ()], value


def test_only_what_may_be_absent_is_asked_whether_it_is():
    at_most = (asked("fact", name, "at_most", 5) for name in ("bought", "spent", "largest"))
    (phase,) = compile_policy(priced_when(ast.AllOf(tuple(at_most)))).program.phases
    assert written(phase.patterns[0].when) == (
        "fact.bought <= 5 and fact.spent <= 5 and fact.largest != absent and fact.largest <= 5"
    )


def test_the_members_half_of_a_row_comes_before_the_lines():
    condition = ast.AllOf(
        (asked("field", "amount", "at_least", 1), is_at_least("largest", 1), is_at_least("bought", 1))
    )
    stage = compile_policy(priced_when(condition)).prices
    assert [field.name for field in stage.layout.fields] == ["fact.bought", "fact.largest", "field.amount"]
    rows = Rows(stage.layout)
    inputs = Inputs({"bought": 3, "largest": None}, {})
    assert rows.member(inputs, frozenset(), inputs) + rows.line({"amount": 7}) == [3, ABSENT, 7]


@pytest.mark.parametrize("least", range(11))
@pytest.mark.parametrize("negate", [False, True], ids=["plain", "none"])
def test_at_least_k_of_nine_is_the_same_written_out_or_counted(least, negate):
    parts = tuple(asked("field", f"f{number}", "is", 1) for number in range(9))
    counted = ast.CountOf(least, parts)
    ruleset = Ruleset(priced_when(ast.NoneOf((counted,)) if negate else counted))
    lines = [{f"f{number}": 1 for number in some} for size in range(10) for some in combinations(range(9), size)]
    found = ruleset.prices(KIND, lines, None, Inputs({}, {}), NOBODY)
    assert found == [("price",) if (len(line) >= least) != negate else () for line in lines]


def test_a_wide_count_becomes_a_pass_of_its_own_and_a_narrow_one_does_not():
    parts = tuple(asked("field", f"f{number}", "is", 1) for number in range(9))
    assert compile_policy(priced_when(ast.CountOf(4, parts))).prices.earlier is not None
    assert compile_policy(priced_when(ast.CountOf(8, parts))).prices.earlier is None
    assert compile_policy(priced_when(ast.CountOf(2, parts))).prices.earlier is None


def test_conditions_with_more_alternatives_than_the_engine_takes_are_judged_in_parts():
    choices = tuple(
        ast.AnyOf(tuple(asked("field", f"f{group}{number}", "is", 1) for number in range(4))) for group in range(6)
    )
    policy = priced_when(ast.AllOf(choices))
    ruleset = Ruleset(policy)
    lines = [{f"f{group}{group % 4}": 1 for group in range(6)}, {f"f{group}0": 1 for group in range(5)}]
    assert ruleset.prices(KIND, lines, None, Inputs({}, {}), NOBODY) == [("price",), ()]
    assert oracle.prices(policy, lines, None, Inputs({}, {}), frozenset()) == [("price",), ()]


def test_none_of_many_tests_on_values_that_may_be_absent_stays_one_alternative():
    parts = tuple(asked("field", f"f{number}", "at_most", 5) for number in range(12))
    ruleset = Ruleset(priced_when(ast.NoneOf(parts)))
    lines = [{}, {"f3": 5}, {f"f{number}": 6 for number in range(12)}]
    assert ruleset.prices(KIND, lines, None, Inputs({}, {}), NOBODY) == [("price",), (), ("price",)]


def test_three_hundred_articles_are_one_rule_of_the_engine():
    articles = tuple(f"article-{number}" for number in range(300))
    ruleset = Ruleset(priced_when(asked("field", "item", "in", articles)))
    lines = [{"item": "article-0"}, {"item": "article-299"}, {"item": "article-300"}, {}]
    assert ruleset.prices(KIND, lines, None, Inputs({}, {}), NOBODY) == [("price",), ("price",), (), ()]


def test_traits_are_counted_whole_or_as_named_whatever_the_order():
    one, other = ("buyer", "known"), ("known", "buyer")
    condition = ast.AllOf(tuple(asked("traits", "", "at_least", 1, of) for of in ((), one, other)))
    stage = compile_policy(priced_when(condition)).prices
    assert [field.name for field in stage.layout.fields] == ["traits", "traits.buyer+known"]
    ruleset = Ruleset(priced_when(condition))
    for met, holds in ((("owner", "grower"), False), (("owner", "known"), True)):
        judged = Judged(frozenset(met), (True,), (True,), (False,), frozenset(), frozenset(), frozenset())
        assert ruleset.prices(KIND, [{}], None, Inputs({}, {}), judged) == [("price",) if holds else ()]


def test_a_rule_that_is_always_or_never_true_costs_the_engine_nothing():
    never = reward("never", ast.AnyOf(()), on=("contact",))
    compiled = compile_policy(minimal(rewards=(reward("thanks"), never)))
    assert compiled.program.phases == ()
    ruleset = Ruleset(minimal(rewards=(reward("thanks"), never)))
    asks = [{}], StandingTiers(None, None), Inputs({}, {}), NOBODY
    assert ruleset.rewards(KIND, *asks) == {"thanks": (0,)}
    assert ruleset.rewards("contact", *asks) == {}


def test_a_policy_without_any_condition_judges_everybody_the_same():
    judged = Ruleset(minimal()).judge(Inputs({}, {}))
    assert judged == NOBODY


REFUSED = {
    "a trait that asks for a trait": minimal(traits={"a": asked("trait", "a", "is", 1)}),
    "a trait that counts traits": minimal(traits={"a": trait_count(1)}),
    "a trait that asks for an event": minimal(traits={"a": asked("field", "amount", "is", 1)}),
    "a tier that asks for an event": minimal(tiers=(("basic", None, asked("field", "amount", "is", 1)),)),
    "a fact that is not there": minimal(traits={"a": is_at_least("unheard_of", 1)}),
    "a trait that is not there": priced_when(asked("trait", "unheard_of", "is", 1)),
    "traits that are not there": priced_when(asked("traits", "", "at_least", 1, ("buyer", "unheard_of"))),
    "a tier that is not there": priced_when(asked("tier", "", "is", "unheard_of")),
    "a reward for a tier that is not there": minimal(rewards=(reward("a", for_tiers=("unheard_of",)),)),
    "text in order": priced_when(asked("field", "category", "at_least", "parts")),
    "tiers in order": priced_when(asked("tier", "", "at_least", "basic")),
    "a fact that is text": priced_when(asked("fact", "bought", "is", "two")),
    "text and numbers": priced_when(asked("field", "category", "in", ("parts", 1))),
    "text here and numbers there": minimal(
        rewards=(
            reward("a", asked("field", "category", "is", "parts")),
            reward("b", asked("field", "category", "is", 1), on=("contact",)),
        )
    ),
    "a list of nothing": priced_when(asked("field", "category", "in", ())),
    "one value where a list belongs": priced_when(asked("field", "category", "in", "parts")),
    "a list where one value belongs": priced_when(asked("field", "category", "is", ("parts",))),
    "the empty text": priced_when(asked("field", "category", "is", "")),
    "a number below all": priced_when(asked("field", "amount", "at_least", ABSENT)),
    "a reward and an emission of one id": minimal(
        rewards=(reward("a"),), emissions=(ast.Emission("a", TITLE, (KIND,), "to", "brought", (), "buyer"),)
    ),
    "short of a tier that asks for nothing": minimal(lists=(ast.MemberList("a", TITLE, None, "basic", 1),)),
}


@pytest.mark.parametrize("policy", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_judged_is_refused_before_anything_is_built(policy):
    with pytest.raises(PolicyNotCompilable):
        compile_policy(policy)


def test_a_refusal_says_where():
    test = ast.Test(ast.Subject("fact", "unheard_of"), "at_least", 1, ast.Mark(12, 7))
    with pytest.raises(PolicyNotCompilable, match=r"fact\.unheard_of \(line 12, column 7\): is not in the policy"):
        compile_policy(minimal(traits={"a": test}))


def test_the_program_is_one_that_the_engine_takes():
    compiled = compile_policy(club())
    numbers = [phase.number for phase in compiled.program.phases]
    assert numbers == sorted(set(numbers))
    Matcher(compiled.program)
