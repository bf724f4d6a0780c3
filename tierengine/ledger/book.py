"""What a member's book does: grants, uses, holds, transfers and returns, each posted to his wallets. Pure.

Decisions, each also what a dealer may ask about:
- Whatever comes in pays debt before it is available, also from a lot that is not usable yet or has lapsed already:
  debt > 0 means available = 0.
- A claw-back takes first what is left of the grant's own lots, then what of them lapsed unused (nobody had it, so
  nobody owes it), then the member's other lots, earliest expiry first. Only what is missing then is debt, or forgiven.
- A later rise of a grant first undoes what was forgiven of it.
- What an order over-used and has since been paid for comes back as a new lot, for the units that paid are gone.
- A hold ties up units of certain lots, earliest expiry first. They do not lapse while it lasts and may be captured
  after their last day; when it frees them later than that, they pay debt or lapse at that moment.
- What comes back to a lot whose last day is over, or nearer than the policy's grace, comes as a new lot of the same
  grant that ends with the grace. A policy may want such a lot, with a term of its own, for all that comes back.
- A capture above its hold is refused, or takes the rest of what is available: an entry of its own, for the hold never
  held it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tierengine.errors import Refused
from tierengine.ledger.entries import (
    Clawback,
    EntryDraft,
    EntryKind,
    Hold,
    HoldEnd,
    HoldEndKind,
    Lapsed,
    LotPart,
    LotTaken,
)
from tierengine.ledger.lots import Lot, first_out, plan
from tierengine.ledger.wallets import Act, Move, Wallets


@dataclass
class MemberBook(Wallets):
    """One member's money: loaded under his lock, changed by the methods, stored from `entries`."""

    # ---- changing; each returns the entries that it appended

    def settle(self, now: int, *, cause: str = "") -> tuple[EntryDraft, ...]:
        """Post the end of every lapsed hold, and of every lapsed lot exactly its unheld remainder, in order of time.

        Call it before anything else.
        """
        self.now = max(self.now, now)
        first = len(self.entries)
        if self.holds:
            lapsed = [hold for hold in self.holds if hold.expires_at <= self.now]
            for hold in sorted(lapsed, key=lambda hold: (hold.expires_at, hold.entry)):
                self._expire(hold.expires_at, cause)
                self._end(hold, "lapsed")
        self._expire(self.now, cause)
        return self._since(first)

    def adjust(  # noqa: PLR0913 - a grant is said by all of these, and every caller names them
        self,
        event_key: str,
        rule: str,
        wallet: str,
        unit: str,
        delta: int,
        *,
        usable_from: int = 0,
        expires_at: int | None = None,
        cause: str = "",
        decision: int | None = None,
        clawback: Clawback = "debt",
        kind: EntryKind | None = None,
        replaced: bool = False,
    ) -> tuple[EntryDraft, ...]:
        """Change what (event_key, rule) is worth to the member by `delta` (0: nothing happens).

        A rise makes a lot with the given dates. `kind` None: `grant` or `reverse` by its sign; `award` posts from the
        awards account. A fall that is `replaced` undoes the lots with the given dates before those of the same grant
        that came in their place. Refused (`clawback_refused`) only with clawback="refuse"; then nothing has changed.
        """
        first = len(self.entries)
        self._open(wallet, unit)
        grant = Act(wallet, cause, event_key, rule, decision, "awards" if kind == "award" else "grants")
        if delta > 0:
            self._raise(grant, delta, usable_from, expires_at, kind or "grant")
        elif delta < 0:
            gone = (usable_from, expires_at) if replaced else None
            self._take_back(grant, -delta, clawback, kind or "reverse", gone)
        self._check(wallet)
        return self._since(first)

    def use(
        self,
        wallet: str,
        amount: int,
        order: str,
        now: int,
        *,
        cause: str = "",
        unit: str = "",
        allow_debt: bool = False,
    ) -> tuple[EntryDraft, ...]:
        """Take `amount` for the order, earliest expiry first; Refused (`insufficient_credit`) when short.

        `allow_debt`: a late sale is never refused. It then takes lots that are not usable yet, and the rest is debt.
        What `settle` posted stays posted after a refusal: it is true whatever the order does.
        """
        _positive(amount)
        first = len(self.entries)
        self.settle(now, cause=cause)
        usable = self.usable(wallet, self.now)
        if usable < amount and not allow_debt:
            raise Refused("insufficient_credit", wallet=wallet, usable=usable, wanted=amount)
        self._open(wallet, unit)
        lots = sorted(self._lots(wallet), key=lambda lot: (not lot.usable(self.now), *first_out(lot)))
        taken = plan(lots, amount)
        short = amount - _total(taken)
        moves: list[Move] = [("available", "uses", amount - short), ("debt", "uses", short)]
        entry = self._entry(Act(wallet, cause, order), "use", -amount, moves, uses=taken)
        self._took(entry, taken, short)
        self._check(wallet)
        return self._since(first)

    def hold(self, ref: int, key: str, wallet: str, amount: int, order: str, now: int, expires_at: int) -> Hold:
        """Tie up `amount` for the order until `expires_at`; Refused (`insufficient_credit`) when short."""
        _positive(amount)
        self.settle(now, cause=key)
        parts = self._usable_parts(wallet, amount)
        for lot, part in parts:
            lot.held += part
        entry = self._entry(Act(wallet, key, order), "hold", 0, [("available", "held", amount)])
        tied = tuple((lot.ref, part) for lot, part in parts)
        made = Hold(ref, key, wallet, order, amount, expires_at, dict(tied), entry.number, tied)
        self.holds.append(made)
        self._check(wallet)
        return made

    def capture(self, key: str, amount: int, now: int, *, keep: bool = False, above: bool = False) -> EntryDraft:
        """Take `amount` of what a hold ties up, for its order. The rest is freed, unless `keep` leaves it tied up.

        `above`: what is more than is left of the hold comes out of what is available, as a use of its own.
        Refused (`hold_ended`) when it lapsed or was ended, (`capture_exceeds_hold`) above what may be taken.
        """
        _positive(amount)
        self.settle(now, cause=key)
        hold = self._open_hold(key)
        more = max(amount - hold.left, 0)
        if more > (self.usable(hold.wallet, self.now) if above else 0):
            raise Refused("capture_exceeds_hold", wallet=hold.wallet, held=hold.left, wanted=amount)
        amount -= more
        taken = self._untie(hold, amount)
        entry = self._entry(
            Act(hold.wallet, key, hold.order), "capture", -amount, [("held", "uses", amount)], uses=taken
        )
        self._took(entry, taken, 0)
        if not (keep and hold.left):
            self._end(hold, "captured", entry.number)
            self._expire(self.now, key)
        if more:
            hold.above = more
            self.use(hold.wallet, more, hold.order, self.now, cause=key)
        self._check(hold.wallet)
        return entry

    def void(self, key: str, now: int) -> tuple[EntryDraft, ...]:
        """Free what is left of a hold. Refused (`hold_ended`) when it lapsed or was ended."""
        first = len(self.entries)
        self.settle(now, cause=key)
        hold = self._open_hold(key)
        self._end(hold, "voided")
        self._expire(self.now, key)
        self._check(hold.wallet)
        return self._since(first)

    def move_out(self, wallet: str, amount: int, key: str, now: int) -> Sequence[LotPart]:
        """Hand `amount` on to another member's `move_in`, earliest expiry first; Refused when less is usable."""
        _positive(amount)
        self.settle(now, cause=key)
        taken = self._usable_parts(wallet, amount)
        act = Act(wallet, key, key)
        self._entry(act, "transfer", -amount, [("available", "grants", amount)], uses=taken)
        self._check(wallet)
        return [LotPart(part, lot.usable_from, lot.expires_at) for lot, part in taken]

    def move_in(self, wallet: str, unit: str, parts: Sequence[LotPart], key: str, now: int) -> tuple[EntryDraft, ...]:
        """Take in what another member's `move_out` handed on; every part keeps its dates."""
        first = len(self.entries)
        self.settle(now, cause=key)
        self._open(wallet, unit)
        act = Act(wallet, key, key)
        amount = sum(part.amount for part in parts)
        made = [self._lot(act, part.amount, part.usable_from, part.expires_at) for part in parts]
        self._entry(act, "transfer", amount, [("grants", "available", amount)], lots=made)
        self._pay_debt(wallet, key)
        self._expire(self.now, key)
        self._check(wallet)
        return self._since(first)

    def spare(self, wallet: str) -> list[Lot]:
        """Return the lots of which something is free, whether or not it may be spent yet, earliest expiry first."""
        return sorted((lot for lot in self._lots(wallet) if lot.free), key=first_out)

    def missing(self, event_key: str, rule: str, wallet: str, amount: int) -> int:
        """Return what taking back so much of a grant would not find here: what would be owed, or forgiven."""
        unspent = self.lapsed.get((event_key, rule), Lapsed()).expired
        own = sum(lot.free for lot in self._lots(wallet) if lot.grant == (event_key, rule))
        other = sum(lot.free for lot in self._lots(wallet)) - own
        rest = amount - min(own, amount)
        return max(0, rest - min(rest, unspent) - other)

    def hand_over(self, wallet: str, parts: Sequence[tuple[Lot, int]], key: str) -> Sequence[LotPart]:
        """Hand parts of free lots on to another book's `move_in`, whether or not they may be spent yet."""
        amount = _total(parts)
        _positive(amount)
        self._entry(Act(wallet, key, key), "transfer", -amount, [("available", "grants", amount)], uses=parts)
        self._check(wallet)
        return [LotPart(part, lot.usable_from, lot.expires_at) for lot, part in parts]

    def give_back(
        self,
        wallet: str,
        amount: int,
        order: str,
        now: int,
        *,
        cause: str = "",
        expires_at: int | None = None,
        grace_until: int | None = None,
        anew: bool = False,
    ) -> tuple[EntryDraft, ...]:
        """Return `amount` of what the order used to the lots it came from, newest use first.

        They keep their old expiry: what goes back to a lapsed lot pays debt or lapses at once. With `grace_until` what
        would end before that comes back as a new lot of the same grant that ends then. `expires_at` is for the new lot
        of an over-use that was paid for since, and with `anew` for all that comes back: as new lots of the same grants.
        """
        _positive(amount)
        first = len(self.entries)
        self.settle(now, cause=cause)
        used = self.used(wallet, order)
        if amount > used:
            raise Refused("return_exceeds_use", wallet=wallet, used=used, wanted=amount)
        back, overused = self._put_back(wallet, amount, order)
        to_debt = min(overused, self.balances[wallet].debt)
        paid_for = overused - to_debt
        act = Act(wallet, cause, order)
        made = [self._lot(act, paid_for, self.now, expires_at)] if paid_for else []
        same: list[tuple[Lot, int]] = []
        for lot, part in back:
            graced = grace_until is not None and lot.expires_at is not None and lot.expires_at < grace_until
            if anew or graced:
                of_grant = replace(act, event_key=lot.event_key, rule=lot.rule)
                made.append(self._lot(of_grant, part, lot.usable_from, expires_at if anew else grace_until))
            else:
                same.append((lot, -part))
        moves: list[Move] = [("uses", "debt", to_debt), ("uses", "available", amount - to_debt)]
        self._entry(act, "return", amount, moves, lots=made, uses=same)
        self._pay_debt(wallet, cause)
        self._expire(self.now, cause)
        self._check(wallet)
        return self._since(first)

    # ---- inside

    def _usable_parts(self, wallet: str, amount: int) -> list[tuple[Lot, int]]:
        """Return of which usable lots `amount` is made, earliest expiry first; Refused when there is less."""
        usable = self.usable(wallet, self.now)
        if usable < amount:
            raise Refused("insufficient_credit", wallet=wallet, usable=usable, wanted=amount)
        lots = (lot for lot in self._lots(wallet) if lot.usable(self.now))
        return plan(sorted(lots, key=first_out), amount)

    def _open_hold(self, key: str) -> Hold:
        for hold in self.holds:
            if hold.key == key:
                return hold
        raise Refused("hold_ended", hold=key)

    def _untie(self, hold: Hold, amount: int) -> list[tuple[Lot, int]]:
        """Take `amount` out of a hold; returns of which lots, earliest expiry first."""
        by_ref = {lot.ref: lot for lot in self.lots}
        found: list[tuple[Lot, int]] = []
        for ref, tied in list(hold.parts.items()):
            if part := min(tied, amount):
                amount -= part
                by_ref[ref].held -= part
                self._stir(by_ref[ref])
                hold.parts[ref] -= part
                found.append((by_ref[ref], part))
        return found

    def _end(self, hold: Hold, kind: HoldEndKind, entry: int = 0) -> None:
        """End a hold: what is left of it is free, and pays debt first."""
        if rest := hold.left:
            self._untie(hold, rest)
            act = Act(hold.wallet, hold.key, hold.order)
            freed = self._entry(act, "void", 0, [("held", "available", rest)])
            entry = entry or freed.number
        self.holds.remove(hold)
        self.ended.append(HoldEnd(hold, kind, entry, rest))
        self._pay_debt(hold.wallet, hold.key)

    def _took(self, entry: EntryDraft, taken: Sequence[tuple[Lot, int]], short: int) -> None:
        """Remember what an entry took for its order, so that it can be given back."""
        parts: list[tuple[int | None, int]] = [(lot.ref, part) for lot, part in taken]
        parts += [(None, short)] if short else []
        if not any(self.gave_back(entry.event_key).values()):
            paid = self.paid.setdefault(entry.event_key, {})
            paid[entry.wallet] = paid.get(entry.wallet, 0) - entry.delta
        self.taken.setdefault(entry.event_key, []).extend(
            LotTaken(entry.number, entry.wallet, ref, part, place) for place, (ref, part) in enumerate(parts)
        )

    def _raise(self, act: Act, delta: int, usable_from: int, expires_at: int | None, kind: EntryKind) -> None:
        lapsed = self.lapsed.setdefault(act.grant, Lapsed())
        undone = min(delta, lapsed.forgiven)
        lapsed.forgiven -= undone
        rise = delta - undone
        made = [self._lot(act, rise, usable_from, expires_at)] if rise else []
        self._entry(act, kind, delta, [(act.house, "forgiven", undone), (act.house, "available", rise)], lots=made)
        self._pay_debt(act.wallet, act.cause)
        self._expire(self.now, act.cause)

    def _take_back(
        self, act: Act, amount: int, clawback: Clawback, kind: EntryKind, gone: tuple[int, int | None] | None
    ) -> None:
        lots = sorted(self._lots(act.wallet), key=lambda lot: (lot.grant != act.grant, *first_out(lot)))
        mine = {lot.ref for lot in lots if lot.grant == act.grant and gone in (None, (lot.usable_from, lot.expires_at))}
        own = plan([lot for lot in lots if lot.ref in mine], amount)
        rest = amount - _total(own)
        lapsed = self.lapsed.setdefault(act.grant, Lapsed())
        unspent = min(rest, lapsed.expired)
        others = plan([lot for lot in lots if lot.ref not in mine], rest - unspent)
        missing = rest - unspent - _total(others)
        if missing and clawback == "refuse":
            raise Refused("clawback_refused", wallet=act.wallet, missing=missing)
        lapsed.expired -= unspent
        # What a hold ties up is not spent yet. It is owed: else whoever holds, returns and then voids would keep it.
        forgiven = max(0, missing - self.balances[act.wallet].held) if clawback == "forgive" else 0
        lapsed.forgiven += forgiven
        moves: list[Move] = [
            ("available", act.house, _total(own) + _total(others)),
            ("expired", act.house, unspent),
            ("debt", act.house, missing - forgiven),
            ("forgiven", act.house, forgiven),
        ]
        self._entry(act, kind, -amount, moves, uses=own + others)

    def _put_back(self, wallet: str, amount: int, order: str) -> tuple[list[tuple[Lot, int]], int]:
        """Undo the newest of what the order took; return what goes back to which lot, and how much was over-use."""
        by_ref = {lot.ref: lot for lot in self.lots}
        kept: list[LotTaken] = []
        back: dict[int, int] = {}  # one lot use a lot, however many entries took from it
        overused = 0
        for taken in sorted(self.taken[order], key=lambda one: (one.number, one.place), reverse=True):
            part = min(amount, taken.amount) if taken.wallet == wallet else 0
            amount -= part
            if part < taken.amount:
                kept.append(replace(taken, amount=taken.amount - part))
            if part and taken.lot is None:
                overused += part
            elif part and taken.lot is not None:
                back[taken.lot] = back.get(taken.lot, 0) + part
        self.taken[order] = kept[::-1]
        return [(by_ref[ref], part) for ref, part in back.items()], overused


def _total(parts: Iterable[tuple[Lot, int]]) -> int:
    return sum(part for _, part in parts)


def _positive(amount: int) -> None:
    if amount <= 0:
        raise ValueError(f"An amount of money that moves is above 0, got {amount}")
