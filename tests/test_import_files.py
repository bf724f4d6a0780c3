"""Files of every kind, read alike; rows and files that cannot be read are named."""

import csv
import gzip
import io
import json
from pathlib import Path

import openpyxl
import pytest

from tierengine.importing.files import FileRefused, rows, source_of
from tierengine.importing.mapping import Mapping, with_options
from tierengine.importing.rows import Sheet, events

HEADER = "event_id,member,ts,type,amount_minor,product_group,base_model,model,machine_id\n"
ROW = "S1,New York,2004-01-05T00:00:00,purchase,2700000,TEX,312,312,733687\n"

# ---- files of every kind -----------------------------------------------------------------------------------------

# fmt: off
PARTS = [
    {
        "单号": "P1",
        "会员": "C1",
        "时间": "2026-03-01 10:00",
        "物料号": "A1",
        "类别": "parts",
        "数量": 1,
        "金额": "1,010.50",
    },
    {
        "单号": "P1",
        "会员": "C1",
        "时间": "2026-03-01 10:00",
        "物料号": "油",
        "类别": "lubricant",
        "数量": 2,
        "金额": "300",
    },
    {"单号": "P2", "会员": "C2", "时间": "2026/3/2 9:05", "物料号": "A2", "类别": "parts", "数量": 1, "金额": "￥88"},
]
ORDERS = with_options(
    Mapping(),
    {},
    {
        "kind": "购买配件",
        "store": "S01",
        "timezone": "Asia/Shanghai",
        "currency": "人民币",
        "unit": "元",
        "来源": "erp",
    },
)


def write(folder: Path, name: str, table: list[dict]) -> Path:
    """Write a table as the kind of file that its name says."""
    path = folder / name
    if name.endswith(".xlsx"):
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.append(list(table[0]))
        for row in table:
            sheet.append(list(row.values()))
        book.save(path)
        return path
    if ".jsonl" in name:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table)
    else:
        out = io.StringIO()
        writer = csv.DictWriter(out, list(table[0]), delimiter="\t" if ".tsv" in name else ",")
        writer.writeheader()
        writer.writerows(table)
        text = out.getvalue()
    encoding = "gb18030" if "gb" in name else "utf-16" if "utf16" in name else "utf-8-sig"
    data = text.encode(encoding if ".jsonl" not in name else "utf-8")
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def read(path: Path, mapping: Mapping):
    """Return the raw events of a file and what is wrong with its rows."""
    sheet = None
    noted = []
    source = source_of(path)

    def sheet_of(row):
        nonlocal sheet
        if sheet is None:
            sheet = Sheet.of(mapping, tuple(row.cells), table=source.kind != "jsonl")
        return sheet

    found = list(events(rows(source), sheet_of, lambda line, bad: noted.append((line, bad.code, bad.where))))
    return [event for event in found if not event.bad], noted


@pytest.mark.parametrize(
    "name", ["a.csv", "gb.csv", "utf16.csv", "a.tsv", "a.csv.gz", "a.xlsx", "a.jsonl", "a.jsonl.gz"]
)
def test_every_kind_of_file_says_the_same(tmp_path, name):
    found, noted = read(write(tmp_path, name, PARTS), ORDERS)
    assert noted == []
    assert [event.raw["order"] for event in found] == ["P1", "P2"]
    first = found[0].raw
    assert first["kind"] == "parts_purchase"
    assert first["occurred_at"] == "2026-03-01T10:00:00+08:00"
    assert [line["amount"] for line in first["lines"]] == [101_050, 30_000]
    assert [line["item"] for line in first["lines"]] == ["A1", "油"]
    assert found[1].raw["occurred_at"] == "2026-03-02T09:05:00+08:00"
    assert found[1].raw["lines"][0]["amount"] == 8_800


def test_one_bad_line_spoils_its_whole_order_and_no_other(tmp_path):
    table = [dict(row) for row in PARTS]
    table[1]["金额"] = "12.345"
    found, noted = read(write(tmp_path, "a.csv", table), ORDERS)
    assert [event.raw["order"] for event in found] == ["P2"]
    assert [(line, code) for line, code, _ in noted] == [(3, "fraction"), (2, "order_spoiled")]


def test_rows_of_an_order_that_stand_apart_are_refused(tmp_path):
    found, noted = read(write(tmp_path, "a.csv", [PARTS[0], PARTS[2], PARTS[1]]), ORDERS)
    assert [event.raw["order"] for event in found] == ["P1", "P2"]
    assert noted == [(4, "order_apart", "单号")]


