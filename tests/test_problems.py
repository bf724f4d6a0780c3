"""Every problem a policy file can have: one bad file for each, found by its code at its line and column."""

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from rules.catalogue import CATALOGUE
from rules.checking import check
from rules.files import check_file
from rules.keys import KEYS, WORDS
from rules.paths import keys_zh, path_zh
from rules.policy import Mark
from rules.problems import Problem, as_dict, in_order, render, width
from rules.reader import MAX_PROBLEMS, Reading, read
from rules.source import MAX_NODES
from rules.synonyms import _SAID, said_for
from rules.vocabulary import CATEGORIES, FIELDS, KINDS

HEAD = """programme: club
tiers:
  - {id: low, title: 低}
  - {id: high, title: 高, when: {n: 2}, keep: {for: 12 months, then: one_down}}
"""
KEEP = "keep: {for: 12 months, then: one_down}"
FACTS = "facts:\n  n: {count: contact}\n"
LONG = "x" * 2_001
RULES = HEAD + FACTS + "wallets:\n  w: {title: 钱, unit: money}\n  p: {title: 分, unit: points}\n"


def rung(text: str) -> str:
    return RULES + f"rewards:\n  r:\n    title: 奖\n    on: contact\n    into: w\n    nth: {{{text}}}\n"


def reward(text: str) -> str:
    return RULES + f"rewards:\n  r: {{title: 奖, on: purchase_settled, into: w, {text}}}\n"


def price(text: str) -> str:
    return HEAD + FACTS + f"prices:\n  x: {{title: 价, where: {{category: parts}}, {text}}}\n"


def award(text: str) -> str:
    return HEAD + FACTS + f"awards:\n  a: {{title: 评, for: high, score: {{n: 1}}, {text}}}\n"


def trait(text: str) -> str:
    return HEAD + FACTS + f"traits:\n  t: {{title: 特, when: {{{text}}}}}\n"


