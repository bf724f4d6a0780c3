"""Between the event loop and the writer: what arrives in one turn of the loop is handed over together.

The writer then finds a group where it would have found the first of it, and its answers wake the loop once. Nobody
waits for company: what is handed over is what this turn of the loop has read already.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from opentelemetry.trace import SpanContext

from tierengine.recording.items import Answer, Item
from tierengine.recording.writer import Writer
from tierengine.traces import cause


@dataclass(slots=True, eq=False)
class _Waiting:
    """One request: its item, what its endpoint awaits, and what the writer will answer once it has the item."""

    item: Item
    answered: asyncio.Future[Answer]
    cause: SpanContext | None = None
    recorded: Future[Answer] | None = None


class Counter:
    """Used on one event loop; only `_came` runs in the writer's thread."""

    def __init__(self, writer: Writer, *, traced: bool = False) -> None:
        self._writer, self._traced = writer, traced
        self._going: list[_Waiting] = []
        self._back: deque[_Waiting] = deque()
        self._called = False

    async def record(self, item: Item) -> Answer:
        """Queue an item of a till, and return its answer once it is committed (or was not).

        To cancel this (the client left) drops the item while it waits, never once it is begun.
        """
        loop = asyncio.get_running_loop()
        one = _Waiting(item, loop.create_future(), cause() if self._traced else None)
        if not self._going:
            loop.call_soon(self._send, loop)
        self._going.append(one)
        try:
            return await one.answered
        except asyncio.CancelledError:
            if one.recorded is not None:
                one.recorded.cancel()
            raise

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        going = [one for one in self._going if not one.answered.done()]
        self._going.clear()
        causes = [one.cause for one in going] if self._traced else ()
        futures = self._writer.submit_all([one.item for one in going], "till", causes)
        for one, recorded in zip(going, futures, strict=True):
            one.recorded = recorded
            recorded.add_done_callback(partial(self._came, loop, one))

    def _came(self, loop: asyncio.AbstractEventLoop, one: _Waiting, _: Future[Answer]) -> None:
        # First the answer, then the question whether the loop was called: it asks in the other order.
        self._back.append(one)
        if not self._called and not loop.is_closed():
            self._called = True
            loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._called = False
        while self._back:
            one = self._back.popleft()
            # (Let go of, for it holds its callback and so this request: they would wait for the collector to be freed.)
            recorded, one.recorded = one.recorded, None
            if recorded is not None and not one.answered.done() and not recorded.cancelled():
                one.answered.set_result(recorded.result())
