"""Statements, liability and exports as people ask for them; what Beancount reads is checked by its own bean-check."""

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.club import SMALL, Club
from tests.test_api_book import Book, code, opened, order
from tierengine import __main__ as program
from tierengine.commands import beancount, sheet
from tierengine.recording.acts import PlaceHold
from tierengine.recording.items import Command
from tierengine.recording.recorder import Recorder

CREDIT = "parts_credit"
STRANGE = "张三-a_b c\"'"  # a code as no account's name of Beancount takes it


@pytest.fixture
def club(book_url, monkeypatch):
    """A book with grants, a hold, a use, a return, a debt, an end, and a member of a strange code."""
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", book_url)
    club = Club(book_url, SMALL.replace("{after: 24 months, to: month_end}", "{after: 40 days}"), ["M1", "M2", STRANGE])
    now = {"at": int(datetime(2026, 4, 1, 2, tzinfo=UTC).timestamp()) * 1_000_000}
    club.recorder = Recorder(club.link, now=lambda: now["at"])
    for member in ("M1", STRANGE):
        club.send(*club.golden(member))
        club.send(
            club.machine(f"{member[:1]}-G", "2026-03-10", member), club.parts(f"{member[:1]}-P", "2026-03-11", member)
        )
    club.items(Command(club.dealer, ("M1",), PlaceHold("hold:S1:H1:parts_credit", CREDIT, 30_000, "order:S1:H1")))
    club.sale(club.parts("U1", "2026-03-20", amount=90_000, credit=40_000), uses={CREDIT: 40_000})
    club.send(club.returned("M-G", "2026-03-25"))
    now["at"] += 60 * 86_400_000_000
    club.send(club.parts("L1", "2026-05-20", amount=10_000))
    club.at = now
    yield club
    club.close()


def run(capsys, *words):
    exit_code = program.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return exit_code, out, err


