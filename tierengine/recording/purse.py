"""A member's book: loaded from what was read under his lock, changed, and turned into rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tierengine.judging.decisions import Granted
from tierengine.ledger.book import MemberBook
from tierengine.ledger.entries import Balance, Clawback, EntryDraft, Lapsed, LotTaken
from tierengine.ledger.holds import tie
from tierengine.ledger.lots import Lot
from tierengine.policies.versions import Programme
from tierengine.recording.decided import Change, Pair
from tierengine.recording.locked import Head, Locked
from tierengine.recording.reading import LOTS
from tierengine.recording.writing import Rows
from tierengine.store.dialect import Link
from tierengine.store.ids import Ids
from tierengine.store.rows import Row

_LAPSED: Final = (
    "SELECT l.event_key, l.rule, 'expired', u.amount FROM entry e "
    "JOIN lot_use u ON u.entry_id = e.id JOIN lot l ON l.id = u.lot_id "
    "WHERE e.member_id = ?1 AND e.kind = 'expire' AND l.event_key IN (?2*)"
)
_UNDONE: Final = (
    "SELECT e.event_key, e.rule, a.kind, CASE WHEN a.kind = 'expired' OR a.id = p.destination_id THEN -p.amount "
    "ELSE p.amount END FROM entry e JOIN posting p ON p.entry_id = e.id "
    "JOIN account a ON a.id IN (p.source_id, p.destination_id) AND a.kind IN ('expired', 'forgiven') "
    "WHERE e.dealer_id = ?1 AND e.event_key IN (?2*) AND e.member_id = ?3 AND e.rule <> '' AND e.kind <> 'expire'"
)
_USES: Final = (
    "SELECT e.event_key, e.number, e.wallet, e.kind, e.delta, u.lot_id, u.amount FROM entry e "
    "LEFT JOIN lot_use u ON u.entry_id = e.id "
    "WHERE e.dealer_id = ?1 AND e.event_key IN (?2*) AND e.member_id = ?3 AND e.kind IN ('use', 'capture', 'return') "
    "ORDER BY e.number, u.id"
)
_OPEN_IN: Final = (
    "SELECT s.member_id, l.id, l.wallet, l.event_key, l.rule, l.amount, s.remaining, l.usable_from, l.expires_at, "
    "e.number FROM lot_state s JOIN lot l ON l.id = s.lot_id JOIN entry e ON e.id = l.entry_id "
    "WHERE s.member_id = ?1 AND s.remaining > 0 AND l.wallet = ?2 ORDER BY l.id"
)
SETTLED: Final = "settle"  # what the ends of lapsed lots cite: time alone made them
MEMBERS_ACCOUNTS: Final = ("available", "held", "debt")


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of what a grant is worth, on certain terms; `replaced`: those terms are given up for others."""

    delta: int
    change: Change
    terms: Granted
    replaced: bool = False


