"""A worker: a process with a writer of its own, which may be killed at any moment. It says each answer as it gets it.

Workers are forked from a process that has loaded everything, so that a thousand of them start in seconds.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Literal

from tests.faults.book import Book
from tests.faults.hearing import ACK, READY, Ear
from tierengine.recording import group as recording_group
from tierengine.recording.items import NUMBERS, Answer
from tierengine.recording.recorder import clock
from tierengine.recording.sealer import Sealer
from tierengine.recording.writer import Writer
from tierengine.settings import Settings
from tierengine.store.dialect import SqliteLink

PIECE = 500  # writes that are handed over at once
Moment = Literal["any", "before commit", "after commit"]
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["tests.faults.worker", "tests.faults.tills"])


@dataclass(frozen=True)
class How:
    """What is odd about a worker.

    die_at    it kills itself before or after a commit, so many groups from its start
    lazy      durability off on SQLite: what is answered stands in an open transaction
    seals     it seals what it records, as a service does
    skew      microseconds by which its clock is wrong; `jumps`: by so much more or less at each look
    settings  other settings than the usual
    """

    die_at: tuple[Moment, int] | None = None
    lazy: bool = False
    seals: bool = False
    skew: int = 0
    jumps: int = 0
    settings: tuple[tuple[str, int], ...] = ()


class Worker(Ear):
    """The handle of a worker: `send` it numbers, `hear` its answers, `kill` it."""

    def __init__(self, book: Book, how: How | None = None) -> None:
        taking, self._sending = FORK.Pipe(duplex=False)
        super().__init__(FORK, live, book, how or How(), taking)
        taking.close()

    def send(self, numbers: Sequence[int]) -> None:
        """Hand over writes; a worker that is gone takes nothing."""
        try:
            for first in range(0, len(numbers), PIECE):
                self._sending.send(list(numbers[first : first + PIECE]))
        except OSError:
            pass

    def leave(self) -> None:
        """Let it end by itself (it ends what it has begun), and hear the rest."""
        self._sending.close()
        super().leave()


# ---- in the worker ---------------------------------------------------------------------------------------------


def live(book: Book, how: How, taking: Connection, telling: Connection) -> None:
    """Record what is sent until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable()  # of what is broken on purpose it would say much
    if how.die_at:
        _die(*how.die_at)
    if how.lazy:
        _lazy()
    settings = Settings(database_url=book.url, **{"bulk_rows": PIECE, "deadline_ms": 60_000, **dict(how.settings)})
    with Writer(book.url, settings, now=partial(_now, how)) as writer:
        sealer = Sealer(settings, writer) if how.seals else None
        os.write(telling.fileno(), ACK.pack(READY, 0))
        gate = threading.BoundedSemaphore(2 * PIECE)
        try:
            while True:
                numbers: list[int] = taking.recv()
                futures = writer.submit_all([_item(book, number, gate) for number in numbers], "bulk")
                for number, future in zip(numbers, futures, strict=True):
                    future.add_done_callback(partial(_told, telling, gate, number))
        except EOFError:
            pass
        if sealer is not None:
            sealer.close()


def _item(book: Book, number: int, gate: threading.BoundedSemaphore) -> object:
    gate.acquire()
    return book.item(number)


def _told(telling: Connection, gate: threading.BoundedSemaphore, number: int, future: Future[Answer]) -> None:
    gate.release()
    os.write(telling.fileno(), ACK.pack(number, NUMBERS[future.result().status]))


def _now(how: How) -> int:
    return clock() + how.skew + (random.randint(-how.jumps, how.jumps) if how.jumps else 0)


def _die(moment: Moment, groups: int) -> None:
    """Let this process kill itself at a commit."""
    honest, left = recording_group.Group.commit, [groups]

    def commit(self: recording_group.Group) -> None:
        left[0] -= 1
        if moment == "before commit" and not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        honest(self)
        if moment == "after commit" and not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    recording_group.Group.commit = commit  # type: ignore[method-assign]


def _lazy() -> None:
    """Leave every transaction open, as one who answers before he commits: the control that must lose."""
    begin = SqliteLink.begin

    def begun(self: SqliteLink) -> None:
        if not self.raw.in_transaction:
            begin(self)

    SqliteLink.begin = begun  # type: ignore[method-assign]
    SqliteLink.commit = lambda self: None  # type: ignore[method-assign]
