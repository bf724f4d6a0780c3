"""Invariant 18: whatever was said of a member, by whichever way, is nowhere once he was erased, and the book holds."""

import csv
import json
import logging
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from rules.vocabulary import FIELDS, KINDS, PROSE
from tests.keys import SECRET, keys_url, vault_of
from tests.test_api_book import Book, moment, opened, order
from tierengine import __main__ as program
from tierengine.ledger.sealing import seal
from tierengine.ledger.verify import verify
from tierengine.membership import people
from tierengine.personal import records, texts
from tierengine.store import database, snapshots
from tierengine.store.database import sqlite_path
from tierengine.store.ids import Ids, transact
from tierengine.store.rows import tables

# Written by no other file: all of them share one PostgreSQL, whose log is looked through.
MARK = "秘辛丁"  # in everything that is free text
NAME, PHONE, CONTACT, NOTE = "秘辛甲王五", "13957310001", "秘辛乙李经理", "秘辛丙常来"
MARKS = ("秘辛", PHONE)
SENT = {"text": MARK, "texts": [MARK]}
# What an event of each kind needs besides, where it can be told of anybody at any time.
NEEDED = {
    "contact": {"channel": "phone", "direction": "customer"}, "contact_report": {"month": "2026-03"},
    "deal_lost": {}, "machine_disposed": {"serial": "SN-9"}, "complaint": {}, "link_ended": {"linked": "C1"},
    "segment_set": {"segment": "key_account"}, "manager_assigned": {"manager": "U1"}, "referral_registered": {},
    "duty_done": {"duty": "visit"}, "tier_locked": {"tier": "gold", "by": "U1", "until": "2026-12-31"},
}  # fmt: skip


@pytest.fixture
def environ(book_url, monkeypatch):
    for name, value in {
        "DATABASE_URL": book_url,
        "SECRET": SECRET,
        "KEYS_URL": keys_url(book_url),
        "LANG": "en",
    }.items():
        monkeypatch.setenv(f"TIERENGINE_{name}", value)


def forms(mark):
    """How a mark may stand in a file: as it is, and escaped as JSON escapes it."""
    return {mark.encode(), json.dumps(mark)[1:-1].encode(), mark.encode("utf-16-le")}


def found_in(content: bytes):
    return [mark for mark in MARKS if any(one in content for one in forms(mark))]


def stored(url, folder, since):
    """Every byte that the database keeps: its files and its log, and every row as a dump writes it."""
    if url.startswith("sqlite"):
        path = sqlite_path(url)
        yield from ((one.name, one.read_bytes()) for one in sorted(folder.iterdir()) if one.name.startswith(path.name))
        raw = database.open_sqlite(path, 1_000, readonly=True)
        yield "dump", "\n".join(raw.iterdump()).encode()
        raw.close()
        return
    with psycopg.connect("postgresql://" + url.partition("://")[2], autocommit=True) as raw:
        raw.execute("CHECKPOINT")
        for name in tables():
            rows = raw.execute(f"SELECT t::text FROM {name} t").fetchall()
            yield f"dump of {name}", "\n".join(row[0] for row in rows).encode()
        home = Path(raw.execute("SHOW data_directory").fetchone()[0])
        number = raw.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()[0]
        files = [one for one in (home / "base" / str(number)).iterdir() if one.stat().st_mtime >= since]
        files += [one for one in (home / "pg_wal").iterdir() if _since(one, since)]
        assert files
        for one in files:
            with suppress(FileNotFoundError):  # (the server gives old pieces of its log another name, at any time)
                yield one.name, one.read_bytes()


def _since(one, since):
    with suppress(FileNotFoundError):
        return one.is_file() and one.stat().st_mtime >= since
    return False


def nowhere(url, folder, since):
    assert [(where, marks) for where, content in stored(url, folder, since) if (marks := found_in(content))] == []


