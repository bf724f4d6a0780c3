"""A policy file's bytes, or the problem with the file itself: whatever stands at the path, at once, in little memory.

A pipe that nobody writes to would be waited for, a device would never end, and 50 MB would be read to be refused.
"""

from __future__ import annotations

import os
import stat
from datetime import date
from pathlib import Path

from rules.checking import check
from rules.policy import Mark
from rules.problems import Problem
from rules.reader import Reading
from rules.source import MAX_BYTES

_KINDS = {
    stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}  # fmt: skip


def check_file(path: Path, today: date | None = None) -> Reading:
    """Check the policy file at a path; OSError where the system does not let it be opened."""
    found = content(path)
    return Reading(None, (found,)) if isinstance(found, Problem) else check(found, str(path), today)


def content(path: Path) -> bytes | Problem:
    """Return what a file holds, up to what a policy may; OSError where the system does not let it be opened."""
    # Not to block on a pipe that has no writer.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "device")
            return Problem("P118", Mark(1, 1), kind, file=str(path))
        if status.st_size > MAX_BYTES:
            return Problem("P104", Mark(1, 1), str(status.st_size), (str(MAX_BYTES),), file=str(path))
        # It may be growing; and a read may give less than was asked for.
        pieces = []
        left = MAX_BYTES + 1
        while left > 0 and (piece := os.read(handle, left)):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)
    finally:
        os.close(handle)
