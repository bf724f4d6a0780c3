"""Merging members and un-merging them: whether it may be, who is one with whom then, and what of the money goes back.

Nothing of either is moved: events, what they contribute, decisions, lots and entries stay with the member whose they
are. `ledger.joined_id` tells in whose history his is folded; it follows from the events and is made again from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tierengine.errors import Refused
from tierengine.judging.history import Contribution
from tierengine.judging.merging import classes, into_of
from tierengine.judging.values import CANCELLED
from tierengine.ledger.lots import Lot
from tierengine.recording.decided import Pair, Refolded
from tierengine.recording.items import Merge
from tierengine.recording.lending import Parting, Piece, read_lending
from tierengine.recording.locked import Locked
from tierengine.recording.purse import Purse
from tierengine.recording.stored import Stored
from tierengine.store.dialect import Link

_ERASED: Final = (
    "SELECT m.code FROM erasure e JOIN member m ON m.id = e.member_id WHERE e.member_id IN (?1*) ORDER BY 1"
)


@dataclass(slots=True)
class Joining:
    """One merge, or its end.

    key     the merge's own
    before  who was one with whom until then, by who stood for them
    rises   what was granted anew, by member and wallet
    """

    key: str
    before: dict[int, tuple[int, ...]]
    rises: dict[tuple[int, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, link: Link, locked: Locked, item: Merge, stored: Mapping[int, Stored]) -> Joining:
        """Decide it on what stands, under the locks of all whom it concerns; Refused with what stands against it."""
        said = item.observation
        ids = {head.code: member for member, head in locked.ledgers.items()}
        member = ids[said.member]
        everybody = set(locked.members(member)) | (set(locked.members(ids[item.into])) if item.into else set())
        into = _into(locked, everybody, {})
        if said.kind == CANCELLED:
            last = stored[max(stored)].recorded.observation if stored else None
            if last is None or last.kind == CANCELLED or last.member != said.member or member not in into:
                raise Refused("not_merged", member=said.member)
        else:
            _may_be(link, locked, member, ids[item.into], into)
        return cls(said.key, {locked.root(one): locked.members(one) for one in everybody})

    def change(self, locked: Locked, fresh: Mapping[int, Sequence[Contribution]]) -> dict[int, int | None]:
        """Tell `locked` who is one with whom from now on; return, of each member concerned, who stands for him.

        None: he is alone. Empty where nothing changes.
        """
        everybody = {member for all_ in self.before.values() for member in all_}
        now = classes(everybody, _into(locked, everybody, fresh))
        for root in self.before:
            locked.classes.pop(root, None)
        locked.classes |= {root: all_ for root, all_ in now.items() if len(all_) > 1}
        if now == self.before:
            return {}
        return {member: root if len(all_) > 1 else None for root, all_ in now.items() for member in all_}

    def regranted(self, deltas: Mapping[Pair, int], outcome: Refolded) -> None:
        """Note what each member was granted anew."""
        for change in outcome.changes:
            if change.after is not None and (delta := deltas.get(change.pair, 0)) > 0:
                of = (change.member, change.after.wallet)
                self.rises[of] = self.rises.get(of, 0) + delta

    def hand_back(self, link: Link, dealer: int, locked: Locked, purse: Callable[[int], Purse], now: int) -> None:
        """Give back to those who are apart again what they handed over to the others, as far as it is still there.

        That is what lies in the lots that were handed over, and what the others were granted anew just now (a gift
        that both were given, and one gave back out of what the other had). What was spent stays spent.
        """
        for all_ in self.before.values():
            sides = sorted({locked.root(member) for member in all_})
            if len(sides) < 2:
                continue
            lending = read_lending(link, dealer, all_)
            for member in all_:
                book = purse(member).book
                lending.posted(member, book.entries, {lot.ref: lot for lot in book.lots})
            lending.lapse(now)
            for wallet in lending.wallets():
                lots = {member: purse(member).book.spare(wallet) for member in all_}
                parting = Parting(lending, wallet, [locked.members(side) for side in sides], lots, self.rises)
                self._go(parting.told(), wallet, purse, now)

    def _go(self, pieces: Sequence[Piece], wallet: str, purse: Callable[[int], Purse], now: int) -> None:
        ways: dict[tuple[int, int], dict[int, tuple[Lot, int]]] = {}
        for piece in pieces:
            parts = ways.setdefault((piece.holder, piece.owner), {})
            _, before = parts.get(piece.lot.ref, (piece.lot, 0))
            parts[piece.lot.ref] = (piece.lot, before + piece.amount)
        for (holder, owner), parts in sorted(ways.items()):
            book = purse(holder).book
            moved = book.hand_over(wallet, [*parts.values()], self.key)
            purse(owner).book.move_in(wallet, book.balances[wallet].unit, moved, self.key, now)


def _into(locked: Locked, members: set[int], fresh: Mapping[int, Sequence[Contribution]]) -> dict[int, int]:
    """Return who is merged into whom by the words of these members."""
    ids = {head.code: member for member, head in locked.ledgers.items()}
    found = {}
    for member in members:
        code = into_of((*locked.histories.get(member, ()), *fresh.get(member, ())))
        if code is not None:
            found[member] = ids[code]
    return found


def _may_be(link: Link, locked: Locked, member: int, other: int, into: Mapping[int, int]) -> None:
    code, into_code = locked.code_of(member), locked.code_of(other)
    if member in into:
        raise Refused("merge_again", member=code, into=locked.code_of(into[member]))
    if locked.root(member) == locked.root(other):
        raise Refused("merge_cycle", member=code, into=into_code)
    if erased := link.ask(_ERASED, [member, other]).rows():
        raise Refused("merge_erased", member=str(erased[0][0]))
