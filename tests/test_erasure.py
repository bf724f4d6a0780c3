"""Erasing a member cannot be undone: it is looked at first, and it takes two people, over HTTP and by command."""

from __future__ import annotations

import json

import pytest

from tests.keys import SECRET, keys_url
from tests.test_api_access import of, with_staff
from tests.test_api_book import Book, Till, code, opened
from tierengine import __main__ as program
from tierengine.store import database

PATH = "/v1/members/C1/erasure"


@pytest.fixture
def till(book_url):
    logins = (("wang", "admin"), ("li", "archivist"), ("zhao", "auditor"), ("sun", "sales_manager"))
    with opened(with_staff(Book(book_url).make(others=True), *logins)) as till:
        yield till


def asked(first: Till, beside: Till | None, /, **body):
    first.count += 1
    own = {"idempotency-key": f"{first.key}-e{first.count}"}
    if beside is not None:
        own["second-authorization"] = beside.headers()["authorization"]
    return first.client.post(PATH, json=body, headers=first.headers(own))


def test_one_alone_erases_nobody_however_he_asks(till: Till):
    wang, sun, zhao = (of(till, one) for one in ("wang", "sun", "zhao"))
    for beside, body in (
        (None, {}), (None, {"second": "li"}), (wang, {}), (sun, {}), (zhao, {}), (till, {}), (till.at("D2/admin"), {}),
        (wang, {"by": "li"}), (wang, {"second": "wang"}),
    ):  # fmt: skip
        assert code(asked(wang, beside, **body)) == (422, "malformed"), body
    program_ = till.at("D1/admin")
    for number, body in enumerate((
        {}, {"by": "U1"}, {"second": "U2"}, {"by": "U1", "second": "U1"}, {"by": "U1", "second": " u1 "},
        {"by": "U1", "second": "Ｕ１"}, {"by": "U1", "second": "\ud800"}, {"by": "", "second": "U2"},
        {"by": "U1", "second": "  "}, {"by": "a\0", "second": "U2"},
    )):  # fmt: skip
        raw = json.dumps(body).encode()
        own = {"idempotency-key": f"p{number}", "content-type": "application/json"}
        assert code(till.client.post(PATH, content=raw, headers=program_.headers(own))) == (422, "malformed"), body
    for who in ("archivist", "sales_manager", "auditor", "pos"):
        assert code(till.at(f"D1/{who}").post(PATH, {"by": "U1", "second": "U2"})) == (403, "forbidden")
    assert till.at("D1/admin").get("/v1/members/C1").json().get("erased_at") is None
    assert till.at("D1/admin").get("/v1/members?phone=13800000001").json()["members"]


def test_two_look_at_what_stands_against_it_and_erase(till: Till):
    till.gold()
    wang, li = of(till, "wang"), of(till, "li")
    plan = wang.get(PATH).json()
    assert (plan["erased_at"], plan["holds"], plan["forfeit"]) == (None, 0, True)
    assert plan["credit"]["parts_credit"] == 100_000
    refused = asked(wang, li)
    assert code(refused) == (409, "erase_credit")
    assert refused.json()["detail"].startswith("C1 的配件款还有 ¥1,000.00；")
    hold = {"member": "C1", "order": "H1", "wallet": "parts_credit", "amount": 100}
    held = till.post("/v1/holds", hold).json()["hold"]["id"]
    assert li.get(PATH).json()["holds"] == 1
    assert code(asked(wang, li, forfeit=True)) == (409, "erase_holds")
    assert till.post(f"/v1/holds/{held}/void", {}).status_code in (200, 201)
    done = asked(wang, li, forfeit=True)
    assert done.status_code == 201, done.text
    again = wang.get(PATH).json()
    assert (again["erased_at"], again["forfeit"]) == (done.json()["erased_at"], False)
    assert wang.get("/v1/members?phone=13800000001").json() == {"members": []}
    line = till.at("D1/auditor").get("/v1/audit?subject=member:C1&limit=1").json()["lines"][0]
    assert (line["actor"], line["body"]["second"]) == ("staff:wang", "li")
    assert people(till.book) == ["staff:wang + li"]
    assert code(till.at("D2/admin").get("/v1/members/C9/erasure")) == (404, "unknown_member")


