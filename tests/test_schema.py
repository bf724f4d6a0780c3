"""The JSON Schema takes what the reader takes and refuses wrong keys, in each tongue, with words on every key.

`jsonschema` is not among the locked tools, so that what the schema uses of draft-07 is checked here by a few lines.
"""

import json
import re
from functools import cache
from typing import Any, get_args

import pytest
import yaml

from rules import values
from rules.desk import Desk
from rules.examples import _EVENT_KEYS
from rules.explanations import EXAMPLES
from rules.formatting import translated
from rules.grammar import FORMS
from rules.grammar.shapes import Either, Form, Leaf, ListOf, MapOf, Shape
from rules.keys import ALSO, KEYS, WORDS
from rules.names import CONDITION_KEYS, OPERATORS
from rules.reader import read
from rules.schema import Tongue, policy_schema
from rules.schema_leaves import LEAVES, typed
from rules.schema_texts import KEY_TEXTS
from rules.schema_words import WORD_TEXTS
from rules.vocabulary import STATUSES
from tests.test_formatting import TEXTS
from tierengine.__main__ import main

schema = cache(policy_schema)

# ---- draft-07, as much of it as is used ---------------------------------------------------------------------------

_TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
}  # fmt: skip
_APPLIED = {
    "$ref", "type", "enum", "pattern", "maxLength", "items", "properties", "patternProperties", "additionalProperties",
    "propertyNames", "required", "allOf", "anyOf", "if", "then",
}  # fmt: skip
_SHOWN = {
    "$schema", "title", "description", "examples", "definitions", "enumDescriptions", "doNotSuggest", "errorMessage",
}  # fmt: skip


def fits(value: Any, asked: Any, root: dict[str, Any]) -> bool:
    """Tell whether a value is valid; `asked` is a schema of `root`."""
    if isinstance(asked, bool):
        return asked
    if "$ref" in asked:
        return fits(value, root["definitions"][asked["$ref"].removeprefix("#/definitions/")], root)
    wanted = asked.get("type", ())
    if wanted and not any(_is(value, one) for one in ([wanted] if isinstance(wanted, str) else wanted)):
        return False
    # 1 and true are two values in JSON.
    if "enum" in asked and not any(type(one) is type(value) and one == value for one in asked["enum"]):
        return False
    if isinstance(value, str) and not (
        re.search(asked.get("pattern", ""), value) and len(value) <= asked.get("maxLength", len(value))
    ):
        return False
    if isinstance(value, list) and not all(fits(item, asked.get("items", True), root) for item in value):
        return False
    if isinstance(value, dict) and not _fits_mapping(value, asked, root):
        return False
    if "if" in asked and fits(value, asked["if"], root) and not fits(value, asked["then"], root):
        return False
    every = all(fits(value, one, root) for one in asked.get("allOf", ()))
    return every and ("anyOf" not in asked or any(fits(value, one, root) for one in asked["anyOf"]))


