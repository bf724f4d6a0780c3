"""`ledger`: sweep, notices, opening balances, adjustments and transfers from the command line, on both databases."""

import json
import threading
from datetime import date, timedelta

import openpyxl
import pytest

from tests.club import SMALL
from tests.keys import SECRET, keys_url
from tests.test_holds import CREDIT, HAS, MINUTE, Holds
from tierengine import __main__ as program
from tierengine.commands import ledger
from tierengine.personal import texts
from tierengine.recording.acts import Settle
from tierengine.recording.items import Command
from tierengine.recording.recorder import Recorder
from tierengine.store import database
from tierengine.store.dialect import doc
from tierengine.zone import DAY, Zone

POLICY = SMALL.replace(
    "    clawback: debt\n", "    clawback: debt\n    transfer: linked\n    second_person: 1000 CNY\n", 1
)


@pytest.fixture
def club(book_url, monkeypatch):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", book_url)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("TIERENGINE_SECRET", SECRET)
    monkeypatch.setenv("TIERENGINE_KEYS_URL", keys_url(book_url))
    made = Holds(book_url, POLICY)
    yield made
    made.clean()
    made.close()


@pytest.fixture
def run(capsys):
    def go(*words):
        code = program.main(["ledger", *map(str, words)])
        out, err = capsys.readouterr()
        return code, out, err

    return go


AUDIT = "SELECT actor, act, subject, body FROM audit WHERE act LIKE ?1 ORDER BY id"


def audited(club, act) -> list[tuple]:
    """Return (actor, subject, what of it) of each line of the audit for an act."""
    rows = club.rows(AUDIT, act)
    return [(actor, subject, doc(body)) for actor, _, subject, body in rows]


def last(club) -> int:
    return club.rows("SELECT max(expires_at) FROM lot WHERE wallet = 'parts_credit'")[0][0]


def test_a_sweep_posts_what_has_ended_and_a_second_one_nothing(club, run, monkeypatch):
    club.hold()
    now = last(club) + MINUTE
    before = club.money()
    monkeypatch.setattr(ledger, "clock", lambda: now)
    monkeypatch.setitem(ledger.Writer.__init__.__kwdefaults__, "now", lambda: now)
    code, out, _ = run("sweep", "--json")
    # The hold lapses first, so all of each lot ends with it.
    assert (code, json.loads(out)) == (0, {"members": 1, "entries": club.money()["entry"] - before["entry"]})
    assert club.has() == (0, 0, 0)
    after = club.money()
    ((actor, subject, body),) = audited(club, "ledger.sweep")
    assert (actor.partition(":")[0], subject) == ("command", "ledger")
    assert body == {"members": 1, "entries": after["entry"] - before["entry"]}
    code, out, _ = run("sweep", "--json")
    assert (code, json.loads(out)["entries"]) == (0, 0)
    assert club.money() == after
    assert len(audited(club, "ledger.sweep")) == 1, "nothing was done, and nothing is told"


