"""Budgets shared by several members: first come, first served, and an admitted amount is never raised (judging.md).

A pot is what one budget has given in one period to one firm, or to everybody. For each grant the fold asks `Pots` how
much of it is admitted. The answer is kept with the grant (`Granted.admitted`), so that judging the grant again never
gets it more, even if money has become free since. Money goes back into the pot when a return takes a grant back, and
when judging again takes it away (for example because the event turns out to be another member's, whose cap is used up).
If such a grant stands again later, it gets back what it was admitted once, unless somebody else has had it meanwhile.
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


class Changed(Protocol):
    """A change of what a pair should be worth (recording's Change is one)."""

    @property
    def before(self) -> Granted | None: ...

    @property
    def after(self) -> Granted | None: ...


@dataclass(slots=True)
class Pots:
    """The pots as they stand under the lock, and what this transaction takes from them.

    read   returns what was given from these pots until now; a pot that nothing was given from is left out
    prior  the grants that stood before, of the pairs that are judged again
    once   of the same pairs, the decision that ever admitted most
    """

    read: Callable[[Sequence[str]], Mapping[str, int]]
    prior: dict[Pair, Granted] = field(default_factory=dict)
    once: Mapping[Pair, Granted] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    _taken: dict[str, int] = field(default_factory=dict)

    def admit(self, pair: Pair, shares: Sequence[Share], value: int, /) -> int:
        """Return what is admitted of a grant: what it was admitted before, or what is left in its pots."""
        keys = tuple(one.key for one in shares)
        stands, most = (_admitted(one.get(pair), keys) for one in (self.prior, self.once))
        if most is not None:
            value = min(value, max(most, stands or 0))
        if stands is not None and value <= stands:
            return value
        if stands is not None and most is None:
            return stands
        return (stands or 0) + self._more(shares, value - (stands or 0), counted=bool(stands))

    def _more(self, shares: Sequence[Share], value: int, *, counted: bool) -> int:
        """Return what the pots still have of `value`; `counted`: for a grant that counts in them already."""
        self._know([one.key for one in shares])
        for one in shares:
            left = one.limit - self.used[one.key] - self._taken.get(one.key, 0)
            if one.key.endswith(TIMES):
                value = value if left > 0 or counted else 0
            else:
                value = min(value, max(left, 0))
        for one in shares if value else ():
            if not (counted and one.key.endswith(TIMES)):
                self._taken[one.key] = self._taken.get(one.key, 0) + drawn(one.key, value)
        return value

    def given(self) -> dict[str, int]:
        """Return what the pots that were asked have given, with what was only asked for."""
        return {key: used + self._taken.get(key, 0) for key, used in self.used.items()}

    def settle(self, changes: Iterable[Changed]) -> None:
        """Book in the pots what a fold changed; what was only asked during the fold is forgotten."""
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


def most_admitted(one: Granted | None, other: Granted | None) -> Granted | None:
    """Return of two decisions about one grant the one that budgets admitted more of; of different budgets the first."""
    if one is None or one.admitted is None:
        return other
    if other is None or other.admitted is None or one.budgets != other.budgets:
        return one
    return max(one, other, key=lambda granted: granted.admitted or 0)


def once_admitted(decided: Iterable[tuple[Pair, Granted | None]]) -> dict[Pair, Granted]:
    """Return of each pair that was ever asked of budgets the decision by which they admitted most."""
    found: dict[Pair, Granted] = {}
    for pair, granted in decided:
        once = most_admitted(granted, found.get(pair)) if granted is not None else None
        if once is not None:
            found[pair] = once
    return found


def _admitted(granted: Granted | None, keys: tuple[str, ...]) -> int | None:
    """Return what a grant was admitted by these very pots; None: it was not asked of them."""
    return granted.admitted if granted is not None and granted.budgets == keys else None


def drawn(key: str, amount: int) -> int:
    """Return what a grant of this amount takes from a pot."""
    return int(amount > 0) if key.endswith(TIMES) else amount
