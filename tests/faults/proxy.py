"""A proxy before a PostgreSQL server that knows where COMMIT is in what goes by, and can cut the connection there.

It reads the frames of the protocol as far as it must: which prepared statement is COMMIT (Parse), and when it is bound
(Bind). A COMMIT sent as a simple query is seen too.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote

Where = Literal["before", "amid", "after"]
"""Before the server sees COMMIT; after half of that frame; after it did all, and before its answer goes back."""
NAME = ".s.PGSQL.5432"


@dataclass
class Proxy:
    """Listens in `folder` and passes on to the server whose socket is in `behind`."""

    folder: Path
    behind: Path
    cuts: int = 0
    _plan: tuple[Where, int] | None = None
    _open: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.folder / NAME))
        self._listening.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, of: str) -> str:
        """Return the URL of a database of the server, by way of this proxy."""
        return of.partition("?")[0] + f"?host={quote(str(self.folder), safe='')}"

    def cut(self, where: Where, commits: int) -> None:
        """Cut the connection at the COMMIT after so many others."""
        with self._lock:
            self._plan = (where, commits)

    def close(self) -> None:
        self._listening.close()
        for one in self._open:
            _end(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self.behind / NAME))
                self._open += [client, server]
                silent = threading.Event()
                threading.Thread(target=_pass_on, args=(server, client, silent), daemon=True).start()
                threading.Thread(target=self._watch, args=(client, server, silent), daemon=True).start()

    def _watch(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        """Pass on what the client sends, frame by frame, and cut where that is due."""
        commits: set[bytes] = set()
        data, greeted = b"", False
        with contextlib.suppress(OSError):
            while more := client.recv(1 << 16):
                data += more
                while (size := _size(data, greeted=greeted)) and len(data) >= size:
                    frame, data = data[:size], data[size:]
                    if greeted and _is_commit(frame, commits) and (where := self._due()):
                        self._cut(where, frame, client, server, silent)
                        return
                    # (A client that asks for encryption first greets twice.)
                    greeted = greeted or frame[4:8] != b"\x04\xd2\x16\x2f"
                    server.sendall(frame)
        _end(client)
        _end(server)

    def _due(self) -> Where | None:
        with self._lock:
            if self._plan is None:
                return None
            where, left = self._plan
            self._plan = (where, left - 1) if left else None
            return None if left else where

    def _cut(
        self, where: Where, frame: bytes, client: socket.socket, server: socket.socket, silent: threading.Event
    ) -> None:
        self.cuts += 1
        if where == "amid":
            server.sendall(frame[: len(frame) // 2])
        elif where == "after":
            # No answer goes back from here on; what follows COMMIT (execute, sync) still arrives.
            silent.set()
            server.sendall(frame)
            client.settimeout(0.05)
            with contextlib.suppress(OSError):
                while more := client.recv(1 << 16):
                    server.sendall(more)
            time.sleep(0.05)
        _end(client)
        _end(server)


def _size(data: bytes, *, greeted: bool) -> int:
    """Return the size of the first frame, 0 while that is not known."""
    if not greeted:
        return int.from_bytes(data[:4], "big") if len(data) >= 4 else 0
    return 1 + int.from_bytes(data[1:5], "big") if len(data) >= 5 else 0


def _is_commit(frame: bytes, commits: set[bytes]) -> bool:
    """Whether this frame runs COMMIT; remembers the statements that are one."""
    kind, content = frame[:1], frame[5:]
    if kind == b"P":
        name, _, rest = content.partition(b"\0")
        if rest.partition(b"\0")[0].strip().upper() == b"COMMIT":
            commits.add(name)
        else:
            commits.discard(name)
    elif kind == b"B":
        return content.split(b"\0", 2)[1] in commits
    elif kind == b"Q":
        return content.rstrip(b"\0; ").strip().upper() == b"COMMIT"
    return False


def _pass_on(source: socket.socket, target: socket.socket, silent: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            if not silent.is_set():
                target.sendall(data)
    _end(target)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
