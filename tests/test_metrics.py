"""What Prometheus reads, and that neither it nor the log tells of whom a request was."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import time
from concurrent.futures import Future

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from api import metrics
from tests.test_api_book import Book, opened, order, serving
from tierengine import logs
from tierengine.recording.jobs import Job
from tierengine.recording.tally import SIZES
from tierengine.settings import Settings, SettingsRefused

PHONE, NAME = "13912345678", "欧阳测试"


def scraped(till):
    """Return {(name, labels): value}, of a page that is made now."""
    till.client.app.state.metrics._page = (0.0, b"")
    answer = till.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def labels(**given):
    return sorted(given.items())


def test_requests_commits_and_what_waits_are_counted(book_url):
    with serving(book_url) as till:
        before = scraped(till)
        answers = [till.post("/v1/sales", order(f"A{number}")) for number in range(3)]
        assert [one.status_code for one in answers] == [201] * 3, answers[0].text
        till.get("/v1/members/C1/balance")
        till.get("/v1/members/C2/balance")
        till.client.get("/v1/members")
        till.client.get(f"/none/{PHONE}")
        till.client.request("BREW", "/livez")
        after = scraped(till)

    def grown(name, **given):
        key = (name, *labels(**given))
        return after.get(key, 0) - before.get(key, 0)

    total = "tierengine_http_requests_total"
    assert grown(total, method="POST", route="/v1/sales", status="201") == 3
    assert grown(total, method="GET", route="/v1/members/{code}/balance", status="200") == 2
    assert grown(total, method="GET", route="/v1/members", status="401") == 1
    assert grown(total, method="GET", route="none", status="404") == 1
    assert grown(total, method="other", route="/livez", status="405") == 1
    seconds = "tierengine_http_request_seconds"
    assert grown(f"{seconds}_count", method="POST", route="/v1/sales") == 3
    assert 0 < grown(f"{seconds}_sum", method="POST", route="/v1/sales") < 30
    assert grown("tierengine_writer_group_size_sum") == 3
    assert 1 <= grown("tierengine_writer_commits_total", kind="group") <= 3
    assert grown("tierengine_writer_group_size_count") == grown("tierengine_writer_commits_total", kind="group")
    assert after["tierengine_writer_ready",] == after["tierengine_database_up",] == 1
    assert after["tierengine_writer_queue", ("lane", "till")] == 0
    assert after["tierengine_unsealed_rows",] >= 0
    assert after["tierengine_webhook_deliveries", ("state", "dead")] == 0
    text = repr(sorted(map(str, after)))
    assert not any(word in text for word in (PHONE, "C1", "S01", "D1", "BREW"))


def test_what_waits_for_the_writer_is_seen(sqlite_book_url):
    with serving(sqlite_book_url) as till:
        writer = till.client.app.state.tierengine.writer
        with writer._queue.changed:  # the writer's thread cannot take it now
            writer._queue.waiting["till"].extend([Job(Future()), Job(Future())])
            assert writer.waiting()["till"] == 2
            seen = metrics.Metrics()
            seen.look(writer)
            assert seen.registry.get_sample_value("tierengine_writer_queue", {"lane": "till"}) == 2


def test_a_database_that_is_down_is_told_and_the_rest_is_still_there(sqlite_book_url, monkeypatch):
    with serving(sqlite_book_url) as till:

        async def down(_question):
            raise metrics.Unavailable("database_down")

        monkeypatch.setattr(till.client.app.state.tierengine.readers, "ask", down)
        seen = scraped(till)
        assert seen["tierengine_database_up",] == 0
        assert ("tierengine_unsealed_rows",) not in seen
        assert ("tierengine_writer_queue", ("lane", "till")) in seen


def test_the_page_is_made_once_a_second_however_often_it_is_asked_for(sqlite_book_url, monkeypatch):
    with serving(sqlite_book_url) as till:
        asked = []
        readers = till.client.app.state.tierengine.readers
        ask = readers.ask

        async def counted(question):
            asked.append(question)
            return await ask(question)

        monkeypatch.setattr(readers, "ask", counted)
        begun = time.monotonic()
        pages = {till.client.get("/metrics").text for _ in range(20)}
        assert len(asked) <= 1 + int(time.monotonic() - begun)
        assert len(pages) == len(asked)


def test_to_count_a_request_costs_microseconds():
    made = metrics.Metrics()
    made.request("POST", "/v1/sales", 201, 0.002)
    best = min(timed(lambda: made.request("POST", "/v1/sales", 201, 0.002)) for _ in range(5))
    assert best < 20e-6  # about 2 µs; the room is for a busy machine


def timed(call, times=2_000):
    begun = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - begun) / times


def test_what_the_writer_did_is_told_as_it_is_counted():
    registry = CollectorRegistry()
    tally = metrics.WriterMetrics(registry)
    for size in (1, 2, 3, 64, 1_024, 5_000):
        tally.group(size)
    tally.act()
    tally.gave_up()
    assert (tally.groups, tally.items, tally.acts, tally.failed) == (6, 6_094, 1, 1)

    def told(name, **labels):
        return registry.get_sample_value(f"tierengine_writer_{name}", labels)

    assert [told("group_size_bucket", le=f"{float(size)}") for size in SIZES] == [1, 2, 3, 3, 3, 3, 4, 4, 4, 5]
    assert told("group_size_bucket", le="+Inf") == told("commits_total", kind="group") == 6
    assert told("group_size_sum") == 6_094
    assert (told("commits_total", kind="act"), told("failed_total")) == (1, 1)


# ---- the log


@pytest.fixture
def logged():
    """The root logger as `serve` sets it up, writing into a buffer; afterwards as it was."""
    root = logging.getLogger()
    names = ("", "httpx", "httpcore", logs.REQUESTS)
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    handlers = root.handlers[:]
    buffer = io.StringIO()

    def begin(style):
        chosen = logs.config(style, "debug")
        chosen["handlers"]["own"]["stream"] = buffer
        logging.config.dictConfig(chosen)
        return buffer

    yield begin
    root.handlers[:] = handlers
    for logger, level in before:
        logger.setLevel(level)


@pytest.mark.parametrize("style", ["json", "text"])
def test_no_log_tells_what_a_request_held_or_whom_it_was_about(sqlite_book_url, logged, style):
    with opened(Book(sqlite_book_url).make()) as till:
        # (httpx, the test's own client, tells its addresses at "debug"; the service's is quiet.)
        buffer = logged(style)
        member = {"member": "C77", "name": NAME, "phones": [PHONE]}
        made = till.at("D1/archivist").post("/v1/members", member)
        found = till.at("D1/admin").get(f"/v1/members?phone={PHONE}")
        till.client.get(f"/nowhere/{PHONE}?name={NAME}")
        till.raw("/v1/sales", f'{{"member": "{NAME}'.encode())

        def fails(*_, **__):
            raise ValueError(f"{NAME} {PHONE} 出错")

        service = till.client.app.state.tierengine
        keep = service.readers.ask
        service.readers.ask = fails
        broke = till.at("D1/admin").get(f"/v1/members?phone={PHONE}")
        service.readers.ask = keep
        text = buffer.getvalue()
    assert made.status_code == 201, made.text
    assert (found.status_code, broke.status_code) == (200, 500)
    assert "ValueError" in text
    assert "test_metrics.py" in text
    for word in (PHONE, NAME, "出错", "phone=", "Bearer", till.book.keys["D1/admin"][16:]):
        assert word not in text, word
    if style == "text":
        assert logs.REQUESTS not in text
        return
    lines = [json.loads(line) for line in text.splitlines()]
    asked = [line for line in lines if line["logger"] == logs.REQUESTS]
    assert [(one["method"], one["route"], one["status"]) for one in asked] == [
        ("POST", "/v1/members", 201),
        ("GET", "/v1/members", 200),
        ("GET", None, 404),
        ("POST", "/v1/sales", 400),
        ("GET", "/v1/members", 500),
    ]
    assert asked[0]["request_id"] == made.headers["x-request-id"]
    assert asked[0]["dealer"] == till.book.dealer
    assert asked[0]["key"] in till.book.keys["D1/archivist"]
    assert 0 < asked[0]["ms"] < 30_000
    assert asked[0]["level"] == "INFO"
    assert asked[0]["time"].endswith("+00:00")


def test_a_format_that_is_none_is_refused():
    assert Settings.read({"TIERENGINE_LOG_FORMAT": "json"}).log_format == "json"
    with pytest.raises(SettingsRefused, match="TIERENGINE_LOG_FORMAT: expected text or json, got 'xml'"):
        Settings.read({"TIERENGINE_LOG_FORMAT": "xml"})
