"""Every act of the staff leaves its line in the audit, by HTTP and by command; what HTTP can do, a command can.

Both lists are made from what there is: a new route or a new command without its line here fails.
"""

from __future__ import annotations

import importlib
import json

import pytest
import typer
from typer.main import get_command

from api.rights import RIGHTS
from tests.keys import SECRET, acting, keys_url
from tests.test_api_book import POLICY, Book, moment, opened, order
from tierengine import __main__ as program
from tierengine.access import passwords, staff
from tierengine.store import database

CALL = {"channel": "phone", "direction": "ours", "store": "S01"}
PASSWORD = "correct horse 电池 staple"
# What the staff ask and change, by the command that does the same.
COMMANDS = {
    "GET /v1/policies": "policy list",
    "GET /v1/policies/{version}": "policy show",
    "POST /v1/policies:check": "policy check",
    "POST /v1/policies:test": "policy test",
    "GET /v1/policy-drafts": "policy draft list",
    "GET /v1/policy-drafts/{name}": "policy draft show",
    "PUT /v1/policy-drafts/{name}": "policy draft write",
    "DELETE /v1/policy-drafts/{name}": "policy draft drop",
    "POST /v1/policy-drafts/{name}/publish": "policy draft publish",
    "GET /v1/awards/{award}/plan": "award plan",
    "POST /v1/awards/{award}/issue": "award issue",
    "GET /v1/duties": "duties due",
    "POST /v1/duties/done": "duties done",
    "GET /v1/members": "member show",
    "GET /v1/members/{code}": "member show",
    "GET /v1/members/{code}/balance": "member show",
    "GET /v1/members/{code}/ledger": "member statement",
    "GET /v1/members/{code}/statement": "member statement",
    "GET /v1/members/{code}/explain": "member explain",
    "POST /v1/members": "member register",
    "POST /v1/members/{code}/attributes": "member attribute",
    "POST /v1/members/{code}/adjustments": "ledger adjust",
    "POST /v1/members/{code}/transfers": "ledger transfer",
    "POST /v1/events:batch": "events import",
    "GET /v1/keys": "key list",
    "POST /v1/keys": "key create",
    "POST /v1/keys/{prefix}/rotate": "key rotate",
    "POST /v1/keys/{prefix}/revoke": "key revoke",
    "GET /v1/staff": "staff list",
    "POST /v1/staff": "staff add",
    "POST /v1/staff/{login}/password": "staff password",
    "POST /v1/staff/{login}/disable": "staff disable",
    "GET /v1/audit": "audit list",
    "GET /v1/stores": "store list",
    "POST /v1/stores": "store add",
    "POST /v1/webhooks": "webhook add",
    "GET /v1/webhooks": "webhook list",
    "GET /v1/webhooks/{webhook}/deliveries": "webhook deliveries",
    "POST /v1/webhooks/{webhook}/replay": "webhook replay",
    "POST /v1/webhooks/{webhook}/rotate": "webhook rotate",
    "POST /v1/webhooks/{webhook}/state": "webhook pause",
    "POST /v1/members/{code}/person": "member correct",
    "GET /v1/members/{code}/consents": "member consents",
    "POST /v1/members/{code}/consents": "member consent",
    "POST /v1/members/{code}/export": "member export",
    "POST /v1/members/{code}/merge": "member merge",
    "POST /v1/members/{code}/unmerge": "member unmerge",
    "GET /v1/members/{code}/erasure": "member erase",
    "POST /v1/members/{code}/erasure": "member erase",
}
# The till's own calls, and logging in and out.
TILLS = {
    "POST /v1/quotes", "POST /v1/sales", "POST /v1/sales/{order}/returns", "POST /v1/holds",
    "POST /v1/holds/{hold}/capture", "POST /v1/holds/{hold}/void", "POST /v1/events",
    "POST /v1/members/{code}/entitlements/{entitlement}/claims", "POST /v1/offline-allowances",
    "GET /v1/offline-allowances/revoked", "POST /v1/offline-allowances/{slip}/revoke", "GET /v1/sessions/current",
    "DELETE /v1/sessions/current",
}  # fmt: skip


