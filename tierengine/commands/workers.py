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
from typing import Final

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

AGAIN_SECONDS: Final = 3.0
_log = logging.getLogger(__name__)


class Workers(Multiprocess):
    """As many processes as `config.workers` says. `failed`: they could not start, or had to be left behind."""

    def __init__(self, config: Config, sockets: Sequence[socket.socket]) -> None:
        super().__init__(config, [*sockets])
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
