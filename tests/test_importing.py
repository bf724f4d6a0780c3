"""`events import`: real files as dealers have them, each bad row named, and the same book whatever the order."""

import contextlib
import csv
import gzip
import io
import json
import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierengine.importing.files import FileRefused, rows, source_of
from tierengine.importing.mapping import Mapping, MappingRefused, read_mapping, with_options
from tierengine.importing.rows import Sheet, events
from tierengine.importing.run import GROUP, Summary, Target, import_file
from tierengine.importing.values import SENTENCES, CellRefused, Cells, day, decimal, texts, whole, yes_or_no
from tierengine.membership.people import create_dealer
from tierengine.membership.standings import stages
from tierengine.policies import versions
from tierengine.recording.writer import Writer
from tierengine.store import snapshots
from tierengine.zone import Zone

HERE = Path(__file__).parent
SHARED = HERE.parent.parent / "shared" / "data" / "heavy_equipment_sales.csv.gz"
POLICY = (HERE / "policies" / "auctions.yaml").read_text(encoding="utf-8")
MAPPING = read_mapping((HERE / "policies" / "auctions.mapping.yaml").read_bytes(), "auctions.mapping.yaml")
COLUMNS = ("event_id", "member", "ts", "type", "amount_minor", "product_group", "base_model", "model", "machine_id")
GROUPS = ("TEX", "TTT", "SSL", "BL", "WL", "MG")


