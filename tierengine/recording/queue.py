"""The queue of the writer: two lanes of jobs, and which of them it takes next.

What tills send goes first; batches, files and acts of the staff run when no till waits, or when they have waited their
turn, in pieces short enough that a till behind one hardly notices.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from typing import Final, Literal

from tierengine.recording.jobs import Job, take_group
from tierengine.settings import Settings

Lane = Literal["till", "bulk"]

PIECE_SECONDS: Final = 0.05
TURN_SECONDS: Final = 0.2
QUIET_SECONDS: Final = 1.0
REMEMBERED: Final = 10_000  # members whose last command was refused
# Pieces of a file, in rows: a late row folds its member's history again, so the more rows at once, the fewer folds.
FILE_ROWS: Final = 5_000


class Queue:
    """What waits, and whether anything may still come. Thread-safe; only the writer's thread takes.

    broken   the last seals do not hold: everything is refused with `chain_broken`
    failed   the writer has fallen, and tills need not wait until the database is back, however long that is
    closing  nothing more comes; what waits is still taken
    """

    def __init__(self, settings: Settings, *, broken: bool) -> None:
        self._settings = settings
        self.broken = broken
        self.failed = False
        self.closing = False
        self.changed = threading.Condition()
        self.waiting: dict[Lane, deque[Job]] = {"till": deque(), "bulk": deque()}
        self._last_till = 0.0
        self._last_bulk = 0.0
        self._piece = 64
        self._refused: set[str] = set()

    # ---- for those who send ------------------------------------------------------------------------------------

    def add(self, jobs: Sequence[Job], lane: Lane) -> None:
        """Queue jobs in their order; where there is no room, or the writer is down, one is answered at once."""
        with self.changed:
            for job in jobs:
                if self.broken:
                    job.refuse("chain_broken")
                elif self.closing or self.failed:
                    job.refuse("writer_down")
                elif len(self.waiting[lane]) >= self._settings.queue_size:
                    job.refuse("busy")
                else:
                    self.waiting[lane].append(job)
            self.changed.notify()

    def put(self, *jobs: Job) -> None:
        """Queue jobs for the bulk lane together, so that what is sent at once is recorded at once; waits for room."""
        lane = self.waiting["bulk"]
        with self.changed:
            while lane and len(lane) + len(jobs) > self.room and not self.closing:
                self.changed.wait(0.5)
            if self.closing or self.broken:
                for job in jobs:
                    job.refuse("chain_broken" if self.broken else "writer_down")
            else:
                lane.extend(jobs)
                self.changed.notify_all()

    @property
    def room(self) -> int:
        """How many may wait in the bulk lane when they come together."""
        return max(self._settings.queue_size, self._most())

    def close(self) -> None:
        """Take nothing more in."""
        with self.changed:
            self.closing = True
            self.changed.notify_all()

    # ---- for the writer ----------------------------------------------------------------------------------------

    def take(self, due: Collection[object]) -> list[Job] | None:
        """Wait for work and return it: items of one dealer, or one act; None: nothing is left, and we are closing.

        due  what else the writer has to do: while there is any, it gets nothing rather than wait
        """
        with self.changed:
            while not any(self.waiting.values()):
                if self.closing:
                    return None
                if not self.changed.wait(0.1 if due else None) and due:
                    return []
            now = time.monotonic()
            till, bulk = self.waiting["till"], self.waiting["bulk"]
            if till and not (bulk and now - max(self._last_bulk, bulk[0].since) > TURN_SECONDS):
                self._last_till = now
                jobs = take_group(till, self._settings.group_size, self._refused)
            else:
                self._last_bulk = now
                quiet = now - self._last_till > QUIET_SECONDS
                jobs = take_group(bulk, self._most() if quiet else self._piece)
            self.changed.notify_all()
        return [job for job in jobs if job.wanted(now)]

    def put_back(self, jobs: Sequence[Job]) -> None:
        """Let jobs wait again, before all others of their lane, in their order."""
        with self.changed:
            for job in reversed(jobs):
                self.waiting["till" if job.deadline is not None else "bulk"].appendleft(job)

    def fall(self) -> list[Job]:
        """Take everybody out, since the writer has fallen; tills are refused until `failed` is taken back."""
        with self.changed:
            self.failed = True
            out = [*self.waiting["till"], *self.waiting["bulk"]]
            for lane in self.waiting.values():
                lane.clear()
            self.changed.notify_all()
        return out

    def pace(self, jobs: Sequence[Job], took: float) -> None:
        """Make the pieces of a batch as long as a till may be kept waiting."""
        if jobs[0].deadline is None and len(jobs) >= min(self._piece, 16):
            fits = int(len(jobs) * PIECE_SECONDS / max(took, 0.001))
            self._piece = max(16, min(self._settings.bulk_rows, fits))

    def learn(self, members: frozenset[str], *, refused: bool) -> None:
        """Remember whose last command was refused: the next ones may be decided together."""
        if not refused:
            self._refused -= members
        elif len(self._refused) < REMEMBERED:
            self._refused |= members

    def _most(self) -> int:
        """Return the most rows of a batch while no till waits; a file in a process without tills keeps nobody up."""
        alone = self._settings.kind == "sqlite" and not self._last_till
        return max(self._settings.bulk_rows, FILE_ROWS) if alone else self._settings.bulk_rows