def commands():
    """Every command there is, by the words that ask for it."""
    found = set()
    for noun in program.NOUNS:
        app = typer.Typer()
        app.callback()(lambda: None)
        app.add_typer(importlib.import_module(f"tierengine.commands.{noun}").app)
        waiting = [(get_command(app), ())]
        while waiting:
            command, words = waiting.pop()
            inner = getattr(command, "commands", None)
            if inner:
                waiting += [(one, (*words, name)) for name, one in inner.items()]
            else:
                found.add(" ".join(words))
    return found


def test_whatever_the_staff_do_over_http_is_also_a_command():
    assert {*RIGHTS} - {*COMMANDS} - TILLS == set(), "routes without a command"
    assert {COMMANDS[route] for route in RIGHTS if route in COMMANDS} <= commands()


# ---- over HTTP ---------------------------------------------------------------------------------------------------

# What writes nothing though it is no GET.
LOOKS = {"POST /v1/quotes", "POST /v1/policies:check", "POST /v1/policies:test"}


@pytest.fixture
def book(book_url):
    return Book(book_url).make()


def bodies():
    """For each changing route: (address, body, headers), in an order in which each can be done."""
    sold = order("P1", store="S01")
    terms = {"wallet": "parts_credit", "reason": "x", "by": "wang"}
    yield "POST /v1/members", {"member": "C9", "name": "客户9"}
    yield "POST /v1/members/{code}/attributes", {"name": "region", "value_text": "衡阳"}
    yield "POST /v1/sales", sold
    yield "POST /v1/sales/{order}/returns", {"source_id": "R1", "occurred_at": moment(), "store": "S01"}
    yield "POST /v1/events", {"kind": "contact", "member": "C1", "occurred_at": moment(), "source_id": "e1", **CALL}
    yield (
        "POST /v1/events:batch",
        {"events": [{"kind": "contact", "member": "C1", "occurred_at": moment(), "source_id": "e2", **CALL}]},
    )
    yield "POST /v1/members/{code}/adjustments", {**terms, "amount": 100_000}
    yield "POST /v1/members/{code}/transfers", {**terms, "amount": 100, "to": "C2"}
    yield "POST /v1/holds", {"member": "C1", "order": "H1", "wallet": "parts_credit", "amount": 100, "store": "S01"}
    yield "POST /v1/holds/{hold}/capture", {"amount": 50}
    yield "POST /v1/holds/{hold}/void", {}
    yield "POST /v1/members/{code}/entitlements/{entitlement}/claims", {"source_id": "q1", "occurred_at": moment()}
    yield "POST /v1/offline-allowances", {"member": "C1", "store": "S01"}
    yield "POST /v1/offline-allowances/{slip}/revoke", {"reason": "lost"}
    yield "PUT /v1/policy-drafts/{name}", {"text": POLICY}
    yield "POST /v1/policy-drafts/{name}/publish", {"reason": "x"}
    yield "DELETE /v1/policy-drafts/{name}", None
    yield "POST /v1/awards/{award}/issue", {"period": "2025"}
    yield "POST /v1/duties/done", {"member": "C1", "duty": "call"}
    yield "POST /v1/webhooks", {"url": "https://hook.example/x"}
    yield "POST /v1/webhooks/{webhook}/rotate", {"keep_hours": 2}
    yield "POST /v1/webhooks/{webhook}/state", {"state": "paused"}
    yield "POST /v1/webhooks/{webhook}/replay", {"state": "dead"}
    yield "POST /v1/stores", {"store": "S03"}
    yield "POST /v1/keys", {"roles": ["auditor"]}
    yield "POST /v1/keys/{prefix}/rotate", {}
    yield "POST /v1/keys/{prefix}/revoke", {}
    yield "POST /v1/staff", {"login": "li", "password": PASSWORD, "roles": ["auditor"]}
    yield "POST /v1/staff/{login}/password", {"password": PASSWORD + "2"}
    yield "POST /v1/staff/{login}/disable", {}
    yield "POST /v1/members/{code}/consents", {"purpose": "marketing", "given": True, "text_version": "v1"}
    yield "POST /v1/members/{code}/person", {"note": "x"}
    yield "POST /v1/members/{code}/merge", {"into": "C2", "reason": "登记了两次"}
    yield "POST /v1/members/{code}/unmerge", {"reason": "不是同一位"}
    yield "POST /v1/members/{code}/erasure", {}
    yield "POST /v1/members/{code}/export", {}
    yield "DELETE /v1/sessions/current", None


