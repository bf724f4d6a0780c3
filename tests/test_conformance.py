"""The situations pass against the service on both databases, and fail against one that does otherwise."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.test_api_book import Book, opened
from tests.test_api_schemathesis import listening
from tierengine import __main__ as program
from tierengine.conformance.situations import SITUATIONS


def test_there_are_thirty_situations_and_each_has_a_name_of_its_own():
    assert len(SITUATIONS) >= 30
    assert len({one.id for one in SITUATIONS}) == len({one.title.zh for one in SITUATIONS}) == len(SITUATIONS)


@pytest.mark.slow
def test_the_service_does_in_every_situation_what_it_promises(book_url, capsys):
    book = Book(book_url).make()
    with opened(book) as till:
        till.gold()
    with listening(book) as url:
        code = program.main(
            ["--lang", "en", "conformance", url, "--key", book.keys["D1/S01"], "--member", "C1", "--json"]
        )
    told = json.loads(capsys.readouterr().out)
    assert [(one["id"], one["outcome"], one["why"]) for one in told["situations"] if one["outcome"] != "passed"] == []
    assert code == 0
    assert (told["passed"], told["skipped"]) == (len(SITUATIONS), 0)


def test_a_member_who_has_nothing_is_given_something_by_a_desk_or_some_situations_are_skipped(sqlite_book_url, capsys):
    book = Book(sqlite_book_url).make()
    words = ["--key", book.keys["D1/S01"], "--member", "C2", "--json", "--only"]
    with listening(book) as url:
        for name in ("hold", "capture_too_much"):
            assert program.main(["--lang", "zh", "conformance", url, *words, name]) == 0
            (one,) = (told := json.loads(capsys.readouterr().out))["situations"]
            assert (one["outcome"], told["passed"], told["skipped"]) == ("skipped", 0, 1)
            assert "--desk-key" in one["why"]
        desk = ["--desk-key", book.keys["D1/sales_manager"]]
        for name in ("hold", "capture_too_much"):
            assert program.main(["--lang", "zh", "conformance", url, *words, name, *desk]) == 0
            assert json.loads(capsys.readouterr().out)["passed"] == 1


def test_a_situation_that_there_is_not_is_no_success(capsys):
    words = ["conformance", "http://127.0.0.1:9", "--key", "x", "--member", "C1", "--only", "nonsense"]
    assert program.main(["--lang", "zh", *words]) == 2
    assert "lost_reply" in capsys.readouterr().err


class Wrong(BaseHTTPRequestHandler):
    """A service that answers everything with the same cheerful nothing."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET  # noqa: N815 - as http.server names it

    def log_message(self, *_: object) -> None:
        pass


def test_a_service_that_says_yes_to_everything_is_found_out(capsys):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Wrong)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        assert program.main(["--lang", "zh", "conformance", url, "--key", "te_1_2", "--member", "C1"]) == 1
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    out = capsys.readouterr().out
    assert out.count("✗") == len(SITUATIONS) - 1  # it does live
    assert "种不符" in out


def test_where_nobody_answers_it_says_so(capsys):
    assert (
        program.main(
            ["--lang", "en", "conformance", "http://127.0.0.1:9", "--key", "x", "--member", "C1", "--only", "ready"]
        )
        == 1
    )
    assert "cannot be reached" in capsys.readouterr().out
