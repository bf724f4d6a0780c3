"""Members who are one, as ledger.md#merged has it: whose purses help which, and what goes back when they part.

A purse that is one with others holds them in its `kin`. Units go over one by one, with their dates, as a transfer under
the key of the merge; what each gave and took is kept by the dates of the units until they part.
"""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.machine.purses import Purse, Unit
from tests.model.rows import Said

MERGE = "merge::"


Dates = tuple[int, int]


@dataclass
class Handed:
    """Of one wallet: what each took in of those who are one with him, by its dates, less what he gave them."""

    of: defaultdict[str, Counter[Dates]] = field(default_factory=lambda: defaultdict(Counter))

    def went(self, giver: str, to: str, unit: Unit) -> None:
        self.of[giver][unit.usable_from, unit.expires_at] -= 1
        self.of[to][unit.usable_from, unit.expires_at] += 1

    def has(self, member: str) -> int:
        return sum(self.of[member].values())

    def lapse(self, now: int) -> None:
        """What would have lapsed with whoever had it is missed by nobody."""
        for mine in self.of.values():
            for dates in [one for one in mine if one[1] <= now]:
                del mine[dates]

    def forget(self, sides: Sequence[Sequence[str]]) -> None:
        """What did not go back stays spent: fen by fen, off whoever has, or misses, most; of what ends first."""
        for side in sides:
            over = sum(map(self.has, side))
            sign = 1 if over > 0 else -1
            for member in sorted(side, key=lambda one: (-sign * self.has(one), one)):
                off = min(abs(over), max(0, sign * self.has(member)))
                over -= sign * off
                for dates in sorted(self.of[member], key=lambda one: one[::-1]):
                    part = min(off, max(0, sign * self.of[member][dates]))
                    off -= part
                    self.of[member][dates] -= sign * part


@dataclass(eq=False)
class Kin:
    """One wallet of members who are one, who stands for them first, the others in the order of their codes."""

    purses: dict[str, Purse]
    key: str
    handed: Handed

    def ready(self) -> int:
        return sum(len(purse.ready()) for purse in self.purses.values())

    def bring(self, to: str, count: int, *, any_unit: bool = False) -> None:
        """Have in one purse, of the units of all that end first, so many."""

        def first(one: tuple[str, Unit]) -> tuple[bool, int, bool, str, int]:
            member, unit = one
            later = unit.usable_from > self.purses[member].now
            return (later, unit.expires_at, member != to, member, unit.lot)

        free = [(member, unit) for member, purse in self.purses.items() for unit in purse.free()]
        found = sorted(((m, u) for m, u in free if any_unit or u.usable_from <= self.purses[m].now), key=first)
        self.hand(to, found[:count])

    def lend(self, to: str, count: int) -> None:
        """Hand over up to so many of what the others have, whether or not it may be spent yet."""
        free = [(member, unit) for member, purse in self.purses.items() if member != to for unit in purse.free()]
        self.hand(to, sorted(free, key=lambda one: (one[1].expires_at, one[0], one[1].lot))[:count])

    def level(self) -> None:
        """Whoever owes is paid at once out of what any of them has."""
        for member, purse in self.purses.items():
            if purse.debt:
                self.lend(member, purse.debt)

    def hand(self, to: str, units: Iterable[tuple[str, Unit]]) -> None:
        givers: dict[str, list[Unit]] = {}
        for member, unit in units:
            if member != to:
                givers.setdefault(member, []).append(unit)
        for member, mine in sorted(givers.items()):
            hand_over(self.purses[to], self.key, mine)
            for unit in mine:
                self.handed.went(member, to, unit)


def hand_over(to: Purse, key: str, units: Sequence[Unit]) -> None:
    for unit in units:
        unit.state = "handed"
    to.take_in(key, units)


@dataclass
class Kinship:
    """Who is merged into whom: `words` by the loser's code."""

    words: dict[str, Said] = field(default_factory=dict)

    def root(self, member: str) -> str:
        """Who stands for a member."""
        while member in self.words:
            member = self.words[member].fields["into"]
        return member

    def all_of(self, member: str, members: Sequence[str]) -> tuple[str, ...]:
        """All who are one with a member, who stands for them first."""
        root = self.root(member)
        return (root, *(one for one in members if one != root and self.root(one) == root))

    def classes(self, members: Sequence[str]) -> list[tuple[str, ...]]:
        return [self.all_of(member, members) for member in members if self.root(member) == member]

    def united(self, said: Iterable[Said]) -> list[Said]:
        """All that was said, as if whoever is one had been on file once; and what was said of who is."""
        told = [*said, *self.words.values()]
        return [one if not one.member else _of(one, self.root(one.member)) for one in told]

    def word_of(self, all_: Sequence[str]) -> str:
        """The key of the last merge among these."""
        return max((self.words[one].position for one in all_ if one in self.words), default=(0, 0, ""))[2]


def _of(one: Said, member: str) -> Said:
    return one if one.member == member else replace(one, member=member)


def give_back(
    purses: Mapping[str, Purse], sides: Sequence[Sequence[str]], handed: Handed, rises: Mapping[str, int],
    made: Mapping[str, int], key: str, now: int,
) -> None:  # fmt: skip
    """Give back, of one wallet, to those who are apart now what they handed over, as far as it is still there.

    First every unit is to go home, to who misses one of its dates, over there before here. Then a side that misses more
    than the other gets what of that was on its way to those who owe it, and what they were granted anew.
    rises   what each was granted anew by that; `made` how many lots he had before
    """
    then = copy.deepcopy(handed)
    then.lapse(now)
    everybody = [member for side in sides for member in side]
    goes: list[tuple[Unit, str, str]] = []
    for holder in everybody:
        lots: dict[int, list[Unit]] = {}
        for unit in purses[holder].free():
            if unit.pair[0].startswith(MERGE):
                lots.setdefault(unit.lot, []).append(unit)
        side = next(side for side in sides if holder in side)
        for units in lots.values():
            dates = (units[0].usable_from, units[0].expires_at)
            order = sorted(everybody, key=lambda one: (one in side, then.of[one][dates], one))
            for to in order:
                while units and then.of[holder][dates] > 0 > then.of[to][dates]:
                    goes.append((units.pop(0), holder, to))
                    then.went(holder, to, goes[-1][0])
    for side, others in (sides, sides[::-1]):
        due = -sum(map(then.has, side))
        left = dict(rises)
        for to in sorted(side, key=lambda one: (then.has(one), one)):
            for giver in others:
                on_its_way = [one for one in goes if one[2] == giver]
                free = [unit for unit in purses[giver].free() if not any(unit is one[0] for one in goes)]
                anew = [u for u in free if u.lot > made[giver] and not u.pair[0].startswith(MERGE)]
                anew = anew[: left.get(giver, 0)]
                for one in [*on_its_way, *((unit, giver, giver) for unit in anew)]:
                    if due > 0 and then.has(to) < 0 < then.has(giver):
                        if one in goes:
                            goes.remove(one)
                        else:
                            left[giver] -= 1
                        goes.append((one[0], one[1], to))
                        then.went(giver, to, one[0])
                        due -= 1
    for holder, to in sorted({(holder, to) for _, holder, to in goes if holder != to}):
        units = [unit for unit, *way in goes if way == [holder, to]]
        hand_over(purses[to], key, units)
        for unit in units:
            handed.went(holder, to, unit)