def auctions(folder: Path, number: int, seed: int = 1) -> Path:
    """Write a made-up file of so many sales: few buyers, many of them on one day, amounts as auctions have them."""
    rng = random.Random(seed)
    path = folder / f"auctions{number}.csv"
    days = [date(2004, 1, 5) + timedelta(days=rng.randrange(2_700)) for _ in range(max(1, number // 6))]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for place in range(number):
            group = rng.choice(GROUPS)
            model = f"{group}{rng.randrange(40)}"
            day = rng.choice(days)
            buyer = rng.choice(("Texas", "Florida", "North Carolina", "Ohio", "Iowa"))
            cents = rng.randrange(20, 1_400) * 10_000 + rng.choice((0, 0, 50, 33))
            writer.writerow(
                (f"S{place:05d}", buyer, f"{day}T00:00:00", "purchase", cents, group, model[:-1], model, 10_000 + place)
            )
    return path


@contextlib.contextmanager
def auctions_book(url: str):
    """Open a book for the auctions, made now when it is not there; give its writer and programme."""
    with Writer(url) as writer:

        def make(link, ids):
            known = link.ask("SELECT id FROM dealer").rows()
            if known:
                return known[0][0]
            dealer = create_dealer(link, ids, "auctions", "Auctions")
            start = Zone("America/New_York").start_of(date(2004, 1, 1))
            versions.publish(link, ids, dealer, POLICY, author="test", reason="", effective_from=start, now=start)
            return dealer

        dealer = writer.perform(make).result()
        link = snapshots.reader(url)
        try:
            with snapshots.snapshot(link):
                programme = versions.load(link, dealer)
        finally:
            link.close()
        yield writer, programme


def imported(writer, programme, file: Path, *, mapping=MAPPING, group: int = GROUP, late_days=None) -> Summary:
    """Import a file."""
    return import_file(file, mapping, Target(writer, programme, late_days, group))


def standings(url: str) -> dict[str, list[tuple]]:
    """Return every standing of every member, first to last, by his code."""
    link = snapshots.reader(url)
    try:
        with snapshots.snapshot(link):
            programme = versions.load(link, link.ask("SELECT id FROM dealer").rows()[0][0])
            codes = dict(link.ask("SELECT id, code FROM member").rows())
            found = stages(link, programme, list(codes), Zone("America/New_York").start_of(date(2012, 1, 1)))
            return {
                codes[member]: [(one.at, one.tier, one.since, one.until, one.state) for one in of]
                for member, of in found.items()
            }
    finally:
        link.close()


def net_grants(url: str) -> dict[tuple[str, str, str], tuple]:
    """Return the net grant, its unit and expiry of each (member, event, rule)."""
    link = snapshots.reader(url)
    try:
        with snapshots.snapshot(link):
            nets = link.ask(
                "SELECT m.code, e.event_key, e.rule, e.wallet, SUM(e.delta) FROM entry e "
                "JOIN member m ON m.id = e.member_id WHERE e.rule <> '' AND e.kind IN ('grant', 'reverse', 'adjust') "
                "GROUP BY m.code, e.event_key, e.rule, e.wallet HAVING SUM(e.delta) <> 0"
            ).rows()
            ends = link.ask("SELECT event_key, rule, MAX(expires_at) FROM lot GROUP BY event_key, rule").rows()
            expiry = {(key, rule): end for key, rule, end in ends}
            return {
                (code, key, rule): (wallet, int(net), expiry.get((key, rule))) for code, key, rule, wallet, net in nets
            }
    finally:
        link.close()


HEADER = "event_id,member,ts,type,amount_minor,product_group,base_model,model,machine_id\n"
ROW = "S1,New York,2004-01-05T00:00:00,purchase,2700000,TEX,312,312,733687\n"


# ---- the property ------------------------------------------------------------------------------------------------


def shuffled(file: Path, seed: int) -> Path:
    """Write the rows of a CSV in another order."""
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    random.Random(seed).shuffle(lines)
    made = file.with_name(f"shuffled{seed}.csv")
    made.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return made


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_any_order_grouping_and_repetition_of_a_file_ends_in_the_same_book(book_url, sqlite_template, tmp_path):
    file = auctions(tmp_path, 240)
    with auctions_book(book_url) as (writer, programme):
        first = imported(writer, programme, file)
        assert first.clean
        assert first.status["recorded"] == first.rows == 240
        wanted = standings(book_url), net_grants(book_url)
        again = imported(writer, programme, shuffled(file, 0), group=17)
        assert again.status["duplicate"] == 240
        assert (standings(book_url), net_grants(book_url)) == wanted
    assert any(grants for grants in wanted[1].values())
    for seed, group in ((1, 1), (2, 7), (3, 250), (4, 1_000)):
        other = tmp_path / f"other{seed}.db"
        other.write_bytes(sqlite_template.read_bytes())
        url = f"sqlite:///{other}"
        with auctions_book(url) as (writer, programme):
            imported(writer, programme, shuffled(file, seed), group=group)
            assert (standings(url), net_grants(url)) == wanted


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_shared_file_is_read_by_its_mapping(sqlite_book_url, tmp_path):
    """The first 800 rows of the real file; where it is not there, as many made-up ones of the same form."""
    small = tmp_path / "real.csv.gz"
    if SHARED.exists():
        with gzip.open(SHARED, "rt", encoding="utf-8") as file:
            text = "".join(next(file) for _ in range(801))
    else:
        text = auctions(tmp_path, 800).read_text(encoding="utf-8")
    small.write_bytes(gzip.compress(text.encode()))
    with auctions_book(sqlite_book_url) as (writer, programme):
        summary = imported(writer, programme, small)
    assert summary.clean
    assert (summary.status["recorded"], summary.unread) == (800, ())


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


# ---- rows against the book ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ts": "2004-02-30T00:00:00"}, "not_a_time"),
        ({"ts": "2004-01-05 25:00"}, "not_a_time"),
        ({"ts": "05/01/2004"}, "not_a_time"),
        ({"ts": "2190-01-01T00:00:00"}, "in_the_future"),
        ({"ts": "1850-01-01T00:00:00"}, "too_early"),
        ({"ts": ""}, "missing"),
        ({"amount_minor": "-5"}, "out_of_range"),
        ({"amount_minor": "12.5"}, "fraction"),
        ({"amount_minor": "9" * 39}, "out_of_range"),
        ({"amount_minor": "9" * 4_000}, "not_a_number"),
        ({"amount_minor": "NaN"}, "not_a_number"),
        ({"amount_minor": "1e9"}, "not_a_number"),
        ({"amount_minor": "#N/A"}, "spreadsheet_error"),
        ({"amount_minor": ""}, "missing"),
        ({"member": "a:b"}, "bad_id"),
        ({"member": "a\u202eb"}, "bad_id"),
        ({"member": ""}, "missing"),
        ({"member": "x" * 101}, "too_long"),
        ({"event_id": ""}, "missing"),
        ({"type": "gift"}, "not_named"),
        ({"model": "x" * 501}, "too_long"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_the_good_ones_are_kept(sqlite_book_url, tmp_path, change, code):
    good = {"event_id": "S1", "member": "Texas", "ts": "2010-01-05T00:00:00", "type": "purchase", "amount_minor": "100"}
    full = good | {"product_group": "TEX", "base_model": "312", "model": "312", "machine_id": "7"}
    table = [full, full | {"event_id": "S2"} | change, full | {"event_id": "S3"}]
    with auctions_book(sqlite_book_url) as (writer, programme):
        summary = imported(writer, programme, write(tmp_path, "a.csv", table))
    assert [(one.line, one.bad.code) for one in summary.problems if one.bad.code == code][:1] == [(3, code)]
    assert all(one.line == 3 for one in summary.problems)
    assert (summary.rows, summary.status["recorded"], summary.refused) == (3, 2, 1)
    assert all(one.bad.say("zh") and one.bad.say("en") for one in summary.problems)


def test_without_a_zone_or_a_currency_rows_are_refused(sqlite_book_url, tmp_path):
    file = auctions(tmp_path, 5)
    text = (HERE / "policies" / "auctions.mapping.yaml").read_text(encoding="utf-8")
    for line, code in (("timezone: America/New_York\n", "no_zone"), ("currency: USD\n", "no_currency")):
        mapping = read_mapping(text.replace(line, ""), "mapping")
        with auctions_book(sqlite_book_url) as (writer, programme):
            summary = imported(writer, programme, file, mapping=mapping)
        assert (summary.refused, summary.status) == (5, {})
        assert {one.bad.code for one in summary.problems} == {code}


def test_another_currency_than_the_programmes_is_refused(sqlite_book_url, tmp_path):
    text = (HERE / "policies" / "auctions.mapping.yaml").read_text(encoding="utf-8")
    with auctions_book(sqlite_book_url) as (writer, programme):
        mapping = read_mapping(text.replace("currency: USD", "currency: CNY"), "mapping")
        summary = imported(writer, programme, auctions(tmp_path, 3), mapping=mapping)
    assert {one.bad.code for one in summary.problems} == {"other_currency"}


def test_unknown_members_are_named_unless_the_mapping_puts_them_on_file(sqlite_book_url, tmp_path):
    text = (HERE / "policies" / "auctions.mapping.yaml").read_text(encoding="utf-8")
    shy = read_mapping(text.replace("create_members: yes", "create_members: no"), "mapping")
    file = auctions(tmp_path, 20)
    with auctions_book(sqlite_book_url) as (writer, programme):
        stores = imported(writer, programme, file, mapping=shy)
        assert {one.bad.code for one in stores.problems} == {"unknown_store"}
        done = imported(writer, programme, file)
        assert done.members_created > 0
        assert done.clean
        more = write(tmp_path, "more.csv", [dict(zip(HEADER.strip().split(","), ROW.strip().split(","), strict=True))])
        unknown = imported(writer, programme, more, mapping=shy)
    assert [(one.line, one.bad.code, one.bad.where) for one in unknown.problems] == [(2, "unknown_member", "member")]


def test_equal_number_and_other_content_is_a_conflict_and_is_not_booked(sqlite_book_url, tmp_path):
    file = auctions(tmp_path, 30)
    with auctions_book(sqlite_book_url) as (writer, programme):
        imported(writer, programme, file)
        before = standings(sqlite_book_url), net_grants(sqlite_book_url)
        lines = file.read_text(encoding="utf-8").splitlines()
        cells = lines[5].split(",")
        cells[4] = str(int(cells[4]) + 100)
        file.write_text("\n".join([*lines[:5], ",".join(cells), *lines[6:]]) + "\n", encoding="utf-8")
        summary = imported(writer, programme, file)
        assert (standings(sqlite_book_url), net_grants(sqlite_book_url)) == before
    assert summary.status == {"duplicate": 29, "conflict": 1}
    assert [(one.line, one.bad.code) for one in summary.problems] == [(6, "event_conflict")]


def test_a_source_may_date_back_only_so_far(sqlite_book_url, tmp_path):
    with auctions_book(sqlite_book_url) as (writer, programme):
        summary = imported(writer, programme, auctions(tmp_path, 4), late_days=400)
    assert {one.bad.code for one in summary.problems} == {"too_late"}


# ---- mappings ----------------------------------------------------------------------------------------------------


def test_a_mapping_may_be_written_in_chinese():
    text = """
事件: 购机
来源: 财务
门店: S01
时区: Asia/Shanghai
币种: 人民币
单位: 元
建档: 是
列: {单号: 订单, 会员: 客户, 时间: 日期, 金额: 合计, 毛利: {列: 利润, 单位: 分}}
固定值: {付款方式: mortgage}
"""
    mapping = read_mapping(text, "m.yaml")
    assert (mapping.kind, mapping.source, mapping.currency, mapping.unit) == ("machine_purchase", "财务", "CNY", "yuan")
    assert mapping.create_members
    assert mapping.columns["margin"].unit == "minor"
    assert mapping.constants == {"payment_mode": "mortgage", "kind": "machine_purchase", "store": "S01"}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("kindd: contact", "P201", 1),
        ("source: a\nsource: b", "P202", 2),
        ("kind: contactt", "P401", 1),
        ("columns: {sum: a}", "P402", 1),
        ("columns: [a]", "P204", 1),
        ("timezone: Mars/Olympus", "P318", 1),
        ("currency: XXX", "P319", 1),
        ("unit: dollars", "P315", 1),
        ("create_members: maybe", "P314", 1),
        ("columns:\n  amount: {unit: fen}", "P203", 2),
        ("a: &x b", "P110", 1),
        ("", "P116", 1),
        ("just text", "P204", 1),
        ("kind： contact", "P108", 1),
    ],
)
def test_a_bad_mapping_is_refused_with_its_place(text, code, line):
    with pytest.raises(MappingRefused) as refused:
        read_mapping(text, "m.yaml")
    assert (code, line) in [(problem.code, problem.mark.line) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("maps", "sets"), [({"nothing": "a"}, {}), ({}, {"nothing": "a"}), ({}, {"timezone": "x"}), ({}, {"kind": "x"})]
)
def test_bad_options_are_refused(maps, sets):
    with pytest.raises(MappingRefused):
        with_options(Mapping(), maps, sets)


NINE = datetime(2026, 3, 1, 9)  # noqa: DTZ001  as a spreadsheet gives it

# ---- cells -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "unit", "fen"),
    [
        ("1,234.50", "yuan", 123_450), ("￥1234.5", "yuan", 123_450), ("1234.5元", "yuan", 123_450),
        ("１２３４.５", "yuan", 123_450), (1234.5, "yuan", 123_450),
        (0.1 + 0.2, "minor", None), (1234, "yuan", 123_400),
        ("2700000", "minor", 2_700_000), ("2700000.00", "minor", 2_700_000), ("-3", "minor", -3),
        ("1,23", "yuan", None), ("1.234,5", "yuan", None), ("0.001", "yuan", None), (float("nan"), "yuan", None),
        (True, "yuan", None), ("一千", "yuan", None), ("", "yuan", 0),
    ],
)  # fmt: skip
def test_money_is_read_exactly_or_not_at_all(cell, unit, fen):
    cells = Cells.of(Mapping(currency="CNY"))
    if fen is None:
        with pytest.raises(CellRefused):
            cells.read("amount", cell, unit)
    else:
        assert (cells.read("amount", cell, unit) or 0) == fen


@given(st.integers(-(10**15), 10**15), st.booleans())
def test_an_amount_survives_being_written_with_and_without_thousands(fen, marked):
    text = f"{Decimal(fen) / 100:,.2f}" if marked else f"{Decimal(fen) / 100:.2f}"
    assert Cells.of(Mapping(currency="CNY")).money(text, "yuan", None) == fen


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        ("2026-03-01", "2026-03-01"), ("2026/3/1", "2026-03-01"), ("2026年3月1日", "2026-03-01"),
        ("20260301", "2026-03-01"), ("2026.3.1", "2026-03-01"), (date(2026, 3, 1), "2026-03-01"), (NINE, "2026-03-01"),
        ("03/04/2026", None), ("2026-02-30", None), ("2026-03-01 10:00", None), ("soon", None), ("46082", None),
    ],
)  # fmt: skip
def test_a_day_is_read_where_it_can_mean_only_one(cell, iso):
    if iso is None:
        with pytest.raises(CellRefused):
            day(cell)
    else:
        assert day(cell) == iso


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("2026-03-01T10:00:00+08:00", "2026-03-01T10:00:00+08:00"),
        ("2026-03-01T02:00:00Z", "2026-03-01T02:00:00+00:00"),
        ("2026-03-01 10:00", "2026-03-01T10:00:00+08:00"),
        ("2026年3月1日 9:05:07.25", "2026-03-01T09:05:07.250000+08:00"),
        ("20260301", "2026-03-01T00:00:00+08:00"),
        (NINE, "2026-03-01T09:00:00+08:00"),
        (date(2026, 3, 1), "2026-03-01T00:00:00+08:00"),
    ],
)
def test_a_time_without_a_zone_is_in_the_one_that_is_stated(cell, text):
    assert Cells.of(Mapping(timezone="Asia/Shanghai")).instant(cell) == text


