"""Whatever is sent to any route, by body, address or header, the answer is a clear 4xx or it was right: never a 5xx.

The routes and their fields come from the OpenAPI document, so a new one is asked without a word here. Each field gets
a few of the hostile values, in turn; TIERENGINE_TEST_HOSTILE=all gives every value to every field (minutes).
"""

from __future__ import annotations

import itertools
import json
import os
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.test_access_matrix import operations
from tests.test_access_objects import marked
from tests.test_api_book import Book, Till, code, opened
from tierengine.errors import FormError, Malformed

# As they stand in the body: some are no JSON that Python writes.
VALUES = (
    "null", "true", "-1", "0", "1e999", "1.5", "9" * 30, "9" * 5_000, "9223372036854775807", "-9223372036854775809",
    "9007199254740993", "4611686018427387904", "NaN", '""', '"\\u0000"', '"\\ud800"', '"a\\u202eb"', '"１２３"', '"x"',
    '"13800000001"', '"2026-13-45T99:99:99Z"', '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"',
    '"2026-02-30"', '"9999-12-31"', json.dumps("x" * 70_000), "[]", "[[]]", "[null]", '[1, "a", {}]', '["\\ud800"]',
    '["\\u0000"]', "[" + "9" * 22 + "]", "{}", '{"a/b~": 1}', '{"\\ud800": 1}', '{"a": {"b": [null]}, "c": 0}',
    '{"a": 1, "a": 2}', "[" * 900 + "]" * 900,
)  # fmt: skip
NAMES = ("\ud800", "a/b~", "", "__proto__")  # fields that no route has
TEXTS = (
    "", "%00", "%ED%A0%80", "9" * 40, "-1", "x" * 5_000, "%EF%BC%91%EF%BC%92", "%E2%80%AE", "1e5", "null", "2026-02-30",
    "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00%2B14:00", "..%2F..",
    "4611686018427387904", "9223372036854775807", "%F0%9F%98%80", "a%3Ab", "%25s",
)  # fmt: skip
ALL = os.environ.get("TIERENGINE_TEST_HOSTILE") == "all"
EACH = 3  # values for each field


@pytest.fixture
def till(sqlite_book_url) -> Iterator[Till]:
    with opened(Book(sqlite_book_url).make(others=True)) as till:
        yield till


def schema_of(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    return resolved(document, operation["requestBody"]["content"]["application/json"]["schema"])


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def example(document: dict[str, Any], schema: dict[str, Any], known: dict[str, Any], name: str = "") -> Any:
    """Return something that the schema allows, with its required fields alone."""
    schema = resolved(document, schema)
    if name in known:
        return known[name]
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            found = schema.get("properties", {}).items()
            return {one: example(document, of, known, one) for one, of in found if one in required}
        case "array":
            return [example(document, schema["items"], known)]
        case "integer":
            return 1
        case "boolean":
            return True
    if "anyOf" in schema:
        return example(document, schema["anyOf"][0], known)
    return schema["enum"][0] if "enum" in schema else schema.get("const", "x")


def address(path: str, operation: dict[str, Any], known: dict[str, Any], name: str = "", value: str = "") -> str:
    """Return the address of a route, with one of its parameters as given."""
    query = []
    for one in operation.get("parameters", ()):
        said = value if one["name"] == name else str(known.get(one["name"], "x"))
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", said)
        elif one["in"] == "query" and (one.get("required") or one["name"] == name):
            query.append(f"{one['name']}={said}")
    return path + ("?" + "&".join(query) if query else "")


def bodies(till: Till) -> Iterator[tuple[str, str, str, bytes, dict[str, str]]]:
    """Return (method, address, role, body, headers) of each request: every field with its hostile values."""
    known = {**marked(till.book, till), "name": "x"}
    document = till.client.get("/openapi.json").json()
    values, texts = itertools.cycle(VALUES), itertools.cycle(TEXTS)
    for method, path, operation in operations(document):
        roles = operation.get("x-roles", ["admin"])
        role = "admin" if "admin" in roles else roles[0]
        if "requestBody" in operation:
            schema = schema_of(document, operation)
            base = example(document, schema, known)
            for field in (*schema["properties"], *NAMES):
                rest = json.dumps({name: value for name, value in base.items() if name != field})[1:-1]
                for value in VALUES if ALL else itertools.islice(values, EACH):
                    said = ", ".join(filter(None, (rest, f"{json.dumps(field)}: {value}")))
                    yield method, address(path, operation, known), role, f"{{{said}}}".encode(), {}
        for one in operation.get("parameters", ()):
            for text in TEXTS if ALL else itertools.islice(texts, EACH):
                headers = {}
                if one["in"] == "header":
                    headers[one["name"].lower()] = urllib.parse.unquote_to_bytes(text).decode("latin-1")
                yield method, address(path, operation, known, one["name"], text), role, b"{}", headers


@pytest.mark.timeout(900 if ALL else 120)
def test_nothing_that_is_sent_to_any_route_makes_it_fail(till: Till):
    asked = set()
    for number, (method, where, role, body, more) in enumerate(bodies(till)):
        own = {"idempotency-key": f"hostile-{number}", "content-type": "application/json", "if-match": '"1"'}
        headers = [(name, value.encode("latin-1")) for name, value in till.at(f"D1/{role}").headers(own | more).items()]
        answer = till.client.request(method, where, content=body, headers=headers)
        said = (method, where[:100], body[:300], more, answer.status_code, answer.text[:300])
        assert answer.status_code < 500, said
        assert answer.status_code // 100 != 3, said
        if answer.status_code >= 400:
            assert code(answer), said
        asked.add((method, answer.status_code))
    assert ("POST", 422) in asked
    assert till.get("/v1/members/C2").status_code == 200


def test_an_error_can_be_sent_back_whatever_a_field_is_called():
    (error,) = Malformed([FormError("/\ud800/名", "unknown_field")]).errors
    assert error.pointer == "/?/名"
