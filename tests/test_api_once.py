"""One key, one effect, one answer: also while the first request is under way, and when the process is killed."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api.service import stamp
from tests.keys import SECRET
from tests.test_api_book import PAYS, Book, Till, code, opened, order, rows, serving
from tierengine.recording.recorder import clock
from tierengine.store.database import connect


@contextlib.contextmanager
def held(till: Till) -> Iterator[None]:
    """Keep the writer busy, so that what is sent waits."""
    service = till.client.app.state.tierengine
    go, begun = threading.Event(), threading.Event()
    waiting = service.writer.perform(lambda *_: (begun.set(), go.wait(10)))
    assert begun.wait(10)
    try:
        yield
    finally:
        go.set()
        waiting.result(10)


def flying(till: Till) -> None:
    service = till.client.app.state.tierengine
    until = time.monotonic() + 10
    while not service.flying and time.monotonic() < until:
        time.sleep(0.005)
    assert service.flying


def test_who_sends_a_key_again_while_it_is_under_way_waits_and_gets_the_same_bytes(book_url):
    with serving(book_url) as till, ThreadPoolExecutor(3) as people:
        body = order()
        with held(till):
            first = people.submit(till.post, "/v1/sales", body, once="k")
            flying(till)
            others = [people.submit(till.post, "/v1/sales", body, once="k") for _ in range(2)]
        answers = [one.result(20) for one in (first, *others)]
        assert {one.status_code for one in answers} == {201}
        assert len({one.content for one in answers}) == 1
        assert ["idempotent-replayed" in one.headers for one in answers] == [False, True, True]
        assert rows(till.book)["event"] == 2  # parts and labour


def test_who_waits_too_long_for_a_key_is_told_to_come_again(sqlite_book_url, monkeypatch):
    monkeypatch.setattr("api.service.IN_FLIGHT_SECONDS", 0.1)
    with serving(sqlite_book_url) as till, ThreadPoolExecutor(1) as people:
        body = order()
        with held(till):
            first = people.submit(till.post, "/v1/sales", body, once="k")
            flying(till)
            waited = till.post("/v1/sales", body, once="k")
            assert code(waited) == (409, "in_flight")
            assert waited.headers["retry-after"] == "1"
            assert code(till.post("/v1/sales", order("P2"), once="k")) == (409, "in_flight")
        assert first.result(20).status_code == 201
        again = till.post("/v1/sales", body, once="k")
        assert again.content == first.result().content
        assert again.headers["idempotent-replayed"] == "true"


# ---- killed -----------------------------------------------------------------------------------------------------

# The service, killed after the COMMIT of a sale and before anybody hears of it.
KILLED = """
import os, signal, sys
from tierengine.recording.group import Group
commit = Group.commit
def killed(self):
    commit(self)
    if self.items:
        os.kill(os.getpid(), signal.SIGKILL)
