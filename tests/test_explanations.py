"""Every problem is explained with a file that has it and a file that no longer has it; `policy explain` shows both."""

import json
import re

import pytest

from rules.catalogue import CATALOGUE
from rules.checking import check
from rules.explanations import EXAMPLES
from rules.explanations.explanation import explain
from rules.policy import Mark
from tests.problem_pages import PAGES, page
from tierengine.__main__ import main

LANGS = ("zh", "en")


@pytest.fixture
def command(capsys):
    """Run `tierengine policy …`."""

    def run(*words):
        code = main(["policy", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def test_every_code_of_the_catalogue_has_an_example_and_nothing_else_has():
    assert list(EXAMPLES) == list(CATALOGUE)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("code", CATALOGUE)
def test_the_failing_example_has_the_problem_at_the_place_and_the_mended_one_has_not(code, lang):
    example = EXAMPLES[code]
    reading = example.reading(lang)
    places = [problem.mark for problem in reading.problems if problem.code == code]
    marked = example.marked(lang)
    assert (marked is None and places) or marked in places, reading.show("en", "short")
    if example.told is not None:
        assert example.told.message(lang) in [problem.message(lang) for problem in reading.problems]
    # Nothing else is wrong with it. That something is not used, in so small a piece, is no mistake.
    others = {problem.code for problem in reading.problems} - {code, "P413"}
    assert others == ({"P201"} if code == "P117" else set()), reading.show("en", "short")
    mended = check(example.good(lang), "x")
    assert mended.policy is not None, mended.show("en", "short")
    assert {problem.code for problem in mended.problems} <= {"P413"} - {code}


@pytest.mark.parametrize("code", CATALOGUE)
def test_the_chinese_examples_say_where_the_problem_is(code):
    assert EXAMPLES[code].marked("zh") is not None


@pytest.mark.parametrize("code", CATALOGUE)
def test_an_english_example_is_english(code):
    found = explain(code, "en")
    # P102, P202 and P310 are about what Chinese keyboards write, P527 about Chinese names; P108 about full-width signs.
    allowed = {"P102", "P202", "P310", "P527"}
    assert code in allowed or not re.search("[\u4e00-\u9fff]", found.fails + found.mended)


@pytest.mark.parametrize("lang", LANGS)
def test_the_place_is_that_of_the_piece_that_is_shown(lang):
    found = explain("P303", lang)
    assert found.place is not None
    line = found.fails.split("\n")[found.place.line - 1]
    assert line[found.place.column - 1 :] == "1000}"
    assert found.sentence.count("1000") == 1


def test_a_caret_stands_under_the_place_behind_chinese_text():
    lines = explain("P401", "zh").lines()
    at = next(number for number, line in enumerate(lines) if line.strip() == "^")
    before = lines[at - 1].split("联系走房")[0]
    assert len(lines[at]) - 1 == len(before) + len(re.findall("[\u4e00-\u9fff]", before))


def test_what_is_too_large_to_be_shown_is_shown_shortened_and_without_a_place():
    for code in ("P104", "P106", "P117", "P118", "P212", "P320", "P521"):
        found = explain(code, "zh")
        assert len(found.fails) < 200
        assert found.place is None
        assert "^" not in "".join(found.lines())


def test_a_line_that_is_named_is_a_line_of_the_piece():
    assert "1" in explain("P202", "en").sentence
    assert explain("P202", "en").place == Mark(2, 1)


def test_characters_that_cannot_be_seen_are_shown_by_others():
    assert "⇥" in "".join(explain("P107", "zh").lines())
    assert "\ufeff" not in "".join(explain("P103", "zh").lines())


@pytest.mark.parametrize("lang", LANGS)
def test_every_code_is_documented_and_the_page_is_as_the_catalogue_says(lang):
    written = PAGES[lang].read_text(encoding="utf-8")
    assert re.findall("(?m)^## .*</a>(P\\d+) ", written) == list(CATALOGUE)
    assert written == page(lang), "python -m tests.problem_pages"


# ---- the command ---------------------------------------------------------------------------------------------------


def test_the_command_explains_in_the_language_that_is_asked_for(command):
    code, out, _ = command("explain", "p303", "--lang", "zh")
    assert code == 0
    for part in (
        "P303 金额没有单位 (错误)",
        "怎么改",
        "这样写不行",
        "奖励金额: 1000}",
        "这样写可以",
        "奖励金额: 1000 元}",
    ):
        assert part in out
    code, out, _ = command("explain", "P303", "--lang", "en")
    assert code == 0
    for part in ("P303 Money without a unit (error)", "This fails", "amount: 1000}", "amount: 1000 CNY}"):
        assert part in out


def test_the_command_gives_both_languages_as_json(command):
    code, out, _ = command("explain", "P303", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["code"], found["severity"]) == ("P303", "error")
    assert set(found["title"]) == set(found["sentence"]) == set(found["help"]) == set(found["example"]) == {"zh", "en"}
    example = found["example"]["en"]
    assert example["fails"].split("\n")[example["line"] - 1][example["column"] - 1 :] == "1000}"


def test_without_a_code_all_are_listed(command):
    code, out, _ = command("explain", "--lang", "en")
    assert code == 0
    assert [line[:4] for line in out.splitlines()] == list(CATALOGUE)
    assert len(json.loads(command("explain", "--json")[1])["codes"]) == len(CATALOGUE)


def test_an_unknown_code_is_an_error_that_says_where_the_codes_are(command):
    code, out, err = command("explain", "P999", "--lang", "zh")
    assert (code, out) == (1, "")
    assert "没有 P999" in err
