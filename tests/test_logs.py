"""The log: one record is one line, nobody forges one, and no exception's words are in it, whoever writes them."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import logging.config
import subprocess
import sys
import threading

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_api_book import Book, code, opened
from tierengine import logs
from tierengine.store.database import NotReady
from tierengine.store.outages import told
from tierengine.unseen import plain

PHONE, NAME = "13912345678", "欧阳测试"
# A line feed and what looks like the next line; a terminal's colours; the other direction; NUL; separators; no width.
HOSTILE = f"x\r\n2026-01-01 CRITICAL forged {NAME}\x1b[2J\x1b[31m\u202e\x00\u2028\u2029\x85\u200b"


@pytest.fixture(params=["text", "json"])
def written(request):
    """Return what a record is written as, by the formatter of the service."""
    chosen = logs.config(request.param, "debug")
    buffer = io.StringIO()
    chosen["handlers"]["own"]["stream"] = buffer
    root = logging.getLogger()
    names = ("", *chosen["loggers"])
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    handlers, raising = root.handlers[:], logging.raiseExceptions
    hooks = threading.excepthook, sys.unraisablehook
    logging.config.dictConfig(chosen)
    buffer.style = request.param
    yield buffer
    root.handlers[:] = handlers
    logging.raiseExceptions = raising
    threading.excepthook, sys.unraisablehook = hooks
    for logger, level in before:
        logger.setLevel(level)


def lines(buffer):
    """Return the lines as those count them who take a separator for an end of line, without frames of an exception."""
    return [line for line in buffer.getvalue().splitlines() if not line.startswith("    ")]


def fails(*_):
    raise ValueError(f"{NAME} {PHONE}")


def test_a_record_is_one_line_whatever_is_in_it(written):
    logging.getLogger("somebody").warning(
        "what came was %s", HOSTILE, extra={} if written.style == "text" else {"k": HOSTILE}
    )
    (line,) = lines(written)
    assert all(character.isprintable() for character in line)
    if written.style == "json":
        assert json.loads(line)["k"] == json.loads(line)["message"].removeprefix("what came was ")
    assert r"x\x0d\x0a2026" in line.replace("\\\\", "\\")


def test_halves_of_pairs_are_written_as_their_codes(written):
    # (Not by way of a logger: pytest, too, keeps what is logged, and cannot pass it on.)
    record = logging.LogRecord("x", logging.INFO, "x", 1, "a\ud800", (), None)
    assert r"a\ud800" in logging.getLogger().handlers[0].format(record).replace("\\\\", "\\")


@given(st.text())
def test_any_text_is_printable_on_one_line(text):
    shown = plain(text)
    assert len(shown.splitlines()) <= 1
    assert not set(shown) & set("\x1b\x00\r\n\u2028\u2029\x85\u202e\u200b")
    assert plain(shown) == shown


def test_what_a_task_or_a_callback_failed_with_is_not_told(written):
    async def loses():
        loop = asyncio.get_running_loop()
        lost = loop.create_task(asyncio.sleep(0, NAME))
        await lost
        lost = loop.create_task(asyncio.to_thread(fails))
        await asyncio.wait([lost])
        del lost
        gc.collect()
        loop.call_soon(fails, PHONE)
        await asyncio.sleep(0.01)

    asyncio.run(loses())
    text = written.getvalue()
    assert "Task exception was never retrieved" in text
    assert "Exception in callback" in text
    assert "ValueError" in text
    assert NAME not in text
    assert PHONE not in text


def test_what_a_library_puts_of_a_traceback_into_its_own_line_is_not_told(written):
    """As uvicorn does with what kept an app from starting."""
    logging.getLogger("a.server").error(f"Traceback (most recent call last):\n  File 'x'\nValueError: {NAME}\n")
    assert NAME not in written.getvalue()
    assert len(lines(written)) == 1


def test_what_python_writes_of_threads_and_destructors_is_told_by_the_log(written, capfd):
    logs.guard()
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()

    class Dying:
        def __del__(self):
            fails()

    Dying()
    gc.collect()
    logging.getLogger("x").error("%d", NAME)  # a library's mistake
    text = written.getvalue()
    assert text.count("ValueError") == 2
    assert NAME not in text + capfd.readouterr().err


@pytest.mark.parametrize("written", ["json"], indirect=True)
def test_a_request_tells_the_log_nothing_that_its_sender_chose(sqlite_book_url, written):
    with opened(Book(sqlite_book_url).make()) as till:
        given = ("13912345678", "11010519491231002X", "A1-till.7", "x" * 65, "a b")
        told_ = [till.client.get("/livez", headers={"x-request-id": one}).headers["x-request-id"] for one in given]
        assert [one == sent for one, sent in zip(told_, given, strict=True)] == [False, False, True, False, False]
        till.client.request(PHONE, "/livez")
        till.client.get(f"/{PHONE}?{NAME}", headers={"traceparent": PHONE, "forwarded": NAME.encode()})
        refused = till.post("/v1/sales", {"member": f"{NAME}\r\n{PHONE}", "order": HOSTILE})
        assert code(refused)[0] == 422, refused.text
    text = written.getvalue()
    assert PHONE not in text
    assert NAME not in text
    asked = [json.loads(line) for line in lines(written)]
    assert [one["method"] for one in asked if one["logger"] == logs.REQUESTS] == ["GET"] * 5 + ["other", "GET", "POST"]


def test_an_outage_is_told_in_a_line_without_a_value_of_any_row(postgres_url):
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as link:
        link.execute("CREATE TABLE t (name TEXT PRIMARY KEY, age INT)")
        link.execute("INSERT INTO t VALUES (%s, 1)", [NAME])
        for statement in (f"INSERT INTO t VALUES ('{NAME}', 2)", f"SELECT CAST('{PHONE}x' AS INT)"):
            with pytest.raises(psycopg.Error) as found, link.transaction():
                link.execute(statement)
            assert told(found.value) == type(found.value).__name__
        with pytest.raises(psycopg.Error) as found:
            link.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert told(found.value) == "AdminShutdown: 57P01 terminating connection due to administrator command"
    assert told(NotReady("not\nthere")) == "NotReady: not there"
    assert told(ValueError(NAME)) == "ValueError"


def test_a_service_that_cannot_start_tells_the_log_why_and_no_more(sqlite_book_url, tmp_path):
    """The chain is looked at by the app itself: what it raises there, uvicorn would log with its message."""
    script = (
        "import logging.config, sys, uvicorn\nfrom tierengine import logs\nimport tierengine.recording.writer as w\n"
        f"def fails(*_): raise ValueError({NAME!r})\nw.check_tail = fails\n"
        "uvicorn.Server(uvicorn.Config('api.app:serving', factory=True, port=0, "
        "log_config=logs.config('text', 'info'))).run()"
    )
    environ = {"PYTHONPATH": ":".join(sys.path), "TIERENGINE_DATABASE_URL": sqlite_book_url, "LANG": "C.UTF-8"}
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60, env=environ
    )
    assert run.returncode == 3
    assert "the service ends: ValueError" in run.stderr
    assert NAME not in run.stderr