def test_a_program_names_both(till: Till):
    admin = till.at("D1/admin")
    done = admin.post(PATH, {"by": "U1", "second": "U2"}, once="k")
    assert done.status_code == 201, done.text
    assert admin.post(PATH, {"by": "U1", "second": "U2"}, once="k").content == done.content
    assert code(admin.post(PATH, {"by": "U1", "second": "U3"}, once="k")) == (422, "idempotency_mismatch")
    (kept,) = people(till.book)
    assert kept.startswith("key:")
    assert kept.endswith(" + U1 + U2")


def people(book: Book) -> list[str]:
    link = database.connect(book.url, readonly=True)
    found = [row[0] for row in link.ask("SELECT actor FROM erasure").rows()]
    link.rollback()
    link.close()
    return found


def test_the_command_asks_for_a_second_one_and_looks_first(sqlite_book_url, monkeypatch, capsys):
    book = Book(sqlite_book_url).make()
    with opened(book) as till:
        till.gold()
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", book.url)
    monkeypatch.setenv("TIERENGINE_SECRET", SECRET)
    monkeypatch.setenv("TIERENGINE_KEYS_URL", keys_url(book.url))
    monkeypatch.setattr("getpass.getuser", lambda: "wang")

    def command(*words):
        number = program.main(["member", "erase", "C1", *words, "--json"])
        return number, json.loads(capsys.readouterr().out)

    assert command("--plan")[1] == {
        "member": "C1", "erased": False, "holds": 0, "credit": {"parts_credit": 100_000, "points": 500}, "debts": {},
        "forfeit": True,
    }  # fmt: skip
    assert program.main(["member", "erase", "C1", "--plan", "--lang", "zh"]) == 0
    assert "配件款：可用 ¥1,000.00，欠 ¥0.00" in capsys.readouterr().out.replace(" ", " ")
    status, said = command("--forfeit")
    assert (status, said["error"]["code"]) == (2, "second_missing")
    assert command("--forfeit", "--second", "Ｗang")[0] == 1
    assert people(book) == []
    assert command("--forfeit", "--second", "li")[0] == 0
    assert people(book) == ["command:wang + li"]
    assert command("--plan")[1]["erased"] is True


def test_who_belongs_to_one_store_neither_looks_nor_erases_nor_hands_out(sqlite_book_url):
    with opened(Book(sqlite_book_url).make()) as till:
        roles = {"roles": ["admin", "archivist"], "store": "S01"}
        till.book.keys["local"] = till.at("D1/admin").post("/v1/keys", roles).json()["key"]
        local = till.at("local")
        assert code(local.get(PATH)) == (403, "forbidden")
        assert code(local.post(PATH, {"by": "U1", "second": "U2"})) == (403, "forbidden")
        assert code(local.post("/v1/members/C1/export", {})) == (403, "forbidden")
        assert till.at("D1/admin").get(PATH).json()["erased_at"] is None


def test_who_was_erased_gets_no_new_name_or_phone(till: Till):
    """A clerk who types him in once more must not bring him back; the answer is that of any other correction."""

    def kept() -> list[tuple[object, ...]]:
        link = database.connect(till.book.url, readonly=True)
        tables = ("personal", "personal_index")
        found = [row for table in tables for row in link.ask(f"SELECT * FROM {table} ORDER BY 1, 2, 3").rows()]
        link.rollback()
        link.close()
        return [tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in found]

    admin = till.at("D1/admin")
    assert admin.post(PATH, {"by": "U1", "second": "U2"}).status_code == 201
    before = kept()
    again = admin.post("/v1/members/C1/person", {"name": "张三", "phones": ["13811112222"], "note": "回来了"})
    assert again.status_code in (200, 201), again.text
    assert admin.get("/v1/members?phone=13811112222").json() == {"members": []}
    assert kept() == before