def lines(book, actor="staff:wang"):
    link = database.connect(book.url, readonly=True)
    found = link.ask("SELECT id, actor, act, subject FROM audit WHERE actor = ?1 ORDER BY id", actor).rows()
    link.close()
    return found


@pytest.mark.slow
def test_whatever_is_done_logged_in_leaves_a_line(book):
    with opened(book) as till:
        service = till.client.app.state.tierengine
        digest = passwords.hashed(PASSWORD)
        every = sorted({role for roles in RIGHTS.values() for role in roles})

        def add(link, ids):
            for login in ("wang", "li2"):
                staff.add(acting(link, ids, book.dealer, service.now()), login, digest, every)

        service.writer.perform(add).result()
        beside = till.client.post("/v1/sessions", json={"login": "li2", "password": PASSWORD}).json()["token"]
        said = till.client.post("/v1/sessions", json={"login": "wang", "password": PASSWORD})
        book.keys["wang"] = said.json()["token"]
        wang = till.at("wang")
        prefix = book.keys["D1/auditor"][3:15]
        known = {
            "{name}": "next", "{code}": "C1", "{order}": "P1", "{award}": "gold_user", "{login}": "li",
            "{prefix}": prefix, "{entitlement}": "training", "{hold}": "1", "{slip}": "x", "{webhook}": "1",
        }  # fmt: skip
        asked, silent = set(), []
        for count, (route, body) in enumerate(bodies()):
            if route not in RIGHTS:
                continue
            asked.add(route)
            method, _, path = route.partition(" ")
            for word, value in known.items():
                path = path.replace(word, str(value))
            headers = {"idempotency-key": f"k{count}"}
            if path.endswith("/erasure"):
                headers["second-authorization"] = f"Bearer {beside}"
            headers |= {"if-none-match": "*"} if method == "PUT" else {"if-match": known.get("tag", '"1-x"')}
            before = len(lines(book))
            answer = till.client.request(method, path, json=body, headers=wang.headers(headers))
            assert answer.status_code < 500, (route, answer.text)
            found = answer.json() if answer.content else {}
            known["{hold}"] = found.get("hold", {}).get("id", known["{hold}"])
            known["{slip}"] = found.get("slip", {}).get("id", known["{slip}"])
            known["{webhook}"] = found.get("webhook", {}).get("id", known["{webhook}"])
            known["tag"] = answer.headers.get("etag", known.get("tag", '"1-x"'))
            new = len(lines(book)) - before
            if answer.status_code < 300 or answer.status_code == 409:
                if not new:
                    silent.append((route, answer.status_code))
            else:
                # (Refused for its form or because it is not there: nothing was done.)
                silent.append((route, answer.status_code, answer.text[:200]))
        assert not [one for one in silent if len(one) == 2], silent
        assert {route for route in RIGHTS if not route.startswith("GET ")} - asked - LOOKS == set(), "not tried"
        undone = {route for route, *more in silent if len(more) == 2}
        assert undone == set(), [one for one in silent if len(one) == 3]


# ---- by command --------------------------------------------------------------------------------------------------

# Commands that look and change nothing of the book.
LOOKING = {
    "policy check", "policy test", "policy explain", "policy fmt", "policy schema", "policy export", "policy import",
    "policy list", "policy show", "policy draft list", "policy draft show", "events parked", "events conflicts",
    "events report", "member show", "member statement", "member explain", "award plan", "duties due",
    "ledger liability", "ledger export", "ledger notices", "key list", "staff list", "audit list", "webhook list",
    "webhook deliveries", "store list", "conformance", "policy diff", "policy plan", "member consents",
}  # fmt: skip
# What changes the book without being an act of somebody: each with the reason.
MACHINERY = {
    "demo": "makes a book of its own",
    "serve": "the service",
    "migrate": "makes or changes tables, before there is a dealer",
    "seal": "covers what is there; a seal is its own evidence",
    "member rekey": "wraps the keys outside the book, and changes nothing in it",
}


