"""The JSON Schema in yaml-language-server itself: Chinese keys are completed, explained, and refused when misspelt."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from rules.explanations import EXAMPLES
from rules.formatting import translated
from rules.schema import policy_schema
from tests.language_server import NotInstalledError, editor

HERE = Path(__file__).parent
POLICY = (HERE.parent / "policies.yaml").read_text(encoding="utf-8")
ZH = """计划: club
指标:
  n: {次数: 联系走访}
等级:
  - {编号: low, 名称: 低}
  - 编号: high
    名称: 高
    满足: {n: {不低于: 2}}
    保级: {期限: 12 个月, 到期: 降一级}
"""
EN = translated(ZH, "en")


@pytest.fixture(scope="module")
def editors(tmp_path_factory):
    """Give an editor for each language of the keys."""
    folder = tmp_path_factory.mktemp("schema")
    with ExitStack() as stack:
        made = {}
        for tongue in ("zh", "en", "mixed"):
            path = folder / f"{tongue}.json"
            path.write_text(json.dumps(policy_schema(tongue)), encoding="utf-8")
            try:
                made[tongue] = stack.enter_context(editor(path))
            except NotInstalledError as problem:
                pytest.skip(str(problem))  # a fresh machine has no Node; nothing else here needs it
        yield made


def said(editors, tongue, text):
    _, problems = editors[tongue].open(text)
    return [problem["message"] for problem in problems]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("tongue", "text"),
    [
        ("zh", ZH), ("en", EN), ("mixed", ZH), ("mixed", EN), ("mixed", ZH.replace("名称", "title")),
        ("mixed", POLICY), ("zh", None), ("en", None),
    ],
    ids=["zh", "en", "zh in mixed", "en in mixed", "mixed", "policies.yaml", "policies.yaml zh", "policies.yaml en"],
)  # fmt: skip
def test_a_good_policy_has_no_problem_in_the_editor(editors, tongue, text):
    assert said(editors, tongue, translated(POLICY, tongue) if text is None else text) == []


def test_a_misspelt_chinese_key_is_underlined_where_it_stands(editors):
    text = ZH.replace("    保级:", "    报级:")
    _, problems = editors["zh"].open(text)
    # The line of the schema stands above.
    line = text.splitlines().index("    报级: {期限: 12 个月, 到期: 降一级}") + 1
    found = [one for one in problems if "报级" in one["message"]]
    assert found, problems
    assert found[0]["range"] == {"start": {"line": line, "character": 4}, "end": {"line": line, "character": 6}}
    assert all(one["range"]["start"]["line"] >= line - 4 for one in problems), problems


@pytest.mark.parametrize(
    ("tongue", "old", "new"),
    [
        ("zh", "12 个月", "12"), ("zh", "降一级", "降一季"), ("zh", "次数: 联系走访", "次数: 联系走房"),
        ("en", "one_down", "two_down"), ("en", "title:", "titel:"), ("en", "12 months", "12"),
        ("mixed", "降一级", "降一季"), ("zh", "编号", "id"),
    ],
)  # fmt: skip
def test_what_the_reader_refuses_is_underlined_while_it_is_typed(editors, tongue, old, new):
    text = EN if tongue == "en" else ZH
    assert old in text
    assert said(editors, tongue, text.replace(old, new))


def test_the_keys_of_a_place_are_completed_in_the_language_of_the_file(editors):
    for tongue, text, wanted, never in (
        ("zh", ZH + "  - \n", {"编号", "名称", "满足", "保级"}, "keep"),
        ("en", EN + "  - \n", {"id", "title", "when", "keep"}, "保级"),
        ("zh", ZH + "\n", {"钱包", "奖励", "价格", "服务级别"}, "wallets"),
    ):
        uri, _ = editors[tongue].open(text)
        last = text.rstrip("\n").count("\n")
        line = last if text.endswith("- \n") else last + 1
        labels = editors[tongue].complete(uri, line, 4 if text.endswith("- \n") else 0)
        assert wanted <= set(labels), labels
        assert never not in labels


def test_the_words_of_a_value_are_completed(editors):
    text = ZH.replace("到期: 降一级", "到期: ")
    uri, _ = editors["zh"].open(text)
    line = next(n for n, one in enumerate(text.splitlines()) if "保级" in one)
    labels = editors["zh"].complete(uri, line, text.splitlines()[line].index("到期: ") + 4)
    assert {"降一级", "按指标"} & set(labels) or any("降一级" in label for label in labels), labels


def test_a_key_is_explained_when_the_mouse_rests_on_it(editors):
    for tongue, text, key in (("zh", ZH, "保级"), ("en", EN, "keep"), ("mixed", ZH, "保级")):
        uri, _ = editors[tongue].open(text)
        line = next(n for n, one in enumerate(text.splitlines()) if one.strip().startswith(key))
        shown = editors[tongue].hover(uri, line, 5)
        assert policy_schema(tongue)["definitions"]["tier"]["properties"][key]["description"] in shown, shown


@pytest.mark.timeout(300)
@pytest.mark.parametrize("code", ["P201", "P203", "P204", "P301", "P308", "P311", "P315", "P401", "P402", "P409"])
def test_the_examples_of_plain_mistakes_are_underlined_and_their_mended_forms_are_not(editors, code):
    for lang in ("zh", "en"):
        example = EXAMPLES[code]
        assert said(editors, lang, example.failing(lang).decode())
        assert said(editors, "mixed", example.good(lang)) == []
