"""Several processes on one book: counted and limited together, one effect for one key, ended with nothing lost."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.limits import Limits
from tests.faults.server import children
from tests.faults.service import Service, _command
from tests.test_api_book import Book, order
from tierengine.settings import Settings
from tierengine.store import database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def sent(port, path, key="", body=None, once="", line=None):
    """Send one request, over a connection of its own unless one is given; returns (status, headers, body)."""
    own = line or http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    if body is not None:
        headers |= {"Content-Type": "application/json", "Idempotency-Key": once}
    try:
        own.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers)
        answer = own.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        if line is None:
            own.close()


def scraped(port):
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30).read().decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def wait_for(found, seconds=60):
    until = time.monotonic() + seconds
    while not (seen := found()):
        assert time.monotonic() < until
        time.sleep(0.2)
    return seen


def workers(service):
    return {pid for pid in children(service._process.pid) if b"spawn_main" in _command(pid)}


@pytest.fixture
def book(postgres_book_url):
    return Book(postgres_book_url).make()


def ended_amid_sales(service, book, till):
    """SIGTERM amid sales: every sale that was answered is in the book, no connection hangs, and it ends with 0."""
    numbers, over, acknowledged, strange = count(), threading.Event(), set(), []

    def sell():
        line = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        while not over.is_set():
            one = next(numbers)
            body = order(f"E{one}", f"C{one % 4 + 1}")
            try:
                status, _, said = sent(service.port, "/v1/sales", book.keys[till], body, f"e{one}", line)
            except (OSError, http.client.HTTPException):
                line.close()
                if service._process.poll() is not None:
                    break
                continue
            if status == 201:
                acknowledged.add(f"E{one}")
            elif status not in (429, 503):
                strange.append((status, said))

    tills = [threading.Thread(target=sell) for _ in range(8)]
    for one in tills:
        one.start()
    wait_for(lambda: len(acknowledged) >= 60)
    with socket.create_connection(("127.0.0.1", service.port)) as stuck:
        stuck.sendall(b"POST /v1/sales HTTP/1.1\r\nHost: t\r\n")  # a client that never ends its head
        begun = time.monotonic()
        code = service.stop()
        took = time.monotonic() - begun
    over.set()
    for one in tills:
        one.join(60)
    assert (code, strange) == (0, [])
    assert took < 20
    assert not any(one.is_alive() for one in tills)
    link = database.connect(book.url, readonly=True)
    keys = [key for (key,) in link.ask("SELECT key FROM event").rows()]
    link.close()
    kept = {part for key in keys for part in key.split(":")}
    assert acknowledged <= kept, sorted(acknowledged - kept)[:5]


SOLD = ("tierengine_http_requests_total", ("method", "POST"), ("route", "/v1/sales"), ("status", "201"))


def test_two_workers_are_counted_together_and_do_one_thing_for_one_key(book):
    key = book.keys["D1/S01"]
    limits = {"TIERENGINE_LIMIT_KEY": "200"}
    with Service(book, workers=2, settings=limits) as service, ThreadPoolExecutor(12) as tills:
        wait_for(lambda: scraped(service.port)["tierengine_workers",] == 2)
        assert len(workers(service)) == 2
        # Forty sales, each from a connection of its own: both workers get some.
        asked = [(order(f"A{one}", f"C{one % 4 + 1}"), f"a{one}") for one in range(40)]
        answers = list(tills.map(lambda one: sent(service.port, "/v1/sales", key, *one), asked))
        assert [status for status, _, _ in answers] == [201] * 40
        for _ in range(3):  # whichever worker answers
            seen = wait_for(lambda: found if (found := scraped(service.port)).get(SOLD) == 40 else None)
        assert seen["tierengine_writer_group_size_sum",] == 40
        assert seen["tierengine_workers",] == 2
        assert seen["tierengine_writer_ready",] == seen["tierengine_database_up",] == 1
        queue = ("tierengine_writer_queue", ("lane", "till"))  # of a second ago
        wait_for(lambda: scraped(service.port)[queue] == 0)
        # One key at both workers at once: one effect, the same bytes for all, or to come again.
        for one in range(8):
            body = order(f"B{one}")
            got = list(
                tills.map(lambda _, body=body: sent(service.port, "/v1/sales", key, body, body["order"]), range(6))
            )
            good = [said for status, _, said in got if status == 201]
            assert {status for status, _, _ in got} <= {201, 409}
            assert len(set(good)) == 1
            assert sum("idempotent-replayed" not in headers for status, headers, _ in got if status == 201) == 1
        # A worker that is killed leaves its counts, and is replaced.
        before = workers(service)
        service.kill(0)
        wait_for(lambda: len(workers(service) - before) == 1 and service.ready())
        seen = wait_for(lambda: found if (found := scraped(service.port))["tierengine_workers",] == 2 else None)
        assert seen[SOLD] >= 40
        # No more gets through than the setting says, however many workers there are, but for what flows back meanwhile.
        auditor, begun = book.keys["D1/auditor"], time.monotonic()
        said = list(tills.map(lambda _: sent(service.port, "/v1/sessions/current", auditor)[0], range(300)))
        assert {*said} == {200, 429}
        assert said.count(200) <= 202 + (time.monotonic() - begun) * 200 / 60
        ended_amid_sales(service, book, "D1/S02")


def test_each_worker_has_its_share_of_a_quota_and_tells_of_that():
    url = "postgresql://nobody@localhost/none"
    for count_, share in ((1, 600), (2, 300), (4, 150)):
        limits = Limits(Settings(database_url=url, workers=count_, limit_member=600, limit_key=2, limit_store=0))
        assert limits.member.quota == share
        assert (limits.key.quota, limits.store.quota) == (max(1, 2 // count_), 0)
        assert limits.login.quota * count_ <= 20


def test_four_workers_that_are_asked_to_end_answer_what_they_began(book):
    with Service(book, workers=4) as service:
        ended_amid_sales(service, book, "D1/S01")
