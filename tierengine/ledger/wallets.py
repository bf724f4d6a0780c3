"""A member's wallets: balances and lots, and the entries that change them. Pure; recording stores what comes out.

Every entry is made of postings (source, destination, positive amount), so it balances by construction. Of a member's
accounts `available` and `held` are worth what came in less what went out, `debt` what went out less what came in: a
claw-back that finds nothing left posts debt → grants, an over-use posts debt → uses, and what comes in later pays
available → debt. House accounts (grants, uses, expired, forgiven, awards) have no balance here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tierengine.errors import Broken, Unknown
from tierengine.ledger.entries import (
    Account,
    Balance,
    EntryDraft,
    EntryKind,
    Hold,
    HoldEnd,
    Lapsed,
    LotDraft,
    LotTaken,
    LotUseDraft,
    PostingDraft,
)
from tierengine.ledger.lots import NEVER, Lot, first_out, plan

Move = tuple[Account, Account, int]


@dataclass(frozen=True, slots=True)
class Act:
    """What all entries of one act share."""

    wallet: str
    cause: str
    event_key: str = ""
    rule: str = ""
    decision: int | None = None
    house: Account = "grants"

    @property
    def grant(self) -> tuple[str, str]:
        return (self.event_key, self.rule)


@dataclass
class Wallets:
    """One member's balances, lots and holds, and the entries made of them; `MemberBook` is what he may do with them.

    balances  by wallet id
    lots      those with something remaining, and those that `taken` names; in any order, whoever takes of them sorts
    behind    by wallet, what remains of lots that were not read: all of them usable, untouched by holds, and not due to
              lapse in this transaction; `fetch` reads them when one has to be chosen
    lapsed    by (event key, rule), for the grants that may be adjusted
    taken     by order, what it took and has not given back, for the orders that may give back
    paid      by order, what each wallet paid for it before anything came back
    holds     those that have not ended, in the order in which they were made; `ended` those that this book ended
    now       the latest instant settled; it never goes back
    quiet     no lot lapses before this instant, so that there is nothing to settle until then
    helps     called when something has come into a wallet: pays out of it what members merged with this one owe
    """

    balances: dict[str, Balance] = field(default_factory=dict)
    lots: list[Lot] = field(default_factory=list)
    next_number: int = 1
    lapsed: dict[tuple[str, str], Lapsed] = field(default_factory=dict)
    taken: dict[str, list[LotTaken]] = field(default_factory=dict)
    paid: dict[str, dict[str, int]] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    ended: list[HoldEnd] = field(default_factory=list)
    now: int = 0
    entries: list[EntryDraft] = field(default_factory=list)
    made: int = 0  # lots made by this book
    quiet: int = -NEVER
    behind: dict[str, int] = field(default_factory=dict)
    fetch: Callable[[str], list[Lot]] | None = None
    helps: Callable[[str], None] | None = None

    def usable(self, wallet: str, now: int) -> int:
        """Return what may be used at `now`, also when lapsed lots have not been posted yet."""
        read = sum([lot.free for lot in self.lots if lot.wallet == wallet and lot.usable(now)]) if self.lots else 0
        return read + self.behind.get(wallet, 0)

    def join(self, lots: Iterable[Lot]) -> None:
        """Put lots that were read among the others; those that are there already stay as they are."""
        there = {lot.ref for lot in self.lots}
        for lot in lots:
            if lot.ref not in there:
                self.lots.append(lot)
                if lot.wallet in self.behind:
                    self.behind[lot.wallet] -= lot.remaining

    def held(self, wallet: str, order: str) -> int:
        """Return what holds tie up for the order and may still be captured."""
        return sum(one.left for one in self.holds if (one.wallet, one.order) == (wallet, order))

    def gave_back(self, order: str) -> dict[str, int]:
        """Return what each wallet gave back of the order and did not take again."""
        return {wallet: paid - self.used(wallet, order) for wallet, paid in self.paid.get(order, {}).items()}

    def used(self, wallet: str, order: str) -> int:
        """Return what the order took from the wallet and did not give back."""
        return sum(taken.amount for taken in self.taken.get(order, ()) if taken.wallet == wallet)

    # ---- for the acts

    def _expire(self, at: int, cause: str) -> None:
        if at < self.quiet:
            return
        for lot in sorted((lot for lot in self.lots if lot.free and lot.lapsed(at)), key=first_out):
            part = lot.free
            lapsed = self.lapsed.setdefault(lot.grant, Lapsed())
            lapsed.expired += part
            act = Act(lot.wallet, cause)
            self._entry(act, "expire", -part, [("available", "expired", part)], uses=[(lot, part)])
        ahead = (lot.expires_at for lot in self.lots if lot.expires_at is not None and lot.expires_at > at)
        self.quiet = min(ahead, default=NEVER)

    def _stir(self, lot: Lot) -> None:
        """Have the next `settle` look at a lot again: something in it became free, and may have lapsed."""
        self.quiet = min(self.quiet, NEVER if lot.expires_at is None else lot.expires_at)

    def _pay_debt(self, wallet: str, cause: str) -> None:
        balance = self.balances[wallet]
        if due := min(balance.debt, balance.available):
            uses = plan(sorted(self._lots(wallet), key=first_out), due)
            self._entry(Act(wallet, cause), "settle_debt", -due, [("available", "debt", due)], uses=uses)
        if self.helps is not None:
            self.helps(wallet)

    def _lots(self, wallet: str) -> list[Lot]:
        """Return all lots of the wallet with something remaining."""
        if self.behind.get(wallet) and self.fetch is not None:
            self.join(self.fetch(wallet))
            self.behind[wallet] = 0  # from here on `_check` counts these lots themselves
        return [lot for lot in self.lots if lot.wallet == wallet]

    def _open(self, wallet: str, unit: str) -> None:
        """Make the wallet known with its unit; nothing may be posted to one without."""
        if wallet not in self.balances:
            if not unit:
                raise Unknown("unknown_wallet", wallet=wallet)
            self.balances[wallet] = Balance(unit)

    def _lot(self, act: Act, amount: int, usable_from: int, expires_at: int | None) -> Lot:
        self.made += 1
        # Its entry comes next: the number by which it will be read again.
        lot = Lot(-self.made, act.wallet, *act.grant, amount, amount, usable_from, expires_at, self.next_number)
        self.lots.append(lot)
        self._stir(lot)
        return lot

    def _entry(
        self,
        act: Act,
        kind: EntryKind,
        delta: int,
        moves: Iterable[Move],
        *,
        lots: Iterable[Lot] = (),
        uses: Iterable[tuple[Lot, int]] = (),
    ) -> EntryDraft:
        """Append an entry and do to the balances and to lots that were there before what it says."""
        balance, uses = self.balances[act.wallet], tuple(uses)
        postings = tuple(PostingDraft(*move) for move in moves if move[2])
        for posting in postings:
            _change(balance, posting.source, -posting.amount)
            _change(balance, posting.destination, posting.amount)
        for lot, part in uses:
            lot.remaining -= part
            if part < 0:
                self._stir(lot)
        draft = EntryDraft(
            self.next_number,
            kind,
            act.wallet,
            balance.unit,
            act.event_key,
            act.rule,
            delta,
            act.cause,
            act.decision,
            postings,
            tuple(LotDraft(x.ref, x.wallet, x.event_key, x.rule, x.amount, x.usable_from, x.expires_at) for x in lots),
            tuple(LotUseDraft(lot.ref, part) for lot, part in uses),
        )
        self.next_number += 1
        self.entries.append(draft)
        return draft

    def _since(self, first: int) -> tuple[EntryDraft, ...]:
        return tuple(self.entries[first:])

    def _check(self, wallet: str) -> None:
        """Stop before anything is stored if a promise about this wallet does not hold."""
        balance = self.balances[wallet]
        remaining, held = self.behind.get(wallet, 0), 0
        sound = remaining >= 0
        for lot in self.lots:
            if lot.wallet == wallet:
                remaining += lot.remaining
                held += lot.held
                sound = sound and 0 <= lot.held <= lot.remaining <= lot.amount
        left = sum([hold.left for hold in self.holds if hold.wallet == wallet])
        for promise, kept in (
            ("no balance below 0", balance.available >= 0 and balance.held >= 0 and balance.debt >= 0),
            ("debt > 0 means available = 0", not (balance.debt and balance.available)),
            ("0 <= held <= remaining <= amount", sound),
            ("remaining of lots = available + held", remaining == balance.available + balance.held),
            ("held of lots = left of holds = held", held == left == balance.held),
        ):
            if not kept:
                raise Broken("ledger_broken", invariant=promise)


def _change(balance: Balance, account: Account, amount: int) -> None:
    if account == "available":
        balance.available += amount
    elif account == "held":
        balance.held += amount
    elif account == "debt":
        balance.debt -= amount  # worth what went out of it