def tell_everything(till):
    """Say of one member all that can be said, by every way that a service has."""
    desk, admin = till.at("D1/archivist"), till.at("D1/admin")
    desk.count, admin.count = 7_000_000, 8_000_000  # keys of their own
    assert admin.post("/v1/webhooks", {"url": "http://127.0.0.1:9/"}).status_code == 201
    person = {"member": "P1", "name": NAME, "phones": [f"+86 {PHONE}"], "contact": CONTACT, "note": NOTE}
    assert desk.post("/v1/members", person, once="reg").status_code == 201
    assert desk.post("/v1/members", person, once="reg").headers["idempotent-replayed"] == "true"
    assert desk.post("/v1/members", {**person, "name": "别人"}, once="reg").status_code == 422
    assert desk.post("/v1/members/P1/person", {"note": NOTE + "!"}).status_code == 201
    till.gold("P1")
    sale = order("A1", "P1", note=MARK, staff="U7")
    assert till.post("/v1/sales", sale, once="s").status_code == 201
    assert till.post("/v1/sales", sale, once="s").headers["idempotent-replayed"] == "true"
    assert till.post("/v1/sales", {**sale, "note": "别的"}, once="s").status_code == 422
    back = {"source_id": "R1", "occurred_at": moment(), "reason": MARK, "note": MARK, "lines": [{"item": "F-100"}]}
    assert till.post("/v1/sales/A1/returns", back).status_code == 201
    early = {"source_id": "R2", "occurred_at": moment(), "reason": MARK, "member": "P1"}
    assert till.post("/v1/sales/NOT-HERE/returns", early).status_code == 202  # parked
    for kind, needed in NEEDED.items():
        prose = {name: SENT[FIELDS[name].type] for name in KINDS[kind].fields if name in PROSE}
        told = admin.event(kind, member="P1", store="S01", note=MARK, **needed, **prose)
        assert told.status_code == 201, (kind, told.text)
        again = {**json.loads(told.request.content), "note": "别的"}
        assert admin.post("/v1/events", again).json()["status"] == "duplicate"
    batch = {"kind": "tip", "member": "P1", "occurred_at": moment(), "source_id": "b", "topic": "project", "note": MARK}
    assert desk.post("/v1/events:batch", {"events": [batch]}).json()["recorded"] == 1
    assert desk.post("/v1/events:batch", {"events": [{**batch, "topic": "other"}]}).json()["problem"] == 1
    word = {"purpose": "marketing", "given": True, "text_version": "2026-01", "occurred_at": moment(days=3)}
    assert desk.post("/v1/members/P1/consents", word).status_code == 201
    assert (
        desk.post("/v1/members/P1/consents", {**word, "given": False, "occurred_at": moment(days=2)}).status_code == 201
    )
    assert desk.post("/v1/members/P1/consents", {**word, "purpose": f"call {PHONE}"}).status_code == 422
    agreed = desk.get("/v1/members/P1/consents").json()
    assert (agreed["now"], [one["given"] for one in agreed["words"]]) == ({"marketing": False}, [False, True])
    assert agreed["words"][0]["text_version"] == "2026-01"
    hand = {"wallet": "parts_credit", "amount": 100, "reason": MARK, "by": "U1"}
    assert admin.post("/v1/members/P1/adjustments", hand).status_code == 201
    slip = till.post("/v1/offline-allowances", {"member": "P1"}).json()
    number = slip["slip"]["id"] if "slip" in slip else slip["id"]
    assert admin.post(f"/v1/offline-allowances/{number}/revoke", {"reason": MARK}).status_code == 201
    wrong = {"member": "P1", "name": MARK, "phones": "x", "more": PHONE}
    assert desk.post("/v1/members", wrong).status_code == 422
    for body in ({"member": PHONE}, {"member": "１３９５５５５０００２"}):
        assert desk.post("/v1/members", body).json()["errors"][0]["code"] == "personal_data"
    told = admin.event("tip", member="P1", topic=f"call {PHONE}")
    assert told.json()["errors"] == [{**told.json()["errors"][0], "pointer": "/topic", "code": "personal_data"}]
    till.get(f"/v1/members?phone={PHONE}")
    assert till.get(f"/v1/members?name={NAME}").json()["members"] == [{"member": "P1"}]
    text = json.dumps(admin.post("/v1/members/P1/export", {}).json(), ensure_ascii=False)
    assert all(one in text for one in (NAME, PHONE, CONTACT, NOTE, MARK))
    service = till.client.app.state.tierengine
    while service.writer.perform(lambda link, _: seal(link, service.now())).result(30):
        pass
    till.client.app.state.courier.round()


