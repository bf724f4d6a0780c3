"""The money of merged members: each keeps the book that was his, and what one lacks the others hand over.

Every act is posted in the book of the member whom it names, so that it can be told apart when they are un-merged, and
every lot, use and entry stays where it is. What that book lacks is handed over first, earliest expiry first over all of
them, as a transfer that keeps its dates. Whoever owes is paid at once out of what any of them has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tierengine.ledger.lots import NEVER, Lot, plan
from tierengine.recording.decided import Change, Pair
from tierengine.recording.purse import SETTLED, Purse, Shift
from tierengine.store.dialect import Link

Balances = dict[str, dict[str, int | str]]
_SUMMED: Final = ("available", "held", "debt", "usable")


@dataclass(slots=True)
class Joint:
    """The purses of members who are one; that of the member who stands for them comes first. `key` is their merge's.

    Once this is made, what comes in to one of them first pays what any of them owes, before it is available or lapses.
    """

    purses: Mapping[int, Purse]
    key: str
    now: int

    def __post_init__(self) -> None:
        for purse in self.purses.values():
            purse.book.helps = self._level

    def settle(self) -> None:
        """Post what lapsed of all of them, in order of time: what one's hold frees pays what another owes."""
        purses = [purse for purse in self.purses.values() if not purse.settled]
        ends = {hold.expires_at for purse in purses for hold in purse.book.holds if hold.expires_at < self.now}
        for at in sorted(ends):
            for purse in purses:
                purse.book.settle(at, cause=SETTLED)
        for purse in purses:
            purse.settle(self.now)

    def usable(self, wallet: str) -> int:
        """Return what they may spend together."""
        return sum(purse.book.usable(wallet, self.now) for purse in self.purses.values())

    def spare(self, wallet: str) -> int:
        """Return what is free of a wallet, whether or not it may be spent yet."""
        return sum(lot.free for purse in self.purses.values() for lot in purse.book.spare(wallet))

    def bring(self, to: int, wallet: str, amount: int, *, any_lot: bool = False) -> None:
        """Bring `amount` of a wallet into the book of one member, out of the lots of all that end first.

        any_lot  also out of lots that may not be spent yet, when the others are not enough
        """
        lots = [
            (lot, member)
            for member, purse in self.purses.items()
            for lot in purse.book.spare(wallet)
            if any_lot or lot.usable(self.now)
        ]
        owner = {id(lot): member for lot, member in lots}

        def first(lot: Lot) -> tuple[bool, int, bool, int, int]:
            ends = NEVER if lot.expires_at is None else lot.expires_at
            return (not lot.usable(self.now), ends, owner[id(lot)] != to, owner[id(lot)], lot.order)

        self._hand_over(to, wallet, plan(sorted((lot for lot, _ in lots), key=first), amount), owner)

    def wallets(self) -> set[str]:
        """Return the wallets that any of them has."""
        return {wallet for purse in self.purses.values() for wallet in purse.book.balances}

    def apply(self, link: Link, changes: Sequence[Change], cause: str, *, refusable: bool) -> dict[Pair, int]:
        """Post the difference that the changes make, each where it is booked, rises first; returns it by pair."""
        deltas: dict[Pair, int] = {}
        shifts: list[tuple[int, Shift]] = []
        for member, purse in self.purses.items():
            mine, moves = purse.moves(link, [change for change in changes if change.member == member])
            deltas |= mine
            shifts += [(member, move) for move in moves]
        for member, shift in sorted(shifts, key=lambda one: one[1].delta < 0):
            self.take_back(member, shift, cause, refusable=refusable)
        return deltas

    def take_back(self, to: int, shift: Shift, cause: str, *, refusable: bool) -> None:
        """Post a change of a grant in a member's book; what it cannot take there it takes of the others'."""
        purse, wallet = self.purses[to], shift.terms.wallet
        if shift.delta < 0 and wallet in purse.book.balances:
            short = purse.book.missing(*shift.change.pair, wallet, -shift.delta)
            if short:
                self.lend(to, wallet, short)
        purse.move(shift, cause, refusable=refusable)

    def lend(self, to: int, wallet: str, amount: int) -> None:
        """Hand over up to `amount` of what the others have."""
        lots = [(lot, m) for m, purse in self.purses.items() if m != to for lot in purse.book.spare(wallet)]
        owner = {id(lot): member for lot, member in lots}
        ordered = sorted((lot for lot, _ in lots), key=lambda lot: (lot.expires_at or NEVER, owner[id(lot)], lot.order))
        self._hand_over(to, wallet, plan(ordered, amount), owner)

    def level(self) -> None:
        """Pay what any of them owes out of what any of them has."""
        for wallet in sorted(self.wallets()):
            self._level(wallet)

    def _level(self, wallet: str) -> None:
        for member, purse in self.purses.items():
            balance = purse.book.balances.get(wallet)
            if balance is not None and balance.debt:
                self.lend(member, wallet, balance.debt)

    def _hand_over(self, to: int, wallet: str, parts: Iterable[tuple[Lot, int]], owner: Mapping[int, int]) -> None:
        by_member: dict[int, list[tuple[Lot, int]]] = {}
        for lot, part in parts:
            if owner[id(lot)] != to:
                by_member.setdefault(owner[id(lot)], []).append((lot, part))
        for member, mine in sorted(by_member.items()):
            book = self.purses[member].book
            moved = book.hand_over(wallet, mine, self.key)
            self.purses[to].book.move_in(wallet, book.balances[wallet].unit, moved, self.key, book.now)


def together(purses: Sequence[Purse], now: int) -> Balances:
    """Return what members who are one have, by wallet."""
    if len(purses) == 1:
        return purses[0].balances(now)
    found: Balances = {}
    for purse in purses:
        for wallet, mine in purse.balances(now).items():
            sums = found.setdefault(wallet, {"unit": mine["unit"], **dict.fromkeys(_SUMMED, 0)})
            for name in _SUMMED:
                sums[name] = int(sums[name]) + int(mine[name])
    return dict(sorted(found.items()))
