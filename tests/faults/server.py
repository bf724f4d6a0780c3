"""A PostgreSQL server of our own that may be killed, started again, copied and promoted. Its disk is waited for."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests import postgres

DEATH_SIGNAL = 1  # of prctl: what this process gets when the one that started it dies


@dataclass
class Server:
    """A server in `folder`, which others may pass through; `url` is that of its database postgres."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    data: Path | None = None
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        self.user = postgres.account()
        self.programs = postgres.programs(self.folder / "programs", self.user)
        self.socket = self.folder / "socket"
        self.data = self.data or self.folder / "data"
        self._own(self.socket)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://tierengine@/postgres?host={quote(str(self.socket), safe='')}"

    def make(self) -> Server:
        """Make its data folder, and start it."""
        assert self.data is not None
        self._own(self.data)
        self.run("initdb", "-D", self.data, "-U", "tierengine", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.configure(postgres.SETTINGS | {"unix_socket_directories": str(self.socket)} | self.settings)
        return self.start()

    def configure(self, settings: dict[str, str]) -> None:
        """Add to its configuration, read at the next start."""
        assert self.data is not None
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self) -> Server:
        """Start it and wait until it takes connections (after a crash it first replays its log)."""
        until = time.monotonic() + postgres.START_SECONDS
        while time.monotonic() < until:
            with (self.folder / "server.log").open("ab") as log:
                self._process = subprocess.Popen(
                    [self.programs / "postgres", "-D", str(self.data)], stdout=log, stderr=log, cwd="/",
                    stdin=subprocess.DEVNULL, env=_environ(), preexec_fn=_with_us, **postgres.lent(self.user),  # noqa: PLW1509
                )  # fmt: skip
            while time.monotonic() < until and self._process.poll() is None:
                with contextlib.suppress(Exception), postgres.connect(f"{self.url}&connect_timeout=2") as link:
                    link.execute("SELECT 1")
                    return self
                time.sleep(0.02)
            time.sleep(0.05)  # processes of the one before may still hold its memory
        raise postgres.NoServerError((self.folder / "server.log").read_text(errors="replace")[-2_000:])

    def kill(self, *, all_at_once: bool) -> None:
        """Kill every process of it with SIGKILL, or let it end without any goodbye (an immediate shutdown)."""
        assert self._process is not None
        mine = children(self._process.pid)
        if all_at_once:
            for pid in (self._process.pid, *mine):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it for good."""
        if self._process is not None:
            postgres.end(self._process)

    def standby(self, folder: Path) -> Server:
        """Return a running copy that follows this one by streaming."""
        other = Server(folder)
        host = f"host={self.socket} user=tierengine application_name=standby"
        assert other.data is not None
        self._own(other.data)
        self.run("pg_basebackup", "-D", other.data, "-R", "-X", "stream", "-c", "fast", "-d", host)
        other.configure({"unix_socket_directories": str(other.socket)})
        return other.start()

    def run(self, program: str, *arguments: object) -> None:
        """Run one of the server's programs as its user."""
        found = subprocess.run(
            [self.programs / program, *map(str, arguments)], capture_output=True, text=True, check=False, cwd="/",
            env=_environ(), **postgres.lent(self.user),
        )  # fmt: skip
        if found.returncode:
            raise postgres.NoServerError(f"{program} failed: {found.stdout}{found.stderr}")

    def has(self, program: str) -> bool:
        return (self.programs / program).is_file()

    def _own(self, path: Path) -> None:
        path.mkdir(mode=0o700, exist_ok=True)
        if self.user:
            shutil.chown(path, self.user)


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _with_us() -> None:
    """Do not outlive the run, however it ends."""
    ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGQUIT)


def children(parent: int) -> list[int]:
    """Return the processes that another one started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(stat[1]) == parent:
                    found.append(int(entry.name))
    return found