def bean_check(path):
    return subprocess.run(
        [sys.executable, "-c", "import sys; from beancount.scripts.check import main; sys.exit(main())", str(path)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_bean_check_accepts_the_book_and_counts_every_balance_again(club, capsys, tmp_path):
    out = tmp_path / "账.beancount"
    exit_code, said, _ = run(capsys, "ledger", "export", "--out", out, "--json")
    assert exit_code == 0
    assert json.loads(said)["postings"] == club.count("posting")
    checked = bean_check(out)
    assert (checked.returncode, checked.stderr, checked.stdout) == (0, "", "")
    text = out.read_text(encoding="utf-8")
    assert text.count(" balance ") == club.rows("SELECT count(*) FROM account WHERE member_id IS NOT NULL")[0][0]
    assert '  title: "配件款"' in text
    assert '  member: "张三-a_b c\\"\'"' in text
    # One fen less, and it is found: the assertions are of the stored balances, the rest of the postings.
    wrong = text.replace(" 1000.00 CNY", " 999.99 CNY", 1)
    assert wrong != text
    out.write_text(wrong, encoding="utf-8")
    assert bean_check(out).returncode != 0


def test_a_stored_balance_that_is_wrong_fails_bean_check(club, capsys, tmp_path):
    club.link.begin()
    club.link.run("UPDATE account SET balance = balance + 1 WHERE kind = 'debt' OR kind = 'available'")
    club.link.commit()
    out = tmp_path / "book.beancount"
    assert run(capsys, "ledger", "export", "--out", out)[0] == 0
    checked = bean_check(out)
    assert checked.returncode != 0
    assert "Balance failed" in checked.stderr + checked.stdout


def test_different_codes_have_different_accounts_that_beancount_takes():
    from beancount.core.account import is_valid

    codes = [
        "a_b",
        "a-b",
        "a--b",
        "a-5f-b",
        "A",
        "a",
        "张三",
        "張三",
        "Ａ",
        "1",
        "١",
        "-",
        "_",
        "__",
        "a b",
        "a.b",
        "é",
        "ß",
    ]
    names = [f"Liabilities:Available:{beancount.part('M', one)}:{beancount.part('W', 'parts_credit')}" for one in codes]
    assert len(set(names)) == len(codes)
    assert all(is_valid(one) for one in names)


def test_the_sheet_has_every_posting_and_no_formula(club, capsys, tmp_path):
    out = tmp_path / "book.csv"
    assert run(capsys, "ledger", "export", "--format", "csv", "--out", out, "--lang", "zh")[0] == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig"))))
    assert len(rows) == club.count("posting")
    total = sum(Decimal(row["amount"]) for row in rows if row["unit"] == "CNY")
    stored = club.rows("SELECT sum(p.amount) FROM posting p JOIN account a ON a.id = p.source_id WHERE a.unit = 'CNY'")
    assert total == Decimal(int(stored[0][0])) / 100
    assert {row["member"] for row in rows} == {"M1", STRANGE}
    _, streamed, _ = run(capsys, "ledger", "export", "--format", "csv")
    assert len(streamed.splitlines()) == len(rows) + 1


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_what_a_spreadsheet_would_run_is_text(text):
    assert sheet.cell(text) == f"'{text}"
    assert sheet.cell(Decimal("-1.50")) == "-1.50"
    assert sheet.cell("张三") == "张三"


def test_an_export_without_a_place_cannot_be_json(club, capsys):
    assert run(capsys, "ledger", "export", "--json")[0] == 2
    assert run(capsys, "ledger", "export", "--format", "xls", "--lang", "en")[0] == 2


def test_liability_is_told_by_wallet_month_and_rule_as_of_any_day(club, capsys):
    exit_code, out, _ = run(capsys, "ledger", "liability", "--at", "2026-04-02", "--json")
    then = json.loads(out)
    assert (exit_code, then["equal"], then["rows"]) == (0, True, then["from_entries"])
    (credit,) = [one for one in then["rows"] if one["wallet"] == CREDIT]
    assert credit["rule"] == "machine_ladder"
    assert credit["last_month"] == "2026-04"  # 40 days from March
    assert {one["wallet"]: one["owed"] for one in then["wallets"]}[CREDIT] == credit["owed"] > 0
    later = json.loads(run(capsys, "ledger", "liability", "--json")[1])
    assert CREDIT not in {one["wallet"] for one in later["wallets"]}
    _, shown, _ = run(capsys, "ledger", "liability", "--at", "2026-04-02", "--lang", "zh")
    assert "配件款" in shown
    assert "2026-04" in shown


def test_a_statement_of_a_member_has_opening_lines_and_closing(club, capsys, tmp_path):
    exit_code, out, _ = run(capsys, "member", "statement", "M1", "--to", "2026-04-30", "--json")
    assert exit_code == 0
    shown = json.loads(out)
    wallet = next(one for one in shown["wallets"] if one["wallet"] == CREDIT)
    lines = [line for line in shown["lines"] if line["wallet"] == CREDIT]
    assert wallet["opening"]["available"] == 0
    assert sum(line["available"] for line in lines) == wallet["closing"]["available"]
    assert {"grant", "hold", "use"} <= {line["kind"] for line in lines}
    assert all(line["at"] < "2026-05" for line in lines)
    rest = json.loads(run(capsys, "member", "statement", "M1", "--from", "2026-05-01", "--json")[1])
    assert next(one for one in rest["wallets"] if one["wallet"] == CREDIT)["opening"] == wallet["closing"]
    sheet_file = tmp_path / "对账单.csv"
    code_, text, _ = run(capsys, "member", "statement", "M1", "--csv", sheet_file, "--lang", "zh")
    assert code_ == 0
    assert "期初" in text
    assert "期末" in text
    rows = list(csv.DictReader(io.StringIO(sheet_file.read_text(encoding="utf-8-sig"))))
    whole = json.loads(run(capsys, "member", "statement", "M1", "--json")[1])
    assert len(rows) == len(whole["lines"])
    lines, after = [], 0
    while after is not None:
        page = json.loads(run(capsys, "member", "statement", "M1", "--limit", 2, "--after", after, "--json")[1])
        assert page["wallets"] == whole["wallets"]
        assert len(page["lines"]) >= 2 or page["next"] is None
        lines, after = lines + page["lines"], page["next"]
    assert lines == whole["lines"]
    assert f"--after {lines[1]['number']}" in run(capsys, "member", "statement", "M1", "--limit", 2)[1]
    assert run(capsys, "member", "statement", "M1", "--limit", 0)[0] == 2
    assert "配件款" in text
    assert run(capsys, "member", "statement", "M1", "--from", "yesterday", "--lang", "zh")[0] == 2
    full = run(capsys, "member", "statement", "Ｍ１", "--from", "２０２６年５月１日", "--json")[1]
    assert json.loads(full)["lines"] == rest["lines"]


def test_the_service_tells_a_statement_in_pages(book_url):
    book = Book(book_url).make()
    with opened(book) as till:
        till.gold()
        for number in range(3):
            assert till.post("/v1/sales", order(f"P{number}", credit={CREDIT: 10_000})).status_code == 201
        answer = till.get("/v1/members/C1/statement")
        assert answer.status_code == 200, answer.text
        whole = answer.json()
        lines, cursor = [], 0
        while cursor is not None:
            page = till.get(f"/v1/members/C1/statement?limit=2&cursor={cursor}").json()
            assert page["wallets"] == whole["wallets"]
            lines, cursor = lines + page["lines"], page["next"]
        assert lines == whole["lines"]
        assert len(lines) > 4
        shown = {one["wallet"]: one for one in till.get("/v1/members/C1/balance").json()["wallets"]}
        for wallet in whole["wallets"]:
            assert wallet["closing"]["available"] == shown[wallet["wallet"]]["available"]
        today = date.today().isoformat()  # noqa: DTZ011 - any day will do
        assert till.get(f"/v1/members/C1/statement?from=0001-01-01&to={today}").status_code == 200
        assert till.get("/v1/members/C1/statement?from=9999-12-31&to=9999-12-31").json()["lines"] == []
        assert till.get("/v1/members/C1/statement?from=2026-02-30").status_code == 422
        assert code(till.get("/v1/members/C77/statement")) == (404, "unknown_member")
