"""The numbers of a policy in Excel and back: one number is one line, and a bad cell is named and changes nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.formatting import translated
from rules.numbers import numbers_of, replaced, split
from rules.reader import read
from tests.scenarios.language.pages import samples
from tierengine import __main__ as program
from tierengine.policies.cells import SENTENCES
from tierengine.policies.sheets import tables_of
from tierengine.policies.takeback import TakenBack, take_back
from tierengine.policies.workbook import workbook

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "policies.yaml"
SMALL = HERE / "policies" / "small.yaml"
CONTENT = SMALL.read_bytes()
BOOK = workbook(CONTENT, SMALL.name, "zh")

Edit = Callable[[Any], None]


def _back(edit: Edit, content: bytes = CONTENT, made: bytes | None = None) -> TakenBack:
    book = openpyxl.load_workbook(io.BytesIO(BOOK if made is None else made))
    edit(book)
    out = io.BytesIO()
    book.save(out)
    return take_back(content, "small.yaml", out.getvalue())


def _cell(book: Any, sheet: str, row: str, column: str) -> Any:
    """Find the cell of a row by its place and of a column by its heading."""
    found = book[sheet]
    headings = [cell.value for cell in found[1]]
    last = len(headings)
    (at,) = [line for line in range(2, found.max_row + 1) if found.cell(line, last).value == row]
    return found.cell(at, headings.index(column) + 1)


def _set(sheet: str, row: str, column: str, value: Any, number_format: str | None = None) -> Edit:
    def edit(book: Any) -> None:
        cell = _cell(book, sheet, row, column)
        cell.value = value
        if number_format:
            cell.number_format = number_format

    return edit


LADDER = ("奖励", "rewards.machine_ladder", "第 1 次")


# ---- what stays --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "lang"),
    [
        (SHIPPED.read_bytes(), "zh"),
        (CONTENT, "en"),
        (CONTENT.replace(b"\n", b"\r\n"), "zh"),
        (b"\xef\xbb\xbf" + CONTENT, "zh"),
        ((HERE / "policies" / "small_zh.yaml").read_bytes(), "en"),
    ],
    ids=["shipped", "small", "crlf", "bom", "chinese"],
)
def test_a_workbook_in_which_nothing_changed_gives_the_same_bytes(content: bytes, lang: Any) -> None:
    taken = take_back(content, "p.yaml", workbook(content, "p.yaml", lang))
    assert (taken.problems, taken.changes) == ((), ())
    assert (taken.text or "").encode("utf-8") == content


def test_every_number_of_the_shipped_policy_is_in_the_workbook_with_its_unit() -> None:
    content = SHIPPED.read_bytes()
    book = openpyxl.load_workbook(io.BytesIO(workbook(content, "policies.yaml", "zh")))
    open_cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if not cell.protection.locked]
    assert len(open_cells) == len(numbers_of(content.decode()).numbers) > 200
    cell = _cell(book, "奖励", "rewards.referral_ladder.by_class.small", "第 2-3 次")
    assert (cell.value, cell.number_format) == (800, 'General" 元"')
    assert _cell(book, "价格", "prices.gold_price", "实付").number_format == 'General"折"'
    assert _cell(book, "权益", "levels.clip.entitlements.literature", "额度").value == "不限"
    assert all(sheet.protection.sheet for sheet in book)
    # Awards, thresholds and terms each have their sheet.
    assert set(book.sheetnames) >= {"说明", "总则", "特点", "等级", "钱包", "价格", "奖励", "权益", "应尽服务", "评选"}


def test_one_number_is_one_line_and_the_comment_beside_it_stays_in_its_column() -> None:
    content = SHIPPED.read_bytes()
    made = workbook(content, "policies.yaml", "zh")
    taken = _back(_set("评选", "awards.gold_user", "预算", 150000), content, made)
    assert taken.problems == ()
    old, new = content.decode().split("\n"), (taken.text or "").split("\n")
    (at,) = [number for number, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1]]
    assert (old[at].split("#")[0].split(), new[at].split("#")[0].split()) == (
        ["预算:", "50000", "元"],
        ["预算:", "150000", "元"],
    )
    assert old[at].index("#") == new[at].index("#")


def test_rows_may_stand_in_another_order_and_other_sheets_are_let_be() -> None:
    def edit(book: Any) -> None:
        sheet = book["奖励"]
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
        for at, row in enumerate(reversed(rows), start=2):
            for column, value in enumerate(row, start=1):
                sheet.cell(at, column).value = value
        book.create_sheet("我的算账").append(["=1+1"])

    taken = _back(edit)
    assert (taken.problems, taken.changes) == ((), ())
    assert taken.text == CONTENT.decode()


def test_a_word_may_become_a_number_and_a_number_a_word() -> None:
    after = ("奖励", "rewards.machine_ladder", "之后")
    taken = _back(_set(*after, 1500))
    assert [(one.before, one.after) for one in taken.changes] == [("none", "1500 CNY")]
    assert taken.problems == ()
    changed = (taken.text or "").encode()
    back = _back(_set(*after, "无"), changed, workbook(changed, "small.yaml", "zh"))
    assert [(one.before, one.after) for one in back.changes] == [("1500 CNY", "无")]
    assert back.problems == ()


# ---- bad cells ---------------------------------------------------------------------------------------------------


def _merge(book: Any) -> None:
    cell = _cell(book, *LADDER)
    book["奖励"].merge_cells(start_row=cell.row, end_row=cell.row, start_column=cell.column, end_column=cell.column + 1)


def _without_row(book: Any) -> None:
    book["奖励"].delete_rows(_cell(book, *LADDER).row)


def _other_row(book: Any) -> None:
    sheet = book["奖励"]
    sheet.cell(sheet.max_row + 1, sheet.max_column).value = "rewards.new_one"


def _row_again(book: Any) -> None:
    sheet = book["奖励"]
    sheet.append([cell.value for cell in sheet[_cell(book, *LADDER).row]])


def _renamed(book: Any) -> None:
    book["奖励"].cell(1, _cell(book, *LADDER).column).value = "第一次"


def _stale(book: Any) -> None:
    book["说明"]["B2"].value = "0" * 64


def _no_place(book: Any) -> None:
    book["奖励"].cell(2, book["奖励"].max_column).value = None


BAD: dict[str, tuple[Edit, set[tuple[str, str]]]] = {
    "text": (_set(*LADDER, "1200 元"), {("奖励", "text")}),
    "a number kept as text": (_set(*LADDER, "1200"), {("奖励", "text")}),
    "a word that may not stand there": (_set(*LADDER, "很多"), {("奖励", "not_a_number")}),
    "formula": (_set(*LADDER, "=1000+200"), {("奖励", "formula")}),
    "error": (_set(*LADDER, "#REF!"), {("奖励", "error_value")}),
    "empty": (_set(*LADDER, None), {("奖励", "empty")}),
    "yes": (_set(*LADDER, True), {("奖励", "not_a_number")}),
    "date": (_set(*LADDER, datetime(2026, 1, 2)), {("奖励", "a_date")}),  # noqa: DTZ001  Excel knows no zones
    "negative": (_set(*LADDER, -5), {("奖励", "negative")}),
    "half a fen": (_set(*LADDER, 10.005), {("奖励", "P306")}),
    "too large": (_set(*LADDER, 10**17), {("奖励", "P302")}),
    "percent of money": (_set(*LADDER, 0.12, "0%"), {("奖励", "percent")}),
    "95% typed as 0.95": (_set("价格", "prices.gold_price", "实付", 0.95), {("价格", "fraction")}),
    "no such discount": (_set("价格", "prices.gold_price", "实付", 120), {("价格", "P310")}),
    "merged": (_merge, {("奖励", "merged")}),
    "a row less": (_without_row, {("奖励", "missing_row")}),
    "a row more": (_other_row, {("奖励", "unknown_row")}),
    "a row twice": (_row_again, {("奖励", "row_twice")}),
    "a row without its place": (_no_place, {("奖励", "unknown_row"), ("奖励", "missing_row")}),
    "a column renamed": (_renamed, {("奖励", "unknown_column"), ("奖励", "missing_column")}),
    "a sheet less": (lambda book: book.remove(book["奖励"]), {("奖励", "missing_sheet")}),
    "an id changed": (_set("奖励", "rewards.machine_ladder", "编号", "ladder2"), {("奖励", "read_only")}),
    "a number where there is none": (_set("奖励", "rewards.parts_points", "第 1 次", 5), {("奖励", "nothing_there")}),
    "far outside": (lambda book: book["奖励"].cell(900_000, 2, "!"), {("奖励", "far_outside")}),
    "stale": (_stale, {("说明", "stale")}),
    "no fingerprint": (lambda book: book.remove(book["说明"]), {("说明", "no_fingerprint")}),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_cell_is_named_and_nothing_is_written(name: str) -> None:
    edit, wanted = BAD[name]
    taken = _back(edit)
    assert taken.text is None
    assert {(bad.sheet, bad.problem.code if bad.problem else bad.code) for bad in taken.problems} == wanted
    for bad in taken.problems:
        assert "{" not in bad.message("zh") + bad.message("en")
    if name not in ("a row less", "a sheet less", "stale", "no fingerprint", "a column renamed"):
        assert all(bad.cell for bad in taken.problems if bad.code != "missing_row")


def test_95_per_cent_in_a_cell_of_discounts_is_a_question_where_zhe_is_meant() -> None:
    content = (HERE / "policies" / "small_zh.yaml").read_bytes()
    made = workbook(content, "p.yaml", "zh")
    number = next(one for one in numbers_of(content.decode()).numbers if one.type == "paid")
    row = number.name.rpartition(".")[0]
    zhe = "折" in number.after
    taken = _back(_set("价格", row, "实付", 0.95, "0%"), content, made)
    assert [bad.code for bad in taken.problems] == (["percent"] if zhe else [])
    assert zhe, "the Chinese policy writes its discount as 折"
    # Where a percentage is written in the file, one typed as Excel writes it is what it says.
    growth = ("特点", "traits.growth_potential.when.parts_growth", "不低于")
    assert [one.after for one in _back(_set(*growth, 1.4, "0%")).changes] == ["140%"]


def test_all_bad_cells_are_told_at_once_each_at_its_own() -> None:
    def edit(book: Any) -> None:
        for name in ("text", "95% typed as 0.95", "an id changed"):
            BAD[name][0](book)
        _set("总则", "policy", "经理客户上限", 200000)(book)
        _set("等级", "tiers.member", "保级·宽限", 30)(book)

    taken = _back(edit)
    assert taken.text is None
    assert {(bad.sheet, bool(bad.cell)) for bad in taken.problems} == {("奖励", True), ("价格", True), ("总则", True)}
    assert len(taken.problems) == 4
    (limit,) = [bad for bad in taken.problems if bad.sheet == "总则"]
    assert limit.problem is not None
    assert (limit.problem.code, limit.found) == ("P302", "200000")
    assert [(one.sheet, one.after) for one in taken.changes if one.sheet == "等级"] == [("等级", "30 days")]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"not a workbook", BOOK[: len(BOOK) // 2]])
def test_what_is_no_workbook_is_said_to_be_none(content: bytes) -> None:
    taken = take_back(CONTENT, "small.yaml", content)
    assert [bad.code for bad in taken.problems] == ["not_a_workbook"]


def test_every_sentence_about_a_cell_is_used_and_said_in_both_tongues() -> None:
    codes = {code for _, wanted in BAD.values() for _, code in wanted if not code.startswith("P")}
    elsewhere = {"not_a_workbook", "policy", "column_twice", "no_unit"}
    assert codes | elsewhere == set(SENTENCES)
    assert all(text.zh and text.en and text.zh != text.en for text in SENTENCES.values())


# ---- property ----------------------------------------------------------------------------------------------------


def _edits(text: str) -> st.SearchStrategy[dict[int, Decimal]]:
    count = len(numbers_of(text).numbers)
    value = st.decimals(min_value=0, max_value=10**6, places=2) | st.integers(0, 500).map(Decimal)
    return st.dictionaries(st.integers(0, count - 1), value, max_size=12)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_numbers_put_in_are_the_numbers_found_again_and_no_other_line_changes(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from([SMALL, HERE / "policies" / "small_zh.yaml"]))
    text = source.read_text(encoding="utf-8")
    numbers = numbers_of(text).numbers
    edits = {numbers[at]: value for at, value in data.draw(_edits(text)).items() if numbers[at].value is not None}
    new = replaced(text, [(number, number.written(value)) for number, value in edits.items()])
    again = {number.name: number for number in numbers_of(new).numbers}
    assert list(again) == [number.name for number in numbers]
    for number in numbers:
        found = again[number.name]
        assert (found.value, found.before) == (edits.get(number, number.value), number.before)
        assert found.after.strip().rstrip("s") == number.after.strip().rstrip("s")
    touched = {number.mark.line for number, value in edits.items() if value != number.value}
    pairs = list(zip(text.split("\n"), new.split("\n"), strict=True))
    assert {at for at, (old, now) in enumerate(pairs, start=1) if old != now} == touched
    for old, now in pairs:
        assert (old.partition("#")[1:]) == (now.partition("#")[1:])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_number_of_the_whole_language_can_be_put_in_and_found_again(lang: Any) -> None:
    """The examples of docs/language hold every key there is."""
    for sample in samples():
        text = translated(sample.text, lang)
        numbers = numbers_of(text).numbers
        assert len({number.name for number in numbers}) == len(numbers), sample.name
        tables = tables_of(numbers_of(text), lang).values()
        laid_out = [one for table in tables for row in table.rows.values() for one in row.cells.values()]
        assert sorted(one.name for one in laid_out) == sorted(one.name for one in numbers), sample.name
        new = replaced(text, [(one, one.written(one.value + 1)) for one in numbers if one.value is not None])
        again = {number.name: number.value for number in numbers_of(new).numbers}
        assert again == {one.name: None if one.value is None else one.value + 1 for one in numbers}, sample.name


@settings(max_examples=6, deadline=None)
@given(_edits(CONTENT.decode()))
def test_what_a_clerk_types_is_what_the_file_says_or_is_refused_by_the_reader(edits: dict[int, Decimal]) -> None:
    numbers = numbers_of(CONTENT.decode()).numbers
    wanted = {
        numbers[at].name: value
        for at, value in edits.items()
        if numbers[at].value is not None and not (numbers[at].type in ("percent", "paid") and value < 1)
    }
    cells = {}

    def edit(book: Any) -> None:
        for sheet in book.worksheets[1:]:
            for row in sheet.iter_rows(min_row=2):
                for cell in row:
                    if not cell.protection.locked:
                        cells[sheet.title, cell.coordinate] = cell
        by_name = {number.name: place for number, place in _places(book)}
        for name, value in wanted.items():
            cells[by_name[name]].value = float(value) if value != value.to_integral_value() else int(value)

    taken = _back(edit)
    new = replaced(CONTENT.decode(), [(one, one.written(wanted[one.name])) for one in numbers if one.name in wanted])
    reading = read(new, "small.yaml")
    if taken.text is not None:
        assert taken.text == new
    else:
        assert reading.policy is None
    assert (taken.text is None) == (reading.policy is None)


def _places(book: Any) -> list[tuple[Any, tuple[str, str]]]:
    """Say in which cell each number stands: by the layout, told once more from its own side."""
    numbers = numbers_of(CONTENT.decode())
    found = []
    for name, table in tables_of(numbers, "zh").items():
        for place, row in table.rows.items():
            for column, number in row.cells.items():
                found.append((number, (name, _cell(book, name, place, column).coordinate)))
    return found


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1000 元", ("", "1000", " 元")),
        ("1,000元", ("", "1000", "元")),
        ("¥1000", ("¥", "1000", "")),
        ("2万元", ("", "2", "万元")),
        ("１２个月", ("", "12", "个月")),
        ("两万元", ("", "20000", " 元")),
        ("半年", ("", "6", " 个月")),
        ("九五折", ("", "95", "折")),
        ("9.5折", ("", "9.5", "折")),
        ("百分之95", ("百分之", "95", "")),
        ("130%", ("", "130", "%")),
        ("-5 CNY", ("", "-5", " CNY")),
    ],
)
def test_a_number_is_told_from_what_is_written_around_it(text: str, parts: tuple[str, str, str]) -> None:
    assert split(text) == (parts[0], Decimal(parts[1]), parts[2])
    assert split("很多") is None


# ---- the commands ------------------------------------------------------------------------------------------------


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.chdir(tmp_path)

    def go(*words: object) -> tuple[int, str, str]:
        code = program.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return go


def test_the_way_to_excel_and_back(run: Any, tmp_path: Path) -> None:
    policy, book = tmp_path / "政策.yaml", tmp_path / "数.xlsx"
    policy.write_bytes(CONTENT)
    assert run("policy", "export", policy, "--to", book, "--lang", "zh")[0] == 0
    assert run("policy", "export", policy, "--to", book)[0] == 3, "it may hold somebody's changes"
    assert run("policy", "export", policy, "--to", tmp_path / "x.csv")[0] == 2
    assert run("policy", "import", book, policy, "--write", "--to", "x.yaml")[0] == 2

    opened = openpyxl.load_workbook(book)
    _set(*LADDER, 1200)(opened)
    opened.save(book)
    code, out, _ = run("policy", "import", book, policy, "--json")
    told = json.loads(out)
    assert (code, told["written"], policy.read_bytes()) == (0, None, CONTENT), "asked for nothing, wrote nothing"
    assert [(one["from"], one["to"]) for one in told["changes"]] == [("1000 CNY", "1200 CNY")]
    other = tmp_path / "new.yaml"
    assert run("policy", "import", book, policy, "--to", other)[0] == 0
    assert run("policy", "import", book, policy, "--to", other)[0] == 3
    code, out, _ = run("policy", "import", book, policy, "--write", "--lang", "zh")
    assert (code, "改了 1 个数" in out) == (0, True)
    assert policy.read_bytes() == other.read_bytes() == CONTENT.replace(b"{1: 1000 CNY", b"{1: 1200 CNY")
    code, out, _ = run("policy", "import", book, policy, "--lang", "zh")
    assert (code, "政策文件在导出之后改过了" in out) == (1, True)

    assert run("policy", "export", policy, "--to", book, "--force", "--lang", "en")[0] == 0
    opened = openpyxl.load_workbook(book)
    opened["rewards"]["D2"].value = "abc"
    opened.save(book)
    before = policy.read_bytes()
    code, out, _ = run("policy", "import", book, policy, "--write", "--lang", "en")
    assert (code, policy.read_bytes()) == (1, before)
    assert out.startswith("rewards!D2: `abc` is no number")
    broken = tmp_path / "broken.yaml"
    broken.write_text("programme: 1 2 3\n", encoding="utf-8")
    assert run("policy", "export", broken, "--to", tmp_path / "b.xlsx")[0] == 1
    assert not (tmp_path / "b.xlsx").exists()