def test_a_quoted_cell_over_two_lines_keeps_the_line_numbers(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('source_id,member,occurred_at,note\n1,C1,2026-03-01,"a\nb"\n2,C1,2026-13-01,x\n', encoding="utf-8")
    mapping = with_options(Mapping(), {}, {"kind": "card_lost", "timezone": "Asia/Shanghai"})
    found, noted = read(path, mapping)
    assert found[0].raw["note"] == "a\nb"
    assert noted == [(4, "not_a_time", "occurred_at")]


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("1,C1,2026-03-01,a,b\n", [(2, "wrong_columns", "")]),
        ('1,C1,2026-03-01,"open\n2,C1,2026-03-01,x\n', [(2, "broken_row", "")]),
        ("\n   \n1,C1,2026-03-01,a\n", []),
        ("1,C1,2026-03-01\n", []),
        (f"1,C1,2026-03-01,{'x' * (1 << 21)}\n2,C1,2026-03-01,y\n", [(2, "row_too_long", "")]),
    ],
)
def test_rows_that_are_no_rows_are_named(tmp_path, text, noted):
    path = tmp_path / "a.csv"
    path.write_text("source_id,member,occurred_at,note\n" + text, encoding="utf-8")
    mapping = with_options(Mapping(), {}, {"kind": "card_lost", "timezone": "Asia/Shanghai"})
    assert read(path, mapping)[1] == noted


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("[1]", "not_json"), ("{", "not_json"), ('{"a": NaN}', "not_json"), ('{"a": 1, "a": 2}', "key_twice"),
        ("[" * 100_000, "not_json"), ('{"a": ' + "1" * 5_000 + "}", "not_json"),
    ],
)  # fmt: skip
def test_lines_that_are_no_json_objects_are_named(tmp_path, line, code):
    path = tmp_path / "a.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    assert read(path, ORDERS)[1] == [(1, code, "")]


def test_a_file_cut_short_gives_the_rows_before_the_cut(tmp_path):
    path = write(tmp_path, "a.csv.gz", [dict(PARTS[0], 单号=f"P{n}", 物料号=str(n * 7919)) for n in range(5_000)])
    path.write_bytes(path.read_bytes()[:-2_000])
    found, noted = read(path, ORDERS)
    assert len(found) > 100
    assert [code for _, code, _ in noted] == ["broken_file"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.pdf", b"%PDF", "unknown_format"),
        ("a.xls", b"\xd0\xcf", "old_excel"),
        ("a.xlsx", b"PK\x03\x04 no", "broken_file"),
        ("a.csv", b"a,b\n\x81\x20\xff\xff\n", "bad_encoding"),
        ("a.csv", b"", "no_header"),
        ("a.csv", b"a,b,a\n", "column_twice"),
    ],
)
def test_files_that_cannot_be_read_are_refused_in_a_sentence(tmp_path, name, content, code):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileRefused) as refused:
        read(path, ORDERS)
    assert refused.value.bad.code == code
    assert refused.value.bad.say("zh")
    assert refused.value.bad.say("en")


@pytest.mark.parametrize(
    ("sets", "header", "code"),
    [
        ({}, "member,occurred_at", "needs_kind"),
        ({"kind": "contact"}, "member", "needs_time"),
        ({"kind": "contact"}, "member,occurred_at,channel", "needs_source_id"),
        ({"kind": "购机"}, "会员,时间,整机编号", "needs_order"),
        ({"kind": "购机"}, "会员,时间,单号,金额", "needs_unit"),
    ],
)
def test_what_every_row_needs_is_asked_of_the_file_at_once(tmp_path, sets, header, code):
    path = tmp_path / "a.csv"
    path.write_text(header + "\n" + ",".join("1" for _ in header.split(",")) + "\n", encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        read(path, with_options(Mapping(), {}, sets))
    assert refused.value.bad.code == code


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(HEADER + ROW, encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        read(path, with_options(Mapping(), {"order": "event"}, {"kind": "machine_purchase"}))
    assert refused.value.bad.code == "no_column"
    assert "event_id" in refused.value.bad.say("zh")


def test_the_words_of_the_vocabulary_are_read_in_chinese_too(tmp_path):
    # 配件 and 油品 are what the till calls parts and lubricant.
    told = [{**PARTS[0], "类别": "配件"}, {**PARTS[1], "类别": "油品"}, {**PARTS[2], "类别": "ｐａｒｔｓ"}]
    found, noted = read(write(tmp_path, "a.csv", told), ORDERS)
    assert [line["category"] for event in found for line in event.raw["lines"]] == ["parts", "lubricant", "parts"]
    changed = with_options(Mapping(), {}, {"kind": "属性变更", "timezone": "Asia/Shanghai"})
    row = {"会员": "C1", "时间": "2026-03-01", "来源单号": "1", "属性": "入行日期", "日期值": "2010-05-01"}
    ((event,), more) = read(write(tmp_path, "b.csv", [row]), changed)
    assert (event.raw["name"], noted, more) == ("entered_trade_on", [], [])
