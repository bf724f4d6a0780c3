"""policies.yaml: it reads without a word of complaint, holds the whole programme, and says whose each number is."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent.parent
FILE = HERE / "policies.yaml"

TRAITS = (
    "early_entrant", "repeat_buyer", "trusted_contact", "large_fleet", "peer_influence", "growth_potential",
    "information_source",
)  # fmt: skip


@pytest.fixture(scope="module")
def text() -> str:
    return FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def outcome(text):
    from rules.reader import read

    return read(text, FILE.name)


@pytest.fixture(scope="module")
def policy(outcome):
    assert outcome.policy is not None, outcome.show("zh")
    return outcome.policy


def test_the_file_is_read_without_errors_and_without_warnings(outcome):
    assert outcome.policy is not None, outcome.show("zh")
    assert list(outcome.problems) == []


# ---- the whole programme is there --------------------------------------------------------------------------------


def test_all_seven_traits_are_there_in_the_articles_order(policy):
    assert tuple(policy.traits) == TRAITS


def test_three_levels_stand_from_the_loosest_to_the_closest(policy):
    assert tuple(policy.levels) == ("clip", "zipper", "velcro")
    assert [(tier.id, tier.level) for tier in policy.tiers] == [
        ("customer", "clip"), ("member", "zipper"), ("gold", "velcro"),
    ]  # fmt: skip
    assert policy.segments == {"key_account": "velcro", "benchmark": "zipper"}


def test_all_eight_services_are_there(policy):
    velcro = policy.levels["velcro"]
    entitlements = {item.id: item for item in velcro.entitlements}
    assert policy.rewards["welcome_gift"].wallet == "parts_credit"  # 1
    assert policy.rewards["referral_ladder"].wallet == "parts_credit"  # 2 and 3
    assert policy.prices["gold_price"].pay_bp == 9_500  # 4
    assert entitlements["consulting"].quota is None  # 5, free
    assert {"product_show", "literature"} <= set(entitlements)  # 6
    assert "vip_social" in entitlements  # 7
    assert policy.awards["gold_user"].prize == 500_000  # 8


def test_each_level_gives_at_least_the_entitlements_and_duties_of_the_one_below(policy):
    levels = sorted(policy.levels.values(), key=lambda level: level.rank)
    for lower, higher in pairwise(levels):
        assert {item.id for item in lower.entitlements} <= {item.id for item in higher.entitlements}
        duties = {duty.id: duty.within_minutes for duty in higher.duties}
        for duty in lower.duties:
            assert duties[duty.id] <= duty.within_minutes, f"{higher.id} may be later than {lower.id}: {duty.id}"
        for item in lower.entitlements:
            more = next(other for other in higher.entitlements if other.id == item.id)
            price = item.quota is None and item.note.zh in ("按标价收费", "按标价")  # without limit, but paid for
            assert price or more.quota is None or (item.quota is not None and more.quota >= item.quota)


def test_the_articles_own_numbers_are_as_the_articles_give_them(policy):
    from rules.policy import AllOf, ByClass, Ladder, Rung, Test

    gold = policy.tier("gold")
    assert isinstance(gold.when, AllOf)
    counted = [part for part in gold.when.parts if isinstance(part, Test) and part.subject.source == "traits"]
    assert [(part.op, part.value) for part in counted] == [("at_least", 2)]
    welcome, ladder = policy.rewards["welcome_gift"].amount, policy.rewards["referral_ladder"].amount
    assert isinstance(welcome, ByClass)
    assert isinstance(ladder, ByClass)
    assert welcome.otherwise == Ladder((Rung(1, 1, 100_000),))
    assert ladder.otherwise == Ladder((Rung(1, 1, 100_000), Rung(2, 3, 150_000)))
    assert policy.manager_limit == 10
    due = {duty.id: duty for duty in policy.levels["velcro"].duties}
    assert due["contact"].every_months == 1
    assert due["welcome_pack"].within_minutes == 30 * 24 * 60


def test_one_machine_earns_service_one_or_a_rung_and_service_one_wins_a_tie(policy):
    welcome, ladder = policy.rewards["welcome_gift"].exclusive, policy.rewards["referral_ladder"].exclusive
    assert welcome is not None
    assert ladder is not None
    assert (welcome.group, welcome.key) == (ladder.group, ladder.key) == ("machine", "serial")
    assert welcome.priority < ladder.priority


def test_parts_credit_and_the_prize_are_for_gold_members_alone(policy):
    credit = [reward for reward in policy.rewards.values() if reward.wallet == "parts_credit"]
    # What is owed for coming late belongs to the service level, which key accounts have too.
    late = [reward for reward in credit if reward.on == ("repair_step",)]
    assert {reward.for_levels for reward in late} == {("velcro",)}
    assert all(reward.for_tiers == ("gold",) for reward in credit if reward not in late)
    assert all(award.tiers == ("gold",) for award in policy.awards.values())


def test_the_examples_are_many_and_each_expects_something(policy):
    assert len(policy.examples) >= 14
    assert all(example.given and example.expect for example in policy.examples)
    assert len({example.title for example in policy.examples}) == len(policy.examples)


def test_every_example_comes_out_as_it_says_and_every_reward_and_price_is_in_one(policy):
    from rules.judge import Ruleset
    from tierengine.policies.examples import run_examples

    verdicts = run_examples(Ruleset(policy))
    assert {one.example.title: (one.wrong, one.parked) for one in verdicts if not one.passed} == {}
    exercised = frozenset[str]().union(*(one.rules for one in verdicts))
    assert set(policy.rewards) | set(policy.prices) <= exercised


# ---- what the articles leave open can be said otherwise -----------------------------------------------------------

LADDER = "第几次: {1: 1000 元, 2-3: 1500 元, 之后: "
ALTERNATIVES = {
    "three traits, the strict form": [
        ("        - 特点: {不低于: 2}                     # 原文：", "        - 特点: {不低于: 3}  # "),
    ],
    "a person confirms gold": [
        ("    晋级方式: 自动 ", "    # "),
        ("    # 晋级方式: 经确认", "    晋级方式: 经确认"),
        ("    # 确认期限: 90 天", "    确认期限: 90 天"),
    ],
    "the fourth machine and later, capped": [
        (f"    {LADDER}无}} ", "    # "),
        (f"    # {LADDER}1500 元}}", f"    {LADDER}1500 元}}"),
        ("    # 封顶: {每年: 10000 元}", "    封顶: {每年: 10000 元}"),
    ],
}


@pytest.mark.parametrize("changes", ALTERNATIVES.values(), ids=ALTERNATIVES)
def test_the_alternatives_in_the_comments_are_read_too(text, changes):
    from rules.reader import read

    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    outcome = read(text, FILE.name)
    assert outcome.policy is not None, outcome.show("zh")
    assert list(outcome.problems) == []


# ---- whose each number is ----------------------------------------------------------------------------------------

ARTICLES, OURS = "原文", "建议值"
NUMBER = re.compile(r"[0-9]")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-/]*")


def comment_of(line: str) -> str:
    """Return the comment of a line; no value of this file holds a `#`."""
    return line.partition("#")[2]


def comments_above(lines: list[str], number: int) -> str:
    """Return the comment lines that stand directly above line `number` (from 1)."""
    above = []
    for line in reversed(lines[: number - 1]):
        if not line.lstrip().startswith("#"):
            break
        above.append(line)
    return " ".join(above)


def unmarked_numbers(text: str) -> list[str]:
    """List the lines whose numbers say neither on the line nor above a key they stand under whose they are."""
    lines = text.splitlines()
    found: dict[int, str] = {}

    def marked(places: tuple[int, ...]) -> bool:
        said = (comment_of(lines[number - 1]) + comments_above(lines, number) for number in places)
        return any(ARTICLES in one or OURS in one for one in said)

    def walk(node: yaml.Node, places: tuple[int, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = (*places, key.start_mark.line + 1)
                walk(key, here)
                walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                walk(item, (*places, item.start_mark.line + 1))
        elif NUMBER.search(node.value) and not NAME.fullmatch(node.value):
            line = node.start_mark.line + 1
            if not marked((*places, line)):
                found[line] = f"{line}: {lines[line - 1].strip()}"

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    for key, value in root.value:
        if key.value not in ("示例", "examples"):  # dates and amounts of made-up cases
            walk(value, (key.start_mark.line + 1,))
    return [found[line] for line in sorted(found)]


def test_every_number_says_whether_it_is_the_articles_or_ours(text):
    assert unmarked_numbers(text) == []


def test_a_number_without_its_origin_is_found():
    file = "钱包:\n  a: {到期日: 24 个月}\n  b: {到期日: 24 个月}  # 建议值,非原文\n  # 原文\n  c:\n    提醒: 3 天\n"
    assert unmarked_numbers(file) == ["2: a: {到期日: 24 个月}"]


def test_the_keys_are_chinese_and_stand_once_each(text):
    from rules.keys import KEYS

    english = set(KEYS) - set(KEYS.values())
    wrong: list[str] = []

    def walk(node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            wrong.extend(f"twice: {key}" for key in set(keys) if keys.count(key) > 1)
            for key, value in node.value:
                # `points` and `contact` are ids of a wallet and a duty here; a key of the grammar never begins there.
                if key.value in english - {"points"}:
                    wrong.append(f"{key.start_mark.line + 1}: {key.value}")
                walk(value)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                walk(item)

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert root is not None
    walk(root)
    assert wrong == []


# ---- the names stand in the file alone ---------------------------------------------------------------------------


def names_in_decisions(source: str, names: set[str]) -> list[str]:
    """List the `names` that Python compares with or matches on."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare | ast.MatchValue):
            found += [
                f"{part.lineno}: {part.value}"
                for part in ast.walk(node)
                if isinstance(part, ast.Constant) and part.value in names
            ]
    return found