@dataclass(slots=True)
class Purse:
    """One member's book with what is needed to store it: account ids, and the state in which it was read."""

    head: Head
    programme: Programme
    book: MemberBook
    accounts: dict[tuple[str, str], tuple[int, int]]  # (wallet, kind) → (account id, stored balance)
    remaining: dict[int, int]
    tied: dict[int, int]  # hold → what was left of it
    settled: bool = False
    named: set[str] = field(default_factory=set)

    @classmethod
    def of(
        cls, head: Head, programme: Programme, accounts: Iterable[Row], lots: Iterable[Row], holds: Iterable[Row]
    ) -> Purse:
        """Return the purse of what was read; `lots` and `holds` are those with something left."""
        book = MemberBook(next_number=head.entry_no + 1, now=head.recorded_at)
        known: dict[tuple[str, str], tuple[int, int]] = {}
        for _, wallet, kind, unit, balance, number in accounts:
            known[wallet, kind] = (number, balance)
            setattr(book.balances.setdefault(wallet, Balance(unit)), kind, balance)
        book.lots = [_lot(row) for row in lots]
        tie(book, holds)
        left = {hold.ref: hold.left for hold in book.holds}
        return cls(head, programme, book, known, {lot.ref: lot.remaining for lot in book.lots}, left)

    @classmethod
    def locked(cls, locked: Locked, programme: Programme, member: int, link: Link) -> Purse:
        """Return the purse of a member whose row is locked; of his lots those are read that time or a hold concerns."""
        accounts, lots, holds = (
            locked.accounts.get(member, ()),
            locked.lots.get(member, ()),
            locked.holds.get(member, ()),
        )
        purse = cls.of(locked.ledgers[member], programme, accounts, lots, holds)
        book = purse.book
        read: dict[str, int] = {}
        for lot in book.lots:
            read[lot.wallet] = read.get(lot.wallet, 0) + lot.remaining
        for wallet, balance in book.balances.items():
            if rest := balance.available + balance.held - read.get(wallet, 0):
                book.behind[wallet] = rest
        if book.behind:
            book.fetch = partial(open_lots, link, purse.head.member_id, purse.remaining)
        return purse

    # ---- what is rarely needed is read when it is -------------------------------------------------------------

    def know_grants(self, link: Link, event_keys: Collection[str]) -> None:
        """Read what of these grants lapsed or was forgiven, before they are changed."""
        wanted = sorted(event_keys)
        if not wanted:
            return
        with link.pipeline():
            lapsed = link.ask(_LAPSED, self.head.member_id, wanted)
            undone = link.ask(_UNDONE, self.programme.dealer_id, wanted, self.head.member_id)
        fresh: dict[Pair, Lapsed] = {}
        for event_key, rule, kind, amount in (*lapsed.rows(), *undone.rows()):
            one = fresh.setdefault((event_key, rule), Lapsed())
            setattr(one, kind, getattr(one, kind) + amount)
        for pair, one in fresh.items():
            mine = self.book.lapsed.setdefault(pair, Lapsed())  # settle() may have added to it already
            mine.expired += one.expired
            mine.forgiven += one.forgiven

    def know_orders(self, link: Link, orders: Collection[str]) -> None:
        """Read what these orders used and gave back."""
        wanted = sorted(set(orders) - self.named)
        self.named.update(wanted)
        if not wanted:
            return
        acts: dict[tuple[str, int], list[Row]] = {}
        for row in link.ask(_USES, self.programme.dealer_id, wanted, self.head.member_id).rows():
            acts.setdefault((row[0], row[1]), []).append(row)
        for (order, number), rows in sorted(acts.items(), key=lambda item: item[0][1]):
            taken = self.book.taken.setdefault(order, [])
            _, _, wallet, kind, delta, _, _ = rows[0]
            if kind != "return":
                if not any(self.book.gave_back(order).values()):
                    paid = self.book.paid.setdefault(order, {})
                    paid[wallet] = paid.get(wallet, 0) - delta
                parts: list[tuple[int | None, int]] = [(row[5], row[6]) for row in rows if row[5] is not None]
                short = -delta - sum(part for _, part in parts)
                parts += [(None, short)] if short else []
                taken.extend(LotTaken(number, wallet, ref, part, place) for place, (ref, part) in enumerate(parts))
            else:
                self.book.taken[order] = _less(taken, wallet, delta)
        there = {lot.ref for lot in self.book.lots}
        missing = {one.lot for order in wanted for one in self.book.taken.get(order, ()) if one.lot is not None} - there
        if missing:
            read = [_lot(row) for row in link.ask(LOTS, sorted(missing)).rows()]
            self.remaining.update((lot.ref, lot.remaining) for lot in read)
            self.book.join(read)

    # ---- changing ---------------------------------------------------------------------------------------------

    def settle(self, now: int) -> None:
        """Post what lapsed, once, before anything else is decided."""
        if not self.settled:
            self.book.settle(now, cause=SETTLED)
            self.settled = True

    def apply(self, link: Link, changes: Sequence[Change], cause: str, *, refusable: bool) -> dict[Pair, int]:
        """Post the difference that the changes make, rises first: what rises may pay for what falls.

        Returns what each pair's worth changed by. Where the wallet or the dates changed, the old grant is reversed
        in full and the new one granted in full.
        """
        deltas, moves = self.moves(link, changes)
        for move in sorted(moves, key=lambda move: move.delta < 0):
            self.move(move, cause, refusable=refusable)
        return deltas

    def moves(self, link: Link, changes: Sequence[Change]) -> tuple[dict[Pair, int], list[Shift]]:
        """Return what each pair's worth changes by, and what is to be posted for that."""
        falling = {change.pair[0] for change in changes if change.before is not None}
        self.know_grants(link, falling)
        deltas: dict[Pair, int] = {}
        moves: list[Shift] = []
        for change in changes:
            before, after = change.before, change.after
            was, will = (before.wanted if before else 0), (after.wanted if after else 0)
            deltas[change.pair] = will - was
            if before is not None and after is not None and was and will and _terms(before) != _terms(after):
                moves += [Shift(-was, change, before, replaced=True), Shift(will, change, after)]
            elif will != was:
                terms = after if after is not None and will else before
                if terms is not None:
                    moves.append(Shift(will - was, change, terms))
        return {pair: delta for pair, delta in deltas.items() if delta}, moves

    def move(self, shift: Shift, cause: str, *, refusable: bool) -> None:
        """Post one change of what a grant is worth."""
        change, terms = shift.change, shift.terms
        wallet = self.programme.wallet(terms.wallet)
        clawback: Clawback = wallet.clawback if wallet is not None else "debt"
        if clawback == "refuse" and not refusable:
            clawback = "debt"  # only the till's own call for a return may be refused
        self.book.adjust(
            *change.pair,
            terms.wallet,
            self.programme.unit(terms.wallet),
            shift.delta,
            usable_from=terms.usable_from,
            expires_at=terms.expires_at,
            cause=cause,
            decision=change.decision,
            clawback=clawback,
            replaced=shift.replaced,
        )

    def balances(self, now: int) -> dict[str, dict[str, int | str]]:
        """Return what the member has, by wallet: available, held, debt, and what of it may be used now."""
        return {
            wallet: {
                "unit": balance.unit,
                "available": balance.available,
                "held": balance.held,
                "debt": balance.debt,
                "usable": self.book.usable(wallet, now),
            }
            for wallet, balance in sorted(self.book.balances.items())
        }

    def usable(self, now: int) -> dict[str, int]:
        """Return what may be used now, by wallet."""
        return {wallet: self.book.usable(wallet, now) for wallet in self.book.balances}

    # ---- storing ----------------------------------------------------------------------------------------------

    def store(self, rows: Rows, ids: Ids, now: int) -> None:
        """Add the rows of every entry, and of the balances and lots that changed."""
        made: dict[int, int] = {}
        numbers = {entry.number: self._store_entry(rows, ids, entry, now, made) for entry in self.book.entries}
        member, dealer = self.head.member_id, self.programme.dealer_id
        for lot in self.book.lots:
            number = made.get(lot.ref, lot.ref)
            if lot.ref < 0 or lot.remaining != self.remaining[lot.ref]:
                rows.add("lot_state", number, dealer, member, lot.remaining)
        self._store_holds(rows, numbers, now, made)
        for wallet, balance in self.book.balances.items():
            for kind in MEMBERS_ACCOUNTS:
                number, stored = self.accounts.get((wallet, kind), (0, 0))
                amount = getattr(balance, kind)
                if number and amount != stored:
                    rows.add("account", number, dealer, member, wallet, kind, balance.unit, amount)

    def _store_holds(self, rows: Rows, numbers: Mapping[int, int], now: int, made: Mapping[int, int]) -> None:
        member, dealer = self.head.member_id, self.programme.dealer_id
        ended = [end.hold for end in self.book.ended]
        for hold in (*self.book.holds, *ended):
            if hold.entry in numbers:
                rows.add(
                    "hold", hold.ref, dealer, member, hold.key, hold.wallet, hold.order, hold.amount,
                    numbers[hold.entry], hold.expires_at, now,
                )  # fmt: skip
                for place, (lot, part) in enumerate(hold.tied):
                    rows.add("hold_lot", hold.ref, place, dealer, member, made.get(lot, lot), part)
            if hold.left != self.tied.get(hold.ref):
                rows.add("hold_state", hold.ref, dealer, member, hold.left)
        for end in self.book.ended:
            rows.add("hold_end", end.hold.ref, dealer, member, end.kind, numbers[end.entry], now)

    def _store_entry(self, rows: Rows, ids: Ids, entry: EntryDraft, now: int, made: dict[int, int]) -> int:
        """Add an entry with all that hangs on it; returns its id."""
        member, dealer = self.head.member_id, self.programme.dealer_id
        number = ids.take()
        rows.add(
            "entry", number, dealer, member, entry.number, entry.kind, entry.wallet, entry.event_key, entry.rule,
            entry.delta, entry.cause, entry.decision, None, now,
        )  # fmt: skip
        for posting in entry.postings:
            source, target = (self._account(ids, entry, kind) for kind in (posting.source, posting.destination))
            rows.add("posting", ids.take(), dealer, member, number, source, target, posting.amount)
        for lot in entry.lots:
            made[lot.ref] = ids.take()
            rows.add(
                "lot", made[lot.ref], dealer, member, lot.wallet, number, lot.event_key, lot.rule, lot.amount,
                lot.usable_from, lot.expires_at,
            )  # fmt: skip
        for use in entry.uses:
            rows.add("lot_use", ids.take(), dealer, member, made.get(use.ref, use.ref), number, use.amount)
        return number

    def _account(self, ids: Ids, entry: EntryDraft, kind: str) -> int:
        """Return the account's id; a member's is opened with his first money in it."""
        if kind not in MEMBERS_ACCOUNTS:
            return self.programme.house[entry.wallet, kind]
        known = self.accounts.get((entry.wallet, kind))
        if known is None:
            # Stored as 0 here and overwritten with its balance by `store`, in the same statement's key order.
            known = self.accounts[entry.wallet, kind] = (ids.take(), -1)
        return known[0]


