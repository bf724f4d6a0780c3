"""Several worker processes on one socket: uvicorn's supervisor, which one worker's failure to start does not end.

A worker that dies while the database is away cannot start until that is back. uvicorn takes such a worker for a broken
program and ends all of them, those that would have gone on selling too; here it is started again until it succeeds.
Only where no worker has ever served is a failure to start the end.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Sequence
from multiprocessing.reduction import DupFd
from typing import Any, Final

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

AGAIN_SECONDS: Final = 3.0
BACKLOG: Final = 1  # connections that asyncio takes whenever it looks
WAITING: Final = 2_048  # connections that nobody has taken yet
_log = logging.getLogger(__name__)


class Shared(socket.socket):
    """A socket that several processes listen on, and each takes connections from one at a time.

    asyncio takes up to `backlog` waiting connections whenever it looks. When many tills connect together (after a cut
    of the line, say), the worker that looks first would get all of them and keep them, and the others would idle. So
    asyncio is told a backlog of one, while the system is told to let as many wait as before.
    """

    def listen(self, backlog: int = WAITING, /) -> None:
        """Let at least `WAITING` connections wait."""
        super().listen(max(backlog, WAITING))

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to a worker that is being started, as a plain socket does there."""
        return _there, (DupFd(self.fileno()),)


def _there(sent: Any) -> Shared:
    return Shared(fileno=sent.detach())


class Workers(Multiprocess):
    """As many processes as `config.workers` says. `failed`: they could not start, or had to be left behind."""

    def __init__(self, config: Config, sockets: Sequence[socket.socket]) -> None:
        config.backlog = BACKLOG
        super().__init__(config, [Shared(fileno=one.detach()) for one in sockets])
        self.failed = False
        self._served = False
        self._due: dict[int, float] = {}  # place among the workers → when the next one is started there

    def keep_subprocess_alive(self) -> None:
        """Replace what died or hangs."""
        for place, worker in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if self._lives(worker):
                self._due.pop(place, None)  # (by SIGHUP, too, one is replaced)
                continue
            now = time.monotonic()
            if place not in self._due:
                worker.kill()  # one that hangs
                worker.join()
                unable = worker.exitcode == STARTUP_FAILURE
                if unable and not self._served:
                    _log.error("worker %s cannot start", worker.pid)
                    self.failed = True
                    self.should_exit.set()
                    return
                _log.warning("worker %s %s", worker.pid, "cannot start; it is tried again" if unable else "died")
                self._due[place] = now + (AGAIN_SECONDS if unable else 0.0)
            if now >= self._due[place]:
                del self._due[place]
                self.processes[place] = Process(self.config, self.sockets)
                self.processes[place].start()

    def join_all(self) -> None:
        """Wait for all of them."""
        super().join_all()
        self.failed |= any(worker.exitcode == STARTUP_FAILURE for worker in self.processes)

    def _lives(self, worker: Process) -> bool:
        if not worker.process.is_alive():
            return False
        patience = self.config.timeout_worker_healthcheck
        self._served = self._served or worker.is_ready(patience)
        return worker.ping(patience)
