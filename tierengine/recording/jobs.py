"""Jobs: requests that wait for the writer; and which of them share one transaction."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.trace import SpanContext

from tierengine.errors import Unavailable
from tierengine.recording.items import Answer, Item, is_command, members_of, refusal
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids


@dataclass(slots=True, eq=False)
class Job:
    """One request that waits: an item, or an act of its own on the link; with neither, a mere mark in the queue.

    deadline  when it is dropped unread, on the monotonic clock; None: never
    tries     how often it was put back because a member was locked elsewhere
    cause     the span of the request, where there are traces
    """

    future: Future[Any]
    item: Item | None = None
    act: Callable[[Link, Ids], Any] | None = None
    deadline: float | None = None
    tries: int = 0
    cause: SpanContext | None = None
    since: float = field(default_factory=time.monotonic)

    def members(self) -> frozenset[str]:
        """Return the codes of the members that the item names."""
        return members_of(self.item) if self.item else frozenset()

    def wanted(self, now: float) -> bool:
        """Whether somebody still waits for the answer; the job is begun then. One past its deadline is answered so."""
        begun = self.tries or self.future.running()
        if not begun and not self.future.set_running_or_notify_cancel():
            return False
        if self.deadline is not None and now > self.deadline:
            self.refuse("deadline")
            return False
        return True

    def answer(self, answer: Answer) -> None:
        """Give the answer, unless one was given."""
        if not self.future.done():
            self.future.set_result(answer)

    def refuse(self, code: str) -> None:
        """Answer an item with a code, an act with an error."""
        if self.future.done():
            return
        if self.item is None:
            self.future.set_exception(Unavailable(code))
        else:
            self.future.set_result(refusal("unavailable", Unavailable(code)))


def fail(job: Job) -> None:
    """Answer that the item failed by our own fault; nothing of it was recorded."""
    if not job.future.done():
        body = {"status": "failed", "code": "failed"}
        job.future.set_result(Answer("failed", "failed", body))


def take_group(lane: deque[Job], most: int, refused: Collection[str] = ()) -> list[Job]:
    """Take from the lane what goes into one transaction: an act alone, or items of one dealer in their order.

    A command sees what was recorded before it, so it does not share a group with an earlier item of its member; and
    nobody overtakes an item of his own that stays. Commands of the members in `refused`, whose last one changed
    nothing, do share one: when forty tills ask for the same last credit, all but one of them ask in vain. Those behind
    one that is granted after all are put back (Group).
    """
    first = lane[0]
    if first.item is None:
        return [lane.popleft()]
    dealer = first.item.dealer
    taken: list[Job] = []
    left: list[Job] = []
    inside: set[str] = set()
    told: set[str] = set()  # who has an item inside that is no command
    waiting: set[str] = set()
    while lane and len(taken) < most and len(left) < most:
        job = lane[0]
        item = job.item
        if item is None:
            break  # an act comes after all that came before it
        lane.popleft()
        members = job.members()
        command = is_command(item)
        alone = command and members & inside and (members & told or not all(one in refused for one in members))
        if item.dealer != dealer or members & waiting or alone:
            waiting |= members
            left.append(job)
        else:
            inside |= members
            told |= frozenset() if command else members
            taken.append(job)
    lane.extendleft(reversed(left))
    return taken
