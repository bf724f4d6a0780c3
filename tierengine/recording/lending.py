"""How much credit merged members hold of one another's, and what goes back to whom when they part.

While members are one, credit of one may be handed over into the book of another, to be spent there. When they part, it
goes back as far as it is still there; the rest stays spent, and is owed to nobody.

A chain of merges may be cut anywhere and joined again otherwise, so that no single merge says since when two members
are one. Therefore this is worked out from the beginning each time, from every merge, every parting and everything that
was handed over: that counts for who gave it, and against who took it, until they part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from tierengine.judging.merging import MERGE, MERGED, stands_for
from tierengine.ledger.entries import EntryDraft
from tierengine.ledger.lots import NEVER, Lot
from tierengine.store.dialect import Link, doc

Dates: TypeAlias = tuple[int, int | None]  # first usable instant, and first one after the last valid day

_LAST: Final = MERGE + "\U0010ffff"
_WORDS: Final = (
    "SELECT recorded_at, id, member_id, kind, body FROM event WHERE dealer_id = ?1 AND key >= ?2 AND key < ?3"
)
_OF_CODES: Final = "SELECT code, id FROM member WHERE dealer_id = ?1 AND code IN (?2*)"
_OF_MERGES: Final = (
    "WHERE e.dealer_id = ?1 AND e.event_key >= ?2 AND e.event_key < ?3 AND e.kind = 'transfer' AND e.member_id IN (?4*)"
)
_HANDED: Final = (
    "SELECT e.recorded_at, e.id, e.member_id, e.wallet, l.usable_from, l.expires_at, l.amount FROM entry e "
    f"JOIN lot l ON l.member_id = e.member_id AND l.wallet = e.wallet AND l.entry_id = e.id {_OF_MERGES} "
    "UNION ALL SELECT e.recorded_at, e.id, e.member_id, e.wallet, l.usable_from, l.expires_at, -u.amount FROM entry e "
    f"JOIN lot_use u ON u.entry_id = e.id JOIN lot l ON l.id = u.lot_id {_OF_MERGES}"
)


@dataclass(frozen=True, slots=True)
class Word:
    """From (at, id) on a member is merged into another; `into` None: from then on into nobody."""

    at: int
    id: int
    member: int
    into: int | None


@dataclass(frozen=True, slots=True)
class Handed:
    """Credit of certain dates that a member was handed by those who are one with him; below 0: that he handed over."""

    at: int
    id: int
    member: int
    wallet: str
    dates: Dates
    amount: int


@dataclass(slots=True)
class Lending:
    """How much a member holds of the others' credit, by (wallet, member) and dates; below 0: how much they hold of his.

    In each wallet, all who are one come to 0 together.
    """

    of: dict[tuple[str, int], dict[Dates, int]] = field(default_factory=dict)

    @classmethod
    def told(cls, words: Iterable[Word], handed: Iterable[Handed]) -> Lending:
        """Return what members hold of one another's credit after all this; words and transfers come in any order."""
        lending, into = cls(), dict[int, int]()
        sides: Sequence[Sequence[int]] = ()
        parted = 0
        told: list[Word | Handed] = sorted([*words, *handed], key=lambda one: (one.at, one.id))
        for one in told:
            # (What goes back is written at the instant of the word that parts them: after that the rest is spent.)
            if sides and (isinstance(one, Word) or one.at != parted):
                lending.forget(sides)
                sides = ()
            if isinstance(one, Handed):
                lending.add(one.wallet, one.member, one.dates, one.amount)
            elif one.into is not None:
                into[one.member] = one.into
            else:
                everybody = {*into, *into.values()}
                root = stands_for(one.member, into)
                whole = [other for other in everybody if stands_for(other, into) == root]
                into.pop(one.member, None)
                mine = [other for other in whole if stands_for(other, into) == one.member]
                sides, parted = (mine, [other for other in whole if other not in mine]), one.at
        lending.forget(sides)
        return lending

    def add(self, wallet: str, member: int, dates: Dates, amount: int) -> None:
        """Count what came to a member (below 0: what he gave)."""
        mine = self.of.setdefault((wallet, member), {})
        mine[dates] = mine.get(dates, 0) + amount

    def posted(self, member: int, entries: Iterable[EntryDraft], lots: Mapping[int, Lot]) -> None:
        """Count what this transaction has handed over until now; `lots` of the member's book, by `ref`."""
        for entry in entries:
            if entry.kind != "transfer" or not entry.event_key.startswith(MERGE):
                continue
            for made in entry.lots:
                self.add(entry.wallet, member, (made.usable_from, made.expires_at), made.amount)
            for use in entry.uses:
                lot = lots[use.ref]
                self.add(entry.wallet, member, (lot.usable_from, lot.expires_at), -use.amount)

    def went(self, wallet: str, giver: int, to: int, dates: Dates, amount: int) -> None:
        """Count what one gave another."""
        self.add(wallet, giver, dates, -amount)
        self.add(wallet, to, dates, amount)

    def has(self, wallet: str, member: int) -> int:
        """Return how much a member has of the others'; below 0: how much they have of his."""
        return sum(self.of.get((wallet, member), {}).values())

    def wallets(self) -> list[str]:
        """Return the wallets of which anything ever went over."""
        return sorted({wallet for wallet, _ in self.of})

    def lapse(self, now: int) -> None:
        """Forget what has lapsed since: whoever had it, he would not have it any more."""
        for mine in self.of.values():
            for dates in [one for one in mine if one[1] is not None and one[1] <= now]:
                del mine[dates]

    def forget(self, sides: Sequence[Sequence[int]]) -> None:
        """Settle what two sides that parted still hold of one another's: what did not go back was spent."""
        for wallet in self.wallets():
            for side in sides:
                self._even(wallet, side, sum(self.has(wallet, member) for member in side))

    def _even(self, wallet: str, side: Sequence[int], rest: int) -> None:
        """Take `rest` off what the members of a side hold (below 0: off what others hold of theirs), largest first."""
        sign = 1 if rest > 0 else -1
        rest = abs(rest)
        for member in sorted(side, key=lambda one: (-sign * self.has(wallet, one), one)):
            part = min(rest, max(sign * self.has(wallet, member), 0))
            rest -= part
            mine = self.of.get((wallet, member), {})
            for dates in sorted(mine, key=lambda one: (NEVER if one[1] is None else one[1], one[0])):
                off = min(part, max(sign * mine[dates], 0))
                part -= off
                mine[dates] -= sign * off


