"""The commands about policies: problems with their places, publishing, examples."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

import json
import re
from pathlib import Path

import pytest

from tests.command_line import POLICY, SMALL, book, club, run, somewhere  # noqa: F401  fixtures

# ---- policies ----------------------------------------------------------------------------------------------------


def test_a_good_policy_has_no_problems(run):
    code, out, _ = run("policy", "check", POLICY, "--json")
    assert code == 0
    assert json.loads(out) | {"file": ""} == {
        "file": "", "ok": True, "errors": 0, "warnings": 0, "problems": [], "examples_run": True,
    }  # fmt: skip


@pytest.fixture
def broken(tmp_path) -> Path:
    """Give a policy with a misspelt key and a bad amount."""
    text = SMALL.read_text(encoding="utf-8")
    text = text.replace("programme:", "programe:", 1).replace("20000 CNY", "20000 XYZ", 1)
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_short_problem_is_one_line_with_its_place(run, broken):
    code, out, _ = run("policy", "check", broken, "--format", "short", "--lang", "zh")
    assert code == 1
    lines = out.splitlines()
    assert len(lines) >= 2
    assert all(re.fullmatch(rf"{re.escape(str(broken))}:\d+:\d+: P\d+ .+", line) for line in lines)


def test_json_problems_are_the_same_by_either_option(run, broken):
    by_option = run("policy", "check", broken, "--json")
    by_format = run("policy", "check", broken, "--format", "json")
    assert by_option == by_format
    assert {problem["line"] for problem in json.loads(by_option[1])["problems"]} >= {2}


def test_a_broken_policy_is_not_published_and_the_old_one_stays(run, club, broken):
    code, out, _ = run("policy", "publish", broken, "--json")
    assert code == 1
    assert json.loads(out)["errors"] >= 1
    code, out, _ = run("events", "report", "--json")
    assert code == 0


def test_publishing_says_the_version_and_refuses_what_is_too_soon(run, club):
    code, out, _ = run("policy", "publish", SMALL, "--reason", "try", "--json")
    assert code == 0
    assert json.loads(out)["version"] == 2
    code, out, _ = run("policy", "publish", SMALL, "--effective-from", "2025-06-01", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (3, "too_soon")
    code, out, _ = run("policy", "publish", SMALL, "--effective-from", "soon", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "bad_time")


def test_a_policy_in_another_currency_is_refused(run, club, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(SMALL.read_text(encoding="utf-8").replace("CNY", "USD"), encoding="utf-8")
    code, out, _ = run("policy", "publish", other, "--json")
    assert (code, json.loads(out)["error"]["code"]) == (1, "programme_changed")


def test_examples_are_run_and_a_failing_one_is_shown(run, tmp_path):
    code, out, _ = run("policy", "test", POLICY, "--json")
    told = json.loads(out)
    assert (code, told["failed"]) == (0, 0)
    text = POLICY.read_text(encoding="utf-8").replace("应得: {等级为: gold,", "应得: {等级为: member,", 1)
    other = tmp_path / "wrong.yaml"
    other.write_text(text, encoding="utf-8")
    code, out, _ = run("policy", "test", other, "--lang", "zh")
    assert code == 1
    assert "应得 member，实得 gold" in out


def test_examples_may_stand_in_files_of_their_own_and_a_coverage_be_required(run, tmp_path):
    more = tmp_path / "more.yaml"
    event = "{event: contact, at: 2026-01-10, channel: phone, direction: ours, status: accepted}"
    more.write_text(f"examples:\n  - given: [{event}]\n    expect: {{tier: member}}\n", encoding="utf-8")
    code, out, _ = run("policy", "test", SMALL, more, "--json")
    told = json.loads(out)
    assert (code, told["failed"]) == (1, 1)
    failed = told["examples"][-1]
    assert (failed["file"], failed["line"], failed["wrong"][0]["line"]) == (str(more), 2, 3)
    assert failed["wrong"][0]["why"][0]["file"] == str(SMALL)
    code, out, _ = run("policy", "test", SMALL, more, "--lang", "en")
    assert f"{more}:3:14: tier: expected member" in out
    more.write_text(more.read_text(encoding="utf-8").replace("member", "nobody"), encoding="utf-8")
    code, out, err = run("policy", "test", SMALL, more, "--lang", "en")
    assert (code, out) == (1, "")
    assert f"{more}:3:20: P406" in err
    assert json.loads(run("policy", "test", SMALL, more, "--json")[1])["problems"][0]["code"] == "P406"

    # What stands beside the policy under its name counts without being named, as it does for `policy check`.
    assert run("policy", "test", POLICY, "--min-coverage", "100")[0] == 0
    alone = tmp_path / POLICY.name
    alone.write_bytes(POLICY.read_bytes())
    code, out, _ = run("policy", "test", alone, "--json")
    percent = json.loads(out)["coverage"]["percent"]
    assert (code, 0 < percent < 100) == (0, True)
    assert run("policy", "test", alone, "--min-coverage", percent)[0] == 0
    code, out, _ = run("policy", "test", alone, "--min-coverage", percent + 1, "--json")
    assert (code, json.loads(out)["ok"]) == (1, False)
    assert run("policy", "test", POLICY, "--min-coverage", "101")[0] == 2
    assert run("policy", "test", POLICY, tmp_path / "nowhere.yaml")[0] == 2
