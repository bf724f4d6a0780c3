"""Nothing of one dealer reaches another, and nothing of one store another store: asked of every route there is.

What belongs to dealer D1, store S01, carries MARK in its name. Others ask every route for it, by path, by filter and by
body, as every role that may call the route: no answer names it, and nothing of it has changed.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.keys import acting, new_key
from tests.test_access_matrix import operations
from tests.test_api_access import DIGEST
from tests.test_api_book import Book, Till, moment, opened, order
from tierengine.access import keys, staff
from tierengine.access.secret import Secret
from tierengine.membership import people
from tierengine.store import database
from tierengine.store.ids import Ids, transact
from tierengine.store.rows import tables

MARK = "MARK7"
INNER = "INNER7"  # stands in what is known of the marked things, and in no question
OPEN = ("/livez", "/readyz", "/.well-known/jwks.json", "/v1/sessions")


@pytest.fixture
def book(book_url) -> Book:
    return Book(book_url).make(others=True)


def marked(book: Book, till: Till) -> dict[str, Any]:
    """Put things of D1, store S01, on file; return what stands for each parameter of the document."""
    link = database.connect(book.url, readonly=True)
    store = link.ask("SELECT id FROM store WHERE dealer_id = ?1 AND code = 'S01'", book.dealer).rows()[0][0]
    link.rollback()
    link.close()
    service = till.client.app.state.tierengine

    def act(link, ids):
        by = acting(link, ids, book.dealer, service.now())
        new = people.NewMember(f"{MARK}C", f"{INNER}王", ("13911112222",), note=f"{INNER} note")
        people.create_members(link, ids, book.dealer, [new], service.now(), service.vault)
        staff.add(by, f"{MARK.lower()}.wang", DIGEST, ("auditor",), name=f"{INNER}王")
        book.keys["marked"] = new_key(link, ids, book.dealer, "pos", service.now(), store)
        return keys.create(by, Secret(service.keys.secret.text), ("auditor",), name=f"{INNER} key").prefix

    prefix = service.writer.perform(act).result()
    till.count = 900
    till.gold(f"{MARK}C")
    mine = till.at("marked")
    assert mine.post("/v1/sales", order(f"{MARK}P", f"{MARK}C", credit={"parts_credit": 1_000})).status_code == 201
    wanted = {"member": f"{MARK}C", "order": f"{MARK}H", "wallet": "parts_credit", "amount": 2_000}
    hold = mine.post("/v1/holds", wanted).json()["hold"]["id"]
    slip = mine.post("/v1/offline-allowances", {"member": f"{MARK}C"}).json()
    card = mine.event("card_issued", member=f"{MARK}C", card_no=f"{MARK}G", source_id=f"{MARK}E")
    assert card.status_code == 201, card.text
    till.client.app.state.courier.close()  # what it does by itself is no answer to anybody
    told = {"url": f"https://hook.example/{MARK}"}
    hook = till.at("D1/admin").post("/v1/webhooks", told).json()["webhook"]["id"]
    return {
        "webhook": hook, "state": "dead", **told,
        "code": f"{MARK}C", "member": f"{MARK}C", "to": f"{MARK}C", "order": f"{MARK}P", "hold": hold, "prefix": prefix,
        "login": f"{MARK.lower()}.wang", "name": f"{MARK}draft", "store": "S01", "phone": "13911112222",
        "card_no": f"{MARK}G", "serial": f"SN-{MARK}C", "actor": "command:test", "subject": f"key:{prefix}",
        "slip": slip.get("id") or slip.get("slip", {}).get("id", "x"), "version": 1, "award": "gold_of_the_year",
        "entitlement": "training", "owner": f"{MARK}", "period": "2025", "wallet": "parts_credit", "amount": 1_000,
        "occurred_at": moment(), "source_id": f"{MARK}R", "reason": "x", "by": "U1", "kind": "contact", "duty": "call",
        "text": "programme: x\n", "lines": order()["lines"], "password": "long enough 密码", "roles": ["auditor"],
        "channel": "phone", "direction": "ours",
    }  # fmt: skip


def body_of(document: dict[str, Any], operation: dict[str, Any], known: dict[str, Any], *, store: bool) -> Any:
    """Return a body of this route's shape that names what is marked, wherever it can."""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "phones" in schema["properties"]:
        return {"member": "NEW1", "phones": [known["phone"]]}  # (one of their own, by the same phone)
    if "events" in schema["properties"]:
        fields = ("kind", "occurred_at", "source_id", "member", "channel", "direction")
        return {"events": [{name: known[name] for name in fields}]}
    named = {*schema.get("required", ()), "member", "order", "to", "hold", "source_id"}
    if store:
        named.add("store")
    if "kind" in schema["properties"]:
        named = (named - {"order", "to"}) | {"channel", "direction"}
    return {name: known[name] for name in schema["properties"] if name in named and name in known}


def asked(document: dict[str, Any], known: dict[str, Any], *, store: bool):
    """Return (operation, method, address, body) of every route, once as it is and once for each of its filters."""
    for method, path, operation in operations(document):
        if path in OPEN:
            continue
        address, filters = path, []
        for one in operation.get("parameters", ()):
            if one["in"] == "path":
                address = address.replace("{" + one["name"] + "}", str(known[one["name"]]))
            elif one["in"] == "query" and one["name"] in known:
                filters.append(f"?{one['name']}={known[one['name']]}")
        assert "{" not in address, path
        body = body_of(document, operation, known, store=store) if "requestBody" in operation else None
        for query in ("", *filters):
            yield operation, method, address + query, body


