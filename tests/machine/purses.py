"""A member's wallet in which every fen is a thing of its own: where it came from, when it ends, and what became of it.

Written from ledger.md and judging.md, not from the code. Each unit is moved by itself; nothing is summed that is not
counted when it is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

NEVER = 1 << 61
Pair = tuple[str, str]


class Short(Exception):
    """There is less than what is asked for."""


class ClawbackRefused(Exception):
    """A claw-back found less than it wants, and its wallet's rule is to refuse."""


@dataclass(eq=False)
class Unit:
    """One fen or point. `state` is free, held, used, paid (a debt), lapsed, handed (to another member), or gone."""

    pair: Pair
    lot: int
    usable_from: int
    expires_at: int
    state: str = "free"


@dataclass
class Hold:
    """Units tied up for an order until an instant; `asked` is how many it tied up, `state` what became of it."""

    order: str
    until: int
    asked: int
    units: list[Unit]
    captured: int = 0
    state: str = "held"


class Helpers(Protocol):
    """The same wallet of members who are one with its owner."""

    def level(self) -> None:
        """Pay what any of them owes out of what any of them has."""

    def lend(self, to: str, count: int, /) -> None:
        """Hand over up to so many of what the others have."""

    def bring(self, to: str, count: int, /, *, any_unit: bool = False) -> None:
        """Have in one purse, of the units of all that end first, so many."""


