"""A clerk with a Chinese keyboard breaks policies.yaml in every way he knows; each answer shows the place and the mend.

What he is told stands, word for word, in golden/clerk.txt, to be read by whoever changes a sentence. It is written
anew by `python -m tests.test_clerk`.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from rules.checking import check
from rules.problems import render, width
from rules.reader import Reading

HERE = Path(__file__).parent
POLICY = (HERE.parent / "policies.yaml").read_text(encoding="utf-8")
GOLDEN = HERE / "golden" / "clerk.txt"

# What he does, what stood there, what he writes (the first place in the file), and the code he is answered with.
BREAKS = [
    ("冒号打成全角", "币种: CNY", "币种：CNY", "P108"),
    ("段名后的冒号打成全角", "\n奖励:\n", "\n奖励：\n", "P108"),
    ("花括号里的逗号打成全角", "{中文: 会员, 英文: Member}", "{中文: 会员，英文: Member}", "P108"),
    ("花括号打成全角", "{中文: 会员, 英文: Member}", "｛中文: 会员, 英文: Member｝", "P108"),
    ("列表用顿号分开", "适用: [member, gold]", "适用: [member、gold]", "P108"),
    ("列表用方头括号", "适用: [gold]", "适用: 【gold】", "P108"),
    ("编号加了直角引号", "  - 编号: gold\n", "  - 编号: 「gold」\n", "P108"),
    ("名称加了弯引号", "名称: 只差一个特点", "名称: “只差一个特点”", "P322"),
    ("分类写成名称", "客户分类: key_account", "客户分类: 大客户", "P527"),
    ("井号打成全角", "# ---- 名单", "＃ ---- 名单", "P108"),
    ("缩进用了全角空格", "\n    单位: 金额", "\n　　单位: 金额", "P108"),
    ("缩进用了 Tab", "\n    单位: 金额", "\n\t单位: 金额", "P107"),
    ("少缩进一格", "\n    单位: 金额", "\n   单位: 金额", "P120"),
    ("多缩进一格", "\n    单位: 金额", "\n     单位: 金额", "P120"),
    ("冒号后没有空格", "币种: CNY", "币种:CNY", "P109"),
    ("横线后没有空格", "  - 编号: member", "  -编号: member", "P109"),
    ("注释前没有空格", "币种: CNY\n", "币种: CNY#人民币\n", "P122"),
    ("花括号没有写完", "到期: 降一级}", "到期: 降一级", "P119"),
    ("引号没有写完", "名称: 只差一个特点", '名称: "只差一个特点', "P119"),
    ("文字里有半角冒号", "名称: 只差一个特点", "名称: 名单: 只差一个特点", "P121"),
    ("九五折写成减 95%", "实付: 95折", "减: 95%", "P309"),
    ("九五折写成减 95 折", "实付: 95折", "减: 95折", "P309"),
    ("九五折没有写单位", "实付: 95折", "实付: 95", "P308"),
    ("九五折写成 10 折", "实付: 95折", "实付: 10折", "P310"),
    ("金额没有写单位", "奖品价值: 5000 元", "奖品价值: 5000", "P303"),
    ("金额写成积分", "{1: 1000 元, 之后: 无} ", "{1: 1000 积分, 之后: 无} ", "P317"),
    ("天数写在要月数的地方", "保级: {期限: 12 个月", "保级: {期限: 365 天", "P312"),
    ("同一个键写了两次", "    周期: 终身", "    周期: 每年\n    周期: 终身", "P202"),
    ("键写成同音字", "    保级: {期限", "    报级: {期限", "P201"),
    ("段名写成同音字", "\n钱包:\n", "\n前包:\n", "P201"),
    ("事件写成同音字", "当: 满意度", "当: 满一度", "P401"),
    ("比较写成同音字", "{不低于: 2}", "{不底于: 2}", "P201"),
    ("比较写成式子", "特点: {不低于: 2}", "特点: >=2", "P323"),
    ("比较没有写花括号", "特点: {不低于: 2}", "特点: 不低于2", "P323"),
    ("编号字母颠倒", "适用: [gold]", "适用: [glod]", "P406"),
    ("指标少写一个字母", "- machines_bought: ", "- machine_bought: ", "P404"),
    ("要的比有的多", "特点: {不低于: 2}", "特点: {不低于: 8}", "P503"),
    ("台阶跳了一档", "2-3: 1500 元", "3: 1500 元", "P505"),
    ("日期不存在", "时间: 2026-02-01", "时间: 2026-02-31", "P313"),
    ("字母 O 当成零", "宽限: 90 天", "宽限: 9O 天", "P311"),
    ("折扣写成小数", "实付: 95折", "实付: 0.95", "P308"),
    ("天数写成几号", "提醒: [90 天, 30 天]", "提醒: [90 天, 30 号]", "P311"),
    ("一百三说不清是 103 还是 130", "{不低于: 130%}", "{不低于: 百分之一百三}", "P307"),
    ("台阶用破折号", "2-3: 1500 元", "2—3: 1500 元", "P321"),
    ("金额后写以上", "{不低于: 20000 元}", "20000 元以上", "P323"),
    ("比较里再写以上", "{不低于: 20000 元}", "{不低于: 2 万元以上}", "P305"),
    ("元写成块钱", "复核起点: 1000 元", "复核起点: 1000 块钱", "P305"),
    ("井号后面成了注释", "名称: {中文: 金卡九五折, 英文: Gold card pays 95%}", "名称: #1 金卡九五折", "P208"),
    ("从 Word 贴来的不间断空格", "实付: 98折", "实付:\u00a098折", "P108"),
    ("是写成打勾", "非本人客户经理: 是", "非本人客户经理: √", "P314"),
    ("折写成区间", "实付: 95折", "实付: 85-95折", "P310"),
    ("折说成九折半", "实付: 95折", "实付: 九折半", "P307"),
    ("等级写成名称", "适用: [gold]", "适用: [金卡]", "P406"),
    ("指标写成名称", "- machines_bought: ", "- 在本公司购机台数: ", "P404"),
    ("比较用数学的说法", "特点: {不低于: 2}", "特点: {大于等于: 2}", "P201"),
    ("油品写成机油", "可付: [配件, 油品]", "可付: [配件, 机油]", "P409"),
    ("工时写成修理", "[配件, 油品, 工时, 租赁]", "[配件, 油品, 修理, 租赁]", "P409"),
    ("实付写成折扣", "实付: 95折", "折扣: 95折", "P201"),
    ("每年写成一年", "    周期: 每年  ", "    周期: 一年  ", "P315"),
    ("台阶写成第一次", "{1: 1000 元, 之后: 无} ", "{第一次: 1000 元, 之后: 无} ", "P321"),
    ("宽限写成三个月", "宽限: 90 天", "宽限: 三个月", "P312"),
    ("次数写了单位", "额度: 2, 周期: 每年", "额度: 2次, 周期: 每年", "P301"),
    ("时限写成半小时", "时限: 30 分钟, 负责人", "时限: 半小时, 负责人", "P311"),
    ("起订写成满多少", "起订: 3000 元", "起订: 满3000元", "P305"),
    ("花括号里的数字写了逗号", "上限: 500 元}", "上限: 5,000 元}", "P211"),
    ("积分写成分", "奖励金额: 500 积分", "奖励金额: 500分", "P317"),
    ("属性拼错", "属性: entered_trade_on", "属性: 入行日子", "P411"),
    ("个月写成同音字", "保级: {期限: 12 个月", "保级: {期限: 12 各月", "P311"),
]  # fmt: skip
NAMES = [name for name, *_ in BREAKS]
BOTH_ENDS = ("花括号打成全角",)  # one mistake at two places


def broken(old: str, new: str) -> tuple[str, int]:
    """Return the policy with the mistake in it, and the number of the line that holds it."""
    at = POLICY.index(old)
    text = POLICY[:at] + new + POLICY[at + len(old) :]
    same = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return text, text.count("\n", 0, at + same) + 1


@cache
def answer(old: str, new: str) -> Reading:
    """Return what is found in the policy with the mistake in it."""
    return check(broken(old, new)[0], "policies.yaml")


def told(old: str, new: str, lang: str) -> str:
    """Return what the clerk is told, but for what changes with file and vocabulary: lines, ends of long lists."""
    reading = answer(old, new)
    answers = [render(problem, reading.line(problem.mark), lang) for problem in reading.problems]
    blank = re.sub(r"(?m)^(policies\.yaml:)\d+", r"\1…", "\n".join(answers))
    blank = re.sub(r"(前一次在第|first on line) \d+", r"\1 …", blank)
    blank = re.sub(r"(?m)^( +(?:可以写|allowed): (?:[^、,\n]+[、,] ?){3}).*$", r"\1…", blank)
    return re.sub(r"(?m)^ *\d+ \|", "    … |", blank)


def golden() -> str:
    """Return everything he is told, in both languages."""
    parts = []
    for name, old, new, _ in BREAKS:
        parts += [f"== {name}", told(old, new, "zh"), "", told(old, new, "en"), ""]
    return "\n".join(parts)


@pytest.mark.parametrize(("name", "old", "new", "code"), BREAKS, ids=NAMES)
def test_each_mistake_is_one_answer_that_shows_the_place_and_the_mend(name, old, new, code):
    _, line = broken(old, new)
    reading = answer(old, new)
    codes = [problem.code for problem in reading.problems]
    assert codes == [code] * (2 if name in BOTH_ENDS else 1), reading.show("zh", "short")
    problem = reading.problems[0]
    # Of two equal keys either may be the wrong one: the second is shown, and the line of the first is named.
    if code == "P202":
        assert problem.about == str(line)
    else:
        assert problem.mark.line == line, reading.show("zh")
    shown = render(problem, reading.line(problem.mark), "zh").splitlines()
    assert shown[0].startswith(f"policies.yaml:{problem.mark.line}:{problem.mark.column}: ")
    # The caret stands under the character, however wide those before it are.
    gutter = shown[1].index("|") + 2
    before = shown[1][gutter : gutter + problem.mark.column - 1]
    assert shown[2][gutter:].index("^") == width(before)
    assert any(line.strip().startswith(("可以写", "是不是想写", "怎么改")) for line in shown)


def test_the_answers_are_those_that_were_read_and_found_good():
    assert golden() == GOLDEN.read_text(encoding="utf-8")


def test_all_the_mistakes_at_once_are_all_answered_at_once():
    """Whatever stops YAML is mended in a copy, so that nothing hides what comes after it."""
    text = POLICY
    wanted = []
    for old, new, code in [
        ("币种: CNY\n", "币种：CNY\n", "P108"),
        ("    服务: zipper", "   服务: zipper", "P120"),
        ("特点: {不低于: 2}", "特点: >=2", "P323"),
        ("名称: 只差一个特点", '名称: "只差一个特点', "P119"),
        ("最高占比: 100%", "最高占比: 100", "P308"),
        ("实付: 95折", "减: 95%", "P309"),
        ("适用: [member, gold]", "适用: [member、gold]", "P108"),
        ("当: 满意度", "当: 满一度", "P401"),
        ("奖品价值: 5000 元", "奖品价值: 5000", "P303"),
    ]:
        assert old in text
        text = text.replace(old, new, 1)
        wanted.append(code)
    reading = check(text, "policies.yaml")
    assert [problem.code for problem in reading.problems] == wanted, reading.show("zh")


if __name__ == "__main__":
    GOLDEN.write_text(golden(), encoding="utf-8")
