"""A disk whose flush takes longer: flushes.c, built with the machine's C compiler and loaded before libc.

What is simulated is the wait alone: after each real `fsync` or `fdatasync` the thread that asked for it sleeps so many
milliseconds more. Reads, writes and whatever else the program does go on as they are, and so does every other thread.
"""

from __future__ import annotations

import shutil
import sqlite3
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_COMMITS = """
import sqlite3, sys, time
link = sqlite3.connect(sys.argv[1], isolation_level=None)
link.execute("PRAGMA journal_mode = WAL")
link.execute("PRAGMA synchronous = FULL")
link.execute("CREATE TABLE one (number integer)")
for number in range(40):
    begun = time.perf_counter()
    link.execute("INSERT INTO one VALUES (?)", (number,))
    print((time.perf_counter() - begun) * 1000)
"""


@dataclass(frozen=True)
class Disk:
    """`environ`: with it a program is on this disk. `commit_ms`: what a COMMIT of one row in SQLite takes there."""

    environ: dict[str, str]
    commit_ms: float
    _counted: Path

    def flushes(self) -> int:
        """Return how many flushes were asked for until now, by all programs on this disk."""
        return int.from_bytes(self._counted.read_bytes(), sys.byteorder)


def disk(folder: Path, more_ms: int) -> Disk:
    """Return a disk in `folder` whose every flush takes so many milliseconds more than the real one."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError("no C compiler (cc) to build tests/bench/flushes.c with")
    built, counted = folder / "flushes.so", folder / f"flushes-{more_ms}"
    source = Path(__file__).with_name("flushes.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", built, source, "-ldl"], check=True)
    counted.write_bytes(bytes(8))
    environ = {"LD_PRELOAD": str(built), "FLUSH_SLEEP_US": str(more_ms * 1_000), "FLUSH_COUNT": str(counted)}
    tried = subprocess.run(
        [sys.executable, "-c", _COMMITS, folder / f"tried-{more_ms}.db"], env=environ, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    found = Disk(environ, statistics.median(map(float, tried.stdout.split())), counted)
    if found.flushes() < 40 or found.commit_ms < more_ms:
        raise RuntimeError(
            f"SQLite {sqlite3.sqlite_version} does not flush where flushes.c could wait: {found.flushes()} flushes of "
            f"40 commits were seen, {found.commit_ms:.2f} ms each"
        )
    return found