# A bad file for each code; the sign ▲ stands before the character that the caret must point at.
BAD: list[tuple[str, str]] = [
    ("P101", HEAD + FACTS + "title: {zh: a en▲: b}\n"),
    ("P121", HEAD + FACTS + "title: ▲}\n"),
    ("P119", HEAD + FACTS + 'title: ▲"club\n'),
    ("P119", HEAD + FACTS + "lists: ▲{l: {when: {n: 1}}\n"),
    ("P119", HEAD + FACTS + 'title: ▲"club  # a comment\ncurrency: "CNY"\n'),
    ("P119", HEAD + "facts:\n  n: ▲{count: contact, where: {channel: phone}\n"),
    ("P119", HEAD + FACTS + "rewards:\n  r: {title: 奖, on: ▲[contact, into: w}\n".replace(", into: w", "")),
    ("P120", "programme: club\n▲ title: x\n"),
    ("P120", HEAD + "facts:\n  n: {count: contact}\n▲ m: {count: tip}\n"),
    ("P120", HEAD + "facts:\n  n:\n    title: a\n▲     count: contact\n"),
    ("P121", HEAD + FACTS + "title: ▲a: b\n"),
    ("P121", HEAD + FACTS + "title: ▲@club\n"),
    ("P121", HEAD + FACTS + "title: ▲*club*\n"),
    ("P122", HEAD + FACTS + "currency: CNY▲# yuan\n"),
    ("P322", HEAD + FACTS + "title: ▲「小俱乐部」\n"),
    ("P527", HEAD + "facts:\n  n: {count: machine_purchase, where: {size: ▲大型}}\n"),
    ("P527", HEAD + "facts:\n  n: {count: machine_purchase, where: {size: {in: [small, ▲ｌａｒｇｅ]}}}\n"),
    ("P527", HEAD + FACTS + "lists:\n  l: {when: {all: [{n: 2}, {segment: {is_not: ▲“key_account”}}]}}\n"),
    ("P323", HEAD + FACTS + "lists:\n  l: {when: {n: ▲≥2}}\n"),
    ("P323", HEAD + FACTS + "lists:\n  l: {when: {n: ▲不低于 2}}\n"),
    ("P323", HEAD + FACTS + "lists:\n  l:\n    when:\n      n: ▲>= 2\n"),
    ("P323", HEAD + FACTS + "lists:\n  l: {when: {n: {▲>=: 2}}}\n"),
    ("P108", HEAD + FACTS + "title: ▲｛zh: 小｝\n"),
    ("P108", HEAD + FACTS + "title: {zh: 小▲，en: x}\n"),
    ("P108", price("pay: 95折, for: ▲【high】")),
    ("P109", "programme: club\ntiers:\n  ▲-id: low\n    title: 低\n"),
    ("P309", price("off: ▲95%")),
    ("P103", HEAD + FACTS + "title: a▲\x07b\n"),
    ("P105", "programme: " + "[" * 31 + "▲[" + "]" * 32),
    ("P106", "▲".join(("a: [" + "x," * (MAX_NODES - 3), "x, x]\n"))),
    ("P107", "programme: club\ntiers:\n▲\t- {id: low, title: 低}\n"),
    ("P108", HEAD + FACTS + "title▲：小俱乐部\n"),
    ("P108", HEAD + FACTS + "▲＃ 说明\n"),
    ("P108", "programme: club\ntiers:\n  ▲－ {id: low, title: 低}\n"),
    ("P108", "programme: club\ntiers:\n▲\u3000- {id: low, title: 低}\n"),
    ("P108", HEAD + "facts:\n  n: {count: [contact▲，tip]}\n"),
    ("P108", HEAD + "facts: {n▲：{count: contact}}\n"),
    ("P108", HEAD + FACTS + "title:▲\u3000小俱乐部\n"),
    ("P108", HEAD + "facts:\n  n: {count: ▲“contact”}\n"),
    ("P109", HEAD + FACTS + "title▲:小俱乐部\n"),
    ("P110", HEAD + FACTS + "title: ▲&a x\n"),
    ("P111", HEAD + FACTS + "title: ▲*a\n"),
    ("P112", HEAD + FACTS + "title: ▲!!str x\n"),
    ("P112", HEAD + FACTS + "title: ▲!python/object:os.system x\n"),
    ("P113", HEAD + FACTS + "▲<<: {title: x}\n"),
    ("P114", HEAD + FACTS + "▲--- \nx: 1\n"),
    ("P115", HEAD + FACTS + "? ▲[a, b]\n: x\n"),
    ("P116", "▲"),
    ("P116", "▲# nothing but a comment\n"),
    ("P201", HEAD + FACTS + "▲titel: x\n"),
    ("P202", HEAD + FACTS + "title: x\n▲名称: y\n"),
    ("P202", HEAD + "facts:\n  n: {count: contact}\n  ▲n: {count: tip}\n"),
    ("P203", "▲programme: club\n"),
    ("P203", "programme: club\ntiers:\n  - ▲{title: 低}\n"),
    ("P203", RULES + "rewards:\n  r: ▲{title: 奖, into: w, amount: 1 CNY}\n"),
    ("P204", HEAD + "facts: ▲[n]\n"),
    ("P204", "programme: club\ntiers: ▲{id: low}\n"),
    ("P204", HEAD + FACTS + "currency: ▲[CNY]\n"),
    ("P205", HEAD + "facts:\n  n: {count: contact, ▲months_with: contact}\n"),
    ("P206", HEAD + "facts:\n  n: ▲{title: 数}\n"),
    ("P207", HEAD + "facts:\n  ▲2n: {count: contact}\n"),
    ("P208", HEAD + FACTS + "currency:▲\n"),
    ("P209", HEAD + "facts:\n  n: {count: contact}\n  ▲segment: {count: contact}\n"),
    ("P209", HEAD + "facts:\n  n: {count: contact}\n  ▲任一: {count: contact}\n"),
    ("P210", HEAD + "facts:\n  n: {count: contact, ▲of: contact}\n"),
    ("P210", reward("amount: 1 CNY, ▲period: life")),
    ("P210", reward("amount: 1 CNY, by_class: [{class: s, where: {size: small}, amount: 2 CNY}], ▲counting: all")),
    ("P211", HEAD + FACTS + "title: {zh: 信任,▲联系, en: x}\n"),
    ("P212", HEAD + FACTS + "lists:\n  l: {when: {any: [" + "{n: 1}, " * 1_000 + "▲{n: 2}]}}\n"),
    ("P301", HEAD + FACTS + "manager_limit: ▲many\n"),
    ("P302", HEAD + FACTS + "manager_limit: ▲0\n"),
    ("P302", HEAD + FACTS + "manager_limit: ▲" + "9" * 5_000 + "\n"),
    ("P302", HEAD + FACTS + "traits:\n  t: {title: 特, when: {n: ▲9007199254740993}}\n"),
    ("P303", reward("amount: ▲1000")),
    ("P304", reward("amount: ▲1000 USD")),
    ("P305", reward("amount: ▲lots")),
    ("P306", reward("amount: ▲1.005 CNY")),
    ("P307", HEAD + FACTS + "wallets:\n  w: {title: 钱, unit: money, max_share: ▲half}\n"),
    ("P308", price("pay: ▲95")),
    ("P309", price("pay: ▲95% off")),
    ("P309", price("off: ▲95折")),
    ("P310", price("pay: ▲10折")),
    ("P310", price("pay: ▲0 折")),
    ("P310", price("pay: ▲100折")),
    ("P311", HEAD + "facts:\n  n: {count: contact, within: ▲a while}\n"),
    ("P312", HEAD + FACTS + "late: {till: ▲1 month}\n"),
    ("P313", price("pay: 95折, from: ▲2026-02-30")),
    ("P314", HEAD + FACTS + "traits:\n  t: {title: 特, attested: {by: x, valid: 1年, not_own_manager: ▲maybe}}\n"),
    ("P315", reward("amount: 1 CNY, returns: ▲never")),
    ("P316", trait("segment: {▲at_least: big}")),
    ("P317", RULES + "rewards:\n  r: {title: 奖, on: contact, into: p, amount: ▲10 CNY}\n"),
    ("P317", reward("amount: ▲10 points")),
    ("P318", HEAD + FACTS + "timezone: ▲Asia/Beijing\n"),
    ("P319", HEAD + FACTS + "currency: ▲CNX\n"),
    ("P320", HEAD + FACTS + f"title: ▲{LONG}\n"),
    ("P321", rung("▲first: 1 CNY, after: none")),
    ("P401", HEAD + "facts:\n  n: {count: ▲contacts}\n"),
    ("P402", HEAD + "facts:\n  n: {sum: ▲amount, of: contact}\n"),
    ("P402", HEAD + "facts:\n  n: {count: contact, where: {▲chanel: phone}}\n"),
    ("P403", HEAD + "facts:\n  n: {count: [contact, tip], where: {▲topic: project}}\n"),
    ("P404", trait("▲m: 2")),
    ("P405", HEAD + FACTS + "lists:\n  l: {when: {trait: ▲t}}\n"),
    ("P406", reward("amount: 1 CNY, for: [low, ▲hihg]")),
    ("P407", HEAD + FACTS + "rewards:\n  r: {title: 奖, on: contact, into: ▲w, amount: 1 CNY}\n"),
    ("P408", HEAD + FACTS + "segments: {big: ▲velcro}\n"),
    ("P409", HEAD + FACTS + "wallets:\n  w: {title: 钱, unit: money, pays_for: ▲part}\n"),
    ("P410", HEAD + FACTS + "  m: {ratio: ▲o, to: n}\n"),
    ("P411", HEAD + FACTS + "  m: {years_since: ▲birthday}\n"),
    ("P412", HEAD + FACTS + "examples:\n  - {given: [], expect: {grants: {▲r: 1 CNY}}}\n"),
    ("P413", HEAD + FACTS + "  ▲m: {count: tip}\n"),
    ("P414", HEAD + FACTS + "  a: {ratio: b, to: n}\n  b: {ratio: ▲a, to: n}\n"),
    ("P414", HEAD + FACTS + "  a: {ratio: ▲a, to: n}\n"),
    ("P415", HEAD.replace("id: high", "id: ▲low") + FACTS),
    ("P416", HEAD + FACTS + "  m: {sum: ▲brand, of: machine_purchase}\n"),
    ("P416", reward("amount: 1 CNY, counted_on: ▲amount")),
    ("P417", HEAD + FACTS + "emissions:\n  e: {on: purchase_settled, to: referrer, emits: ▲contact}\n"),
    ("P501", HEAD.replace("title: 低", "title: 低, ▲when: {n: 1}") + FACTS),
    ("P502", HEAD.replace("{id: high", "▲{id: high").replace("when: {n: 2}, ", "") + FACTS),
    ("P503", HEAD + FACTS + "lists:\n  l: {when: {traits: {at_least: ▲2}}}\ntraits: {t: {title: 特, when: {n: 1}}}\n"),
    ("P503", HEAD + FACTS + "lists:\n  l: {when: {at_least: ▲3, of: [{n: 1}, {n: 2}]}}\n"),
    ("P504", rung("1-2: 1 CNY, ▲2: 2 CNY, after: none")),
    ("P505", rung("1: 1 CNY, ▲3: 2 CNY, after: none")),
    ("P505", rung("1: none, ▲2: 2 CNY, after: none")),
    ("P506", rung("1: 1 CNY, ▲3-2: 2 CNY, after: none")),
    ("P507", price("pay: ▲105%")),
    ("P507", price("off: ▲100%")),
    ("P508", price("pay: 95折, from: 2026-02-01, until: ▲2026-01-31")),
    ("P509", price("pay: ▲5%")),
    ("P510", HEAD + "  - {id: ▲top, title: 顶, when: {n: {at_least: 2}}, keep: {for: 1年, then: one_down}}\n" + FACTS),
    ("P511", RULES + "rewards:\n  ▲r: {title: 奖, on: purchase_settled, into: w, amount: 1 CNY,"
             " exclusive: {group: g, key: serial}}\n"),
    ("P512", award("winners: {share: 20%, ▲at_least: 3, at_most: 2}, prize: 1 CNY, budget: 10 CNY")),
    ("P513", award("winners: {share: 20%, at_least: 3, at_most: 5}, prize: 5000 CNY, budget: ▲10000 CNY")),
    ("P514", trait("▲traits: {at_least: 1}")),
    ("P514", trait("▲tier: high")),
    ("P515", trait("n: ▲{at_least: 5, less_than: 5}")),
    ("P516", RULES + "rewards:\n  r: {title: 奖, on: contact, into: w, nth: ▲{1: 1 CNY}}\n"),
    ("P517", HEAD + FACTS + "traits:\n  ▲t: {when: {n: 1}}\n"),
    ("P518", price("pay: 90%") + "  ▲y: {title: 价, where: {类别: 配件}, for: high, pay: 95%}\n"),
    ("P518", reward("amount: 2 CNY, exclusive: {group: g, key: event}")
     + "  ▲s: {title: 奖, on: purchase_settled, into: w, amount: 1 CNY, exclusive: {group: g, key: event}}\n"),
    ("P519", HEAD.replace("{id: high", "{id: high, replaces: ▲low") + FACTS),
    ("P521", "programme: club\n" + HEAD[HEAD.index("tiers"):] + "facts:\n  n: {count: contact}\n"
             + "".join(f"  n{n}: {{count: tip}}\n" for n in range(201))
             + "lists:\n  ▲l: {when: {any: [" + ", ".join(f"{{n{n}: 1}}" for n in range(201)) + "]}}\n"),
    ("P522", price("pay: 95折").replace("  x:", "  ▲x:").replace("{category: parts}",
             "{all: [{category: parts}, {category: fuel}]}")),
    ("P522", HEAD.replace("{id: high", "{id: ▲high").replace("keep", "unless: {n: {at_least: 1}}, keep") + FACTS),
    ("P522", HEAD + FACTS + "lists:\n  l: {when: {any: [{▲n: {less_than: 0}}, {n: 1}]}}\n"),
    ("P522", reward("amount: 1 CNY, from: 2026-06-01, until: 2026-06-03, weekdays: [周六]").replace("  r:", "  ▲r:")),
    ("P523", HEAD + FACTS + "lists:\n  ▲l: {when: {n: {at_least: 0}}}\n"),
    ("P523", trait("all: [{▲n: {at_least: 0}}, {segment: big}]")),
    ("P512", price("free: {each: 3, give: ▲4}")),
    ("P512", price("less: {each: 3 CNY, give: ▲4 CNY}")),
    ("P203", price("free: ▲{each: 3}")),
    ("P205", price("pay: 95折, ▲less: 1 CNY")),
    ("P210", price("fixed: 1 CNY, ▲rounding: floor")),
    ("P210", price("pay: 95折, ▲priority: 1")),
    ("P210", price("pay: 95折, ▲not_with: x")),
    ("P412", price("pay: 95折, lane: ▲fast")),
    ("P412", price("pay: 95折, not_with: ▲y")),
    ("P408", price("pay: 95折, level: ▲clip")),
    ("P205", price("pay: 95折, minimum_order: {at_least: 1 CNY, ▲more_than: 2 CNY}")),
    ("P206", price("pay: 95折, minimum_order: ▲{}")),
    ("P303", price("pay: 95折, minimum_order: {more_than: ▲2}")),
    ("P301", price("pay: 95折, minimum_quantity: ▲1.5")),
    ("P315", HEAD + FACTS + "lanes:\n  a: {compete: ▲worst}\n"),
    ("P203", HEAD + FACTS + "lanes:\n  a: ▲{title: 道}\n"),
    ("P413", HEAD + FACTS + "lanes:\n  ▲a: {compete: best}\n"),
    ("P505", rung("▲every 3: 1 CNY")),
    ("P506", RULES + "rewards:\n  r: {title: 奖, on: contact, into: w, counting: all, nth: {▲every 1: 1 CNY}}\n"),
    ("P210", reward("amount: 1 CNY, ▲count_by: order")),
    ("P402", reward("nth: {1: 1 CNY, after: none}, count_by: ▲item")),
    ("P301", reward("amount: 1 CNY, caps: {month: ▲1.5 times}")),
    ("P402", reward("amount: 1 CNY, exclusive: {group: g, key: ▲nobody}")),
    ("P315", reward("amount: 1 CNY, exclusive: {group: g, key: event, compete: ▲worst}")),
    ("P210", reward("per: {give: 1 CNY, each: 1 CNY, of: amount, rounding: floor}, ▲counting: all")),
    ("P314", reward("amount: 1 CNY, return_frees: ▲maybe")),
    ("P312", RULES + "rewards:\n  r: {title: 奖, on: contact, into: w, amount: 1 CNY, expires: ▲3 hours}\n"),
    ("P210", HEAD + FACTS + "wallets:\n  w: {title: 钱, unit: money, ▲share_of: line}\n"),
    ("P412", HEAD + FACTS + "wallets:\n  w: {title: 钱, unit: money, not_with: ▲x}\n"),
    ("P412", RULES + "budgets:\n  b: {limit: 9 times, scope: member, rewards: ▲r}\n"),
    ("P203", reward("amount: 1 CNY") + "budgets:\n  b: ▲{scope: member, rewards: r}\n"),
    ("P315", reward("amount: 1 CNY") + "budgets:\n  b: {limit: 9 CNY, scope: ▲world, rewards: r}\n"),
    ("P315", "returned_as: ▲gift\n" + HEAD + FACTS),
    ("P206", award("winners: 3, prize: ▲{cap: 1 CNY}, budget: 9 CNY")),
    ("P203", award("winners: 3, prize: ▲{share: 1%}, budget: 9 CNY")),
    ("P210", award("winners: 3, prize: {places: {1: 1 CNY, after: none}, ▲cap: 1 CNY}, budget: 9 CNY")),
    ("P302", award("winners: ▲0, prize: 1 CNY, budget: 9 CNY")),
    ("P203", award("winners: 3, prize: 1 CNY, budget: 9 CNY, tax: ▲{rate: 20%}")),
    ("P411", award("winners: 3, prize: 1 CNY, budget: 9 CNY, per_group: ▲shop")),
    ("P205", award("▲measure: n, winners: 3, prize: 1 CNY, budget: 9 CNY")),
    ("P530", reward("amount: 1 CNY") + "budgets:\n  ▲b: {limit: 9 CNY, scope: firm, rewards: r}\n"),
    ("P531", reward("amount: 1 CNY") + "  s: {title: 奖, on: tip, into: p, amount: 1 points}\n"
     "budgets:\n  b: {limit: 9 CNY, scope: member, rewards: ▲[r, s]}\n"),
    ("P532", HEAD + "facts:\n  m: {count: machine_purchase, where: {trade_in_serial: ▲none}}\n"),
    ("P520", RULES + "rewards:\n  r: {title: 奖, on: purchase_settled, into: w, per: {give: ▲3%, of: amount}}\n"),
]  # fmt: skip
# Bad bytes, size, number, what is no file, what depends on the day and what examples leave out have tests of their own.
ELSEWHERE = {"P102", "P104", "P117", "P118", "P524", "P525", "P526"}


