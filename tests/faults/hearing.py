"""Hearing what another process says became of each write, also after it was killed in the middle of a word."""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Callable, Collection
from multiprocessing.context import BaseContext
from typing import Any

ACK = struct.Struct("<IH")  # the number of a write, the status of its answer
READY = 0xFFFFFFFF  # no write: it has started
DONE = frozenset((200, 201, 202))


class Ear:
    """A process that tells (number, HTTP status) as answers come, and what was heard of it.

    answers  the last status of each number
    heard    how many answers came, those to what was asked twice among them
    risen    when (on the monotonic clock) it first said that something is in the book; 0: not since `watch`
    """

    def __init__(self, context: BaseContext, target: Callable[..., None], *arguments: Any) -> None:
        self.answers: dict[int, int] = {}
        self.heard = 0
        self.risen = 0.0
        self._rest = b""
        self._hearing, telling = context.Pipe(duplex=False)
        self._process = context.Process(target=target, args=(*arguments, telling), daemon=True)  # type: ignore[attr-defined]
        self._process.start()
        telling.close()

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def hear(self, seconds: float) -> bool:
        """Hear answers for so long, or until it is gone; returns whether it lives."""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            if not select.select([self._hearing], [], [], max(0.0, left))[0]:
                return True
            data = os.read(self._hearing.fileno(), 1 << 16)
            if not data:
                return False
            data = self._rest + data
            whole = len(data) // ACK.size * ACK.size
            self._rest = data[whole:]
            self.heard += whole // ACK.size
            heard = dict(ACK.iter_unpack(data[:whole]))
            self.answers.update(heard)
            if not self.risen and not DONE.isdisjoint(heard.values()):
                self.risen = time.monotonic()
            if left <= 0:
                return True

    def hear_all(self, numbers: Collection[int], seconds: float = 60) -> bool:
        """Hear until each of these is answered; returns whether that came about.

        It is given up when nothing was heard for so many seconds, or the process is gone.
        """
        until, known = time.monotonic() + seconds, self.heard
        while not all(number in self.answers for number in numbers):
            if time.monotonic() > until or not self.hear(0.05):
                return all(number in self.answers for number in numbers)
            if self.heard > known:
                until, known = time.monotonic() + seconds, self.heard
        return True

    def watch(self) -> None:
        """From here on, `risen` is when it first said that something is in the book."""
        self.risen = 0.0

    def acknowledged(self) -> set[int]:
        """Return the writes of which it said that they are in the book."""
        return {number for number, status in self.answers.items() if status in DONE and number != READY}

    def kill(self) -> None:
        """Kill it, and hear what it had said before."""
        self._process.kill()
        self.leave()

    def leave(self) -> None:
        """Hear the rest of a process that ends."""
        while self.hear(5):
            pass
        self._process.join(30)
        self._hearing.close()
