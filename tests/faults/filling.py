"""The disk is full in the middle of the day, and is freed again."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.book import Book, Shelf, counted
from tests.faults.hearing import DONE
from tests.faults.killing import settled
from tests.faults.server import Server
from tests.faults.stage import Sending, Stage, recovered, working
from tests.faults.tally import Tally
from tests.faults.worker import Worker

MEGABYTE = 1 << 20
ROOM = {"sqlite": 24, "postgresql": 192}  # megabytes of the disk
LEFT = {"sqlite": 1, "postgresql": 2}  # megabytes that are left when the day begins
WRITES = 4_000
FULL_SECONDS = 40.0


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path | None]:
    """A disk of this size in memory, which only root may mount; None where we may not."""
    folder.mkdir()
    size = f"size={megabytes}m,mode=0711"
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    ):
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def disk_full(stage: Stage) -> Tally:
    """Nothing more fits; what was acknowledged stands, the rest is refused, and goes in once there is room again."""
    tally = Tally("disk full, then freed", stage.database)
    with small_disk(stage.folder / "small", ROOM[stage.database]) as disk:
        if disk is None and stage.server is not None:
            tally.skipped, tally.note = True, "needs root, to mount a small disk"
        elif disk is None:
            tally.note = "without root: a limit on the size of files instead of a small disk"
            _days(stage, tally, stage.shelf(), None, None)
        elif stage.server is not None:
            server = Server(stage.folder / "full", data=disk / "data")
            server.settings = {"max_wal_size": "64MB", "min_wal_size": "32MB", "checkpoint_timeout": "30s"}
            server.make()
            try:
                _days(stage, tally, Shelf(stage.folder, 50, server.url), disk, server)
            finally:
                server.stop()
        else:
            _days(stage, tally, Shelf(disk, 50), disk, None)
    return tally


def _days(stage: Stage, tally: Tally, shelf: Shelf, disk: Path | None, server: Server | None) -> None:
    for _ in stage.rounds(6):
        with shelf.book() as book:
            sending = Sending(book)
            with working(book) as worker:
                _day(stage, tally, sending, worker, disk, server)
            tally.acknowledged += sending.take(worker)
            tally.check(book, sending.acknowledged)


def _day(
    stage: Stage, tally: Tally, sending: Sending, worker: Worker, disk: Path | None, server: Server | None
) -> None:
    """Let the disk be full once, with one worker that lives through it."""
    ballast = _fill(stage, worker, sending.book, disk)
    numbers = sending.top_up(WRITES)
    worker.watch()
    refused = _until_full(worker, numbers)
    tally.cycles += 1
    tally.kills += refused
    if not refused:
        tally.blame("the disk never was full")
    tally.acknowledged += sending.take(worker)
    if server is None or server.alive():
        _unharmed(tally, sending.book, sending)
    freed = time.monotonic()
    if ballast is None:
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:
        ballast.unlink()
    if server is not None and not server.alive():
        tally.note = "PostgreSQL gave up (PANIC) and was started again"
        server.start()
    worker.watch()
    # There is room for some of what waits, not for all of it.
    sending.waiting = {number for number in numbers[-600:] if number not in sending.acknowledged}
    settled(tally, worker, sending)
    tally.recovered.append(recovered(worker, freed))


def _fill(stage: Stage, worker: Worker, book: Book, disk: Path | None) -> Path | None:
    """Leave hardly any room; returns the file that takes it (None: the worker's files may not grow)."""
    if disk is None:
        size = Path(book.url.removeprefix("sqlite:///")).stat().st_size + MEGABYTE
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        return None
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free - LEFT[stage.database] * MEGABYTE
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(MEGABYTE, free))
    return ballast


def _until_full(worker: Worker, numbers: list[int]) -> bool:
    """Send until something is refused; returns whether that came about."""
    until = time.monotonic() + FULL_SECONDS
    worker.send(numbers)
    while time.monotonic() < until and worker.hear(0.05):
        if any(worker.answers.get(number, 200) not in DONE for number in numbers):
            worker.hear(1.0)
            return True
    return False


def _unharmed(tally: Tally, book: Book, sending: Sending) -> None:
    """While the disk is full the book can be read, and has all that was acknowledged."""
    try:
        lost = counted(book, invariants=False).lost(sending.acknowledged)
    except Exception as problem:  # noqa: BLE001 - PostgreSQL may be on its way down
        if book.kind == "sqlite":
            tally.blame(f"the book cannot be read while the disk is full: {problem}")
        return
    if lost:
        tally.lost += len(lost)
        tally.blame(f"{len(lost)} acknowledged writes are gone while the disk is full")
