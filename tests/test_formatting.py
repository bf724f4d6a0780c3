"""A policy file in the other tongue says the same, word for word in the same places, and comes back as it was."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.explanations import EXAMPLES
from rules.formatting import formatted, tongue, translated
from rules.grammar import FORMS
from rules.grammar.shapes import Either, Form, Leaf, ListOf, MapOf, Ref, shape_of
from rules.policy import Policy
from rules.problems import width
from rules.reader import read
from rules.vocabulary import ATTRIBUTES, CATEGORIES, FIELDS, KINDS
from tests.small_policy import unmarked
from tierengine.__main__ import main

HERE = Path(__file__).parent
FILES = {
    "policies": HERE.parent / "policies.yaml",
    "small": HERE / "policies" / "small.yaml",
    "small_zh": HERE / "policies" / "small_zh.yaml",
}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in FILES.items()}
CLUB = """programme: club
facts:
  n: {count: contact}
tiers:
  - {id: low, title: 低}
  - {id: high, title: 高, when: {n: {at_least: 2}}, keep: {for: 12 months, then: one_down}}
"""


def policy(text: str) -> Policy:
    reading = read(text, "x.yaml")
    assert reading.policy is not None, reading.show("en", "short")
    return reading.policy


def chinese(text: str) -> str:
    return translated(text, "zh")


def english(text: str) -> str:
    return translated(text, "en")


# ---- whole files ---------------------------------------------------------------------------------------------------


def test_the_policy_that_ships_is_written_as_the_formatter_writes_it():
    found = formatted(TEXTS["policies"], "policies.yaml")
    assert (found.lang, found.changed, found.text) == ("zh", 0, TEXTS["policies"])


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_file_says_the_same_in_the_other_tongue(name, lang):
    found = formatted(TEXTS[name], name, lang)
    assert found.text is not None
    assert unmarked(policy(found.text)) == unmarked(policy(TEXTS[name]))
    warnings = [problem.code for problem in read(found.text, name).problems]
    assert warnings == [problem.code for problem in found.reading.problems]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", TEXTS)
def test_what_is_in_a_tongue_stays_as_it_is(name, lang):
    once = translated(TEXTS[name], lang)
    assert translated(once, lang) == once


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_wholly_in_one_tongue_comes_back_letter_by_letter(name):
    in_english = english(TEXTS[name])
    # What only Chinese says otherwise (2万元, 第2次) is said as English says it from the first time on.
    in_chinese = chinese(in_english)
    assert english(in_chinese) == in_english
    assert chinese(english(in_chinese)) == in_chinese


def test_the_dealers_policy_comes_back_letter_by_letter_from_english():
    in_chinese = chinese(TEXTS["policies"])
    assert chinese(english(in_chinese)) == in_chinese


def test_no_chinese_is_left_but_prose():
    for line in english(TEXTS["small_zh"]).splitlines():
        words = re.sub(r"(zh|en): [^,}]*|#.*", "", line)
        assert not re.search("[\u4e00-\u9fff]", words), line


@pytest.mark.parametrize("code", sorted(EXAMPLES))
def test_every_mended_example_says_the_same_in_both_tongues(code):
    text = EXAMPLES[code].good("zh")
    assert unmarked(policy(english(text))) == unmarked(policy(text))


def test_only_lines_with_words_of_the_other_tongue_change():
    text = TEXTS["policies"]
    for before, after in zip(text.split("\n"), english(text).split("\n"), strict=True):
        if not before.strip() or before.lstrip().startswith("#"):
            assert after == before


# ---- layout --------------------------------------------------------------------------------------------------------


def test_comments_order_blank_lines_and_quotes_stay():
    text = """# 注释 count: 次数
"programme":   club    # a
tiers:   # b


- {'id': "low"  ,  title: '次数'}
facts: {n: {"count": 'contact'}}
"""
    assert (
        chinese(text)
        == """# 注释 count: 次数
"计划":   club    # a
等级:   # b


