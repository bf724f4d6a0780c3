"""The command line: one JSON document, exit codes, both languages, and never a traceback at a user."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import POLICY, ROOT, SMALL, book, club, run, somewhere  # noqa: F401  fixtures
from tierengine import __main__ as program
from tierengine.commands.screen import BadLanguage, both, common, in_lang


@pytest.mark.parametrize(
    ("words", "environ", "lang", "asked"),
    [
        (["x"], {"LANG": "zh_CN.UTF-8"}, "zh", False),
        (["x"], {"LANG": "C.UTF-8"}, "en", False),
        (["x"], {"LANG": "zh_CN", "LC_ALL": "de_DE"}, "en", False),
        (["x"], {"LANG": "en_US", "TIERENGINE_LANG": "zh"}, "zh", True),
        (["x", "--lang", "en"], {"TIERENGINE_LANG": "zh"}, "en", True),
        (["--lang=zh-Hans", "x"], {}, "zh", True),
    ],
)
def test_the_language_is_asked_for_or_the_machines(words, environ, lang, asked):
    options, rest = common(words, environ)
    assert (options.lang, options.asked, rest) == (lang, asked, ["x"])


def test_what_comes_after_two_dashes_is_nobodys_option():
    options, rest = common(["a", "--json", "--", "--json", "--lang"], {})
    assert options.json
    assert rest == ["a", "--", "--json", "--lang"]
    with pytest.raises(BadLanguage):
        common(["--lang", "fr"], {})


def test_a_help_text_is_in_one_language():
    assert in_lang(both("一", "one"), "zh") == "一"
    assert in_lang(both("一", "one"), "en") == "one"
    assert in_lang("neither", "zh") == "neither"


@pytest.mark.parametrize("noun", ["", *program.NOUNS])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_of_help_is_in_the_language_asked_for(run, noun, lang):
    code, out, err = run(*([noun] if noun else []), "--help", "--lang", lang)
    assert (code, err) == (0, "")
    assert "\x1f" not in out
    assert "--json" in out
    assert bool(re.search("[一-鿿]", out)) is (lang == "zh")


def test_without_a_command_the_help_is_shown(run):
    code, out, err = run()
    assert code == 2
    assert "policy" in out + err


@pytest.mark.parametrize(
    "words",
    [
        ["nothing"],
        ["policy", "chek"],
        ["policy", "check"],
        ["policy", "check", "nowhere.yaml"],
        ["policy", "check", "--nope", str(POLICY)],
        ["award", "plan", "soon"],
        ["key", "create", "--role", "king"],
        ["events", "import", "nowhere.csv"],
        ["events", "import", str(POLICY), "--map", "nonsense"],
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_wrong_usage_is_2_and_one_json_document(run, words, lang):
    code, out, err = run(*words, "--lang", lang)
    assert (code, out) == (2, "")
    assert err
    assert "Traceback" not in err
    code, out, err = run(*words, "--json", "--lang", lang)
    assert (code, err) == (2, "")
    assert json.loads(out)["error"]["code"]


@pytest.mark.parametrize(
    "words",
    [
        ["member", "show", "C1"],
        ["award", "plan", "2026"],
        ["duties", "due"],
        ["verify"],
        ["events", "report"],
        ["events", "parked"],
        ["serve"],
        ["key", "create", "--store", "S01"],
        ["policy", "publish", str(SMALL)],
    ],
)
def test_a_book_that_is_not_there_is_refused_in_a_sentence(run, words):
    code, out, err = run(*words)
    assert (code, out) == (3, "")
    assert "migrate" in err or "not there" in err
    code, out, _ = run(*words, "--json")
    assert code == 3
    assert json.loads(out)["error"]["code"] == "not_ready"
    assert list(Path().iterdir()) == []


def test_a_setting_that_cannot_be_used_is_wrong_usage(run, monkeypatch):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", "mysql://x")
    code, _, err = run("verify")
    assert code == 2
    assert "TIERENGINE_DATABASE_URL" in err


def test_the_unexpected_is_an_apology_with_a_report(run, club, monkeypatch):
    def fails(*_):
        raise ValueError("欧阳测试 13912345678")

    monkeypatch.setattr("tierengine.commands.verify.broken_of", fails)
    code, out, err = run("verify", "--json")
    error = json.loads(out)["error"]
    assert (code, error["code"]) == (3, "unexpected")
    assert "Traceback" not in err
    report = Path(error["report"])
    told = report.read_text(encoding="utf-8")
    assert "ValueError" in told
    assert "commands/verify.py" in told
    assert "13912345678" not in told  # people send it around
    report.unlink()
    _, _, err = run("verify", "--debug")
    assert "ValueError: 欧阳测试" in err


def test_a_name_that_is_no_text_breaks_nothing(run, tmp_path):
    shutil.copy(SMALL, os.fsencode(tmp_path) + b"/b\xff.yaml")
    code, out, _ = run("policy", "check", os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.yaml"), "--json")
    assert code == 0
    assert json.loads(out)["ok"]


def test_the_version_is_said(run):
    assert json.loads(run("--version", "--json")[1])["tierengine"]


def test_a_reader_who_has_seen_enough_ends_it_quietly():
    process = subprocess.Popen(
        [sys.executable, "-m", "tierengine", "--help"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) in (0, 1, 141)