def marked(text: str) -> tuple[str, Mark]:
    before, _, after = text.partition("▲")
    lines = before.split("\n")
    return before + after, Mark(len(lines), len(lines[-1]) + 1)


@pytest.mark.parametrize(("code", "text"), BAD, ids=[f"{code}-{at}" for at, (code, _) in enumerate(BAD)])
def test_each_problem_is_found_where_it_stands(code, text):
    text, mark = marked(text.replace("n: {at_least: 2}", "n: {at_least: 1}") if code == "P510" else text)
    text = text.replace("when: {n: 2}, keep", "when: {n: {at_least: 2}}, keep") if code == "P510" else text
    reading = check(text, "bad.yaml")
    assert (code, mark) in [(problem.code, problem.mark) for problem in reading.problems], reading.show("en", "short")
    error = CATALOGUE[code].severity == "error"
    assert (reading.policy is None) == error, reading.show("en", "short")
    assert all(problem.file == "bad.yaml" for problem in reading.problems)


def test_the_head_of_the_bad_files_is_good():
    assert read(HEAD + FACTS, "good.yaml").problems == ()


def test_every_code_of_the_catalogue_has_a_bad_file():
    assert {code for code, _ in BAD} | ELSEWHERE == set(CATALOGUE)


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_is_explained_in_both_tongues(code):
    entry = CATALOGUE[code]
    for chinese in (entry.title_zh, entry.zh, entry.help_zh):
        assert re.search("[一-龥]", chinese)
    for english in (entry.title_en, entry.en, entry.help_en):
        assert english
        assert re.search("[a-z]", english)
    filled = Problem(code, Mark(1, 1), "found", ("a", "b"), "about")
    assert "{" not in filled.message("zh") + filled.message("en")