- {'编号': "low"  ,  名称: '次数'}
指标: {n: {"次数": '联系走访'}}
"""
    )


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_the_byte_order_mark_stay(mark, end):
    text = mark + CLUB.replace("\n", end)
    assert chinese(text) == mark + chinese(CLUB).replace("\n", end)
    assert english(chinese(text)) == text


def test_texts_over_several_lines_stay_even_when_they_look_like_keys_and_comments():
    text = (
        CLUB
        + """lists:
  l:
    title: |  # a comment
      count: contact   # no comment
      次数
    when: {n: 3}
  m:
    title: "count   # none
      次数"          # a comment
    when: {n: 3}   # another
"""
    )
    assert english(chinese(text)) == text
    assert "      count: contact   # no comment\n      次数\n" in chinese(text)
    assert unmarked(policy(chinese(text))) == unmarked(policy(text))


def test_comments_that_stood_under_one_another_still_do():
    text = (
        CLUB
        + """wallets:
  points:                     # one
    title: 积分
    unit: points              # two
    clawback: forgive         # three
    expires: {to: end_of_next_year}    # four
    minimum: 1000 points               # five
"""
    )
    columns = {}
    for line in chinese(text).splitlines():
        if "#" in line:
            columns[line.split("# ")[1]] = width(line.partition("#")[0])
    assert columns["one"] == columns["two"] == columns["three"]
    assert columns["four"] == columns["five"] != columns["one"]
    assert english(chinese(text)) == text


def test_two_columns_of_comments_never_become_one():
    # In Chinese both comments would come to stand in the same column.
    text = "programme: club  # a\ntiers: []        # b\n"
    for gap in range(1, 30):
        one = text.replace("        # b", " " * gap + "# b")
        assert english(chinese(one)) == one


# ---- words by where they stand ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("en", "zh"),
    [
        ("rewards: {r: {for: [high], on: contact}}", "奖励: {r: {适用: [high], 当: 联系走访}}"),
        ("tiers: [{keep: {for: 1 year}}]", "等级: [{保级: {期限: 1 年}}]"),
        ("facts: {r: {ratio: a, to: b}}", "指标: {r: {比率: a, 对比: b}}"),
        ("wallets: {w: {expires: {to: month_end}}}", "钱包: {w: {到期日: {截至: 月底}}}"),
        ("emissions: {e: {to: referrer}}", "传递: {e: {送给: 介绍人}}"),
        ("levels: {l: {duties: {d: {within: 2 hours}}}}", "服务级别: {l: {应尽服务: {d: {时限: 2 小时}}}}"),
        ("facts: {n: {within: 12 months}}", "指标: {n: {最近: 12 个月}}"),
        ("rewards: {r: {per: {of: cash}}}", "奖励: {r: {按额: {基数: 现金实付}}}"),
        ("lists: {l: {of: high}}", "名单: {l: {目标等级: high}}"),
        ("facts: {n: {sum: amount, of: rental}}", "指标: {n: {合计: 金额, 范围: 租赁}}"),
        # A word that is a kind here and a field there.
        ("facts: {n: {count: complaint}}", "指标: {n: {次数: 投诉}}"),
        ("facts: {n: {distinct: complaint, of: complaint_step}}", "指标: {n: {不同个数: 投诉单号, 范围: 投诉处理}}"),
        ("facts: {n: {distinct: complaint_step, field: complaint}}", "指标: {n: {不同个数: 投诉处理, 字段: 投诉单号}}"),
        # A key here, a field or a word there.
        ("rewards: {r: {by_class: [{class: small, where: {category: fuel}}]}}",
         "奖励: {r: {按类别: [{类别: small, 条件: {类别: 燃油}}]}}"),
        ("rewards: {r: {nth: {1: 10 CNY, after: none}}}", "奖励: {r: {第几次: {1: 10 元, 之后: 无}}}"),
        ("rewards: {r: {standing: after, counting: all, caps: {year: 10 CNY}}}",
         "奖励: {r: {按何时等级: 之后, 计数: 全部, 封顶: {每年: 10 元}}}"),
        ("lists: {l: {when: {traits: {at_least: 2, of: [a]}, trait: a, tier: {less_than: b}}}}",
         "名单: {l: {满足: {特点: {不低于: 2, 范围: [a]}, 具备特点: a, 等级为: {少于: b}}}}"),
        ("examples: [{given: [{event: attestation, trait: points, tier: x, at: 2026-01-01}]}]",
         "示例: [{已知: [{事件: 特点认定, 特点: points, 等级: x, 时间: 2026-01-01}]}]"),
        ("late: {till: 7 days, erp: 1 day, till2: 2 days}", "补录期限: {收银: 7 天, 财务系统: 1 天, till2: 2 天}"),
        ("levels: {l: {duties: {d: {done_by: {contact: {by_leader: yes}}}}}}",
         "服务级别: {l: {应尽服务: {d: {完成于: {联系走访: {领导参与: 是}}}}}}"),
        ("levels: {l: {entitlements: {e: {quota: unlimited}}, terms: {count: count}}}",
         "服务级别: {l: {权益: {e: {额度: 不限}}, 条款: {count: count}}}"),
    ],
)  # fmt: skip
def test_a_word_is_read_by_where_it_stands(en, zh):
    assert chinese(en) == zh
    assert english(zh) == en


def test_ids_and_free_texts_are_nobodys_words():
    text = """wallets: {points: {unit: points}, 积分: {unit: money}}
