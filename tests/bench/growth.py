"""One member with a long history against one with a short one, and a late event against one in order, in process.

The histories are recorded, not made up: orders of one or two lines, a contact now and then, over five years up to an
hour ago. Every act is measured in time and in processor time (the server's with it), once with what the process
remembers of the member and once, cold, without.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.bench.processor import server_of, spent
from tests.bench.stage import Stage, analyze, make
from tierengine.judging.history import Observation
from tierengine.judging.observations import read_observation
from tierengine.membership.asker import Asker
from tierengine.policies.versions import Programme, Programmes
from tierengine.recording.items import Observe
from tierengine.recording.recorder import Recorder, clock
from tierengine.store.database import connect
from tierengine.store.dialect import Link
from tierengine.store.snapshots import reader
from tierengine.till.orders import Order, read_order
from tierengine.till.quotes import charge, quote
from tierengine.till.sales import sale

YEARS = 5
SECOND = 1_000_000
DAY = 86_400 * SECOND
HOUR = 3_600 * SECOND
MONTH = 30 * DAY
LATE = {"a day": DAY, "a month": MONTH, "half a history": YEARS * 365 * DAY // 2}


@dataclass
class Act:
    """What was measured of one act: seconds and seconds of processors, run by run."""

    took: list[float] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)

    def median(self) -> float:
        """Return the median time in milliseconds."""
        return statistics.median(self.took) * 1_000

    def processor(self) -> float:
        """Return the mean processor time in milliseconds, of all but the worst quarter.

        (No median: a server counts in hundredths of a second.)
        """
        return statistics.mean(sorted(self.computed)[: len(self.computed) * 3 // 4 + 1]) * 1_000


class Counter:
    """A dealer's counter in this process: one recorder, one connection that reads.

    tag  begins the number of every order and contact that is told of here
    """

    def __init__(self, stage: Stage, sizes: tuple[int, ...] = (), tag: str = "") -> None:
        self.tag = tag
        self.recorder = Recorder(connect(stage.url))
        self.reads = reader(stage.url)
        self.dealer = int(self.recorder.link.ask("SELECT id FROM dealer").rows()[0][0])
        self.recorder.link.rollback()
        self.programme = self._programme(self.recorder.link)
        self.begun = clock() - HOUR
        self.number = 0
        for place, size in enumerate(sizes):
            self._fill(stage.member(place), size)
        analyze(stage)
        self.server = server_of(self.recorder.link)

    def _programme(self, link: Link) -> Programme:
        head = link.ask("SELECT max(number) FROM policy_version").rows()[0][0]
        found = Programmes().of(link, self.dealer, head)
        link.rollback()
        return found

    def _fill(self, member: str, size: int) -> None:
        first = self.begun - YEARS * 365 * DAY
        step = (self.begun - first) // size
        waiting: list[Observe] = []
        for number in range(size):
            waiting.append(Observe(self.dealer, self.said(member, first + number * step, contact=number % 10 == 9)))
            if len(waiting) == 64 or number == size - 1:
                self.recorder.record(waiting)
                waiting = []
        self.recorder.deliver()

    def said(self, member: str, at: int, *, contact: bool = False) -> Observation:
        """Return a purchase of parts, or a contact, that nobody has told of yet."""
        self.number += 1
        raw: dict[str, Any] = {"member": member, "occurred_at": _text(at)}
        if contact:
            raw |= {
                "kind": "contact",
                "source_id": f"{self.tag}c{self.number}",
                "channel": "phone",
                "direction": "customer",
            }
            raw |= {"status": "accepted"}
        else:
            lines = [{"item": f"filter{self.number % 7}", "category": "parts", "qty": 1, "amount": 36_000}]
            lines += [{"item": "oil", "category": "lubricant", "qty": 2, "amount": 58_000}] * (self.number % 2)
            raw |= {"kind": "parts_purchase", "order": f"{self.tag}G{self.number}", "lines": lines}
        return read_observation(raw, **self._form())

    def order(self, member: str) -> Order:
        """Return an order of now."""
        self.number += 1
        lines = [
            {"item": "filter", "category": "parts", "qty": 2, "list": 36_000},
            {"item": "oil", "category": "lubricant", "qty": 1, "list": 58_000},
        ]
        raw = {"member": member, "order": f"{self.tag}S{self.number}", "occurred_at": _text(clock()), "lines": lines}
        return read_order(raw | {"credit": "max"}, **self._form())

    def _form(self) -> dict[str, Any]:
        return {
            "source": "till", "store": "S01", "now_us": clock(), "zone": self.programme.info, "late_days": None,
            "currency": "CNY",
        }  # fmt: skip

    # ---- acts

    def quoted(self, member: str) -> None:
        quote(self.reads, self.programme, self.order(member), clock(), Asker(lang="zh"))

    def sold(self, member: str) -> None:
        """Sell as the service does: price from a read, then record with a check under the lock."""
        order = self.order(member)
        charged = charge(self.reads, self.programme, order, clock())
        made = sale(self.dealer, order, charged.lines, charged.uses, now=clock(), once=None)
        self._recorded([made])

    def told(self, member: str, ago: int = 0) -> None:
        self._recorded([Observe(self.dealer, self.said(member, clock() - ago))])

    def _recorded(self, items: list[Any]) -> None:
        answer = self.recorder.record(items)[0]
        if answer is None or answer.status != "recorded":
            raise RuntimeError(f"not recorded: {answer}")

    def forget(self) -> None:
        """Let the process know nothing of any member's history."""
        self.recorder.memory = type(self.recorder.memory)()

    def close(self) -> None:
        self.recorder.link.close()
        self.reads.close()


def measure(url: str, few: int, many: int, rounds: int) -> dict[tuple[str, str], Act]:
    """Return (what, "few" or "many") → what was measured, all acts in turn."""
    counter = Counter(make(url, 2), (few, many))
    small, large = "M0000000", "M0000001"
    found: dict[tuple[str, str], Act] = {}
    try:
        for turn in range(rounds + 1):
            for what, which, act, cold in _acts(counter, small, large):
                if cold:
                    counter.forget()
                made = found.setdefault((what, which), Act())
                computed, began = spent(counter.server), time.perf_counter()
                act()
                took = time.perf_counter() - began
                if turn:  # the first round warms up
                    made.took.append(took)
                    made.computed.append(spent(counter.server) - computed)
    finally:
        with suppress(Exception):
            counter.close()
    return found


def _acts(counter: Counter, small: str, large: str) -> Iterator[tuple[str, str, Callable[[], None], bool]]:
    for which, member in (("few", small), ("many", large)):
        counter.told(member)  # after the cold acts: what the process knows is known again
        for _ in range(3):
            yield "quote", which, lambda member=member: counter.quoted(member), False
            yield "event in order", which, lambda member=member: counter.told(member), False
            yield "sale", which, lambda member=member: counter.sold(member), False
        yield "event in order, cold", which, lambda member=member: counter.told(member), True
        yield "sale, cold", which, lambda member=member: counter.sold(member), True
    half = LATE["half a history"]
    # After the cold acts nothing is known of how the history was judged: the first one that is so late finds out.
    yield "event late by half a history, the first in a process", "many", lambda: counter.told(large, half), True
    for name, ago in LATE.items():
        yield f"event late by {name}", "many", lambda ago=ago: counter.told(large, ago), False


def _text(at: int) -> str:
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat()
