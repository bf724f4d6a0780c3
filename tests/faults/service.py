"""The service as it is run, `tierengine serve`, and how it is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.faults.book import Book
from tests.faults.server import children
from tests.keys import SECRET, UNLIMITED

START_SECONDS = 120.0


@dataclass
class Service:
    """`tierengine serve` for one book on a port of its own; with more than one worker only on PostgreSQL."""

    book: Book
    workers: int = 1
    settings: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def start(self, *, wait: bool = True) -> Service:
        """Start it and wait until it takes writes."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TIERENGINE_")}
        environ |= {
            "TIERENGINE_DATABASE_URL": self.book.url,
            "TIERENGINE_PORT": str(self.port),
            "TIERENGINE_WORKERS": str(self.workers),
            "TIERENGINE_LOG_LEVEL": "error",
            "TIERENGINE_SECRET": SECRET,
            **{f"TIERENGINE_{name.upper()}": str(most) for name, most in UNLIMITED.items()},
            **self.settings,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tierengine", "serve"], env=environ, cwd=Path(__file__).parents[2],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        if not wait:
            return self
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            if self.ready():
                return self
            time.sleep(0.05)
        raise RuntimeError(f"the service of {self.book.url} did not start")

    def ready(self) -> bool:
        """Whether it says that it takes writes."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).close()
        except (OSError, urllib.error.URLError):
            return False
        return True

    def kill(self, which: int) -> None:
        """Kill a worker with SIGKILL; where there is but one, that is the service, and it is started again."""
        assert self._process is not None
        if self.workers == 1:
            self._process.kill()
            self._process.wait()
            self.start()
            return
        found = [pid for pid in children(self._process.pid) if b"spawn_main" in _command(pid)]
        if found:
            os.kill(found[which % len(found)], signal.SIGKILL)

    def stop(self, seconds: float = 30) -> int | None:
        """Ask it to end, and wait; returns its exit code."""
        if self._process is None:
            return None
        self._process.terminate()
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            return None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