segments: {money: 全部}
rewards: {year: {into: points, where: {brand: all, size: none}}}
examples: [{expect: {grants: {count: 5 CNY}, lists: [all]}, given: [{event: tip, topic: 全部}]}]
"""
    assert english(chinese(text)) == text
    for word in ("points: {", "into→points", "money: 全部", "year: {", "品牌: all", "规格: none", "count: 5", "[all]"):
        assert word.replace("into→", "记入: ") in chinese(text)


# ---- any file ------------------------------------------------------------------------------------------------------

SAMPLES = {
    "id": ["n", "gold", "points", "year"], "prose": ["word", "名称", '"a # b"'], "text": ["small", "all", "全部", "3"],
    "money": ["1000 CNY", "0.1 CNY"], "amount": ["500 points", "10 CNY"], "percent": ["20%"], "paid": ["95%", "80%"],
    "quantity": ["3", "20000 CNY", "90 days", "12 months", "130%", "2 machines"], "integer": ["3"],
    "length": ["12 months", "1 day", "2 hours"], "date": ["2026-01-01"], "moment": ["2026-01-01 09:30"],
    "yes": ["yes", "no"], "currency": ["CNY"], "timezone": ["Asia/Shanghai"], "rung": ["1", "2-3", "4+"],
    "source": ["web"], "kind": list(KINDS), "field": list(FIELDS), "attribute": list(ATTRIBUTES),
    "category": list(CATEGORIES), "word": [],
}  # fmt: skip


def scalars(leaf):
    return st.sampled_from([*leaf.words, *(leaf.of or SAMPLES[leaf.type])])


@st.composite
def nodes(draw, shape, depth=6):
    """Something that may stand there: a text, a list, or pairs; whether it makes sense is another matter."""
    if isinstance(shape, Ref):
        shape = FORMS[shape.form]
    if isinstance(shape, Either):
        parts = [part for part in (shape.scalar, shape.items, shape.mapping) if part is not None]
        shape = draw(st.sampled_from(parts[: len(parts) if depth > 0 else 1]))
        return draw(nodes(shape, depth))
    if isinstance(shape, Leaf):
        return draw(scalars(shape))
    if isinstance(shape, ListOf):
        return draw(st.lists(nodes(shape.item, depth - 1), max_size=2 if depth > 0 else 0))
    few = 3 if depth > 0 else 0
    if isinstance(shape, MapOf):
        keys = draw(st.lists(scalars(shape.key), max_size=few, unique=True))
        return {key: draw(nodes(shape.value, depth - 1)) for key in keys}
    assert isinstance(shape, Form)
    found = {}
    for key in draw(st.lists(st.sampled_from(list(shape.keys)), max_size=few, unique=True)) if shape.keys else ():
        found[key] = draw(nodes(shape.keys[key], depth - 1))
    if shape.others is not None and depth > 0:
        table = ATTRIBUTES if shape.others.source == "subject" else FIELDS
        for name in draw(st.lists(st.sampled_from([*table, "n"]), max_size=2, unique=True)):
            value = shape_of(shape.others, name) if name in table or shape.others.source == "subject" else None
            if value is not None and name not in found:
                found[name] = draw(nodes(value, depth - 1))
    return found


def flow(node) -> str:
    if isinstance(node, dict):
        return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in node.items()) + "}"
    return "[" + ", ".join(map(flow, node)) + "]" if isinstance(node, list) else node


@st.composite
def files(draw):
    lines = []

    def put(text):
        gap = draw(st.integers(0, 6))
        lines.append(text + (" " * gap + "# n: 次数" if gap else ""))

    def block(node, indent):
        for key, value in node.items():
            if isinstance(value, dict) and value and draw(st.booleans()):
                put(f"{indent}{key}:")
                block(value, indent + "  ")
            else:
                put(f"{indent}{key}: {flow(value)}")

    block(draw(nodes(Ref("policy"))), "")
    return "\n".join(lines) + "\n"


@given(files())
@settings(max_examples=150)
def test_any_file_comes_back_letter_by_letter_and_has_the_same_problems_in_both_tongues(text):
    zh = chinese(text)
    assert english(zh) == text
    assert chinese(zh) == zh
    found, other = read(text, "x"), read(zh, "x")
    assert [(problem.code, problem.mark.line) for problem in found.problems] == [
        (problem.code, problem.mark.line) for problem in other.problems
    ]
    assert unmarked(found.policy) == unmarked(other.policy)


# ---- files with errors, and the command ------------------------------------------------------------------------------


def test_a_file_with_errors_is_left_alone():
    found = formatted("programme: club\n", "x", "zh")
    assert found.text is None
    assert [problem.code for problem in found.reading.problems] == ["P203"]
    assert formatted(b"\xff\xfe", "x", "zh").text is None
    assert formatted("a: [" * 1000, "x", "zh").text is None


def test_the_tongue_of_a_file_is_that_of_most_of_its_keys():
    assert tongue(TEXTS["small"]) == "en"
    assert tongue(TEXTS["policies"]) == "zh"
    assert tongue(CLUB + "名称: 俱乐部\n") == "en"
    assert formatted(CLUB + "名称: 俱乐部\n", "x").text == CLUB + "title: 俱乐部\n"


@pytest.fixture
def command(capsys, tmp_path):
    """Run `tierengine policy fmt FILE …` on a file with this text."""
    path = tmp_path / "p.yaml"

    def run(text, *words):
        path.write_bytes(text.encode())
        code = main(["policy", "fmt", str(path), *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err, path.read_bytes().decode()

    return run


def test_the_command_prints_the_file(command):
    code, out, _, left = command(CLUB, "--lang", "zh")
    assert (code, out, left) == (0, chinese(CLUB), CLUB)
    assert command(CLUB)[1] == CLUB


def test_the_command_writes_the_file_when_it_is_told_to(command):
    code, out, _, left = command(CLUB.replace("\n", "\r\n"), "--lang", "zh", "--write")
    assert (code, left) == (0, chinese(CLUB).replace("\n", "\r\n"))
    assert "6 行" in out
    code, out, _, left = command(CLUB, "--lang", "en", "--write")
    assert (code, out, left) == (0, "Nothing changes.\n", CLUB)


def test_the_command_checks_and_changes_nothing(command):
    code, _, _, left = command(CLUB, "--lang", "zh", "--check")
    assert (code, left) == (1, CLUB)
    assert command(CLUB, "--lang", "en", "--check")[0] == 0
    assert command(CLUB, "--check", "--write")[0] == 2


def test_the_command_shows_the_errors_of_a_file_and_leaves_it(command):
    bad = CLUB + "titel: x\n"
    code, out, err, left = command(bad, "--lang", "zh", "--write")
    assert (code, out, left) == (1, "", bad)
    assert "P201" in err
    assert '"code": "P201"' in command(bad, "--json")[1]
