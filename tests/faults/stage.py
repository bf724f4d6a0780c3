"""What a fault runs on: a folder, a database of one kind, chance with a seed, and how much is to be done."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.book import Book, Shelf
from tests.faults.hearing import DONE, READY, Ear
from tests.faults.server import Server
from tests.faults.tally import Tally
from tests.faults.worker import How, Worker

PATIENCE = 60.0


@dataclass
class Stage:
    """Where a fault runs. `scale` multiplies how often it is tried; 1 is the whole form."""

    folder: Path
    database: str
    server: Server | None
    scale: float = 1.0
    seed: int = 0
    minutes: float = 0.0  # the most that the fault that runs may take; 0: as long as it takes
    begun: float = field(default_factory=time.monotonic)  # when it began
    cut_short: bool = False  # whether it ended for want of time
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed} {self.database}")

    def shelf(self, members: int = 50, policy: str | None = None) -> Shelf:
        """Return a shelf of books of this kind of database."""
        base = self.server.url if self.server else ""
        return Shelf(self.folder, members, base) if policy is None else Shelf(self.folder, members, base, policy)

    def times(self, whole: int) -> int:
        """Return how often to try what the whole form tries so often."""
        return max(1, round(whole * self.scale))

    def more(self, done: int, wanted: int) -> bool:
        """Whether to go on: not all is done, and there is time left."""
        late = self.minutes and time.monotonic() - self.begun > 60 * self.minutes
        self.cut_short = bool(late and 0 < done < wanted)
        return done < wanted and not self.cut_short

    def rounds(self, whole: int) -> Iterator[int]:
        """Yield 0, 1, … as often as the whole form tries it, while there is time left."""
        for turn in range(self.times(whole)):
            if not self.more(turn, self.times(whole)):
                return
            yield turn


Fault = Callable[[Stage], Tally]


@dataclass
class Sending:
    """Numbers that go to one book: new ones, those without an answer yet, those that were acknowledged."""

    book: Book
    first: int = 0
    waiting: set[int] = field(default_factory=set)
    acknowledged: set[int] = field(default_factory=set)

    def top_up(self, count: int) -> list[int]:
        """Return what to send: everything that waits, and new numbers until it is so many."""
        new = max(0, count - len(self.waiting))
        self.waiting.update(range(self.first, self.first + new))
        self.first += new
        return sorted(self.waiting)

    def take(self, worker: Ear) -> int:
        """Take over what a worker acknowledged; returns how many are new."""
        new = worker.acknowledged() - self.acknowledged
        self.acknowledged |= new
        self.waiting -= new
        return len(new)

    def settle(self, worker: Worker, seconds: float = PATIENCE) -> bool:
        """Send what waits again and again until it is acknowledged; returns whether that came about.

        Patience ends when nothing was heard for so many seconds, or nothing new was acknowledged for five times as
        many: a machine with other work on it is slow, and what was sent twice is answered twice.
        """
        last, pause = time.monotonic(), 0.05
        while self.waiting and time.monotonic() < last + 5 * seconds:
            again = sorted(self.waiting)
            for number in again:
                worker.answers.pop(number, None)
            worker.send(again)
            whole = worker.hear_all(again, seconds)
            if self.take(worker):
                last = time.monotonic()
            if not whole:
                break
            if self.waiting:  # "not now": less often each time, or what is sent again is all that is done
                time.sleep(pause)
                pause = min(2.0, 2 * pause)
        return not self.waiting


@contextmanager
def working(book: Book, how: How | None = None) -> Iterator[Worker]:
    """A worker that is ready; at the end it may finish what it began."""
    worker = started(book, how)
    try:
        yield worker
    finally:
        worker.leave()


def started(book: Book, how: How | None = None) -> Worker:
    """Return a worker that is ready."""
    worker = Worker(book, how or How())
    if not worker.hear_all([READY], PATIENCE):
        raise RuntimeError(f"a worker of {book.url} did not start")
    return worker


def hear_some(worker: Ear, numbers: Collection[int], share: float, seconds: float = PATIENCE) -> bool:
    """Hear until this share of the numbers is acknowledged; returns whether the worker lives."""
    wanted, until = share * len(numbers), time.monotonic() + seconds
    while sum(worker.answers.get(number) in DONE for number in numbers) < wanted:
        if not worker.hear(0.02):
            return False
        if time.monotonic() > until:
            break
    return True


def recovered(worker: Ear, since: float, seconds: float = PATIENCE) -> float:
    """Return the seconds from `since` to the first write that the worker acknowledged."""
    until = time.monotonic() + seconds
    while not worker.risen and worker.hear(0.02) and time.monotonic() < until:
        pass
    return (worker.risen or time.monotonic()) - since
