"""Whatever the text, it is read or refused in bounded time, and nothing is raised."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.problems import as_dict, render
from rules.reader import Reading, read
from tests.small_policy import BASE, CHINESE, ENGLISH
from tests.test_reader_levels import EXAMPLE


def sound(reading: Reading) -> None:
    """Check what always holds: all located, all showable, and a policy exactly when nothing is wrong."""
    wrong = [problem for problem in reading.problems if problem.severity == "error"]
    assert (reading.policy is None) == bool(wrong)
    for problem in reading.problems[:50]:
        assert 1 <= problem.mark.line <= max(1, len(reading.lines))
        assert 1 <= problem.mark.column <= len(reading.line(problem.mark)) + 1
        for lang in ("zh", "en"):
            assert render(problem, reading.line(problem.mark), lang, "full")
        assert as_dict(problem)["code"] == problem.code


NASTY = st.sampled_from(
    [":", "：", ",", "，", "-", " ", "  ", "\t", "\n", "\r\n", "{", "}", "[", "]", "'", '"', "#", "|", ">", "&a ", "*a",
     "!!x ", "<<", "? ", "\x00", "\u3000", "~", "0", "99999999999999999999", "元", "%", "折",
     "none", "无", "id", "when",
     "\ud800", "\u2028", "\x85", "\ufeff", "---\n", "...\n", "nth", "1-", "yes", "gold", "特点"]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, texts: tuple[str, ...]) -> str:
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = at + draw(st.integers(0, 12))
        kind = draw(st.sampled_from(["put", "cut", "swap", "copy", "drop line"]))
        if kind == "put":
            text = text[:at] + draw(NASTY) + text[at:]
        elif kind == "cut":
            text = text[:at] + text[end:]
        elif kind == "swap":
            text = text[:at] + draw(NASTY) + text[end:]
        else:
            lines = text.split("\n")
            row = draw(st.integers(0, len(lines) - 1))
            lines[row : row + 1] = [] if kind == "drop line" else [lines[row]] * 2
            text = "\n".join(lines)
    return text


@pytest.mark.timeout(300)
@settings(max_examples=250, deadline=None)
@given(mutated((ENGLISH, CHINESE, BASE + EXAMPLE)))
def test_no_mutation_of_a_good_policy_raises(text):
    sound(read(text, "x.yaml"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=200))
def test_no_text_raises(text):
    sound(read(text, "x.yaml"))


KEY = st.sampled_from(
    [
        "programme",
        "tiers",
        "facts",
        "traits",
        "wallets",
        "rewards",
        "levels",
        "examples",
        "when",
        "nth",
        "id",
        "等级",
        "x",
    ]
)
NODE = st.recursive(
    st.sampled_from(["", "1", "x", "1 CNY", "95折", "yes", "contact", "[]", "{}"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.dictionaries(KEY, inner, max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEY, NODE, max_size=6))
def test_no_shape_raises(pairs):
    sound(read("\n".join(f"{key}: {value}" for key, value in pairs.items()), "x.yaml"))


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"k{n}: {n}" for n in range(19_999)),
        BASE.replace("traits:\n", "".join(f"  k{n}: {{cuont: contact}}\n" for n in range(15_000)) + "traits:\n", 1),
        BASE + "lists:\n l: {when: {any: [" + ",\n".join(f"{{等{n}急: 1}}" for n in range(15_000)) + "]}}\n",
        BASE + "prices:\n" + "".join(f" p{n}: {{where: {{category: parts}}, pay: 95%}}\n" for n in range(15_000)),
        "manager_limit: " + "9" * 1_000_000,
        "programme: " + "\ufdfa" * 300_000,
        "a: " + "| " * 400_000,
        " " * 1_000_000 + "x",
    ],
    ids=["keys", "facts", "names", "prices", "number", "wide", "bars", "blanks"],
)
def test_a_hostile_file_is_read_and_shown_in_bounded_time(text):
    reading = read(text, "x.yaml")
    sound(reading)
    assert reading.policy is None
    assert reading.show("zh", "short")