def test_what_was_said_of_an_erased_member_is_nowhere(book_url, environ, tmp_path, caplog, capsys):
    since = time.time() - 1
    caplog.set_level(logging.DEBUG)
    book = Book(book_url).make()
    with opened(book, webhooks_inside=1, log_format="json") as till:
        till.client.app.state.courier.close()
        tell_everything(till)
    rows = tmp_path / "rows.csv"
    with rows.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [["会员", "时间", "事件", "来源单号", "原因", "备注"], ["P1", "2026-03-01 10:00", "战败", "i1", MARK, MARK]]
        )
    words = [f"--set={one}" for one in ("timezone=Asia/Shanghai", "currency=CNY", "source=crm", "store=S01")]
    assert program.main(["events", "import", str(rows), *words]) == 0, capsys.readouterr()
    said = capsys.readouterr()
    nowhere(book_url, tmp_path, since)  # sealed before he is erased already

    link, vault = database.connect(book_url), vault_of(book_url)
    ((member, before),) = link.ask("SELECT member_id, tier FROM ledger l JOIN member m ON m.id = l.member_id "
                                   "WHERE m.code = 'P1'").rows()  # fmt: skip
    link.rollback()
    wrote = texts.of_member(link, vault, book.dealer, member)
    link.rollback()
    assert sum(MARK in str(one) for one in wrote.values()) >= len(NEEDED) + 5
    assert any(table == "command" for table, _ in wrote)

    assert program.main(["member", "erase", "P1", "--second", "li"]) == 3  # he has credit
    assert "forfeit" in capsys.readouterr().err
    assert program.main(["member", "erase", "P1", "--second", "li", "--forfeit"]) == 0
    assert program.main(["member", "erase", "P1", "--second", "li"]) == 0
    assert program.main(["member", "export", "P1", "--out", str(tmp_path / "export.json")]) == 0
    assert program.main(["ledger", "export", "--out", str(tmp_path / "book.beancount")]) == 0
    assert program.main(["member", "statement", "P1", "--from", "2026-01-01", "--csv", str(tmp_path / "s.csv")]) == 0
    assert program.main(["member", "show", "P1"]) == 0
    assert program.main(["member", "consents", "P1"]) == 0
    shown = capsys.readouterr()
    assert "erased" in shown.out
    assert program.main(["audit", "list", "--json"]) == 0
    audited = capsys.readouterr()
    assert "member.erase" in audited.out
    assert records.people_of(link, vault, book.dealer, [member]) == {}
    assert people.find_members(link, book.dealer, "phone", PHONE, vault) == []
    rows.unlink()
    exported = [(one.name, one.read_bytes()) for one in tmp_path.iterdir() if one.is_file()]
    assert {"export.json", "book.beancount", "s.csv"} <= {name for name, _ in exported}
    logged = "\n".join(
        str(one.getMessage()) for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))
    )
    told = [*(getattr(one, part) for one in (said, shown, audited) for part in ("out", "err")), logged]
    assert [name for name, content in exported if found_in(content)] == []
    assert [text[:200] for text in told if found_in(text.encode())] == []
    nowhere(book_url, tmp_path, since)
    link.rollback()
    assert link.ask("SELECT tier FROM ledger WHERE member_id = ?1", member).rows() == [(before,)]
    link.rollback()
    while transact(link, Ids(), lambda link, _: seal(link, 1)):
        pass
    link.close()
    vault.close()
    reader = snapshots.reader(book_url)
    with snapshots.snapshot(reader):
        assert verify(reader) == ()
    reader.close()


def test_verify_finds_keys_that_came_back_and_keys_that_are_lost(sqlite_book_url, monkeypatch, capsys):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", sqlite_book_url)
    monkeypatch.setenv("TIERENGINE_SECRET", SECRET)
    Book(sqlite_book_url).make()
    assert program.main(["verify"]) == 0
    keys = sqlite_path(sqlite_book_url + ".keys")
    old = keys.read_bytes()
    assert program.main(["member", "erase", "C1", "--second", "li"]) == 0
    assert program.main(["verify"]) == 0
    capsys.readouterr()
    keys.write_bytes(old)
    assert program.main(["verify", "--json"]) == 1
    assert [(one["number"], one["code"]) for one in json.loads(capsys.readouterr().out)["broken"]] == [
        (18, "erased_key")
    ]
    assert program.main(["member", "erase", "C1", "--second", "li"]) == 0
    assert program.main(["verify"]) == 0
    keys.unlink()
    capsys.readouterr()
    assert program.main(["verify", "--json"]) == 1
    (lost,) = json.loads(capsys.readouterr().out)["broken"]
    assert (lost["code"], lost["count"]) == ("lost_key", 3)
