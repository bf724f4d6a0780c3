"""What every step of the machine is made of: one call to all worlds and to the oracle, and what must be so after it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Final
from unittest import mock

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from tests.machine.oracle import Oracle, Wrong
from tests.machine.programme import FAMILIES, ZONE, Family
from tests.machine.truth import FIRM, MEMBERS
from tests.machine.worlds import PLAN, STORE, Call, Reply, World, mortal
from tests.model import dates
from tests.model.dates import DAY
from tierengine.awarding import issuing
from tierengine.policies import versions
from tierengine.policies.versions import load
from tierengine.recording import sealer
from tierengine.recording.rebuilding import rebuild

HOUR, MINUTE = DAY // 24, DAY // 1_440
START: Final = dates.start_of(ZONE, date(2026, 1, 20)) + 10 * HOUR
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What a refused request may change: its own stored answer, the audit of what the staff tried, and what is to be sealed.
_OWN: Final = ("idempotency", "audit", "unsealed")

READ: Final = cache(versions._policy)

Worlds = Callable[[Family, Callable[[], int]], tuple[list[World], Callable[[], None]]]


@dataclass
class Tally:
    """How much was done, of all examples."""

    examples: int = 0
    steps: int = 0
    calls: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Sent:
    """A call that was sent, with what its first sending was answered."""

    call: Call
    replies: tuple[Reply, ...]
    at: int


def stamp(at: int) -> str:
    return (_EPOCH + timedelta(microseconds=at)).isoformat()


members = st.sampled_from(MEMBERS)
agos = st.sampled_from((0, 0, 1, MINUTE, HOUR, DAY, 3 * DAY, 12 * DAY, 33 * DAY))
fen = st.integers(1, 30)
lists = st.sampled_from((1, 10, 35, 50, 99, 100, 151, 250))


class Playing(RuleBasedStateMachine):
    """No rule but the first; `worlds` makes the worlds of an example, and what ends them."""

    worlds: ClassVar[Worlds]
    tally: ClassVar[Tally]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(mortal())
        # Its own seconds would decide when the sealer looks; here it is a rule.
        self.stack.enter_context(mock.patch.object(sealer, "LOOK_SECONDS", 3_600.0))
        self.stack.enter_context(mock.patch.object(issuing, "TOGETHER", 1))
        # To read a text takes longer than to do anything by it, and many are started here.
        self.stack.enter_context(mock.patch.object(versions, "_policy", READ))
        self.numbers = itertools.count(1)
        self.crash = ""
        self.crashed = False
        self.sound = False  # whether the last step was looked at to its end
        self.wrote = True
        self.spoken: set[str] = set()
        self.sent: list[Sent] = []
        self.raws: dict[str, dict[str, Any]] = {}  # event key → the highest revision of it as it was sent
        self.holds: dict[str, tuple[str, list[int]]] = {}  # order → whose, its id in each world
        self.asked: list[dict[str, Any]] = []  # holds that were made, as they were asked for
        self.oracle: Oracle
        self.all: list[World] = []

    @initialize(family=st.sampled_from(FAMILIES))
    def begin(self, family: Family) -> None:
        self.oracle = Oracle(family, START)
        self.all, end = type(self).worlds(family, lambda: self.oracle.now)
        self.stack.callback(end)
        for member in FIRM:
            said = {"kind": "attribute_changed", "member": member, "name": "firm", "value_text": "F1"}
            self.tell(said, lambda: "recorded", source_id=f"firm-{member}")
        type(self).tally.examples += 1

    # ---- one call, everywhere

    def call(self, path: str, body: Mapping[str, Any], role: str) -> Call:
        return Call(path, body, role, f"k{next(self.numbers)}")

    def ask(self, call: Call, expected: Callable[[], str]) -> list[Reply]:
        """Send a call to all; they answer alike, and as the oracle says."""
        self.tally.calls[call.path.split("/")[2 if call.path.count("/") == 2 else -1]] += 1
        kept = [world.dump() for world in self.all] if self._refused(expected) else None
        try:
            status, code = expected(), ""
        except Wrong as wrong:
            status, code = "refused", wrong.code
        replies = self.everywhere(call)
        first = replies[0]
        self.spoken |= {first.body.get("member", ""), call.body.get("to", "")} & set(MEMBERS)
        assert (first.body.get("status", "") if not first.code else "refused", first.code) == (status, code), (
            call, first, status, code,
        )  # fmt: skip
        if kept is not None and code:
            self.unchanged(kept, replies, code)
        self.sent.append(Sent(call, tuple(replies), self.oracle.now))
        return replies

    def _refused(self, expected: Callable[[], str]) -> bool:
        """Whether it will be refused: asked of an oracle that is thrown away."""
        kept = self.oracle
        self.oracle = kept.copy()
        try:
            expected()
        except Wrong:
            return True
        finally:
            self.oracle = kept
        return False

    def everywhere(self, call: Call | list[Call]) -> list[Reply]:
        calls = call if isinstance(call, list) else [call] * len(self.all)
        crash, self.crash = self.crash, ""
        self.crashed, self.wrote, self.sound = False, True, False
        replies = []
        for world, one in zip(self.all, calls, strict=True):
            PLAN.at = crash
            reply = world.send(one)
            PLAN.at = ""
            if reply.status == 503:
                assert crash, reply
                self.crashed = True
                reply = world.send(one)  # as a till does that got no answer
            replies.append(reply)
        self.alike(replies, call)
        return replies

    def alike(self, found: list[Any], about: object) -> None:
        for world, one in zip(self.all[1:], found[1:], strict=True):
            assert one == found[0], (about, self.all[0].name, found[0], world.name, one)

    def unchanged(self, kept: list[dict[str, str]], replies: list[Reply], code: str) -> None:
        """A refused request has changed nothing but its own stored answer (and the list of contradictions)."""
        own = (*_OWN, "event_conflict") if code == "event_conflict" else _OWN
        for world, before, reply in zip(self.all, kept, replies, strict=True):
            after = world.dump()
            changed = {table for table in after if after[table] != before[table]}
            assert changed <= set(own), (world.name, code, changed)
            rows = [int(one["idempotency"].split()[0]) for one in (before, after)]
            assert rows[1] - rows[0] == int(reply.status == 409), (world.name, reply)

    # ---- what is said

    def tell(
        self, raw: Mapping[str, Any], expected: Callable[[], str], *, ago: int = 0, role: str = "archivist", **more: Any
    ) -> list[Reply]:
        body = {"occurred_at": stamp(self.oracle.now - ago), "store": STORE, **raw, **more}
        return self.ask(self.call("/v1/events", body, role), expected)

    # ---- what must be so

    def check_invariants(self, *args: Any, **named: Any) -> None:  # type: ignore[override]
        """After every step (Hypothesis calls it then)."""
        super().check_invariants(*args, **named)
        if self.all:
            self.tally.steps += 1
            self.look()
            self.sound = True

    def look(self) -> None:
        if self.wrote:
            for world in self.all:
                assert world.broken() == (), world.name
        self.oracle.forward(0)
        # Those of whom the last call spoke, and another one in turn.
        seen_now = {*self.spoken, MEMBERS[self.tally.steps % 3]}
        self.wrote, self.spoken = False, set()
        for member in sorted(seen_now):
            seen = [world.see(f"/v1/members/{member}") for world in self.all]
            self.alike(seen, f"member {member}")
            assert seen[0]["standing"]["tier"] == self.oracle.tier(member), (member, seen[0]["standing"])
            for shown in seen[0]["wallets"]:
                name = shown["wallet"]
                told = tuple(shown[part] for part in ("available", "held", "debt", "usable"))
                assert told == self.oracle.balances(member)[name], (member, name, told, self.oracle.balances(member))
                days = Counter[str]()
                for lot in shown["lots"]:
                    days[lot["last_day"]] += lot["remaining"]
                ends = self.oracle.ends(member)[name]
                assert days == {str(dates.day_of(ZONE, end - 1)): count for end, count in ends.items()}, (member, name)

    def teardown(self) -> None:
        try:
            for world in self.all if self.sound else ():
                self.rebuilt(world)
            for member in MEMBERS if self.sound else ():
                pages = [world.see(f"/v1/members/{member}/ledger?limit=200") for world in self.all]
                self.alike(pages, f"statement of {member}")
                if len(pages[0]["lines"]) < 200:
                    for wallet, (available, held, debt, _) in self.oracle.booked(member).items():
                        mine = [line for line in pages[0]["lines"] if line["wallet"] == wallet]
                        sums = tuple(sum(line[part] for line in mine) for part in ("available", "held", "debt"))
                        assert sums == (available, held, -debt), (member, wallet, sums)
        finally:
            self.stack.close()

    def rebuilt(self, world: World) -> None:
        """All caches and decisions come out the same when they are made again from the observations."""
        with world.looking() as link:
            found = rebuild(link, load(link, world.dealer))
        assert found.same, (world.name, found)