@pytest.fixture
def run(book, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", book.url)
    monkeypatch.setenv("TIERENGINE_SECRET", SECRET)
    monkeypatch.setenv("TIERENGINE_KEYS_URL", keys_url(book.url))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.chdir(tmp_path)

    def go(*words):
        code = program.main([*map(str, words), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out.strip() else {}, err

    return go


def test_every_command_that_changes_something_leaves_a_line(book, run, monkeypatch, tmp_path):
    monkeypatch.setattr("getpass.getuser", lambda: "wang")
    monkeypatch.setattr(
        "sys.stdin",
        type(
            "Pipe",
            (),
            {"isatty": lambda _: False, "readline": lambda _: PASSWORD + "\n", "read": lambda _: PASSWORD + "\n"},
        )(),
    )
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "e.jsonl").write_text(
        json.dumps({"kind": "contact", "member": "C1", "occurred_at": moment(), "source_id": "e1", **CALL}) + "\n"
    )
    (tmp_path / "o.csv").write_text("member,wallet,amount,reference\nC1,parts_credit,100,o1\n")
    with opened(book) as till:
        till.gold()
    made, tried, silent = {}, set(), []

    def asks(command, *words, fails=0):
        tried.add(command)
        before = lines(book, "command:wang")
        code, said, err = run(*command.split(), *words)
        assert code == fails, (command, said, err)
        if lines(book, "command:wang") == before:
            silent.append(command)
        made[command] = said

    monkeypatch.setattr("getpass.getuser", lambda: "li")
    assert run("policy", "draft", "write", "of-li", "p.yaml")[0] == 0
    monkeypatch.setattr("getpass.getuser", lambda: "wang")
    asks("policy draft write", "mine", "p.yaml")
    asks("policy draft drop", "mine")
    asks("policy draft publish", "of-li", "--reason", "r")
    asks("policy publish", "p.yaml", "--effective-from", "2099-01-01")
    asks("policy rollback", 2, "--effective-from", "2099-02-01")
    asks("member register", "C9", "--name", "客户9", "--phone", "13900000000")
    asks("member attribute", "C9", "region", "衡阳")
    asks("member correct", "C9", "--note", "老客户")
    asks("member consent", "C9", "marketing", "--text", "v1")
    asks("duties done", "C1", "holiday_greeting")
    asks("member merge", "C9", "--into", "C1", "--reason", "登记了两次")
    asks("member unmerge", "C9", "--reason", "不是同一位")
    asks("ledger adjust", "C1", "parts_credit", "10", "--reason", "r", "--by", "wang")
    asks("ledger adjust", "C9", "parts_credit", "10", "--reason", "r", "--by", "wang", "--last-day", "2099-01-01")
    asks("ledger open", "o.csv", "--by", "wang")
    asks("events import", "e.jsonl", "--set", "source=erp")
    asks("store add", "Ｓ０４", "--name", "城南店")
    asks("key create", "--role", "auditor")
    prefix = made["key create"]["key"][3:15]
    asks("key rotate", prefix)
    asks("key revoke", prefix)
    asks("staff bootstrap", "zhao")
    asks("staff add", "sun", "--role", "auditor")
    asks("staff password", "sun")
    asks("staff disable", "sun")
    asks("webhook add", "https://hook.example/x")
    for verb in ("rotate", "pause", "resume", "replay", "remove"):
        asks(f"webhook {verb}", made["webhook add"]["id"])
    asks("award issue", "2025")
    asks("member export", "C9")
    asks("member erase", "C4", "--second", "li")
    asks("verify", "--rebuild", "--write")
    # Refused for this policy, or with nothing to do: tests/test_ledger_commands.py shows their lines.
    tried |= {"ledger transfer", "ledger sweep"}
    assert not silent
    assert commands() - LOOKING - {*MACHINERY} - tried == set(), "commands that leave no line, or are not listed here"
    acts = {act for _, _, act, _ in lines(book, "command:wang")}
    assert acts >= {
        "PUT /v1/policy-drafts/{name}", "POST /v1/policy-drafts/{name}/publish", "policy.publish", "key.create",
        "POST /v1/members", "POST /v1/members/{code}/adjustments", "award.freeze", "POST /v1/webhooks",
    }  # fmt: skip