def test_a_wall_time_that_comes_twice_is_the_first_of_the_two():
    cells = Cells.of(Mapping(timezone="America/New_York"))
    assert cells.instant("2010-11-07 01:30") == "2010-11-07T01:30:00-04:00"


def test_words_in_cells():
    assert (yes_or_no("是"), yes_or_no("N"), yes_or_no(True)) == (True, False, True)
    assert (whole("5.0"), whole(5.0), whole("１２")) == (5, 5, 12)
    assert texts("张三、李四;王五") == ["张三", "李四", "王五"]
    for cell in ("maybe", "2"):
        with pytest.raises(CellRefused):
            yes_or_no(cell)
    with pytest.raises(CellRefused):
        whole("5.5")


def test_every_sentence_can_be_said_in_both_languages():
    for text in SENTENCES.values():
        assert text.zh != text.en


@given(st.one_of(st.text(max_size=60), st.floats(), st.integers(), st.booleans(), st.none(), st.binary(max_size=9)))
def test_no_cell_is_anything_but_read_or_refused(cell):
    cells = Cells.of(Mapping(timezone="Asia/Shanghai", currency="CNY", unit="yuan"))
    for name in ("occurred_at", "amount", "qty", "used", "delivered_on", "co_buyers", "member", "kind", "revision"):
        with contextlib.suppress(CellRefused):
            cells.read(name, cell)


def test_numbers_are_decimal():
    assert decimal("1,234.50") == Decimal("1234.50")