def _is(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _fits_mapping(value: dict[str, Any], asked: dict[str, Any], root: dict[str, Any]) -> bool:
    if any(key not in value for key in asked.get("required", ())):
        return False
    for key, inner in value.items():
        known = [asked["properties"][key]] if key in asked.get("properties", {}) else []
        known += [one for pattern, one in asked.get("patternProperties", {}).items() if re.search(pattern, key)]
        if not all(fits(inner, one, root) for one in known or [asked.get("additionalProperties", True)]):
            return False
        if not fits(key, asked.get("propertyNames", True), root):
            return False
    return True


class Yaml12(yaml.SafeLoader):
    """YAML as editors read it: `yes` and dates are texts."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML's own way


for tag, pattern, first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
):
    Yaml12.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def loaded(text: str) -> Any:
    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): named(inner) for key, inner in value.items()}
        return [named(item) for item in value] if isinstance(value, list) else value

    return named(yaml.load(text, Yaml12))  # noqa: S506  a safe loader


def takes(tongue: str, text: str) -> bool:
    return fits(loaded(text), schema(tongue), schema(tongue))


# ---- the schema itself ---------------------------------------------------------------------------------------------


def parts(asked: Any) -> Any:
    """List a schema and all schemas inside it."""
    if not isinstance(asked, dict):
        return
    yield asked
    for key in ("items", "additionalProperties", "propertyNames", "if", "then"):
        yield from parts(asked.get(key))
    for key in ("properties", "patternProperties", "definitions"):
        for inner in asked.get(key, {}).values():
            yield from parts(inner)
    for key in ("allOf", "anyOf"):
        for inner in asked.get(key, ()):
            yield from parts(inner)


@pytest.mark.parametrize("tongue", get_args(Tongue))
def test_the_schema_is_draft_07_as_far_as_it_goes(tongue):
    found = schema(tongue)
    assert found["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert json.loads(json.dumps(found)) == found
    for part in parts(found):
        assert set(part) <= _APPLIED | _SHOWN
        # What stands beside a $ref is not read.
        assert "$ref" not in part or set(part) == {"$ref"}
        if "$ref" in part:
            assert part["$ref"].removeprefix("#/definitions/") in found["definitions"]
        for pattern in (part.get("pattern", ""), *part.get("patternProperties", ())):
            re.compile(pattern)
            assert not re.search(r"\\[pPAZzbBG]|\(\?[<P]", pattern)
        assert len(part.get("enum", ())) == len(set(map(repr, part.get("enum", ()))))
        assert "enumDescriptions" not in part or len(part["enumDescriptions"]) == len(part["enum"])
        assert len(set(part.get("required", ()))) == len(part.get("required", ()))


@pytest.mark.parametrize("tongue", get_args(Tongue))
def test_every_key_has_a_title_and_a_sentence_in_the_language(tongue):
    found = schema(tongue)
    for name in FORMS:
        form = found if name == "policy" else found["definitions"][name]
        for key, told in form["properties"].items():
            if told is False:
                continue
            assert key in told["title"] or told["doNotSuggest"]
            zh, en = bool(re.search("[\u4e00-\u9fff]", told["description"])), told["description"].isascii()
            assert zh == (tongue != "en"), told
            assert en == (tongue == "en") or "…" in told["description"], told


# ---- the same grammar as the reader's --------------------------------------------------------------------------------

# What the dealer's own policy has no use for.
REST = """programme: club
title: {zh: 俱乐部}
price_token: 15 minutes
facts:
  n: {count: contact}
  m: {sum: amount, of: rental}
tiers:
  - {id: low, title: 低}
  - {id: high, title: 高, when: {n: {at_least: 2}}, keep: {for: 12 months, then: one_down}}
wallets:
  w: {title: 钱, unit: points, expires: {after: 1 year}, worth: {points: 1, money: 1 CNY}}
  c: {title: 款, unit: money, pays_for: parts, minimum_order: {more_than: 100 CNY}}
traits:
  t: {title: 特点, degrees: [{id: far, title: 远, when: {n: {at_least: 1}}}]}
lanes:
  own: {compete: best}
prices:
  p: {title: 满减, where: {category: parts}, less: {give: 1 CNY, each: 10 CNY}, minimum_quantity: {at_least: 2}}
  q: {title: 送, where: {category: parts}, free: {give: 1, each: 11}, lane: own}
rewards:
  r: {title: 奖, on: rental, into: w, per: {give: 1 points, each: 10 CNY}, caps: {day: 10}}
budgets:
  b: {title: 总, limit: 100 times, scope: firm, rewards: r}
awards:
  a: {title: 评, for: high, measure: n, winners: all, prize: {share: 1%, fact: m}, budget: 9 CNY,
      tax: {rate: 20%, borne_by: dealer}}
"""


def shapes(shape: Shape) -> Any:
    """List a shape and all shapes inside it, forms by name aside."""
    yield shape
    inner: list[Shape | None] = []
    if isinstance(shape, ListOf):
        inner = [shape.item]
    elif isinstance(shape, MapOf):
        inner = [shape.key, shape.value]
    elif isinstance(shape, Either):
        inner = [shape.scalar, shape.items, shape.mapping]
    elif isinstance(shape, Form):
        inner = [*shape.keys.values(), *(shape.instead[1].values() if shape.instead else ())]
    for one in inner:
        if one is not None:
            yield from shapes(one)


EVERY: list[Shape] = [one for form in FORMS.values() for one in shapes(form)]


def test_the_forms_are_those_by_which_the_reader_reads(monkeypatch):
    seen = set()
    original = Desk.form

    def form(self, node, about, keys, required=()):
        seen.add((frozenset(keys), frozenset(required)))
        return original(self, node, about, keys, required)

    monkeypatch.setattr(Desk, "form", form)
    for text in (TEXTS["policies"], TEXTS["small"], REST):
        assert read(text, "x").policy is not None, read(text, "x").show("en")
    # Conditions and events read their keys in ways of their own.
    others = {name for name, one in FORMS.items() if one.others is not None}
    ours = {(frozenset(one.keys), frozenset(one.required)) for name, one in FORMS.items() if name not in others}
    assert seen == ours | {(frozenset(OPERATORS), frozenset())}
    assert tuple(FORMS["event"].keys) == _EVENT_KEYS
    assert set(FORMS["condition"].keys) == set(FORMS["trait_condition"].keys) == set(CONDITION_KEYS)
    assert set(FORMS["line_condition"].keys) == {"any", "all", "none", "at_least", "of"}


def test_every_key_that_the_reader_knows_stands_somewhere_and_no_other():
    keys = {key for one in EVERY if isinstance(one, Form) for key in one.keys}
    written = {name for one in EVERY if isinstance(one, Leaf) and one.type in ("source", "rung") for name in one.words}
    assert keys | written == set(KEYS)


def test_every_word_that_the_reader_knows_stands_somewhere_and_no_other():
    leaves = [one for one in EVERY if isinstance(one, Leaf)]
    words = {name for leaf in leaves for name in leaf.words} | set(STATUSES)  # these under the field of that name
    assert words | {"yes", "no"} == set(WORDS) | {"till", "erp"}


def test_every_spelling_that_reads_better_is_one_that_is_read_and_is_used():
    used = {(key, one) for form in FORMS.values() for key, one in form.spelled.items()}
    assert used == {(key, one) for key, more in ALSO.items() for one in more}


def test_every_key_and_word_has_its_sentence():
    told = {name: set(one.keys) for name, one in FORMS.items() if one.keys}
    assert {name: set(texts) for name, texts in KEY_TEXTS.items() if name != "test"} == told
    assert set(KEY_TEXTS["test"]) == {*OPERATORS, "of"}
    assert set(WORD_TEXTS) == set(WORDS) | {"till", "erp"}


@pytest.mark.parametrize("tongue", get_args(Tongue))
def test_every_key_is_in_the_schema_in_its_spelling(tongue):
    there = {key for part in parts(schema(tongue)) for key in part.get("properties", ())}
    if tongue != "en":
        assert {*KEYS.values(), *(one for more in ALSO.values() for one in more)} <= there
    if tongue != "zh":
        assert set(KEYS) <= there
    if tongue == "zh":
        assert not there & set(KEYS)


# ---- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "tongue"),
    [("policies", "mixed"), ("small", "en"), ("small", "mixed"), ("small_zh", "zh"), ("small_zh", "mixed")],
)
def test_the_policies_are_taken(name, tongue):
    assert takes(tongue, TEXTS[name])


@pytest.mark.parametrize("name", TEXTS)
def test_a_converted_policy_is_taken_by_the_schema_of_its_tongue(name):
    for lang in ("zh", "en"):
        text = translated(TEXTS[name], lang)
        assert takes(lang, text)
        assert takes("mixed", text)
    assert not takes("en", translated(TEXTS[name], "zh"))
    assert not takes("zh", translated(TEXTS[name], "en"))


@pytest.mark.parametrize("code", EXAMPLES)
def test_every_mended_example_is_taken(code):
    for lang in ("zh", "en"):
        text = EXAMPLES[code].good(lang)
        assert takes("mixed", text), text


@pytest.mark.parametrize(
    "code",
    ["P201", "P203", "P204", "P206", "P207", "P301", "P307", "P308", "P311", "P312", "P314", "P315", "P401", "P402",
     "P409", "P411", "P514"],
)  # fmt: skip
def test_plain_mistakes_are_refused_while_they_are_typed(code):
    for lang in ("zh", "en"):
        text = EXAMPLES[code].failing(lang).decode()
        assert not takes(lang, text), text


def test_money_needs_its_unit_where_it_cannot_be_points():
    assert takes("en", TEXTS["small"].replace("pay: 95折", "pay: 95折\n    minimum_order: 1000 CNY"))
    assert not takes("en", TEXTS["small"].replace("pay: 95折", "pay: 95折\n    minimum_order: 1000"))


def places(value: Any) -> Any:
    """List all mappings inside a value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from places(inner)


@pytest.mark.parametrize("name", ["small", "small_zh"])
def test_a_wrong_key_is_refused_wherever_the_reader_refuses_it(name):
    tongue = "zh" if name == "small_zh" else "en"
    data = loaded(TEXTS[name])
    refused = 0
    for mapping in places(data):
        mapping["no_such_key"] = "x"
        text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
        if {problem.code for problem in read(text, "x").problems if problem.found == "no_such_key"} & {"P201", "P402"}:
            refused += 1
            assert not fits(data, schema(tongue), schema(tongue)), mapping
        del mapping["no_such_key"]
    assert refused > 60


def test_an_event_has_the_fields_of_its_kind_only():
    event = "examples: [{expect: {tier: low}, given: [{event: contact, at: 2026-01-01, channel: phone}]}]\n"
    assert takes("en", REST + event)
    assert not takes("en", REST + event.replace("channel", "serial"))
    assert not takes("en", REST + event.replace("channel", "渠道"))
    assert takes("mixed", REST + event.replace("channel", "渠道"))


# ---- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leaf", "read_", "texts"),
    [
        (Leaf("money"), lambda text: values.money(text, "CNY"),
         ["1000 CNY", "CNY 1000", "¥1000", "￥1,000", "2万元", "一千五百元", "１０００元", "1.5 万元", "人民币 5"]),
        (Leaf("percent"), values.percent, ["130%", "130％", "12.5 %", "百分之五", "5 percent"]),
        (Leaf("paid"), values.share_paid, ["95折", "9.5折", "九五折", "95%", "打九折", "95 折"]),
        (Leaf("integer"), values.integer, ["3", "1,000", "１０", "十", "2万"]),
        (Leaf("length", units=("days", "weeks", "months", "years")), values.length,
         ["12 months", "12个月", "90天", "半年", "half a year", "一年", "两个星期", "1 Year", "30 日", "1 月"]),
        (Leaf("length", units=("minutes", "hours")), values.length, ["15 min", "2个小时", "15分钟", "1 钟头"]),
        (Leaf("date"), values.day, ["2026-01-01", "2026年1月1日", "2026/1/1", "2026.1.1", "2026年1月1号"]),
        (Leaf("moment"), values.moment, ["2026-01-01", "2026年1月1日 9:30", "2026-01-01T09:30:00+08:00"]),
        (Leaf("amount"), values.points, ["500", "500 points", "500积分"]),
    ],
)  # fmt: skip
def test_what_the_reader_takes_the_pattern_takes(leaf, read_, texts):
    asked = typed(leaf, "mixed")
    for text in texts:
        read_(text)
        assert fits(text, asked, {}), text