def test_sweeps_at_once_post_each_end_once(club, book_url):
    now = last(club) + MINUTE
    links = [database.connect(book_url) for _ in range(3)]
    recorders = [Recorder(link, now=lambda: now) for link in links]
    posted = []

    def sweep(recorder):
        for _ in range(3):
            answers = recorder.record([Command(club.dealer, ("M1",), Settle())], wait=True)
            posted.append(answers[0].body["entries"])

    threads = [threading.Thread(target=sweep, args=(one,)) for one in recorders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for link in links:
        link.close()
    assert sorted(posted)[:-1] == [0] * 8
    assert club.rows("SELECT sum(amount) FROM lot_use")[0][0] == HAS
    assert club.has() == (0, 0, 0)


def test_notices_begin_on_their_day_and_end_with_the_last_one(club, run):
    ends = Zone("Asia/Shanghai").local_date(last(club) - 1)
    told = {}
    for before in (91, 90, 89, 30, 0, -1):
        day = ends - timedelta(days=before)
        code, out, _ = run("notices", "--json", "--at", day)
        assert code == 0
        found = json.loads(out)["notices"]
        told[before] = [(one["member"], one["amount"], one["notice_on"], one["days_left"]) for one in found]
    first, second = ((ends - timedelta(days=days)).isoformat() for days in (90, 30))
    assert told == {
        91: [], 90: [("M1", HAS, first, 91)], 89: [("M1", HAS, first, 90)], 30: [("M1", HAS, second, 31)],
        0: [("M1", HAS, second, 1)], -1: [],
    }  # fmt: skip
    code, out, _ = run("notices", "--json", "--today", "--at", ends - timedelta(days=89))
    assert json.loads(out)["notices"] == []
    code, out, _ = run("notices", "--at", ends, "--lang", "zh")
    assert "¥4,000.00" in out
    assert "提醒日" in out


ROWS = [["会员", "钱包", "金额", "到期日"], ["M2", "配件款", "1,200.50", "2027-06-30"], ["M3", "points", "35", ""]]


def csv(path, rows):
    path.write_text("\n".join(",".join(f'"{cell}"' for cell in row) for row in rows), encoding="gb18030")
    return path


def sheet(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_opening_balances_are_previewed_then_put_in_once(club, run, tmp_path):
    file = csv(tmp_path / "开账.csv", ROWS)
    before = club.money()
    code, out, _ = run("open", file, "--preview", "--json")
    told = json.loads(out)
    assert (code, told["recorded"], club.money()) == (0, 0, before)
    assert told["wallets"][CREDIT] == {"members": 1, "rows": 1, "amount": 120_050, "new": 120_050}
    assert json.loads(run("open", file, "--json", "--by", "U1")[1])["recorded"] == 2
    assert (club.balance(CREDIT, member="M2"), club.balance("points", member="M3")) == (120_050, 35)
    expires = club.rows("SELECT expires_at FROM lot WHERE amount = 120050")
    assert expires == club.rows("SELECT expires_at FROM lot WHERE amount = 120050 AND expires_at > 1814000000000000")
    again = json.loads(run("open", sheet(tmp_path / "again.xlsx", ROWS), "--json")[1])
    assert (again["recorded"], again["duplicates"], again["wallets"][CREDIT]["new"]) == (0, 2, 0)
    other = csv(tmp_path / "other.csv", [ROWS[0], ["M2", CREDIT, "1", "2027-06-30"]])
    code, out, _ = run("open", other, "--json")
    assert (code, [one["code"] for one in json.loads(out)["problems"]]) == (1, ["command_conflict"])


def test_no_opening_balance_is_put_in_while_one_row_is_wrong(club, run, tmp_path):
    wrong = [
        ["M2", "配件款", "0.001", ""],
        ["M2", "nothing", "5", ""],
        ["M9", "points", "5", ""],
        ["M2", "points", "-5", ""],
        ["M2", "points", "0", ""],
        ["M2", "points", "5", "03/04/2026"],
        ["", "points", "5", ""],
        ["M3", "points", "7", ""],
    ]
    before = club.money()
    code, out, _ = run("open", csv(tmp_path / "a.csv", [*ROWS, *wrong]), "--json")
    problems = json.loads(out)["problems"]
    assert (code, club.money()) == (1, before)
    assert [(one["line"], one["code"]) for one in problems] == [
        (4, "fraction"), (5, "unknown_wallet"), (6, "unknown_member"), (7, "out_of_range"), (8, "out_of_range"),
        (9, "not_a_date"), (10, "missing"), (11, "opening_twice"),
    ]  # fmt: skip
    code, out, err = run("open", csv(tmp_path / "b.csv", [["会员", "钱包"], ["M2", CREDIT]]))
    assert code == 1
    assert "amount" in out + err


def test_a_balance_is_adjusted_by_hand_with_two_names_above_the_limit(club, run, vault):
    words = ("adjust", "M2", CREDIT, "1000.5", "--reason", "补发", "--by", "U1", "--id", "7")
    code, _, err = run(*words)
    assert code == 3
    assert "CN¥1,000.00" in err
    assert run(*words, "--second", "U1")[0] == 3
    assert run(*words, "--second", "U2")[0] == 0
    assert "here already" in run(*words, "--second", "U2")[1]
    assert club.balance(CREDIT, member="M2") == 100_050
    assert run("adjust", "--reason", "x", "--by", "U1", "--", "M2", CREDIT, "-100")[0] == 0
    assert club.balance(CREDIT, member="M2") == 90_050
    said = club.rows(
        "SELECT kind, body ->> 'reason', body ->> 'by', body ->> 'second', id, member_id FROM command "
        "ORDER BY id LIMIT 1"
    )
    assert said[0][:4] == ("adjust", None, "U1", "U2")
    wrote = texts.of_member(club.link, vault, club.dealer, said[0][5])
    assert wrote["command", said[0][4]] == {"reason": "补发"}
    assert run("adjust", "M2", CREDIT, "much", "--reason", "x", "--by", "U1")[0] == 2


def test_what_a_chinese_keyboard_writes_is_read(club, run):
    """Full-width digits, signs and letters, the wallet by its title, and a day in Chinese."""
    words = ("--reason", "补发", "--by", "U1", "--second", "U2")
    assert run("adjust", "Ｍ２", "配件款", "￥１，２００．５０", "--last-day", "２０２７年６月３０日", *words)[0] == 0
    assert club.balance(CREDIT, member="M2") == 120_050
    assert run("adjust", "M2", "Parts credit", "100元", "--last-day", "2027/6/30", *words)[0] == 0
    ends = club.rows("SELECT DISTINCT expires_at FROM lot l JOIN member m ON m.id = l.member_id WHERE m.code = 'M2'")
    assert ends == [(Zone("Asia/Shanghai").end_of(date(2027, 6, 30)),)]
    for bad in (("配件", "1"), ("配件款", "1,2"), ("配件款", "一百"), ("配件款", "0"), ("配件款", "0.001")):
        assert run("adjust", "M2", *bad, *words)[0] in (1, 2, 3)
    assert run("adjust", "M2", "配件款", "1", "--last-day", "03/04/2027", *words)[0] == 2
    assert club.balance(CREDIT, member="M2") == 130_050
    code, out, _ = run("adjust", "M2", "配件款", "-100", *words, "--lang", "zh")
    assert (code, "配件款 ¥1,200.50" in out) == (0, True), out
    assert run("adjust", "M2", "配件款", "－２００．５０", *words)[0] == 0
    assert club.balance(CREDIT, member="M2") == 100_000
    assert run("adjust", "M2", "配件款", "1", "--reson", "x", *words)[0] == 2
    assert run("notices", "--at", "２０２６年５月１日")[0] == run("notices", "--at", "2026.5.1")[0] == 0


def test_credit_is_handed_on_within_a_firm(club, run):
    words = ("transfer", "M1", "M2", CREDIT, "1500", "--reason", "同一公司", "--by", "U1", "--id", "1")
    assert run(*words)[0] == 3
    for member in ("M1", "M2"):
        said = {"name": "firm", "value_text": "F"}
        club.send(club.said("attribute_changed", "2026-04-01", member, source_id=f"f{member}", **said))
    assert [run(*words)[0] for _ in range(2)] == [0, 0]
    told = [(subject, body["status"], body.get("code")) for _, subject, body in audited(club, "%transfers")]
    # What was refused is told as well; and that it was here already.
    assert told == [("member:M1", 409, "transfer_not_allowed"), ("member:M1", 201, None), ("member:M1", 200, None)]
    assert (club.balance(CREDIT), club.balance(CREDIT, member="M2")) == (HAS - 150_000, 150_000)
    dates = "SELECT l.expires_at FROM lot l JOIN member m ON m.id = l.member_id WHERE l.wallet = ?1 AND m.code = ?2"
    assert set(club.rows(dates, CREDIT, "M2")) <= set(club.rows(dates, CREDIT, "M1"))


def test_a_member_is_shown_with_what_is_held(club, capsys):
    club.hold()
    assert program.main(["member", "show", "M1", "--lang", "zh"]) == 0
    shown = capsys.readouterr().out
    assert "预占 ¥1,000.00" in shown
    assert "可用 ¥3,000.00" in shown


def test_the_days_of_notice_are_the_dealers(club):
    """23:59:59 of the last local day is in it, the next instant is not."""
    end = last(club)
    zone_day = 16 * 3600 * 1_000_000  # midnight in Shanghai, in UTC
    assert end % DAY == zone_day
    club.now = end - 1
    assert club.sale(club.parts("Z1", "2026-03-20", amount=1000), uses={CREDIT: 1000}).status == "recorded"
    club.now = end
    refused = club.sale(club.parts("Z2", "2026-03-20", amount=1000), uses={CREDIT: 1000})
    assert refused.code == "insufficient_credit"