Group.commit = killed
import uvicorn
from api.app import create_app
from tierengine.settings import Settings
app = create_app(Settings(database_url=sys.argv[1], secret=sys.argv[3]))
uvicorn.run(app, port=int(sys.argv[2]), log_level="error")
"""


@pytest.mark.slow
def test_a_service_killed_between_commit_and_reply_has_done_the_sale_once(book_url):
    book = Book(book_url).make()
    body = order()
    headers = {"authorization": f"Bearer {book.keys['D1/S01']}", "idempotency-key": "k"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = subprocess.Popen([sys.executable, "-c", KILLED, book.url, str(port), SECRET])
    try:
        lost = None
        until = time.monotonic() + 60
        while lost is None and time.monotonic() < until:
            try:
                httpx.post(f"http://127.0.0.1:{port}/v1/sales", json=body, headers=headers, timeout=60)
            except httpx.ConnectError:
                time.sleep(0.1)  # it is not up yet
            except httpx.TransportError as problem:
                lost = problem
        assert lost is not None, "the reply came before the kill"
        assert running.wait(10) == -signal.SIGKILL
    finally:
        running.kill()
        running.wait(10)
    after = rows(book)
    assert after["event"] == 2
    with opened(book) as till:
        again = till.post("/v1/sales", body, once="k")
        assert again.status_code == 201
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json()["status"] == "recorded"
        other = till.post("/v1/sales", body, once="new")
        assert (other.status_code, other.json()["status"]) == (200, "duplicate")
        assert other.json()["lines"] == again.json()["lines"]
    assert rows(book) == after


# ---- what was here already --------------------------------------------------------------------------------------


def test_the_answer_that_it_was_here_already_is_kept_with_its_key_too(book_url):
    with serving(book_url) as till:
        body = order()
        till.post("/v1/sales", body, once="a")
        first, again = (till.post("/v1/sales", body, once="b") for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.content == first.content
        assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("places", [slice(0, 1), slice(1, 3), slice(0, 2)])
def test_an_order_that_comes_again_with_fewer_or_more_lines_is_a_conflict(book_url, places):
    with serving(book_url) as till:
        few, many = order("P1"), order("P2")
        few["lines"] = few["lines"][places]
        assert till.post("/v1/sales", few).status_code == 201
        assert till.post("/v1/sales", many).status_code == 201
        before = rows(till.book)
        more = {**order("P1"), "occurred_at": few["occurred_at"]}
        assert code(till.post("/v1/sales", more)) == (409, "order_conflict")
        assert code(till.post("/v1/sales", {**many, "lines": many["lines"][places]})) == (409, "order_conflict")
        assert rows(till.book) == before


# ---- what was answered once is answered so for ever --------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
def test_a_sale_sent_again_after_weeks_gets_the_same_bytes(book_url, late):
    start = clock()
    now = [start]
    with serving(book_url, now=lambda: now[0]) as till:
        till.gold()
        body = order(
            occurred_at=stamp(start - late * 7_200_000_000), prices=[101_000, 40_000, 50_000] if late else PAYS
        )
        first = till.post("/v1/sales", body, once="k")
        assert (first.status_code, first.json()["late"]) == (201, late), first.text
        for minutes in (20, 60 * 24 * 30):
            now[0] = start + minutes * 60_000_000
            again = till.post("/v1/sales", body, once="k")
            assert (again.status_code, again.headers.get("idempotent-replayed")) == (201, "true"), again.text
            assert again.content == first.content
        # Under another key it is too old by now, and is told so.
        assert code(till.post("/v1/sales", body, once="other")) == (422, "malformed")


def test_an_event_and_a_batch_sent_again_after_weeks_get_the_same_bytes(book_url):
    start = clock()
    now = [start]
    with serving(book_url, now=lambda: now[0]) as till:
        event = {"kind": "contact", "member": "C1", "channel": "phone", "direction": "customer", "source_id": "e1",
                 "occurred_at": stamp(start)}  # fmt: skip
        old = {**event, "source_id": "e2", "occurred_at": stamp(start - 30 * 86_400_000_000)}
        batch = {"events": [{**event, "source_id": "e3"}, old]}
        sent = (("/v1/events", event, "a"), ("/v1/events:batch", batch, "b"))
        first = [till.post(path, body, once=key) for path, body, key in sent]
        assert first[0].status_code == 201, first[0].text
        assert [one["status"] for one in first[1].json()["results"]] == [201, 422], first[1].text
        now[0] = start + 30 * 86_400_000_000
        again = [till.post(path, body, once=key) for path, body, key in sent]
        assert again[0].content == first[0].content
        assert [one["status"] for one in again[1].json()["results"]] == [201, 422]
        assert again[1].json()["results"][0] == first[1].json()["results"][0]


def test_an_order_under_another_key_says_what_it_was_booked_with(book_url):
    with serving(book_url) as till:
        till.gold()
        body = order(credit={"parts_credit": 20_000})
        first = till.post("/v1/sales", body, once="a").json()
        second, again = (till.post("/v1/sales", body, once="b") for _ in range(2))
        assert (second.status_code, second.json()["lines"], second.json()["total"]) == (
            200,
            first["lines"],
            first["total"],
        )
        assert again.content == second.content


def test_what_was_malformed_unauthorised_unknown_or_failed_leaves_its_key_free(book_url, monkeypatch):
    """Only what the book itself decided sticks to a key: the mended request gets in under the same one."""
    with serving(book_url) as till:
        before = rows(till.book)
        assert code(till.post("/v1/sales", {**order(), "lines": []}, once="k")) == (422, "malformed")
        stranger = {"authorization": "Bearer nobody", "idempotency-key": "k"}
        assert code(till.client.post("/v1/sales", json=order(), headers=stranger)) == (401, "unauthenticated")
        assert code(till.post("/v1/sales", order(member="C9"), once="k")) == (404, "unknown_member")
        commit = "tierengine.store.dialect." + ("PostgresLink" if "postgres" in till.book.url else "SqliteLink")
        with monkeypatch.context() as patch:
            patch.setattr(f"{commit}.commit", broken)
            assert till.post("/v1/sales", order(), once="k").status_code >= 500
        assert rows(till.book) == before
        link = connect(till.book.url, readonly=True)
        assert link.ask("SELECT count(*) FROM idempotency").rows() == [(0,)]
        link.close()
        assert till.post("/v1/sales", order(), once="k").status_code == 201


def broken(_: object) -> None:
    raise RuntimeError("the disk is gone")


# ---- the same sale by two channels ------------------------------------------------------------------------------

LINE = {"item": "F-100", "category": "parts", "qty": 2, "list": 101_000}


def nightly(number: str, **more):
    """The order as the file of the night tells it: what was paid, and no word of credit where none was used."""
    line = {**LINE, "amount": 101_000, **more}
    told = {"kind": "parts_purchase", "member": "C2", "order": number, "store": "S01", "lines": [line]}
    return {**told, "occurred_at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("prices", [None, [101_000]])
@pytest.mark.parametrize("more", [{}, {"credit": 0}, {"cash": 101_000}, {"credit": 0, "cash": 101_000}])
def test_a_sale_and_what_the_nightly_file_says_of_it_are_one_in_either_order(book_url, prices, more):
    """Without a word of credit none was used, and what no credit pays is paid in cash: that is no other content."""
    with serving(book_url) as till:
        erp = till.at("D1/sales_manager")
        for number, file_first in (("N1", False), ("N2", True)):
            sold = order(number, "C2", lines=[LINE], prices=prices)
            file = {**nightly(number, **more), "occurred_at": sold["occurred_at"]}
            calls = [(till, "/v1/sales", sold), (erp, "/v1/events", file)]
            (one, path, body), (other, way, same) = reversed(calls) if file_first else calls
            assert one.post(path, body).status_code == 201
            before = rows(till.book)
            again = other.post(way, same)
            assert (again.status_code, again.json()["status"]) == (200, "duplicate"), again.text
            assert rows(till.book) == before
        (line,) = again.json()["lines"]
        assert (line["list"], line["amount"], line["credit"], line["cash"]) == (101_000, 101_000, 0, 101_000)
        otherwise = {**file, "lines": [{**file["lines"][0], "credit": 1, "cash": 100_999}]}
        assert code(erp.post("/v1/events", otherwise)) == (409, "event_conflict")