@pytest.mark.parametrize(
    ("leaf", "wrong"),
    [
        (Leaf("money"), ["1000", "lots", 1000]), (Leaf("percent"), ["half", "130", 130]), (Leaf("paid"), ["95", 95]),
        (Leaf("length", units=("days",)), ["12", "2 months", "ages", 12]), (Leaf("integer"), ["many", 1.5, True]),
        (Leaf("date"), ["yesterday", "2026"]), (Leaf("id"), ["2n", "a b", "a:b", 3]),
    ],
)  # fmt: skip
def test_what_is_plainly_wrong_the_pattern_refuses(leaf, wrong):
    for value in wrong:
        assert not fits(value, typed(leaf, "mixed"), {}), value


def test_ids_are_those_of_the_reader():
    for text in ("gold", "金卡", "a_1", "a-b", "x" * 64, "é"):
        assert fits(text, LEAVES["id"], {})
        assert "P207" not in [problem.code for problem in read(f"programme: {text}\n", "x").problems]


# ---- the command -----------------------------------------------------------------------------------------------------


def test_the_command_prints_the_schema_of_the_language(capsys):
    for words, tongue in (
        ((), "mixed"),
        (("--lang", "zh"), "zh"),
        (("--lang", "en"), "en"),
        (("--lang", "mixed"), "mixed"),
        (("--lang=mixed", "--json"), "mixed"),
        (("--keys", "mixed", "--lang", "en"), "mixed"),
    ):
        assert main(["policy", "schema", *words]) == 0
        assert json.loads(capsys.readouterr().out) == schema(tongue)
    # Sentences are in one language.
    assert main(["policy", "check", "x.yaml", "--lang", "mixed"]) == 2
