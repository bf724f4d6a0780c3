"""Whatever is sent, the answer is a clear 4xx with a stable code, nothing is written, and nothing sent is repeated."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.test_api_book import Book, Till, code, moment, opened, order, rows


@pytest.fixture(scope="module")
def till(sqlite_template, tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "t.db"
    path.write_bytes(sqlite_template.read_bytes())
    with opened(Book(f"sqlite:///{path}").make()) as till:
        yield till


@pytest.fixture
def untouched(till: Till):
    before = rows(till.book)
    yield
    assert rows(till.book) == before


def event(**more: Any) -> dict[str, Any]:
    return {"kind": "tip", "member": "C1", "occurred_at": moment(), "source_id": "t", "topic": "demand", **more}


def sent(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


BODIES: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "bad_json"),
    "half": (b'{"kind": ', 400, "bad_json"),
    "NaN": (b'{"kind": NaN}', 400, "bad_json"),
    "Infinity": (b'{"kind": -Infinity}', 400, "bad_json"),
    "a key twice": (b'{"kind": "tip", "kind": "tip"}', 400, "bad_json"),
    "a key twice inside": (b'{"lines": [{"item": "1", "item": "2"}]}', 400, "bad_json"),
    "not UTF-8": (b'{"kind": "\xff\xfe"}', 400, "bad_json"),
    "UTF-16": ('{"kind": "tip"}'.encode("utf-16"), 400, "bad_json"),
    "a byte order mark": (b"\xef\xbb\xbf{}", 422, "malformed"),
    "a surrogate in UTF-8": (b'{"kind": "\xed\xa0\x80"}', 400, "bad_json"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, 400, "bad_json"),
    "deep objects": (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400, "bad_json"),
    "a little deep": (b'{"a":' * 40 + b"1" + b"}" * 40, 400, "bad_json"),
    "a number of 10,000 digits": (b'{"qty": ' + b"9" * 10_000 + b"}", 400, "bad_json"),
    "a list": (b"[]", 422, "malformed"),
    "a text": (b'"x"', 422, "malformed"),
    "null": (b"null", 422, "malformed"),
    "an empty object": (b"{}", 422, "malformed"),
}


@pytest.mark.parametrize("path", ["/v1/events", "/v1/sales", "/v1/quotes", "/v1/sales/P1/returns"])
@pytest.mark.parametrize("name", BODIES)
@pytest.mark.usefixtures("untouched")
def test_a_body_that_is_no_proper_json(till: Till, path: str, name: str):
    body, status, problem = BODIES[name]
    # A quote needs less than a sale, but an empty one still lacks its member and its lines.
    assert code(till.raw(path, body)) == (status, problem)


@pytest.mark.parametrize("path", ["/v1/events", "/v1/quotes"])
@pytest.mark.usefixtures("untouched")
def test_a_body_of_fifty_megabytes_is_refused_before_it_is_read(till: Till, path: str):
    answer = till.raw(path, b" " * (50 << 20))
    assert code(answer) == (413, "too_large")
    assert answer.json()["details"] == {"most": 1 << 20}


@pytest.mark.usefixtures("untouched")
def test_a_large_body_without_a_length_is_refused_too(till: Till):
    async def parts():
        for _ in range(20):
            yield b" " * (1 << 17)

    answer = till.client.post(
        "/v1/events",
        content=parts(),
        headers=till.headers({"idempotency-key": "large", "content-type": "application/json"}),
    )
    assert code(answer) == (413, "too_large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
@pytest.mark.usefixtures("untouched")
def test_a_body_of_another_type(till: Till, kind: str):
    assert code(till.raw("/v1/events", b"{}", content_type=kind)) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "zh", "en"),
    [
        ('{"member": "C1", "note": "滤芯"}'.encode("gbk"), "编码像是 GBK", "the encoding seems to be GBK"),
        ('{"member": "C1"}'.encode("utf-16"), "编码像是 UTF-16", "the encoding seems to be UTF-16"),
        ('{"member": "C1"}'.encode("utf-16-le"), "编码像是 UTF-16", "the encoding seems to be UTF-16"),
        (b'{"a": "\xff\xfe"}', "不是 UTF-8", "not UTF-8"),
        ('{"member": "C1"，"qty": 1}'.encode(), "第 1 行第 16 列", "line 1, column 16"),
        ('\ufeff{\n "member": “C1”}'.encode(), "第 2 行第 12 列", "line 2, column 12"),
        (b'{"member": "C1"} {', "第 1 行第 18 列", "line 1, column 18"),
        (b'{"a": 1, "list": 5, "list": 6}', "同一个键写了两次：list", "a key is written twice: list"),
        (b"", "请求体是空的", "body is empty"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/events", "/v1/quotes", "/v1/sales", "/v1/sales/P1/returns", "/v1/holds"])
@pytest.mark.usefixtures("untouched")
def test_what_is_no_json_is_said_in_a_way_that_helps_to_mend_it(till: Till, path: str, body: bytes, zh: str, en: str):
    """From an old till that writes GBK, or a hand on a Chinese keyboard."""
    for lang, sentence in (("zh", zh), ("en", en)):
        answer = till.raw(path, body, accept_language=lang)
        assert code(answer) == (400, "bad_json")
        assert sentence in answer.json()["detail"], answer.text


def test_a_byte_order_mark_before_the_body_is_left_out(till: Till):
    """Windows tills write one; RFC 8259 lets a reader go past it."""
    body = json.dumps({"member": "C1", "lines": [{"item": "x", "category": "parts", "list": 5}]}).encode()
    assert till.raw("/v1/quotes", b"\xef\xbb\xbf" + body).status_code == 200


BOMB = gzip.compress(b" " * (64 << 20))


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "identity, gzip", "x-gzip", "?"])
@pytest.mark.parametrize("path", ["/v1/events", "/v1/events:batch", "/v1/quotes", "/v1/sales", "/v1/sessions"])
@pytest.mark.usefixtures("untouched")
def test_a_compressed_body_is_refused_unread(till: Till, path: str, coding: str):
    """RFC 9110, 12.5.3 and 15.5.16: what is accepted instead is named. A bomb is as any other: nothing unpacks it."""
    for body in (gzip.compress(sent(event())), BOMB):
        answer = till.raw(path, body, content_encoding=coding, accept_language="en")
        assert code(answer) == (415, "unsupported_content_encoding")
        assert answer.headers["accept-encoding"] == "identity"
        assert "uncompressed" in answer.json()["detail"]
    assert "不压缩" in till.raw(path, BOMB, content_encoding=coding).json()["detail"]


def test_a_body_that_says_that_it_is_not_compressed_is_read_and_one_that_hides_it_is_told(till: Till):
    body = json.dumps({"member": "C1", "lines": [{"item": "x", "category": "parts", "list": 5}]}).encode()
    assert till.raw("/v1/quotes", body, content_encoding="Identity").status_code == 200
    assert code(till.raw("/v1/quotes", gzip.compress(body))) == (415, "unsupported_content_encoding")


@pytest.mark.parametrize("number", [".", "..", "．", "．．", "‥", " .. ", "..　"])
@pytest.mark.usefixtures("untouched")
def test_what_no_address_can_name_is_refused_when_it_is_recorded(till: Till, number: str):
    """A client makes /v1/sales/../returns into /v1/returns before it sends it, written %2E%2E too (RFC 3986)."""
    desk, refused = till.at("D1/archivist"), {"zh": "不能只写", "en": "not be"}
    for lang, sentence in refused.items():
        for pointer, answer in (
            ("/order", till.post("/v1/sales", order(number), lang=lang)),
            ("/order", till.post("/v1/quotes", order(number), lang=lang)),
            ("/member", till.post("/v1/sales", order("P1", number), lang=lang)),
            ("/member", till.at("D1/sales_manager").post("/v1/members", {"member": number, "name": "王"}, lang=lang)),
            ("/order", desk.post("/v1/events", {"kind": "machine_purchase", "member": "C1", "occurred_at": moment(),
                                                "serial": "S1", "order": number, "store": "S01", "amount": 5,
                                                "size": "small"}, lang=lang)),
            ("/store", till.at("D1/admin").post("/v1/stores", {"store": number, "name": "x"}, lang=lang)),
            ("/login", till.at("D1/admin").post("/v1/staff", {"login": number, "roles": ["auditor"],
                                                              "password": "correct horse battery"}, lang=lang)),
        ):  # fmt: skip
            assert code(answer) == (422, "malformed"), (pointer, answer.text)
            told = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}[pointer]
            assert sentence in told or pointer == "/login", answer.text
    assert till.post("/v1/quotes", order("A..")).status_code == 200


EVENTS: dict[str, tuple[bytes, str, str]] = {
    "an unknown kind": (sent(event(kind="nonsense")), "/kind", "unknown_kind"),
    "a kind that is no text": (sent(event(kind=7)), "/kind", "unknown_kind"),
    "a derived kind": (sent(event(kind="machine_brought_about")), "/kind", "derived_kind"),
    "no kind": (b'{"member": "C1"}', "/kind", "missing"),
    "no zone": (sent(event(occurred_at="2026-03-01T10:00:00")), "/occurred_at", "bad_time"),
    "a date for a time": (sent(event(occurred_at="2026-03-01")), "/occurred_at", "bad_time"),
    "the 30th of February": (sent(event(occurred_at="2026-02-30T10:00:00Z")), "/occurred_at", "bad_time"),
    "the far future": (sent(event(occurred_at="2099-03-01T10:00:00Z")), "/occurred_at", "in_the_future"),
    "the far past": (sent(event(occurred_at="1970-03-01T10:00:00Z")), "/occurred_at", "too_early"),
    "beyond the limit of a till": (sent(event(occurred_at=moment(days=8))), "/occurred_at", "too_late"),
    "a time as a number": (sent(event(occurred_at=1_700_000_000)), "/occurred_at", "bad_time"),
    "another currency": (sent(event(currency="USD")), "/currency", "other_currency"),
    "an unknown field": (sent(event(colour="red")), "/colour", "unknown_field"),
    "a field with a slash": (sent(event(**{"a/b~c": 1})), "/a~1b~0c", "unknown_field"),
    "NUL": (sent(event(topic="a\0b")), "/topic", "bad_text"),
    "a lone surrogate": (b'{"kind": "tip", "topic": "\\ud800"}', "/topic", "bad_text"),
    "a surrogate as a field": (b'{"kind": "tip", "\\ud800": 1}', "/?", "unknown_field"),
    "a colon in an id": (sent(event(source_id="a:b")), "/source_id", "bad_id"),
    "an invisible id": (sent(event(source_id="a\u200bb")), "/source_id", "bad_id"),
    "a long text": (sent(event(topic="x" * 501)), "/topic", "too_long"),
    "a number for a text": (sent(event(topic=5)), "/topic", "wrong_type"),
    "a text for a flag": (sent(event(proved="true")), "/proved", "wrong_type"),
    "no member": (sent(event(member=None)), "/member", "missing"),
    "another store": (sent(event(store="S02")), "/store", "other_store"),
    "a negative amount": (
        sent(event(kind="tender", value=-1, topic=None)), "/value", "out_of_range",
    ),
    "a huge amount": (sent(event(kind="tender", value=10**14, topic=None)), "/value", "out_of_range"),
    "beyond 64 bits": (sent(event(kind="tender", value=10**30, topic=None)), "/value", "out_of_range"),
    "a fraction": (sent(event(kind="tender", value=1.5, topic=None)), "/value", "wrong_type"),
    "a whole float": (sent(event(kind="tender", value=5.0, topic=None)), "/value", "wrong_type"),
    "a text for money": (sent(event(kind="tender", value="5", topic=None)), "/value", "wrong_type"),
    "true for money": (sent(event(kind="tender", value=True, topic=None)), "/value", "wrong_type"),
    "1e999": (b'{"kind": "tender", "value": 1e999}', "/value", "wrong_type"),
    "a revision below 0": (sent(event(revision=-1)), "/revision", "out_of_range"),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.usefixtures("untouched")
def test_an_event_that_is_wrong_in_form(till: Till, name: str):
    body, pointer, problem = EVENTS[name]
    answer = till.raw("/v1/events", body)
    assert code(answer) == (422, "malformed")
    assert (pointer, problem) in {(one["pointer"], one["code"]) for one in answer.json()["errors"]}


def line(**more: Any) -> dict[str, Any]:
    return {"item": "F", "category": "parts", "list": 100, **more}


ORDERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no lines": (order(lines=[]), "/lines", "out_of_range"),
    "lines missing": (order(lines=None), "/lines", "missing"),
    "lines of another type": (order(lines={}), "/lines", "wrong_type"),
    "a line of another type": (order(lines=[line(), 5]), "/lines/1", "wrong_type"),
    "too many lines": (order(lines=[line()] * 201), "/lines", "out_of_range"),
    "no item": (order(lines=[line(item=None)]), "/lines/0/item", "missing"),
    "no list price": (order(lines=[line(list=None)]), "/lines/0/list", "missing"),
    "a category unheard of": (order(lines=[line(), line(category="gold")]), "/lines/1/category", "not_one_of"),
    "a category that is a list": (order(lines=[line(category=["parts"])]), "/lines/0/category", "not_one_of"),
    "no category": (order(lines=[line(category=None)]), "/lines/0/category", "missing"),
    "a negative price": (
        order(lines=[line(category="labour"), line(list=-1)]), "/lines/1/list", "out_of_range",
    ),
    "a price in yuan": (order(lines=[line(list=10.5)]), "/lines/0/list", "wrong_type"),
    "a huge price": (order(lines=[line(list=2**70)]), "/lines/0/list", "out_of_range"),
    "no quantity of it": (order(lines=[line(qty=0)]), "/lines/0/qty", "out_of_range"),
    "an amount of his own": (order(lines=[line(amount=1)]), "/lines/0/amount", "unknown_field"),
    "an unknown field": (order(colour="red"), "/colour", "unknown_field"),
    "prices of another number": (order(prices=[1]), "/prices", "wrong_type"),
    "prices that are no numbers": (order(prices=[1, "2", 3]), "/prices/1", "wrong_type"),
    "a negative charge": (order(prices=[1, -2, 3]), "/prices/1", "out_of_range"),
    "credit as a number": (order(credit=5), "/credit", "wrong_type"),
    "credit as a text": (order(credit="all"), "/credit", "wrong_type"),
    "true for credit": (order(credit={"parts_credit": True}), "/credit/parts_credit", "wrong_type"),
    "negative credit": (order(credit={"parts_credit": -5}), "/credit/parts_credit", "out_of_range"),
    "a blank item": (order(lines=[line(item="　")]), "/lines/0/item", "missing"),
    "an empty item": (order(lines=[line(item="")]), "/lines/0/item", "missing"),
    "a wallet twice, once in full width": (
        order(credit={"parts_credit": 1, "ｐarts_credit": 1}), "/credit/ｐarts_credit", "bad_id",
    ),
    "a wallet with a slash": (order(credit={"a/b": 5}), "/credit/a~1b", "bad_id"),
    "more credit than the order": (order(credit={"parts_credit": 10**9}), "/credit/parts_credit", "exceeds_amount"),
    "no member": (order(member=None), "/member", "missing"),
    "an order with a colon": (order("a:b"), "/order", "bad_id"),
    "another store": (order(store="S02"), "/store", "other_store"),
    "another currency": (order(currency="EUR"), "/currency", "other_currency"),
    "no zone": (order(occurred_at="2026-03-01T10:00:00"), "/occurred_at", "bad_time"),
    "an open-ended future": (order(occurred_at="2999-01-01T00:00:00Z"), "/occurred_at", "in_the_future"),
}  # fmt: skip


@pytest.mark.parametrize("path", ["/v1/sales", "/v1/quotes"])
@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.usefixtures("untouched")
def test_an_order_that_is_wrong_in_form(till: Till, path: str, name: str):
    body, pointer, problem = ORDERS[name]
    answer = till.post(path, body)
    assert code(answer) == (422, "malformed"), answer.text
    assert (pointer, problem) in {(one["pointer"], one["code"]) for one in answer.json()["errors"]}


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("more", "zh", "en"),
    [
        ({"lines": "x"}, "应为列表，收到的是文本。", "Expected list, got text."),
        ({"lines": [5]}, "应为对象，收到的是整数。", "Expected object, got integer."),
        ({"credit": "MAX"}, '应为对象或 "max"，收到的是文本。', "Expected object, max, got text."),
        ({"credit": {"parts_credit": "1"}}, "应为整数，收到的是文本。", "Expected integer, got text."),
        ({"prices": [1]}, "应为含 3 项的列表，收到的是含 1 项的列表。", "Expected list of 3, got list of 1."),
        ({"prices": [1, True, 1]}, "应为整数，收到的是真假值（true、false）。", "Expected integer, got true or false."),
        ({"quote": {}}, "应为文本，收到的是对象。", "Expected text, got object."),
    ],
)
def test_what_type_was_sent_is_said_in_the_language_asked_for(till: Till, more, zh, en):
    for lang, sentence in (("zh", zh), ("en", en)):
        answer = till.client.post(
            "/v1/sales", json=order(**more), headers=till.headers({"idempotency-key": "t", "accept-language": lang})
        )
        assert answer.json()["errors"][0]["detail"] == sentence


def test_all_errors_are_told_at_once_in_the_language_asked_for(till: Till):
    body = {"lines": [{"category": "parts", "list": -1, "colour": 1}], "order": 5}
    answer = till.post("/v1/sales", body, lang="en-GB,en;q=0.9,zh;q=0.5")
    pointers = {one["pointer"] for one in answer.json()["errors"]}
    assert {"/member", "/order", "/occurred_at", "/lines/0/item", "/lines/0/list", "/lines/0/colour"} <= pointers
    assert answer.headers["content-language"] == "en"
    assert answer.json()["detail"].isascii()
    assert not till.post("/v1/sales", body, lang="fr").json()["detail"].isascii()


@pytest.mark.usefixtures("untouched")
def test_what_was_sent_is_never_repeated(till: Till):
    secret = "SECRET-13800000001"
    bodies = [
        event(topic={"a": secret}), event(kind=secret), event(occurred_at=secret), event(currency=secret),
        order(credit=secret), order(lines=[line(category=secret)]), order(lines=secret),
    ]  # fmt: skip
    for body in bodies:
        path = "/v1/events" if "kind" in body else "/v1/sales"
        assert secret not in till.post(path, body).text


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/events", event(member="C99")), ("/v1/sales", order(member="C99")), ("/v1/quotes", order(member="C99"))],
)
@pytest.mark.usefixtures("untouched")
def test_a_member_who_is_not_on_file(till: Till, path: str, body: dict[str, Any]):
    answer = till.post(path, body)
    assert code(answer) == (404, "unknown_member")
    assert answer.json()["details"] == {"member": "C99"}


@pytest.mark.parametrize(
    ("path", "status", "problem"),
    [
        ("/v1/members/C99", 404, "unknown_member"),
        ("/v1/members/%00", 422, "malformed"),
        ("/v1/members/%ED%A0%80", 404, "unknown_member"),
        ("/v1/members/" + "x" * 101, 422, "bad_parameter"),
        ("/v1/members/C1/ledger?limit=0", 422, "bad_parameter"),
        ("/v1/members/C1/ledger?limit=x", 422, "bad_parameter"),
        ("/v1/members/C1/ledger?cursor=" + "9" * 30, 422, "bad_parameter"),
        ("/v1/members/C1?lang=fr", 422, "bad_parameter"),
        ("/v1/members?phone=%00", 422, "malformed"),
        ("/v1/nothing", 404, "not_found"),
    ],
)
def test_an_address_that_is_wrong(till: Till, path: str, status: int, problem: str):
    assert code(till.get(path)) == (status, problem)


@pytest.mark.parametrize(
    ("path", "pointer", "zh", "en"),
    [
        ("/ledger?limit=0", "#/query/limit", "不能小于 1。", "Must be 1 or more."),
        ("/ledger?limit=x", "#/query/limit", "应为整数，收到的是文本。", "Expected integer, got text."),
        ("/ledger?limit=999", "#/query/limit", "不能大于 200。", "Must be 200 or less."),
        ("/ledger?cursor=0", "#/query/cursor", "不能小于 1。", "Must be 1 or more."),
        ("?lang=fr", "#/query/lang", "应为其中之一：zh, en, both。", "Must be one of: zh, en, both."),
        ("/explain?at=2026-06-30", "#/query/at", "时间应带时区，写作 2026-03-01T10:00:00+08:00。", None),
        ("/explain?at=2026-06-30T10:00:00", "#/query/at", "时间应带时区，写作 2026-03-01T10:00:00+08:00。", None),
        ("/explain?at=昨天", "#/query/at", "时间应带时区，写作 2026-03-01T10:00:00+08:00。", None),
        ("/statement?from=2026-13-01", "#/query/from", "日期应写作 2026-03-01。", "A date is written 2026-03-01."),
        ("/statement?to=去年", "#/query/to", "日期应写作 2026-03-01。", "A date is written 2026-03-01."),
    ],
)
def test_of_a_parameter_it_is_said_what_it_should_be(till: Till, path, pointer, zh, en):
    for lang, sentence in (("zh", zh), ("en", en)):
        headers = till.headers({"accept-language": lang})
        (error,) = till.client.get(f"/v1/members/C1{path}", headers=headers).json()["errors"]
        assert error["pointer"] == pointer
        assert sentence in (None, error["detail"])
    (error,) = till.post("/v1/quotes?explain=x", order()).json()["errors"]
    assert (error["pointer"], error["detail"]) == ("#/query/explain", "应为其中之一：none, rules。")


def test_another_method_says_which_are_allowed(till: Till):
    answer = till.get("/v1/sales")
    assert code(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/docs", "/openapi.json", "/v1/members/C1", "/v1/members/C9"])
def test_head_is_answered_as_get_without_the_body(till: Till, path: str):
    """As RFC 9110 demands of every server, and as load balancers ask whether it lives."""
    told, asked = till.get(path), till.client.request("HEAD", path, headers=till.headers())
    assert (asked.status_code, asked.content) == (told.status_code, b"")
    assert asked.headers["content-length"] == str(len(told.content))
    assert till.client.request("HEAD", "/v1/members/C1").status_code == 401
    assert till.client.request("HEAD", "/v1/sales", headers=till.headers()).status_code == 405


def test_a_store_that_is_not_on_file_is_told_to_a_key_of_the_whole_dealer(till: Till):
    desk = till.at("D1/admin")
    assert code(desk.post("/v1/sales", order(store="S77"))) == (404, "unknown_store")
    assert desk.post("/v1/sales", order()).json()["errors"][0]["pointer"] == "/store"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


NAMES = ("kind", "member", "order", "occurred_at", "lines", "credit", "prices", "source_id", "revision")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/v1/events", "/v1/sales", "/v1/quotes", "/v1/sales/P1/returns"]),
    body=st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON)),
)
def test_nothing_that_is_sent_makes_it_fail(till: Till, path: str, body: dict[str, Any]):
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    assert 400 <= till.raw(path, content).status_code < 500
