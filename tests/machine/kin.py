"""Members who are one, as ledger.md#merged has it: whose purses help which, and what goes back when they part.

A purse that is one with others holds them in its `kin`. Units go over one by one, with their dates, as a transfer under
the key of the merge; what each gave and took is a log, of which a merge that is taken back counts what came after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.machine.purses import Purse, Unit
from tests.model.rows import Said

MERGE = "merge::"


@dataclass(eq=False)
class Kin:
    """One wallet of members who are one, who stands for them first, the others in the order of their codes.

    handed  what each took in of the others, or gave them (below 0), one after the other
    """

    purses: dict[str, Purse]
    key: str
    handed: list[tuple[str, int]]

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
            self.handed += [(member, -len(mine)), (to, len(mine))]


def hand_over(to: Purse, key: str, units: Sequence[Unit]) -> None:
    for unit in units:
        unit.state = "handed"
    to.take_in(key, units)


@dataclass
class Kinship:
    """Who is merged into whom: `words` by the loser's code."""

    words: dict[str, Said] = field(default_factory=dict)
    since: dict[str, dict[str, int]] = field(default_factory=dict)  # merge → how long each wallet's log was then

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
    purses: Mapping[str, Purse], sides: Sequence[Sequence[str]], handed: Sequence[tuple[str, int]],
    rises: Mapping[str, int], made: Mapping[str, int], key: str,
) -> list[tuple[str, int]]:  # fmt: skip
    """Give back, of one wallet, to those who are apart now what they handed over, as far as it is still there.

    handed  what went over since the merge was said, until they parted
    rises   what each was granted anew by that; `made` how many lots he had before
    """
    everybody = [member for side in sides for member in side]
    owed = {member: -sum(count for one, count in handed if one == member) for member in everybody}
    log: list[tuple[str, int]] = []
    for side in sides:
        due = sum(owed[member] for member in side)
        for giver in (one for one in everybody if one not in side and owed[one] < 0):
            free = purses[giver].free()
            lent = [unit for unit in free if unit.pair[0].startswith(MERGE)][: max(due, 0)]
            rest = max(0, min(due - len(lent), rises.get(giver, 0)))
            made_now = [unit for unit in free if unit.lot > made[giver] and not unit.pair[0].startswith(MERGE)][:rest]
            if units := [*lent, *made_now]:
                to = max(side, key=lambda one: owed[one])
                hand_over(purses[to], key, units)
                log += [(giver, -len(units)), (to, len(units))]
                due -= len(units)
    return log
