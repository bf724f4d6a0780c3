"""The page of the API and its document: complete, valid, and without any other host."""

from __future__ import annotations

import json
import re

import openapi_spec_validator
import pytest

from api import balance_shapes, common_shapes, event_shapes, member_shapes, sale_shapes
from api.app import create_app
from api.docs import POLICY
from api.events import OF_CLAIM
from api.rights import OPEN
from tests.test_api_book import Till, order, serving
from tierengine.settings import Settings


@pytest.fixture
def till(sqlite_book_url):
    with serving(sqlite_book_url) as till:
        yield till


def test_the_page_is_whole_without_another_host(till: Till):
    page = till.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"] == POLICY
    assert not re.search(r"https?://|//", page.text.replace("<!--", ""))
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        part = till.client.get(f"/{address}")
        assert part.status_code == 200, address
        assert len(part.content) > 100, address
        assert part.headers["content-security-policy"] == POLICY
    start = till.client.get("/docs/start.js").text
    assert "validatorUrl: null" in start
    assert "http" not in start
    assert "SwaggerUIBundle" in till.client.get("/docs/swagger-ui-bundle.js").text


def test_the_policy_of_the_page_names_no_host():
    sources = POLICY.replace(";", " ").split()
    assert not [one for one in sources if "." in one or "http" in one or one == "*"]


def test_the_document_is_closed_under_its_references(till: Till):
    document = till.client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    known = document["components"]["schemas"]
    for reference in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert reference in known
    assert "HTTPValidationError" not in json.dumps(document)


def test_the_document_is_valid(till: Till):
    openapi_spec_validator.validate(till.client.get("/openapi.json").json())


def test_a_claim_has_the_fields_that_are_documented():
    assert frozenset(event_shapes.ClaimIn.model_fields) == OF_CLAIM


def test_every_write_documents_its_key_and_its_errors(till: Till):
    document = till.client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            assert said["summary"], path
            if f"{method.upper()} {path}" in OPEN:
                assert said["security"] == []
                continue
            assert said["security"] == [{"key": []}]
            assert {"401", "403"} <= set(said["responses"]), path
            # (An answer that shows a key, a token or personal data is stored nowhere.)
            secret = path.startswith(("/v1/keys", "/v1/staff", "/v1/sessions")) or path.endswith("/export")
            reads = path in ("/v1/quotes", "/v1/policies:check", "/v1/policies:test")
            if method == "post" and not secret and not reads:
                assert "Idempotency-Key" in {one["name"] for one in said["parameters"]}
                made = {"200"} if path.endswith(":batch") else {"200", "201"}
                assert made | {"400", "404", "409", "413", "415", "503"} <= set(said["responses"]), path


def test_what_is_answered_has_the_shape_that_is_documented(till: Till):
    till.gold()
    member_shapes.Member.model_validate(till.get("/v1/members/C1?lang=both").json(), extra="forbid")
    sale_shapes.Quote.model_validate(till.post("/v1/quotes", order(credit="max")).json(), extra="forbid")
    sale_shapes.Sold.model_validate(till.post("/v1/sales", order(credit="max")).json(), extra="forbid")
    balance_shapes.Balance.model_validate(till.get("/v1/members/C1/balance").json(), extra="forbid")
    balance_shapes.Statement.model_validate(till.get("/v1/members/C1/ledger").json(), extra="forbid")
    balance_shapes.PeriodStatement.model_validate(till.get("/v1/members/C1/statement?limit=1").json(), extra="forbid")
    common_shapes.ProblemDetail.model_validate(till.get("/v1/members/C9").json(), extra="forbid")


def test_making_the_app_opens_nothing():
    app = create_app(Settings(database_url="sqlite:////nowhere/at/all.db"))
    assert app.openapi()["info"]["title"] == "tierengine"
