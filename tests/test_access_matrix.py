"""Every route × every role × none, generated from the OpenAPI document that integrators read."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from fastapi import APIRouter

from api import health, rights, sales
from api.app import create_app
from api.rights import OPEN, RIGHTS, Guarded, Undeclared
from tests.test_api_book import Till, code, serving
from tierengine.access.callers import ROLES
from tierengine.settings import Settings

METHODS = ("get", "post", "put", "patch", "delete")


def operations(document):
    """Return (method, path template, operation) of every route."""
    return [
        (method.upper(), path, operation)
        for path, listed in document["paths"].items()
        for method, operation in listed.items()
        if method in METHODS
    ]


def filled(path, operation, document):
    """Return an address of this route: path and required query parameters of the right type."""
    query = []
    for given in operation.get("parameters", ()):
        one = document["components"]["parameters"][given["$ref"].rpartition("/")[2]] if "$ref" in given else given
        value = "1" if one["schema"].get("type") == "integer" else "x"
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", value)
        elif one["in"] == "query" and one.get("required"):
            query.append(f"{one['name']}={value}")
    assert "{" not in path
    return path + ("?" + "&".join(query) if query else "")


def test_every_route_answers_every_role_as_its_rule_says_and_nobody_else(sqlite_book_url):
    with serving(sqlite_book_url) as till:
        document = till.client.get("/openapi.json").json()
        asked = 0
        for method, path, operation in operations(document):
            address = filled(path, operation, document)
            body = {} if "requestBody" in operation else None
            for role in (None, *ROLES):
                asked += 1
                headers = {"idempotency-key": f"matrix-{asked}"}
                if role is not None:
                    headers["authorization"] = f"Bearer {till.book.keys[f'D1/{role}']}"
                answer = till.client.request(method, address, json=body, headers=headers)
                where = (method, path, role, answer.text)
                if f"{method} {path}" in OPEN:
                    assert answer.status_code not in (401, 403), where
                elif role is None:
                    assert code(answer) == (401, "unauthenticated"), where
                    assert answer.headers["www-authenticate"] == "Bearer", where
                elif role in operation["x-roles"]:
                    assert answer.status_code not in (401, 403), where
                else:
                    assert code(answer) == (403, "forbidden"), where
        assert asked >= (len(RIGHTS) + 2) * (len(ROLES) + 1)


def test_the_document_tells_every_rule_and_asks_for_a_key_wherever_there_is_one(sqlite_book_url):
    document = create_app(Settings(database_url=sqlite_book_url)).openapi()
    told = {f"{method} {path}": operation for method, path, operation in operations(document)}
    assert {name: frozenset(told[name]["x-roles"]) for name in RIGHTS} == dict(RIGHTS)
    assert set(told) - set(RIGHTS) <= OPEN
    for name, operation in told.items():
        assert bool(operation.get("security")) is (name in RIGHTS), name


@pytest.mark.parametrize("guarded", [True, False])
def test_a_route_without_a_rule_is_never_served(monkeypatch, guarded):
    router = APIRouter(prefix="/v1", route_class=Guarded) if guarded else APIRouter(prefix="/v1")

    @router.get("/forgotten")
    async def forgotten() -> dict[str, str]:
        return {}

    monkeypatch.setattr(health, "router", router)
    with pytest.raises(Undeclared, match="GET /v1/forgotten: no rule"):
        create_app(Settings())


def test_a_route_with_a_rule_and_without_a_guard_is_never_served(monkeypatch):
    router = APIRouter(prefix="/v1")
    router.add_api_route("/quotes", sales.post_quote, methods=["POST"])
    monkeypatch.setattr(sales, "router", router)
    with pytest.raises(Undeclared, match="POST /v1/quotes: its router is not made with route_class=Guarded"):
        create_app(Settings())


def test_a_rule_without_a_route_and_one_with_an_unknown_role_are_found(monkeypatch):
    more = {**RIGHTS, "GET /v1/gone": frozenset(("auditor",)), "POST /v1/quotes": frozenset(("boss",))}
    monkeypatch.setattr(rights, "RIGHTS", MappingProxyType(more))
    with pytest.raises(Undeclared) as found:
        create_app(Settings())
    assert "GET /v1/gone: a rule without a route" in str(found.value)
    assert "POST /v1/quotes: no role boss" in str(found.value)


def test_two_routes_of_one_address_are_found(monkeypatch):
    router = APIRouter(prefix="/v1", route_class=Guarded)
    for _ in range(2):
        router.add_api_route("/quotes", sales.post_quote, methods=["POST"])
    monkeypatch.setattr(sales, "router", router)
    with pytest.raises(Undeclared, match="POST /v1/quotes: 2 routes"):
        create_app(Settings())


def test_who_may_not_learns_nothing_from_how_he_asks(sqlite_book_url):
    with serving(sqlite_book_url) as till:
        assert code(till.client.post("/v1/sales", content=b"{")) == (401, "unauthenticated")
        assert code(till.client.post("/v1/holds/x/void", content=b"{")) == (401, "unauthenticated")
        auditor: Till = till.at("D1/auditor")
        assert code(auditor.raw("/v1/sales", b"{", content_type="text/plain")) == (403, "forbidden")
        assert code(auditor.get("/v1/members/C1/ledger?limit=x"))[0] == 422
