"""What was written stays: a role without the right to change it, and a service that only reads a broken book."""

import contextlib
import json
import secrets
import time
from datetime import datetime

import psycopg
import pytest

from tests.disarming import disarm
from tests.test_api_book import Book, code, opened, order
from tests.test_chain import run, sealed
from tierengine import __main__ as program
from tierengine.ledger import chain
from tierengine.ledger.verify import verify
from tierengine.store import database
from tierengine.store.role import grant
from tierengine.store.rows import INSERT_ONLY


@contextlib.contextmanager
def linked(url, **how):
    link = database.connect(url, **how)
    yield link
    link.rollback()
    link.close()


def count(url, table):
    with linked(url) as link:
        return link.ask(f"SELECT count(*) FROM {table}").rows()[0][0]


# ---- the role ----------------------------------------------------------------------------------------------------


@pytest.fixture
def role(postgres_book_url):
    """The name of a role that is not there yet, and is gone after the test."""
    name = f"app_{secrets.token_hex(4)}"
    yield name
    with psycopg.connect("postgresql://" + postgres_book_url.partition("://")[2], autocommit=True) as owner:
        if owner.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
            owner.execute(f"DROP OWNED BY {name}")
            owner.execute(f"DROP ROLE {name}")


def as_role(url, name):
    return url.replace("://tierengine@", f"://{name}@")


