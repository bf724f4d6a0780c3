"""The group writer: one thread a process that records what waits, many requests in one transaction.

It never waits for more requests to come: a single client is served as fast as with a transaction of its own, and the
more requests wait, the more of them share a transaction (queue.py says whose turn it is).

Whatever goes wrong, every request gets an answer, and only after COMMIT does one say that anything was recorded.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import Any, Final, Self, TypeVar

import psycopg
from opentelemetry.trace import SpanContext

from tierengine.ledger.chain import Fault, check_tail
from tierengine.personal.vault import Vault
from tierengine.recording.items import Answer, Item, is_command
from tierengine.recording.jobs import Job, fail
from tierengine.recording.queue import Lane, Queue
from tierengine.recording.recorder import Clock, Recorder, clock
from tierengine.recording.room import Room
from tierengine.recording.tally import Tally
from tierengine.settings import Settings
from tierengine.store.database import WriterLock, check_ready, connect, sqlite_path
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids, transact
from tierengine.store.outages import told
from tierengine.traces import Traces, cause

Made = TypeVar("Made")

TRIES: Final = 3  # of a job whose member is locked elsewhere, in groups; then it waits for the lock (room.py)
ATTEMPTS: Final = 5  # of a group that lost against another transaction, or whose connection broke
RESTART_SECONDS: Final = 0.2

_log = logging.getLogger(__name__)

# The transaction may be run again: it lost against another one.
_AGAIN: Final = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
)
# The database cannot, for now or altogether; no item is to blame.
_DOWN: Final = (sqlite3.OperationalError, psycopg.OperationalError)


class Writer:
    """Owns the writing of one book in this process. Thread-safe; `close` drains it.

    On SQLite it holds the file's writer lock; a second one is refused with WriterBusy, which names the holder. Where
    the last seals do not hold (`broken`), everything is refused with `chain_broken`, and the book is only read.
    """

    def __init__(
        self,
        url: str,
        settings: Settings | None = None,
        *,
        now: Clock = clock,
        traces: Traces | None = None,
        tally: Tally | None = None,
    ) -> None:
        self.settings = settings or Settings(database_url=url)
        self._traces = traces
        self.url = url
        self._now = now
        self._sealing: Vault | None = None
        self.tally = Tally() if tally is None else tally
        check_ready(url)
        self.broken = self._check_chain()
        self._queue = Queue(self.settings, broken=self.broken is not None)
        self._lock = WriterLock(sqlite_path(url)) if self.settings.kind == "sqlite" else None
        self._recorder: Recorder | None = None
        self._room: Room | None = None
        try:
            self._open()
        except BaseException:
            self._release()
            raise
        self._thread = threading.Thread(target=self._live, name="tierengine-writer", daemon=True)
        self._thread.start()

    # ---- for callers -------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether what is submitted now will be recorded; `/readyz` is red while it is not."""
        queue = self._queue
        return not (queue.closing or queue.failed or queue.broken) and self._thread.is_alive()

    def waiting(self) -> dict[Lane, int]:
        """Return how many requests wait in each lane now."""
        return {lane: len(jobs) for lane, jobs in self._queue.waiting.items()}

    def submit(self, item: Item, lane: Lane = "till") -> Future[Answer]:
        """Queue an item. The answer comes after COMMIT; a full queue answers at once.

        To cancel the future (the client left) drops the request while it waits, never once it is begun.
        """
        return self.submit_all((item,), lane)[0]

    def submit_all(
        self, items: Sequence[Item], lane: Lane = "till", causes: Sequence[SpanContext | None] = ()
    ) -> list[Future[Answer]]:
        """Queue items that came together, in their order; each has an answer of its own, and may tell its span.

        While the writer has fallen (`ready` is false) every one is answered at once that it is down.
        """
        deadline = time.monotonic() + self.settings.deadline_ms / 1_000 if lane == "till" else None
        jobs = [Job(Future(), item, deadline=deadline) for item in items]
        for job, span in zip(jobs, causes, strict=False):
            job.cause = span
        self._queue.add(jobs, lane)
        return [job.future for job in jobs]

    def record(self, items: Iterable[Item]) -> list[Answer]:
        """Record items in order and wait for all answers, and for what they bring to other members.

        Waits for room in the queue instead of being refused: for files, demos and tests, not for a till.
        """
        futures: list[Future[Answer]] = []
        waiting = iter(items)
        while batch := list(islice(waiting, self._queue.room)):
            jobs = [Job(Future(), item) for item in batch]
            self._queue.put(*jobs)
            futures += [job.future for job in jobs]
        answers = [future.result() for future in futures]
        settled: Future[None] = Future()
        self._queue.put(Job(settled))
        settled.result()
        return answers

    def perform(self, act: Callable[[Link, Ids], Made]) -> Future[Made]:
        """Run `act(link, ids)` in a transaction of its own on the writer's connection (members, policies, awards)."""
        future: Future[Made] = Future()
        job = Job(future, act=act, cause=cause() if self._traces else None)
        if self._queue.failed:
            job.refuse("writer_down")
        else:
            self._queue.put(job)
        return future

    def close(self) -> None:
        """Take nothing more, finish what waits, and end."""
        self._queue.close()
        self._thread.join()
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_chain(self) -> Fault | None:
        """Return the first fault among the last seals: on a book that was tampered with, nothing more is written."""
        link = connect(self.url, self.settings, readonly=True)
        try:
            found = next(check_tail(link), None)
        finally:
            link.close()
        if found is not None:
            _log.critical("the chain of seals is broken, the book is read-only: %s at %s", found.wrong, found.row())
        return found

    # ---- the thread ---------------------------------------------------------------------------------------------

    def _live(self) -> None:
        while True:
            jobs: list[Job] | None = []
            try:
                while (jobs := self._queue.take(self._working().due)) is not None:
                    self._work(jobs)
                break
            except BaseException as problem:  # noqa: BLE001 - whatever it is, nobody may be left waiting
                _log.critical("the writer fell: %s", type(problem).__name__, exc_info=problem)
                self._fall(jobs or [])
        if self._room is not None:
            self._room.close()
        if self._recorder is not None:
            self._recorder.link.close()

    def _fall(self, jobs: Sequence[Job]) -> None:
        """Answer everybody that it did not happen, and begin again with a new connection."""
        for job in [*jobs, *self._queue.fall()]:
            job.refuse("writer_down")
        while not self._queue.closing:
            try:
                self._open()
                return
            except Exception as problem:  # noqa: BLE001 - it is tried again for as long as the process lives
                _log.warning("the writer cannot start: %s", told(problem))
                time.sleep(RESTART_SECONDS)

    def _open(self) -> None:
        if self._recorder is not None:
            self._recorder.link.close()
        self._recorder = Recorder(connect(self.url, self.settings), now=self._now, vault=self._vault)
        self._recorder.recover()
        self._queue.failed = False

    def _working(self) -> Recorder:
        if self._recorder is None:
            raise RuntimeError("the writer has no connection")
        return self._recorder

    def _vault(self) -> Vault:
        """Return what seals free text; it is made when the first text comes. NotReady where it cannot be."""
        if self._sealing is None:
            self._sealing = Vault.of(self.settings)
        return self._sealing

    def _release(self) -> None:
        if self._sealing is not None:
            self._sealing.close()
        if self._lock is not None:
            self._lock.release()

    def _work(self, jobs: list[Job]) -> None:
        recorder = self._working()
        began = time.monotonic()
        if jobs and jobs[0].item is None:
            self._act(recorder, jobs[0])
        elif jobs:
            self._record(recorder, jobs)
            self._queue.pace(jobs, time.monotonic() - began)
        if recorder.due:
            self._deliver(recorder)

    def _act(self, recorder: Recorder, job: Job) -> None:
        try:
            made = self._acted(recorder, job)
        except Exception as problem:  # noqa: BLE001 - it is the caller's, who is told
            job.future.set_exception(problem)
            self.tally.gave_up()
            if isinstance(problem, _DOWN):
                self._reconnect_if_broken(recorder)
        else:
            if job.act is not None:
                self.tally.act()
            job.future.set_result(made)

    def _acted(self, recorder: Recorder, job: Job) -> Any:
        if job.act is None:
            return None
        if self._traces is None:
            return transact(recorder.link, recorder.ids, job.act)
        with self._traces.work("act", [job.cause]):
            return transact(recorder.link, recorder.ids, job.act)

    def _recorded(self, recorder: Recorder, items: Sequence[Item], jobs: Sequence[Job]) -> list[Answer | None]:
        if self._traces is None:
            return recorder.record(items)
        with self._traces.work("group", [job.cause for job in jobs], size=len(items)):
            return recorder.record(items)

    def _record(self, recorder: Recorder, jobs: Sequence[Job]) -> None:
        """Record a group; what fails is tried again, or cut in halves until the culprit is alone."""
        answers = self._attempt(recorder, jobs)
        if answers is None:
            return
        back: list[Job] = []
        granted: set[str] = set()
        for job, answer in zip(jobs, answers, strict=True):
            members = job.members()
            if answer is None:
                # Behind a command that was granted, or locked elsewhere.
                job.tries += not members & granted
                back.append(job)
                continue
            job.answer(answer)
            if job.item is not None and is_command(job.item):
                self._queue.learn(members, refused=answer.status == "refused")
                granted |= members if answer.status != "refused" else frozenset()
        if back:
            self._again(back)

    def _attempt(self, recorder: Recorder, jobs: Sequence[Job]) -> list[Answer | None] | None:
        """Return the answers; None: everybody has been answered already."""
        items = [job.item for job in jobs if job.item is not None]
        down = False
        for attempt in range(ATTEMPTS):
            try:
                answers = self._recorded(recorder, items, jobs)
                # (Who was put back is counted with the group that decides him.)
                if decided := len(answers) - answers.count(None):
                    self.tally.group(decided)
                return answers
            except _AGAIN as problem:
                _log.info("a group is run again: %s", type(problem).__name__)
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter, not a secret
            except _DOWN as problem:
                _log.warning("the database failed a group: %s", told(problem))
                if not self._reconnect_if_broken(recorder):
                    down = True
                    break
                # COMMIT may have been done. To run the group again finds its keys if so: nothing happens twice.
            except Exception as problem:  # noqa: BLE001 - one bad item must not take the others with it
                if len(jobs) == 1:
                    _log.error("an item failed", exc_info=problem)
                    fail(jobs[0])
                    return None
                break
        else:
            down = True
        if down:
            self.tally.gave_up()
            for job in jobs:
                job.refuse("database_down")
        else:
            # (Outside the handler, or each half's failure would carry those of all the groups above it.)
            middle = len(jobs) // 2
            self._record(recorder, jobs[:middle])
            self._record(recorder, jobs[middle:])
        return None

    def _reconnect_if_broken(self, recorder: Recorder) -> bool:
        """Open a new connection where the old one is gone; returns whether that was so."""
        raw = getattr(recorder.link, "raw", None)
        if not isinstance(raw, psycopg.Connection) or not (raw.closed or raw.broken):
            return False
        recorder.link.close()
        recorder.link = connect(self.url, self.settings)
        return True

    def _again(self, jobs: Sequence[Job]) -> None:
        """Put back what is not decided yet; after three tries for a locked member a job waits in the room instead."""
        patient = [job for job in jobs if job.tries >= TRIES]
        if patient:
            if self._room is None:
                self._room = Room(self.url, self.settings, self._now, self.tally.group)
            for job in patient:
                self._room.put(job)
        self._queue.put_back([job for job in jobs if job.tries < TRIES])
        if not patient and any(job.tries for job in jobs):
            time.sleep(0.001)

    def _deliver(self, recorder: Recorder) -> None:
        try:
            recorder.deliver()
        except (*_AGAIN, *_DOWN) as problem:
            # What is due stands in the book; it is tried again with the next group, or when the process starts.
            _log.warning("emissions wait: %s", told(problem))
            self._reconnect_if_broken(recorder)
        except Exception as problem:  # noqa: BLE001 - what one member cannot be told must not stop all the others
            # It stays due in the book: whoever starts next tries it again, and so does what is told him next.
            _log.error("emissions to member %d fail", recorder.delivering[1], exc_info=problem)
            recorder.due.discard(recorder.delivering)
