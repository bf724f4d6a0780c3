"""What `serve` does with worker processes that die or cannot start, and with an end that does not come."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys

import pytest
from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE

from tierengine.commands import serve, workers
from tierengine.commands.workers import BACKLOG, Shared, Workers


class Fake:
    """A worker: what it does next is said by the test."""

    def __init__(self, *_):
        self.pid, self.exitcode, self.started, self.kills = len(STARTED) + 1, None, False, 0
        self.process = self

    def start(self):
        STARTED.append(self)

    def is_alive(self):
        return self.exitcode is None

    def ping(self, _):
        return True

    def is_ready(self, _):
        return self.started

    def kill(self):
        self.kills += 1

    def join(self):
        pass


STARTED: list[Fake] = []


@pytest.fixture
def time(monkeypatch):
    class Time:
        now = 0.0

        def monotonic(self):
            return self.now

    made = Time()
    monkeypatch.setattr(workers, "time", made)
    monkeypatch.setattr(workers, "Process", Fake)
    STARTED.clear()
    return made


@pytest.fixture
def two(time, monkeypatch):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    made = Workers(Config("x", workers=2, log_config=None), [])
    made.processes = [Fake(), Fake()]
    for one in made.processes:
        one.start()
    return made


def test_a_worker_that_cannot_start_while_the_database_is_away_does_not_end_the_others(two, time):
    for one in two.processes:
        one.started = True
    two.keep_subprocess_alive()
    two.processes[0].exitcode = -9
    two.keep_subprocess_alive()
    assert len(STARTED) == 3  # at once
    for _ in range(4):
        two.processes[0].exitcode = STARTUP_FAILURE
        before = len(STARTED)
        two.keep_subprocess_alive()
        time.now += workers.AGAIN_SECONDS - 0.1
        two.keep_subprocess_alive()
        assert len(STARTED) == before  # it is not tried over and over
        time.now += 0.2
        two.keep_subprocess_alive()
        assert len(STARTED) == before + 1
    assert not two.should_exit.is_set()
    assert not two.failed
    assert two.processes[1].kills == 0
    # Renewed by a signal while its place waited, it is one like the others, and killed when it hangs.
    two.processes[0].exitcode = STARTUP_FAILURE
    two.keep_subprocess_alive()
    renewed = two.processes[0] = Fake()
    two.keep_subprocess_alive()
    renewed.ping = lambda _: False
    two.keep_subprocess_alive()
    assert renewed.kills == 1


def test_where_none_has_ever_served_it_ends_and_says_so_by_its_code(two):
    two.keep_subprocess_alive()
    two.processes[1].exitcode = STARTUP_FAILURE
    two.keep_subprocess_alive()
    assert two.should_exit.is_set()
    assert two.failed
    assert len(STARTED) == 2


def test_a_worker_that_hangs_is_killed_and_replaced(two, monkeypatch):
    hung = two.processes[0]
    monkeypatch.setattr(hung, "ping", lambda _: False)
    two.keep_subprocess_alive()
    assert hung.kills == 1
    assert two.processes[0] is not hung


def test_a_worker_that_had_to_be_left_behind_is_told_by_the_code(two):
    two.processes[0].exitcode = STARTUP_FAILURE
    two.processes[1].exitcode = 0
    two.join_all()
    assert two.failed


def test_a_service_whose_database_says_nothing_any_more_ends_all_the_same(sqlite_book_url):
    """The writer waits for ever, as for a server that was frozen; so does whoever keeps the last use of keys."""
    script = (
        "import asyncio, threading, api.app as a\n"
        "a.CLOSING_SECONDS = 0.3\n"
        "async def live():\n"
        "    app = a.serving()\n"
        "    async with app.router.lifespan_context(app):\n"
        "        began = threading.Event()\n"
        "        app.state.tierengine.writer.perform(lambda *_: began.set() or threading.Event().wait())\n"
        "        began.wait()\n"
        "asyncio.run(live())\n"
    )
    environ = {"PYTHONPATH": ":".join(sys.path), "TIERENGINE_DATABASE_URL": sqlite_book_url}
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60, capture_output=True, env=environ)
    assert done.returncode == 3, done.stderr
    assert b"given up after 0.3 s" in done.stderr


def test_a_worker_takes_one_connection_at_a_time_and_many_may_wait():
    """Tills that come back together after a cut would all be the one's that looks first, for as long as they stay."""
    taken: list[asyncio.BaseTransport] = []
    at_first: list[int] = []

    class Counted(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            if not taken:
                asyncio.get_running_loop().call_soon(lambda: at_first.append(len(taken)))
            taken.append(transport)
            if len(taken) == len(tills):
                everyone.set()

    async def serve() -> None:
        async with await asyncio.get_running_loop().create_server(Counted, sock=shared, backlog=BACKLOG):
            await asyncio.wait_for(everyone.wait(), 10)
            for transport in taken:
                transport.abort()

    with contextlib.ExitStack() as opened:
        shared: socket.socket = opened.enter_context(Shared())
        shared.bind(("127.0.0.1", 0))
        shared.listen(1)
        tills = [opened.enter_context(socket.create_connection(shared.getsockname(), 5)) for _ in range(20)]
        everyone = asyncio.Event()
        asyncio.run(serve())
    assert at_first[0] <= 2  # (From Python 3.12 on asyncio takes one more than it is told.)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_answer_is_sent_without_waiting_for_the_one_before_to_be_acknowledged(workers):
    """uvicorn sends head and body apart; with Nagle's algorithm the body waits 40 ms for a till that delays its ACK."""

    async def taken(listening: socket.socket) -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        class Told(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                own = transport.get_extra_info("socket")
                told.set_result(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                transport.abort()  # type: ignore[attr-defined]

        async with await asyncio.get_running_loop().create_server(Told, sock=listening):
            with socket.create_connection(listening.getsockname(), 5):
                return await asyncio.wait_for(told, 10)

    listening = serve._listen("127.0.0.1", 0)
    with Shared(fileno=listening.detach()) if workers > 1 else listening as one:
        assert asyncio.run(taken(one))
