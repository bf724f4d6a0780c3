"""The waiting room: a request whose member is locked elsewhere waits here, so that no other waits behind it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from tierengine.recording.jobs import Job
from tierengine.recording.recorder import Clock, Recorder
from tierengine.settings import Settings
from tierengine.store.database import connect
from tierengine.store.outages import told

_log = logging.getLogger(__name__)


class Room:
    """Where a request waits whose member is locked elsewhere: a thread and a connection of its own, one at a time."""

    def __init__(self, url: str, settings: Settings, now: Clock, decided: Callable[[int], None]) -> None:
        self._url, self._settings, self._now, self._decided = url, settings, now, decided
        self._recorder: Recorder | None = None
        self._jobs: deque[Job | None] = deque()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._live, name="tierengine-waiting-room", daemon=True)
        self._thread.start()

    def put(self, job: Job | None) -> None:
        """Let a request wait here; None ends the thread."""
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()

    def close(self) -> None:
        """Serve what waits, and end."""
        self.put(None)
        self._thread.join()

    def _live(self) -> None:
        while (job := self._take()) is not None:
            try:
                self._serve(job)
            except Exception as problem:  # noqa: BLE001 - the next one gets a new connection
                _log.warning("waiting for a member failed: %s", told(problem))
                job.refuse("busy")
                self._part()
        self._part()

    def _take(self) -> Job | None:
        with self._changed:
            while not self._jobs:
                self._changed.wait()
            return self._jobs.popleft()

    def _serve(self, job: Job) -> None:
        if job.item is None:
            return
        recorder = self._recorder or Recorder(connect(self._url, self._settings), now=self._now)
        self._recorder = recorder
        answer = recorder.record([job.item], wait=True)[0]
        if answer is None:
            job.refuse("busy")
        else:
            self._decided(1)
            job.answer(answer)
        recorder.deliver()

    def _part(self) -> None:
        if self._recorder is not None:
            self._recorder.link.close()
        self._recorder = None
