"""YAML text becomes nodes with places; what a policy file may not hold is found, whatever it is, and quickly."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.policy import Mark
from rules.source import MAX_DEPTH, Entries, Items, Scalar, read_source


def codes(text: str | bytes) -> list[str]:
    return [problem.code for problem in read_source(text, "x").problems]


def texts(node) -> object:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Items):
        return [texts(item) for item in node.items]
    assert isinstance(node, Entries)
    return {key.text: texts(value) for key, value in node.pairs}


@pytest.mark.parametrize("text", ["NO", "00123", "12:30:45", "1e5", "0x1F", "2026-01-01", ".inf", "null", "~", "="])
def test_every_scalar_stays_the_text_that_was_written(text):
    assert texts(read_source(f"a: {text}", "x").root) == {"a": text}


def test_places_count_characters_from_one_also_behind_chinese():
    root = read_source("名称: 金卡\n等级:\n  - 编号: gold\n", "x").root
    assert isinstance(root, Entries)
    (_, title), (_, tiers) = root.pairs
    assert title.mark == Mark(1, 5)
    assert isinstance(tiers, Items)
    inner = tiers.items[0]
    assert isinstance(inner, Entries)
    assert [node.mark for node in inner.pairs[0]] == [Mark(3, 5), Mark(3, 9)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_counts_the_same(end):
    source = read_source(f"a: 1{end}b: 2{end}# c{end}d: ~{end}", "x")
    assert source.problems == ()
    assert isinstance(source.root, Entries)
    assert [key.mark.line for key, _ in source.root.pairs] == [1, 2, 4]
    assert source.line(2) == "b: 2"


def test_a_byte_order_mark_is_accepted_and_not_counted():
    for text in ("\ufeffa: 1", "\ufeffa: 1".encode()):
        source = read_source(text, "x")
        assert source.problems == ()
        assert isinstance(source.root, Entries)
        assert source.root.pairs[0][0] == Scalar("a", Mark(1, 1), 1, plain=True)


# ---- full-width characters: refused as syntax, kept as prose --------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a: 名称：金卡，“好”",
        "a: '名称：金卡'",
        "a: |\n  名称：金卡\n  ＃ 说明\n  \tb：c\nb: 1",
        "a: >-\n  名称：金卡\n\n  说明：文字\n",
        "- a: |\n    名称：金卡\n",
        'a: "第一行\n  说明：第二行"',
        "a: 第一行\n  说明：第二行",
        "# 名称：金卡",
        "a: 1 # 名称：金卡，＃",
        "a: {title: 买三送一，限本月}",
        "a: 12:30\nb: http://x",
    ],
)
def test_full_width_characters_in_prose_are_left_alone(text):
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a: 1\n名称：金卡\nb: 2", {"a": "1", "名称": "金卡", "b": "2"}),
        ("t:\n  名称：金卡\n  级别：x", {"t": {"名称": "金卡", "级别": "x"}}),
        ("- 名称：金卡\n- 名称：银卡", [{"名称": "金卡"}, {"名称": "银卡"}]),
        ("t: {名称：金卡, x: 1}", {"t": {"名称": "金卡", "x": "1"}}),
        ("a: 1\n＃ 说明\nb: 2", {"a": "1", "b": "2"}),
        ("a:\n  － x\n  － y", {"a": ["x", "y"]}),
        ("a:\n\u3000b: 1", {"a": {"b": "1"}}),
        ("a:b\nc: 1", {"a": "b", "c": "1"}),
        ("a:\n\tb: 1", {"a": {"b": "1"}}),
    ],
)
def test_a_mistyped_file_is_read_on_as_it_was_meant(text, meant):
    source = read_source(text, "x")
    assert source.problems
    assert {problem.code for problem in source.problems} <= {"P107", "P108", "P109"}
    assert texts(source.root) == meant


def test_places_behind_a_mended_colon_are_those_of_the_file():
    source = read_source("名称：金卡 卡\nb：{c: 1}", "x")
    assert isinstance(source.root, Entries)
    (_, first), (_, second) = source.root.pairs
    assert first.mark == Mark(1, 4)
    assert isinstance(second, Entries)
    assert second.pairs[0][0].mark == Mark(2, 4)


# ---- hostile files ----------------------------------------------------------------------------------------------


def bomb() -> str:
    rows = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    rows += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(rows)


HOSTILE = {
    "alias bomb": (bomb(), {"P110", "P111"}),
    "1,000 deep in brackets": ("[" * 1_000 + "]" * 1_000, {"P105"}),
    "1,000 deep in braces": ("{a: " * 1_000 + "1" + "}" * 1_000, {"P105"}),
    "200,000 open brackets": ("[" * 200_000, {"P105"}),
    "1,000 deep in blocks": ("\n".join(" " * n + "a:" for n in range(1_000)), {"P105"}),
    "1,000 deep in dashes": ("- " * 1_000 + "x", {"P105"}),
    "half a million values": ("[" + "," * 10 + "x," * 500_000 + "]", {"P101", "P106"}),
    "one long word": ("a: " + "x" * 1_000_000, set()),
    "one long key": ("x" * 1_000_000 + ": 1", {"P101"}),
    "20,000 keys": ("\n".join(f"k{n}: {n}" for n in range(20_000)), set()),
    "20,000 anchors": ("\n".join(f"k{n}: &a {n}" for n in range(20_000)), {"P110"}),
    "all NUL": ("\x00" * 10_000, {"P103"}),
    "all tabs": ("\t" * 1_000_000, set()),
    "all colons": (":" * 100_000, set()),
    "all question marks": ("? " * 20_000, {"P105"}),
    "all quotes": ("'" * 100_001, {"P119"}),
    "surrogates": ("a: \ud800\udfff", {"P103"}),
    "line separators": ("a: x\u2028b: y\x85c", {"P103"}),
    "tags": ("!<tag:x> a: !!python/name:os.system x", {"P112"}),
    "directives": ("%YAML 1.1\n%TAG ! tag:x,2000:\n--- !a b\n", {"P112"}),
    "wrong version": ("%YAML 9.9\n---\na: 1", None),
    "many wide colons": ("\n".join(f"键{n}：值" for n in range(19_000)), {"P108"}),
    "many documents": ("---\na\n" * 9_000, {"P114"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_answered_with_located_problems_in_bounded_time(name):
    text, expected = HOSTILE[name]
    began = time.perf_counter()
    source = read_source(text, "x")
    assert time.perf_counter() - began < 10
    found = {problem.code for problem in source.problems}
    if expected is None:
        assert found
    elif expected:
        assert found & expected
        assert found <= expected | {"P101", "P119", "P120", "P121"}
    for problem in source.problems:
        assert 1 <= problem.mark.line <= len(source.lines) + 1
        assert problem.mark.column >= 1


def test_thirty_two_levels_are_read_and_thirty_three_are_not():
    assert codes("[" * MAX_DEPTH + "]" * MAX_DEPTH) == []
    assert codes("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == ["P105"]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise(data):
    source = read_source(data, "x")
    assert all(problem.mark.line >= 1 and problem.mark.column >= 1 for problem in source.problems)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab:：- ,，[]{}'\"|>&*!%@`#＃?\t\n\r\u3000~<0名"), max_size=80))
def test_no_punctuation_raises(text):
    source = read_source(text, "x")
    lines = len(source.lines)
    assert all(1 <= problem.mark.line <= lines + 1 for problem in source.problems)
