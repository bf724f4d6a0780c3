"""A value that names a code instead of writing it, and when that is the dealer's own word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.codes import CODES, meant_by
from rules.reader import read
from rules.vocabulary import ATTRIBUTES, FIELDS

POLICY = """programme: club
tiers: [{id: low}]
facts:
  n: {count: machine_purchase, where: {size: 大型}}
lists:
  l: {when: {n: 2}}
"""
BOUGHT = "{event: machine_purchase, at: 2026-01-01, size: %s, serial: S, order: O}"
CARRIED = f"  - {{given: [{BOUGHT}], expect: {{tier: low}}}}\n"


def codes_of(text: str) -> list[str]:
    return [problem.code for problem in read(text, "x").problems if problem.code == "P527"]


def test_a_word_that_an_example_carries_is_the_dealers_own() -> None:
    assert codes_of(POLICY) == ["P527"]
    assert codes_of(POLICY + "examples:\n" + CARRIED % "large") == ["P527"]
    assert codes_of(POLICY + "examples:\n" + CARRIED % "大型") == []
    assert read(POLICY, "x").policy is not None, "a warning keeps no policy back"


def test_the_codes_are_of_fields_and_attributes_that_hold_text() -> None:
    types = {name: field.type for name, field in FIELDS.items()} | {name: one.type for name, one in ATTRIBUTES.items()}
    assert {types[name] for name in CODES} == {"text"}
    for names in CODES.values():
        assert len(set(names.values())) == len(names)


def test_a_segment_with_a_level_of_its_own_is_named_by_its_code() -> None:
    text = "programme: club\ntiers: [{id: low, level: v}]\nlevels: {v: {title: 一}}\nsegments: {大客户: v}\n"
    assert codes_of(text) == ["P527"]
    assert codes_of(text.replace("大客户", "key_account")) == []


@pytest.mark.parametrize("written", ["“%s”", "'%s'", " %s ", "「%s」"])
@given(st.sampled_from([(name, code) for name, codes in CODES.items() for code in codes]))
def test_a_code_in_quotes_or_full_width_is_that_code(written: str, pair: tuple[str, str]) -> None:
    name, code = pair
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in code)
    assert meant_by(name, code) == meant_by(name, "own_word") == ""
    assert meant_by(name, written % wide) == code
    assert meant_by(name, written % CODES[name][code]) == code
