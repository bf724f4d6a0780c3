"""`policy diff`, `plan` and `rollback` as a clerk uses them, and a plan shown when publishing."""

import json
from pathlib import Path

import pytest

from tests.command_line import book, club, run, somewhere  # noqa: F401  fixtures
from tierengine.commands import policy_plan

SMALL = Path(__file__).parent / "policies" / "small.yaml"


@pytest.fixture
def cheaper(tmp_path):
    """A file with one rung lowered."""
    file = tmp_path / "cheaper.yaml"
    file.write_text(SMALL.read_text(encoding="utf-8").replace("2-3: 1500 CNY", "2-3: 1200 CNY"), encoding="utf-8")
    return file


def answer(run, *words):  # noqa: F811
    code, out, _ = run(*words, "--json")
    return code, json.loads(out)


def test_a_file_is_compared_with_what_is_in_force_or_with_a_version_or_a_file(run, club, cheaper):  # noqa: F811
    places = [["rewards", "machine_ladder", "nth", "2-3"]]
    for words in ([cheaper], ["1", cheaper], [SMALL, cheaper]):
        code, found = answer(run, "policy", "diff", *words)
        assert (code, [one["path"] for one in found["differences"]]) == (0, places)
    code, out, _ = run("policy", "diff", cheaper, "--lang", "zh")
    assert out == "改动  奖励 › machine_ladder「购机奖励」 › 第几次 › 2-3: 1500 元 → 1200 元\n"
    assert run("policy", "diff", SMALL, "--lang", "zh")[1] == "两份政策没有差别。\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["diff", "7"], 1, "unknown_version"),
        (["diff", "9" * 50], 2, "no_file"),
        (["diff", "nowhere.yaml"], 2, "no_file"),
        (["plan", SMALL, "--since", "2999-01-01"], 2, "bad_day"),
        (["plan", SMALL, "--since", "元旦"], 2, "bad_day"),
        (["rollback", "7"], 1, "unknown_version"),
        (["rollback", "1"], 3, "in_force"),
        (["publish", SMALL, "--plan", SMALL], 1, "bad_plan"),
    ],
)
def test_what_cannot_be_says_why(run, club, words, code, said):  # noqa: F811
    assert (found := answer(run, "policy", *words))[0] == code, found
    assert found[1]["error"]["code"] == said


def test_a_plan_is_published_by_somebody_else_as_long_as_it_holds(run, club, cheaper, tmp_path, monkeypatch):  # noqa: F811
    plan = tmp_path / "plan.json"
    code, made = answer(run, "policy", "plan", cheaper, "--out", plan)
    assert code == 0
    assert json.loads(plan.read_text(encoding="utf-8")) == made
    assert (made["members"], made["moved"], made["grants"], made["left_out"]) == (0, [], [], [])
    publish = ("policy", "publish", cheaper, "--plan", plan, "--author")
    code, found = answer(run, *publish, made["by"])
    assert (code, found["error"]["code"]) == (3, "second_person")
    code, found = answer(run, "policy", "publish", SMALL, "--plan", plan, "--author", "王芳")
    assert (code, found["error"]["code"]) == (3, "stale_plan")
    with monkeypatch.context() as later:
        week = (policy_plan.KEPT_DAYS + 1) * 86_400_000_000
        later.setattr(policy_plan, "clock", lambda: made["made_at"] + week)
        code, found = answer(run, *publish, "王芳")
        assert (code, found["error"]["code"]) == (3, "stale_plan")
    code, found = answer(run, *publish, "王芳")
    assert (code, found["version"]) == (0, 2)
    # Another version is there now: the plan was made against the one before.
    code, found = answer(run, *publish, "王芳")
    assert (code, found["error"]["code"]) == (3, "stale_plan")


def test_prices_that_change_are_said_to_be_left_out(run, club, tmp_path):  # noqa: F811
    file = tmp_path / "prices.yaml"
    file.write_text(SMALL.read_text(encoding="utf-8").replace("pay: 95折", "pay: 9折"), encoding="utf-8")
    code, out, err = run("policy", "plan", file, "--lang", "zh")
    assert code == 0
    assert "95折 → 9折" in out
    assert "价格也有改动，试算里没有算" in err


def test_back_to_an_earlier_version_is_a_new_one_with_its_text(run, club, cheaper):  # noqa: F811
    assert answer(run, "policy", "publish", cheaper)[0] == 0
    # The second version rules in a minute; the third goes back behind it.
    code, found = answer(run, "policy", "rollback", "2", "--effective-from", "2199-01-01")
    assert (code, found["version"], found["text_of"]) == (0, 3, 2)
    assert answer(run, "policy", "diff", "2", "3") == (0, {"differences": []})
    assert len(answer(run, "policy", "diff", "1", "3")[1]["differences"]) == 1