def test_bad_bytes_are_found_where_they_stand():
    reading = read("programme: club\ntitle: 小".encode() + b"\xb3\xa4", "gbk.yaml")
    assert [(p.code, p.mark) for p in reading.problems] == [("P102", Mark(2, 9))]


def test_utf_16_is_called_by_its_name():
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        text = "programme: club\ntitle: 小\n".encode(encoding)
        found = check(text, "x").problems[0]
        assert (found.code, found.found, found.mark) == ("P102", "UTF-16", Mark(1, 1))


def test_what_is_no_file_is_said_at_once(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for path, found in ((tmp_path / "folder", "folder"), (tmp_path / "pipe", "pipe"), (Path("/dev/zero"), "device")):
        reading = check_file(path)
        assert [(p.code, p.found, p.file) for p in reading.problems] == [("P118", found, str(path))]
        assert "文件" in render(reading.problems[0], "", "zh")


def test_a_rule_is_over_on_the_day_after_its_last():
    text = price("pay: 95折, until: 2026-06-30")
    assert [p.code for p in check(text, "x").problems] == []
    assert [p.code for p in check(text, "x", date(2026, 6, 30)).problems] == []
    reading = check(text, "x", date(2026, 7, 1))
    assert [(p.code, p.mark, p.found) for p in reading.problems] == [("P524", Mark(8, 3), "2026-06-30")]
    assert reading.policy is not None


def test_a_threshold_is_compared_however_deep_it_stands():
    def club(low: str, high: str) -> list[str]:
        text = HEAD.replace("{id: high, title: 高, when: {n: 2}", f"{{id: mid, title: 中, when: {low}, {KEEP}}}\n"
                            f"  - {{id: high, title: 高, when: {high}") + FACTS + "  m: {count: tip}\n"  # fmt: skip
        assert check(text, "x").policy is not None, check(text, "x").show("en")
        return [problem.code for problem in check(text, "x").problems]

    five, two = "{n: {at_least: 5}}", "{n: {at_least: 2}}"
    assert club(five, two) == ["P510", "P413"]
    assert "P510" in club(f"{{any: [{five}, {{m: 1}}]}}", f"{{all: [{two}, {{m: 2}}]}}")
    assert "P510" not in club(f"{{any: [{five}, {{m: 1}}]}}", f"{{any: [{two}, {{n: {{at_least: 6}}}}]}}")
    assert "P510" not in club(two, five)
    # Less of one thing, but whoever has it has the lower one anyway.
    assert "P510" not in club(f"{{any: [{five}, {{m: 1}}]}}", f"{{all: [{two}, {{m: 1}}]}}")
    assert "P510" not in club(five, f"{{none: [{two}], m: 1}}")


def test_a_file_over_the_limit_is_refused_before_it_is_parsed():
    assert [p.code for p in read("#" * (1 << 20) + "\n#", "x").problems] == ["P104"]
    assert [p.code for p in read("\n" * 20_001, "x").problems] == ["P104"]


def test_no_more_problems_are_listed_than_anybody_reads():
    reading = read(HEAD + FACTS + "".join(f"k{n}: 1\n" for n in range(2_000)), "x")
    assert len(reading.problems) == MAX_PROBLEMS + 1
    assert reading.problems[-1].code == "P117"
    assert reading.problems[-1].found == "2000"


def test_all_problems_of_a_file_come_at_once_in_file_order():
    text = "programe: club\ntiers:\n  - {id: low, titel: 低}\nwallets:\n  w: {title: 钱, unit: moony}\ncurrency: CNX\n"
    problems = read(text, "x").problems
    assert [problem.code for problem in problems] == ["P201", "P201", "P413", "P315", "P319"]
    assert [problem.mark.line for problem in problems] == [1, 3, 5, 5, 6]


# ---- did you mean -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        (HEAD + FACTS + "wallet: {}\n", "wallets"),
        (HEAD + FACTS + "等急: []\n", "等级"),  # by sound
        (HEAD + FACTS + "钱抱: {}\n", "钱包"),
        (HEAD + "facts:\n  n: {次数: 联系走房}\n", "联系走访"),
        (HEAD + "facts:\n  n: {count: contcat}\n", "contact"),
        (HEAD + FACTS + "traits:\n  t: {title: 特, when: {客户份类: big}}\n", "客户分类"),
        (trait("nn: 2").replace("n: {count", "calls: {count").replace("nn: 2", "cals: 2"), "calls"),
        (reward("amount: 1 CNY, returns: 按比利"), "按比例"),
        (HEAD + FACTS + "zzzzzz: 1\n", ""),
    ],
)
def test_what_was_meant_is_guessed_by_characters_and_by_sound(text, guess):
    assert guess in [problem.guess() for problem in read(text, "x").problems]


