"""What `serve` does with worker processes that die or cannot start, and with an end that does not come."""

from __future__ import annotations

import subprocess
import sys

import pytest
from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE

from tierengine.commands import workers
from tierengine.commands.workers import Workers


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