def digest(book: Book, where: str, *, but: tuple[str, ...] = ()) -> dict[str, str]:
    """Return what each table holds of a dealer, as one number each."""
    link = database.connect(book.url, readonly=True)
    found = {}
    for table, columns in tables().items():
        if "dealer_id" in {column.name for column in columns} and table not in but:
            rows = link.ask(f"SELECT * FROM {table} WHERE dealer_id = ?1", book.dealer).rows()
            kept = sorted(str(row) for row in rows if where in str(row))
            found[table] = hashlib.sha256("\n".join(kept).encode()).hexdigest()
    link.rollback()
    link.close()
    return found


# What the service itself keeps in the background, or what changes with every use.
NO_HOLD = tuple({*tables()} - {"hold", "hold_end", "hold_state"})
MOVING = ("api_key", "seal", "unsealed", "id_block")


@pytest.mark.slow
def test_another_dealer_finds_nothing_and_changes_nothing_by_any_route(book):
    with opened(book) as till:
        known = marked(book, till)
        document = till.client.get("/openapi.json").json()
        before = digest(book, "", but=MOVING)
        tried = set()
        for operation, method, address, body in asked(document, known, store=False):
            for role in operation["x-roles"]:
                till.count += 1
                other = till.at(f"D2/{role}")
                headers = other.headers({"idempotency-key": f"x{till.count}", "if-match": '"1"'})
                answer = till.client.request(method, address, json=body, headers=headers)
                where = (method, address, role, body, answer.status_code, answer.text[:300])
                assert answer.status_code < 500, where
                assert INNER not in answer.text + str(answer.headers), where
                assert f":S01:{MARK}" not in answer.text.replace(str(body), ""), where
                tried.add((method, address.partition("?")[0], answer.status_code))
        assert digest(book, "", but=MOVING) == before
        # What names a thing of D1 by its path is not there.
        for method, address, status in tried:
            if "/policy-drafts/" in address:
                continue  # of drafts each dealer has names of his own
            if MARK in address.upper() or known["prefix"] in address or "/holds/" in address:
                assert status in (404, 409, 412, 422, 428) or (method, status) in (("PUT", 201), ("POST", 202)), address
        assert till.at("D2/admin").get(f"/v1/members/{MARK}C").status_code == 404
        found = till.at("D2/admin").get("/v1/members?phone=13911112222").json()
        assert found == {"members": [{"member": "NEW1"}]}


@pytest.mark.slow
def test_another_store_finds_no_order_and_ends_no_hold_by_any_route(book):
    with opened(book) as till:
        known = marked(book, till)
        link = database.connect(book.url)
        store = link.ask("SELECT id FROM store WHERE dealer_id = ?1 AND code = 'S02'", book.dealer).rows()[0][0]
        link.rollback()
        roles = {role for _, _, operation in operations(till.client.get("/openapi.json").json())
                 for role in operation.get("x-roles", ())}  # fmt: skip
        for role in roles:
            book.keys[f"S02/{role}"] = till.client.app.state.tierengine.writer.perform(
                lambda link, ids, role=role: new_key(link, ids, book.dealer, role, 1, store)
            ).result()
        link.close()
        document = till.client.get("/openapi.json").json()
        before = digest(book, f":S01:{MARK}", but=MOVING)
        ends = digest(book, str(known["hold"]), but=NO_HOLD)
        for operation, method, address, body in asked(document, known, store=True):
            for role in operation["x-roles"]:
                till.count += 1
                headers = till.at(f"S02/{role}").headers({"idempotency-key": f"x{till.count}", "if-match": '"1"'})
                answer = till.client.request(method, address, json=body, headers=headers)
                where = (method, address, role, body, answer.status_code, answer.text[:300])
                assert answer.status_code < 500, where
                assert f":S01:{MARK}" not in answer.text, where
                if "/holds/" in address:
                    assert answer.status_code == 404, where
                if isinstance(body, dict) and "store" in body and answer.status_code < 300:
                    assert "other_store" in answer.text or method == "GET", where
        assert digest(book, f":S01:{MARK}", but=MOVING) == before
        assert ends == digest(book, str(known["hold"]), but=NO_HOLD)


def test_an_idempotency_key_never_shows_another_ones_answer(book):
    with opened(book) as till:
        first = till.post("/v1/sales", order("P1"), once="same")
        assert first.status_code == 201
        for other in ("D1/S02", "D2/S01", "D1/admin"):
            body = order("P1") if other != "D1/admin" else order("P7", store="S02")
            answer = till.at(other).post("/v1/sales", body, once="same")
            assert answer.status_code == 201, answer.text
            assert "idempotent-replayed" not in answer.headers
            assert "S01" not in answer.text or other == "D2/S01"


def test_two_dealers_of_one_login_each_is_refused(book):
    link = database.connect(book.url)
    transact(link, Ids(), lambda link, ids: staff.add(acting(link, ids, book.dealer, 1), "wang", DIGEST, ("admin",)))
    with pytest.raises(Exception, match="taken"):
        transact(link, Ids(), lambda link, ids: staff.add(acting(link, ids, book.other, 1), "wang", DIGEST, ("admin",)))
    link.close()