@dataclass(slots=True)
class Piece:
    """So much of a free lot of one, and whose it is to be."""

    lot: Lot
    holder: int
    owner: int
    amount: int


@dataclass(slots=True)
class Parting:
    """What goes over in one wallet when those who were one are parted into `sides`, and what `lending` says then.

    lots    what is free of each
    rises   what each was granted anew just now, in lots that have a `ref` below 0
    """

    lending: Lending
    wallet: str
    sides: Sequence[Sequence[int]]
    lots: Mapping[int, Sequence[Lot]]
    rises: dict[tuple[int, str], int]
    pieces: list[Piece] = field(default_factory=list)

    def told(self) -> list[Piece]:
        """Return what is to go over.

        First, credit that was handed over goes home, to whoever misses credit of those dates. A side that still misses
        some (the other side spent it) then gets as much of what would go home to the other side, and after that of what
        the other side was granted just now.
        """
        self._home()
        for side, others in (self.sides, self.sides[::-1]):
            self._even(side, others)
        return [piece for piece in self.pieces if piece.amount and piece.owner != piece.holder]

    def _home(self) -> None:
        members = [member for side in self.sides for member in side]
        for holder in members:
            beside = next(side for side in self.sides if holder in side)
            for lot in self.lots.get(holder, ()):
                if not lot.event_key.startswith(MERGE):
                    continue
                dates, free = (lot.usable_from, lot.expires_at), lot.free
                has = partial(self._of, dates)
                for to in sorted(members, key=lambda one: (one in beside, has(one), one)):
                    part = min(free, has(holder), -has(to))
                    if part > 0:
                        free -= part
                        self._goes(lot, holder, holder, to, part)

    def _even(self, side: Sequence[int], others: Sequence[int]) -> None:
        wallet, has = self.wallet, partial(self.lending.has, self.wallet)
        due = -sum(map(has, side))
        for to in sorted(side, key=lambda one: (has(one), one)):
            for giver in others:
                for piece in [*self.pieces]:
                    part = min(due, -has(to), has(giver), piece.amount if piece.owner == giver else 0)
                    if part > 0:
                        piece.amount -= part
                        due -= part
                        self._goes(piece.lot, piece.holder, giver, to, part)
                for lot in self.lots.get(giver, ()):
                    made = lot.ref < 0 and not lot.event_key.startswith(MERGE)
                    part = min(due, -has(to), has(giver), self.rises.get((giver, wallet), 0), lot.free if made else 0)
                    if part > 0:
                        self.rises[giver, wallet] -= part
                        due -= part
                        self._goes(lot, giver, giver, to, part)

    def _of(self, dates: Dates, member: int) -> int:
        return self.lending.of.get((self.wallet, member), {}).get(dates, 0)

    def _goes(self, lot: Lot, holder: int, giver: int, to: int, part: int) -> None:
        self.lending.went(self.wallet, giver, to, (lot.usable_from, lot.expires_at), part)
        self.pieces.append(Piece(lot, holder, to, part))


def read_lending(link: Link, dealer: int, members: Iterable[int]) -> Lending:
    """Return what these members have of one another's by what is stored. Call it under their locks."""
    rows = link.ask(_WORDS, dealer, MERGE, _LAST).rows()
    said = {row[1]: str(doc(row[4])["fields"]["into"]) for row in rows if row[3] == MERGED}
    ids: dict[str, int] = dict(link.ask(_OF_CODES, dealer, sorted(set(said.values()))).rows()) if said else {}
    words = [Word(row[0], row[1], row[2], ids[said[row[1]]] if row[1] in said else None) for row in rows]
    kin = _ever_one(members, words)
    handed = link.ask(_HANDED, dealer, MERGE, _LAST, sorted(kin)).rows()
    return Lending.told(
        [word for word in words if word.member in kin],
        [Handed(row[0], row[1], row[2], row[3], (row[4], row[5]), int(row[6])) for row in handed],
    )


def _ever_one(members: Iterable[int], words: Sequence[Word]) -> set[int]:
    """Return all who were ever one with these, or with those who were."""
    beside: dict[int, set[int]] = {}
    for word in words:
        if word.into is not None:
            beside.setdefault(word.member, set()).add(word.into)
            beside.setdefault(word.into, set()).add(word.member)
    found, waiting = set(members), list(members)
    while waiting:
        new = beside.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found
