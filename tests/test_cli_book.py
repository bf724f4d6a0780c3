"""A book from the command line: made, fed from a file, and read from all sides."""

# ruff: noqa: F811  that is how pytest is asked for a fixture of another module

import json
import re
from pathlib import Path

import pytest

from tests.command_line import EVENTS, SMALL, book, club, fed, run, somewhere  # noqa: F401  fixtures
from tierengine.store.database import WriterLock


def test_migrate_may_be_run_again(run, sqlite_url, monkeypatch):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", sqlite_url)
    for _ in range(2):
        code, out, _ = run("migrate", "--json")
        assert (code, json.loads(out)["ready"]) == (0, True)
    code, out, _ = run("verify", "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)


def test_without_a_dealer_one_is_told_what_to_do(run, book):
    code, _, err = run("duties", "due")
    assert code == 3
    assert "policy publish" in err


def test_an_import_names_its_bad_rows_and_is_1(fed, run):
    (code, out, err), words = fed
    told = json.loads(out)
    assert (code, err) == (1, "")
    assert (told["rows"], told["recorded"], told["parked"], told["refused"]) == (5, 3, 1, 1)
    assert [(one["line"], one["code"]) for one in told["problems"]] == [(6, "missing")]
    code, out, _ = run(*words, "--lang", "zh")
    assert code == 1
    assert re.search(r"events\.csv:6: member: 缺少此项。 \(missing\)", out)
    assert "早已记过 4" in out


def test_a_member_is_found_by_code_and_told_with_reasons(fed, run):
    code, out, _ = run("member", "show", "C1", "--json")
    told = json.loads(out)
    assert (code, told["standing"]["tier"]) == (0, "member")
    assert [one["id"] for one in told["traits"] if one["met"]] == ["repeat_buyer"]
    code, out, _ = run("member", "show", "C1", "--lang", "zh")
    assert "多次购买设备" in out
    code, out, _ = run("member", "show", "nobody", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (1, "unknown_member")


def test_the_book_can_be_read_from_all_sides(fed, run):
    for words in (["duties", "due"], ["events", "report"], ["events", "parked"], ["events", "conflicts"], ["verify"]):
        for lang in ("zh", "en"):
            code, out, err = run(*words, "--lang", lang)
            assert (code, err) == (0, "")
            assert out
        code, out, err = run(*words, "--json")
        assert (code, err) == (0, "")
        json.loads(out)
    parked = json.loads(run("events", "parked", "--json")[1])["parked"]
    assert [one["event"] for one in parked] == ["crm:R1"]


def test_an_import_may_end_with_the_report(fed, run):
    _, words = fed
    code, out, _ = run(*words, "--report", "--json")
    assert code == 1
    assert json.loads(out)["report"]["tiers_per_year"]["2026"]["member"] == 1


def test_a_bad_mapping_is_shown_with_its_place(club, run, tmp_path):
    (tmp_path / "m.yaml").write_text("kindd: contact\n", encoding="utf-8")
    (tmp_path / "e.csv").write_text("a\n1\n", encoding="utf-8")
    code, _, err = run("events", "import", "e.csv", "--mapping", "m.yaml")
    assert code == 1
    assert "m.yaml:1:1: error P201" in err
    code, out, _ = run("events", "import", "e.csv", "--mapping", "m.yaml", "--json")
    assert json.loads(out)["error"]["problems"][0]["line"] == 1


def test_a_file_that_cannot_be_read_is_1(club, run, tmp_path):
    (tmp_path / "e.pdf").write_bytes(b"%PDF")
    code, out, _ = run("events", "import", "e.pdf", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (1, "unknown_format")


def test_while_another_process_writes_nothing_is_written(fed, run, club):
    with WriterLock(Path(club.removeprefix("sqlite:///"))):
        for words in (["key", "create", "--store", "S01"], ["policy", "publish", SMALL], ["serve", "--port", "0"]):
            code, out, err = run(*words, "--json")
            assert (code, err) == (3, "")
            assert json.loads(out)["error"]["code"] == "writer_busy"
        assert run("duties", "due")[0] == 0


@pytest.mark.slow
def test_postgresql_is_spoken_to_by_the_same_commands(run, postgres_url, monkeypatch, tmp_path):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", postgres_url)
    (tmp_path / "events.csv").write_text(EVENTS, encoding="utf-8")
    sets = ("timezone=Asia/Shanghai", "currency=CNY", "unit=元", "store=S01", "create_members=是", "source=crm")
    options = [word for text in sets for word in ("--set", text)]
    codes = [
        run(*words, "--json")[0]
        for words in (
            ["migrate"],
            ["policy", "publish", SMALL, "--effective-from", "2025-01-01"],
            ["events", "import", "events.csv", *options],
            ["member", "show", "C1"],
            ["duties", "due"],
            ["events", "report"],
            ["key", "create", "--store", "S01"],
            ["verify"],
        )
    ]
    assert codes == [0, 0, 1, 0, 0, 0, 0, 0]
    assert len(list(tmp_path.glob("*.secret"))) == 1
    assert json.loads(run("member", "show", "C1", "--json")[1])["standing"]["tier"] == "member"
    assert run("award", "plan", "2026", "--json")[0] == 1, "this policy has no award"


def test_an_un_merge_tells_what_became_of_both(club, run, tmp_path):
    rows = [
        "kind,member,order,occurred_at,amount",
        "购机,C1,M1,2026-02-01 10:00,860000",
        "购机,C2,M2,2026-03-01 10:00,860000",
    ]
    path = tmp_path / "events.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    assert run("store", "add", "S01", "--name", "城南店")[0] == 0
    for code, name in (("C1", "张三"), ("C2", "李四")):
        assert run("member", "register", code, "--name", name)[0] == 0
    words = ["--set", "timezone=Asia/Shanghai", "--set", "currency=CNY", "--set", "unit=元", "--set", "store=S01"]
    fed = run("events", "import", path, *words, "--set", "source=crm")
    assert fed[0] == 0, fed
    merged = run("member", "merge", "C2", "--into", "C1", "--reason", "x", "--lang", "zh")
    assert merged[0] == 0, merged
    assert "C1 张三 现在的等级：" in merged[1]
    code, out, err = run("member", "unmerge", "C2", "--reason", "x", "--lang", "zh")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "C2 不再与别人合并。"
    assert [line.split(" 现在")[0] for line in lines if "现在的等级" in line] == ["C2 李四", "C1 张三"]
    assert all("原为" in line for line in lines if "现在的等级" in line), out


def test_an_import_tells_the_names_of_codes_that_no_policy_would_count(club, run, tmp_path):
    file = tmp_path / "machines.csv"
    file.write_text(
        "会员,单号,时间,整机编号,规格,金额\nC1,M1,2026-03-01,S1,大型,100\nC1,M2,2026-03-02,S2,large,100\n", "utf-8"
    )
    words = ("kind=购机", "store=S01", "timezone=Asia/Shanghai", "currency=CNY", "unit=元", "source=erp", "建档=是")
    sets = [part for word in words for part in ("--set", word)]
    run("store", "add", "S01")
    code, out, _ = run("events", "import", file, *sets, "--archivist", "--lang", "zh")
    told = out.replace("\n", "")
    assert code == 0
    assert "规格“大型”有 1 处，是 large 的名称" in told
    assert "size: {column: 列名, values: {小型: small, 中型: medium, 大型: large}}" in told
    _, out, _ = run("events", "import", file, *sets, "--archivist", "--json")
    assert json.loads(out)["names_of_codes"] == [{"field": "size", "value": "大型", "code": "large", "count": 1}]
