"""`policy check` says which rules no example exercises, at their lines, and is clean all the same."""

import json
import re
from pathlib import Path

import pytest

from rules.checking import check
from rules.explanations import EXAMPLES
from rules.judge import Ruleset
from rules.policy import Mark
from rules.unexercised import MAX_SAID, unexercised, without_examples
from tests.long_policies import long_policy
from tierengine.__main__ import main
from tierengine.commands.policy_coverage import MAX_EVENTS, with_coverage
from tierengine.policies.coverage import coverage
from tierengine.policies.examples import run_examples

ROOT = Path(__file__).parent.parent
RULES = """计划: club
指标:
  n: {次数: 联系走访}
特点:
  often: {名称: 常来往, 满足: {n: {不低于: 2}}}
等级:
  - {编号: low, 名称: 低, 服务: clip}
  - {编号: high, 名称: 高, 服务: clip, 满足: {特点: {不低于: 1}}, 保级: {期限: 12 个月, 到期: 降一级}}
服务级别:
  clip:
    名称: 夹子
    权益:
      advice: {名称: 咨询}
    应尽服务:
      call: {名称: 回电, 当: 报修, 时限: 1 小时, 负责人: leader}
钱包:
  w: {名称: 钱, 单位: 金额}
价格:
  parts: {名称: 配件价, 条件: {类别: 配件}, 实付: 95折}
奖励:
  gift: {名称: 礼, 当: 购机, 记入: w, 奖励金额: 5 元}
"""
NOBODY = "示例:\n  - {名称: 新客户, 已知: [], 应得: {等级为: low, 权益: [advice]}}\n"
REST = """  - 名称: 老客户
    已知:
      - {事件: 联系走访, 时间: 2026-01-01, 渠道: phone, 方向: ours, 状态: accepted}
      - {事件: 联系走访, 时间: 2026-01-02, 渠道: phone, 方向: ours, 状态: accepted}
      - {事件: 购买配件, 时间: 2026-01-03, 单号: P1, 明细: [{物料号: A1, 类别: 配件, 数量: 1, 标价: 100 元}]}
      - {事件: 购机, 时间: 2026-01-04, 单号: M1, 整机编号: S1, 金额: 9 元}
    应得: {等级为: high}
  - 名称: 报修
    已知:
      - {事件: 报修, 时间: 2026-01-05, 来源单号: R1, 整机编号: S1, 严重程度: ordinary}
    应得: {等级为: low, 应尽服务: [call]}
"""
MISSING = {
    "特点.often": 5, "等级.high": 8, "服务级别.clip.应尽服务.call": 15, "价格.parts": 19, "奖励.gift": 21,
}  # fmt: skip


@pytest.fixture
def checked(tmp_path, capsys):
    """Check a text; give the exit code, what was shown and what a program gets."""

    def run(text, *words, beside=""):
        path = tmp_path / "club.yaml"
        path.write_text(text, encoding="utf-8")
        if beside:
            (tmp_path / "club.examples.yaml").write_text(beside, encoding="utf-8")
        code = main(["policy", "check", str(path), "--lang", "zh", *words])
        out, run.err = capsys.readouterr()
        return code, out.replace(str(path), "club.yaml")

    return run


def test_each_rule_that_no_example_exercises_is_a_line_with_its_place_and_the_coverage(checked):
    code, out = checked(RULES + NOBODY, "--format", "short")
    assert code == 0
    found = re.findall(r"(?m)^club\.yaml:(\d+):\d+: P525 没有示例用到“(.+)”；全部示例用到了 2/7 \(28%\) 项$", out)
    assert {name: int(line) for line, name in found} == MISSING
    assert out.count("\n") == len(MISSING)


def test_programs_and_people_are_told_the_same(checked):
    code, out = checked(RULES + NOBODY, "--format", "json")
    told = json.loads(out)
    assert (code, told["ok"], told["errors"], told["warnings"]) == (0, True, 0, len(MISSING))
    assert {(one["code"], one["severity"]) for one in told["problems"]} == {("P525", "warning")}
    assert [one["line"] for one in told["problems"]] == list(MISSING.values())
    code, out = checked(RULES + NOBODY)
    assert code == 0
    assert f"{len(MISSING)} 个提醒" in out
    assert "   21 |   gift: " in out
    assert "写的是" not in out  # nobody wrote the coverage


def test_nothing_is_said_when_the_examples_exercise_everything_wherever_they_stand(checked):
    assert checked(RULES + NOBODY + REST, "--format", "short") == (0, "")
    assert checked(RULES + NOBODY, "--format", "short", beside="示例:\n" + REST) == (0, "")
    # One that cannot be read exercises nothing.
    assert checked(RULES + NOBODY, "--format", "short", beside="示例: 无\n")[1].count("P525") == len(MISSING)


def test_a_file_without_examples_gets_one_warning(checked):
    code, out = checked(RULES, "--format", "short")
    assert (code, out) == (0, "club.yaml:1:1: P526 文件里没有示例，7 项规则都没有核对过\n")


def test_a_file_with_errors_is_not_judged(checked):
    code, out = checked(RULES + NOBODY + "标题: x\n", "--format", "short")
    assert code == 1
    assert "P525" not in out


def test_examples_that_would_take_long_are_left_to_the_command_that_runs_them(checked, tmp_path):
    for words in ((), ("--format", "short")):
        code, out = checked(long_policy(), *words)
        assert code == 0
        assert "policy test" in checked.err
        assert "policy test" not in out
        assert "P525" not in out
    assert json.loads(checked(long_policy(), "--format", "json")[1])["examples_run"] is False
    assert json.loads(checked(RULES + NOBODY, "--format", "json")[1])["examples_run"] is True
    few = RULES + NOBODY + REST.replace("2026-01-05", "2026-02-01")
    reading = check(few, "x")
    assert sum(len(one.given) for one in reading.policy.examples) <= MAX_EVENTS
    assert with_coverage(tmp_path / "x.yaml", reading) == (reading, True)


def test_no_more_are_said_than_anybody_reads_and_of_a_reward_once():
    marks = {f"r{n}": Mark(n + 1, 3) for n in range(MAX_SAID + 50)}
    found = unexercised({"rewards": marks, "amounts": {"r1.small": marks["r1"]}}, 0, len(marks))
    assert [one.mark.line for one in found] == list(range(1, MAX_SAID + 1))
    assert unexercised({"amounts": {"r1.small": Mark(2, 3)}}, 9, 10)[0].about == "rewards.r1.small"
    assert without_examples(0) == ()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("code", ["P525", "P526"])
def test_running_the_explained_files_finds_what_the_explanation_says(code, lang, tmp_path):
    example = EXAMPLES[code]
    text = example.failing(lang).decode()
    found, _ = with_coverage(tmp_path / "x.yaml", check(text, "x"))
    told = example.reading(lang).problems
    assert [(p.code, p.mark, p.message(lang)) for p in found.problems] == [
        (p.code, p.mark, p.message(lang)) for p in told
    ]
    mended, _ = with_coverage(tmp_path / "x.yaml", check(example.good(lang), "x"))
    assert mended.policy is not None
    assert mended.problems == ()


def test_the_default_policy_and_the_file_beside_it_leave_nothing_out():
    reading, tried = with_coverage(ROOT / "policies.yaml", check((ROOT / "policies.yaml").read_bytes(), "x"))
    assert tried
    assert reading.problems == ()
    covered = coverage(reading.policy, (verdict.used for verdict in run_examples(Ruleset(reading.policy))))
    assert covered.percent < 100  # so that the file beside it is what makes the difference