def ids_of(text: str) -> set[str]:
    """Return the ids that the file defines and that are no words of the grammar or the vocabulary."""
    from rules.keys import KEYS, WORDS
    from rules.vocabulary import ATTRIBUTES, CATEGORIES, FIELDS, KINDS

    file = yaml.safe_load(text)
    ids = {tier["编号"] for tier in file["等级"]} | set(file["客户分类对应级别"])
    for section in ("指标", "特点", "名单", "钱包", "价格", "传递", "奖励", "服务级别", "评选"):
        ids |= set(file[section])
    for level in file["服务级别"].values():
        ids |= set(level["权益"]) | set(level["应尽服务"])
    return ids - {*KEYS, *WORDS, *FIELDS, *KINDS, *ATTRIBUTES, *CATEGORIES} - {"customer"}  # also who called


def test_no_python_decides_by_the_name_of_a_tier_a_trait_or_a_reward(text):
    ids = ids_of(text)
    assert {"gold", "welcome_gift", "referral_ladder", "parts_credit", "velcro", *TRAITS} <= ids
    files = sorted(file for package in ("rules", "tierengine", "api") for file in (HERE / package).rglob("*.py"))
    # The demo's book plays the people of one dealer with the shipped policy: it makes events and judges none.
    files = [file for file in files if HERE / "tierengine" / "demo" / "book" not in file.parents]
    assert files
    found = [
        f"{file.relative_to(HERE)}:{place}"
        for file in files
        for place in names_in_decisions(file.read_text(encoding="utf-8"), ids)
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "if tier == 'gold': pass",
        "x = 1 if 'gold' != tier else 2",
        "done = tier in ('member', 'gold')",
        "match tier:\n    case 'gold': pass",
    ],
)
def test_a_decision_by_name_is_found(source):
    assert len(names_in_decisions(source, {"gold"})) == 1
    assert names_in_decisions("title = 'gold'", {"gold"}) == []
