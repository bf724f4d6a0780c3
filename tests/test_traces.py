"""Spans for OpenTelemetry: which there are, how they hang together, and that they tell of nobody."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.app import create_app
from tests.keys import SECRET, UNLIMITED
from tests.test_api_book import Book, Client, Till, order, serving
from tierengine.settings import Settings, SettingsRefused

PHONE, NAME = "13912345678", "欧阳测试"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@contextlib.contextmanager
def traced(url, exporter=None):
    book = Book(url).make()
    settings = Settings(database_url=url, secret=SECRET, traces="otlp", **UNLIMITED)
    with Client(create_app(settings, exporter=exporter)) as client:
        yield Till(client, book)


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


def named(exporter, name):
    return [span for span in exporter.get_finished_spans() if span.name == name]


def wait_for(found, seconds=20):
    until = time.monotonic() + seconds
    while not (seen := found()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return seen


def test_a_sale_has_spans_of_its_request_its_group_and_its_seal(book_url, exporter):
    with traced(book_url, exporter) as till:
        parent = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        answer = till.client.post(
            "/v1/sales", json=order("A1"), headers=till.headers({"idempotency-key": "k", **parent})
        )
        assert answer.status_code == 201, answer.text
        wait_for(lambda: named(exporter, "seal"))
    (request,) = named(exporter, "POST /v1/sales")
    assert dict(request.attributes) == {
        "http.request.method": "POST",
        "http.route": "/v1/sales",
        "http.response.status_code": 201,
        "tierengine.dealer": till.book.dealer,
    }
    assert f"{request.context.trace_id:032x}" == TRACE
    assert f"{request.parent.span_id:016x}" == "b7ad6b7169203331"
    (group,) = named(exporter, "group")
    assert group.attributes["tierengine.size"] == 1
    assert group.parent.span_id == request.context.span_id
    assert request.start_time <= group.start_time <= group.end_time <= request.end_time
    if book_url.startswith("sqlite"):  # the writer's connection seals there
        seal = named(exporter, "seal")[0]
        assert seal.context.span_id in {act.parent.span_id for act in named(exporter, "act") if act.parent}


def test_requests_that_share_a_transaction_are_linked_to_it(sqlite_book_url, exporter):
    with traced(sqlite_book_url, exporter) as till:
        writer = till.client.app.state.tierengine.writer
        answers = []
        tills = [
            threading.Thread(target=lambda one=one: answers.append(till.post("/v1/sales", order(f"B{one}", f"C{one}"))))
            for one in (1, 2, 3)
        ]
        with writer._queue.changed:  # the writer's thread cannot take any before all three are here
            for one in tills:
                one.start()
        for one in tills:
            one.join()
        assert [one.status_code for one in answers] == [201] * 3
    requests = {span.context.span_id for span in named(exporter, "POST /v1/sales")}
    groups = named(exporter, "group")
    assert sum(group.attributes["tierengine.size"] for group in groups) == 3
    told = [link.context.span_id for group in groups for link in group.links]
    told += [group.parent.span_id for group in groups if group.parent]
    assert sorted(told) == sorted(requests)


def test_an_act_of_the_staff_hangs_under_its_request(sqlite_book_url, exporter):
    with traced(sqlite_book_url, exporter) as till:
        assert till.at("D1/admin").post("/v1/keys", {"roles": ["auditor"], "name": NAME}).status_code == 201
    (request,) = named(exporter, "POST /v1/keys")
    assert request.context.span_id in {act.parent.span_id for act in named(exporter, "act") if act.parent}


def test_no_span_tells_what_a_request_held_or_whom_it_was_about(sqlite_book_url, exporter):
    with traced(sqlite_book_url, exporter) as till:
        desk = till.at("D1/archivist")
        assert desk.post("/v1/members", {"member": "C77", "name": NAME, "phones": [PHONE]}).status_code == 201
        assert till.at("D1/admin").get(f"/v1/members?phone={PHONE}").status_code == 200
        till.get("/v1/members/C77/balance")
        till.client.get(f"/nowhere/{PHONE}?name={NAME}", headers={"user-agent": NAME.encode(), "x-request-id": PHONE})
        till.raw("/v1/sales", f'{{"member": "{NAME}'.encode())
        till.client.request("BREW", "/livez")
        till.client.get("/livez")
        service = till.client.app.state.tierengine
        keep = service.readers.ask

        def fails(*_, **__):
            raise ValueError(f"{NAME} {PHONE}")

        service.readers.ask = fails
        assert till.at("D1/admin").get(f"/v1/members?phone={PHONE}").status_code == 500
        service.readers.ask = keep
    spans = exporter.get_finished_spans()
    for span in spans:
        told = repr(
            (span.name, dict(span.attributes), span.events, span.status.description, dict(span.resource.attributes))
        )
        for word in (PHONE, NAME, "C77", "phone=", "Bearer", till.book.keys["D1/admin"][16:]):
            assert word not in told, (word, told)
        assert not span.events
    assert {span.name for span in spans} >= {"GET /v1/members", "GET /v1/members/{code}/balance", "GET"}
    assert not named(exporter, "GET /livez")
    failed = [
        span for span in named(exporter, "GET /v1/members") if span.attributes["http.response.status_code"] == 500
    ]
    assert [span.status.status_code.name for span in failed] == ["ERROR"]


def test_without_the_setting_nothing_is_recorded_whatever_the_environment_asks(sqlite_book_url, exporter, monkeypatch):
    """FastAPI's own spans would have the query string, and so the phone number, in them."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    with serving(sqlite_book_url) as till:
        till.post("/v1/sales", order("A1"))
        till.at("D1/admin").get(f"/v1/members?phone={PHONE}")
    assert exporter.get_finished_spans() == ()


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_what_is_recorded_reaches_a_collector_before_the_service_ends(sqlite_book_url, monkeypatch):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        collector.got = []
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        with traced(sqlite_book_url) as till:
            assert till.post("/v1/sales", order("A1")).status_code == 201
        collector.shutdown()
    assert {path for path, _ in collector.got} == {"/v1/traces"}
    resources = [one for _, sent in collector.got for one in sent.resource_spans]
    names = {span.name for one in resources for scope in one.scope_spans for span in scope.spans}
    assert {"POST /v1/sales", "group"} <= names
    assert {
        each.value.string_value for one in resources for each in one.resource.attributes if each.key == "service.name"
    } == {"tierengine"}


def test_a_collector_that_is_away_keeps_neither_a_till_nor_the_end_waiting(sqlite_book_url, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with traced(sqlite_book_url) as till:
        assert till.post("/v1/sales", order("A1")).status_code == 201
        begun = time.monotonic()
    assert time.monotonic() - begun < 6


def test_traces_are_refused_in_a_sentence_where_they_cannot_be(monkeypatch):
    assert Settings.read({}).traces == "off"
    assert Settings.read({"TIERENGINE_TRACES": "otlp"}).traces == "otlp"
    with pytest.raises(SettingsRefused, match="TIERENGINE_TRACES: expected off or otlp, got 'on'"):
        Settings.read({"TIERENGINE_TRACES": "on"})
    monkeypatch.setattr("tierengine.settings.find_spec", lambda name: None)
    with pytest.raises(
        SettingsRefused, match=r"TIERENGINE_TRACES: otlp needs an extra .* pip install 'tierengine\[otel\]'"
    ):
        Settings.read({"TIERENGINE_TRACES": "otlp"})
