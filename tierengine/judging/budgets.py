"""Budgets over several members: who comes first is served, and what was admitted is never raised (judging.md).

A pot is what one budget has given in one period to one firm, or to everybody. The fold asks `Pots` what of a grant is
admitted; what a grant was admitted once is kept with it (`Granted.admitted`), so that judging it again asks for no
more, whatever became free since. What a return takes back goes back into the pot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tierengine.judging.decisions import Granted

TIMES = "|times"  # ends the key of what is counted by grants, not by their amount
Pair = tuple[str, str]  # (granting event's key, rule)


@dataclass(frozen=True, slots=True)
class Share:
    """One pot that a grant draws on, and what it holds at most."""

    key: str
    limit: int


class Admit(Protocol):
    """Tells how much of a grant its pots admit."""

    def __call__(self, pair: Pair, shares: Sequence[Share], value: int, /) -> int:
        """Return at most `value`, at least 0."""
        ...


class Moved(Protocol):
    """A change of what a pair should be worth (recording's Change is one)."""

    @property
    def before(self) -> Granted | None: ...

    @property
    def after(self) -> Granted | None: ...


@dataclass(slots=True)
class Pots:
    """The pots as they stand under the lock, and what this transaction takes from them.

    read   returns what was given from some pots, those not known left out
    prior  what stood before, of the pairs that are judged again
    """

    read: Callable[[Sequence[str]], Mapping[str, int]]
    prior: dict[Pair, Granted] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    _taken: dict[str, int] = field(default_factory=dict)

    def admit(self, pair: Pair, shares: Sequence[Share], value: int, /) -> int:
        """Return what is admitted of a grant: what it was admitted before, or what is left in its pots."""
        before = self.prior.get(pair)
        if before is not None and before.admitted is not None and before.budgets == tuple(one.key for one in shares):
            return min(value, before.admitted)
        self._know([one.key for one in shares])
        for one in shares:
            left = one.limit - self.used[one.key] - self._taken.get(one.key, 0)
            value = (value if left > 0 else 0) if one.key.endswith(TIMES) else min(value, max(left, 0))
        for one in shares if value else ():
            self._taken[one.key] = self._taken.get(one.key, 0) + drawn(one.key, value)
        return value

    def settle(self, changes: Iterable[Moved]) -> None:
        """Take what a fold changed into the pots, and forget what was only asked."""
        self._taken.clear()
        for change in changes:
            for granted, sign in ((change.before, -1), (change.after, 1)):
                if granted is not None and granted.budgets:
                    self._know(granted.budgets)
                    for key in granted.budgets:
                        self.used[key] = max(self.used[key] + sign * drawn(key, granted.wanted), 0)
                        self.touched.add(key)

    def _know(self, keys: Sequence[str]) -> None:
        unknown = [key for key in keys if key not in self.used]
        if unknown:
            found = self.read(unknown)
            self.used.update((key, found.get(key, 0)) for key in unknown)


def drawn(key: str, amount: int) -> int:
    """Return what a grant of this amount takes from a pot."""
    return int(amount > 0) if key.endswith(TIMES) else amount
