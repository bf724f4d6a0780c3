"""Processor time of this process and of the PostgreSQL server it talks to: what a busy machine does not stretch."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from tierengine.store.dialect import Link

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _OWN, _CHILDREN = 1, slice(11, 13), slice(13, 15)  # fields of /proc/PID/stat after the name


def server_of(link: Link) -> int | None:
    """Return the process that all of the link's server descend from; None for SQLite, which is in this process."""
    if link.kind == "sqlite":
        return None
    backend = link.ask("SELECT pg_backend_pid()").rows()[0][0]
    link.rollback()
    return int(_fields(backend)[_PARENT])


def spent(server: int | None) -> float:
    """Return the seconds that this process and the server have computed until now (a server's in hundredths)."""
    mine = time.process_time()
    if server is None:
        return mine
    ended = sum(map(int, _fields(server)[_CHILDREN]))
    return mine + (ended + sum(_running(server))) / _TICKS


def _running(server: int) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = _fields(int(folder.name))
            except OSError:  # it ended just now
                continue
            if int(fields[_PARENT]) == server:
                yield sum(map(int, fields[_OWN]))


def _fields(process: int) -> list[str]:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
