"""Stores are put on file by those of the whole dealer, by call and by command; a fresh book gets its till so."""

from __future__ import annotations

import json

import pytest

from tests.keys import SECRET, keys_url, new_key
from tests.test_api_book import POLICY, Book, code, opened, order
from tierengine import __main__ as program


@pytest.fixture
def till(book_url):
    with opened(Book(book_url).make(others=True)) as till:
        yield till


def test_a_store_is_put_on_file_and_its_till_sells(till):
    admin = till.at("D1/admin")
    made = admin.post("/v1/stores", {"store": "Ｓ０３", "name": "城南店"}, once="k")
    assert (made.status_code, made.json()) == (201, {"status": "recorded", "store": "S03", "name": "城南店"})
    assert admin.post("/v1/stores", {"store": "Ｓ０３", "name": "城南店"}, once="k").content == made.content
    assert code(admin.post("/v1/stores", {"store": "S03"})) == (409, "code_taken")
    assert [one["store"] for one in admin.get("/v1/stores").json()["stores"]] == ["S01", "S02", "S03"]
    assert till.get("/v1/stores").json() == {"stores": [{"store": "S01", "name": "S01"}]}
    assert [one["store"] for one in till.at("D2/admin").get("/v1/stores").json()["stores"]] == ["S01"]
    # A clerk who is logged in for the whole dealer names it, on whatever keyboard.
    assert admin.post("/v1/sales", order("A1", store="Ｓ０３")).status_code == 201
    key = admin.post("/v1/keys", {"roles": ["pos"], "store": "S03"}).json()["key"]
    till.book.keys["S03"] = key
    assert till.at("S03").post("/v1/sales", order("A2")).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/store"), ({"store": ""}, "/store"), ({"store": " "}, "/store"), ({"store": "a:b"}, "/store"),
        ({"store": "13800000001"}, "/store"), ({"store": "１３８００００００01"}, "/store"),
        ({"store": "a\0"}, "/store"),
        ({"store": "a\u200bb"}, "/store"), ({"store": "x" * 101}, "/store"), ({"store": 5}, "/store"),
        ({"store": "S9", "name": "a\nb"}, "/name"), ({"store": "S9", "name": "x" * 101}, "/name"),
        ({"store": "S9", "colour": 1}, "/colour"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("book_url", ["sqlite"], indirect=True)
def test_a_store_that_is_wrong_in_form(till, body, pointer):
    answer = till.at("D1/admin").post("/v1/stores", body)
    assert code(answer) == (422, "malformed")
    assert pointer in {one["pointer"] for one in answer.json()["errors"]}


@pytest.mark.parametrize("book_url", ["sqlite"], indirect=True)
def test_who_belongs_to_one_store_makes_none(till):
    service = till.client.app.state.tierengine
    till.book.keys["own"] = service.writer.perform(
        lambda link, ids: new_key(
            link, ids, till.book.dealer, "admin", 0, link.ask("SELECT min(id) FROM store").rows()[0][0]
        )
    ).result()
    assert code(till.at("own").post("/v1/stores", {"store": "S09"})) == (403, "forbidden")


def test_a_fresh_book_gets_its_till_by_the_commands_of_the_readme(sqlite_url, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TIERENGINE_SECRET", SECRET)
    monkeypatch.setenv("TIERENGINE_KEYS_URL", keys_url(sqlite_url))
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")

    def command(*words):
        status = program.main([*words, "--json"])
        return status, json.loads(capsys.readouterr().out)

    assert command("migrate")[0] == 0
    first = ("--author", "王芳", "--reason", "首次发布", "--effective-from", "2026-01-01")
    assert command("policy", "publish", "p.yaml", *first)[0] == 0
    status, said = command("key", "create", "--role", "pos", "--store", "S01")
    assert (status, said["error"]["code"]) == (1, "unknown_store")
    assert "tierengine store add S01" in said["error"]["message"]
    assert command("store", "add", "Ｓ０１", "--name", "城南店") == (0, {"store": "S01", "name": "城南店"})
    assert command("store", "add", "S01")[0] == 3
    assert command("store", "add", "a:b")[0] == 1
    assert command("store", "list")[1] == {"stores": [{"store": "S01", "name": "城南店"}]}
    assert command("member", "register", "C0266", "--name", "吕永强")[0] == 0
    key = command("key", "create", "--role", "pos", "--store", "S01")[1]["key"]
    book = Book(sqlite_url, keys={"till": key})
    with opened(book) as till:
        assert till.at("till").post("/v1/sales", order("A1", "C0266")).status_code == 201