def _terms(granted: Granted) -> tuple[str, int, int | None]:
    return (granted.wallet, granted.usable_from, granted.expires_at)


def open_lots(link: Link, member: int, remaining: dict[int, int], wallet: str) -> list[Lot]:
    """Read all lots of a wallet with something remaining, and note in `remaining` what each had."""
    found = [_lot(row) for row in link.ask(_OPEN_IN, member, wallet).rows()]
    for lot in found:
        remaining.setdefault(lot.ref, lot.remaining)
    return found


def _lot(row: Row) -> Lot:
    _, ref, wallet, event_key, rule, amount, remaining, usable_from, expires_at, order = row
    return Lot(ref, wallet, event_key, rule, amount, remaining, usable_from, expires_at, order)


def _less(taken: Sequence[LotTaken], wallet: str, amount: int) -> list[LotTaken]:
    """Return what is left of what an order took after `amount` went back, the newest first, as the book does it."""
    kept: list[LotTaken] = []
    for one in sorted(taken, key=lambda one: (one.number, one.place), reverse=True):
        part = min(amount, one.amount) if one.wallet == wallet else 0
        amount -= part
        if part < one.amount:
            kept.append(LotTaken(one.number, one.wallet, one.lot, one.amount - part, one.place))
    return kept[::-1]
