"""Clients that send a byte a second, stop, or never read: cut off in time, and felt by nobody else."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time

import pytest
import uvicorn

from api.app import create_app
from tests.bench import slow
from tests.bench.stage import make
from tests.faults.service import Service
from tests.keys import SECRET, UNLIMITED
from tests.test_api_book import Book, order
from tierengine.commands import connections
from tierengine.commands.connections import Config, Patience
from tierengine.settings import Settings


@contextlib.contextmanager
def listening(url, patience):
    book = Book(url).make()
    app = create_app(Settings(database_url=url, secret=SECRET, **UNLIMITED))
    config = Config(app, patience, log_level="critical", access_log=False)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        thread = threading.Thread(target=server.run, args=([taken],))
        thread.start()
        until = time.monotonic() + 60
        while not server.started:
            assert time.monotonic() < until
            time.sleep(0.01)
        try:
            yield book, taken.getsockname()[1], server.server_state.connections, app
        finally:
            server.should_exit = True
            thread.join(30)
    assert not thread.is_alive()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.05)


@pytest.fixture
def line():
    """Opens a connection to a port; all are closed after the test."""
    with contextlib.ExitStack() as opened:
        yield lambda port: opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))


def rest(one):
    got = b""
    with contextlib.suppress(ConnectionError):
        while piece := one.recv(65_536):
            got += piece
    return got


def sale(book, number="A1", *, close=False):
    body = json.dumps(order(number)).encode()
    head = (
        f"POST /v1/sales HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {book.keys['D1/S01']}\r\n"
        f"Idempotency-Key: {number}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    return (head + ("Connection: close\r\n\r\n" if close else "\r\n")).encode(), body


def told(got):
    head, _, body = got.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def answered(one):
    """The status of the next answer on a line that stays open, read whole: head and body may come apart."""
    answer = http.client.HTTPResponse(one)
    answer.begin()
    answer.read()
    return answer.status


def trickle(one, text, seconds):
    """Send a byte every so often until the other side has had enough; returns how long that took."""
    begun = time.monotonic()
    with contextlib.suppress(ConnectionError):
        for byte in text:
            one.send(bytes([byte]))
            one.settimeout(seconds)
            try:
                if one.recv(1, socket.MSG_PEEK) is not None:
                    break
            except TimeoutError:
                pass
    one.settimeout(20)
    return time.monotonic() - begun


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS, to a port that speaks none
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/sales HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/sales HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 100_000,
    ],
)
def test_what_is_no_http_is_answered_with_a_problem_too(sqlite_book_url, line, sent):
    with listening(sqlite_book_url, Patience(5, 5, 100)) as (_, port, *_):
        one = line(port)
        with contextlib.suppress(ConnectionError):
            one.sendall(sent)
        status, problem = told(rest(one))
        assert (status, problem["status"], problem["code"]) == (400, 400, "bad_request"), problem
        assert (problem["retryable"], problem["detail"][:5]) == (False, "请求不是合")
        assert problem["request_id"]


@pytest.mark.usefixtures("quick")
def test_who_takes_too_long_for_a_head_or_a_body_is_told_and_cut_off_and_others_are_served(sqlite_book_url, line):
    with listening(sqlite_book_url, Patience(0.5, 1.0, 100)) as (book, port, *_):
        head, body = sale(book)
        slow_head = line(port)
        took = trickle(slow_head, head, 0.04)
        assert 0.3 < took < 10
        status, problem = told(rest(slow_head))
        assert (status, problem["code"], problem["retryable"]) == (408, "too_slow", True)
        assert "太慢" in problem["detail"]
        slow_body = line(port)
        slow_body.sendall(head)
        took = trickle(slow_body, body, 0.04)
        assert 0.7 < took < 10
        assert told(rest(slow_body))[0] == 408
        silent = line(port)
        assert rest(silent) == b""  # who never said a word is told nothing
        # The same sale, sent as it should be; nothing of it was recorded before.
        good = line(port)
        good.sendall(b"".join(sale(book, close=True)))
        status, answer = told(rest(good))
        assert (status, answer["status"]) == (201, "recorded")


@pytest.mark.usefixtures("quick")
def test_who_is_idle_between_two_requests_or_waits_for_his_answer_is_left_alone(sqlite_book_url, line):
    with listening(sqlite_book_url, Patience(0.3, 0.3, 100)) as (book, port, _, app):
        writer = app.state.tierengine.writer
        till = line(port)
        till.sendall(b"".join(sale(book, "A1")))
        assert answered(till) == 201
        time.sleep(0.8)
        go = threading.Event()
        waiting = writer.perform(lambda *_: go.wait(20))
        till.sendall(b"".join(sale(book, "A2")))
        time.sleep(0.8)
        go.set()
        waiting.result(20)
        assert answered(till) == 201


@pytest.mark.usefixtures("quick")
def test_who_takes_nothing_of_his_answers_is_cut_off(sqlite_book_url):
    with listening(sqlite_book_url, Patience(0.5, 0.5, 100)) as (_, port, connected, _):
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        deaf.connect(("127.0.0.1", port))
        with contextlib.suppress(ConnectionError):
            deaf.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: t\r\n\r\n" * 20)
        until = time.monotonic() + 20
        while not connected:
            assert time.monotonic() < until
            time.sleep(0.01)
        while connected:
            assert time.monotonic() < until, "its answers are kept for ever"
            time.sleep(0.05)
        deaf.close()


@pytest.mark.usefixtures("quick")
def test_where_it_is_full_the_oldest_that_says_nothing_makes_room(sqlite_book_url, line):
    with listening(sqlite_book_url, Patience(30, 30, 10)) as (book, port, connected, app):
        slow_ones = [line(port) for _ in range(30)]
        until = time.monotonic() + 20
        while len(connected) != 10:
            assert time.monotonic() < until
            time.sleep(0.02)
        for number in range(5):
            good = line(port)
            good.sendall(b"".join(sale(book, f"A{number}", close=True)))
            assert told(rest(good))[0] == 201
        assert rest(slow_ones[0]) == b""
        # Where all are at work, there is no room: it is said, and worth a second try.
        writer = app.state.tierengine.writer
        go = threading.Event()
        waiting = writer.perform(lambda *_: go.wait(20))
        busy = [line(port) for _ in range(10)]
        for number, one in enumerate(busy):
            one.sendall(b"".join(sale(book, f"B{number}", close=True)))
        while len(app.state.tierengine.writer._queue.waiting["till"]) < 10:
            assert time.monotonic() < until
            time.sleep(0.02)
        status, problem = told(rest(line(port)))
        assert (status, problem["code"], problem["retryable"]) == (503, "busy", True)
        go.set()
        waiting.result(20)
        assert [told(rest(one))[0] for one in busy] == [201] * 10


@pytest.mark.usefixtures("quick")
def test_a_slow_client_does_not_keep_the_service_from_ending(sqlite_book_url, line):
    with listening(sqlite_book_url, Patience(30, 0.5, 100)) as (book, port, *_):
        head, body = sale(book)
        slow_body = line(port)
        slow_body.sendall(head + body[:5])
        time.sleep(0.2)
        begun = time.monotonic()
    assert time.monotonic() - begun < 10


def test_no_more_connections_than_files_the_process_may_open(monkeypatch):
    limits, asked = [(256, 1_024)], []
    monkeypatch.setattr(connections.resource, "getrlimit", lambda _: limits[0])
    monkeypatch.setattr(connections.resource, "setrlimit", lambda _, given: asked.append(given))
    assert Patience(1, 1, 1_000).within().connections == 924
    assert Patience(1, 1, 100).within().connections == 100
    assert asked == [(1_024, 1_024)]
    limits[0] = (256, 256)
    assert Patience(1, 1, 1_000).within().connections == 156


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_five_hundred_who_send_a_byte_a_second_keep_nobody_from_being_answered(sqlite_url):
    """What they cost others is measured by `make bench ARGS=slow`: here every quote beside them is answered."""
    stage = make(sqlite_url, 200)
    with Service(stage) as service:
        found = slow.measure(service, stage, "quotes", iter(range(10**6)), asks=60, turns=1)
    assert (len(found.alone), len(found.beside)) == (60, 60)


def test_a_connection_that_is_taken_while_all_are_asked_to_close_is_not_served_on(sqlite_book_url, line):
    with listening(sqlite_book_url, Patience(30, 30, 10)) as (book, port, connected, _):
        kept = line(port)
        kept.sendall(b"".join(sale(book, "A1")))
        assert answered(kept) == 201
        next(iter(connected)).room.stopping = True
        late = line(port)
        late.sendall(b"".join(sale(book, "A2")))
        assert told(rest(late))[0] == 503
