"""The OpenAPI document passes a linter without a warning, and the clients that two generators make of it work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from api.app import create_app
from tests import clients
from tests.test_api_book import Book, serving
from tests.test_api_schemathesis import listening
from tierengine.settings import Settings

HERE = Path(__file__).parent
# What they install takes minutes on a busy machine: they are tried on demand and before a release, not in every run.
demanded = pytest.mark.skipif(
    not os.environ.get("TIERENGINE_TEST_CLIENTS"), reason="TIERENGINE_TEST_CLIENTS=1 installs linter and generators"
)
BRUNO = HERE.parent / "docs" / "bruno"


@pytest.fixture(scope="module")
def node() -> Path:
    try:
        return clients.node_tools()
    except clients.NotInstalledError as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


@pytest.fixture
def document(tmp_path) -> Path:
    found = tmp_path / "openapi.json"
    found.write_text(json.dumps(create_app(Settings()).openapi()), encoding="utf-8")
    return found


def run(*words: object, at: Path, **env: str) -> str:
    done = subprocess.run(
        [*map(str, words)], cwd=at, capture_output=True, text=True, timeout=150, check=False, env={**os.environ, **env}
    )
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-5_000:]
    return done.stdout + done.stderr


def test_no_two_types_of_a_generated_client_have_one_name(document):
    """Generators call what stands inside a schema by the schema and its property: WebhookState, of Webhook.state."""
    schemas = json.loads(document.read_text(encoding="utf-8"))["components"]["schemas"]
    inside = [
        name + "".join(part.title() for part in key.split("_"))
        for name, schema in schemas.items()
        for key, value in schema.get("properties", {}).items()
        if any("enum" in one or "properties" in one for one in (value, value.get("items", {}), *value.get("anyOf", ())))
    ]
    assert len(inside) > 10
    assert sorted({*inside} & {*schemas}) == []
    assert sorted(one for one in {*inside} if inside.count(one) > 1) == []


@demanded
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_linter_has_nothing_to_say_of_the_document(node, document):
    said = run(
        node / ".bin" / "redocly", "lint", document, "--extends", "recommended", "--format", "stylish",
        at=document.parent, REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true",
    )  # fmt: skip
    assert "Your API description is valid" in said
    assert not re.search(r"\d+:\d+\s+(warning|error)", said), said


@demanded
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_client_in_typescript_sells_and_takes_back(node, document, sqlite_book_url):
    at = document.parent
    for name in ("till.ts", "node.d.ts", "tsconfig.json"):
        shutil.copy(HERE / "clients" / name, at / name)
    (at / "node_modules").symlink_to(node)
    run(node / ".bin" / "openapi-ts", "-i", document, "-o", "client", "-c", "@hey-api/client-fetch", at=at)
    run(node / ".bin" / "tsc", "-p", ".", at=at)
    book = Book(sqlite_book_url).make()
    with listening(book) as url:
        assert "done" in run("node", "js/till.js", url, book.keys["D1/S01"], "C1", "TS1", at=at)


@demanded
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_client_in_python_sells_and_takes_back(document, sqlite_book_url):
    tools, at = clients.python_tools(), document.parent
    words = ["generate", "--path", document, "--output-path", at / "client", "--meta", "none"]
    said = run(tools / "openapi-python-client", *words, at=at, PATH=f"{tools}:{os.environ['PATH']}")
    assert "Warning" not in said, said
    shutil.copy(HERE / "clients" / "till.py", at / "till.py")
    book = Book(sqlite_book_url).make()
    with listening(book) as url:
        assert "done" in run(tools / "python", "till.py", url, book.keys["D1/S01"], "C1", "PY1", at=at)


# ---- Bruno ------------------------------------------------------------------------------------------------------


def test_what_the_bruno_collection_sends_is_answered_as_its_tests_expect(sqlite_book_url):
    """The collection was run with Bruno itself; this keeps its requests true without five hundred packages."""
    with serving(sqlite_book_url) as till:
        till.gold()
        values = {"url": "", "member": "C1", "once": "b", "order": "B1", "now": "2026-01-01T00:00:00Z"}
        values["now"] = till.get("/v1/members/C1").json()["as_of"]
        for file in sorted(BRUNO.glob("*.bru")):
            text = re.sub(r"\{\{(\w+)\}\}", lambda name: values.get(name[1], "?"), file.read_text(encoding="utf-8"))
            method, path = re.search(r"^(get|post) \{\n  url: (\S+)", text, re.MULTILINE).groups()
            body = re.search(r"^body:json \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
            once = re.search(r"Idempotency-Key: (\S+)", text)
            headers = till.headers({"idempotency-key": once[1]} if once else None)
            answer = till.client.request(
                method.upper(), path, json=json.loads(body[1]) if body else None, headers=headers
            )
            assert answer.status_code == int(re.search(r"to\.equal\((\d+)\)", text)[1]), (file.name, answer.text)
            if 'getHeader("idempotent-replayed")' in text:
                assert answer.headers["idempotent-replayed"] == "true"