def test_nothing_slow_is_loaded_until_a_guess_is_asked_for():
    program = (
        "import sys; from rules.reader import read; read('programme: x', 'x');"
        "sys.exit(bool({'pypinyin', 'rapidfuzz'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# ---- showing ----------------------------------------------------------------------------------------------------


def shown(text: str, lang: str = "en", form: str = "full") -> str:
    reading: Reading = read(text, "policies.yaml")
    return render(reading.problems[0], reading.line(reading.problems[0].mark), lang, form)


def test_the_short_form_is_one_line_that_editors_can_follow():
    text = shown(HEAD + FACTS + "walets: {}\n", form="short")
    assert text.startswith("policies.yaml:7:1: P201 ")
    assert text.endswith("did you mean: wallets?")
    assert "\n" not in text


def test_the_full_form_shows_line_caret_found_allowed_and_guess():
    text = shown(HEAD + FACTS + "walets: {}\n")
    assert text.splitlines()[:3] == [
        "policies.yaml:7:1: error P201 the file has no key “walets”",
        "    7 | walets: {}",
        "      | ^^^^^^",
    ]
    assert "found: walets" in text
    assert "did you mean: wallets" in text


def test_the_caret_stands_under_its_character_behind_chinese_text():
    lines = shown(HEAD + FACTS + "计划书: {说明: 文字}\n", "zh").splitlines()
    assert lines[2].index("^") == lines[1].index("计划书")
    text = HEAD + "facts:\n  n: {次数: 联系走访, 最近: 十来天}\n"
    line, caret = shown(text, "zh").splitlines()[1:3]
    before = caret[: caret.index("^")]
    assert width(before) == width(line[: line.index("十来天")])
    assert caret.count("^") == 6


def test_keys_are_named_in_the_tongue_that_is_asked_for():
    text = HEAD + FACTS + "rewards:\n  r: {title: 奖}\n"
    assert "缺少“当”" in shown(text, "zh", "short")
    assert "lacks “on”" in shown(text, "en", "short")


def test_the_place_in_the_file_is_named_in_the_tongue_that_is_asked_for():
    text = HEAD + "facts:\n  n: {count: contact, within: 12}\n"
    assert "指标.n.最近应该是一段时间" in shown(text, "zh", "short")
    assert "facts.n.within must be a length of time" in shown(text, "en", "short")


KEYED = """计划: x
等级: [{编号: customer}]
钱包: {points: {单位: 积分}, off: {单位: 金额, 可付: [配件, 机油]}}
价格: {less: {条件: {类别: 配件}, 实付: 95折, 是: 1}}
奖励:
  off: {当: 购机, 奖励金额: 5, 记入: off, 适用者: customer}
"""


def test_an_id_that_spells_a_key_stays_as_it_is_and_a_key_is_spelled_as_it_reads_there():
    told = read(KEYED, "x").show("zh", "short")
    assert "奖励.off.奖励金额“5”没有写货币单位" in told
    assert "价格.less里没有“是”这个键" in told
    (unknown,) = (one for one in read(KEYED, "x").problems if one.found == "适用者")
    # `for` is 适用 in a reward and 期限 in `keep`.
    assert "适用" in unknown.names("zh")
    assert "期限" not in unknown.names("zh")
    assert unknown.guess("zh") == "适用"


def test_every_key_of_every_form_is_found_by_its_path():
    for path, key, chinese in [
        ("tiers.gold.keep", "for", "期限"), ("tiers.gold.keep", "to", "截至"), ("prices.p", "for", "适用"),
        ("levels.clip.duties.visit", "within", "时限"), ("rewards.r.per", "of", "基数"), ("lists.l", "of", "目标等级"),
        ("emissions.e", "to", "送给"), ("facts.f", "within", "最近"), ("rewards.r.by_class[1].per", "of", "基数"),
    ]:  # fmt: skip
        assert keys_zh(path, (key,)) == (chinese,), path
        assert path_zh(f"{path}.{key}").endswith(f".{chinese}")
    assert path_zh("rewards.off.where.none[1].used.is") == "奖励.off.条件.都不[1].二手.是"
    assert path_zh("examples[1].given[2].list") == "示例[1].已知[2].标价"
    assert path_zh("parts_purchase, rental") == "购买配件, 租赁"
    assert path_zh("nowhere.off") == "nowhere.减"


def test_every_word_that_people_say_leads_to_a_word_of_the_language():
    words = {*KEYS, *WORDS, *CATEGORIES, *KINDS, *FIELDS}
    assert {word for word, _ in _SAID} <= words
    for word, said in _SAID:
        for one in said.split():
            assert said_for(one, (word,)) == word
    assert said_for("机油", ("parts",)) == ""


def test_a_misspelt_operator_is_one_problem_not_two():
    assert [p.code for p in read(trait("n: {at_laest: 2}"), "x").problems if p.severity == "error"] == ["P201"]


def test_a_problem_as_json_holds_both_tongues_and_the_place():
    reading = read(HEAD + FACTS + "walets: {}\n", "policies.yaml")
    found = as_dict(reading.problems[0], "walets: {}")
    assert (found["code"], found["severity"], found["line"], found["column"], found["length"]) == (
        "P201", "error", 7, 1, 6,
    )  # fmt: skip
    assert set(found["message"]) == {"zh", "en"}
    assert found["guess"] == "wallets"


def test_control_characters_never_reach_the_terminal():
    assert "\x1b" not in shown(HEAD + FACTS + "title: a\x1b[31mb\n")


def test_the_same_thing_at_the_same_place_is_said_once():
    problem = Problem("P201", Mark(2, 1), "x")
    assert in_order([problem, problem, Problem("P201", Mark(1, 1), "x")]) == (
        Problem("P201", Mark(1, 1), "x"),
        problem,
    )