@dataclass
class Purse:
    """One wallet of one member."""

    units: list[Unit] = field(default_factory=list)
    debt: int = 0
    now: int = 0
    lots: int = 0
    known: bool = False  # whether anything was ever posted to it
    forgiven: Counter[Pair] = field(default_factory=Counter)
    orders: dict[str, list[Unit | None]] = field(default_factory=dict)  # None: taken without there being any
    holds: dict[str, Hold] = field(default_factory=dict)
    kin: Helpers | None = field(default=None, repr=False, compare=False)  # those who are one with him, if any

    # ---- looking

    def free(self, only: Callable[[Unit], bool] = lambda _: True) -> list[Unit]:
        """The free units, the one that is to go first at the front."""
        return sorted((u for u in self.units if u.state == "free" and only(u)), key=lambda u: (u.expires_at, u.lot))

    def ready(self) -> list[Unit]:
        return self.free(lambda u: u.usable_from <= self.now)

    def told(self) -> tuple[int, int, int, int]:
        """Available, held, debt, usable."""
        held = sum(u.state == "held" for u in self.units)
        return len(self.free()), held, self.debt, len(self.ready())

    def ends(self) -> Counter[int]:
        """How many units end when, the held ones too."""
        return Counter(u.expires_at for u in self.units if u.state in ("free", "held"))

    def used(self, order: str) -> int:
        return len(self.orders.get(order, ()))

    def open(self) -> list[Hold]:
        return [hold for hold in self.holds.values() if hold.state == "held"]

    # ---- time

    def tick(self, now: int) -> None:
        """Let everything end that has an end by then, in order of time."""
        self.now = max(self.now, now)
        for hold in sorted((hold for hold in self.open() if hold.until <= self.now), key=lambda hold: hold.until):
            self.lapse(hold.until)
            self.let_go(hold, "lapsed")
        self.lapse(self.now)

    def lapse(self, at: int) -> None:
        for unit in self.free(lambda u: u.expires_at <= at):
            unit.state = "lapsed"

    def pay(self) -> None:
        for unit in self.free()[: self.debt]:
            unit.state = "paid"
            self.debt -= 1
        if self.kin is not None:
            self.kin.level()

    def come_in(self) -> None:
        self.known = True
        self.pay()
        self.lapse(self.now)

    # ---- grants

    def lot(self, pair: Pair, count: int, usable_from: int, expires_at: int) -> None:
        self.lots += 1
        self.units += [Unit(pair, self.lots, usable_from, expires_at) for _ in range(count)]

    def rise(self, pair: Pair, count: int, usable_from: int, expires_at: int) -> None:
        undone = min(count, self.forgiven[pair])
        self.forgiven[pair] -= undone
        if count > undone:
            self.lot(pair, count - undone, usable_from, expires_at)
        self.come_in()

    def lacks(self, pair: Pair, count: int) -> int:
        """What a fall would not find here."""
        lapsed = sum(u.pair == pair and u.state == "lapsed" for u in self.units)
        return max(0, count - len(self.free()) - lapsed)

    def fall(self, pair: Pair, count: int, clawback: str, gone: tuple[int, int] | None = None) -> None:
        """Take back; `gone`: the dates that the grant has no longer, of which its units go first."""
        self.known = True
        mine = self.free(lambda u: u.pair == pair)
        old = [u for u in mine if gone in (None, (u.usable_from, u.expires_at))]
        lapsed = [u for u in self.units if u.pair == pair and u.state == "lapsed"]
        new = [u for u in mine if u not in old]
        others = self.free(lambda u: u.pair != pair)
        found = (old + lapsed + new + others)[:count]
        missing = count - len(found)
        if missing and clawback == "refuse":
            raise ClawbackRefused
        for unit in found:
            unit.state = "gone"
        tied = sum(u.state == "held" for u in self.units)
        owed = min(missing, tied) if clawback == "forgive" else missing
        self.debt += owed
        self.forgiven[pair] += missing - owed

    # ---- uses

    def use(self, order: str, count: int, *, late: bool = False) -> None:
        ready = self.ready()
        if len(ready) < count and not late:
            raise Short
        taken = (ready + self.free(lambda u: u.usable_from > self.now))[:count]
        for unit in taken:
            unit.state = "used"
        self.debt += count - len(taken)
        self.known = True
        self.orders.setdefault(order, []).extend([*taken, *[None] * (count - len(taken))])

    def give_back(self, order: str, count: int, over_use_ends: int) -> None:
        """The newest uses of the order go back to where they came from."""
        stack = self.orders[order]
        overused = 0
        for unit in [stack.pop() for _ in range(count)]:
            if unit is None:
                overused += 1
            else:
                unit.state = "free"
        undone = min(overused, self.debt)
        self.debt -= undone
        if overused > undone:
            self.lot((order, ""), overused - undone, self.now, over_use_ends)
        self.come_in()

    # ---- holds

    def hold(self, order: str, count: int, until: int) -> None:
        ready = self.ready()
        if len(ready) < count:
            raise Short
        self.holds[order] = Hold(order, until, count, ready[:count])
        for unit in ready[:count]:
            unit.state = "held"
        self.known = True

    def capture(self, hold: Hold, count: int, *, keep: bool) -> None:
        if count > len(hold.units):
            raise Short
        for unit in hold.units[:count]:
            unit.state = "used"
        self.orders.setdefault(hold.order, []).extend(hold.units[:count])
        hold.units = hold.units[count:]
        hold.captured += count
        if not (keep and hold.units):
            self.let_go(hold, "captured")
        self.lapse(self.now)

    def void(self, hold: Hold) -> None:
        self.let_go(hold, "voided")
        self.lapse(self.now)

    def let_go(self, hold: Hold, state: str) -> None:
        for unit in hold.units:
            unit.state = "free"
        hold.units, hold.state = [], state
        self.pay()

    # ---- handing on

    def hand_out(self, count: int) -> list[Unit]:
        ready = self.ready()
        if len(ready) < count:
            raise Short
        for unit in ready[:count]:
            unit.state = "handed"
        return ready[:count]

    def take_in(self, key: str, units: Iterable[Unit]) -> None:
        """Every unit keeps its dates; those that were of one lot are of one lot again."""
        places: dict[int, int] = {}
        for unit in units:
            if unit.lot not in places:
                self.lots += 1
                places[unit.lot] = self.lots
            self.units.append(Unit((key, ""), places[unit.lot], unit.usable_from, unit.expires_at))
        self.come_in()