def test_the_service_runs_as_a_role_that_may_change_nothing(postgres_book_url, role):
    book = Book(postgres_book_url).make()
    assert grant(postgres_book_url, role) is True
    assert grant(postgres_book_url, role) is False  # again after each migration
    url = as_role(postgres_book_url, role)
    book.url = url
    with opened(book) as till:
        till.gold()
        assert till.post("/v1/sales", order(credit="max")).status_code == 201
        back = till.post("/v1/sales/P1/returns", {"source_id": "R1", "occurred_at": order()["occurred_at"]})
        assert back.status_code == 201, back.text
        until = time.monotonic() + 20
        while count(postgres_book_url, "unsealed") and time.monotonic() < until:
            time.sleep(0.1)
    assert count(postgres_book_url, "unsealed") == 0
    assert count(postgres_book_url, "seal") > 0
    with linked(url) as link:
        assert verify(link) == ()
        link.rollback()
        for table in (*INSERT_ONLY, "seal"):
            for act in (f"UPDATE {table} SET dealer_id = 7", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    link.run(act)
                link.rollback()
        for act in (
            "ALTER TABLE entry DISABLE TRIGGER ALL",
            "DROP TRIGGER entry_insert_only ON entry",
            "SET session_replication_role = replica",
            "CREATE TABLE mine (id int)",
            "UPDATE alembic_version SET version_num = '0000'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                link.run(act)
            link.rollback()
        link.run("UPDATE emission SET applied = applied")


def test_the_role_is_made_by_migrate(postgres_book_url, role, monkeypatch, capsys):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", postgres_book_url)
    assert program.main(["migrate", "--role", role, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["role_made"] is True
    assert program.main(["migrate", "--role", 'x"; DROP TABLE entry', "--lang", "en"]) == 2
    assert "lower-case" in capsys.readouterr().err
    with psycopg.connect("postgresql://" + as_role(postgres_book_url, role).partition("://")[2]) as app:
        assert app.execute("SELECT count(*) FROM entry").fetchone() == (0,)


def test_on_sqlite_there_are_no_roles(sqlite_book_url, monkeypatch, capsys):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", sqlite_book_url)
    assert program.main(["migrate", "--role", "app", "--lang", "zh"]) == 3
    assert "PostgreSQL" in capsys.readouterr().err


# ---- a broken book -----------------------------------------------------------------------------------------------


@pytest.fixture
def broken(book_url):
    """A served and sealed book, one posting of which somebody has changed."""
    book = Book(book_url).make()
    with opened(book) as till:
        till.gold()
        assert till.post("/v1/sales", order(credit="max")).status_code == 201
    with linked(book_url) as link:
        sealed(link)
        disarm(link)
        run(link, ("UPDATE posting SET amount = amount + 1 WHERE id = (SELECT max(id) FROM posting)",))
    return book


def test_a_broken_chain_makes_the_service_read_only_and_it_says_so(broken):
    before = count(broken.url, "event")
    with opened(broken) as till:
        ready = till.client.get("/readyz")
        assert (ready.status_code, ready.json()["status"], ready.json()["chain"]) == (503, "read_only", False)
        assert till.client.get("/livez").status_code == 200
        refused = till.post("/v1/sales", order("P2"))
        assert code(refused) == (503, "chain_broken")
        assert "只读" in refused.json()["detail"]
        assert code(till.event("contact", member="C1", channel="phone", direction="customer", status="accepted")) == (
            503,
            "chain_broken",
        )
        assert till.get("/v1/members/C1").status_code == 200
        assert till.post("/v1/quotes", order("P3")).status_code == 200
    assert count(broken.url, "event") == before


def test_a_whole_book_is_ready_and_sealed_in_the_background(book_url):
    book = Book(book_url).make()
    with opened(book) as till:
        ready = till.client.get("/readyz")
        assert (ready.status_code, ready.json()["chain"]) == (200, True)
        till.gold()
        until = time.monotonic() + 20
        while count(book_url, "unsealed") and time.monotonic() < until:
            time.sleep(0.1)
        assert count(book_url, "unsealed") == 0
    with linked(book_url) as link:
        assert list(chain.check(link)) == []
    with opened(book) as till:
        assert till.client.get("/readyz").status_code == 200


def test_the_command_line_finds_the_broken_row_and_writes_nothing(broken, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", broken.url)
    assert program.main(["verify", "--json"]) == 1
    found = {one["code"]: one for one in json.loads(capsys.readouterr().out)["broken"]}
    (row,) = found["row_changed"]["rows"]
    with linked(broken.url) as link:
        assert row[2:] == ["posting", link.ask("SELECT max(id) FROM posting").rows()[0][0]]
    assert program.main(["verify", "--lang", "zh"]) == 1
    assert "row_changed：每一行与封存时相同" in capsys.readouterr().out


def test_seal_hands_out_the_head_and_verify_compares_it(book_url, monkeypatch, capsys, tmp_path):
    book = Book(book_url).make()
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", book_url)
    anchors = tmp_path / "链头.jsonl"
    assert program.main(["seal", "--anchor", str(anchors), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["sealed"] > 0
    (head,) = said["heads"]
    assert head["dealer"] == "D1"
    with opened(book) as till:
        till.gold()
    assert program.main(["seal", "--anchor", str(anchors), "--lang", "zh"]) == 0
    assert "链头已写入" in capsys.readouterr().out
    assert len(anchors.read_text(encoding="utf-8").splitlines()) == 2
    assert program.main(["seal", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sealed"] == 0
    assert program.main(["verify", "--anchor", str(anchors), "--json"]) == 0
    capsys.readouterr()
    whole = anchors.read_text(encoding="utf-8")
    last = json.loads(whole.splitlines()[-1])
    later = last | {"number": last["number"] + 4, "hash": "0" * 64, "sealed_at": last["sealed_at"] + 3_600_000_000}
    anchors.write_text(whole + json.dumps(later) + "\n", encoding="utf-8")
    assert program.main(["verify", "--anchor", str(anchors), "--json"]) == 1
    (stretch,) = json.loads(capsys.readouterr().out)["lost"]
    assert [stretch[name] for name in ("dealer", "after", "until")] == ["D1", last["number"], later["number"]]
    times = [datetime.fromisoformat(stretch[name]) for name in ("after_at", "until_at")]
    assert (times[1] - times[0]).total_seconds() == 3_600
    for lang, words in (("zh", "以后的 4 封没有了"), ("en", "the 4 after it are gone")):
        assert program.main(["verify", "--anchor", str(anchors), "--lang", lang]) == 1
        out = "".join(capsys.readouterr().out.split("\n"))
        assert words in out
        assert stretch["after_at"][:10] in out
    anchors.write_text(whole, encoding="utf-8")
    anchors.write_text(anchors.read_text(encoding="utf-8").replace(head["hash"], "0" * 64), encoding="utf-8")
    assert program.main(["verify", "--anchor", str(anchors), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["broken"]
    assert [(one["code"], one["rows"][0][1:3]) for one in found] == [("anchor_differs", [head["number"], "D1"])]
    anchors.write_text("what?\n", encoding="utf-8")
    assert program.main(["verify", "--anchor", str(anchors), "--lang", "en"]) == 1
    assert "line 1" in capsys.readouterr().err
